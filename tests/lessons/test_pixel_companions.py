"""What lesson 11 takes from beside its checker: the task in any order, the nearest neighbour, the recorded runs."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import rng

from minidurnn import RNN
from minidurnn.tasks.pixels import Pixels

sys.path.insert(0, str(Path(__file__).parents[1] / "records"))

from test_records import RECORD, with_trial  # noqa: E402


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


def test_the_nearest_neighbour_is_the_one_at_the_smallest_distance():
    train, test, label = rng().random((30, 5)), rng().random((7, 5)) + 0.1, np.arange(30) % 10
    distance = ((test[:, None] - train) ** 2).sum(axis=2)
    assert np.array_equal(pixel_trials.nearest_neighbour(train, label, test), label[distance.argmin(axis=1)])


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
        "in order  durnn                      1       61  0.875  0.01",
        "in order  lstm                       3       61  0.625  0.003 0.01",
        "permuted  durnn                      1       61  0.500  0.01",
        "permuted  lstm                       2       61  0.375  0.001 0.01",
    ]


@pytest.mark.parametrize("runs", [RUNS, RUNS[::-1]], ids=["as recorded", "reversed"])
def test_single_runs_are_printed_by_seed(capsys, runs):
    pixel_records.print_seeds(pixel_records.runs_by_order(runs), "lstm", "durnn", "gru")
    assert capsys.readouterr().out.splitlines() == [
        "lstm in order, from seed 0 on, with their rates: 0.625 (0.01), 0.750 (0.003), 0.250 (0.01)",
        "lstm permuted, from seed 0 on, with their rates: 0.625 (0.001), 0.125 (0.01)",
        "durnn in order, from seed 0 on, with their rates: 0.875 (0.01)",
        "durnn permuted, from seed 0 on, with their rates: 0.500 (0.01)",
    ]
