"""What lesson 13 takes from beside its checker: a stick figure, tasks, and its tables of recorded runs."""

from dataclasses import replace

import numpy as np
import pytest
from made_records import RECORD, with_trial

from minidurnn.exercises.companions import skeleton_records
from minidurnn.exercises.companions.skeleton_tasks import task_of
from minidurnn.experiments.claims import Row


def recorded(experiment, length, model, seed, right, verdict="learning"):
    """A record by hand of a run that names so many of 800 test recordings rightly."""
    one = with_trial(RECORD, experiment=experiment, length=length, model=model, seed=seed)
    machine = {**one.machine, "date": f"2026-01-0{seed + 1}", "hardware": "a processor"}
    return replace(one, test=right / 800, verdict=verdict, machine=machine)


RUNS = [
    recorded("skeletons", 179, "lstm", 1, 640), recorded("skeletons", 179, "lstm", 0, 720),
    recorded("skeletons", 20, "lstm", 0, 700), recorded("skeletons", 20, "lstm", 1, 643),
    recorded("skeletons", 20, "lstm", 2, 780, "solved"), recorded("skeletons-20", 20, "gru", 0, 400),
]
LEFT_OUT = [recorded("adding", 20, "lstm", 3, 1), recorded("skeletons", 64, "lstm", 3, 1)]


def test_recorded_runs_are_found_by_experiment_length_model_and_seed():
    found = skeleton_records.by_seed([*RUNS, *LEFT_OUT])
    assert found == {
        ("skeletons", 179, "lstm"): {1: RUNS[0], 0: RUNS[1]},
        ("skeletons", 20, "lstm"): {0: RUNS[2], 1: RUNS[3], 2: RUNS[4]}, ("skeletons-20", 20, "gru"): {0: RUNS[5]},
    }


def test_a_gain_is_of_one_model_and_one_seed():
    assert skeleton_records.gains(skeleton_records.by_seed(RUNS)) == {"lstm": [20, -3]}           # seeds 0, 1


def test_pairs_are_counted_over_models_and_an_equal_one_is_neither_better_nor_worse(capsys):
    gained = {"lstm": [20, -3], "gru": [0, 5], "rnn": [-1, -1]}
    assert skeleton_records.count_pairs(gained, "gates", ["lstm", "gru"]) == (2, 1, 4)
    assert capsys.readouterr().out == "gates: full length is better in 2, worse in 1 of 4 pairs\n"


def test_the_table_shows_medians_and_how_many_seeds_solved_it(capsys):
    skeleton_records.print_medians(skeleton_records.by_seed(RUNS))
    recorded_when, sizes, _, _, gru, lstm = capsys.readouterr().out.splitlines()
    assert recorded_when == "recorded 2026-01-01 to 2026-01-03: a processor"
    assert sizes == f"{RECORD.parameters:,} to {RECORD.parameters:,} trained numbers"
    assert gru.split() == ["gru", "-", "-", "0.5000", "(0/1)"]
    assert lstm.split() == ["lstm", "0.8750", "(1/3)", "0.8500", "(0/2)", "+20", "-3", "-"]


def test_the_durnns_units_and_horizon_are_read_from_its_records(capsys):
    cell = {"class": "DuRNN", "options": {"short": 5, "long": 6, "horizon": 20}}
    body = {"class": "Chunked", "options": {"model": cell}}
    runs = [
        replace(recorded("skeletons", 20, "durnn", seed, 700), network={"class": "Network", "options": {"body": body}})
        for seed in (0, 1)
    ]
    skeleton_records.print_medians(skeleton_records.by_seed([*runs, *RUNS]))
    assert capsys.readouterr().out.splitlines()[-1] == "durnn, 10 classes, 20 frames: 5 + 6 units, horizon 20"


def test_models_are_ranked_by_their_medians():
    runs = [*RUNS, recorded("skeletons", 20, "gru", 0, 790), recorded("skeletons", 20, "rnn", 1, 660)]
    assert skeleton_records.ranked(skeleton_records.by_seed(runs), "skeletons") == ["rnn", "lstm", "gru"]


def test_two_models_are_compared_by_medians_span_and_pairs_of_seeds(capsys):
    found = skeleton_records.by_seed([
        *RUNS, recorded("skeletons", 20, "gru", 0, 700), recorded("skeletons", 20, "gru", 1, 660)])
    gap, span, ahead = skeleton_records.compare(found, "skeletons", "lstm", "gru")
    assert (round(gap), round(span), ahead) == (20, 137, 3)   # 700 over 680; 780 to 643; 700 = 700 does not count
    assert capsys.readouterr().out == (
        "    lstm against gru: gap +20, larger span 137, ahead in 3 of 6 pairs\n")
    gap, span, ahead = skeleton_records.compare(found, "skeletons", "gru", "lstm")
    assert (round(gap), round(span), ahead) == (-20, 137, 2)


def test_a_task_of_given_recordings_draws_its_batches_from_them():
    x = np.arange(4 * 3 * 66).reshape(4, 3, 66)
    label = np.array([5, 6, 7])
    parts = {"train": (x, label), "validation": (x[:, :1], label[:1]), "test": (-x, label)}
    task = task_of(parts)
    batch, movement, lengths = task.batch(np.random.default_rng(0), 8)
    assert np.array_equal(batch, x[:, movement - 5]) and lengths is None
    assert task.length == 4 and task.test()[0] is parts["test"][0] and len(task.validation()[1]) == 1


def test_the_ledgers_rows_are_chosen_by_their_words(capsys):
    row = Row("a paper", "it is ahead", "no number", "1 of 2", "17", "a processor", "trend only", "our data")
    skeleton_records.print_row([row, row._replace(says="it is fast")], "ahead")
    assert capsys.readouterr().out == (
        "a paper: it is ahead\n    paper: no number\n    ours: 1 of 2\n    TREND ONLY; our data\n")


def test_a_pose_stands_on_the_floor_where_it_is_told_and_its_sides_have_their_colours():
    pytest.importorskip("matplotlib", reason="stick figures are drawn with matplotlib")
    from minidurnn import plots
    from minidurnn.exercises.companions.skeleton_pictures import draw_pose

    xyz = np.zeros((22, 3))
    xyz[21] = 1, -3, 2                                        # the lowest joint
    joints = np.array(["waist", "left_hand", "right_foot", *["spine"] * 19])
    axes = plots.sketch("", (0, 5), (0, 5))
    draw_pose(axes, xyz.ravel(), {"parents": np.zeros(22, int), "joint_names": joints}, 10, 1, 0.5, 2, "a name")
    assert np.allclose(axes.lines[-1].get_xydata(), [(10, 7), (11, 1)])       # 0.8 · 1 + 0.6 · 2 = 2, half of it
    assert [one.get_color() for one in axes.lines[:3]] == [plots.BLUE, plots.RED, plots.BLACK]
    assert len(axes.lines) == 21 and axes.texts[0].get_text() == "a name"
    draw_pose(axes, xyz.ravel(), {"parents": np.zeros(22, int), "joint_names": joints}, 0, name="one name of two lines",
              colour="#888888")
    assert {one.get_color() for one in axes.lines[21:]} == {"#888888"}
    assert axes.texts[1].get_text() == "one name of\ntwo lines"
    plots.plt.close(axes.figure)
