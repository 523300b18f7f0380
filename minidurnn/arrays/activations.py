"""Activations: each value next to its slope, the slope written in terms of the output h = φ(a). relu'(0) = 0."""

import numpy as np

from .backend import namespace

NAMES = ("relu", "tanh", "sigmoid", "identity")


def activation(name, like):
    """φ as a function that overwrites an array of the shape and dtype of `like` with φ of it, and returns it.

    Raises   ValueError for an unknown name.
    """
    xp = namespace(like)
    if name == "relu":
        zero = xp.zeros_like(like)                            # in full: NumPy is several times slower with a scalar
        return lambda a: xp.maximum(a, zero, out=a)
    if name == "tanh":
        return lambda a: xp.tanh(a, out=a)
    if name == "sigmoid":
        return sigmoid
    if name == "identity":
        return lambda a: a
    raise ValueError(f"unknown activation {name!r}: expected one of {', '.join(NAMES)}.")


def sigmoid(a):
    """σ(a) = (1 + tanh(a/2)) / 2, which overflows for no a; overwrites a and returns it."""
    a *= 0.5
    namespace(a).tanh(a, out=a)
    a += 1.0
    a *= 0.5
    return a


def slope(name, h):
    """φ'(a) from the output h = φ(a), as a new array of h's shape."""
    if name == "relu":
        return (h > 0).astype(h.dtype)
    if name == "tanh":
        return 1.0 - h * h
    if name == "sigmoid":
        return h * (1.0 - h)
    if name == "identity":
        return namespace(h).ones_like(h)
    raise ValueError(f"unknown activation {name!r}: expected one of {', '.join(NAMES)}.")


FORMULAS = {                                                  # as one reads them, in plain NumPy
    "relu": lambda a: np.maximum(a, 0.0),
    "tanh": np.tanh,
    "sigmoid": lambda a: 1.0 / (1.0 + np.exp(-a)),
    "identity": lambda a: a,
}
