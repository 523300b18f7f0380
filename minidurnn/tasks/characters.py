"""Plays of Shakespeare, one character a step: which one comes next?"""

from dataclasses import dataclass
from functools import lru_cache
from math import log2

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from ..arrays.trees import read_only
from .store import find, shipped

ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CODES = {character: code for code, character in enumerate(ALPHABET)}
TEXTS = {"sample": 100_000, "full": 1_115_394}                # characters


@dataclass(frozen=True)
class Characters:
    """Stretches of tiny Shakespeare, each character one-hot over 65; class at every step: the next character.

    length     characters in a stretch
    source     "sample": the first 100,000 characters, shipped; "full": all 1,115,394, found or downloaded by
               `store.find`
    The first 90 % of the text are for training, the next 5 % for validation, the last 5 % for the test; those two are
    cut into stretches one after the other, each read with no memory of the one before. So windows of a long
    stretch (`fit(window=...)`) hand the state on, and two stretches do not.
    """

    length: int = 100                                         # T
    source: str = "sample"

    inputs = outputs = len(ALPHABET)
    loss, metric, reads = "bits", "bits", "every"
    chance = log2(len(ALPHABET))                              # of a uniform guess, 6.02 bits per character

    def __post_init__(self):
        check_options(self, length=at_least(1), source=one_of(tuple(TEXTS)))
        longest = TEXTS[self.source] // 20 - 1                # a stretch and its last target in a twentieth of the text
        if self.length > longest:
            raise ValueError(
                f"length is {self.length}: expected at most {longest}, "
                "for validation and test have one stretch at least.")

    def batch(self, rng, B):
        """B random stretches of the training text  ->  x (T, B, 65), class (T, B), None (no lengths)."""
        text = load(self.source)["train"]
        return self._stretches(text, rng.integers(0, len(text) - self.length, B))

    def validation(self):
        """The validation text."""
        return self._all("validation")

    def test(self):
        """The test text."""
        return self._all("test")

    def baseline(self):
        """The honest baseline: bits per test character, given each one's share of the training text  ->  name, value.

        Every count starts at 1, for the test may have characters that the training text has not.
        """
        counts = 1 + np.bincount(load(self.source)["train"], minlength=self.outputs)
        bits = -np.log2(counts / counts.sum())
        return "unigram entropy in bits", float(bits[self.test()[1]].mean())

    def _all(self, part):
        text = load(self.source)[part]
        return self._stretches(text, np.arange(0, len(text) - self.length, self.length))

    def _stretches(self, text, starts):
        codes = text[np.arange(self.length + 1)[:, None] + starts]                # (T + 1, B)
        return np.eye(self.inputs, dtype=np.float32)[codes[:-1]], codes[1:].astype(np.int64), None


@lru_cache(maxsize=2)
def load(source):
    """The text as codes, read-only  ->  {"train", "validation", "test": (N,) uint8}."""
    path = shipped("characters.txt") if source == "sample" else find("tinyshakespeare.txt")
    codes = encode(path.read_text(encoding="ascii"))
    first, second = len(codes) * 90 // 100, len(codes) * 95 // 100
    return read_only({"train": codes[:first], "validation": codes[first:second], "test": codes[second:]})


def encode(text):
    """A string  ->  its codes (N,) uint8, places in ALPHABET.    Raises ValueError for any other character."""
    try:
        return np.array([CODES[character] for character in text], np.uint8)
    except KeyError as error:
        stranger = error.args[0]
        line = text.count("\n", 0, text.index(stranger)) + 1
        raise ValueError(
            f"line {line} holds {stranger!r}: expected letters a-z and A-Z, blank, line feed "
            f"and any of {ALPHABET[2:13]} only.") from None


def decode(codes):
    """Codes (N,)  ->  the string."""
    return "".join(ALPHABET[code] for code in codes)
