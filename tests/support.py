"""What the tests share: the models, random numbers, and how results are brought home and compared."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, ShortTermRNN, to_numpy
from minidurnn.arrays.trees import leaves
from minidurnn.cells import LowRank, Window
from minidurnn.networks import MODELS, Dense, Residual, StructuredLinear

T, B = 7, 3                                                   # no size below is the same: a swapped axis cannot hide

SAMPLES = list(dict.fromkeys(sample for model in MODELS.values() for sample in model.samples))
BARE = [sample for sample in SAMPLES if not getattr(sample, "project_input", True)]      # x is their pre-activation
CELLS = [sample for sample in SAMPLES if sample not in BARE and not isinstance(sample, Chain)]
# where a missing transpose fits; one of those that share their first sample
CELL_LINES = [model for model in reversed(MODELS.values()) if {*model.samples} & {*CELLS}]
SQUARE = [*{model.samples[0]: model.make(max(4, model.least), 4, 9) for model in CELL_LINES}.values()]
STACKS = [
    *(sample for sample in SAMPLES if isinstance(sample, Chain)),
    Linear(2, 3),
    Window(2, 3),
    StructuredLinear(3, 5, LowRank(2)),
    Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0, output="long"), Linear(4, 5), RNN(5, 3))),
    Chunked(RNN(2, 4), 3),
    Chunked(Chunked(DuRNN(2, 4, 5, horizon=9, gate=0.0), 2, keep="boundaries"), 4),
    Chunked(Chain((ShortTermRNN(2, 4), IndRNN(4, 5))), 2, keep="boundaries"),
    Chain((Chunked(IndRNN(2, 4), 2), Chunked(RNN(4, 3), 5, keep="boundaries"))),
    Chain((
        Linear(2, 4), Residual(Chain((IndRNN(4, 4, project_input=False), Linear(4, 4)))),
        Dense(DuRNN(4, 3, 2, horizon=9, gate=0.0)),
    )),
]


def backends():
    """The parameters of the fixture `xp`; without CuPy, hundreds of tests would be made to be skipped."""
    there = find_spec("cupy") is not None
    return ["numpy", "stand-in", *([pytest.param("cupy", marks=pytest.mark.gpu)] if there else [])]


on_a_device = pytest.mark.parametrize("xp", backends()[1:], indirect=True)      # where NumPy has its answer elsewhere


def rng(seed=0):
    """A fresh generator."""
    return np.random.default_rng(seed)


def assert_same(ours, theirs, tolerance=1e-12):
    """Two trees hold the same leaves with equal shapes and dtypes and, to a relative tolerance, equal numbers."""
    ours, theirs = leaves(to_numpy(ours)), leaves(to_numpy(theirs))
    assert ours.keys() == theirs.keys()
    for path, array in ours.items():
        assert array.shape == theirs[path].shape and array.dtype == theirs[path].dtype, path
        scale = np.abs(theirs[path]).max(initial=0.0)
        assert np.abs(array - theirs[path]).max(initial=0.0) <= tolerance * max(scale, 1e-3), path


def refuses(error, *words):
    """A context that expects `error` with one sentence that holds all the words: what was given, what was expected."""
    return pytest.raises(error, match="(?s)" + "".join(f"(?=.*{re.escape(word)})" for word in words))
