"""What lesson 20 runs on the spot: difference quotients, times, trainings with another start or factor."""

from timeit import timeit

import numpy as np

from .. import LSTM, RNN, Chain, Linear, Network, evaluate, fit, optim
from ..arrays import toeplitz, trees
from ..cells import Compact, LowRank, ToeplitzLike
from ..tasks.characters import Characters, load
from .lesson_12 import pair_bits


class OneHalf(ToeplitzLike):
    """Toeplitz-like with the factor ½ of (20.5), as the paper has it."""

    def scale(self, rows):
        """What (20.5) is multiplied by; the library takes 2 / (rows √rank)."""
        return 1.0


class SmallStart(LowRank):
    """Low rank whose product A B starts with entries half as large."""

    def start(self, rng, shape, spread):
        """spread: the mean square that the entries of A B shall have; a quarter of it is taken."""
        return super().start(rng, shape, spread / 4)


def in_float64(p):
    """The parameters p with twice the digits, for difference quotients."""
    return trees.map_leaves(lambda leaf: leaf.astype(float), p)


def agrees(cell, p, name, gradient, x, dh, rng):
    """Is this the gradient of the loss sum(dh * h) on p[name]? True if a difference quotient says so.

    The quotient is taken along a random direction, with a step of 1e-6.        x, dh (T, B, ·)
    """
    way = 1e-6 * rng.standard_normal(gradient.shape)
    up = cell.forward({**p, name: p[name] + way}, x)[0]
    down = cell.forward({**p, name: p[name] - way}, x)[0]
    return np.isclose((dh * (up - down)).sum(), 2 * (gradient * way).sum(), rtol=1e-5, atol=0)


def time_of_transforms(n, rng):
    """How many times as long x M takes by transforms as with the matrix: x of 20 rows, M of side n, r = 1."""
    x, (g, s) = rng.standard_normal((20, n)), rng.standard_normal((2, 1, 1, n))
    M = toeplitz.whole(g, s)
    assert np.allclose(toeplitz.product(x, g, s), x @ M), "the transforms give x M"
    return _ratio(lambda: toeplitz.product(x, g, s), lambda: x @ M, 15)


def time_of_cell(weights):
    """How many times as long an RNN of 96 units takes with such weights as a plain one.

    Both run forward and backward through 25 steps with 20 sequences of 8 inputs.
    """
    x, dh = np.ones((25, 20, 8), "float32"), np.ones((25, 20, 96), "float32")
    passes = []
    for cell in Compact(RNN(8, 96), weights), RNN(8, 96):
        p = cell.init(np.random.default_rng(0))
        passes.append(lambda cell=cell, p=p: cell.backward(dh, cell.forward(p, x)[1]))
    return _ratio(*passes, 100)


def _ratio(one, two, tries):
    """The time of one() over that of two(), each the fastest of some tries, which take turns."""
    seconds = [(timeit(one, number=1), timeit(two, number=1)) for _ in range(tries)]
    return np.divide(*np.min(seconds, axis=0))


def counted_pairs():
    """What pairs of characters, counted in the training text, cost  ->  bits per character of the test (lesson 12)."""
    text = load("sample")
    return pair_bits(text["train"], text["test"], 65)


def with_a_smaller_start(seed):
    """The recorded network of low rank 35, trained again with SmallStart  ->  bits per character of the test.

    250 updates at the rate 0.01, which was the recorded runs' too.
    """
    small = SmallStart(35)
    lower, upper = Compact(LSTM(6, 96), small), Compact(LSTM(96, 96), (("W", small), ("U", small)))
    return _bits(Chain((Linear(65, 6, bias=False), lower, upper)), 250, 0.01, seed)


def small_run(weights, seed):
    """A vanilla RNN of 96 units with such weights, 150 updates at the rate 0.03  ->  bits per character of the test."""
    return _bits(Chain((Linear(65, 8, bias=False), Compact(RNN(8, 96), weights))), 150, 0.03, seed)


def _bits(body, updates, rate, seed):
    """Train by Adam on the shipped characters, 20 stretches of 25 in an update  ->  bits per character of the test."""
    network, task = Network(body, 65, "bits", "every"), Characters(25)
    options = {"batch": 20, "seed": seed, "dtype": "float64", "progress": False}
    p, _ = fit(network, task, updates, optimizer=optim.Adam(rate), **options)
    loss, bits = evaluate(network, p, task.test())
    return bits
