"""A queueing network's fluid model as a recurrent cell: its weights are the stations' rates and the routing."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import (
    at_least,
    check_array,
    check_gradients,
    check_options,
    check_parameters,
    initial_state,
    number,
    opened,
)
from ..arrays.starts import uniform
from ..scans import queueing_scan, queueing_scan_backward
from .constraints import HAIR
from .contract import Cell

Tape = namedtuple("Tape", "p x q0 q m")


@dataclass(frozen=True)
class QueueingNetwork(Cell):
    """A closed queueing network of M stations, as the mean jobs q at every station, step by step of a fluid.

        x[t] = (Δ, a, c): the time that the step lasts, the jobs that arrive at its beginning, the servers
        z = q[t-1] + a,    q[t] = z + Δ min(z, c) Q,    Q[i, j] = μ[i] P[i, j] for j ≠ i,    Q[i, i] = -Σ of these

    The output is q, which is the state too. What leaves a station arrives at another, so jobs are kept to rounding.
    With rows of P that sum to 1, Q = diag(μ) (P - I). P's diagonal has no effect.
    longest    the longest Δ that will be given: `project` keeps μ ≤ 1 / longest, under which no q gets below 0
    Source     Garbi, Incerto, Tribastone 2020, by its abstract and two public adaptations of its equation, which is
               q[t] = q[t-1] + Δ min(q[t-1], c) Q. Arrivals, which bring the start, and servers as inputs are ours.
    """

    stations: int                                             # M
    longest: float = 1.0

    inputs = property(lambda self: 1 + 2 * self.stations)
    outputs = state_size = property(lambda self: self.stations)
    shapes = property(lambda self: {"mu": (self.stations,), "P": (self.stations, self.stations)})

    def __post_init__(self):
        check_options(
            self, stations=at_least(2, ", for a job that leaves a station goes to another"),
            longest=number("a finite time above 0, of the longest step", lambda longest: longest > 0))

    def init(self, rng):
        """Start values  ->  dict of float32 NumPy arrays: mu (M,) within 0.5 to 1.5, P (M, M), about equal shares."""
        M = self.stations
        return self.project({"mu": uniform(rng, 0.5, 1.5, M), "P": uniform(rng, 0.5, 1.0, (M, M)) / M})

    def forward(self, p, x, state=None):
        """x (T, B, 1 + 2M), state q (B, M) or None for an empty network  ->  q (T, B, M), tape."""
        q0 = initial_state(self, p, x, state)
        q, m = queueing_scan(*self._parts(x), rates_of_change(p), q0)
        return q, Tape(p, x, q0, q, m)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, M) direct gradient on every q[t], dstate (B, M) on the state handed on  ->  dx, dstate0, dp."""
        p, x, q0, q, m = opened(Tape, tape)
        check_gradients(self, dh, dstate, x)
        xp, (Δ, _, c), Q = namespace(x), self._parts(x), rates_of_change(p)
        dΔ, da, dc, dQ, dq0 = queueing_scan_backward(dh, q, m, Δ, c, Q, q0, carry=dstate)
        along = dQ - xp.diag(dQ)[:, None]                     # on μ[i] P[i, j]: what is sent to j is taken from i
        return xp.concatenate([dΔ, da, dc], axis=-1), dq0, {
            "mu": (along * p["P"]).sum(1), "P": p["mu"][:, None] * along}

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, M)."""
        return tape.q[-1]

    def project(self, p):
        """p with 0 ≤ μ ≤ 1 / longest, P's diagonal 0 and its rows on the simplex; p itself where that holds."""
        check_parameters(p, self.shapes)
        mu, P = project_rates(p["mu"], 1.0 / self.longest), project_routing(p["P"])
        return p if mu is p["mu"] and P is p["P"] else {**p, "mu": mu, "P": P}

    def _parts(self, x):
        M = self.stations
        return x[..., :1], x[..., 1:1 + M], x[..., 1 + M:]


def rates_of_change(p):
    """Q (M, M): Q[i, j] jobs move from i to j in a unit of time for every busy server of i; its rows sum to 0."""
    xp = namespace(p["mu"], p["P"])
    moves = p["mu"][:, None] * p["P"]
    return moves - xp.diag(moves.sum(1))


def project_rates(mu, limit):
    """μ with 0 ≤ μ ≤ limit  ->  (M,), μ itself where that holds. One device sync on a GPU."""
    xp = namespace(mu)
    if bool(((mu >= 0) & (mu <= limit)).all() | ~xp.isfinite(mu).all()):
        return mu
    return xp.clip(mu, 0.0, limit * (1.0 - HAIR)).astype(mu.dtype)


def project_routing(P):
    """The nearest P (M, M) with diagonal 0 and rows of shares that sum to 1; P itself where that holds to rounding, or
    where it is not finite, which the training reports. One device sync on a GPU.

    Method   w = max(v - θ, 0) for the row's other entries v, with θ = max over k of (sum of the k largest - 1) / k.
             All pairs of a row are compared, for M³ numbers in memory: few launches on a GPU, and stations are few.
    """
    xp, M = namespace(P), len(P)
    off = 1.0 - xp.eye(M)
    even = abs(P.astype("float64").sum(1) - 1.0) <= M * float(np.finfo(P.dtype).eps)
    if bool(((P >= 0).all() & (xp.diag(P) == 0).all() & even.all()) | ~xp.isfinite(P).all()):
        return P
    v = P.astype("float64")
    counted = (v[:, None, :] >= v[:, :, None]) * off[:, None, :]                  # [i, j, k]: v[i, k] ≥ v[i, j]
    sums, k = (counted * v[:, None, :]).sum(2), counted.sum(2)                    # of the entries from v[i, j] on up
    θ = xp.where(off > 0, (sums - 1.0) / xp.maximum(k, 1.0), -xp.inf).max(axis=1, keepdims=True)
    w = xp.maximum(v - θ, 0.0) * off
    return (w / w.sum(1)[:, None]).astype(P.dtype)            # the sum is 1 but for rounding, which grows with v


def check_routing(P, name="P"):
    """Raise ValueError unless P (M, M) is a routing: finite, no entry negative, diagonal 0, rows that sum to 1."""
    check_array(name, P, ("M", len(P)))
    wrong = {
        "which is not finite": ~np.isfinite(P), "which is negative": P < 0,
        "on the diagonal: a job that leaves a station goes to another": np.eye(len(P)) * P > 0,
    }
    for what, where in wrong.items():
        if where.any():
            i, j = np.argwhere(where)[0]
            raise ValueError(
                f"{name}[{i}, {j}] is {P[i, j]}, {what}; expected shares from 0 to 1 with a diagonal of 0.")
    off = abs(P.sum(1) - 1)
    if off.max() > 1e-5:
        raise ValueError(
            f"row {off.argmax()} of {name} sums to {P[off.argmax()].sum():.6g}: expected 1, for all jobs that leave go "
            f"somewhere; divide each row by its sum, or use project of a QueueingNetwork.")


def step(cell, p, x, state):
    """One step as the equation reads, plain NumPy: x (B, 1 + 2M), state q (B, M)  ->  q (B, M), state."""
    M = cell.stations
    Δ, a, c = x[:, :1], x[:, 1:1 + M], x[:, 1 + M:]
    z = state + a
    leaving = p["mu"] * np.minimum(z, c)                      # jobs in a unit of time, from every station
    P = p["P"] * (1 - np.eye(M))
    q = z + Δ * (leaving @ P - leaving * P.sum(1))
    return q, q
