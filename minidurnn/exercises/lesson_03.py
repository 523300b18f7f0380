"""The checkers of lesson 03, vanishing and exploding."""

from functools import reduce

import numpy as np

from ..analysis import spectral_radius
from . import UNTOUCHED, called, choose, fail, judge, kind, numbers

WANTED = ((0.8, 5.0), (0.95, 40.0), (0.99, 1000.0))           # exercise 03.3: spectral radius and peak of ‖U^k‖₂


def check_1(answer):
    """dh_2/dh_0 of the worked example."""
    choose("03.1", answer, "a", {
        "a": "",
        "b": "J_2 J_1 has the first row (½, 1½). It lets the move meet step 2 before step 1.",
        "c": "J_2ᵀ J_1ᵀ has the first row (½, 0). It is the transpose of the product, which carries a gradient back.",
        "d": "J_1 J_2 and J_2 J_1 differ in the corner, 3 against 1½: matrices do not commute.",
    })


def check_2(attempt):
    """dh_T/dh_0 of the blending neurons with a full matrix, against complex steps: no derivation in the referee."""
    rng = np.random.default_rng(2)
    cases = [_blend_case(rng, T, B, H) for T, B, H in ((1, 2, 3), (2, 1, 2), (5, 3, 4))]
    judge("03.2", attempt, _blend_by_complex_steps, cases, ("dh_T/dh_0",), mistakes={
        "it is the product in the wrong order: the first step belongs on the left": _wrong_order,
        "the slope multiplies row i, but it belongs to the unit that moves, column j": _slope_on_rows,
        "it is the transpose: rows are the moved units, columns those that move": _turned,
        "the path of the old share, diag(1 - α), is missing": _old_share_forgotten,
        "α is missing in the second path": _share_forgotten,
    })


def check_3(attempt):
    """A matrix by its properties: spectral radius, and the largest of the norms of its powers."""
    for radius, peak in WANTED:
        where = f" for radius {radius:g} and peak {peak:g}"
        U = called("03.3", attempt, (radius, peak), where)
        if U is ...:
            print(f"exercise 03.3: {UNTOUCHED}")
            return
        _check_transient(_square("03.3", "U", U), radius, peak, where)
    print("exercise 03.3: correct")


