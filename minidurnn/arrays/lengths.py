"""Sequences of different lengths in one batch: right padding, and where each sequence ends.

Cells need no mask: a later step changes no earlier one. Lengths enter at the read-out and the loss, in pooled batch norm
and where a state is handed on. They are NumPy integers (B,), on either backend.
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


def last_step(h, lengths=None):
    """h (T, B, H) at each sequence's own last step, the last of all without lengths  ->  (B, H)."""
    if lengths is None:
        return h[-1]
    xp = namespace(h)
    return h[xp.asarray(lengths - 1), xp.arange(len(lengths))]


def valid_steps(lengths, T, like):
    """1 where a step belongs to its sequence, 0 in the padding, in the dtype and library of `like`  ->  (T, B, 1)."""
    mask = np.arange(T)[:, None, None] < lengths[:, None]
    return namespace(like).asarray(mask.astype(like.dtype))


def ends_in(piece, T, B, lengths=None):
    """Where sequences end within a piece of time  ->  steps (B,), counted from 1 in the piece; here (B,), true where the end lies in it."""
    ends = np.full(B, T) if lengths is None else lengths
    return np.clip(ends - piece.start, 1, piece.stop - piece.start), (ends > piece.start) & (ends <= piece.stop)


def choose(here, new, old):
    """Rows (B, ...) of `new` where `here` is true, of `old` elsewhere; `new` itself before there is an old one."""
    xp = namespace(new)
    return new if old is None else xp.where(xp.asarray(here)[:, None], new, old)
