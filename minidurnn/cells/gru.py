"""GRU: one state that two gates reset and keep."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.activations import FORMULAS
from ..arrays.affine import affine, affine_backward
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, opened
from ..arrays.starts import chrono, glorot, orthogonal, side_by_side, zeros
from ..scans import gru_scan, gru_scan_backward
from .constraints import check_chrono, check_width
from .contract import Cell

Tape = namedtuple("Tape", "p x h0 h gates m")


@dataclass(frozen=True)
class GRU(Cell):
    """Gated recurrent unit; PyTorch's order r, z, n, the reset gate after the recurrent product, which has a bias c.

        [r, z] = σ(x[t] W + h[t-1] U + b),    n = tanh(x[t] W_n + b_n + r ⊙ (h[t-1] U_n + c))
        h[t] = (1 - z) ⊙ n + z ⊙ h[t-1]

    horizon         steps T that the memory should span: the chrono start, b_z = log of U[1, T-1]
    project_input   False: x is the pre-activation (T, B, 3H) itself, and W and b belong to whoever made it
    Source          Cho et al. 2014, in the variant of cuDNN and PyTorch: z = 1 keeps; chrono start: Tallec, Ollivier
                    2018 for the LSTM, for the GRU our reading.
    """

    inputs: int                                               # D
    units: int                                                # H
    project_input: bool = True
    horizon: int | None = None                                # T

    outputs = state_size = property(lambda self: self.units)
    chunk = 16
    decayed = property(lambda self: ("W", "U") if self.project_input else ("U",))
    readers = ("U",)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        own = {"U": (H, 3 * H), "c": (H,)}
        return {"W": (D, 3 * H), "b": (3 * H,), **own} if self.project_input else own

    def __post_init__(self):
        check_options(self, inputs=at_least(1), units=at_least(1), project_input=flag)
        check_width(self, 3 * self.units)
        check_chrono(self)

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W (D, 3H), U (H, 3H), b (3H,), c (H,)."""
        D, H = self.inputs, self.units
        W, U = side_by_side(3, glorot, rng, D, H), side_by_side(3, orthogonal, rng, H)
        p = {"W": W, "U": U, "b": zeros(3 * H), "c": zeros(H)}
        if self.horizon is not None:
            p["b"][H:2 * H] = chrono(rng, H, self.horizon)
        return {letter: p[letter] for letter in self.shapes}

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, H) or None for zeros  ->  h (T, B, H), tape."""
        h0 = initial_state(self, p, x, state)
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, 3H): every step at once
        h, gates, m = gru_scan(a, p["U"], p["c"], h0)         # the loop over time
        return h, Tape(p, x, h0, h, gates, m)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, h0, h, gates, m = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        da, dU, dc, dh0 = gru_scan_backward(dh, h, gates, m, p["U"], h0, carry=dstate)
        if not self.project_input:
            return da, dh0, {"U": dU, "c": dc}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dh0, {"W": dW, "U": dU, "b": db, "c": dc}

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, H)."""
        return tape.h[-1]

    def kept(self, tape):
        """The gate z of every step, the share of h[t-1] that h[t] keeps  ->  (T, B, H)."""
        return tape.gates[:, 1]


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state (B, H)  ->  h (B, H), state."""
    σ, (U_r, U_z, U_n) = FORMULAS["sigmoid"], np.split(p["U"], 3, axis=1)
    a_r, a_z, a_n = np.split(x @ p["W"] + p["b"] if cell.project_input else x, 3, axis=1)
    r, z = σ(a_r + state @ U_r), σ(a_z + state @ U_z)
    n = np.tanh(a_n + r * (state @ U_n + p["c"]))
    h = (1.0 - z) * n + z * state
    return h, h
