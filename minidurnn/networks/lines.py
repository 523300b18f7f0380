"""What a line of the table of models is, and how lines that are alike are made."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np

from ..cells import FSMN, LSTM, Compact, DuRNN, IndRNN, LowRank, Projection, ToeplitzLike, durnn
from .layers import Linear
from .stacks import Chain


@dataclass(frozen=True)
class Model:
    """A line of the table.

    make      (inputs, units, horizon) -> body, as the experiments compare it
    samples   small bodies that together have every option of the model at least once; tests and planted bugs take them.
              A deep stack has none: its parts have theirs
    peers     who else has this model: of "eager", "hoisted", "nn", "jax" (bench)
    step      (body, p, x (B, D), state) -> h, state: one step as its equations read, in plain NumPy. The tests hold
              forward to its repetition
    least     the fewest inputs that it takes
    direct    its outputs are the answer: a network has no read-out behind it
    """

    make: object
    samples: tuple = ()
    peers: tuple = ()
    step: object = None
    least: int = 1
    direct: bool = False


def chained(*steps):
    """The step of a Chain whose parts have these steps, from the first on again where they are fewer."""
    def whole(chain, p, x, state):
        states = []
        for place, (part, step) in enumerate(zip(chain.parts, cycle(steps))):
            x, last = step(part, p[str(place)], x, state[:, chain.state_slices[str(place)]])
            states.append(last)
        return x, np.hstack(states)

    return whole


def linear(layer, p, x, state):
    """The step of a Linear."""
    return x @ p["W"] + p["b"], state


def plain_layer(inputs, units, **options):
    """A feed-forward layer: an FSMN without taps."""
    return FSMN(inputs, units, 0, taps="none", **options)


def bare(horizon, memory="any"):
    """A deep stack's cell: its W and b belong to the Linear in front of it."""
    return lambda units: IndRNN(units, units, horizon, memory=memory, project_input=False)


def stacked(stack, depth, **options):
    """A line for a deep stack of independent neurons, the last ones with a long memory."""
    return Model(lambda D, H, T: stack(D, H, depth, bare(T), last=bare(T, "long"), **options))


ABLATIONS = {                                                 # a DuRNN less one part, or with another start
    "ungated": {"selection": "none"},
    "gate-from-state": {"selection": "state"},
    "gate-from-input": {"selection": "input"},
    "gate-before": {"selection": "before"},
    "no-recurrence": {"bound": 0},                            # of the short-term memory
    "unbounded-short": {"bound": None},
    "unbounded-long": {"growth": None},
    "long-output": {"output": "long"},
    "open": {"gate": 0.0},
    "any-memory": {"memory": "any"},
    "clip": {"projection": "clip"},
    "open-clip": {"gate": 0.0, "projection": "clip"},
}


def less(**options):
    """A line for a DuRNN with these options. They all are in the samples of the DuRNN's own line; one stands here."""
    return Model(lambda D, H, T: DuRNN(D, H, H, T, **options), (DuRNN(2, 4, 5, horizon=9, gate=0.0),), step=durnn.step)


WIDTH, SYMBOL, BOTTOM = 96, 6, 2                              # units; numbers for a symbol; rank at a hybrid's bottom


def two_layers(of):
    """A line for two LSTM layers on a narrow Linear, the same for all; of(units) -> the parts above that Linear."""
    return Model(lambda D, units, T: Chain((Linear(D, SYMBOL, bias=False), *of(units))))


def structured(kind):
    """U of the lower layer, W and U of the upper one are of a kind; their ranks add up to `ranks`, evenly."""
    def parts(ranks):
        first, second, third = (kind(max(1, (ranks + more) // 3)) for more in (2, 1, 0))
        return Compact(LSTM(SYMBOL, WIDTH), first), Compact(LSTM(WIDTH, WIDTH), (("W", second), ("U", third)))

    return parts


def projected(ranks):
    """Both layers are projected: the recurrences, the upper layer's W and the read-out read the projections."""
    first, second = max(1, (ranks + 1) // 2), max(1, ranks // 2)
    return Compact(LSTM(SYMBOL, WIDTH), Projection(first)), Compact(LSTM(first, WIDTH), Projection(second))


def hybrid(ranks):
    """U of the lower layer is Toeplitz-like, and the rest is as in `projected`: the paper's best."""
    first, second = max(1, (ranks + 1) // 2), max(1, ranks // 2)
    bottom = Compact(LSTM(SYMBOL, WIDTH), ToeplitzLike(BOTTOM)), Linear(WIDTH, first, bias=False)
    return *bottom, Compact(LSTM(first, WIDTH), Projection(second))


COMPACT = {                                                   # units: of every layer; below: ranks, of WIDTH units each
    "lstm-two": two_layers(lambda units: (LSTM(SYMBOL, units), LSTM(units, units))),
    "lstm-two-low-rank": two_layers(structured(LowRank)),
    "lstm-two-toeplitz": two_layers(structured(ToeplitzLike)),
    "lstm-two-projection": two_layers(projected),
    "lstm-two-hybrid": two_layers(hybrid),
}
