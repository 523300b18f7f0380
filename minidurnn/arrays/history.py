"""The N steps before a stretch of a sequence, as a state (B, N·H): side by side, the oldest first."""

import numpy as np

from .backend import namespace


def with_history(state, x):
    """N steps in a state (B, N·H), then x (T, B, H)  ->  all of them, (N+T, B, H)."""
    B, H = x.shape[1:]
    return namespace(state, x).concatenate([state.reshape(B, -1, H).swapaxes(0, 1), x])


def last_steps(steps, N, lengths=None):
    """The N steps that are handed on, of (N+T, B, H) as with_history gives them  ->  a state (B, N·H).

    lengths   NumPy integers (B,): how many of the T steps each sequence has, None: all
    """
    _, B, H = steps.shape
    return steps[_places(steps, N, lengths)].swapaxes(0, 1).reshape(B, N * H)


def add_last_steps(dsteps, dstate, N, lengths=None):
    """Add the gradient (B, N·H) on what last_steps gave to that on the steps, dsteps (N+T, B, H), in place."""
    _, B, H = dsteps.shape
    dsteps[_places(dsteps, N, lengths)] += dstate.reshape(B, N, H).swapaxes(0, 1)


def _places(steps, N, lengths):
    """The index of the N steps in front of each sequence's end."""
    if lengths is None:
        return slice(len(steps) - N, None)
    xp = namespace(steps)
    return xp.asarray(lengths + np.arange(N)[:, None]), xp.arange(steps.shape[1])
