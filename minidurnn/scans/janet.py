"""JANET's loop over time and its backward loop.

Layout   in the tape f, the share k that is not written, and z stand side by side, (3, B, H); a, da and U keep f, z.
Source   van der Westhuizen, Lasenby 2018.
"""

from ..arrays.activations import sigmoid
from ..arrays.affine import rows_product
from ..arrays.backend import namespace
from .plain import arriving, backwards


def janet_scan(a, U, c0, beta):
    """f = σ(s), k = σ(s - β), z = tanh(·), with s, · = a[t] + c[t-1] U: c[t] = f ⊙ c[t-1] + (1 - k) ⊙ z.

    a (T, B, 2H), U (H, 2H), c0 (B, H), beta a number  ->  c (T, B, H), gates f, k, z (T, 3, B, H)
    """
    xp = namespace(a, U, c0)
    T, B, H = len(a), *c0.shape
    c, gates, before = xp.empty((T, B, H), a.dtype), xp.empty((T, 3, B, H), a.dtype), c0
    for a_t, c_t, (f, k, z) in zip(a, c, gates):
        total = before @ U
        total += a_t
        f[...] = total[:, :H]
        xp.subtract(f, beta, out=k)
        sigmoid(f)
        sigmoid(k)
        xp.tanh(total[:, H:], out=z)
        xp.multiply(k, z, out=c_t)
        xp.subtract(z, c_t, out=c_t)                          # (1 - k) ⊙ z
        c_t += f * before
        before = c_t
    return c, gates


def janet_scan_backward(dc, c, gates, U, c0, carry=None):
    """The gradient on all that janet_scan is given, but β  ->  da (T, B, 2H), dU (H, 2H), dc0 (B, H).

    dc (T, B, H) on every c[t], carry (B, H) on the last c, each None for zero
    """
    xp = namespace(dc, c, U, c0, carry)
    H, total, U_back = c.shape[2], arriving(xp, c0, carry), xp.ascontiguousarray(U.T)
    before, (f, k, z) = xp.concatenate([c0[None], c[:-1]]), gates.swapaxes(0, 1)
    da = xp.concatenate([before * f * (1.0 - f) - z * k * (1.0 - k), (1.0 - k) * (1.0 - z * z)], axis=-1)
    for (da_t, dc_t), f_t in zip(backwards(da, dc), f[::-1]):
        if dc_t is not None:
            total += dc_t
        da_t[:, :H] *= total                                  # da[t] was ∂c[t]/∂a[t]
        da_t[:, H:] *= total
        total *= f_t                                          # the direct way from c[t] to c[t-1]
        total += da_t @ U_back
    return da, rows_product(before, da), total
