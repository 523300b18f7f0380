"""Delayed XOR: combine two neighbouring bits early, give the answer at the end. A task of our own."""

from dataclasses import dataclass
from math import comb

import numpy as np

from ..arrays.checks import at_least, check_options


@dataclass(frozen=True)
class DelayedXOR:
    """x[t] = (bit, marker); one marker at step m; class: bit[m] XOR bit[m-1], asked at step T.

    m is uniform in 2 ... max(2, T // 10), counted from 1. No single bit and no position tells the class; the count
    of all ones tells hardly any of it (52.5 % at T = 20, 50.1 % at 500), that up to the marker some (`count_ceiling`).
    Source   ours.
    """

    length: int                                               # T

    inputs, outputs, loss, metric, reads = 2, 2, "cross_entropy", "accuracy", "last"
    chance = 0.5
    latest = property(lambda self: max(2, self.length // 10)) # the last step that may be marked

    def __post_init__(self):
        check_options(self, length=at_least(20, " steps, for the marker stands in the first tenth"))

    def batch(self, rng, B):
        """B fresh sequences  ->  x (T, B, 2), class (B,), None (no lengths)."""
        every = np.arange(B)
        m = rng.integers(2, self.latest + 1, B)               # counted from 1
        x = np.zeros((self.length, B, 2), np.float32)
        bits = rng.integers(0, 2, (self.length, B))
        x[:, :, 0] = bits
        x[m - 1, every, 1] = 1.0
        return x, bits[m - 1, every] ^ bits[m - 2, every], None

    def validation(self):
        """500 sequences, the same for every model and seed."""
        return self.batch(np.random.default_rng([1, self.length]), 500)

    def test(self):
        """1,000 sequences, the same for every model and seed."""
        return self.batch(np.random.default_rng([2, self.length]), 1000)

    def baseline(self):
        """The honest baseline: the best that counting can do  ->  name, value."""
        return "count of ones", count_ceiling(self.length)


def count_ceiling(length):
    """The best accuracy of anyone who sees only how many of the bits up to the marker are one.

    Model    given m, a class of 1 means one 1 among the last two bits, a class of 0 none or two; the m - 2 bits before
             are fair coins. Averaged over m, the larger of the two joint probabilities is taken at every count.
    Source   ours.
    """
    latest = DelayedXOR(length).latest
    joint = np.zeros((2, latest + 1))                         # probability of (class, count)
    for m in range(2, latest + 1):
        coins = np.array([comb(m - 2, ones) / 2 ** (m - 2) for ones in range(m - 1)]) / (latest - 1)
        joint[1, 1:m] += coins / 2
        joint[0, 0:m - 1] += coins / 4
        joint[0, 2:m + 1] += coins / 4
    return float(joint.max(0).sum())
