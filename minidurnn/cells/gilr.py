"""GILR: a smoothing whose gate reads no state, so that its loop over time is a linear recurrence."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.activations import FORMULAS, sigmoid
from ..arrays.affine import affine, affine_backward
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, opened
from ..arrays.starts import glorot, side_by_side, zeros
from ..scans import gated_scan, gated_scan_backward
from .constraints import check_width
from .contract import Cell

Tape = namedtuple("Tape", "p x h0 h g i")


@dataclass(frozen=True)
class GILR(Cell):
    """Gated impulse linear recurrence: a smoothing whose gate and whose input read x alone.

        g = σ(x[t] W_g + b_g), i = tanh(x[t] W_i + b_i),    h[t] = g ⊙ h[t-1] + (1 - g) ⊙ i

    W and b hold the gate and the input side by side, in this order.
    project_input   False: x is the pre-activation (T, B, 2H) itself, and W and b belong to whoever made it
    Source          Martin, Cundy 2018, section 3.1.
    """

    inputs: int                                               # D
    units: int                                                # H
    project_input: bool = True

    outputs = state_size = property(lambda self: self.units)
    chunk = 1024
    decayed = property(lambda self: ("W",) if self.project_input else ())

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        return {"W": (D, 2 * H), "b": (2 * H,)} if self.project_input else {}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), units=at_least(1), project_input=flag)
        check_width(self, 2 * self.units)

    def init(self, rng):
        """Glorot W, zero b  ->  dict of float32 NumPy arrays W (D, 2H), b (2H,)."""
        p = {"W": side_by_side(2, glorot, rng, self.inputs, self.units), "b": zeros(2 * self.units)}
        return {letter: p[letter] for letter in self.shapes}

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, H) or None for zeros  ->  h (T, B, H), tape."""
        h0 = initial_state(self, p, x, state)
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, 2H): every step at once
        h, g, i = smoothed(a, h0)
        return h, Tape(p, x, h0, h, g, i)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, h0, h, g, i = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        dg, dv, dh0 = gated_scan_backward(dh, h, g, h0, carry=dstate)
        da = smoothed_backward(dg, dv, g, i)
        if not self.project_input:
            return da, dh0, {}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dh0, {"W": dW, "b": db}

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, H)."""
        return tape.h[-1]


def smoothed(a, h0):
    """The GILR on its pre-activation a (T, B, 2H)  ->  h, gate g, input i (T, B, H)."""
    H = h0.shape[-1]
    g, i = sigmoid(a[..., :H].copy()), namespace(a).tanh(a[..., H:])
    return gated_scan(g, (1.0 - g) * i, h0), g, i


def smoothed_backward(dg, dv, g, i):
    """The gradient on a (T, B, 2H) of what goes into the scan: dg on its gates, dv on its values (1 - g) ⊙ i."""
    kept = 1.0 - g
    return namespace(g).concatenate([(dg - dv * i) * g * kept, dv * kept * (1.0 - i * i)], axis=-1)


def step(cell, p, x, h):
    """One step of GILR as the equations read, plain NumPy: x (B, D), state (B, H)  ->  h (B, H), state."""
    g, i = np.split(x @ p["W"] + p["b"] if cell.project_input else x, 2, axis=1)
    g = FORMULAS["sigmoid"](g)
    h = g * h + (1 - g) * np.tanh(i)
    return h, h
