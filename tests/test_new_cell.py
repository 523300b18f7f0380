"""A new cell by CONTRIBUTING's recipe: its file and its line in the table, and everything else takes it from there."""

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest
from planted import CELL_BUGS, LOOPS, planted, planted_places
from support import B, T, assert_same, refuses, rng

from minidurnn import evaluate, fit, load, save
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.bench import ours
from minidurnn.experiments import Trial, run_trial
from minidurnn.gradcheck import assert_cell, random_leaves
from minidurnn.networks import MODELS, Model
from minidurnn.tasks import Adding

CELL = '''"""The smoothing cell: a share of every state is kept, the rest is new."""

from collections import namedtuple
from dataclasses import dataclass

from minidurnn.arrays.affine import affine, affine_backward
from minidurnn.arrays.checks import check_gradients, check_positive, initial_state, opened
from minidurnn.arrays.starts import glorot, uniform, zeros
from minidurnn.cells import Cell
from minidurnn.scans import diagonal_scan, diagonal_scan_backward

Tape = namedtuple("Tape", "p x h0 h")


@dataclass(frozen=True)
class Smooth(Cell):
    """Smoothing cell, h[t] = f ⊙ h[t-1] + x[t] W + b."""

    inputs: int                                               # D
    units: int                                                # H

    outputs = state_size = property(lambda self: self.units)
    shapes = property(lambda self: {"W": (self.inputs, self.units), "f": (self.units,), "b": (self.units,)})
    decayed = ("W",)

    def __post_init__(self):
        check_positive(inputs=self.inputs, units=self.units)

    def init(self, rng):
        D, H = self.inputs, self.units
        return {"W": glorot(rng, D, H), "f": uniform(rng, 0.5, 1.0, H), "b": zeros(H)}

    def forward(self, p, x, state=None):
        h0 = initial_state(self, p, x, state)
        h = diagonal_scan(affine(x, p["W"], p["b"]), p["f"], h0, "identity")
        return h, Tape(p, x, h0, h)

    def backward(self, dh, tape, dstate=None):
        p, x, h0, h = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        da, df, dh0 = diagonal_scan_backward(dh, h, p["f"], h0, "identity", carry=dstate)
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dh0, {"W": dW, "f": df, "b": db}

    def last_state(self, tape):
        return tape.h[-1]


def step(cell, p, x, state):
    """One step as the equation reads."""
    h = p["f"] * state + x @ p["W"] + p["b"]
    return h, h
'''


@pytest.fixture
def smooth(tmp_path, monkeypatch):
    """The file, and the line in the table  ->  the cell's class."""
    (tmp_path / "smooth.py").write_text(CELL, encoding="utf-8")
    spec = spec_from_file_location("smooth", tmp_path / "smooth.py")
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "smooth", module)
    spec.loader.exec_module(module)
    line = Model(lambda D, H, T: module.Smooth(D, H), (module.Smooth(2, 4),), step=module.step)
    monkeypatch.setitem(MODELS, "smooth", line)
    return module.Smooth


def test_the_cell_keeps_the_contract_and_is_its_equation(smooth):
    cell = MODELS["smooth"].samples[0]
    assert_cell(cell, rng())
    p, x, state = random_leaves(cell, rng(), T, B).values()
    h, _ = cell.forward(p, x, state)
    for h_t, x_t in zip(h, x):
        output, state = MODELS["smooth"].step(cell, p, x_t, state)
        assert_same(h_t, output)


def test_every_planted_bug_is_caught_in_it(smooth, monkeypatch):
    cell, square = MODELS["smooth"].samples[0], MODELS["smooth"].make(4, 4, 9)
    for bug in CELL_BUGS.values():
        with pytest.raises(AssertionError):
            assert_cell(planted(cell, **bug), rng(2))
    places = list(planted_places([cell], [square]))
    assert {function for _, function, _ in places} == {"diagonal_scan_backward", "affine_backward"}
    for where, function, bug in places:
        with monkeypatch.context() as patch, pytest.raises(AssertionError):
            module = sys.modules["smooth"]
            patch.setattr(module, function, LOOPS[function][bug](getattr(module, function)))
            assert_cell(where, rng(5))


def trial():
    """A small experiment with it."""
    return Trial("adding", 10, "smooth", "equal", 200, seed=0, rates=(0.01,), updates=40, batch=20)


def network():
    """What the experiment trains: the width that comes closest to so many numbers, in the cell's own chunks."""
    return trial().network(Adding(10))


def test_it_trains_and_its_run_goes_on_from_a_checkpoint(smooth, tmp_path):
    options = {"batch": 20, "log_every": 10, "validate_every": 10, "checkpoint_every": 10, "progress": False}
    p, _ = fit(network(), Adding(10), 40, **options)
    before, after = (evaluate(network(), q, Adding(10).validation())[0] for q in (network().init(rng()), p))
    assert after < 0.5 * before
    for updates in (20, 40):
        q, _ = fit(network(), Adding(10), updates, **options, checkpoint=tmp_path / "run.npz", resume=True)
    assert_same(q, p, 0)


def test_an_experiment_takes_it_by_its_name(smooth, tmp_path):
    record = run_trial(trial(), tmp_path, progress=False)
    assert record.trial["model"] == "smooth" and record.verdict in ("solved", "learning", "baseline")
    with refuses(ValueError, "model is 'smoother'", "'smooth'"):
        replace(trial(), model="smoother")


def test_it_is_saved_and_loaded_by_its_class(smooth, tmp_path):
    model = network()
    p = model.init(rng())
    save(tmp_path / "model.npz", model, p)
    loaded, q = load(tmp_path / "model.npz", smooth)
    assert loaded == model
    assert_same(q, p, 0)
    assert evaluate(loaded, q, Adding(10).validation()) == evaluate(model, p, Adding(10).validation())


def test_it_computes_the_same_on_the_stand_in_for_cupy(smooth, cupy):
    cell = MODELS["smooth"].samples[0]
    given = random_leaves(cell, rng(), T, B)
    dh, dstate = rng(1).standard_normal((T, B, 4)), rng(2).standard_normal((B, 4))

    def run(leaves, dh, dstate):
        h, tape = cell.forward(*leaves.values())
        return h, cell.last_state(tape), cell.backward(dh, tape, dstate), cell.project(leaves["p"])

    there = map_leaves(cupy.asarray, (given, dh, dstate))
    assert_same(run(*there), run(given, dh, dstate))


def test_the_benchmark_times_it(smooth):
    cell = MODELS["smooth"].samples[0]
    p, x = map_leaves(np.float32, cell.init(rng())), rng().standard_normal((T, B, 2)).astype(np.float32)
    value, gradients = ours.prepare(cell, p, x, 3)()
    h, tape = cell.forward(p, x)
    assert value == pytest.approx((cell.last_state(tape) ** 2).sum() + h.mean(), rel=1e-5)
    assert leaves(gradients).keys() == {*p, "x"}
