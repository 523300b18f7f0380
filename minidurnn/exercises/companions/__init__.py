"""What the lessons measure, count and draw: code that would fill a cell without being the idea of the lesson.

09   adding_looks                                  17   gate_time_scales, gate_drawings
10   xor_pairs                                     18   long_scans, gated_controls
11   pixel_trials, pixel_records                   18, 19   clock
12   character_costs, character_drawings,          19   memory_cases, memory_costs
     followed_facts                                20   compact_runs, compact_records, compact_pictures
13   skeleton_pictures, skeleton_records,          21   translation_measures, attention_pictures
     skeleton_tasks                                22   queueing_answers, queueing_runs
14   deep_stacks
14, 15   stack_passes
16   neuron_pictures
"""
