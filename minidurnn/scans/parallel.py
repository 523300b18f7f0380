"""The scans without a matrix, parallel over time: what the kernels do with few columns and many steps, in plain NumPy.

Some steps of a gated scan, or of a diagonal one with relu, do to a state h no more than h -> clip(a h + b, low, high).
Two such maps one after the other are one again, so the steps are cut into pieces that are put together at the same
time; then one walk from piece to piece finds the state in front of each, and the pieces are run at the same time.

Shapes   a map (a, b, low, high) of arrays (pieces, B, H), one number for each piece and column
Source   Martin, Cundy 2018, for the linear scan; that ReLU IndRNNs are a scan too is ours.
"""

from math import inf

from ..arrays.backend import namespace


def gated_scan(f, v, h0, pieces):
    """As scans.gated_scan, in so many pieces  ->  h (T, B, H)."""
    return run(f, v, -inf, h0, pieces)


def relu_scan(a, u, h0, pieces):
    """As scans.diagonal_scan with relu, in so many pieces  ->  h (T, B, H)."""
    xp = namespace(a, u, h0)
    return run(xp.broadcast_to(u, a.shape), a, 0.0, h0, pieces)


def run(f, v, low, h0, pieces):
    """h[t] = max(f[t] ⊙ h[t-1] + v[t], low), in pieces of one length, the last one perhaps shorter  ->  h (T, B, H)."""
    xp, T, length = namespace(f, v, h0), len(v), -(-len(v) // pieces)
    starts = range(0, T, length)
    f, v = (_side_by_side(xp, array, starts, length) for array in (f, v))     # (length, pieces, B, H)
    one, none = xp.ones_like(v[0]), xp.zeros_like(v[0])
    whole = one, none, none - inf, none + inf                 # leaves any state as it is
    for f_t, v_t in zip(f, v):
        whole = then(whole, (f_t, v_t, none + low, none + inf))
    before = xp.empty(v.shape[1:], v.dtype)                   # the state in front of every piece
    for piece, map_ in enumerate(zip(*whole)):
        before[piece] = h0
        h0 = after(h0, map_)
    h = xp.empty(v.shape, v.dtype)
    for f_t, v_t, h_t in zip(f, v, h):
        h_t[...] = before = after(before, (f_t, v_t, low, inf))
    return h.swapaxes(0, 1).reshape(-1, *h.shape[2:])[:T]


def then(first, second):
    """The map that does `first`, then `second`."""
    (a, b, low, high), (a2, b2, low2, high2) = first, second
    xp = namespace(a)
    ends = [xp.where(a2 == 0.0, b2, xp.where(a2 == 0.0, 1.0, a2) * end + b2) for end in (low, high)]   # 0 · ∞ is NaN
    return a2 * a, a2 * b + b2, *(xp.clip(end, low2, high2) for end in (xp.minimum(*ends), xp.maximum(*ends)))


def after(h, map_):
    """The state behind some steps that a map stands for."""
    a, b, low, high = map_
    xp = namespace(h)
    return xp.minimum(xp.maximum(a * h + b, low), high)


def _side_by_side(xp, array, starts, length):
    """(T, B, H)  ->  (length, pieces, B, H), zeros behind the end."""
    whole = xp.zeros((len(starts) * length, *array.shape[1:]), array.dtype)
    whole[:len(array)] = array
    return whole.reshape(len(starts), length, *array.shape[1:]).swapaxes(0, 1)
