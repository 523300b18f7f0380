"""DuRNN: a short-term cell, a selection, and independent long-term neurons."""

from collections import namedtuple
from dataclasses import dataclass
from math import log

import numpy as np

from ..arrays.activations import FORMULAS, sigmoid
from ..arrays.affine import affine, affine_backward, rows, rows_back, rows_product
from ..arrays.backend import namespace
from ..arrays.checks import (
    at_least,
    check_gradients,
    check_options,
    check_width,
    flag,
    initial_state,
    number,
    one_of,
    opened,
    optional,
)
from ..arrays.starts import constant, glorot, orthogonal, uniform, zeros
from ..scans import diagonal_scan, diagonal_scan_backward, matrix_scan, matrix_scan_backward
from .constraints import check_constraints, project_range, project_spectral, range_limit, start_range
from .contract import Cell

Tape = namedtuple("Tape", "p x s0 l0 s g c l")


@dataclass(frozen=True)
class DuRNN(Cell):
    """Dual recurrent cell, in our reading: short-term memory, selection, long-term memory.    Lesson 07.

        s[t] = relu(x[t] W_s + s[t-1] U_s + b_s)                ‖U_s‖₂ ≤ bound < 1
        g[t] = σ(s[t] W_g + x[t] V_g + b_g)                     one gate per long-term neuron
        l[t] = relu(g[t] ⊙ (s[t] W_l + b_l) + u ⊙ l[t-1])       |u| ≤ growth^(1/horizon)

    horizon         T, the time steps that the long-term memory shall span
    gate            b_g at the start, -0.7 ln T unless given: with open gates the first state grows like T
    memory          where u starts: "long" in [γ^(-1/T), γ^(1/T)], with growth=None every u at exactly 1; "any" in
                    [0, γ^(1/T)]
    output          "both" h = [s, l], or "long" h = l; the state is [s, l] either way
    bound, growth   None switches a constraint off
    projection      as in ShortTermRNN
    project_input   False: x is (T, B, S + L) itself, what W_s, b_s and V_g, b_g would have made, and those leave p
    Source          Zhang et al. 2020 fix the parts in their abstract; every equation here is our own reading of it.
    """

    inputs: int                                               # D
    short: int                                                # S
    long: int                                                 # L
    horizon: float
    bound: float | None = 0.9
    growth: float | None = 2.0
    gate: float | None = None
    memory: str = "long"
    output: str = "both"
    projection: str = "rescale"
    project_input: bool = True

    state_size = property(lambda self: self.short + self.long)
    outputs = property(lambda self: self.state_size if self.output == "both" else self.long)
    state_slices = property(lambda self: {"short": slice(0, self.short), "long": slice(self.short, self.state_size)})
    chunk = 32
    decayed = property(lambda self: (*(("W_s", "V_g") if self.project_input else ()), "U_s", "W_g", "W_l"))

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, S, L = self.inputs, self.short, self.long
        own = {"U_s": (S, S), "W_g": (S, L), "W_l": (S, L), "b_l": (L,), "u": (L,)}
        return {"W_s": (D, S), "b_s": (S,), "V_g": (D, L), "b_g": (L,), **own} if self.project_input else own

    def __post_init__(self):
        if self.horizon is None:
            raise ValueError(
                "horizon is None: expected the number of time steps that the long-term memory shall span, at least 1.")
        check_options(self, inputs=at_least(1), short=at_least(1), long=at_least(1), project_input=flag)
        check_constraints(self, "horizon", "bound", "growth", "memory", "projection")
        gate = number("a finite number within float32 (b_g at the start), or None for -0.7 ln(horizon)")
        check_options(self, gate=optional(gate), output=one_of(("both", "long")))
        check_width(self, self.state_size)

    def init(self, rng):
        """Start values, U_s = ρ Q with Q orthogonal, selection closed  ->  dict of float32 arrays as in `shapes`."""
        D, S, L = self.inputs, self.short, self.long
        ρ = 1.0 if self.bound is None else float(self.bound)
        low, high = start_range(self.growth, self.horizon, self.memory)
        gate = -0.7 * log(self.horizon) if self.gate is None else self.gate
        p = {
            "W_s": glorot(rng, D, S), "U_s": ρ * orthogonal(rng, S), "b_s": zeros(S),
            "W_g": glorot(rng, S, L), "V_g": glorot(rng, D, L), "b_g": constant(gate, L),
            "W_l": glorot(rng, S, L), "b_l": zeros(L), "u": uniform(rng, low, high, L),
        }
        return self.project({letter: p[letter] for letter in self.shapes})

    def forward(self, p, x, state=None):
        """x (T, B, D), state [s, l] (B, S + L) or None for zeros  ->  h (T, B, outputs), tape."""
        s0, l0 = self._split(initial_state(self, p, x, state))
        a, v = (affine(x, p["W_s"], p["b_s"]), affine(x, p["V_g"], p["b_g"])) if self.project_input else self._split(x)
        s = matrix_scan(a, p["U_s"], s0, "relu")              # the first loop over time
        g = sigmoid(v + rows(s, p["W_g"]))
        c = affine(s, p["W_l"], p["b_l"])                     # (T, B, L): what there is to select from
        l = diagonal_scan(g * c, p["u"], l0, "relu")          # the second loop over time
        h = namespace(x).concatenate([s, l], axis=-1) if self.output == "both" else l
        return h, Tape(p, x, s0, l0, s, g, c, l)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs) direct gradient on every h[t], dstate (B, S + L) on the state  ->  dx, dstate0, dp."""
        p, x, s0, l0, s, g, c, l = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        dh_s, dh_l = self._split(dh) if self.output == "both" else (None, dh)
        ds_last, dl_last = self._split(dstate)
        de, du, dl0 = diagonal_scan_backward(dh_l, l, p["u"], l0, "relu", carry=dl_last)    # e = g ⊙ c
        dc = de * g
        dv = dc * c * (1.0 - g)                               # at the gate's pre-activation: σ' = g (1 - g)
        ds, dW_l, db_l = affine_backward(dc, s, p["W_l"])
        ds += rows_back(dv, p["W_g"])
        if dh_s is not None:
            ds += dh_s
        da, dU_s, ds0 = matrix_scan_backward(ds, s, p["U_s"], s0, "relu", carry=ds_last)
        dstate0 = namespace(x).concatenate([ds0, dl0], axis=-1)
        dp = {"U_s": dU_s, "W_g": rows_product(s, dv), "W_l": dW_l, "b_l": db_l, "u": du}
        if not self.project_input:
            return namespace(x).concatenate([da, dv], axis=-1), dstate0, dp
        dx, dW_s, db_s = affine_backward(da, x, p["W_s"])
        dx_g, dV_g, db_g = affine_backward(dv, x, p["V_g"])
        dx += dx_g
        return dx, dstate0, {"W_s": dW_s, "b_s": db_s, "V_g": dV_g, "b_g": db_g, **dp}

    def last_state(self, tape):
        """The state [s, l] to hand to the next stretch of the sequence, (B, S + L)."""
        return namespace(tape.s).concatenate([tape.s[-1], tape.l[-1]], axis=-1)

    def project(self, p):
        """p with ‖U_s‖₂ ≤ bound and |u| ≤ growth^(1/horizon), p itself where both hold."""
        U_s = p["U_s"] if self.bound is None else project_spectral(p["U_s"], self.bound, self.projection)
        u = p["u"] if self.growth is None else project_range(p["u"], range_limit(self.growth, self.horizon))
        return p if U_s is p["U_s"] and u is p["u"] else {**p, "U_s": U_s, "u": u}

    def _split(self, both):
        return (None, None) if both is None else (both[..., :self.short], both[..., self.short:])


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state [s, l] (B, S + L)  ->  h (B, outputs), state."""
    relu, σ, S = FORMULAS["relu"], FORMULAS["sigmoid"], cell.short
    a, v = (x @ p["W_s"] + p["b_s"], x @ p["V_g"] + p["b_g"]) if cell.project_input else (x[:, :S], x[:, S:])
    s = relu(a + state[:, :S] @ p["U_s"])
    g = σ(s @ p["W_g"] + v)
    l = relu(g * (s @ p["W_l"] + p["b_l"]) + p["u"] * state[:, S:])
    both = np.hstack([s, l])
    return both if cell.output == "both" else l, both
