"""A parameter that is one number, a 0-d array, is an array like any other: it trains, and its run goes on."""

from dataclasses import dataclass

import numpy as np
import pytest

from minidurnn import Network, fit
from minidurnn.arrays.checks import initial_state
from minidurnn.arrays.trees import map_leaves
from minidurnn.cells import Cell
from minidurnn.gradcheck import assert_cell
from minidurnn.optim import SGD, Adam
from minidurnn.tasks import Adding


@dataclass(frozen=True)
class Leaky(Cell):
    """h[t] = f h[t-1] + x[t] with one number f, a 0-d array, for all units."""

    inputs: int

    outputs = state_size = property(lambda self: self.inputs)
    shapes = property(lambda self: {"f": ()})

    def init(self, rng):
        """f = 0.5."""
        return {"f": np.array(0.5, np.float32)}

    def forward(self, p, x, state=None):
        """The sum of what came, each step f of it."""
        h0, h = initial_state(self, p, x, state), np.empty_like(x)
        for t in range(len(x)):
            h[t] = p["f"] * (h[t - 1] if t else h0) + x[t]
        return h, (p, h0, h)

    def backward(self, dh, tape, dstate=None):
        """Back through the sum."""
        p, h0, h = tape
        dx, carry = np.zeros_like(h), 0 if dstate is None else dstate
        for t in reversed(range(len(h))):
            dx[t] = carry if dh is None else dh[t] + carry
            carry = p["f"] * dx[t]
        before = np.concatenate([h0[None], h[:-1]])
        return dx, carry, {"f": np.asarray((dx * before).sum(), h.dtype)}

    def last_state(self, tape):
        """The last sum."""
        return tape[2][-1]


@dataclass(frozen=True)
class Slowing:
    """Gradient descent whose state holds Python's numbers: a count, and a rate that halves."""

    rate: float = 0.1

    def start(self, p):
        """The first rate."""
        return {"now": 0.1, "updates": 0}

    def update(self, p, dp, state, scale=1.0, decayed=None):
        """A step at the rate of now."""
        moved = map_leaves(lambda a, d: np.subtract(a, state["now"] * d, dtype=a.dtype), p, dp)
        return moved, {"now": state["now"] / 2, "updates": state["updates"] + 1}


@pytest.mark.parametrize("optimizer", [Adam(0.01), SGD(0.01, 0.5), Slowing()], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_parameter_that_is_one_number_trains_and_goes_on_bit_for_bit(optimizer, dtype, tmp_path):
    assert_cell(Leaky(2), np.random.default_rng(0))
    network, options = Network(Leaky(2), 1), {"optimizer": optimizer, "dtype": dtype, "batch": 3, "log_every": 5,
                                              "validate_every": 5, "checkpoint_every": 5, "progress": False}
    whole, _ = fit(network, Adding(6), 20, **options)
    for updates in (10, 20):
        p, _ = fit(network, Adding(6), updates, **options, checkpoint=tmp_path / "run.npz", resume=True)
    assert p["body"]["f"] == whole["body"]["f"] != 0.5 and p["body"]["f"].dtype == dtype
    assert (p["readout"]["W"] == whole["readout"]["W"]).all()
