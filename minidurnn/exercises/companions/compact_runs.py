"""What lesson 20 runs on the spot: difference quotients, times, trainings with another start or factor."""

from timeit import timeit

import numpy as np

from ... import optim
from ...arrays import toeplitz, trees
from ...cells import LSTM, RNN, Compact, LowRank, ToeplitzLike
from ...networks import Chain, Linear, Network
from ...tasks.characters import Characters, load
from ...training import evaluate, fit
from ..lesson_12 import pair_bits


class OneHalf(ToeplitzLike):
    """Toeplitz-like with the factor ½ of (20.5), as the paper has it."""

    def scale(self, rows):
        """What (20.5) is multiplied by; the library takes 2 / (rows √rank)."""
        return 1.0


class SmallOneHalf(OneHalf):
    """The factor ½ too, but g and s start so much smaller that M starts ½ n √r times smaller."""

    def start(self, rng, shape, spread):
        """spread: the mean square that the entries of M shall have; what is taken is (½ n √r)² times smaller."""
        return super().start(rng, shape, spread * super(OneHalf, self).scale(shape[0])**2)


class SmallStart(LowRank):
    """Low rank whose product A B starts with entries half as large."""

    def start(self, rng, shape, spread):
        """spread: the mean square that the entries of A B shall have; a quarter of it is taken."""
        return super().start(rng, shape, spread / 4)


def in_float64(p):
    """The parameters p with twice the digits, for difference quotients."""
    return trees.map_leaves(lambda leaf: leaf.astype(float), p)


def agrees(cell, p, gradients, x, dh, rng):
    """Are these the gradients of the loss sum(dh * h)? True if a difference quotient says so of each.

    gradients   dict name -> the gradient on p[name]        x, dh (T, B, ·)
    The quotients are taken along random directions, with a step of 1e-6.
    """
    fits = []
    for name, gradient in gradients.items():
        way = 1e-6 * rng.standard_normal(gradient.shape)
        up = cell.forward({**p, name: p[name] + way}, x)[0]
        down = cell.forward({**p, name: p[name] - way}, x)[0]
        fits.append(np.isclose((dh * (up - down)).sum(), 2 * (gradient * way).sum(), rtol=1e-5, atol=0))
    return all(fits)


def fits_moves(to_numbers, toeplitz_like, rng):
    """Are these dg and ds the gradient of the loss sum(dM * M)? True if moves of any size say so.

    M is linear in g while s stands still, and in s while g does; r = 2, n = 6.
    to_numbers      dM (n, n), g, s (n,)  ->  dg, ds (n,), of one k         toeplitz_like   g, s (r, n)  ->  M
    """
    g, s, way = rng.standard_normal((3, 2, 6))
    dM = rng.standard_normal((6, 6))
    dg, ds = np.swapaxes([to_numbers(dM, g[k], s[k]) for k in range(2)], 0, 1)
    by_g = toeplitz_like(g + way, s) - toeplitz_like(g, s)
    by_s = toeplitz_like(g, s + way) - toeplitz_like(g, s)
    moved = [(dM * by_g).sum(), (dM * by_s).sum()]
    return np.allclose(moved, [(dg * way).sum(), (ds * way).sum()])


def time_of_transforms(n, rng):
    """How many times as long x M takes by transforms as with the matrix: x of 20 rows, M of side n, r = 1.

    Those of g and s are counted; the making of M is not.
    """
    x, (g, s) = rng.standard_normal((20, n)), rng.standard_normal((2, 1, 1, n))
    M = toeplitz.whole(g, s)
    assert np.allclose(toeplitz.product(x, g, s), x @ M), "the transforms give x M"
    return _ratio(lambda: toeplitz.product(x, g, s), lambda: x @ M, 15)


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


def small_run(weights, rate, seed):
    """A vanilla RNN of 96 units with such weights, 150 updates  ->  bits per character of the test."""
    return _bits(Chain((Linear(65, 8, bias=False), Compact(RNN(8, 96), weights))), 150, rate, seed)


def _bits(body, updates, rate, seed):
    """Train by Adam on the shipped characters, 20 stretches of 25 in an update  ->  bits per character of the test."""
    network, task = Network(body, 65, "bits", "every"), Characters(25)
    options = {"batch": 20, "seed": seed, "dtype": "float64", "progress": False}
    p, _ = fit(network, task, updates, optimizer=optim.Adam(rate), **options)
    loss, bits = evaluate(network, p, task.test())
    return bits
