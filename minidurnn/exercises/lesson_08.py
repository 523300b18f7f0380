"""The checkers of lesson 08, where the gradient goes."""

import numpy as np

from . import choose, judge


def check_1(answer):
    """The shortest half-life that the long-term start hands out."""
    choose("08.1", answer, "c", {
        "a": "that is the half-life of ρ = 0.9, which bounds the short-term memory.",
        "b": "the smallest u is γ^(-1/T): after T steps, not after T/2, half is left for γ = 2.", "c": "",
        "d": "that would need a u above the smallest one in the range.",
    })


def check_2(attempt):
    """dl_T/ds_t for every t, against products of the whole state's matrices."""
    rng = np.random.default_rng(2)
    judge("08.2", attempt, _by_blocks, [_pieces(rng, T, S, L) for T, S, L in ((6, 4, 3), (2, 3, 5), (1, 2, 3))], ("dl_T/ds_t",))


def check_3(attempt):
    """Σ_j ρ^j ū^(lag-j) without a loop, against the loop; two equal numbers among the cases."""
    cases = [(np.float64(rho), np.float64(u_max), lag) for rho, u_max, lag in ((0.9, 1.01, 5), (0.9, 0.5, 7), (0.95, 0.95, 4), (1.0, 1.0, 100), (0.3, 0.8, 0))]
    with np.errstate(all="ignore"):                           # 0/0 is nan, and refused as that
        judge("08.3", attempt, lambda rho, u_max, lag: sum(rho**j * u_max ** (lag - j) for j in range(lag + 1)), cases, ("the sum",))


def check_4(attempt):
    """The share of a long smear's terms from j = horizon on is the tolerance."""
    cases = [(1.0, 10, 0.05), (1.01, 22, 0.1), (0.98, 3, 0.5)]

    def share(u_max, horizon, tolerance):
        rho = attempt(u_max, horizon, tolerance)
        if rho is ... or rho is None:
            return rho
        terms = (np.float64(rho) / u_max) ** np.arange(20_000)
        return terms[horizon:].sum() / terms.sum()

    with np.errstate(all="ignore"):
        judge("08.4", share, lambda u_max, horizon, tolerance: tolerance, cases, ("the share from the horizon on",))


def check_5(attempt):
    """The bound on χ that knows the largest gate; the steepest gate is found on a grid."""
    rng = np.random.default_rng(5)
    cases = [(*rng.uniform(0.5, 3.0, 3).tolist(), g_max) for g_max in (0.03, 0.4, 0.5, 0.8, 1.0)]
    judge("08.5", attempt, _strength_by_grid, cases, ("the bound",), tolerance=1e-6)


def _pieces(rng, T, S, L):
    return 0.4 * rng.standard_normal((T, S, S)), rng.standard_normal((T, S, L)), rng.uniform(0.6, 1.1, (T, L))


def _by_blocks(A, R, keep):
    """Through the state [s, l] as a whole, l_t held, and the way from s_t into l_t added."""
    T, S, L = R.shape
    J = np.empty_like(R)
    for t in range(T):
        whole = np.eye(S + L)
        for k in range(t + 1, T):
            whole = whole @ np.block([[A[k], A[k] @ R[k]], [np.zeros((L, S)), np.diag(keep[k])]])
        J[t] = whole[:S, S:] + R[t] @ whole[S:, S:]
    return J


def _strength_by_grid(norm_l, norm_g, c_max, g_max):
    gates = np.linspace(0, g_max, 100_001)
    return norm_l * gates.max() + norm_g * c_max * (gates * (1 - gates)).max()


# The reference solutions: the folded cells of the lesson hold the same text.

def mixed_paths(A, R, keep):
    """A (T, S, S), R (T, S, L), keep (T, L) as above  ->  dl_T/ds_t for t = 1..T, (T, S, L)."""
    J, kept = np.empty_like(R), np.ones_like(keep[0])
    for k in reversed(range(len(R))):
        J[k] = R[k] * kept                            # down at once, then along the bottom row
        if k + 1 < len(R):
            J[k] += A[k + 1] @ J[k + 1]               # or one step to the right first
        kept = kept * keep[k]                         # the diagonal of dl_T/dl_{k-1}
    return J


def smear_sum(rho, u_max, lag):
    """Σ rho^j u_max^(lag-j) over j = 0..lag  ->  a number."""
    if rho == u_max:
        return (lag + 1) * rho**lag
    return (u_max ** (lag + 1) - rho ** (lag + 1)) / (u_max - rho)


def bound_for_smear(u_max, horizon, tolerance):
    """The ρ for which a share `tolerance` of a long smear comes in after `horizon` steps or more  ->  a number."""
    return u_max * tolerance ** (1 / horizon)


def strength_bound(norm_l, norm_g, c_max, g_max):
    """‖W_l‖₂, ‖W_g‖₂, the largest |c_k| and the largest gate of a sequence  ->  a bound on χ."""
    steepest = g_max * (1 - g_max) if g_max < 0.5 else 0.25
    return norm_l * g_max + norm_g * c_max * steepest


def _held(A, R, keep):
    kept = np.cumprod(np.concatenate([keep[1:], np.ones_like(keep[:1])])[::-1], axis=0)[::-1]      # (T, L)
    return mixed_paths(A, R, keep) - R * kept[:, None]


def _one_step_late(A, R, keep):
    J, kept = np.empty_like(R), np.ones_like(keep[0])
    for k in reversed(range(len(R))):
        kept = kept * keep[k]
        J[k] = R[k] * kept + (A[k + 1] @ J[k + 1] if k + 1 < len(R) else 0)
    return J


def _same_step(A, R, keep):
    return mixed_paths(np.roll(A, 1, axis=0), R, keep)


def _columns(A, R, keep):
    return mixed_paths(A.transpose(0, 2, 1), R, keep)


CHECKS = {"08.1": check_1, "08.2": check_2, "08.3": check_3, "08.4": check_4, "08.5": check_5}
REFERENCE = {"08.1": "c", "08.2": mixed_paths, "08.3": smear_sum, "08.4": bound_for_smear, "08.5": strength_bound}
WRONG = {
    "08.1": ["a", "b", "d"],
    "08.2": [_held, _one_step_late, _same_step, _columns],    # l_t held; one factor u too many; A of the wrong step; transposed
    "08.3": [
        lambda rho, u_max, lag: (u_max ** (lag + 1) - rho ** (lag + 1)) / (u_max - rho),    # nothing for equal numbers
        lambda rho, u_max, lag: (lag + 1) * rho**lag if rho == u_max else (u_max**lag - rho**lag) / (u_max - rho),      # a term short
        lambda rho, u_max, lag: lag * rho**lag if rho == u_max else smear_sum(rho, u_max, lag),
    ],
    "08.4": [
        lambda u_max, horizon, tolerance: tolerance ** (1 / horizon),                       # ū forgotten
        lambda u_max, horizon, tolerance: u_max * (1 - tolerance) ** (1 / horizon),         # the share within
        lambda u_max, horizon, tolerance: u_max * tolerance ** (1 / (horizon + 1)),
    ],
    "08.5": [
        lambda norm_l, norm_g, c_max, g_max: norm_l + norm_g * c_max / 4,                   # knows nothing of the gate
        lambda norm_l, norm_g, c_max, g_max: norm_l * g_max + norm_g * c_max * g_max * (1 - g_max),     # no bound for open gates
        lambda norm_l, norm_g, c_max, g_max: norm_l * g_max + norm_g * c_max / 4,
    ],
}
