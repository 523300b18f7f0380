"""GILR-LSTM: an LSTM whose gates read a linear recurrence, so that both its loops over time are linear."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.activations import FORMULAS, sigmoid
from ..arrays.affine import affine, affine_backward, rows, rows_back, rows_product
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, one_of, opened
from ..arrays.starts import chrono, glorot, orthogonal, side_by_side, zeros
from ..scans import gated_scan, gated_scan_backward
from .constraints import check_chrono, check_width
from .contract import Cell
from .gilr import smoothed, smoothed_backward

Tape = namedtuple("Tape", "p x s0 c0 s c g j gates")


@dataclass(frozen=True)
class GILRLSTM(Cell):
    """An LSTM whose gates read a GILR, s, in place of its own output: so all gates of all steps are known beforehand.

        g = σ(·), j = tanh(·) of x[t] W_s + b_s,    s[t] = g ⊙ s[t-1] + (1 - g) ⊙ j
        [i, f, o] = σ(·), z = tanh(·) of s[t-1] U + x[t] W + b
        c[t] = f ⊙ c[t-1] + i ⊙ z,    h[t] = o ⊙ c[t]

    The output is h, with no tanh around c; the state is [s, c]. W, U and b hold the gates in the order i, f, z, o, W_s
    and b_s in the order g, j. The forget gate's bias is 1 at the start, as our LSTM's is.
    reads           "before": the gates read s[t-1], as in the paper; "same": s[t], as in its public code
    horizon         steps T that the memory should span: the chrono start, b_f = log of U[1, T-1], b_i = -b_f
    project_input   False: x is the pre-activation (T, B, 6H) itself, first that of g and j
    Source          Martin, Cundy 2018, section 3.3; chrono start: Tallec, Ollivier 2018.
    """

    inputs: int                                               # D
    units: int                                                # H
    reads: str = "before"
    project_input: bool = True
    horizon: int | None = None                                # T

    outputs = property(lambda self: self.units)
    state_size = property(lambda self: 2 * self.units)
    state_slices = property(lambda self: {"s": slice(0, self.units), "c": slice(self.units, 2 * self.units)})
    chunk = 1024
    decayed = property(lambda self: ("W_s", "W", "U") if self.project_input else ("U",))

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        own = {"W_s": (D, 2 * H), "b_s": (2 * H,), "W": (D, 4 * H), "U": (H, 4 * H), "b": (4 * H,)}
        return own if self.project_input else {"U": (H, 4 * H)}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), units=at_least(1), project_input=flag)
        check_options(self, reads=one_of(("before", "same")))
        check_width(self, 6 * self.units)
        check_chrono(self)

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W_s (D, 2H), b_s (2H,), W (D, 4H), U (H, 4H), b (4H,)."""
        D, H = self.inputs, self.units
        p = {"W_s": side_by_side(2, glorot, rng, D, H), "b_s": zeros(2 * H)}
        p |= {"W": side_by_side(4, glorot, rng, D, H), "U": side_by_side(4, orthogonal, rng, H), "b": zeros(4 * H)}
        b_i, b_f = p["b"][:H], p["b"][H:2 * H]
        b_f[...] = 1.0 if self.horizon is None else chrono(rng, H, self.horizon)
        if self.horizon is not None:
            b_i[...] = -b_f
        return {letter: p[letter] for letter in self.shapes}

    def forward(self, p, x, state=None):
        """x (T, B, D), state [s, c] (B, 2H) or None for zeros  ->  h (T, B, H), tape."""
        H, (s0, c0) = self.units, self._split(initial_state(self, p, x, state))
        a_s = affine(x, p["W_s"], p["b_s"]) if self.project_input else x[..., :2 * H]
        a = affine(x, p["W"], p["b"]) if self.project_input else x[..., 2 * H:].copy()
        s, g, j = smoothed(a_s, s0)                           # the first loop over time
        a += rows(self._read(s, s0), p["U"])
        gates = namespace(a).empty((4, *s.shape), a.dtype)    # i, f, z, o, each (T, B, H)
        for place, gate in enumerate(gates):
            gate[...] = a[..., place * H:(place + 1) * H]
        i, f, z, o = gates
        sigmoid(gates[:2]), namespace(a).tanh(z, out=z), sigmoid(o)
        c = gated_scan(f, i * z, c0)                          # the second
        return o * c, Tape(p, x, s0, c0, s, c, g, j, gates)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, 2H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, s0, c0, s, c, g, j, (i, f, z, o) = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        xp, H, (ds_last, dc_last) = namespace(x), self.units, self._split(dstate)
        da = xp.zeros((*s.shape[:2], 4 * H), s.dtype)
        df, dv, dc0 = gated_scan_backward(None if dh is None else dh * o, c, f, c0, carry=dc_last)
        da[..., :H] = dv * z * i * (1.0 - i)
        da[..., H:2 * H] = df * f * (1.0 - f)
        da[..., 2 * H:3 * H] = dv * i * (1.0 - z * z)
        if dh is not None:
            da[..., 3 * H:] = dh * c * o * (1.0 - o)
        dread, dU = rows_back(da, p["U"]), rows_product(self._read(s, s0), da)
        ds, ds0 = self._read_backward(dread)                  # what every s[t] receives from the gates, and s0
        dg, dw, ds0_through = gated_scan_backward(ds, s, g, s0, carry=ds_last)
        da_s = smoothed_backward(dg, dw, g, j)
        dstate0 = xp.concatenate([ds0 + ds0_through, dc0], axis=-1)
        if not self.project_input:
            return xp.concatenate([da_s, da], axis=-1), dstate0, {"U": dU}
        (dx_s, dW_s, db_s), (dx, dW, db) = (affine_backward(d, x, p[W]) for d, W in ((da_s, "W_s"), (da, "W")))
        return dx_s + dx, dstate0, {"W_s": dW_s, "b_s": db_s, "W": dW, "U": dU, "b": db}

    def last_state(self, tape):
        """The state [s, c] to hand to the next stretch of the sequence, (B, 2H)."""
        return namespace(tape.s).concatenate([tape.s[-1], tape.c[-1]], axis=-1)

    def _split(self, both):
        return (None, None) if both is None else (both[:, :self.units], both[:, self.units:])

    def _read(self, s, s0):
        """What the gates of every step read, (T, B, H)."""
        return s if self.reads == "same" else namespace(s).concatenate([s0[None], s[:-1]])

    def _read_backward(self, dread):
        """The gradient on s (T, B, H) and on s0 (B, H) of what `_read` gave."""
        xp = namespace(dread)
        if self.reads == "same":
            return dread, xp.zeros_like(dread[0])
        return xp.concatenate([dread[1:], xp.zeros_like(dread[:1])]), dread[0]


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state [s, c] (B, 2H)  ->  h (B, H), state."""
    H, σ = cell.units, FORMULAS["sigmoid"]
    a = np.hstack([x @ p["W_s"] + p["b_s"], x @ p["W"] + p["b"]]) if cell.project_input else x
    before, c = state[:, :H], state[:, H:]
    g, j = np.split(a[:, :2 * H], 2, axis=1)
    s = σ(g) * before + (1 - σ(g)) * np.tanh(j)
    i, f, z, o = np.split(a[:, 2 * H:] + (before if cell.reads == "before" else s) @ p["U"], 4, axis=1)
    c = σ(f) * c + σ(i) * np.tanh(z)
    return σ(o) * c, np.hstack([s, c])
