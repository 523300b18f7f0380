"""A reader of whole sentences: an embedding, and a GRU in either direction over each sentence's own words."""

from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_array, check_integers, check_options, check_parameters, opened
from ..arrays.lengths import check_lengths, without_padding
from ..arrays.trees import leaves, some_leaf
from ..cells import GRU
from ..cells.contract import Layer
from .layers import Embedding

Tape = namedtuple("Tape", "embedding ahead back order lengths x")


@dataclass(frozen=True)
class Encoder(Layer):
    """s[j] = [h of a GRU that has read the words up to j, h of another that has read from the end back to j].

    It needs the whole sentence, and it is no model of the contract of cells: s[j] knows of the words behind j. With
    lengths nothing is read behind a sentence's end, and s is 0 there.
    Source   bidirectional: Schuster, Paliwal 1997; as the reader of a translator: Bahdanau, Cho, Bengio 2015.
    """

    inputs: int                                               # symbols
    embedding: int                                            # E
    units: int                                                # H, of each direction

    outputs = property(lambda self: 2 * self.units)
    needs_lengths = whole = True
    decayed = ("embedding/W", "ahead/W", "ahead/U", "back/W", "back/U")

    def __post_init__(self):
        check_options(self, inputs=at_least(1), embedding=at_least(1), units=at_least(1))

    @cached_property
    def parts(self):
        """The embedding and the two GRUs, by name."""
        E, H = self.embedding, self.units
        return {"embedding": Embedding(self.inputs, E), "ahead": GRU(E, H), "back": GRU(E, H)}

    @property
    def shapes(self):
        """The shape of every parameter, by its path."""
        return {f"{name}/{leaf}": shape for name, part in self.parts.items() for leaf, shape in part.shapes.items()}

    def init(self, rng):
        """The parts' start values, by name."""
        return {name: part.init(rng) for name, part in self.parts.items()}

    def forward(self, p, x, state=None, lengths=None):
        """x (T, B) integers, padded on the right  ->  s (T, B, 2H), tape."""
        check_parameters(leaves(p), self.shapes)
        check_integers("x", x, ("T", "B"), like=some_leaf(p))
        if state is not None:
            check_array("state", state, (x.shape[1], 0), some_leaf(p))
        lengths = check_lengths(lengths, *x.shape)
        words, embedding = self.parts["embedding"].forward(p["embedding"], without_padding(x, lengths))
        order = turned_round(*x.shape, lengths, words)
        ahead, ahead_tape = self.parts["ahead"].forward(p["ahead"], words)
        back, back_tape = self.parts["back"].forward(p["back"], words[order])
        s = namespace(words).concatenate([ahead, back[order]], axis=-1)
        return without_padding(s, lengths), Tape(embedding, ahead_tape, back_tape, order, lengths, words)

    def backward(self, ds, tape, dstate=None):
        """ds (T, B, 2H) direct gradient on every s[j]  ->  None (symbols have none), dstate0, dp. Raises ValueError."""
        embedding, ahead, back, order, lengths, words = opened(Tape, tape)
        if ds is not None:
            check_array("ds", ds, (*words.shape[:2], self.outputs), words)
        xp, H = namespace(words), self.units
        ds = xp.zeros((*words.shape[:2], 2 * H), words.dtype) if ds is None else without_padding(ds, lengths)
        dahead, _, dp_ahead = self.parts["ahead"].backward(xp.ascontiguousarray(ds[..., :H]), ahead)
        dback, _, dp_back = self.parts["back"].backward(ds[..., H:][order], back)
        _, dstate0, dp = self.parts["embedding"].backward(dahead + dback[order], embedding)
        return None, dstate0, {"embedding": dp, "ahead": dp_ahead, "back": dp_back}


def turned_round(T, B, lengths, like):
    """The index that turns each sentence round and leaves its padding: its own inverse  ->  (T, B) twice."""
    steps = np.broadcast_to(np.arange(T)[:, None], (T, B))
    order = steps[::-1] if lengths is None else np.where(steps < lengths, lengths - 1 - steps, steps)
    xp = namespace(like)
    return xp.asarray(np.ascontiguousarray(order)), xp.arange(B)
