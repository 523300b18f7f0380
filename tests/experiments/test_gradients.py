"""What the record of a gradient experiment keeps: the norms of the loss's gradient by lag, before and after."""

import json
from dataclasses import replace

import numpy as np
import pytest
from support import refuses

from minidurnn.arrays.trees import map_leaves
from minidurnn.cells import RNN, IndRNN
from minidurnn.experiments import EXPERIMENTS, Trial, run_trial
from minidurnn.experiments.gradients import SEQUENCES, as_text, by_lag
from minidurnn.networks import Network
from minidurnn.records import read_record
from minidurnn.records.record import write_json, write_record
from minidurnn.tasks import Adding
from minidurnn.training.run import streams
from minidurnn.training.storage import read

SHORT = Trial("gradients", 6, "rnn", "width", 3, seed=1, rates=(0.01,), updates=20, batch=5)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gradients")
    return folder, run_trial(SHORT, folder, progress=False)


def test_the_longest_lag_is_the_measured_slope_on_the_first_state():
    network, task = Network(RNN(2, 3), 1), Adding(6)
    p = map_leaves(lambda leaf: leaf.astype(np.float64), network.init(np.random.default_rng(0)))
    x, target, _ = task.batch(np.random.default_rng([3, 6]), SEQUENCES)
    x, target, step = x.astype(np.float64), target.astype(np.float64), 1e-6
    slopes = np.zeros((SEQUENCES, 3))
    for b in range(SEQUENCES):
        for i in range(3):
            moved = np.zeros((SEQUENCES, 3))
            moved[b, i] = step
            up, down = (network.loss(p, x, target, sign * moved)[0] for sign in (1, -1))
            slopes[b, i] = (up - down) / (2 * step)
    curve = by_lag(network, p, task)
    assert curve["lag"] == list(range(1, 7)) and 0 not in curve["norm"]
    assert curve["norm"][-1] == pytest.approx(np.median(np.linalg.norm(slopes, axis=1)), rel=1e-3)


def test_a_record_keeps_the_curves_of_the_first_and_the_trained_parameters(recorded):
    folder, record = recorded
    task = EXPERIMENTS["gradients"].task(6, "sample")
    network = SHORT.network(task)
    start = map_leaves(lambda leaf: leaf.astype(np.float32), network.init(streams(1)[0]))
    checkpoint, = (folder / "runs").glob("*.npz")
    trained = read(checkpoint, "checkpoint")[0]["p"]
    assert record.seen == {"start": by_lag(network, start, task), "trained": by_lag(network, trained, task)}
    assert record.seen["start"] != record.seen["trained"]
    assert read_record(folder / f"{SHORT.name}.json") == record


def test_the_report_has_a_line_for_each_curve_in_shares_of_the_largest(recorded):
    record = recorded[1]
    head, *lines = as_text([record]).splitlines()
    assert "share of the largest" in head and len(lines) == 2 and "seed 1  start" in lines[0]
    norms = record.seen["start"]["norm"]
    assert f"6: {norms[-1] / max(norms):.1e}" in lines[0] and "trained" in lines[1] and "T = 6" in lines[1]
    assert lines[0].index(" 1: ") < lines[0].index(" 3: ") < lines[0].index(" 6: ")


def test_a_norm_that_overflows_is_none_and_the_record_is_written(recorded, tmp_path):
    record = recorded[1]
    network, task = Network(IndRNN(2, 3, horizon=6), 1), Adding(6)
    huge = map_leaves(lambda leaf: np.full_like(leaf, 1e200, np.float64), network.init(np.random.default_rng(0)))
    seen = by_lag(network, huge, task)
    assert None in seen["norm"]
    write_record(tmp_path / "a.json", replace(record, seen={"start": seen, "trained": seen}))
    assert "not finite" in as_text([read_record(tmp_path / "a.json")])
    assert "diverged" in as_text([replace(record, seen=None)])


def test_what_was_looked_at_is_an_object_or_nothing(recorded, tmp_path):
    folder, _ = recorded
    content = json.loads((folder / f"{SHORT.name}.json").read_text())
    write_json(tmp_path / "a.json", content | {"seen": [1]})
    with refuses(ValueError, "seen: [1]", "curves"):
        read_record(tmp_path / "a.json")
    for number, wrong in enumerate(({"start": {}}, {"start": {"lag": [1, 2], "norm": [0.5]}})):
        write_json(tmp_path / f"wrong{number}.json", content | {"seen": wrong})
        with refuses(ValueError, "seen: ", "curves"):
            read_record(tmp_path / f"wrong{number}.json")
    del content["seen"]
    write_json(tmp_path / "b.json", content)
    assert read_record(tmp_path / "b.json").seen is None
