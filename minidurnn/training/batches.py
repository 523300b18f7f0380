"""Batches of a task: drawn, checked, cut into windows, moved to the device."""

import numpy as np

from ..arrays.backend import to
from ..arrays.data import check_data
from .update import Batch


def batches(network, task, run, size, window=None, dtype="float32", backend="numpy"):
    """Batches without end, from a run's place in the data on: each of `size` sequences, or a window of them.

    A batch's `after` holds the streams' states as they were in front of the sequences in use, and the steps of them
    already used: so a run that stopped between two windows draws the same sequences again.
    """
    streams, offset = {name: np.random.default_rng() for name in ("data_rng", "noise_rng")}, run.offset
    for name, rng in streams.items():
        rng.bit_generator.state = getattr(run, name)
    while True:
        before = {name: rng.bit_generator.state for name, rng in streams.items()}
        x, target, lengths = draw(network, task.batch(streams["data_rng"], size), dtype, backend)
        noise = to(backend, network.draw(streams["noise_rng"], size))
        if window is not None and lengths is not None:
            raise ValueError(
                "the task gives sequences of different lengths: expected window=None, "
                "for windows cut all sequences at the same steps.")
        behind = {name: rng.bit_generator.state for name, rng in streams.items()}
        length = len(x) if window is None else window
        if offset >= len(x) or offset % length:
            raise ValueError(
                f"the checkpoint stopped at step {offset} of sequences of {len(x)} steps: expected its own task.")
        for first in range(offset, len(x), length):
            ends, piece = first + length >= len(x), slice(first, first + length)
            after = {**behind, "offset": 0} if ends else {**before, "offset": first + length}
            yield Batch(x[piece], target if window is None else target[piece], lengths, noise, after)
        offset = 0


def draw(network, data, dtype, backend):
    """A task's data (NumPy x, target, lengths) in a dtype on a backend, checked: on a GPU nothing later reads them.

    Raises   TypeError and ValueError as `check` does.
    """
    lengths = check(network, data, dtype)
    return moved((*data[:2], lengths), dtype, backend)


def check(network, data, dtype):
    """Raise unless data are x, target, lengths that fit a network  ->  the lengths as int64, or None.

    Raises   TypeError for what are no three, or no arrays of numbers; ValueError for numbers that are not finite in
             `dtype`, class numbers out of range and impossible lengths. What stands in the padding is not looked at.
    """
    if not isinstance(data, (tuple, list)) or len(data) != 3:
        size = f" of {len(data)}" if isinstance(data, (tuple, list)) else ""
        raise TypeError(
            f"the data are a {type(data).__name__}{size}: expected x, target, lengths (None where all are equal).")
    return check_data(*data, network, dtype)


def moved(data, dtype, backend):
    """Checked data in a dtype on a backend; class numbers keep theirs, lengths stay."""
    *arrays, lengths = data
    with np.errstate(over="ignore"):                          # in the padding, which nothing reads
        cast = [array.astype(dtype, copy=False) if array.dtype.kind == "f" else array for array in arrays]
    return *(to(backend, array) for array in cast), lengths
