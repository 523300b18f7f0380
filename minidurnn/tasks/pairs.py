"""Short English sentences and their Swedish translations."""

import gzip
from dataclasses import dataclass
from functools import lru_cache
from math import log2

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from ..arrays.trees import read_only
from .baselines import unigram_entropy
from .store import shipped
from .vocabulary import Vocabulary, words_of

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Pairs:
    """Pairs of sentences: x (T, B) English words, target (N, B) Swedish ones with a 0 at the end, each a symbol.

    length     words and marks of an English sentence at most, from 2 to 8
    least      a word that the training part has less often reads as the unknown word, symbol 1
    A sample of 6,791 pairs of Tatoeba is shipped (5,374, 678 and 739 in the three parts at length 8), short ones of
    frequent words. Words are in lower case, marks are words too. No sentence, in whichever language, stands in two
    parts. The metric is bits per Swedish word, the end of a sentence included, given the right words before it.
    """

    length: int = 8                                           # T
    least: int = 2

    loss, metric, reads, sentences = "bits", "bits", "every", True
    inputs = property(lambda self: len(vocabularies(self.least)[0]))
    outputs = property(lambda self: len(vocabularies(self.least)[1]))
    chance = property(lambda self: log2(self.outputs))        # of a uniform guess

    def __post_init__(self):
        check_options(self, length=at_least(2), least=at_least(1))
        if self.length > 8:
            raise ValueError(f"length is {self.length}: expected 2 to 8, for the sample has no longer sentences.")

    def batch(self, rng, B):
        """B random pairs of the training part  ->  x (T, B), target (N, B), lengths (B,)."""
        return self._part("train", rng.integers(0, len(self.pairs("train")), B))

    def validation(self):
        """All pairs of the validation part."""
        return self._part("validation")

    def test(self):
        """All pairs of the test part."""
        return self._part("test")

    def baseline(self):
        """The honest baseline: bits per test word, given each one's share of the training part  ->  name, value."""
        train, test = (self._part(part)[1].T for part in ("train", "test"))
        return unigram_entropy(flat(train), flat(test), self.outputs)

    def pairs(self, part):
        """The pairs of a part as lists of words  ->  ((English, Swedish), ...)."""
        one_of(tuple(load()))("part", part)
        return [pair for pair in load()[part] if len(pair[0]) <= self.length]

    def questions(self, part="test"):
        """Every English sentence of a part once  ->  x (T, B), lengths (B,), a list of translations for each."""
        answers = {}
        for english, swedish in self.pairs(part):
            answers.setdefault(english, []).append(swedish)
        return *vocabularies(self.least)[0].encode(list(answers)), list(answers.values())

    def read(self, words):
        """Swedish symbols (N, B)  ->  B lists of words."""
        return vocabularies(self.least)[1].decode(words)

    def _part(self, part, places=None):
        x, lengths, target, ends = encoded(self.length, self.least, part)
        if places is None:
            return x.copy(), target.copy(), lengths.copy()
        lengths, ends = lengths[places], ends[places]
        return x[:lengths.max(), places], target[:ends.max(), places], lengths


def flat(target):
    """The words of sentences (B, N) one after the other, each with its end and without its padding."""
    return np.concatenate([row[:row.argmin() + 1] for row in target])                             # 0 is the least


@lru_cache(maxsize=8)
def encoded(length, least, part):
    """A part as symbols, read-only  ->  x, lengths, target, lengths of the targets."""
    english, swedish = zip(*Pairs(length, least).pairs(part))
    source, target = vocabularies(least)
    return read_only((*source.encode(english), *target.encode(swedish, end=True)))


@lru_cache(maxsize=4)
def vocabularies(least):
    """The words of the training part that it has at least so often  ->  Vocabulary of English, of Swedish."""
    return tuple(Vocabulary.of(side, least) for side in zip(*load()["train"]))


@lru_cache(maxsize=1)
def load():
    """The shipped pairs as tuples of words  ->  {part: ((English, Swedish), ...)}."""
    parts = {part: [] for part in PARTS}
    for line in gzip.decompress(shipped("pairs.tsv.gz").read_bytes()).decode().splitlines():
        part, english, swedish, _ = line.split("\t")
        parts[part].append((tuple(words_of(english)), tuple(words_of(swedish))))
    return {part: tuple(pairs) for part, pairs in parts.items()}
