"""Sequences of different lengths in one batch, padded on the right. What stands behind a sequence's end is never read.

Lengths are NumPy integers (B,), on either backend, and int64 behind their check. Cells know none of them: a walk over
the time stops at each end and goes on with the sequences that are left (`networks.chunked`); batch norm leaves the
padding out of its statistics.
"""

import numpy as np

from .backend import library, namespace


def check_lengths(lengths, T, B):
    """B integers from 1 to T, of any integer dtype, or None  ->  the same as int64, or None.    Raises ValueError."""
    if lengths is None:
        return None
    ours = library(type(lengths)) == "numpy"
    if not ours or lengths.dtype.kind not in "iu" or lengths.shape != (B,):
        given = lengths.dtype if ours else type(lengths).__name__
        raise ValueError(
            f"lengths is {given} of shape {getattr(lengths, 'shape', None)}: "
            f"expected NumPy integers of shape ({B},), one per sequence.")
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest < 1 or longest > T:
        raise ValueError(
            f"lengths go from {shortest} to {longest}: expected 1 to {T}, the number of steps in x; "
            "leave empty sequences out.")
    return lengths.astype(np.int64)                           # sums and differences of small or unsigned integers wrap


def before_end(lengths, T, like):
    """Which steps belong to their sequence, in the library of `like`  ->  (T, B) of bools."""
    return namespace(like).asarray(np.arange(T)[:, None] < lengths)


def without_padding(x, lengths):
    """x (T, B) or (T, B, ·) with zeros behind each sequence's end, whatever stood there; x itself without lengths."""
    if lengths is None:
        return x
    there = before_end(lengths, len(x), x)
    return namespace(x).where(there[..., None] if x.ndim == 3 else there, x, x.dtype.type(0))


def taken(array, rows):
    """Some sequences (`rows`, NumPy integers) of an array (B, ...); all of them where rows is None, None for None."""
    return array if array is None or rows is None else array[namespace(array).asarray(rows)]


def put(array, rows, part):
    """A copy of an array (B, ...) in which some sequences are exchanged; `part` itself where rows is None."""
    if rows is None:
        return part
    array = array.copy()
    array[namespace(array).asarray(rows)] = part
    return array
