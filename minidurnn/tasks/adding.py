"""The adding problem: remember two marked numbers, give their sum at the end."""

from dataclasses import dataclass

import numpy as np

from ..arrays.checks import at_least, check_options


@dataclass(frozen=True)
class Adding:
    """x[t] = (value ~ U(0, 1), marker); one marker in each half; target: the sum of the two marked values.

    Source   Hochreiter, Schmidhuber 1997; the halves as in the experiments of Li et al. 2018, section 5.1.
    """

    length: int                                               # T

    inputs, outputs, loss, metric, reads = 2, 1, "mse", "mse", "last"
    chance = 1 / 6                                            # the error of always answering 1, the mean of the sum

    def __post_init__(self):
        check_options(self, length=at_least(2, " steps, one for each marker"))

    def batch(self, rng, B):
        """B fresh sequences  ->  x (T, B, 2), target (B, 1), None (no lengths)."""
        T, half, every = self.length, self.length // 2, np.arange(B)
        first, second = rng.integers(0, half, B), rng.integers(half, T, B)
        x = np.zeros((T, B, 2), np.float32)
        x[:, :, 0] = rng.random((T, B), np.float32)
        x[first, every, 1] = x[second, every, 1] = 1.0
        return x, (x[first, every, :1] + x[second, every, :1]), None

    def validation(self):
        """500 sequences, the same for every model and seed."""
        return self.batch(np.random.default_rng([1, self.length]), 500)

    def test(self):
        """1,000 sequences, the same for every model and seed."""
        return self.batch(np.random.default_rng([2, self.length]), 1000)

    def baseline(self):
        """The honest baseline: the test error of always answering 1  ->  name, value."""
        return "always 1", float(((self.test()[1] - 1.0) ** 2).mean())
