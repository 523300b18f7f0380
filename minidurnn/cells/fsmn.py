"""FSMN: a layer that remembers by a weighted window over its own past, and future, with no recurrence."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.activations import FORMULAS, NAMES, activation, slope
from ..arrays.affine import affine, affine_backward
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, initial_state, one_of, opened
from ..arrays.history import add_last_steps, last_steps, with_history
from ..arrays.lengths import check_lengths, without_padding
from ..arrays.starts import glorot, normal, zeros
from ..scans.taps import tapped_sum, tapped_sum_backward
from .contract import Cell

Tape = namedtuple("Tape", "p x steps lengths")                # steps: those before x, then h, (past + T, B, H)
TAPS = ("vector", "scalar", "none")


@dataclass(frozen=True)
class FSMN(Cell):
    """Feed-forward units and a memory block of taps on them; the output is [h, m].    Lesson 19, eq. 19.1.

        h[t] = φ(x[t] W + b),    m[t] = Σ_{i=0..past} α[i] ⊙ h[t-i] + Σ_{j=1..future} β[j] ⊙ h[t+j]

    Outside the sequence h counts as zero. A layer above that has the weights [W; V] computes φ(h W + m V + b).
    past       steps of look-back; the state is the h of so many steps, side by side, the oldest first
    future     steps of look-ahead: with any the whole sequence is needed at once, and no later step is read at its end
    taps       "vector": a weight for every step and unit; "scalar": one for every step; "none": the output is h alone,
               a feed-forward layer (past and future are 0)
    Source     Zhang et al. 2015, arXiv 1512.08301. The default of the activation and the start of the taps, normal with
               deviation 1/sqrt(number of taps), are ours.
    Raises     ValueError for an option that is none.
    """

    inputs: int                                               # D
    units: int                                                # H
    past: int = 20                                            # N1
    future: int = 0                                           # N2
    taps: str = "vector"
    activation: str = "relu"

    outputs = property(lambda self: self.units if self.taps == "none" else 2 * self.units)
    state_size = property(lambda self: self.past * self.units)
    whole = needs_lengths = property(lambda self: self.future > 0)
    chunk = 50
    decayed = ("W",)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter; α[0] weighs the present step, beta[0] the next one."""
        D, H, wide = self.inputs, self.units, self.units if self.taps == "vector" else 1
        shapes = {"W": (D, H), "b": (H,)}
        if self.taps != "none":
            shapes["alpha"] = (self.past + 1, wide)
        return {**shapes, "beta": (self.future, wide)} if self.future else shapes

    def __post_init__(self):
        check_options(
            self, inputs=at_least(1), units=at_least(1), past=at_least(0), future=at_least(0), taps=one_of(TAPS),
            activation=one_of(NAMES))
        if self.taps == "none" and (self.past or self.future):
            raise ValueError(
                f"past is {self.past} and future is {self.future} with taps=\"none\": expected 0 and 0, for without "
                "taps no other step is read.")

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays W (D, H), b (H,), alpha (N1+1, H), beta (N2, H)."""
        deviation = (self.past + 1 + self.future) ** -0.5
        p = {"W": glorot(rng, self.inputs, self.units), "b": zeros(self.units)}
        for letter in ("alpha", "beta"):
            if letter in self.shapes:
                p[letter] = normal(rng, *self.shapes[letter], deviation)
        return p

    def forward(self, p, x, state=None, lengths=None):
        """x (T, B, D), state (B, N1·H) or None for zeros, lengths (B,) or None  ->  y = [h, m] (T, B, 2H), tape."""
        state = initial_state(self, p, x, state)
        lengths = check_lengths(lengths, *x.shape[:2])
        x = without_padding(x, lengths)
        a = affine(x, p["W"], p["b"])
        h = without_padding(activation(self.activation, a)(a), lengths)       # behind the end: zero, not φ(b)
        steps = with_history(state, h)
        tape = Tape(p, x, steps, lengths)
        if self.taps == "none":
            return h, tape
        m = without_padding(tapped_sum(self._padded(steps), self._weights(p)), lengths)
        return namespace(x).concatenate([h, m], axis=-1), tape

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, 2H) on every [h, m], dstate (B, N1·H) on the state handed on  ->  dx, dstate0, dp."""
        p, x, steps, lengths = opened(Tape, tape)
        check_gradients(self, dy, dstate, x)
        xp, N, H, T = namespace(x), self.past, self.units, len(x)
        dy = xp.zeros((*x.shape[:2], self.outputs), x.dtype) if dy is None else without_padding(dy, lengths)
        if self.taps == "none":
            dsteps, dp = dy, {}
        else:
            dsteps, dw = tapped_sum_backward(dy[..., H:], self._padded(steps), self._weights(p))
            dsteps, dp = dsteps[:N + T], {"alpha": dw[N::-1]}
            dsteps[N:] += dy[..., :H]                         # the direct way, beside that through the taps
        if self.future:
            dp["beta"] = dw[N + 1:]
        if N and dstate is not None:
            add_last_steps(dsteps, dstate, N, lengths)
        da = slope(self.activation, steps[N:]) * without_padding(dsteps[N:], lengths)
        dx, dW, db = affine_backward(da, x, p["W"])
        return dx, last_steps(dsteps[:N], N), {"W": dW, "b": db, **dp}

    def last_state(self, tape):
        """The h of the last `past` steps, each sequence's own where forward had lengths, (B, N1·H)."""
        return last_steps(tape.steps, self.past, tape.lengths)

    def _weights(self, p):
        """All taps in the order of time, the oldest first, (N1 + 1 + N2, H) or (N1 + 1 + N2, 1)."""
        backwards = p["alpha"][::-1]
        return namespace(backwards).concatenate([backwards, p["beta"]]) if self.future else backwards

    def _padded(self, steps):
        """The steps with zeros behind the end of the sequence, for the look-ahead."""
        if not self.future:
            return steps
        xp = namespace(steps)
        return xp.concatenate([steps, xp.zeros((self.future, *steps.shape[1:]), steps.dtype)])


def step(cell, p, x, state):
    """One step as the equations read, plain NumPy, without look-ahead: x (B, D), state (B, N1·H)  ->  [h, m], state."""
    h = FORMULAS[cell.activation](x @ p["W"] + p["b"])
    if cell.taps == "none":
        return h, state
    window = np.hstack([state, h])                            # (B, (N1 + 1)·H), the present step last
    m = sum(p["alpha"][i] * window[:, (cell.past - i) * cell.units:][:, :cell.units] for i in range(cell.past + 1))
    return np.hstack([h, m]), window[:, cell.units:]
