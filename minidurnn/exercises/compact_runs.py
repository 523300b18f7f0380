"""What lesson 20 runs on the spot: difference quotients, times, a training from a smaller start."""

from timeit import repeat

import numpy as np

from .. import LSTM, RNN, Chain, Linear, Network, evaluate, fit, optim
from ..arrays import toeplitz, trees
from ..cells import Compact, LowRank
from ..tasks.characters import Characters, load
from .lesson_12 import pair_bits


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
    return _seconds(lambda: toeplitz.product(x, g, s)) / _seconds(lambda: x @ M)


def time_of_cell(weights):
    """How many times as long an RNN of 96 units takes with such weights as a plain one.

    Both run forward and backward through 25 steps with 20 sequences of 8 inputs.
    """
    x, plain = np.ones((25, 20, 8), "float32"), RNN(8, 96)
    seconds = []
    for cell in Compact(plain, weights), plain:
        p = cell.init(np.random.default_rng(0))
        h, _ = cell.forward(p, x)
        seconds.append(_seconds(lambda cell=cell, p=p, dh=h: cell.backward(dh, cell.forward(p, x)[1])))
    return seconds[0] / seconds[1]


def _seconds(run):
    """The time of the fastest of nine tries."""
    return min(repeat(run, number=5, repeat=9))


def counted_pairs():
    """What pairs of characters, counted in the training text, cost  ->  bits per character of the test (lesson 12)."""
    text = load("sample")
    return pair_bits(text["train"], text["test"], 65)


def with_a_smaller_start(seed):
    """The recorded network of low rank 35, trained again with SmallStart  ->  bits per character of the test.

    250 updates of Adam at the rate 0.01, which was the recorded runs' too, of 20 stretches of 25 characters.
    """
    small, task = SmallStart(35), Characters(25)
    lower, upper = Compact(LSTM(6, 96), small), Compact(LSTM(96, 96), (("W", small), ("U", small)))
    network = Network(Chain((Linear(65, 6, bias=False), lower, upper)), 65, "bits", "every")
    p, _ = fit(network, task, 250, optimizer=optim.Adam(0.01), batch=20, seed=seed, dtype="float64", progress=False)
    loss, bits = evaluate(network, p, task.test())
    return bits
