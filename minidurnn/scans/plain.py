"""The three loops over time and their backward loops, step by step.

Shapes   a, h, f, v and their gradients (T, B, H); h0, carry (B, H); U (H, H); u (H,).
Letters  dh is the loss's direct gradient on every h[t] (None = zero); carry is what arrives at h[T] from the steps
         after the stretch (None = zero); `total` is the whole gradient at h[t]; da the total at the pre-activation.
Source   lesson 01 (matrix_scan); Li et al. 2018, equation 3 (diagonal_scan); Martin and Cundy 2018 (gated_scan).
"""

from itertools import repeat

from ..arrays.activations import activation as overwriting
from ..arrays.activations import slope
from ..arrays.affine import rows_product
from ..arrays.backend import namespace


def matrix_scan(a, U, h0, activation):
    """h[t] = φ(a[t] + h[t-1] U)  ->  h (T, B, H)."""
    xp = namespace(a, U, h0)
    h, φ, before = xp.empty(a.shape, a.dtype), overwriting(activation, h0), h0
    for a_t, h_t in zip(a, h):
        xp.matmul(before, U, out=h_t)
        h_t += a_t
        before = φ(h_t)
    return h


def matrix_scan_backward(dh, h, U, h0, activation, carry=None):
    """da[t] = φ'[t] ⊙ (dh[t] + da[t+1] Uᵀ)  ->  da (T, B, H), dU (H, H), dh0 (B, H)."""
    xp = namespace(dh, h, U, h0, carry)
    da, total, U_back = slope(activation, h), arriving(xp, h0, carry), xp.ascontiguousarray(U.T)
    for da_t, dh_t in backwards(da, dh):
        if dh_t is not None:
            total += dh_t
        da_t *= total                                         # da[t] was φ'[t]
        xp.matmul(da_t, U_back, out=total)                    # now what arrives at h[t-1]
    return da, rows_product(h[:-1], da[1:]) + h0.T @ da[0], total


def diagonal_scan(a, u, h0, activation):
    """h[t] = φ(a[t] + u ⊙ h[t-1])  ->  h (T, B, H)."""
    xp = namespace(a, u, h0)
    h, φ, before = xp.empty(a.shape, a.dtype), overwriting(activation, h0), h0
    u = xp.ascontiguousarray(xp.broadcast_to(u, h0.shape))    # (B, H): one long product is faster than B short ones
    for a_t, h_t in zip(a, h):
        xp.multiply(before, u, out=h_t)
        h_t += a_t
        before = φ(h_t)
    return h


def diagonal_scan_backward(dh, h, u, h0, activation, carry=None):
    """da[t] = φ'[t] ⊙ (dh[t] + u ⊙ da[t+1])  ->  da (T, B, H), du (H,), dh0 (B, H)."""
    xp = namespace(dh, h, u, h0, carry)
    da, total = slope(activation, h), arriving(xp, h0, carry)
    u = xp.ascontiguousarray(xp.broadcast_to(u, h0.shape))    # (B, H)
    for da_t, dh_t in backwards(da, dh):
        if dh_t is not None:
            total += dh_t
        da_t *= total                                         # da[t] was φ'[t]
        xp.multiply(da_t, u, out=total)                       # now what arrives at h[t-1]
    return da, xp.einsum("nh,nh->h", _rows(da[1:]), _rows(h[:-1])) + (da[0] * h0).sum(0), total


def gated_scan(f, v, h0, reverse=False):
    """h[t] = f[t] ⊙ h[t-1] + v[t]  ->  h (T, B, H).

    Reversed, h[t] = f[t] ⊙ h[t+1] + v[t], and h0 stands after the end.
    """
    xp = namespace(f, v, h0)
    h, before = xp.empty(v.shape, v.dtype), h0
    for f_t, v_t, h_t in zip(f[::-1], v[::-1], h[::-1]) if reverse else zip(f, v, h):
        xp.multiply(f_t, before, out=h_t)
        h_t += v_t
        before = h_t
    return h


def gated_scan_backward(dh, h, f, h0, carry=None):
    """dv[t] = dh[t] + f[t+1] ⊙ dv[t+1], df[t] = dv[t] ⊙ h[t-1]  ->  df, dv (T, B, H), dh0 (B, H)."""
    xp = namespace(dh, h, f, h0, carry)
    df, dv, total = xp.empty(h.shape, h.dtype), xp.empty(h.shape, h.dtype), arriving(xp, h0, carry)
    for (dv_t, dh_t), f_t in zip(backwards(dv, dh), f[::-1]):
        if dh_t is not None:
            total += dh_t
        dv_t[...] = total
        total *= f_t                                          # now what arrives at h[t-1]
    xp.multiply(dv[1:], h[:-1], out=df[1:])
    xp.multiply(dv[0], h0, out=df[0])
    return df, dv, total


def arriving(xp, h0, carry):
    """What arrives at the last step from the steps after it, in an array of its own."""
    return xp.zeros(h0.shape, h0.dtype) if carry is None else xp.array(carry, order="C")


def backwards(da, dh):
    """The steps from the last to the first, each with the loss's direct gradient on it (None where dh is)."""
    return zip(da[::-1], repeat(None) if dh is None else dh[::-1])


def _rows(a):
    return a.reshape(-1, a.shape[-1])                         # (T·B, H)
