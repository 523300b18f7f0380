"""JANET: an LSTM that is left its forget gate."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.activations import FORMULAS
from ..arrays.affine import affine, affine_backward
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, number, opened
from ..arrays.starts import chrono, glorot, orthogonal, side_by_side, zeros
from ..scans import janet_scan, janet_scan_backward
from .constraints import check_chrono, check_width
from .contract import Cell

Tape = namedtuple("Tape", "p x c0 c gates")


@dataclass(frozen=True)
class JANET(Cell):
    """Just another network: one gate keeps and, a little later, writes; the order is f, z.

        s, a = x[t] W + c[t-1] U + b (each H wide),    f = σ(s), z = tanh(a)
        c[t] = f ⊙ c[t-1] + (1 - σ(s - β)) ⊙ z

    The output and the state are c. The gate's bias is 1 at the start (our choice), the other is 0.
    beta            β: how much of the pre-activation is taken off before the gate writes
    horizon         steps T that the memory should span: the chrono start, b_f = log of U[1, T-1], the paper's choice
    project_input   False: x is the pre-activation (T, B, 2H) itself, and W and b belong to whoever made it
    Source          van der Westhuizen, Lasenby 2018; chrono start: Tallec, Ollivier 2018.
    """

    inputs: int                                               # D
    units: int                                                # H
    project_input: bool = True
    horizon: int | None = None                                # T
    beta: float = 1.0

    outputs = state_size = property(lambda self: self.units)
    chunk = 16
    decayed = property(lambda self: ("W", "U") if self.project_input else ("U",))
    readers = ("U",)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        return {"W": (D, 2 * H), "U": (H, 2 * H), "b": (2 * H,)} if self.project_input else {"U": (H, 2 * H)}

    def __post_init__(self):
        check_options(
            self, inputs=at_least(1), units=at_least(1), project_input=flag, beta=number("a finite number"))
        check_width(self, 2 * self.units)
        check_chrono(self)

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W (D, 2H), U (H, 2H), b (2H,)."""
        D, H = self.inputs, self.units
        p = {"W": side_by_side(2, glorot, rng, D, H), "U": side_by_side(2, orthogonal, rng, H), "b": zeros(2 * H)}
        p["b"][:H] = 1.0 if self.horizon is None else chrono(rng, H, self.horizon)
        return {letter: p[letter] for letter in self.shapes}

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, H) or None for zeros  ->  c (T, B, H), tape."""
        c0 = initial_state(self, p, x, state)
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, 2H): every step at once
        c, gates = janet_scan(a, p["U"], c0, self.beta)       # the loop over time
        return c, Tape(p, x, c0, c, gates)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every c[t], dstate (B, H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, c0, c, gates = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        da, dU, dc0 = janet_scan_backward(dh, c, gates, p["U"], c0, carry=dstate)
        if not self.project_input:
            return da, dc0, {"U": dU}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dc0, {"W": dW, "U": dU, "b": db}

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, H)."""
        return tape.c[-1]

    def kept(self, tape):
        """The gate f of every step, the share of c[t-1] that c[t] keeps  ->  (T, B, H)."""
        return tape.gates[:, 0]


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state (B, H)  ->  c (B, H), state."""
    σ = FORMULAS["sigmoid"]
    s, a = np.split((x @ p["W"] + p["b"] if cell.project_input else x) + state @ p["U"], 2, axis=1)
    c = σ(s) * state + (1.0 - σ(s - cell.beta)) * np.tanh(a)
    return c, c
