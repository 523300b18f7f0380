"""The one table of models, for experiments, bench, tests and planted bugs. A new model is a file and a line here."""

from dataclasses import dataclass

import numpy as np

from ..cells import (
    GRU,
    LSTM,
    RNN,
    DuRNN,
    IndRNN,
    QueueingNetwork,
    ShortTermRNN,
    durnn,
    gru,
    indrnn,
    lstm,
    queueing,
    rnn,
    short_term,
)
from .deep import dense, plain, residual
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


def chained(step):
    """The step of a Chain whose parts all have this step."""
    def whole(chain, p, x, state):
        states = []
        for place, part in enumerate(chain.parts):
            x, last = step(part, p[str(place)], x, state[:, chain.state_slices[str(place)]])
            states.append(last)
        return x, np.hstack(states)

    return whole


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


MODELS = {
    "rnn": Model(
        lambda D, H, T: RNN(D, H),
        (RNN(2, 4), RNN(2, 4, activation="sigmoid"), RNN(2, 4, activation="identity"), RNN(4, 4, project_input=False)),
        ("eager", "nn", "jax"),
        step=rnn.step,
    ),
    "irnn": Model(
        lambda D, H, T: RNN(D, H, "relu", "identity"),
        (RNN(2, 4, activation="relu", start="identity"),),
        step=rnn.step,
    ),
    "short-term": Model(
        lambda D, H, T: ShortTermRNN(D, H),
        (
            ShortTermRNN(2, 4), ShortTermRNN(2, 4, bound=0.5, activation="tanh", projection="clip"),
            ShortTermRNN(2, 4, bound=None, activation="identity"), ShortTermRNN(4, 4, project_input=False),
        ),
        step=short_term.step,
    ),
    "indrnn": Model(
        lambda D, H, T: IndRNN(D, H, T),
        (
            IndRNN(2, 4), IndRNN(2, 4, horizon=9, memory="long"), IndRNN(2, 4, activation="sigmoid"),
            IndRNN(2, 4, horizon=9, growth=None, activation="tanh"), IndRNN(4, 4, project_input=False),
        ),
        ("eager", "jax"),
        step=indrnn.step,
    ),
    "indrnn-1": Model(
        lambda D, H, T: IndRNN(D, H, T, memory="long"),
        (IndRNN(2, 4, horizon=9, memory="long"),),
        step=indrnn.step,
    ),
    "indrnn-2": Model(
        lambda D, H, T: Chain([IndRNN(D, H, T), IndRNN(H, H, T, memory="long")]),
        (Chain((IndRNN(2, 4), IndRNN(4, 5, horizon=9, memory="long"))),),
        step=chained(indrnn.step),
    ),
    "durnn": Model(
        lambda D, H, T: DuRNN(D, H, H, T),
        (
            DuRNN(2, 4, 5, horizon=9, gate=0.0), DuRNN(2, 4, 5, horizon=9, gate=0.0, output="long"),
            DuRNN(2, 5, 4, horizon=9, memory="any", projection="clip"),
            DuRNN(9, 4, 5, horizon=9, gate=0.0, project_input=False),
            DuRNN(2, 4, 5, horizon=9, bound=None, growth=None, gate=-1.0),
            DuRNN(2, 4, 5, 9, gate=0.0, selection="state"), DuRNN(2, 4, 5, 9, gate=0.0, selection="input"),
            DuRNN(2, 4, 5, 9, gate=0.0, selection="before"), DuRNN(2, 4, 5, 9, bound=0, selection="none"),
            DuRNN(8, 4, 5, 9, gate=0.0, selection="before", project_input=False),
            DuRNN(4, 4, 5, 9, selection="none", project_input=False),
        ),
        ("eager", "hoisted", "jax"),
        step=durnn.step,
    ),
    "durnn-2": Model(
        lambda D, H, T: Chain([DuRNN(D, H, H, T), DuRNN(2 * H, H, H, T)]),
        (Chain((DuRNN(2, 4, 5, horizon=9, gate=0.0), DuRNN(9, 4, 3, horizon=9, gate=0.0))),),
        step=chained(durnn.step),
    ),
    **{f"durnn-{name}": less(**options) for name, options in ABLATIONS.items()},
    "lstm": Model(
        lambda D, H, T: LSTM(D, H),
        (LSTM(2, 4), LSTM(16, 4, project_input=False)),
        ("eager", "nn", "jax"),
        step=lstm.step,
    ),
    "lstm-chrono": Model(lambda D, H, T: LSTM(D, H, horizon=T), (LSTM(2, 4, horizon=9),), step=lstm.step),
    "gru": Model(
        lambda D, H, T: GRU(D, H),
        (GRU(2, 4), GRU(12, 4, project_input=False)),
        ("eager", "nn", "jax"),
        step=gru.step,
    ),
    "gru-chrono": Model(lambda D, H, T: GRU(D, H, horizon=T), (GRU(2, 4, horizon=9),), step=gru.step),
    "queueing": Model(                                        # units: its stations', which the inputs tell
        lambda D, H, T: QueueingNetwork((D - 1) // 2, longest=0.1),
        (QueueingNetwork(2), QueueingNetwork(3, longest=0.5)),
        step=queueing.step,
        least=5,
        direct=True,
    ),
    "indrnn-5": stacked(plain, 5, norm="after"),
    "indrnn-6": stacked(plain, 6, norm="after"),
    "indrnn-21": stacked(plain, 21, norm="after"),
    "indrnn-21-no-norm": stacked(plain, 21),
    "indrnn-residual": stacked(residual, 5),                  # blocks: 11 recurrent layers
    "indrnn-residual-21": stacked(residual, 10),
    "indrnn-residual-21-no-norm": stacked(residual, 10, norm=None),
    "indrnn-dense": Model(lambda D, H, T: dense(D, H, bare(T), last=bare(T, "long"))),
}
