"""The twins of diagonal_scan and gated_scan: a thread for each column, or for each piece of one.

A column is one unit of one sequence through all steps. Where the columns are too few to keep the GPU busy and a step
is a map of the kind that recurrences.cu puts together, time is cut into pieces that are walked at the same time.
"""

import sys

from ..arrays.activations import NAMES
from ..arrays.backend import namespace
from .loading import attribute, kernel, packed, pointer

MAPS, STARTS, STEPS = range(3)                                # the phases of a scan, as recurrences.cu counts them
THREADS = 128                                                 # in a block
BUSY = 512                                                    # threads that keep one multiprocessor busy: a guess
FEWEST = 4                                                    # pieces below which three launches do not pay
SHORTEST = 32                                                 # steps of a piece
MAPPED = ("relu", "identity")                                 # activations of which a step is such a map


def pieces(T, columns):
    """Into how many pieces T steps of so many columns are cut: enough to keep the GPU busy, 1 where that is no gain."""
    busy = BUSY * attribute(sys.modules["cupy"], "MultiProcessorCount")
    found = min(T // SHORTEST, busy // max(1, columns))
    return found if found >= FEWEST else 1


def launch(name, like, cut, *arguments):
    """Walk through an array (T, B, H) like this one in `cut` pieces, with a kernel and what is its own."""
    xp, (T, B, H) = namespace(like), like.shape
    if not like.size:
        return
    columns, maps, starts, phases = B * H, 0, 0, (STEPS,)
    if cut > 1:
        maps, starts = xp.empty((cut, columns, 4), like.dtype), xp.empty((cut, columns), like.dtype)
        phases = MAPS, STARTS, STEPS
    blocks = (cut * columns + THREADS - 1) // THREADS
    for phase in phases:
        kernel(like, name)((blocks,), (THREADS,), (maps, starts, T, columns, cut, phase, *map(pointer, arguments)))


def diagonal_scan(a, u, h0, activation):
    """h[t] = φ(a[t] + u ⊙ h[t-1])  ->  h (T, B, H)."""
    xp, (T, B, H) = namespace(a, u, h0), a.shape
    a, u, h0 = packed(xp, a, T, B, H), packed(xp, u, H), packed(xp, h0, B, H)
    h, cut = xp.empty_like(a), pieces(T, B * H) if activation in MAPPED else 1
    launch("diagonal_scan", h, cut, a, u, h0, h, H, code(activation))
    return h


def diagonal_scan_backward(dh, h, u, h0, activation, carry=None):
    """da[t] = φ'[t] ⊙ (dh[t] + u ⊙ da[t+1])  ->  da (T, B, H), du (H,), dh0 (B, H)."""
    xp, (T, B, H) = namespace(dh, h, u, h0, carry), h.shape
    dh, h, u = packed(xp, dh, T, B, H), packed(xp, h, T, B, H), packed(xp, u, H)
    h0, carry = packed(xp, h0, B, H), packed(xp, carry, B, H)
    cut = pieces(T, B * H)
    da, shares, dh0 = xp.empty_like(h), xp.empty((cut, B, H), h.dtype), xp.empty_like(h0)
    launch("diagonal_scan_backward", h, cut, dh, h, u, h0, carry, da, shares, dh0, H, code(activation))
    return da, shares.sum((0, 1)), dh0


def gated_scan(f, v, h0, reverse=False):
    """h[t] = f[t] ⊙ h[t-1] + v[t]; reversed, h[t] = f[t] ⊙ h[t+1] + v[t] and h0 behind the end  ->  h (T, B, H)."""
    xp, (T, B, H) = namespace(f, v, h0), v.shape
    f, v, h0 = packed(xp, f, T, B, H), packed(xp, v, T, B, H), packed(xp, h0, B, H)
    h = xp.empty_like(v)
    launch("gated_scan", h, pieces(T, B * H), f, v, h0, h, int(reverse))
    return h


def gated_scan_backward(dh, h, f, h0, carry=None):
    """dv[t] = dh[t] + f[t+1] ⊙ dv[t+1], df[t] = dv[t] ⊙ h[t-1]  ->  df, dv (T, B, H), dh0 (B, H)."""
    xp, (T, B, H) = namespace(dh, h, f, h0, carry), h.shape
    dh, h, f = packed(xp, dh, T, B, H), packed(xp, h, T, B, H), packed(xp, f, T, B, H)
    h0, carry = packed(xp, h0, B, H), packed(xp, carry, B, H)
    df, dv, dh0 = xp.empty_like(h), xp.empty_like(h), xp.empty_like(h0)
    launch("gated_scan_backward", h, pieces(T, B * H), dh, h, f, h0, carry, df, dv, dh0)
    return df, dv, dh0


def code(activation):
    """The number by which recurrences.cu knows an activation.    Raises ValueError for an unknown name."""
    if activation not in NAMES:
        raise ValueError(f"unknown activation {activation!r}: expected one of {', '.join(NAMES)}.")
    return NAMES.index(activation)
