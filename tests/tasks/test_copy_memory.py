"""Copy memory: its layout, its honest baseline, and a memory by hand that solves it."""

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import RNN, Network
from minidurnn.experiments import EXPERIMENTS
from minidurnn.tasks import CopyMemory


@pytest.mark.parametrize("length", [1, 2, 7, 100])
def test_the_symbols_are_asked_for_after_the_blanks(length):
    x, target, lengths = CopyMemory(length).batch(rng(), 40)
    assert x.shape == (length + 20, 40, 10) and x.dtype == np.float32 and (x.sum(-1) == 1).all() and lengths is None
    codes = x.argmax(-1)
    assert (codes[:10] < 8).all() and (target[:-10] == 8).all() and (target[-10:] == codes[:10]).all()
    assert (codes[10:10 + length - 1] == 8).all() and (codes[10 + length - 1] == 9).all() and (codes[-10:] == 8).all()
    assert target.shape == (length + 20, 40) and target.dtype.kind == "i"
    assert len(np.unique(codes[:10])) == 8


def test_the_baseline_is_what_a_constant_answer_at_the_end_gets():
    task = CopyMemory(30)
    name, value = task.baseline()
    _, target, _ = task.batch(rng(1), 20_000)
    answer = np.full_like(target, 8)
    answer[-10:] = 3
    share = (10 / 50**2 / 20_000 * 10 * (1 / 8) * (7 / 8)) ** 0.5
    assert (answer == target).mean() == pytest.approx(value, abs=5 * share) and name == "blanks, then a guess"


def test_a_delay_line_by_hand_solves_it():
    """A linear RNN that shifts ten symbols along: the last place of the line is the answer T + 10 steps later."""
    task = CopyMemory(3)
    x, target, _ = task.batch(rng(), 5)
    places = task.length + 10                                 # steps from a symbol to its answer
    body = RNN(10, 10 * (places + 1), activation="identity")
    U = np.eye(10 * (places + 1), k=10)                       # each place hands on to the next
    p = {"W": np.eye(10, 10 * (places + 1)), "U": U, "b": np.zeros(10 * (places + 1))}
    W = np.zeros((10 * (places + 1), 9))
    W[-10:-2, :8] = np.eye(8)
    readout = {"W": W, "b": 0.5 * np.eye(9)[8]}
    network = Network(body, 9, "cross_entropy", "every")
    metric = network.loss({"body": p, "readout": readout}, x.astype(float), target)[1]
    assert metric == 1.0 and EXPERIMENTS["copy"].verdict(float(metric), task) == "solved"


def test_the_verdict_counts_from_the_baseline():
    task, experiment = CopyMemory(500), EXPERIMENTS["copy"]
    none = task.baseline()[1]
    assert none > 0.98
    for share, verdict in ((0.0, "baseline"), (0.04, "baseline"), (0.06, "learning"), (0.98, "learning"),
                           (0.9901, "solved"), (1.0, "solved")):
        assert experiment.verdict(none + share * (1 - none), task) == verdict
    with refuses(ValueError, "length is 0", "at least 1"):
        CopyMemory(0)
