"""A writer of sentences: a GRU that looks at the source at every word, with or without a memory of a source word."""

from collections import namedtuple
from dataclasses import dataclass
from functools import cached_property

from ..arrays.affine import affine, affine_backward
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_array, check_options, check_parameters, opened
from ..arrays.lengths import before_end, check_lengths, without_padding
from ..arrays.starts import glorot, zeros
from ..arrays.trees import leaves
from ..cells import GRU
from ..scans import attention_scan, attention_scan_backward, attention_step
from ..scans.attention import Source, State

Tape = namedtuple("Tape", "p words source looks")


@dataclass(frozen=True)
class AttentionDecoder:
    """At every output step a look at all source words, then a step of a GRU that reads the word before and the look.

        e[t, j] = tanh(r[t-1] W_r + s[j] W_s + d[t-1, j] W_d + b) · v,    α[t] = softmax of e[t] over the source's words
        c[t] = Σ_j α[t, j] s[j],    r[t] = GRU([word[t], c[t]], r[t-1]),    r[0] = tanh(s[1] W + b)
        d[t, j] = GRU(α[t, j-k ... j+k], d[t-1, j]),    d[0, j] = 0

    inputs     numbers of an embedded word, E                 source   numbers of an annotation s[j], S
    units      of the decoder's GRU, R                        attention   of the hidden layer of the scores, A
    memory     units of the state d that every source word has, M; all share one GRU. 0: there are none, and no W_d
    window     k, the neighbours on either side whose attention a memory sees
    Source     Bahdanau, Cho, Bengio 2015. The memories are our reading of the abstract of Yang et al. 2016, which says
               that one recurrent network per input word relates earlier attention to later; all of the form is ours.
    """

    inputs: int                                               # E
    source: int                                               # S
    units: int                                                # R
    attention: int                                            # A
    memory: int = 0                                           # M
    window: int = 2                                           # k

    statistics = ()

    def __post_init__(self):
        check_options(
            self, inputs=at_least(1), source=at_least(1), units=at_least(1), attention=at_least(1), memory=at_least(0),
            window=at_least(0))

    @cached_property
    def cells(self):
        """The GRUs, by their name in p."""
        found = {"cell": GRU(self.inputs + self.source, self.units)}
        return {**found, "memory": GRU(2 * self.window + 1, self.memory)} if self.memory else found

    @property
    def shapes(self):
        """The shape of every parameter, by its path."""
        S, R, A, M = self.source, self.units, self.attention, self.memory
        own = {"start/W": (S, R), "start/b": (R,), "W_r": (R, A), "W_s": (S, A), "b": (A,), "v": (A,)}
        own = {**own, "W_d": (M, A)} if M else own
        return {**own, **{f"{name}/{leaf}": shape for name, cell in self.cells.items()
                          for leaf, shape in cell.shapes.items()}}

    @property
    def decayed(self):
        """The paths of the parameters that weight decay touches: the matrices."""
        return tuple(path for path, shape in self.shapes.items() if len(shape) == 2)

    def init(self, rng):
        """Start values  ->  a dictionary of float32 NumPy arrays by the letters above, the GRUs' as their own."""
        S, R, A, M = self.source, self.units, self.attention, self.memory
        p = {"start": {"W": glorot(rng, S, R), "b": zeros(R)}}
        p |= {"W_r": glorot(rng, R, A), "W_s": glorot(rng, S, A), "b": zeros(A), "v": glorot(rng, A, 1)[:, 0]}
        p |= {name: cell.init(rng) for name, cell in self.cells.items()}
        return {**p, "W_d": glorot(rng, M, A)} if M else p

    def begin(self, p, s, lengths=None):
        """Annotations s (T, B, S), sentences of `lengths` words  ->  the Source that is looked at, the first State."""
        check_parameters(leaves(p), self.shapes, s)
        check_array("s", s, ("T", "B", self.source))
        xp, (T, B, _) = namespace(s), s.shape
        lengths = check_lengths(lengths, T, B)
        s = without_padding(s, lengths)                       # 0 times what stands there may be NaN
        there = xp.ones((T, B), bool) if lengths is None else before_end(lengths, T, s)
        r = xp.tanh(affine(s[0], p["start"]["W"], p["start"]["b"]))
        d = xp.zeros((T, B, self.memory), s.dtype) if self.memory else None
        return Source(s, affine(s, p["W_s"], p["b"]), there), State(r, d)

    def step(self, p, word, state, source):
        """One output step: word (B, E), the one before  ->  Look, with the State after it as `after`."""
        W, b = p["cell"]["W"], p["cell"]["b"]
        return attention_step(affine(word, W[:self.inputs], b), state, source, p)

    def forward(self, p, words, s, lengths=None):
        """words (N, B, E), each the one before; s (T, B, S)  ->  r (N, B, R) and c (N, B, S) side by side, tape."""
        source, state = self.begin(p, s, lengths)
        check_array("words", words, ("N", s.shape[1], self.inputs), s)
        a = affine(words, p["cell"]["W"][:self.inputs], p["cell"]["b"])            # (N, B, 3R): every step at once
        looks = attention_scan(a, state, source, p)           # the loop over time
        xp = namespace(s)
        read = xp.stack([xp.concatenate([look.after.r, look.context], axis=-1) for look in looks])
        return read, Tape(p, words, source, looks)

    def backward(self, dread, tape):
        """dread (N, B, R + S)  ->  dwords (N, B, E), ds (T, B, S), dp like p."""
        p, words, source, looks = opened(Tape, tape)
        check_array("dread", dread, (*words.shape[:2], self.units + self.source), words)
        R, W, s = self.units, p["cell"]["W"], source.s
        da, first, ds, dkeys, dp = attention_scan_backward(dread[..., :R], dread[..., R:], looks, source, p)
        dwords, dW_words, db = affine_backward(da, words, W[:self.inputs])
        dcell = dp["cell"]
        dp["cell"] = {"W": namespace(da).concatenate([dW_words, dcell.pop("W_c")]), "b": db, **dcell}
        dkeys_s, dp["W_s"], dp["b"] = affine_backward(dkeys, s, p["W_s"])
        ds += dkeys_s
        r = looks[0].before.r
        dstart = first.r * (1.0 - r * r)
        ds_start, dW, db = affine_backward(dstart, s[0], p["start"]["W"])
        ds[0] += ds_start
        dp["start"] = {"W": dW, "b": db}
        return dwords, ds, dp


def attention_of(tape):
    """What the looks of a tape were  ->  weights α (N, T, B), memories d (N, T, B, M) after each step or None."""
    looks = opened(Tape, tape).looks
    xp = namespace(looks[0].weights)
    memories = None if looks[0].after.d is None else xp.stack([look.after.d for look in looks])
    return xp.stack([look.weights for look in looks]), memories
