"""A network without a read-out: the body's outputs are the answer."""

from collections import namedtuple
from dataclasses import dataclass

from ..arrays.checks import at_least, check_names, check_options, check_parameters, initial_state, opened
from ..arrays.trees import leaves
from ..cells.contract import Layer
from .network import Network

Tape = namedtuple("Tape", "x")


@dataclass(frozen=True)
class Through(Layer):
    """y[t] = x[t]: nothing is computed and nothing learned."""

    units: int                                                # H

    inputs = outputs = property(lambda self: self.units)
    shapes = {}

    def __post_init__(self):
        check_options(self, units=at_least(1))

    def init(self, rng):
        """No parameters  ->  {}."""
        return {}

    def forward(self, p, x, state=None):
        """x (T, B, H), state (B, 0) or None  ->  x, tape."""
        initial_state(self, p, x, state)
        return x, Tape(x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, H)  ->  dy, dstate0 (B, 0), {}."""
        opened(Tape, tape)
        return dy, self.last_state(tape), {}


@dataclass(frozen=True)
class Direct(Network):
    """A body and a loss, with the options of Network: what the body gives is compared with the target.

    For a body whose outputs mean something by themselves, such as the jobs in a QueueingNetwork's stations.
    """

    readout = property(lambda self: Through(self.outputs))

    def __post_init__(self):
        super().__post_init__()
        if self.outputs != self.body.outputs:
            raise ValueError(
                f"outputs is {self.outputs} for a body with {self.body.outputs}: expected equal numbers, for no "
                f"read-out is between them; a Network has one.")

    def check(self, p):
        """Raise ValueError unless p is that of a whole network: {"body": ..., "readout": {}}."""
        check_names(p, ("body", "readout"))
        check_names(p["readout"], ())
        check_parameters(leaves(p["body"]), self.body.shapes)
