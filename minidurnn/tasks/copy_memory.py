"""Copy memory: ten symbols, a long blank, and then the ten symbols again."""

from dataclasses import dataclass

import numpy as np

from ..arrays.checks import at_least, check_options

SYMBOLS, COUNT = 8, 10                                        # how many there are, how many are to be copied
BLANK, GO = 8, 9


@dataclass(frozen=True)
class CopyMemory:
    """x is one-hot over 8 symbols, blank and go: 10 symbols, T - 1 blanks, go, 10 blanks; T + 20 steps in all.

    Class at every step: blank for T + 10 steps, then the 10 symbols in their order. Who knows only when to answer is
    right at all steps but the last ten, and there one time in eight.
    Source   Hochreiter, Schmidhuber 1997, in the form of Arjovsky, Shah, Bengio 2016.
    """

    length: int                                               # T, from the last symbol to the first answer

    inputs, outputs, loss, metric, reads = SYMBOLS + 2, SYMBOLS + 1, "cross_entropy", "accuracy", "every"
    chance = 1 / (SYMBOLS + 1)

    def __post_init__(self):
        check_options(self, length=at_least(1))

    def batch(self, rng, B):
        """B fresh sequences  ->  x (T + 20, B, 10), class (T + 20, B), None (no lengths)."""
        symbols = rng.integers(0, SYMBOLS, (COUNT, B))
        codes = np.full((self.length + 2 * COUNT, B), BLANK)
        target = codes.copy()
        codes[:COUNT], codes[COUNT + self.length - 1], target[-COUNT:] = symbols, GO, symbols
        return np.eye(self.inputs, dtype=np.float32)[codes], target, None

    def validation(self):
        """500 sequences, the same for every model and seed."""
        return self.batch(np.random.default_rng([1, self.length]), 500)

    def test(self):
        """1,000 sequences, the same for every model and seed."""
        return self.batch(np.random.default_rng([2, self.length]), 1000)

    def baseline(self):
        """The honest baseline: the accuracy of who remembers nothing but when to answer  ->  name, value."""
        steps = self.length + 2 * COUNT
        return "blanks, then a guess", (steps - COUNT + COUNT / SYMBOLS) / steps
