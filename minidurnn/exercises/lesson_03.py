"""The checkers of lesson 03, vanishing and exploding."""

from functools import reduce

import numpy as np

from ..analysis import spectral_radius
from . import _untouched, choose, judge

WANTED = ((0.8, 5.0), (0.95, 40.0), (0.99, 1000.0))           # exercise 03.4: spectral radius and peak of ‖U^k‖₂


def check_1(answer):
    """dh_3/dh_1 in the row convention."""
    choose("03.1", answer, "a", ("a", "b", "c", "d"))


def check_2(attempt):
    """dh_T/dh_0 of the blending neurons with a full matrix, against complex steps: no derivation in the referee."""
    rng = np.random.default_rng(2)
    cases = [_blend_case(rng, T, B, H) for T, B, H in ((5, 3, 4), (1, 2, 3), (2, 1, 2))]
    judge("03.2", attempt, _blend_by_complex_steps, cases, ("dh_T/dh_0",))


def check_3(attempt):
    """Norm and bound of a gated linear recurrence, against products of diagonal matrices."""
    rng = np.random.default_rng(3)
    cases = [(rng.uniform(0.3, 1.0, shape),) for shape in ((6, 2, 4), (1, 3, 2), (3, 1, 1))]
    judge("03.3", attempt, _gates_by_matrices, cases, ("the norm", "the bound"))


def check_4(attempt):
    """A matrix by its properties: spectral radius, and the largest of the norms of its powers."""
    for radius, peak in WANTED:
        U = attempt(radius, peak)
        if _untouched(U):
            print("exercise 03.4: not attempted yet")
            return
        _check_transient(np.asarray(U, float), radius, peak)
    print("exercise 03.4: correct")


def check_5(answer):
    """What clipping does to the share of far steps."""
    choose("03.5", answer, "b", ("a", "b", "c"))


def _check_transient(U, radius, peak):
    wanted = f"exercise 03.4: for radius {radius:g} and peak {peak:g},"
    if U.ndim != 2 or U.shape[0] != U.shape[1] or not np.isfinite(U).all():
        raise AssertionError(f"{wanted} your array has shape {U.shape}: expected a square matrix of finite numbers.")
    if not abs(spectral_radius(U) - radius) <= 1e-3 * radius:
        raise AssertionError(f"{wanted} your spectral radius is {spectral_radius(U):.6g}.")
    powers, norms = np.eye(len(U)), []
    for _ in range(int(20 / (1 - radius))):
        powers = powers @ U
        norms.append(np.linalg.norm(powers, 2))
    if not peak <= max(norms) <= 1.1 * peak:
        k = int(np.argmax(norms)) + 1
        raise AssertionError(f"{wanted} the largest norm is that of U^{k}, {norms[k - 1]:.6g}: expected {peak:g} to {1.1 * peak:g}.")


def _blend_case(rng, T, B, H):
    return rng.standard_normal((H, H)), rng.uniform(0.2, 0.8, H), rng.standard_normal((T, B, H)), rng.standard_normal((B, H))


def _blend_by_complex_steps(U, alpha, drive, h0, step=1e-30):
    J = np.empty((*h0.shape, len(U)))
    for i in range(len(U)):
        h = h0 + 1j * step * np.eye(len(U))[i]                # unit i of the start moved, in every sequence
        for drive_t in drive:
            h = (1 - alpha) * h + alpha * np.tanh(drive_t + h @ U)
        J[:, i] = h.imag / step
    return J


def _gates_by_matrices(f):
    T, B, _ = f.shape
    norm, bound = np.empty((T, B)), np.empty((T, B))
    for k in range(1, T + 1):
        for n in range(B):
            steps = [np.diag(gate) for gate in f[T - k:, n]]
            norm[k - 1, n] = np.linalg.norm(reduce(np.matmul, steps), 2)
            bound[k - 1, n] = np.prod([np.linalg.norm(step, 2) for step in steps])
    return norm, bound


# The reference solutions: the folded cells of the lesson hold the same text.

def blend_product(U, alpha, drive, h0):
    """U (H, H), alpha (H,), drive (T, B, H) = x W + b, h0 (B, H)  ->  dh_T/dh_0 (B, H, H)."""
    h, J = h0, np.eye(len(U))
    for drive_t in drive:                             # t = 1, 2, ..., T, left to right
        z = np.tanh(drive_t + h @ U)
        J = J @ (np.diag(1 - alpha) + U * (alpha * (1 - z * z))[:, None, :])
        h = (1 - alpha) * h + alpha * z
    return J


def gates_norm_and_bound(f):
    """Gates f (T, B, H)  ->  the norm and the bound of dh_T/dh_{T-k} for lags k = 1..T, each (T, B)."""
    backwards = f[::-1]                               # lag 1 is the last gate
    norm = np.cumprod(backwards, axis=0).max(axis=-1)
    bound = np.cumprod(backwards.max(axis=-1), axis=0)
    return norm, bound


def transient(radius, peak):
    """A square matrix with this spectral radius, below 1, and with peak ≤ max over k of ‖U^k‖₂ ≤ 1.1 · peak."""
    k = max(1, round(-1 / np.log(radius)))            # where k radius^(k-1) is largest, (3.11)
    coupling = peak / (k * radius ** (k - 1))         # so that the corner of U^k is the peak, (3.10)
    return np.array([[radius, coupling], [0.0, radius]])


def _wrong_order(U, alpha, drive, h0):
    h, J = h0, np.eye(len(U))
    for drive_t in drive:
        z = np.tanh(drive_t + h @ U)
        J = (np.diag(1 - alpha) + U * (alpha * (1 - z * z))[:, None, :]) @ J
        h = (1 - alpha) * h + alpha * z
    return J


def _slope_on_rows(U, alpha, drive, h0):
    h, J = h0, np.eye(len(U))
    for drive_t in drive:
        z = np.tanh(drive_t + h @ U)
        J = J @ (np.diag(1 - alpha) + U * (alpha * (1 - z * z))[:, :, None])
        h = (1 - alpha) * h + alpha * z
    return J


CHECKS = {"03.1": check_1, "03.2": check_2, "03.3": check_3, "03.4": check_4, "03.5": check_5}
REFERENCE = {"03.1": "a", "03.2": blend_product, "03.3": gates_norm_and_bound, "03.4": transient, "03.5": "b"}
WRONG = {
    "03.1": ["b", "c", "d"],
    "03.2": [
        _wrong_order,
        _slope_on_rows,
        lambda U, alpha, drive, h0: blend_product(U, alpha, drive, h0).transpose(0, 2, 1),          # the column convention
        lambda U, alpha, drive, h0: blend_product(U, 0 * alpha + 1, drive, h0),                     # the old share forgotten
    ],
    "03.3": [
        lambda f: (np.cumprod(f, axis=0).max(-1), np.cumprod(f.max(-1), axis=0)),           # from the wrong end
        lambda f: gates_norm_and_bound(f)[::-1],                                            # exchanged
        lambda f: (gates_norm_and_bound(f)[1], gates_norm_and_bound(f)[1]),                 # the bound taken for the norm
    ],
    "03.4": [
        lambda radius, peak: np.array([[radius, peak], [0.0, radius]]),                     # the first power holds the peak already
        lambda radius, peak: peak * np.eye(2),                                              # the wrong radius
        lambda radius, peak: np.array([[0.0, -radius], [radius, 0.0]]),                     # normal: nothing grows
    ],
    "03.5": ["a", "c"],
}
