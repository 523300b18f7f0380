"""First vector: the class is in the first step, and everything after it is noise."""

from dataclasses import dataclass

import numpy as np

from ..arrays.checks import at_least, check_options

SYMBOLS = 128                                                 # dimensions of the paper's vectors
MINUS = SYMBOLS                                               # the symbol of -e₁; that of +e₁ is 0, of e₂ 1, ...
LOOKED_AT, TESTED = 2**21, 2**22                              # steps of all validation, of all test sequences


@dataclass(frozen=True)
class FirstVector:
    """+e₁ or -e₁ in 128 dimensions, then n random unit vectors; class, asked at the end: the sign of the first one.

    As symbols: x (n + 1, B) holds the number of each step's unit vector, 0 to 127, and 128 for -e₁, in one byte each; a
    network begins with an Embedding of 129 rows. So a million steps take a megabyte, not half a gigabyte. That -e₁ has
    a row of its own, which a product with the paper's matrix would make the negative of e₁'s, is ours. The unit vectors
    that follow are any of the 128, e₁ too.

    length   n, the steps after the first
    Source   Martin, Cundy 2018, section 4.3; Hochreiter, Schmidhuber 1997, task 2b.
    """

    length: int                                               # n

    inputs, outputs, loss, metric, reads = SYMBOLS + 1, 2, "cross_entropy", "accuracy", "last"
    chance = 0.5

    def __post_init__(self):
        check_options(self, length=at_least(1))

    def batch(self, rng, B):
        """B fresh sequences  ->  x (n + 1, B) bytes, class (B,): 1 for -e₁, None (no lengths)."""
        sign = rng.integers(0, 2, B)
        x = rng.integers(0, SYMBOLS, (self.length + 1, B), np.uint8)
        x[0] = MINUS * sign
        return x, sign, None

    def validation(self):
        """250 sequences, of long ones fewer (8 of a million steps), the same for every model and seed."""
        return self.batch(np.random.default_rng([1, self.length]), self._fewer(250, LOOKED_AT, 8))

    def test(self):
        """1,000 sequences, of long ones fewer (16 of a million steps), the same for every model and seed."""
        return self.batch(np.random.default_rng([2, self.length]), self._fewer(1000, TESTED, 16))

    def baseline(self):
        """The honest baseline: the more frequent sign of the test set  ->  name, value."""
        minus = np.random.default_rng([2, self.length]).integers(0, 2, self._fewer(1000, TESTED, 16)).mean()
        return "one sign always", float(max(minus, 1 - minus))

    def _fewer(self, sequences, steps, least):
        return max(least, min(sequences, steps // self.length))
