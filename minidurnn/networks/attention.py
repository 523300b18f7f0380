"""Attention that looks back: every step reads all steps up to it, with a weight for each, and no state is handed on.

Sources   Vaswani et al. 2017; rotary positions: Su et al. 2021.
Ours      no biases (the shift of a norm in front does the work of those on queries, keys and values; one on the keys
          would have no gradient without rotary positions), and the blocks of queries.
"""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.affine import rows, rows_back, rows_product
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, opened
from ..arrays.lengths import check_lengths, without_padding
from ..arrays.starts import glorot
from ..cells.contract import Layer

Tape = namedtuple("Tape", "p x q k v looked lengths")


@dataclass(frozen=True)
class Attention(Layer):
    """y[t] = [heads side by side: Σ_s≤t w[t, s] v[s]] W_o with w[t, :] = softmax over s ≤ t of q[t] · k[s] / sqrt(d).

    q, k, v = x W_q, x W_k, x W_v, cut into `heads` parts of d = units / heads.

    rotary   turn pairs of entries of q and k by angles that grow with t, so that q[t] · k[s] hears of t - s. In a head
             of odd width the last entry stays as it is
    block    queries at once. Weights of T × T are never kept: block × T of them stand in memory at a time, and backward
             makes them again
    It needs the whole sequence. With lengths nothing is read behind a sequence's end.
    Raises   ValueError unless heads divide units.
    """

    units: int                                                # E
    heads: int = 2
    rotary: bool = True
    block: int = 32

    inputs = outputs = property(lambda self: self.units)
    shapes = property(lambda self: dict.fromkeys(("W_q", "W_k", "W_v", "W_o"), (self.units, self.units)))
    needs_lengths = whole = True
    decayed = ("W_q", "W_k", "W_v", "W_o")

    def __post_init__(self):
        check_options(self, units=at_least(1), heads=at_least(1), rotary=flag, block=at_least(1))
        check_heads(self.units, self.heads)

    def init(self, rng):
        """Glorot matrices  ->  dict of float32 NumPy arrays, each (E, E)."""
        return {name: glorot(rng, self.units, self.units) for name in self.shapes}

    def forward(self, p, x, state=None, lengths=None):
        """x (T, B, E), state (B, 0) or None  ->  y (T, B, E), tape."""
        initial_state(self, p, x, state)
        lengths = check_lengths(lengths, *x.shape[:2])
        x = without_padding(x, lengths)
        q, k, v = (self._cut(rows(x, p[name])) for name in ("W_q", "W_k", "W_v"))
        if self.rotary:
            q, k = turned(q), turned(k)
        looked = namespace(x).empty_like(v)
        for first, last in self._blocks(len(x)):
            looked[:, :, first:last] = self._weights(q, k, first, last) @ v[:, :, :last]
        looked = self._joined(looked)
        return rows(looked, p["W_o"]), Tape(p, x, q, k, v, looked, lengths)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, E)  ->  dx, dstate0 (B, 0), dp like p."""
        p, x, q, k, v, looked, lengths = opened(Tape, tape)
        check_gradients(self, dy, dstate, x)
        xp = namespace(x)
        dy = xp.zeros(x.shape, x.dtype) if dy is None else without_padding(dy, lengths)
        d_looked = rows_back(dy, p["W_o"])
        d_heads, dq, dk, dv = self._cut(d_looked), xp.empty_like(q), xp.zeros_like(k), xp.zeros_like(v)
        means = (d_heads * self._cut(looked)).sum(-1, keepdims=True)      # Σ_s w dw, for dw[t, s] = d_heads[t] · v[s]
        for first, last in self._blocks(len(x)):
            weights, own = self._weights(q, k, first, last), d_heads[:, :, first:last]
            dv[:, :, :last] += weights.swapaxes(-1, -2) @ own
            d_scores = own @ v[:, :, :last].swapaxes(-1, -2)
            d_scores -= means[:, :, first:last]
            d_scores *= weights
            d_scores *= self._scale
            dq[:, :, first:last] = d_scores @ k[:, :, :last]
            dk[:, :, :last] += d_scores.swapaxes(-1, -2) @ q[:, :, first:last]
        if self.rotary:
            dq, dk = turned(dq, -1), turned(dk, -1)
        dx, dp = 0, {}
        for name, d in (("W_q", dq), ("W_k", dk), ("W_v", dv)):
            d = self._joined(d)
            dx, dp[name] = rows_back(d, p[name]) + dx, rows_product(x, d)
        return dx, self.last_state(tape), {**dp, "W_o": rows_product(looked, dy)}

    @property
    def _scale(self):
        """1 / sqrt(d): with it, scores of entries of variance 1 have variance 1 in heads of any width."""
        return float(self.units // self.heads) ** -0.5

    def _blocks(self, T):
        """The stretches of queries that are computed at once, (first, last)."""
        return [(first, min(first + self.block, T)) for first in range(0, T, self.block)]

    def _weights(self, q, k, first, last):
        """The weights of the queries first ... last - 1 on all keys up to each  ->  (B, heads, last - first, last)."""
        xp = namespace(q)
        scores = q[:, :, first:last] @ k[:, :, :last].swapaxes(-1, -2)
        scores *= self._scale
        ahead = np.triu(np.ones((last - first, last - first), bool), 1)   # keys behind the query: no weight
        scores[..., first:] = xp.where(xp.asarray(ahead), q.dtype.type(-np.inf), scores[..., first:])
        scores -= scores.max(-1, keepdims=True)
        weights = xp.exp(scores)
        weights /= weights.sum(-1, keepdims=True)
        return weights

    def _cut(self, a):
        """(T, B, E)  ->  (B, heads, T, d), an array of its own."""
        T, B, _ = a.shape
        return namespace(a).ascontiguousarray(a.reshape(T, B, self.heads, -1).transpose(1, 2, 0, 3))

    def _joined(self, a):
        """The inverse of _cut."""
        B, _, T, _ = a.shape
        return namespace(a).ascontiguousarray(a.transpose(2, 0, 1, 3)).reshape(T, B, self.units)


def turned(a, direction=1):
    """Rotary positions: pairs of entries of a (B, heads, T, d) turned by t · 10000^(-2i/d)  ->  the same shape.

    direction   1, or -1 for the inverse, which is the gradient's way back
    Pairs are entry i and entry i + d//2.
    """
    xp, T, d = namespace(a), *a.shape[2:]
    half = d // 2
    angles = np.zeros((T, d))
    angles[:, :2 * half] = np.tile(direction * np.arange(T)[:, None] * 10000.0 ** (-2 * np.arange(half) / d), 2)
    quarter, one = np.zeros((d, d)), np.arange(half)          # a @ quarter: every pair (one, other) as (-other, one)
    quarter[one, one + half], quarter[one + half, one] = 1, -1
    cos, sin, quarter = (xp.asarray(array.astype(a.dtype)) for array in (np.cos(angles), np.sin(angles), quarter))
    return a * cos + rows(a, quarter) * sin                   # a product is faster than slices of half a head


def check_heads(units, heads):
    """Raise unless the heads divide the units."""
    if units % heads:
        below = max(n for n in range(1, heads + 1) if units % n == 0)
        raise ValueError(
            f"units is {units} with {heads} heads: expected units that the heads divide, "
            f"{heads * (units // heads + 1)} units, or {below} head{'s' * (below > 1)}.")
