"""What a record of time scales keeps: the gradient on the cell state by lag, whole and through the gates alone."""

from dataclasses import replace

import numpy as np
import pytest

from minidurnn.arrays.trees import map_leaves
from minidurnn.cells import GRU, JANET, LSTM
from minidurnn.experiments import EXPERIMENTS, Trial, run_trial
from minidurnn.experiments.time_scales import SEQUENCES, by_gates
from minidurnn.networks import Chunked, Network
from minidurnn.tasks import Adding, Series


def network(cell, reads="last", seed=0):
    """A network around a cell and its parameters in float64."""
    made = Network(Chunked(cell), 1, "mse", reads)
    return made, map_leaves(lambda leaf: leaf.astype(np.float64), made.init(np.random.default_rng(seed)))


@pytest.mark.parametrize("cell", [LSTM(2, 3), LSTM(2, 3, forget="fast"), GRU(2, 3), JANET(2, 3)], ids=repr)
def test_gates_that_read_no_state_make_the_direct_gradient_the_whole_one(cell):
    made, p = network(cell)
    seen = by_gates(made, p, Adding(7))
    assert seen["lag"] == list(range(1, 7 + 1)) and len(seen["log_kept"]) == 3
    assert seen["norm"][0] == seen["direct"][0] and seen["norm"][3] != pytest.approx(seen["direct"][3], rel=1e-3)
    p["body"]["U"] = 0 * p["body"]["U"]
    seen = by_gates(made, p, Adding(7))
    assert seen["norm"] == pytest.approx(seen["direct"], rel=1e-3) and seen["norm"][-1] < seen["norm"][0]


def test_the_whole_gradient_is_the_measured_slope_on_the_first_cell_state():
    made, p = network(LSTM(2, 3))
    x, target, _ = Adding(5).batch(np.random.default_rng([17, 5]), SEQUENCES)
    x, target, step = x.astype(np.float64), target.astype(np.float64), 1e-5
    slopes = np.zeros((SEQUENCES, 3))
    for b in range(SEQUENCES):
        for unit in range(3):
            moved = np.zeros((SEQUENCES, 6))
            moved[b, 3 + unit] = step                         # h first, then c
            up, down = (made.loss(p, x, target, sign * moved)[0] for sign in (1, -1))
            slopes[b, unit] = (up - down) / (2 * step)
    assert by_gates(made, p, Adding(5))["norm"][-1] == pytest.approx(np.linalg.norm(slopes, axis=1).mean(), rel=1e-3)


def test_of_a_series_only_the_loss_of_the_last_step_is_looked_at():
    made, p = network(LSTM(1, 3), "every")
    task = Series("sunspots", 12)
    assert by_gates(made, p, task) == by_gates(replace(made, reads="last"), p, task)


def test_a_record_keeps_what_was_seen(tmp_path):
    trial = Trial("time-scales", 6, "durnn", "width", 3, seed=1, rates=(0.01,), updates=20, batch=5)
    record = run_trial(trial, tmp_path, progress=False)
    assert set(record.seen) == {"start", "trained"} and set(record.seen["start"]) == {
        "lag", "norm", "direct", "log_kept"}
    assert record.seen["start"]["norm"] == pytest.approx(record.seen["start"]["direct"], rel=1e-3)


def test_every_model_of_the_experiments_can_be_looked_at():
    experiment = EXPERIMENTS["time-scales-sunspots"]
    task = experiment.task(5, "sample")
    for trial in experiment.trials(quick=False, seeds=(0,)):
        made = replace(trial, length=5, parameters=100).network(task)
        seen = by_gates(made, made.init(np.random.default_rng(0)), task)
        assert len(seen["norm"]) == len(seen["direct"]) == 5 and None not in seen["norm"]
