"""A linear layer whose matrix is never made: of low rank, or Toeplitz-like by the fast Fourier transform."""

from collections import namedtuple
from dataclasses import dataclass

from ..arrays.affine import rows_sum
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, initial_state, opened, shown
from ..arrays.starts import zeros
from ..cells.contract import Layer
from ..cells.structures import LowRank, ToeplitzLike

Tape = namedtuple("Tape", "p x")


@dataclass(frozen=True)
class StructuredLinear(Layer):
    """y[t] = x[t] M + b, with M made of fewer numbers and the product from these numbers.    Lesson 20.

    weights  LowRank(r) or ToeplitzLike(r)
    With a cell that has project_input=False behind it, it is that cell's W and b.
    """

    inputs: int                                               # D
    outputs: int                                              # O
    weights: object

    decayed = property(lambda self: self.weights.parts)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        return {**self.weights.shapes(self.inputs, self.outputs), "bias": (self.outputs,)}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), outputs=at_least(1))
        if type(self.weights) not in (LowRank, ToeplitzLike):
            raise ValueError(f"weights is {shown(self.weights)}: expected LowRank(rank) or ToeplitzLike(rank).")
        most, why = self.weights.most(self.inputs, self.outputs)
        if self.weights.rank > most:
            raise ValueError(f"the rank is {self.weights.rank}: expected at most {most}, {why}.")

    def init(self, rng):
        """Numbers that give M the mean square of a Glorot matrix, zero bias  ->  dict of float32 NumPy arrays."""
        shape = self.inputs, self.outputs
        return {**self.weights.start(rng, shape, 2.0 / sum(shape)), "bias": zeros(self.outputs)}

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, 0) or None  ->  y (T, B, O), tape."""
        initial_state(self, p, x, state)
        y = self.weights.product(x, p, self.outputs) + p["bias"]
        return y, Tape(p, x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, O)  ->  dx, dstate0 (B, 0), dp like p."""
        p, x = opened(Tape, tape)
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros((*x.shape[:2], self.outputs), x.dtype) if dy is None else dy
        dx, dp = self.weights.product_backward(dy, x, p)
        return dx, self.last_state(tape), {**dp, "bias": rows_sum(dy)}
