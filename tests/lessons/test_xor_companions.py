"""What lesson 10 takes from beside its checker, each on a case worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from support import rng

from minidurnn.tasks import DelayedXOR


@pytest.fixture(scope="module", autouse=True)
def companion():
    """The module draws: imported where these tests run, so that they are collected without matplotlib too."""
    global xor_pairs
    pytest.importorskip("matplotlib", reason="the companions draw with matplotlib")
    from minidurnn.exercises.companions import xor_pairs


def recorded(experiment, model, stages, *curves, length=100):
    runs = tuple(SimpleNamespace(curve={"validation": curve}) for curve in curves)
    trial = {"experiment": experiment, "length": length, "model": model, "stages": stages}
    return SimpleNamespace(trial=trial, runs=runs)


def test_other_codings_change_the_bits_and_nothing_else():
    x, classes, _ = DelayedXOR(20).batch(rng(), 9)
    heard, same, _ = xor_pairs.CodedXOR(20, -1, 3).batch(rng(), 9)
    assert (heard[:, :, 0] == 4 * x[:, :, 0] - 1).all()
    assert (heard[:, :, 1] == x[:, :, 1]).all() and (same == classes).all()


def test_the_shares_of_the_pairs_have_the_bit_before_as_their_row():
    x = np.zeros((4, 5, 2))
    x[2, :, 1] = 1
    x[1:3, :, 0] = np.array([[0, 0, 1, 1, 1], [0, 1, 0, 0, 1]])
    assert np.allclose(xor_pairs.pair_shares((x, np.zeros(5), None)), [[0.2, 0.2], [0.4, 0.2]])


def test_every_run_is_taken_once():
    found = xor_pairs.grouped([
        recorded("delayed-xor", "durnn", [], [0.5], [None, 0.7]), recorded("ablations-delayed-xor", "durnn", [], [0.1]),
        recorded("ablations-delayed-xor", "durnn-clip", [], [0.2]), recorded("delayed-xor", "rnn", [], [0.3]),
        recorded("adding", "durnn", [], [0.4]), recorded("delayed-xor", "durnn", [], [0.6], length=30),
    ])
    assert len(found) == 5 and ("delayed-xor", 30, "durnn", 0) in found
    assert [xor_pairs.looks(run) for run in xor_pairs.direct_runs(found, 100)] == [[0.5], [0.7], [0.2]]


def test_runs_are_counted_once_for_each_accuracy_that_they_had():
    curves = ([0.7, 0.7, 1.0], [None, 0.7, 0.72], [0.72, 0.99])
    runs = [SimpleNamespace(curve={"validation": curve}) for curve in curves]
    heights, solved = xor_pairs.runs_at(runs, np.array([0.7, 0.71, 0.72]))
    assert heights.tolist() == [2, 0, 2] and solved.tolist() == [1, 0, 1]


def test_steps_are_lengths_times_updates():
    stages = [SimpleNamespace(length=50, updates=200), SimpleNamespace(length=100, updates=20)]
    assert xor_pairs.steps(SimpleNamespace(stages=stages)) == 12


def test_a_network_that_always_answers_1_is_right_on_about_half():
    always_1 = SimpleNamespace(predict=lambda p, x: (np.tile([0.0, 1.0], (x.shape[1], 1)), None))
    shares = xor_pairs.shares_right(always_1, None)
    assert len(shares) == 4 and np.allclose(shares, 0.5, atol=0.15)


def test_figures_have_a_line_for_each_training_and_a_bar_for_each_accuracy():
    axes = xor_pairs.draw_carried("", np.ones((2, 3, 4)), ("a", "b", "c"))
    assert [len(side.lines) for side in axes] == [3, 3]
    shares = np.array([[0.24, 0.25], [0.25, 0.26]])
    assert len(xor_pairs.draw_heights("", np.array([0.7, 0.71]), np.array([1, 2]), shares).patches) == 2
