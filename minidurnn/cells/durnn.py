"""DuRNN: a short-term cell, a selection, and independent long-term neurons."""

from collections import namedtuple
from dataclasses import dataclass
from math import log

import numpy as np

from ..arrays.activations import FORMULAS, sigmoid
from ..arrays.affine import affine, affine_backward, rows, rows_back, rows_product, rows_sum
from ..arrays.backend import namespace
from ..arrays.checks import (
    at_least,
    check_gradients,
    check_options,
    check_parameters,
    flag,
    initial_state,
    number,
    one_of,
    opened,
    optional,
)
from ..arrays.starts import constant, glorot, orthogonal, uniform, zeros
from ..scans import diagonal_scan, diagonal_scan_backward, matrix_scan, matrix_scan_backward
from .constraints import (
    check_constraints,
    check_width,
    project_range,
    project_spectral,
    range_limit,
    sizes,
    start_range,
)
from .contract import Cell

Tape = namedtuple("Tape", "p x s0 l0 s g c l")              # the gates g (None: there are none) select from c
SELECTIONS = ("both", "state", "input", "none", "before")


@dataclass(frozen=True)
class DuRNN(Cell):
    """Dual recurrent cell, in our reading: short-term memory, selection, long-term memory.    Lesson 07.

        s[t] = relu(x[t] W_s + s[t-1] U_s + b_s)                ‖U_s‖₂ ≤ bound < 1
        g[t] = σ(s[t] W_g + x[t] V_g + b_g)                     one gate per long-term neuron
        l[t] = relu(g[t] ⊙ (s[t] W_l + b_l) + u ⊙ l[t-1])       |u| ≤ growth^(1/horizon)

    horizon         T, the time steps that the long-term memory shall span
    selection       what opens the gates: "both" s and x, "state" s alone, "input" x alone; "none": no gates, g = 1;
                    "before": one gate per short-term unit, l[t] = relu((g[t] ⊙ s[t]) W_l + b_l + u ⊙ l[t-1])
    gate            b_g at the start, -0.7 ln T unless given: with open gates the first state grows like T
    memory          where u starts: "long" in [γ^(-1/T), γ^(1/T)], with growth=None every u at exactly 1; "any" in
                    [0, γ^(1/T)]
    output          "both" h = [s, l], or "long" h = l; the state is [s, l] either way
    bound, growth   None switches a constraint off; bound 0 leaves out U_s: no short-term recurrence
    projection      as in ShortTermRNN
    project_input   False: x is (T, B, S + gates) itself, what W_s, b_s and V_g, b_g would have made, and those leave p
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
    selection: str = "both"

    state_size = property(lambda self: self.short + self.long)
    outputs = property(lambda self: self.state_size if self.output == "both" else self.long)
    state_slices = property(lambda self: {"short": slice(0, self.short), "long": slice(self.short, self.state_size)})
    chunk = 32
    gates = property(lambda self: {"before": self.short, "none": 0}.get(self.selection, self.long))
    decayed = property(lambda self: tuple(name for name in ("W_s", "V_g", "U_s", "W_g", "W_l") if name in self.shapes))
    readers = property(lambda self: tuple(name for name in ("U_s", "W_g", "W_l") if name in self.shapes)
                       if self.output == "both" else ())

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, S, L, G = self.inputs, self.short, self.long, self.gates
        hears_x, hears_s = (self.selection in (one, "both", "before") for one in ("input", "state"))
        shapes = {"W_s": (D, S), "b_s": (S,)} if self.project_input else {}
        if self.project_input and self.selection != "none":
            shapes |= {"V_g": (D, G), "b_g": (G,)} if hears_x else {"b_g": (G,)}
        if self.bound != 0:
            shapes["U_s"] = (S, S)
        if hears_s:
            shapes["W_g"] = (S, G)
        return {**shapes, "W_l": (S, L), "b_l": (L,), "u": (L,)}

    def __post_init__(self):
        if self.horizon is None:
            raise ValueError(
                "horizon is None: expected the number of time steps that the long-term memory shall span, at least 1.")
        check_options(self, inputs=at_least(1), short=at_least(1), long=at_least(1), project_input=flag)
        check_constraints(self, "horizon", "growth", "memory", "projection")
        bound = number(
            "a number from 0 to below 1 (it bounds ‖U_s‖₂; 0: no short-term recurrence), or None for no constraint",
            lambda bound: 0 <= bound < 1)
        gate = number("a finite number within float32 (b_g at the start), or None for -0.7 ln(horizon)")
        check_options(self, bound=optional(bound), gate=optional(gate))
        check_options(self, output=one_of(("both", "long")), selection=one_of(SELECTIONS))
        check_width(self, self.short + self.gates)

    def init(self, rng):
        """Start values, U_s = ρ Q with Q orthogonal, selection closed  ->  dict of float32 arrays as in `shapes`."""
        D, S, L, G = self.inputs, self.short, self.long, self.gates
        ρ = 1.0 if self.bound is None else float(self.bound)
        low, high = start_range(self.growth, self.horizon, self.memory)
        gate = -0.7 * log(self.horizon) if self.gate is None else self.gate
        p = {
            "W_s": glorot(rng, D, S), "U_s": ρ * orthogonal(rng, S), "b_s": zeros(S),
            "W_g": glorot(rng, S, G), "V_g": glorot(rng, D, G), "b_g": constant(gate, G),
            "W_l": glorot(rng, S, L), "b_l": zeros(L), "u": uniform(rng, low, high, L),
        }
        return self.project({letter: p[letter] for letter in self.shapes})

    def forward(self, p, x, state=None):
        """x (T, B, D), state [s, l] (B, S + L) or None for zeros  ->  h (T, B, outputs), tape."""
        s0, l0 = self._split(initial_state(self, p, x, state))
        a, v = self._inputs(p, x)
        s = matrix_scan(a, self._recurrent(p, s0), s0, "relu")          # the first loop over time
        g, c, e = self._selection(p, s, v)
        l = diagonal_scan(e, p["u"], l0, "relu")              # the second loop over time
        h = namespace(x).concatenate([s, l], axis=-1) if self.output == "both" else l
        return h, Tape(p, x, s0, l0, s, g, c, l)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs) direct gradient on every h[t], dstate (B, S + L) on the state  ->  dx, dstate0, dp."""
        p, x, s0, l0, s, g, c, l = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        dh_s, dh_l = self._split(dh) if self.output == "both" else (None, dh)
        ds_last, dl_last = self._split(dstate)
        de, du, dl0 = diagonal_scan_backward(dh_l, l, p["u"], l0, "relu", carry=dl_last)
        ds, dv, dp = self._selection_backward(de, p, s, g, c)
        if dh_s is not None:
            ds += dh_s
        da, dU_s, ds0 = matrix_scan_backward(ds, s, self._recurrent(p, s0), s0, "relu", carry=ds_last)
        dx, dp_x = self._inputs_backward(p, x, da, dv)
        dp = {**dp_x, "U_s": dU_s, **dp, "u": du}
        return dx, namespace(x).concatenate([ds0, dl0], axis=-1), {letter: dp[letter] for letter in self.shapes}

    def last_state(self, tape):
        """The state [s, l] to hand to the next stretch of the sequence, (B, S + L)."""
        return namespace(tape.s).concatenate([tape.s[-1], tape.l[-1]], axis=-1)

    def kept(self, tape):
        """u ⊙ relu' of every step, what of a gradient on l[t] arrives at l[t-1]  ->  (T, B, L)."""
        return tape.p["u"] * (tape.l > 0)

    def project(self, p):
        """p with ‖U_s‖₂ ≤ bound and |u| ≤ growth^(1/horizon), p itself where both hold."""
        check_parameters(p, self.shapes)
        inside, (norm, largest) = {}, sizes(p["U_s"], p["u"]) if self.bound else (None, None)
        if self.bound:
            inside["U_s"] = project_spectral(p["U_s"], self.bound, self.projection, norm)
        if self.growth is not None:
            inside["u"] = project_range(p["u"], range_limit(self.growth, self.horizon), largest)
        return p if all(leaf is p[letter] for letter, leaf in inside.items()) else {**p, **inside}

    def _recurrent(self, p, like):
        """U_s, zeros where the cell has none."""
        return p["U_s"] if self.bound != 0 else namespace(like).zeros((self.short, self.short), like.dtype)

    def _inputs(self, p, x):
        """What x and the biases bring to s (T, B, S) and to the gates (an array of its own; None: there are none)."""
        if not self.project_input:
            return x[..., :self.short], x[..., self.short:].copy()
        gates = affine(x, p["V_g"], p["b_g"]) if "V_g" in self.shapes else p.get("b_g")
        return affine(x, p["W_s"], p["b_s"]), gates

    def _inputs_backward(self, p, x, da, dv):
        """The gradients at the pre-activations of s and of the gates  ->  dx, dp."""
        if not self.project_input:
            return da if dv is None else namespace(x).concatenate([da, dv], axis=-1), {}
        dx, dW_s, db_s = affine_backward(da, x, p["W_s"])
        dp = {"W_s": dW_s, "b_s": db_s}
        if "V_g" in self.shapes:
            dx_g, dp["V_g"], dp["b_g"] = affine_backward(dv, x, p["V_g"])
            dx += dx_g
        elif dv is not None:
            dp["b_g"] = rows_sum(dv)
        return dx, dp

    def _selection(self, p, s, v):
        """s (T, B, S), v from x and the bias  ->  g, c that they select from, e (T, B, L) for the long-term memory."""
        if "W_g" in self.shapes:
            v = v + rows(s, p["W_g"])
        g = None if self.selection == "none" else sigmoid(v)
        if self.selection == "before":
            return g, s, affine(g * s, p["W_l"], p["b_l"])
        c = affine(s, p["W_l"], p["b_l"])
        return g, c, c if g is None else g * c

    def _selection_backward(self, de, p, s, g, c):
        """de (T, B, L) at the sum that enters the long-term memory  ->  ds, dv at the gates' pre-activation, dp."""
        dp, d, before = {}, de, self.selection == "before"
        if before:
            d, dp["W_l"], dp["b_l"] = affine_backward(de, g * c, p["W_l"])
        ds = dc = d if g is None else d * g                   # d is the gradient on g ⊙ c
        dv = None if g is None else dc * c * (1.0 - g)        # σ' = g (1 - g)
        if not before:
            ds, dp["W_l"], dp["b_l"] = affine_backward(dc, s, p["W_l"])
        if "W_g" in self.shapes:
            dp["W_g"] = rows_product(s, dv)
            ds += rows_back(dv, p["W_g"])
        return ds, dv, dp

    def _split(self, both):
        return (None, None) if both is None else (both[..., :self.short], both[..., self.short:])


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state [s, l] (B, S + L)  ->  h (B, outputs), state."""
    relu, σ, S = FORMULAS["relu"], FORMULAS["sigmoid"], cell.short
    a = x @ p["W_s"] + p["b_s"] if cell.project_input else x[:, :S]
    s = relu(a + state[:, :S] @ p["U_s"]) if "U_s" in p else relu(a)
    v = x[:, S:] if not cell.project_input else p.get("b_g", 0.0) + (x @ p["V_g"] if "V_g" in p else 0.0)
    g = 1.0 if cell.selection == "none" else σ(v + (s @ p["W_g"] if "W_g" in p else 0.0))
    e = (g * s) @ p["W_l"] + p["b_l"] if cell.selection == "before" else g * (s @ p["W_l"] + p["b_l"])
    l = relu(e + p["u"] * state[:, S:])
    both = np.hstack([s, l])
    return both if cell.output == "both" else l, both
