"""The short-term cell: a vanilla cell whose full recurrent matrix is kept below a norm."""

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
from ..arrays.starts import glorot, orthogonal, zeros
from ..scans import matrix_scan, matrix_scan_backward
from .constraints import check_constraints, check_width, project_spectral
from .contract import Cell

Tape = namedtuple("Tape", "p x h0 h")


@dataclass(frozen=True)
class ShortTermRNN(Cell):
    """Short-term cell, h[t] = φ(x[t] W + h[t-1] U + b) with ‖U‖₂ ≤ bound < 1, so that ‖dh[t+k]/dh[t]‖₂ ≤ bound^k.

    bound           ρ; a horizon of τ steps and a tolerance ε ask for ρ = ε^(1/τ). None switches the constraint off.
    projection      "rescale" U to the bound: cheap, but it shrinks every singular value, and over many updates those
                    that the task does not lift fade (lesson 04); or "clip" the singular values, several times the cost
    project_input   False: x is the pre-activation (T, B, H) itself, and W and b belong to whoever made it
    Source          our reading of the short-term part that the abstract of Zhang et al. 2020 (DuRNN) describes.
    """

    inputs: int                                               # D
    units: int                                                # H
    bound: float | None = 0.9
    activation: str = "relu"
    projection: str = "rescale"
    project_input: bool = True

    outputs = state_size = property(lambda self: self.units)
    chunk = 50
    decayed = property(lambda self: ("W", "U") if self.project_input else ("U",))
    readers = ("U",)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H = self.inputs, self.units
        return {"W": (D, H), "U": (H, H), "b": (H,)} if self.project_input else {"U": (H, H)}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), units=at_least(1), activation=one_of(NAMES), project_input=flag)
        check_constraints(self, "bound", "projection")
        check_width(self, self.units)

    def init(self, rng):
        """Start values, U = ρ Q with Q orthogonal  ->  dict of float32 NumPy arrays W (D, H), U (H, H), b (H,)."""
        D, H = self.inputs, self.units
        ρ = 1.0 if self.bound is None else float(self.bound)
        p = {"W": glorot(rng, D, H), "U": ρ * orthogonal(rng, H), "b": zeros(H)}
        return self.project({letter: p[letter] for letter in self.shapes})

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, H) or None for zeros  ->  h (T, B, H), tape."""
        h0 = initial_state(self, p, x, state)
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, H): every step at once
        h = matrix_scan(a, p["U"], h0, self.activation)       # the loop over time
        return h, Tape(p, x, h0, h)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, h0, h = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        da, dU, dh0 = matrix_scan_backward(dh, h, p["U"], h0, self.activation, carry=dstate)
        if not self.project_input:
            return da, dh0, {"U": dU}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dh0, {"W": dW, "U": dU, "b": db}

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, H)."""
        return tape.h[-1]

    def project(self, p):
        """p with ‖U‖₂ ≤ bound, p itself where that holds."""
        if self.bound is None:
            return p
        check_parameters(p, self.shapes)
        U = project_spectral(p["U"], self.bound, self.projection)
        return p if U is p["U"] else {**p, "U": U}


def step(cell, p, x, state):
    """One step as the equation reads, plain NumPy: x (B, D), state (B, H)  ->  h (B, H), state."""
    a = x @ p["W"] + p["b"] if cell.project_input else x
    h = FORMULAS[cell.activation](a + state @ p["U"])
    return h, h
