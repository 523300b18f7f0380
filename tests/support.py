"""What the tests share: the cells, random numbers, and how results are brought home and compared."""

import re

import numpy as np
import pytest

from minidurnn import GRU, LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, Linear, ShortTermRNN, to_numpy
from minidurnn.arrays.trees import leaves
from minidurnn.networks import Dense, Residual

T, B = 7, 3                                                   # different from every size below: a swapped axis cannot hide

CELLS = [
    RNN(2, 4),
    RNN(2, 4, activation="relu", start="identity"),           # IRNN
    RNN(2, 4, activation="sigmoid"),
    RNN(2, 4, activation="identity"),
    ShortTermRNN(2, 4),
    ShortTermRNN(2, 4, bound=0.5, activation="tanh", projection="clip"),
    ShortTermRNN(2, 4, bound=None, activation="identity"),
    IndRNN(2, 4),
    IndRNN(2, 4, horizon=9, memory="long"),
    IndRNN(2, 4, horizon=9, growth=None, activation="tanh"),
    IndRNN(2, 4, activation="sigmoid"),
    DuRNN(2, 4, 5, horizon=9, gate=0.0),
    DuRNN(2, 4, 5, horizon=9, gate=0.0, output="long"),
    DuRNN(2, 5, 4, horizon=9, memory="any", projection="clip"),
    DuRNN(2, 4, 5, horizon=9, bound=None, growth=None, gate=-1.0),
    LSTM(2, 4),
    GRU(2, 4),
]
SQUARE = [RNN(4, 4), ShortTermRNN(4, 4), IndRNN(4, 4), DuRNN(4, 4, 4, horizon=9, gate=0.0), LSTM(4, 4), GRU(4, 4)]     # where a missing transpose fits
BARE = [                                                      # cells that take their pre-activation as it is
    RNN(4, 4, project_input=False), ShortTermRNN(4, 4, project_input=False), IndRNN(4, 4, project_input=False),
    DuRNN(9, 4, 5, horizon=9, gate=0.0, project_input=False), LSTM(16, 4, project_input=False), GRU(12, 4, project_input=False),
]
STACKS = [
    Linear(2, 3),
    Chain((IndRNN(2, 4), IndRNN(4, 5, horizon=9, memory="long"))),
    Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0, output="long"), Linear(4, 5), RNN(5, 3))),
    Chunked(RNN(2, 4), 3),
    Chunked(Chunked(DuRNN(2, 4, 5, horizon=9, gate=0.0), 2, keep="boundaries"), 4),
    Chunked(Chain((ShortTermRNN(2, 4), IndRNN(4, 5))), 2, keep="boundaries"),
    Chain((Chunked(IndRNN(2, 4), 2), Chunked(RNN(4, 3), 5, keep="boundaries"))),
    Chain((Linear(2, 4), Residual(Chain((IndRNN(4, 4, project_input=False), Linear(4, 4)))), Dense(DuRNN(4, 3, 2, horizon=9, gate=0.0)))),
]


def backends():
    """The parameters of the fixture `xp`."""
    return ["numpy", "stand-in", pytest.param("cupy", marks=pytest.mark.gpu)]


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
