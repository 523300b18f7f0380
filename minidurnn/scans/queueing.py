"""The loop over time of a queueing network's fluid model and its backward loop.

Shapes   Δ (T, B, 1); a, c, q, m and their gradients (T, B, M); q0 (B, M); Q (M, M).
Letters  Δ the time that a step lasts, a the jobs that arrive at its beginning, c the servers, q the jobs at every
         station behind it, m the servers that are busy in it; Q the rates of change. dq is the loss's direct gradient
         on every q[t], `total` the whole one.
Source   lesson 22; the equation: models.md's of Garbi, Incerto, Tribastone 2020, with arrivals, which are ours.
"""

from ..arrays.affine import rows, rows_back, rows_product
from ..arrays.backend import namespace
from .plain import arriving, backwards


def queueing_scan(Δ, a, c, Q, q0):
    """z = q[t-1] + a[t], m[t] = min(z, c[t]), q[t] = z + Δ[t] m[t] Q  ->  q, m (T, B, M)."""
    xp = namespace(Δ, a, c, Q, q0)
    q, m, before, change = xp.empty(a.shape, a.dtype), xp.empty(a.shape, a.dtype), q0, xp.empty(q0.shape, q0.dtype)
    for Δ_t, a_t, c_t, q_t, m_t in zip(Δ, a, c, q, m):
        xp.add(before, a_t, out=q_t)
        xp.minimum(q_t, c_t, out=m_t)
        xp.matmul(m_t, Q, out=change)
        change *= Δ_t
        q_t += change
        before = q_t
    return q, m


def queueing_scan_backward(dq, q, m, Δ, c, Q, q0, carry=None):
    """The gradient on all that queueing_scan is given  ->  dΔ (T, B, 1), da, dc (T, B, M), dQ (M, M), dq0 (B, M).

    dq (T, B, M) on every q[t], carry (B, M) on the last, each None for zero. At z = c the gradient falls to c.
    """
    xp = namespace(dq, q, m, Δ, c, Q, q0, carry)
    total, all_total = arriving(xp, q0, carry), xp.empty(q.shape, q.dtype)
    waiting = (m < c).astype(q.dtype)                         # 1 where a job more would be served at once
    through, Q_back, to_m = Δ * waiting, xp.ascontiguousarray(Q.T), xp.empty(q0.shape, q0.dtype)
    for (total_t, dq_t), through_t in zip(backwards(all_total, dq), through[::-1]):
        if dq_t is not None:
            total += dq_t
        total_t[...] = total
        xp.matmul(total, Q_back, out=to_m)
        to_m *= through_t
        total += to_m                                         # now what arrives at q[t-1]
    dm = rows_back(all_total, Q) * Δ
    at_z = waiting * dm
    dΔ = (rows(m, Q) * all_total).sum(-1, keepdims=True)
    return dΔ, all_total + at_z, dm - at_z, rows_product(m, Δ * all_total), total
