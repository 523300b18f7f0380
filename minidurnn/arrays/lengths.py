"""Sequences of different lengths in one batch, padded on the right. What stands behind a sequence's end is never read.

Lengths are NumPy integers (B,), on either backend. Cells know none of them: a walk over the time stops at each end and
goes on with the sequences that are left (`networks.chunked`); batch norm leaves the padding out of its statistics.
"""

import numpy as np

from .backend import namespace


def check_lengths(lengths, T, B):
    """Raise ValueError unless lengths is None or B integers from 1 to T."""
    if lengths is None:
        return
    if not isinstance(lengths, np.ndarray) or lengths.dtype.kind not in "iu" or lengths.shape != (B,):
        raise ValueError(f"lengths is {getattr(lengths, 'dtype', type(lengths).__name__)} of shape {getattr(lengths, 'shape', None)}: expected NumPy integers of shape ({B},), one per sequence.")
    if lengths.min() < 1 or lengths.max() > T:
        raise ValueError(f"lengths go from {lengths.min()} to {lengths.max()}: expected 1 to {T}, the number of steps in x; leave empty sequences out.")


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
