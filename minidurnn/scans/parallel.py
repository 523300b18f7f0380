"""The scans without a matrix in three phases: what the kernels do with few columns and many steps, in plain NumPy.

Time is cut into pieces of one length. (1) Each piece's steps are put together to one map, all pieces at the same time;
(2) a walk from piece to piece finds the state in front of each; (3) the pieces are run, all at the same time. A loop of
T steps becomes two of T / pieces and one of `pieces`, over arrays that are `pieces` times as large.

Where a map overflows, as the product of many gates above 1 does, the loop takes over, whose states need not overflow.
Source   Martin, Cundy 2018, section 2.2, for the linear scan; that ReLU IndRNNs are a scan too is ours.
"""

from math import inf, isqrt

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import at_least
from . import plain
from .maps import affine_after, affine_then, clipped_after, clipped_then


def gated_scan(f, v, h0, reverse=False, pieces=None):
    """As plain.gated_scan, to rounding, in so many pieces (None: as many as make the fewest steps)  ->  h (T, B, H)."""
    if reverse:
        return gated_scan(f[::-1], v[::-1], h0, pieces=pieces)[::-1]
    return _run(f, v, h0, pieces, plain.gated_scan, affine_then, affine_after, ())


def relu_scan(a, u, h0, pieces=None):
    """As plain.diagonal_scan with relu, to rounding, in so many pieces  ->  h (T, B, H)."""
    f = namespace(a, u, h0).broadcast_to(u, a.shape)

    def loop(_, v, before):
        return plain.diagonal_scan(v, u, before, "relu")

    return _run(f, a, h0, pieces, loop, clipped_then, clipped_after, (0.0, inf))


def gated_scan_backward(dh, h, f, h0, carry=None):
    """As plain.gated_scan_backward, to rounding: a gated scan in reverse, with the gates of the step behind each.

    returns  df, dv (T, B, H), dh0 (B, H)
    """
    xp = namespace(dh, h, f, h0, carry)
    behind = xp.concatenate([f[1:], xp.ones_like(f[:1])])     # f[t+1]; the last step takes the carry whole
    dh = xp.zeros_like(h) if dh is None else dh
    dv = gated_scan(behind, dh, xp.zeros_like(h0) if carry is None else carry, reverse=True)
    df = behind                                               # no longer needed
    xp.multiply(dv[1:], h[:-1], out=df[1:])
    xp.multiply(dv[0], h0, out=df[0])
    return df, dv, f[0] * dv[0]


def fewest(T):
    """The pieces for which two loops of T / pieces steps and one of `pieces` are the fewest: the root of 2 T."""
    return isqrt(2 * T)


def _run(f, v, h0, pieces, loop, then, after, bounds):
    """The scan whose every step is the map (f[t], v[t], *bounds); `loop` serves what is left  ->  h (T, B, H)."""
    xp, T = namespace(f, v, h0), len(v)
    pieces = fewest(T) if pieces is None else at_least(1)("pieces", pieces)
    pieces = max(1, min(pieces, T))
    length, h = T // pieces, xp.empty(v.shape, v.dtype)
    if length == 0:
        return h                                              # no steps at all
    cut = length * pieces
    f_cut, v_cut, h_cut = (array[:cut].reshape(pieces, length, *v.shape[1:]) for array in (f, v, h))
    with np.errstate(over="ignore", invalid="ignore"):
        before = _starts(f_cut, v_cut, h0, then, after, bounds)
    if before is None:
        return loop(f, v, h0)
    for t in range(length):                                   # (3)
        before = h_cut[:, t] = after(before, (f_cut[:, t], v_cut[:, t], *bounds))
    h[cut:] = loop(f[cut:], v[cut:], h[cut - 1])              # fewer steps than pieces
    return h


def _starts(f, v, h0, then, after, bounds):
    """The state in front of every piece (pieces, B, H), of f, v (pieces, length, B, H); None where one overflows."""
    xp = namespace(f, v, h0)
    whole = f[:, 0], v[:, 0], *(xp.full_like(v[:, 0], bound) for bound in bounds)
    for t in range(1, f.shape[1]):                            # (1)
        whole = then(whole, (f[:, t], v[:, t], *bounds))
    before = xp.empty(v[:, 0].shape, v.dtype)
    for piece, map_ in enumerate(zip(*whole)):                # (2)
        before[piece] = h0
        h0 = after(h0, map_)
    fine = all(xp.isfinite(part).all() for part in (*whole[:2], before, h0))
    return before if fine else None
