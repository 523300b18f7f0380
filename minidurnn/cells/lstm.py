"""LSTM: a cell state that three gates write, keep and read."""

from collections import namedtuple
from dataclasses import dataclass, field

import numpy as np

from ..arrays.activations import FORMULAS
from ..arrays.affine import affine, affine_backward
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, flag, initial_state, one_of, opened
from ..arrays.starts import chrono, glorot, orthogonal, side_by_side, spread, zeros
from ..scans import forget_scan, forget_scan_backward, lstm_scan, lstm_scan_backward
from ..scans.forget import FORMS
from .constraints import check_scales, check_width
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
    start           "uniform": the forget gates of the units start uniform in [1/H, 1 - 1/H], b_i = -b_f (our choice)
    forget          the forget gate f as a function of its pre-activation a:
                    "sigmoid"   σ(a)
                    "fast"      σ(sinh a); b_f starts so that the gate is as of "sigmoid" (our choice)
                    "refine"    2 r s + (1 - 2 r) s², s = σ(a), r = σ of a fifth pre-activation, whose bias starts at
                                -b_f; W, U and b are 5H wide, in the order i, f, z, o, r; i stays a gate of its own
                                (in the paper it is 1 - f)
                    "floor"     ours: ℓ + (1 - ℓ) σ(a), with ℓ = 1 - 1/τ fixed, τ from 1 to T = horizon in equal
                                ratios over the units (`scales`); b_f starts at 1, and i where 1 - f is
    Source          Hochreiter, Schmidhuber 1997; forget gate: Gers, Schmidhuber, Cummins 2000; chrono start: Tallec,
                    Ollivier 2018; uniform start, refine gate: Gu et al. 2020; fast gate: Ohno, Kanai, Ida 2023.
    """

    inputs: int                                               # D
    units: int                                                # H
    project_input: bool = True
    horizon: int | None = None                                # T
    start: str = field(default="one", metadata={"later": True})
    forget: str = field(default="sigmoid", metadata={"later": True})

    outputs = property(lambda self: self.units)
    state_size = property(lambda self: 2 * self.units)
    state_slices = property(lambda self: {"h": slice(0, self.units), "c": slice(self.units, 2 * self.units)})
    chunk = 16
    decayed = property(lambda self: ("W", "U") if self.project_input else ("U",))
    readers = ("U",)
    gates = property(lambda self: 5 if self.forget == "refine" else 4)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        D, H, wide = self.inputs, self.units, self.gates * self.units
        return {"W": (D, wide), "U": (H, wide), "b": (wide,)} if self.project_input else {"U": (H, wide)}

    @property
    def scales(self):
        """τ of the units whose gate has a floor, in steps: T^0 ... T^1 in equal ratios  ->  (H,), float64."""
        return float(self.horizon) ** np.linspace(0.0 if self.units > 1 else 1.0, 1.0, self.units)

    def __post_init__(self):
        check_options(
            self, inputs=at_least(1), units=at_least(1), project_input=flag, start=one_of(("one", "uniform")),
            forget=one_of(("sigmoid", *FORMS)))
        check_width(self, self.gates * self.units)
        check_scales(self)

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W (D, 4H), U (H, 4H), b (4H,); 5H with the refine gate."""
        D, H, gates = self.inputs, self.units, self.gates
        W, U = side_by_side(gates, glorot, rng, D, H), side_by_side(gates, orthogonal, rng, H)
        p = {"W": W, "U": U, "b": zeros(gates * H)}
        b_i, b_f, b_r = p["b"][:H], p["b"][H:2 * H], p["b"][4 * H:]
        if self.forget == "floor":
            b_f[...] = 1.0
            b_i[...] = -np.log(self.scales * (1.0 + np.e) - 1.0)     # 1 - f = 1 / (τ (1 + e))
        elif self.start == "uniform":
            b_f[...] = spread(rng, H)
        else:
            b_f[...] = 1.0 if self.horizon is None else chrono(rng, H, self.horizon)
        if self.start == "uniform" or self.horizon is not None and self.forget != "floor":
            b_i[...] = -b_f
        if self.forget == "refine":
            b_r[...] = -b_f
        if self.forget == "fast":
            b_f[...] = np.arcsinh(b_f)
        return {letter: p[letter] for letter in self.shapes}

    def forward(self, p, x, state=None):
        """x (T, B, D), state [h, c] (B, 2H) or None for zeros  ->  h (T, B, H), tape."""
        h0, c0 = self._split(initial_state(self, p, x, state))
        a = affine(x, p["W"], p["b"]) if self.project_input else x    # (T, B, 4H): every step at once
        h, c, gates, tanh_c = self._scan(a, p["U"], h0, c0)   # the loop over time
        return h, Tape(p, x, h0, c0, h, c, gates, tanh_c)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, H) direct gradient on every h[t], dstate (B, 2H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, h0, c0, h, c, gates, tanh_c = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        dh_last, dc_last = self._split(dstate)
        back = lstm_scan_backward if self.forget == "sigmoid" else forget_scan_backward
        da, dU, dh0, dc0 = back(dh, h, c, gates, tanh_c, p["U"], h0, c0, carry=dh_last, carry_c=dc_last)
        dstate0 = namespace(x).concatenate([dh0, dc0], axis=-1)
        if not self.project_input:
            return da, dstate0, {"U": dU}
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, dstate0, {"W": dW, "U": dU, "b": db}

    def last_state(self, tape):
        """The state [h, c] to hand to the next stretch of the sequence, (B, 2H)."""
        return namespace(tape.h).concatenate([tape.h[-1], tape.c[-1]], axis=-1)

    def kept(self, tape):
        """The forget gate f of every step, the share of c[t-1] that c[t] keeps  ->  (T, B, H)."""
        return tape.gates[:, 2 if self.forget == "sigmoid" else 1]

    def _scan(self, a, U, h0, c0):
        if self.forget == "sigmoid":
            return lstm_scan(a, U, h0, c0)
        least = namespace(a).asarray(1.0 - 1.0 / self.scales, a.dtype) if self.forget == "floor" else None
        return forget_scan(a, U, h0, c0, self.forget, least)

    def _split(self, both):
        return (None, None) if both is None else (both[:, :self.units], both[:, self.units:])


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy: x (B, D), state [h, c] (B, 2H)  ->  h (B, H), state."""
    σ, h, c = FORMULAS["sigmoid"], state[:, :cell.units], state[:, cell.units:]
    a = (x @ p["W"] + p["b"] if cell.project_input else x) + h @ p["U"]
    i, f, z, o, *r = np.split(a, cell.gates, axis=1)
    if cell.forget == "fast":
        f = σ(np.sinh(f))
    elif cell.forget == "refine":
        f = 2.0 * σ(r[0]) * σ(f) + (1.0 - 2.0 * σ(r[0])) * σ(f) ** 2
    else:
        f = 1.0 - (1.0 - σ(f)) / (cell.scales if cell.forget == "floor" else 1.0)
    c = f * c + σ(i) * np.tanh(z)
    h = σ(o) * np.tanh(c)
    return h, np.hstack([h, c])
