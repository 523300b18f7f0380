"""Sentences as words and words as symbols."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays.checks import at_least, shown

WORD = re.compile(r"\w+(?:['-]\w+)*|[^\w\s]")                 # a word, or a mark
END, UNKNOWN = "<end>", "<unk>"                               # symbols 0 and 1


def words_of(sentence):
    """A sentence  ->  the list of its words in lower case and its marks."""
    return WORD.findall(sentence.lower().replace("’", "'"))


@dataclass(frozen=True)
class Vocabulary:
    """The words of a language by their symbols: 0 ends a sentence, 1 stands for every word that is not known."""

    words: tuple

    def __post_init__(self):
        if self.words[:2] != (END, UNKNOWN) or len(set(self.words)) < len(self.words):
            raise ValueError(
                f"words begin with {shown(self.words[:2])}: expected {END}, {UNKNOWN}, then each word once; "
                "`Vocabulary.of(sentences)` makes them.")

    @classmethod
    def of(cls, sentences, least=1):
        """The vocabulary of sentences (lists of words, or texts): words that come so often, the most frequent first.

        Raises   ValueError for one text in place of a list of them, and for a word that is the mark of an end
        """
        at_least(1)("least", least)
        counts = Counter(word for words in _split(sentences) for word in words)
        known = [word for word in counts if counts[word] >= least]
        return cls((END, UNKNOWN, *sorted(known, key=lambda word: (-counts[word], word))))

    @cached_property
    def symbols(self):
        """{word: symbol}."""
        return {word: symbol for symbol, word in enumerate(self.words)}

    def __len__(self):
        return len(self.words)

    def encode(self, sentences, end=False, longest=None, unknown=True):
        """Sentences (lists of words, or texts)  ->  symbols (T, B), padded on the right with 0, lengths (B,).

        end       whether each sentence is followed by 0, which its length then counts
        longest   words that a sentence may have, None: any number
        unknown   whether words that are not known are read as symbol 1; where not, they are refused
        Raises    ValueError, with the sentence's place, for an empty or too long one, and for an unknown word
        """
        longest = None if longest is None else at_least(1)("longest", longest)
        split = _split(sentences)
        for place, words in enumerate(split):
            self._check(place, words, end, longest, unknown)
        lengths = np.array([len(words) + end for words in split])
        codes = np.zeros((lengths.max(), len(split)), np.int64)
        for place, words in enumerate(split):
            codes[:len(words), place] = [self.symbols.get(word, 1) for word in words]
        return codes, lengths

    def decode(self, codes):
        """Symbols (T, B)  ->  B lists of words, each up to its first 0.    Raises ValueError for anything else."""
        codes, sentences = np.asarray(codes), []
        inside = codes.dtype.kind in "iu" and (codes.size == 0 or 0 <= codes.min() <= codes.max() < len(self))
        if codes.ndim != 2 or not inside:
            raise ValueError(f"codes is {shown(codes)}: expected integers (T, B) from 0 to {len(self) - 1}, a sentence "
                             "a column.")
        for column in codes.T.tolist():
            column = column[:column.index(0)] if 0 in column else column
            sentences.append([self.words[symbol] for symbol in column])
        return sentences

    def _check(self, place, words, end, longest, unknown):
        if not words and not end:
            raise ValueError(f"sentence {place} is empty: expected at least one word; leave it out.")
        if longest is not None and len(words) > longest:
            raise ValueError(
                f"sentence {place} has {len(words)} words: expected at most {longest}; cut it in two, or allow more.")
        if not unknown and (strangers := [word for word in words if word not in self.symbols]):
            raise ValueError(
                f"sentence {place} has the word {shown(strangers[0])}: expected one of the {len(self) - 2} words of "
                f"this vocabulary; use another word, or unknown=True, which reads it as {UNKNOWN}.")


def _split(sentences):
    """Sentences as lists of words or as texts  ->  a list of lists of words."""
    if isinstance(sentences, str) or not hasattr(sentences, "__len__") or not len(sentences):
        raise ValueError(f"sentences is {shown(sentences)}: expected a list with at least one sentence.")
    split = []
    for place, sentence in enumerate(sentences):
        if not isinstance(sentence, (str, list, tuple)):
            raise ValueError(f"sentence {place} is {shown(sentence)}: expected a text or a list of words.")
        split.append(words_of(sentence) if isinstance(sentence, str) else list(sentence))
        if END in split[-1]:
            raise ValueError(f"sentence {place} has the word {END}: expected words only, for {END} ends a sentence; "
                             "leave it out.")
    return split
