"""Stretches of one long row of values, in which every step's target is the value behind it."""

import numpy as np


def check_stretch(length, values):
    """Raise ValueError unless so many values have a stretch of this length and its last target."""
    if length > values - 1:
        raise ValueError(
            f"length is {length}: expected at most {values - 1}, for validation and test have one stretch at least.")


def stretches(values, starts, length):
    """The stretches of values (N,) that begin at starts (B,), each with one value more  ->  (length + 1, B).

    Without the last row they are what is read, without the first one the targets.
    """
    return values[np.arange(length + 1)[:, None] + starts]
