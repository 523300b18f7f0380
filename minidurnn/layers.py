"""Layers: forward/backward pairs without a memory. They keep the cells' contract with a state of size 0."""

from collections import namedtuple
from dataclasses import dataclass

from .affine import affine, affine_backward
from .backend import namespace
from .checks import check_gradients, check_positive, initial_state
from .starts import glorot, zeros

Tape = namedtuple("Tape", "p x")


@dataclass(frozen=True)
class Linear:
    """y[t] = x[t] W + b, the same at every step."""

    inputs: int                                               # D
    outputs: int                                              # O

    state_size = 0
    shapes = property(lambda self: {"W": (self.inputs, self.outputs), "b": (self.outputs,)})

    def __post_init__(self):
        check_positive(inputs=self.inputs, outputs=self.outputs)

    def init(self, rng):
        """Glorot W, zero b  ->  dict of float32 NumPy arrays W (D, O), b (O,)."""
        return {"W": glorot(rng, self.inputs, self.outputs), "b": zeros(self.outputs)}

    def forward(self, p, x, state=None):
        """x (T, B, D)  ->  y (T, B, O), tape."""
        initial_state(self, p, x, state)
        return affine(x, p["W"], p["b"]), Tape(p, x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, O)  ->  dx, dstate0 (B, 0), dp like p."""
        p, x = tape
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros((*x.shape[:2], self.outputs), x.dtype) if dy is None else dy
        dx, dW, db = affine_backward(dy, x, p["W"])
        return dx, self.last_state(tape), {"W": dW, "b": db}

    def last_state(self, tape):
        """Nothing to hand on, (B, 0)."""
        return namespace(tape.x).zeros((tape.x.shape[1], 0), tape.x.dtype)

    def project(self, p):
        """No constraint: p itself."""
        return p
