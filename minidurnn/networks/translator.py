"""A translator: sentences of symbols become sentences of other symbols, of other lengths."""

from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property

from ..arrays.backend import namespace
from ..arrays.checks import (
    at_least,
    check_array,
    check_classes,
    check_integers,
    check_options,
    check_parameters,
    opened,
)
from ..arrays.trees import leaves, some_leaf
from .decoder import AttentionDecoder, attention_of
from .encoder import Encoder
from .layers import Embedding, Linear
from .losses import LOSSES
from .sizes import count_parameters, nearest

Tape = namedtuple("Tape", "encoder embedding decoder bottleneck words loss")
END = 0                                                       # the symbol that ends a sentence; the first word before


@dataclass(frozen=True)
class Translator:
    """Reader and writer of sentences, trained on pairs of them; `fit`, `save` and `evaluate` take it as a Network.

    source, target   symbols of either language. Symbol 0 of the target ends a sentence
    embedding        numbers of an embedded word, E, in both languages, and of the bottleneck in front of the scores
    units            of each direction of the encoder and of the decoder, H
    attention        of the hidden layer of the attention's scores
    memory, window   as in AttentionDecoder: a recurrent state of so many units for each source word; 0: none

    x (T, B) and target (N, B) are integers, padded on the right. x's ends are told by `lengths`; a target sentence ends
    with its first 0, and what stands behind it is never read. The words are scored by
    y[t] = ([r[t], c[t], word[t]] W + b) W_o + b_o (ours): a matrix of rank E in place of a full one. A tanh between the
    two saturated in some runs while the frequencies of words were learned, and nothing else was learned after. The
    loss is that of the next word given the right ones before it, in nats per word, ends of sentences included; the
    metric is the same in bits.
    """

    source: int
    target: int
    embedding: int                                            # E
    units: int                                                # H
    attention: int                                            # A
    memory: int = 0                                           # M
    window: int = 2                                           # k

    reads, objective, metric, better, statistics, state_size = "every", "bits", "bits", "lower", (), 0
    outputs = property(lambda self: self.target)
    body = property(lambda self: self.parts["encoder"])       # what reads x: `fit` asks it for the symbols

    def __post_init__(self):
        check_options(
            self, source=at_least(1), target=at_least(2), embedding=at_least(1), units=at_least(1),
            attention=at_least(1), memory=at_least(0), window=at_least(0))

    @cached_property
    def parts(self):
        """The models that this one is made of, by their name in p."""
        E, H = self.embedding, self.units
        return {
            "encoder": Encoder(self.source, E, H), "embedding": Embedding(self.target, E),
            "decoder": AttentionDecoder(E, 2 * H, H, self.attention, self.memory, self.window),
            "bottleneck": Linear(3 * H + E, E), "words": Linear(E, self.target)}

    @property
    def shapes(self):
        """The shape of every parameter, by its path."""
        return {f"{name}/{leaf}": shape for name, part in self.parts.items() for leaf, shape in part.shapes.items()}

    @property
    def decayed(self):
        """The paths of the parameters that weight decay touches."""
        return tuple(f"{name}/{path}" for name, part in self.parts.items() for path in part.decayed)

    def init(self, rng):
        """The parts' start values, by name."""
        return {name: part.init(rng) for name, part in self.parts.items()}

    def draw(self, rng, B):
        """A training pass needs nothing beside p."""
        return

    def loss(self, p, x, target, state=None, noise=None, lengths=None):
        """x (T, B), target (N, B), each sentence with its 0  ->  value in nats, metric in bits (0-d arrays), tape."""
        there = self._words(p, x, target)
        before = namespace(target).concatenate([0 * target[:1] + END, target[:-1] * there[1:]])
        s, encoder = self.parts["encoder"].forward(p["encoder"], x, lengths=lengths)
        words, embedding = self.parts["embedding"].forward(p["embedding"], before)
        read, decoder = self.parts["decoder"].forward(p["decoder"], words, s, lengths)
        y, last = self._scores(p, read, words)
        count = there.astype(y.dtype).sum()
        value, metric, loss = LOSSES[self.objective].forward(y, target * there, count, valid=there)
        return value, metric, Tape(encoder, embedding, decoder, *last, loss)

    def gradient(self, tape, dstate=None):
        """The gradient of the loss  ->  dp like p, dstate0 (B, 0)."""
        encoder, embedding, decoder, bottleneck, words, loss = opened(Tape, tape)
        dy, dp, width = LOSSES[self.objective].backward(loss), {}, 3 * self.units
        do, _, dp["words"] = self.parts["words"].backward(dy, words)
        dboth, dstate0, dp["bottleneck"] = self.parts["bottleneck"].backward(do, bottleneck)
        dread = namespace(dboth).ascontiguousarray(dboth[..., :width])
        dwords, ds, dp["decoder"] = self.parts["decoder"].backward(dread, decoder)
        _, _, dp["embedding"] = self.parts["embedding"].backward(dwords + dboth[..., width:], embedding)
        _, _, dp["encoder"] = self.parts["encoder"].backward(ds, encoder)
        return {name: dp[name] for name in self.parts}, dstate0

    def begin(self, p, x, lengths=None):
        """x (T, B)  ->  the Source that the decoder looks at, its first State, for `next`."""
        self.check(p)
        s, _ = self.parts["encoder"].forward(p["encoder"], x, lengths=lengths)
        return self.parts["decoder"].begin(p["decoder"], s, lengths)

    def next(self, p, before, state, source):
        """The words before (B,), a State, a Source  ->  scores of the next words (B, target), Look (`after`: State).

        Raises ValueError for words or a State, r (B, units) and d (T, B, memory), that do not fit the Source.
        """
        B = source.s.shape[1]
        check_classes("before", before, (B,), self.target, like=source.s)
        check_array("state.r", state.r, (B, self.units), source.s)
        if self.memory:
            check_array("state.d", state.d, (*source.s.shape[:2], self.memory), source.s)
        word, _ = self.parts["embedding"].forward(p["embedding"], before[None])
        look = self.parts["decoder"].step(p["decoder"], word[0], state, source)
        read = namespace(word).concatenate([look.after.r, look.context], axis=-1)
        return self._scores(p, read[None], word)[0][0], look

    def attention_on(self, p, x, target, lengths=None):
        """Where the decoder looks while it writes a given target  ->  α (N, T, B), memories (N, T, B, M) or None."""
        return attention_of(self.loss(p, x, target, lengths=lengths)[2].decoder)

    def answers(self, x, target, lengths=None):
        """How many words a batch has, ends included: the loss is a mean over so many."""
        return int(before_the_end(target).sum())

    def updated(self, p, tape):
        """No running statistics."""
        return p

    def project(self, p):
        """No constraint."""
        return p

    def last_state(self, tape):
        """Nothing to hand on, (B, 0)."""
        return self.parts["words"].last_state(tape.words)

    def check(self, p):
        """Raise ValueError unless p is that of this translator."""
        check_parameters(leaves(p), self.shapes)

    def _scores(self, p, read, words):
        """y = ([r, c, word] W + b) W_o + b_o  ->  y (N, B, target), both layers' tapes."""
        both = namespace(words).concatenate([read, words], axis=-1)
        o, bottleneck = self.parts["bottleneck"].forward(p["bottleneck"], both)
        y, last = self.parts["words"].forward(p["words"], o)
        return y, (bottleneck, last)

    def _words(self, p, x, target):
        """Which entries of the target are words or ends  ->  (N, B) of bools.    Raises ValueError without an end."""
        self.check(p)
        check_integers("x", x, ("T", "B"), like=some_leaf(p))
        check_integers("target", target, ("N", x.shape[1]), like=some_leaf(p))
        there = before_the_end(target)
        check_classes("target", target, target.shape, self.target, like=some_leaf(p), valid=there)
        check_ends(target, there)
        return there


