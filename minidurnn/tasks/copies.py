"""A made-up language in which it is known how often each word is written and where it goes."""

from dataclasses import dataclass
from math import log2

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from .baselines import unigram_entropy
from .pairs import flat

WORDS = 12                                                    # 4 fertilities times 3 shifts


@dataclass(frozen=True)
class Copies:
    """Sentences of symbols 1 ... 12; the target has the same symbols, each copied 0 to 3 times and moved, then a 0.

    Word w is written (w - 1) mod 4 times: its fertility. Its place is moved by -k, 0 or k, with k = window: the first
    four words by -k, the last four by k. The words are written in the order of place + shift, those of equal sums in
    the order of the source: distortion. So position j goes at most 2k places away from where it stood.

    length     words of a source sentence at most; the shortest have half as many
    window     k
    The task is ours: fertility and distortion are known for every word, so what a translator makes of them can be
    counted. The metric is bits per target word, the end included, given the right words before it.
    """

    length: int = 8                                           # T
    window: int = 2                                           # k

    inputs = outputs = WORDS + 1
    loss, metric, reads, sentences = "bits", "bits", "every", True
    chance = log2(WORDS + 1)                                  # of a uniform guess

    def __post_init__(self):
        check_options(self, length=at_least(2), window=at_least(0))

    def batch(self, rng, B):
        """B fresh sentences  ->  x (T, B), target (N, B), lengths (B,)."""
        lengths = rng.integers((self.length + 1) // 2, self.length + 1, B)
        x = rng.integers(1, WORDS + 1, (lengths.max(), B))
        x[np.arange(len(x))[:, None] >= lengths] = 0
        return x, self.answer(x, lengths)[0], lengths

    def validation(self):
        """250 sentences, the same for every model and seed."""
        return self.batch(np.random.default_rng([1, self.length]), 250)

    def test(self):
        """500 sentences, the same for every model and seed."""
        return self.batch(np.random.default_rng([2, self.length]), 500)

    def baseline(self):
        """The honest baseline: bits per test word by each word's share in 500 other sentences  ->  name, value."""
        train, test = (flat(target.T) for target in (self.batch(np.random.default_rng(3), 500)[1], self.test()[1]))
        return unigram_entropy(train, test, self.outputs)

    def answer(self, x, lengths):
        """The target of sentences x (T, B)  ->  target (N, B), ends included, source (N, B): the position that each
        word comes from, -1 for ends and padding."""
        written = [self._written(column[:length]) for column, length in zip(x.T, lengths)]
        N = 1 + max(len(positions) for positions in written)
        target, source = np.zeros((N, len(written)), np.int64), np.full((N, len(written)), -1)
        for place, positions in enumerate(written):
            target[:len(positions), place], source[:len(positions), place] = x[positions, place], positions
        return target, source

    def _written(self, words):
        """The positions of one sentence in the order in which they are written, each as often as it is."""
        places = np.arange(len(words)) + self.window * ((words - 1) // 4 - 1)
        order = np.argsort(places, kind="stable")
        return np.repeat(order, fertility(words)[order])

    def questions(self, part="test"):
        """The sentences of a part  ->  x (T, B), lengths (B,), for each a list of its one translation."""
        one_of(("validation", "test"))("part", part)
        x, target, lengths = self.test() if part == "test" else self.validation()
        return x, lengths, [[sentence] for sentence in self.read(target)]

    def read(self, words):
        """Symbols (N, B)  ->  B lists of words, "1" to "12", each up to its first 0."""
        columns = np.asarray(words).T
        ends = [column.argmin() if (column == 0).any() else len(column) for column in columns]
        return [tuple(map(str, column[:end])) for column, end in zip(columns, ends)]


def fertility(words):
    """How often words are written, 0 to 3."""
    return (words - 1) % 4
