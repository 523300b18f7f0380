"""Plays of Shakespeare, or a text of your own choice, one character a step: which one comes next?"""

from dataclasses import dataclass
from functools import lru_cache
from math import log2

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from ..arrays.trees import read_only
from .baselines import unigram_entropy
from .store import supplied
from .stretches import check_stretch, stretches
from .texts import parts, shakespeare

ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TEXTS = {"sample": 100_000, "full": 1_115_394}                # characters
TREEBANK = {"train": "ptb.train.txt", "validation": "ptb.valid.txt", "test": "ptb.test.txt"}


@dataclass(frozen=True)
class Characters:
    """Stretches of a text, each character one-hot; class at every step: the next character.

    length     characters in a stretch
    source     "sample": the first 100,000 characters of tiny Shakespeare, shipped; "full": all 1,115,394, found or
               downloaded by `store.find`. The first 90 % are for training, the next 5 % for validation, the last for
               the test. 65 characters.
               "penn-treebank": the three files `ptb.train.txt`, `ptb.valid.txt` and `ptb.test.txt`, which you have to
               supply in the folder MINIDURNN_DATA, for they may not be passed on. Read as usual at this level: one
               sentence a line, words apart by one blank, a line feed ends it. 50 characters, those of the first file.
    Validation and test are cut into stretches one after the other, each read with no memory of the one before. So
    windows of a long stretch (`fit(window=...)`) hand the state on, and two stretches do not.
    Raises     ValueError for a longer stretch than validation and test have; FileNotFoundError for missing files.
    """

    length: int = 100                                         # T
    source: str = "sample"

    loss, metric, reads = "bits", "bits", "every"
    inputs = outputs = property(lambda self: len(alphabet(self.source)))
    chance = property(lambda self: log2(self.outputs))        # of a uniform guess, 6.02 bits for 65 characters

    def __post_init__(self):
        check_options(self, length=at_least(1), source=one_of((*TEXTS, "penn-treebank")))
        if self.source in TEXTS:
            check_stretch(self.length, TEXTS[self.source] // 20)

    def batch(self, rng, B):
        """B random stretches of the training text  ->  x (T, B, inputs), class (T, B), None (no lengths)."""
        text = load(self.source)["train"]
        return self._stretches(text, rng.integers(0, len(text) - self.length, B))

    def validation(self):
        """The validation text."""
        return self._all("validation")

    def test(self):
        """The test text."""
        return self._all("test")

    def baseline(self):
        """The honest baseline: bits per test character by each one's share of the training text  ->  name, value."""
        return unigram_entropy(load(self.source)["train"], self.test()[1], self.outputs)

    def _all(self, part):
        text = load(self.source)[part]
        check_stretch(self.length, len(text))
        return self._stretches(text, np.arange(0, len(text) - self.length, self.length))

    def _stretches(self, text, starts):
        codes = stretches(text, starts, self.length)                              # (T + 1, B)
        return np.eye(self.inputs, dtype=np.float32)[codes[:-1]], codes[1:].astype(np.int64), None


@lru_cache(maxsize=2)
def load(source):
    """The text as codes, read-only  ->  {"train", "validation", "test": (N,) uint8}."""
    if source == "penn-treebank":
        return read_only({part: encode(read_treebank(part), alphabet(source), name) for part, name in TREEBANK.items()})
    return read_only(parts(encode(shakespeare(source))))


@lru_cache(maxsize=2)
def alphabet(source):
    """The characters that a text can hold, in the order of their codes  ->  a string."""
    return ALPHABET if source in TEXTS else "".join(sorted(set(read_treebank("train"))))


def read_treebank(part):
    """One file of the Penn Treebank, a sentence a line  ->  its sentences, words apart by one blank, each with "\\n".

    Raises   FileNotFoundError where it is not in the folder MINIDURNN_DATA, ValueError where it is no such text.
    """
    name = TREEBANK[part]
    path = supplied(name, "the Penn Treebank's text as prepared by T. Mikolov (one sentence a line, words in lower "
                          "case, rare ones as <unk>), from whoever gave you a licence")
    lines = path.read_bytes().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines, 1):
        if not line.strip() or not line.isascii():
            given = "is empty" if not line.strip() else f"holds {line[:40]!r}"
            raise ValueError(f"line {number} of {path} {given}: expected a sentence in ASCII; get the file again.")
    if not lines:
        raise ValueError(f"{path} is empty: expected sentences, one a line; get the file again.")
    return "".join(" ".join(line.decode("ascii").split()) + "\n" for line in lines)


def encode(text, characters=ALPHABET, name="the text"):
    """A string  ->  its codes (N,) uint8, places among the characters.    Raises ValueError for any other character."""
    codes = {character: code for code, character in enumerate(characters)}
    try:
        return np.array([codes[character] for character in text], np.uint8)
    except KeyError as error:
        stranger = error.args[0]
        line = text.count("\n", 0, text.index(stranger)) + 1
        raise ValueError(
            f"line {line} of {name} holds {stranger!r}: expected these characters only: {characters!r}.") from None


def decode(codes, characters=ALPHABET):
    """Codes (N,)  ->  the string."""
    return "".join(characters[code] for code in codes)
