"""IndRNN: every neuron keeps a memory of its own, with one recurrent number."""

from collections import namedtuple
from dataclasses import dataclass

from ..arrays.activations import FORMULAS, NAMES
from ..arrays.affine import affine, affine_backward
from ..arrays.checks import (
    at_least,
    check_gradients,
    check_options,
    check_parameters,
    flag,
    initial_state,
    one_of,
    opened,
)
from ..arrays.starts import glorot, uniform, zeros
from ..scans import diagonal_scan, diagonal_scan_backward
from .constraints import check_constraints, check_width, project_range, range_limit, start_range
from .contract import Cell

Tape = namedtuple("Tape", "p x h0 h")


@dataclass(frozen=True)
class IndRNN(Cell):
    """Independently recurrent cell, h[t] = φ(x[t] W + u ⊙ h[t-1] + b) with |u| ≤ growth^(1/horizon).

    horizon         T, the time steps over which no gradient may grow past `growth`; None bounds |u| by 1
    growth          γ; None switches the constraint off, and u starts as with γ = 1
    memory          "any" starts u in [0, γ^(1/T)]; "long" in [γ^(-1/T), γ^(1/T)], for a layer whose last output is
                    read: with growth=None every u starts at exactly 1
    project_input   False: x is the pre-activation (T, B, H) itself, and W and b belong to whoever made it
    Source          Li et al. 2018, equations 3 and 4 and section 3.1; start ranges: Li et al. 2019, section 5.1.
    """

    inputs: int                                               # D
    units: int                                                # H
    horizon: float | None = None
    growth: float | None = 2.0
    activation: str = "relu"
    memory: str = "any"
    project_input: bool = True

    outputs = state_size = property(lambda self: self.units)
    chunk = 50
    decayed = property(lambda self: ("W",) if self.project_input else ())

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        return {"W": (D, H), "u": (H,), "b": (H,)} if self.project_input else {"u": (H,)}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), units=at_least(1), activation=one_of(NAMES), project_input=flag)
        check_constraints(self, "horizon", "growth", "memory")
        check_width(self, self.units)

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W (D, H), u (H,), b (H,)."""
        D, H = self.inputs, self.units
        low, high = start_range(self.growth, self.horizon, self.memory)
        p = {"W": glorot(rng, D, H), "u": uniform(rng, low, high, H), "b": zeros(H)}
        return self.project({letter: p[letter] for letter in self.shapes})

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, H) or None for zeros  ->  h (T, B, H), tape."""
        h0 = initial_state(self, p, x, state)
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, H): every step at once
        h = diagonal_scan(a, p["u"], h0, self.activation)     # the loop over time
        return h, Tape(p, x, h0, h)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, h0, h = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        da, du, dh0 = diagonal_scan_backward(dh, h, p["u"], h0, self.activation, carry=dstate)
        if not self.project_input:
            return da, dh0, {"u": du}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dh0, {"W": dW, "u": du, "b": db}

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, H)."""
        return tape.h[-1]

    def project(self, p):
        """p with |u| ≤ growth^(1/horizon), p itself where that holds."""
        if self.growth is None:
            return p
        check_parameters(p, self.shapes)
        u = project_range(p["u"], range_limit(self.growth, self.horizon))
        return p if u is p["u"] else {**p, "u": u}


def step(cell, p, x, state):
    """One step as the equation reads, plain NumPy: x (B, D), state (B, H)  ->  h (B, H), state."""
    a = x @ p["W"] + p["b"] if cell.project_input else x
    h = FORMULAS[cell.activation](a + p["u"] * state)
    return h, h
