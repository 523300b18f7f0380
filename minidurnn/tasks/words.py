"""Plays of Shakespeare, one word a step: which one comes next? Rare words share one symbol."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import log2

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from ..arrays.trees import read_only
from .baselines import unigram_entropy
from .stretches import check_stretch, stretches
from .texts import parts, shakespeare

UNKNOWN = "<unk>"
PATTERN = re.compile(r"[a-z]+(?:['-][a-z]+)*|[^a-z\s]|\n")    # a word, a mark, or the end of a line
WORDS = {"sample": 26_362, "full": 291_585}                   # so counted, of the shipped text and of the whole


@dataclass(frozen=True)
class Words:
    """Stretches of a text, each word one-hot; class at every step: the next word.

    length     words in a stretch. A word is written in lower case; punctuation marks and ends of lines are words too
    words      symbols in all: the most frequent words of the training text, and one, the last, for all others
    source     "sample": the first 100,000 characters of tiny Shakespeare, shipped; "full": all 1,115,394, found or
               downloaded by `store.find`. The first 90 % of its words are for training, the next 5 % for validation,
               the last for the test.
    The metric is bits per word; 2**bits is the perplexity. A word that is not known counts as the symbol for unknown
    words, so numbers of two vocabularies do not compare.
    Raises     ValueError for a longer stretch than validation and test have, FileNotFoundError for missing files.
    """

    length: int = 50                                          # T
    words: int = 500
    source: str = "sample"

    loss, metric, reads = "bits", "bits", "every"
    inputs = outputs = property(lambda self: self.words)
    chance = property(lambda self: log2(self.words))          # of a uniform guess

    def __post_init__(self):
        check_options(self, length=at_least(1), words=at_least(2), source=one_of(tuple(WORDS)))
        check_stretch(self.length, WORDS[self.source] // 20)

    def batch(self, rng, B):
        """B random stretches of the training text  ->  x (T, B, inputs), class (T, B), None (no lengths)."""
        text = load(self.source, self.words)["train"]
        return self._stretches(text, rng.integers(0, len(text) - self.length, B))

    def validation(self):
        """The validation text, in stretches one after the other."""
        return self._all("validation")

    def test(self):
        """The test text, in stretches one after the other."""
        return self._all("test")

    def baseline(self):
        """The honest baseline: bits per test word, given each one's share of the training text  ->  name, value."""
        return unigram_entropy(load(self.source, self.words)["train"], self.test()[1], self.outputs)

    def _all(self, part):
        text = load(self.source, self.words)[part]
        return self._stretches(text, np.arange(0, len(text) - self.length, self.length))

    def _stretches(self, text, starts):
        codes = stretches(text, starts, self.length)                              # (T + 1, B)
        x = np.zeros((*codes[:-1].shape, self.inputs), np.float32)
        np.put_along_axis(x, codes[:-1, :, None], 1.0, axis=-1)
        return x, codes[1:], None


@lru_cache(maxsize=2)
def load(source, words):
    """The text as codes, read-only  ->  {"train", "validation", "test": (N,) int64}."""
    codes = {word: code for code, word in enumerate(vocabulary(source, words))}
    unknown = words - 1
    return read_only({
        part: np.array([codes.get(word, unknown) for word in text], np.int64) for part, text in _parts(source).items()})


@lru_cache(maxsize=2)
def vocabulary(source, words):
    """The words by their codes: the most frequent of the training text, the last one for all others  ->  a tuple.

    Raises   ValueError where the training text has fewer.
    """
    counts = Counter(_parts(source)["train"])
    if words - 1 > len(counts):
        raise ValueError(f"words is {words}: expected at most {len(counts) + 1}, for the training text has "
                         f"{len(counts)} different words.")
    order = sorted(counts, key=lambda word: (-counts[word], word))
    return *order[:words - 1], UNKNOWN


@lru_cache(maxsize=1)
def _parts(source):
    return parts(split(shakespeare(source)))


def split(text):
    """A text  ->  the list of its words in lower case, its marks and its ends of lines."""
    return PATTERN.findall(text.lower())