def check_4(attempt):
    """A matrix and slopes between 0 and 1 that make the product larger than slopes of 1 do."""
    answer = called("03.4", attempt, ())
    if answer is ...:
        print(f"exercise 03.4: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail("03.4", f"got {kind(answer)}, expected two results separated by a comma: return U, slopes.")
    if any(part is ... for part in answer):
        print("exercise 03.4: not finished: one of the two is still `...`")
        return
    U = _square("03.4", "U", answer[0])
    slopes = numbers("03.4", "slopes", answer[1]).astype(float)
    if slopes.ndim != 2 or slopes.shape[1] != len(U) or not 1 <= len(slopes) <= 100:
        fail("03.4", f"slopes has shape {slopes.shape}, expected (T, {len(U)}): a row for each of at most 100 steps.")
    if not ((slopes >= 0) & (slopes <= 1)).all():
        fail("03.4", f"slopes reach from {slopes.min():.4g} to {slopes.max():.4g}, expected 0 to 1.")
    plain, sloped = (np.linalg.norm(_product(U, rows), 2) for rows in (np.ones_like(slopes), slopes))
    if not plain <= 1:
        fail("03.4", f"with all slopes 1 the norm is {plain:.4g} already, expected at most 1.")
    if not sloped >= 100:
        fail(
            "03.4", f"with your slopes the norm is {sloped:.4g}, expected at least 100 ({plain:.4g} with slopes of 1)."
        )
    print("exercise 03.4: correct")


def check_5(answer):
    """What clipping does to the share of far steps."""
    choose("03.5", answer, "b", {
        "a": "clipping does not cut the near steps alone. It multiplies every piece, near or far, by the same number.",
        "b": "",
        "c": "the far pieces do shrink, but the near ones shrink by the same factor, and a share is a quotient.",
    })


def _square(exercise, name, given):
    U = numbers(exercise, name, given).astype(float)
    if U.ndim != 2 or U.shape[0] != U.shape[1] or U.size == 0:
        fail(exercise, f"{name} has shape {U.shape}, expected a square matrix, (H, H).")
    if not np.isfinite(U).all():
        fail(exercise, f"{name} has entries that are not finite.")
    return U


def _product(U, slopes):
    return reduce(np.matmul, [U * row for row in slopes])


def _check_transient(U, radius, peak, where):
    if not abs(spectral_radius(U) - radius) <= 1e-3 * radius:
        fail("03.3", f"the spectral radius of your matrix is {spectral_radius(U):.4g}{where}, expected {radius:g}.")
    powers, norms = np.eye(len(U)), []
    with np.errstate(over="ignore", invalid="ignore"):        # an absurdly large matrix is refused below
        for _ in range(int(20 / (1 - radius))):
            powers = powers @ U
            norms.append(np.linalg.norm(powers, 2) if np.isfinite(powers).all() else np.inf)
    if not peak <= max(norms) <= 1.1 * peak:
        k = int(np.argmax(norms)) + 1
        why = " (κ is the peak already, but the corner of (3.9) still grows by the factor k)"
        hint = why if len(U) == 2 and np.isclose(abs(U[0, 1]), peak) else ""
        wanted = f"expected {peak:g} to {1.1 * peak:g}"
        fail("03.3", f"the largest norm of a power is ‖U^{k}‖₂ = {norms[k - 1]:.4g}{where}, {wanted}{hint}.")


def _blend_case(rng, T, B, H):
    U, alpha = rng.standard_normal((H, H)), rng.uniform(0.2, 0.8, H)
    return U, alpha, rng.standard_normal((T, B, H)), rng.standard_normal((B, H))


def _blend_by_complex_steps(U, alpha, drive, h0, step=1e-30):
    J = np.empty((*h0.shape, len(U)))
    for i in range(len(U)):
        h = h0 + 1j * step * np.eye(len(U))[i]                # unit i of the start moved, in every sequence
        for drive_t in drive:
            h = (1 - alpha) * h + alpha * np.tanh(drive_t + h @ U)
        J[:, i] = h.imag / step
    return J


# The reference solutions: the folded cells of the lesson hold the same text.

def blend_product(U, alpha, drive, h0):
    """U (H, H), alpha (H,), drive (T, B, H) = x W + b, h0 (B, H)  ->  dh_T/dh_0 (B, H, H)."""
    h, J = h0, np.eye(len(U))
    for drive_t in drive:                             # t = 1, 2, ..., T, left to right
        z = np.tanh(drive_t + h @ U)
        J = J @ (np.diag(1 - alpha) + U * (alpha * (1 - z * z))[:, None, :])
        h = (1 - alpha) * h + alpha * z
    return J


def transient(radius, peak):
    """A square matrix with this spectral radius and peak, for the three cases that the checker asks for."""
    k = np.arange(1, 2000)
    corners = k * radius ** (k - 1)                   # the corner of U^k in (3.9), if the coupling is 1
    return np.array([[radius, peak / corners.max()], [0.0, radius]])


def growing_slopes():
    """U (H, H) and slopes (T, H) between 0 and 1, which make the product larger than slopes of 1 would."""
    U = 1.25 * np.array([[1.0, 1.0], [-1.0, -1.0]])   # U @ U is zero: the two paths cancel
    slopes = np.tile([1.0, 0.0], (50, 1))             # unit 2 is silent at every step: nothing cancels
    return U, slopes


# Mistakes with a name, and other wrong answers.

def _blend_steps(U, alpha, drive, h0):
    h = h0
    for drive_t in drive:
        z = np.tanh(drive_t + h @ U)
        yield 1 - z * z
        h = (1 - alpha) * h + alpha * z


def _wrong_order(U, alpha, drive, h0):
    J = np.eye(len(U))
    for slope in _blend_steps(U, alpha, drive, h0):
        J = (np.diag(1 - alpha) + U * (alpha * slope)[:, None, :]) @ J
    return J


def _slope_on_rows(U, alpha, drive, h0):
    J = np.eye(len(U))
    for slope in _blend_steps(U, alpha, drive, h0):
        J = J @ (np.diag(1 - alpha) + U * (alpha * slope)[:, :, None])
    return J


def _old_share_forgotten(U, alpha, drive, h0):
    J = np.eye(len(U))
    for slope in _blend_steps(U, alpha, drive, h0):
        J = J @ (U * (alpha * slope)[:, None, :])
    return J


def _share_forgotten(U, alpha, drive, h0):
    J = np.eye(len(U))
    for slope in _blend_steps(U, alpha, drive, h0):
        J = J @ (np.diag(1 - alpha) + U * slope[:, None, :])
    return J


def _turned(U, alpha, drive, h0):
    return blend_product(U, alpha, drive, h0).transpose(0, 2, 1)


def _overwrites(U, alpha, drive, h0):
    h0 += 1.0
    return blend_product(U, alpha, drive, h0)


CHECKS = {"03.1": check_1, "03.2": check_2, "03.3": check_3, "03.4": check_4, "03.5": check_5}
REFERENCE = {"03.1": "a", "03.2": blend_product, "03.3": transient, "03.4": growing_slopes, "03.5": "b"}
WRONG = {
    "03.1": ["b", "c", "(D)"],
    "03.2": [_wrong_order, _slope_on_rows, _turned, _old_share_forgotten, _share_forgotten],
    "03.3": [
        lambda radius, peak: np.array([[radius, peak], [0.0, radius]]),                     # U itself has the peak
        lambda radius, peak: peak * np.eye(2),                                              # the wrong radius
        lambda radius, peak: np.array([[0.0, -radius], [radius, 0.0]]),                     # normal: nothing grows
        lambda radius, peak: np.array([[radius, 1e200], [0.0, radius]]),                    # absurdly large
    ],
    "03.4": [
        lambda: (np.eye(2), np.ones((50, 2))),                                              # nothing grows
        lambda: (1.25 * np.eye(2), np.ones((50, 2))),                                       # it grows without slopes
        lambda: (0.5 * np.eye(2), np.full((50, 2), 4.0)),                                   # no slopes of tanh or relu
        lambda: (growing_slopes()[0], np.ones((50, 2))),                                    # nothing is silenced
    ],
    "03.5": ["a", "c", "C"],
}
ILL_TYPED = {
    "03.1": [1, None, "J_1 J_2"],
    "03.2": [
        lambda U, alpha, drive, h0: None,
        lambda U, alpha, drive, h0: blend_product(U, alpha, drive, h0)[0],                  # one sequence only
        lambda U, alpha, drive, h0: U @ drive[99],
        _overwrites,
        np.eye(3),
    ],
    "03.3": [lambda radius, peak: None, lambda radius, peak: np.array([radius, peak]), lambda radius, peak: "U",
             lambda radius, peak: np.full((2, 2), np.nan), lambda radius: np.eye(2), np.eye(2)],
    "03.4": [lambda: None, lambda: np.eye(2), lambda: (np.eye(2), "slopes"), lambda: (np.eye(2), np.ones(2)),
             lambda: 1 / 0, "U"],
    "03.5": [True, None, ["b"], "d"],
}
