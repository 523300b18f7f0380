"""The scans without a matrix by composition alone: every step is a map, and maps are put together in any order.

Composition is associative, so neighbours may be joined first, then pairs with pairs: after log₂ T rounds, each of which
works on whole arrays, every step has the map of all steps up to it. No loop over time is left.

Where a map overflows the loop takes over.    Source   Blelloch 1990; Martin, Cundy 2018.
"""

from math import inf

import numpy as np

from ..arrays.backend import namespace
from . import plain
from .maps import affine_after, affine_then, clipped_after, clipped_then


def gated_scan(f, v, h0, reverse=False):
    """As plain.gated_scan, to rounding  ->  h (T, B, H)."""
    if reverse:
        return gated_scan(f[::-1], v[::-1], h0)[::-1]
    h = _states((f, v), h0, affine_then, affine_after)
    return plain.gated_scan(f, v, h0) if h is None else h


def relu_scan(a, u, h0):
    """As plain.diagonal_scan with relu, to rounding  ->  h (T, B, H)."""
    xp = namespace(a, u, h0)
    maps = xp.broadcast_to(u, a.shape), a, xp.zeros_like(a), xp.full_like(a, inf)
    h = _states(maps, h0, clipped_then, clipped_after)
    return plain.diagonal_scan(a, u, h0, "relu") if h is None else h


def joined(then, maps):
    """For every step the map of all steps up to it: maps, a tuple of arrays (T, ...)  ->  the same.

    Neighbours are joined, the half as many pairs are joined in the same way, and that is the answer for every second
    step; one more join with its own map gives it for the others. About 2 T joins in all, in 2 log₂ T calls.
    """
    T, xp = len(maps[0]), namespace(*maps)
    if T < 2:
        return maps
    pairs = then([part[:T - 1:2] for part in maps], [part[1::2] for part in maps])
    odd = joined(then, pairs)                                 # steps 1, 3, 5, ..., counted from 0
    even = then([part[:(T - 1) // 2] for part in odd], [part[2::2] for part in maps])
    found = tuple(xp.empty(part.shape, part.dtype) for part in maps)
    for whole, first, second, own in zip(found, odd, even, maps):
        whole[0], whole[1::2], whole[2::2] = own[0], first, second
    return found


def _states(maps, h0, then, after):
    """The states behind every step, or None where a map overflows."""
    xp = namespace(*maps, h0)
    with np.errstate(over="ignore", invalid="ignore"):
        whole = joined(then, maps)
        h = after(h0, whole)
    return h if all(xp.isfinite(part).all() for part in (*whole[:2], h)) else None
