"""What lesson 11 takes from beside its checker: the task in any order, the nearest neighbour, the recorded runs."""

from dataclasses import replace

import numpy as np
import pytest
from made_records import RECORD, with_trial
from support import rng

from minidurnn import RNN
from minidurnn.tasks.pixels import Pixels


@pytest.fixture(scope="module", autouse=True)
def companions():
    """Both modules draw: imported where these tests run, so that they are collected without matplotlib too."""
    global pixel_records, pixel_trials
    pytest.importorskip("matplotlib", reason="the companions draw with matplotlib")
    from minidurnn.exercises.companions import pixel_records, pixel_trials


def recorded(experiment, model, seed, test, rate=0.01, length=196):
    """A record of a run by hand."""
    one = with_trial(RECORD, experiment=experiment, model=model, seed=seed, length=length)
    return replace(one, test=test, chosen_rate=rate)


RUNS = [                                                      # not by seed, not by order, not by model
    recorded("pixels", "lstm", 1, 0.75, 0.003),
    recorded("permuted-pixels", "durnn", 0, 0.5),
    recorded("pixels", "lstm", 2, 0.25),
    recorded("permuted-pixels", "lstm", 2, 0.125),
    recorded("pixels", "durnn", 0, 0.875),
    recorded("permuted-pixels", "lstm", 0, 0.625, 0.001),
    recorded("pixels", "lstm", 0, 0.625),
]
LEFT_OUT = [
    recorded("adding", "lstm", 3, 0.1), recorded("pixels", "janet", 3, 0.1), recorded("pixels", "lstm", 3, None),
    recorded("pixels", "lstm", 3, 0.1, length=784),
]


def test_digits_are_read_in_the_order_that_is_asked():
    order = rng().permutation(196)
    task = pixel_trials.DigitsInOrder(order)
    for mine, rows in (
        (task.batch(rng(), 3), Pixels(14).batch(rng(), 3)), (task.validation(), Pixels(14).validation()),
    ):
        assert np.array_equal(mine[0], rows[0][order])
        assert np.array_equal(mine[1], rows[1])


def test_a_training_starts_from_its_seed():
    order = np.arange(196)[-3:]                               # three steps: quick
    losses = [pixel_trials.train(RNN(1, 2), order, seed)[0] for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_recorded_runs_are_sorted_by_order_and_model():
    found = pixel_records.runs_by_order([*RUNS, *LEFT_OUT])
    assert found == {
        ("in order", "lstm"): [RUNS[0], RUNS[2], RUNS[6]], ("permuted", "durnn"): [RUNS[1]],
        ("permuted", "lstm"): [RUNS[3], RUNS[5]], ("in order", "durnn"): [RUNS[4]],
    }
    assert pixel_records.medians(found) == {
        ("in order", "lstm"): 0.625, ("permuted", "durnn"): 0.5, ("permuted", "lstm"): 0.375,
        ("in order", "durnn"): 0.875,
    }
    assert pixel_records.by_seed(found, "in order", "lstm") == {0: 0.625, 1: 0.75, 2: 0.25}
    assert pixel_records.by_seed(found, "permuted", "lstm") == {0: 0.625, 2: 0.125}


@pytest.mark.parametrize("runs", [RUNS, RUNS[::-1]], ids=["as recorded", "reversed"])
def test_recorded_runs_are_printed_the_best_first_those_in_order_above(capsys, runs):
    pixel_records.print_runs(pixel_records.runs_by_order(runs))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "in order  durnn                      61   0.875  0.875 (0.01)",
        "in order  lstm                       61   0.625  0.625 (0.01), 0.750 (0.003), 0.250 (0.01)",
        "permuted  durnn                      61   0.500  0.500 (0.01)",
        "permuted  lstm                       61   0.375  0.625 (0.001), 0.125 (0.01)",
    ]


PARTS = [
    recorded("ablations-pixels", model, seed, test) for model, seed, test in (
        ("durnn", 1, 0.5), ("durnn-clip", 0, 0.75), ("durnn", 0, 0.625), ("short-term", 1, 0.25),
        ("durnn-clip", 1, 0.6875), ("short-term", 0, 0.375), ("durnn-open", 0, 0.5625), ("durnn-open", 1, 0.4375),
    )
]


@pytest.mark.parametrize("runs", [PARTS, PARTS[::-1]], ids=["as recorded", "reversed"])
def test_the_parts_of_the_durnn_come_by_their_median_and_each_by_its_seeds(runs):
    left_out = [recorded("ablations-adding", "durnn", 0, 0.1), recorded("ablations-pixels", "durnn", 2, None)]
    found = pixel_records.parts([*runs, *left_out])
    assert found == {
        "norm held by clipping": [0.75, 0.6875], "durnn": [0.625, 0.5], "gates half open": [0.5625, 0.4375],
        "short-term memory alone": [0.375, 0.25],
    }
    assert list(found) == ["norm held by clipping", "durnn", "gates half open", "short-term memory alone"]


def test_a_part_is_above_or_below_only_with_all_its_runs(capsys):
    pixel_records.print_parts(pixel_records.parts(PARTS))
    last = [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]]
    assert last == ["above", "0.500", "0.438", "below"]


def test_every_ablation_has_words():
    from minidurnn.experiments.ablations import MODELS

    assert set(MODELS) == set(pixel_records.PARTS)


def test_a_change_of_the_start_values_is_trained_from_and_the_norm_is_held_before():
    order, seen = np.arange(196)[-3:], []
    class Looked(RNN):
        def project(self, p):
            seen.append(p["b"].copy())
            return p
    changed = pixel_trials.train(Looked(1, 2), order, 0, change=lambda p: {**p, "b": p["b"] + 1})[0]
    assert (seen[0] == 1).all()
    assert changed != pixel_trials.train(RNN(1, 2), order, 0)[0]
