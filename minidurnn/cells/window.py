"""Window: the last inputs side by side, what a feed-forward language model reads."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, initial_state, opened
from ..arrays.history import add_last_steps, last_steps, with_history
from .contract import Cell

Tape = namedtuple("Tape", "x steps")                          # steps: those before x, then x, (past + T, B, D)


@dataclass(frozen=True)
class Window(Cell):
    """y[t] = [x[t], x[t-1], ..., x[t-past]]: no parameters; the state is the last `past` inputs, the oldest first.

    Source   the input of a feed-forward language model: Bengio et al. 2003.
    """

    inputs: int                                               # D
    past: int                                                 # N

    outputs = property(lambda self: (self.past + 1) * self.inputs)
    state_size = property(lambda self: self.past * self.inputs)
    chunk = 50
    shapes = {}

    def __post_init__(self):
        check_options(self, inputs=at_least(1), past=at_least(0))

    def init(self, rng):
        """No parameters  ->  {}."""
        return {}

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, N·D) or None for zeros  ->  y (T, B, (N+1)·D), tape."""
        steps, T, N = with_history(initial_state(self, p, x, state), x), len(x), self.past
        return namespace(x).concatenate([steps[N - i:N - i + T] for i in range(N + 1)], axis=-1), Tape(x, steps)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, (N+1)·D), dstate (B, N·D) on the state handed on  ->  dx, dstate0, {}."""
        x, steps = opened(Tape, tape)
        check_gradients(self, dy, dstate, x)
        T, N, D = len(x), self.past, self.inputs
        dsteps = namespace(x).zeros(steps.shape, steps.dtype)
        for i in range(N + 1 if dy is not None else 0):
            dsteps[N - i:N - i + T] += dy[..., i * D:(i + 1) * D]
        if N and dstate is not None:
            add_last_steps(dsteps, dstate, N)
        return dsteps[N:], last_steps(dsteps[:N], N), {}

    def last_state(self, tape):
        """The last N inputs, (B, N·D)."""
        return last_steps(tape.steps, self.past)


def step(window, p, x, state):
    """One step, plain NumPy: x (B, D), state (B, N·D)  ->  y, state."""
    inputs = np.hstack([state, x]).reshape(len(x), -1, window.inputs)
    return inputs[:, ::-1].reshape(len(x), -1), inputs[:, 1:].reshape(len(x), -1)
