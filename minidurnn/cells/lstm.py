"""LSTM: a cell state that three gates write, keep and read."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.activations import FORMULAS
from ..arrays.affine import affine, affine_backward
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, opened
from ..arrays.starts import chrono, glorot, orthogonal, side_by_side, zeros
from ..scans import lstm_scan, lstm_scan_backward
from .constraints import check_chrono, check_width
from .contract import Cell

Tape = namedtuple("Tape", "p x h0 c0 h c gates tanh_c")


@dataclass(frozen=True)
class LSTM(Cell):
    """Long short-term memory; gates in the order i, f, z, o of PyTorch, whose two biases add up to b.

        [i, f, o] = σ(·), z = tanh(·) of x[t] W + h[t-1] U + b
        c[t] = f ⊙ c[t-1] + i ⊙ z,    h[t] = o ⊙ tanh(c[t])

    The output is h, the state is [h, c]; the forget gate's bias is 1 at the start.
    horizon         steps T that the memory should span: the chrono start, b_f = log of U[1, T-1], b_i = -b_f
    project_input   False: x is the pre-activation (T, B, 4H) itself, and W and b belong to whoever made it
    Source          Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000; chrono start: Tallec,
                    Ollivier 2018.
    """

    inputs: int                                               # D
    units: int                                                # H
    project_input: bool = True
    horizon: int | None = None                                # T

    outputs = property(lambda self: self.units)
    state_size = property(lambda self: 2 * self.units)
    state_slices = property(lambda self: {"h": slice(0, self.units), "c": slice(self.units, 2 * self.units)})
    chunk = 16
    decayed = property(lambda self: ("W", "U") if self.project_input else ("U",))

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        return {"W": (D, 4 * H), "U": (H, 4 * H), "b": (4 * H,)} if self.project_input else {"U": (H, 4 * H)}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), units=at_least(1), project_input=flag)
        check_width(self, 4 * self.units)
        check_chrono(self)

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W (D, 4H), U (H, 4H), b (4H,)."""
        D, H = self.inputs, self.units
        p = {"W": side_by_side(4, glorot, rng, D, H), "U": side_by_side(4, orthogonal, rng, H), "b": zeros(4 * H)}
        b_i, b_f = p["b"][:H], p["b"][H:2 * H]
        b_f[...] = 1.0 if self.horizon is None else chrono(rng, H, self.horizon)
        if self.horizon is not None:
            b_i[...] = -b_f
        return {letter: p[letter] for letter in self.shapes}

    def forward(self, p, x, state=None):
        """x (T, B, D), state [h, c] (B, 2H) or None for zeros  ->  h (T, B, H), tape."""
        h0, c0 = self._split(initial_state(self, p, x, state))
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, 4H): every step at once
        h, c, gates, tanh_c = lstm_scan(a, p["U"], h0, c0)    # the loop over time
        return h, Tape(p, x, h0, c0, h, c, gates, tanh_c)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, 2H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, h0, c0, h, c, gates, tanh_c = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        dh_last, dc_last = self._split(dstate)
        da, dU, dh0, dc0 = lstm_scan_backward(dh, h, c, gates, tanh_c, p["U"], h0, c0, carry=dh_last, carry_c=dc_last)
        dstate0 = namespace(x).concatenate([dh0, dc0], axis=-1)
        if not self.project_input:
            return da, dstate0, {"U": dU}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dstate0, {"W": dW, "U": dU, "b": db}

    def last_state(self, tape):
        """The state [h, c] to hand to the next stretch of the sequence, (B, 2H)."""
        return namespace(tape.h).concatenate([tape.h[-1], tape.c[-1]], axis=-1)

    def _split(self, both):
        return (None, None) if both is None else (both[:, :self.units], both[:, self.units:])


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state [h, c] (B, 2H)  ->  h (B, H), state."""
    σ, h, c = FORMULAS["sigmoid"], state[:, :cell.units], state[:, cell.units:]
    i, f, z, o = np.split((x @ p["W"] + p["b"] if cell.project_input else x) + h @ p["U"], 4, axis=1)
    c = σ(f) * c + σ(i) * np.tanh(z)
    h = σ(o) * np.tanh(c)
    return h, np.hstack([h, c])
