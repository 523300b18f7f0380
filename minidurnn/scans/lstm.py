"""The LSTM's loop over time and its backward loop.

Layout   in the tape the gates stand gate by gate, (4, B, H) in the order o, i, f, z: the three sigmoids side by side,
         and side by side the three that the cell state's gradient reaches. a, da and U keep i, f, z, o.
Source   lesson 14's conventions; Hochreiter, Schmidhuber 1997 with the forget gate of Gers et al. 2000.
"""

from ..arrays.affine import rows_product
from ..arrays.backend import namespace
from .plain import arriving, backwards

ORDER = (3, 0, 1, 2)                                          # where o, i, f, z stand in i, f, z, o


def lstm_scan(a, U, h0, c0):
    """i, f, o = σ(a + h[t-1] U), z = tanh(·), c[t] = f ⊙ c[t-1] + i ⊙ z, h[t] = o ⊙ tanh(c[t]).

    a (T, B, 4H), U (H, 4H), h0, c0 (B, H)  ->  h, c (T, B, H), gates (T, 4, B, H), tanh(c) (T, B, H)
    """
    xp = namespace(a, U, h0, c0)
    T, B, H = len(a), *h0.shape
    half = [0.5, 0.5, 0.5, 1.0]                               # σ(v) = (1 + tanh(v/2)) / 2: one tanh serves all four
    gates, U_gates = xp.empty((T, 4, B, H), a.dtype), xp.empty((4, H, H), a.dtype)
    for place, (gate, factor) in enumerate(zip(ORDER, half)):
        xp.multiply(a[..., gate * H:(gate + 1) * H], factor, out=gates[:, place])
        xp.multiply(U[:, gate * H:(gate + 1) * H], factor, out=U_gates[place])
    h, c, tanh_c = (xp.empty((T, B, H), a.dtype) for _ in range(3))
    recurrent, product = xp.empty((4, B, H), a.dtype), xp.empty((B, H), a.dtype)
    for g_t, h_t, c_t, tanh_c_t in zip(gates, h, c, tanh_c):
        xp.matmul(h0, U_gates, out=recurrent)
        g_t += recurrent
        xp.tanh(g_t, out=g_t)
        sigmoids = g_t[:3]
        sigmoids *= 0.5
        sigmoids += 0.5
        o, i, f, z = g_t
        xp.multiply(f, c0, out=c_t)
        xp.multiply(i, z, out=product)
        c_t += product
        xp.tanh(c_t, out=tanh_c_t)
        xp.multiply(o, tanh_c_t, out=h_t)
        h0, c0 = h_t, c_t
    return h, c, gates, tanh_c


def lstm_scan_backward(dh, h, c, gates, tanh_c, U, h0, c0, carry=None, carry_c=None):
    """The gradient on all that lstm_scan is given  ->  da (T, B, 4H), dU (H, 4H), dh0, dc0 (B, H).

    dh (T, B, H) on every h[t], carry and carry_c (B, H) on the last h and c, each None for zero
    """
    xp = namespace(dh, h, U, h0, c0, carry, carry_c)
    T, B, H = h.shape
    total, dc, product = arriving(xp, h0, carry), arriving(xp, c0, carry_c), xp.empty((B, H), h.dtype)
    o, i, f, z = (gates[:, place] for place in range(4))
    to_c = o - h * tanh_c                                     # ∂h[t]/∂c[t] = o ⊙ (1 - tanh²)
    local = 1.0 - gates                                       # ∂(h or c)[t]/∂a[t], with σ' = σ (1 - σ)
    local[:, 0] *= h                                          # h is o ⊙ tanh(c)
    local[:, 1:3] *= gates[:, 1:3]
    local[:, 1] *= z
    local[1:, 2] *= c[:-1]
    local[0, 2] *= c0
    local[:, 3] *= 1.0 + z                                    # tanh' = (1 - z) (1 + z)
    local[:, 3] *= i
    U_back, da = xp.ascontiguousarray(U.T), xp.empty((T, B, 4 * H), h.dtype)
    by_gate = da.reshape(T, B, 4, H).swapaxes(1, 2)           # (T, 4, B, H), in the order of a
    for step, (da_t, dh_t) in zip(reversed(range(T)), backwards(da, dh)):
        if dh_t is not None:
            total += dh_t
        xp.multiply(total, to_c[step], out=product)
        dc += product                                         # the whole gradient at c[t]
        xp.multiply(local[step, 0], total, out=by_gate[step, 3])
        xp.multiply(local[step, 1:], dc, out=by_gate[step, :3])
        dc *= f[step]                                         # now what arrives at c[t-1]
        xp.matmul(da_t, U_back, out=total)                    # now what arrives at h[t-1]
    return da, rows_product(h[:-1], da[1:]) + h0.T @ da[0], total, dc