def before_the_end(target):
    """Which entries of sentences (N, B) stand before or at their first 0  ->  (N, B) of bools, in the same library."""
    there = namespace(target).ones(target.shape, bool)
    for t in range(1, len(target)):
        there[t] = there[t - 1] & (target[t - 1] != END)
    return there


def check_ends(target, there):
    """Raise ValueError unless every sentence of NumPy's has an end; on a GPU nothing reads them."""
    xp = namespace(target)
    if xp.__name__ == "numpy" and (open_ended := (there[-1] & (target[-1] != END)).nonzero()[0]).size:
        raise ValueError(
            f"target[:, {open_ended[0]}] has no 0 among its {len(target)} words: expected a 0 at the end of every "
            f"sentence; `Vocabulary.encode(..., end=True)` puts it there.")


TRANSLATORS = {                                               # (source, target, units, attention) -> network
    "attention": lambda source, target, units, A: Translator(source, target, units, units, A),
    "attention-memory": lambda source, target, units, A: Translator(source, target, units, units, A, memory=8),
}


def translator_for(name, source, target, parameters):
    """A translator of TRANSLATORS that comes closest to so many trained numbers.

    First the width of all layers is chosen, the attention's hidden layer included; then, at this width, that of the
    attention's alone, for a unit of it is only a few hundred numbers.
    """
    make = TRANSLATORS[name]
    units = nearest(lambda H: count_parameters(make(source, target, H, H)), parameters)
    attention = nearest(lambda A: count_parameters(make(source, target, units, A)), parameters)
    return make(source, target, units, attention)
