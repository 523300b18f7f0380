"""The GRU's loop over time and its backward loop, with the reset gate after the recurrent product.

Layout   in the tape the gates stand gate by gate, (3, B, H); a, da and U keep them side by side. The order is r, z, n.
Source   Cho et al. 2014, in the variant of cuDNN and PyTorch.
"""

from ..arrays.affine import rows_product, rows_sum
from ..arrays.backend import namespace
from .plain import arriving, backwards


def gru_scan(a, U, c, h0):
    """r, z = σ(a + h[t-1] U), n = tanh(a_n + r ⊙ (h[t-1] U_n + c)), h[t] = (1 - z) ⊙ n + z ⊙ h[t-1].

    a (T, B, 3H), U (H, 3H), c (H,), h0 (B, H)
        ->  h (T, B, H), gates r, z, n (T, 3, B, H), m = h[t-1] U_n + c (T, B, H)
    """
    xp = namespace(a, U, c, h0)
    T, B, H = len(a), *h0.shape
    gates, U_gates = xp.empty((T, 3, B, H), a.dtype), xp.empty((3, H, H), a.dtype)
    for gate, factor in enumerate((0.5, 0.5, 1.0)):           # σ(v) = (1 + tanh(v/2)) / 2
        xp.multiply(a[..., gate * H:(gate + 1) * H], factor, out=gates[:, gate])
        xp.multiply(U[:, gate * H:(gate + 1) * H], factor, out=U_gates[gate])
    h, m = xp.empty((T, B, H), a.dtype), xp.empty((T, B, H), a.dtype)
    recurrent, product = xp.empty((3, B, H), a.dtype), xp.empty((B, H), a.dtype)
    for g_t, h_t, m_t in zip(gates, h, m):
        xp.matmul(h0, U_gates, out=recurrent)
        sigmoids, (r, z, n) = g_t[:2], g_t
        sigmoids += recurrent[:2]
        xp.tanh(sigmoids, out=sigmoids)
        sigmoids *= 0.5
        sigmoids += 0.5
        xp.add(recurrent[2], c, out=m_t)
        xp.multiply(r, m_t, out=product)
        n += product
        xp.tanh(n, out=n)
        xp.subtract(h0, n, out=h_t)                           # h[t] = n + z ⊙ (h[t-1] - n)
        h_t *= z
        h_t += n
        h0 = h_t
    return h, gates, m


def gru_scan_backward(dh, h, gates, m, U, h0, carry=None):
    """The gradient on all that gru_scan is given  ->  da (T, B, 3H), dU (H, 3H), dc (H,), dh0 (B, H).

    dh (T, B, H) on every h[t], carry (B, H) on the last h, each None for zero
    """
    xp = namespace(dh, h, U, h0, carry)
    T, B, H = h.shape
    total, back, U_back = arriving(xp, h0, carry), xp.empty((B, H), h.dtype), xp.ascontiguousarray(U.T)
    r, z, n = (gates[:, gate] for gate in range(3))
    before = xp.concatenate([h0[None], h[:-1]])
    local = 1.0 - gates                                       # the factors between total and da, with σ' = σ (1 - σ)
    xp.multiply(local[:, 1], 1.0 - n * n, out=local[:, 2])    # ∂h[t]/∂a_n[t]
    local[:, :2] *= gates[:, :2]
    local[:, 0] *= m
    local[:, 1] *= before - n
    behind = xp.empty((T, B, 3 * H), h.dtype)                 # what the product h[t-1] U receives: it sees m, not a_n
    by_gate = behind.reshape(T, B, 3, H).swapaxes(1, 2)       # (T, 3, B, H)
    for step, (behind_t, dh_t) in zip(reversed(range(T)), backwards(behind, dh)):
        if dh_t is not None:
            total += dh_t
        da_n = local[step, 2]                                 # was the factor
        da_n *= total
        xp.multiply(local[step, 0], da_n, out=by_gate[step, 0])       # r acts on n only
        xp.multiply(local[step, 1], total, out=by_gate[step, 1])
        xp.multiply(r[step], da_n, out=by_gate[step, 2])
        xp.matmul(behind_t, U_back, out=back)
        total *= z[step]                                      # the direct way from h[t] to h[t-1]
        total += back
    da = behind.copy()
    da[..., 2 * H:] = local[:, 2]
    return da, rows_product(before, behind), rows_sum(behind[..., 2 * H:]), total
