"""What the lessons measure, count and draw: code that would fill a cell without being the idea of the lesson.

09   adding_looks                                  18, 19   clock
11   pixel_trials, pixel_records                   19   memory_cases, memory_costs
12   character_costs, character_drawings,          20   compact_runs, compact_records, compact_pictures
     followed_facts                                21   translation_measures, attention_pictures
13   skeleton_pictures, skeleton_records,          22   queueing_answers, queueing_runs
     skeleton_tasks
16   neuron_pictures
17   gate_time_scales, gate_drawings
18   long_scans, gated_controls
"""
