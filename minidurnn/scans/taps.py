"""A tapped delay line: what stands in place of a loop over time where nothing comes back from the outputs.

Python goes once around per tap, not per step: each turn is one product over all steps, sequences and units.
"""

from ..arrays.affine import rows_sum
from ..arrays.backend import namespace


def tapped_sum(h, w):
    """m[t] = Σ_k w[k] ⊙ h[t+k]: h (T+K-1, B, H), w (K, H), or (K, 1) for all units alike  ->  m (T, B, H)."""
    xp = namespace(h, w)
    T = len(h) - len(w) + 1
    m = h[:T] * w[0]
    product = xp.empty_like(m)
    for k in range(1, len(w)):
        xp.multiply(h[k:k + T], w[k], out=product)
        m += product
    return m


def tapped_sum_backward(dm, h, w):
    """dm (T, B, H) on every m[t]  ->  dh (T+K-1, B, H), dw like w.

    dh[t+k] collects w[k] ⊙ dm[t] from every tap, and dw[k] is the sum of dm[t] ⊙ h[t+k] over steps and sequences.
    """
    xp = namespace(dm, h, w)
    T = len(dm)
    dh, dw = xp.zeros(h.shape, h.dtype), xp.empty((len(w), h.shape[-1]), h.dtype)
    product = xp.empty(dm.shape, h.dtype)
    for k in range(len(w)):
        xp.multiply(dm, w[k], out=product)
        dh[k:k + T] += product
        xp.multiply(dm, h[k:k + T], out=product)
        dw[k] = rows_sum(product)
    return dh, dw if w.shape[1] == dw.shape[1] else dw.sum(1, keepdims=True)
