"""The LSTM's loop with another forget gate: how much of c[t-1] is kept is a function of its own.

Layout   in the tape stand i, f, z, o and then the slopes ∂f/∂a of what f reads, (5 or 6, B, H); a, da and U keep
         i, f, z, o and, for the refined gate, r.
Source   refined: Gu, Gulcehre, Paine, Hoffman, Pascanu 2020; fast: Ohno, Kanai, Ida 2023; floor: ours.
"""

from ..arrays.activations import sigmoid
from ..arrays.affine import rows_product
from ..arrays.backend import namespace
from .plain import arriving, backwards

BEYOND = 20.0                                                 # where the fast gate is 0 or 1 in every dtype


def refined(xp, least, a_f, a_r):
    """f = 2 r s + (1 - 2 r) s², with s = σ(a_f), r = σ(a_r)  ->  f, ∂f/∂a_f, ∂f/∂a_r."""
    s, r = sigmoid(a_f.copy()), sigmoid(a_r.copy())
    both = s * (1.0 - s)
    return (
        2.0 * r * s + (1.0 - 2.0 * r) * s * s, 2.0 * (r + (1.0 - 2.0 * r) * s) * both, 2.0 * both * r * (1.0 - r))


def fast(xp, least, a_f):
    """f = σ(sinh a_f)  ->  f, ∂f/∂a_f = f (1 - f) cosh a_f."""
    within = xp.clip(a_f, -BEYOND, BEYOND)
    f = sigmoid(xp.sinh(within))
    return f, f * (1.0 - f) * xp.cosh(within)


def floored(xp, least, a_f):
    """f = ℓ + (1 - ℓ) σ(a_f), never below ℓ  ->  f, ∂f/∂a_f."""
    s = sigmoid(a_f.copy())
    return least + (1.0 - least) * s, (1.0 - least) * s * (1.0 - s)


FORMS = {"refine": refined, "fast": fast, "floor": floored}


def forget_scan(a, U, h0, c0, form, least=None):
    """As lstm_scan, with f of this form: "refine", "fast" or "floor".

    a (T, B, 4H; refine: 5H), U (H, the same), h0, c0 (B, H), least (H,): ℓ, or None
        ->  h, c (T, B, H), kept (T, 5 or 6, B, H), tanh(c) (T, B, H)
    """
    xp = namespace(a, U, h0, c0)
    T, B, H = len(a), *h0.shape
    kept = xp.empty((T, a.shape[2] // H + 1, B, H), a.dtype)
    h, c, tanh_c = (xp.empty((T, B, H), a.dtype) for _ in range(3))
    for a_t, kept_t, h_t, c_t, tanh_c_t in zip(a, kept, h, c, tanh_c):
        total = h0 @ U
        total += a_t
        a_i, a_f, a_z, a_o, *a_r = (total[:, gate:gate + H] for gate in range(0, total.shape[1], H))
        f, *slopes = FORMS[form](xp, least, a_f, *a_r)
        for place, part in enumerate((sigmoid(a_i), f, xp.tanh(a_z), sigmoid(a_o), *slopes)):
            kept_t[place] = part
        i, f, z, o = kept_t[:4]
        xp.multiply(f, c0, out=c_t)
        c_t += i * z
        xp.tanh(c_t, out=tanh_c_t)
        xp.multiply(o, tanh_c_t, out=h_t)
        h0, c0 = h_t, c_t
    return h, c, kept, tanh_c


def forget_scan_backward(dh, h, c, kept, tanh_c, U, h0, c0, carry=None, carry_c=None):
    """The gradient on all that forget_scan is given, but ℓ  ->  da as a, dU as U, dh0, dc0 (B, H).

    dh (T, B, H) on every h[t], carry and carry_c (B, H) on the last h and c, each None for zero
    """
    xp = namespace(dh, h, c, U, h0, c0, carry, carry_c)
    T, B, H = h.shape
    total, dc, U_back = arriving(xp, h0, carry), arriving(xp, c0, carry_c), xp.ascontiguousarray(U.T)
    i, f, z, o, *slopes = (kept[:, place] for place in range(kept.shape[1]))
    before = xp.concatenate([c0[None], c[:-1]])
    to_c = o * (1.0 - tanh_c * tanh_c)                        # ∂h[t]/∂c[t]
    reading = tanh_c * o * (1.0 - o)                          # ∂h[t]/∂a_o[t]
    by_forget = [before * slope for slope in slopes]          # ∂c[t]/∂a_f[t], and a_r
    local = [i * (1.0 - i) * z, by_forget[0], i * (1.0 - z * z), *by_forget[1:]]
    places = [0, 1, 2, *range(4, U.shape[1] // H)]            # where they stand in da: i, f, z, and r behind o
    da = xp.empty((T, B, U.shape[1]), h.dtype)
    for step, (da_t, dh_t) in zip(reversed(range(T)), backwards(da, dh)):
        if dh_t is not None:
            total += dh_t
        dc += total * to_c[step]                              # the whole gradient at c[t]
        for place, factor in zip(places, local):
            xp.multiply(factor[step], dc, out=da_t[:, place * H:(place + 1) * H])
        xp.multiply(reading[step], total, out=da_t[:, 3 * H:4 * H])
        dc *= f[step]                                         # now what arrives at c[t-1]
        total = da_t @ U_back                                 # now what arrives at h[t-1]
    return da, rows_product(h[:-1], da[1:]) + h0.T @ da[0], total, dc
