"""The checkers of lesson 04, a short memory on purpose."""

import numpy as np

from ..cells import ShortTermRNN
from ..cells.constraints import spectral_norm
from . import _untouched, choose, compare, judge

SLACK = 1e-9                                                  # rounding, on norms and distances of order 1


def check_1(answer):
    """Steps until at most 1 % is left at a bound of 0.9."""
    choose("04.1", answer, "c", ("a", "b", "c", "d"))


def check_2(attempt):
    """The norm that a horizon allows an activation of another slope."""
    cases = [(22, 0.1, 0.25), (5, 0.1, 1.0), (100, 0.01, 0.5), (1, 0.5, 2.0)]
    judge("04.2", attempt, allowed_norm, cases, ("the norm",))


def check_3(attempt):
    """Clipping singular values: first what must hold, then entry by entry."""
    rng = np.random.default_rng(3)
    for size, bound, stretch in ((5, 0.9, 1.0), (3, 0.5, 0.1), (4, 0.7, 3.0), (1, 0.9, 2.0)):
        U = stretch * rng.standard_normal((size, size))
        U = 0.8 * bound / spectral_norm(U) * U if stretch < 1 else U
        given = U.copy()
        X = attempt(given, bound)
        if _untouched(X):
            print("exercise 04.3: not attempted yet")
            return
        if not np.array_equal(given, U):
            raise AssertionError("exercise 04.3: your function writes into its argument; give a new matrix back.")
        if not isinstance(X, np.ndarray):
            raise AssertionError(f"exercise 04.3: got a {type(X).__name__}: expected an array of shape {U.shape}.")
        if X.shape != U.shape or not np.isfinite(X).all():
            raise AssertionError(f"exercise 04.3: got shape {X.shape}: expected a finite matrix of shape {U.shape}.")
        if spectral_norm(X) > bound + SLACK:
            raise AssertionError(f"exercise 04.3: your matrix has norm {spectral_norm(X):.6g}, which is above the bound {bound:g}.")
        nearest = clip_to_ball(U, bound)
        yours, best = np.linalg.norm(U - X), np.linalg.norm(U - nearest)
        if yours > best + SLACK:
            raise AssertionError(f"exercise 04.3: your matrix is {yours:.6g} away from U in the Frobenius norm, the nearest one {best:.6g}.")
        compare("04.3", X, nearest, ("X",), tolerance=1e-7)
    print("exercise 04.3: correct")


def check_4(attempt):
    """Two matrices of the ball of radius ½, both nearest to one U in the spectral norm, neither clipped nor rescaled."""
    answer, bound = attempt(), 0.5
    if _untouched(answer):
        print("exercise 04.4: not attempted yet")
        return
    if not isinstance(answer, tuple) or [np.shape(matrix) for matrix in answer] != 3 * [(2, 2)] or not np.isfinite(answer).all():
        raise AssertionError("exercise 04.4: expected a tuple of three finite matrices U, X, Y of shape (2, 2).")
    U, X, Y = (np.asarray(matrix, float) for matrix in answer)
    if spectral_norm(U) <= bound + 1e-6:
        raise AssertionError(f"exercise 04.4: U has norm {spectral_norm(U):.6g} and lies in the ball, where U itself is the only nearest one.")
    known = {"the clipped U": clip_to_ball(U, bound), "the rescaled U": bound / spectral_norm(U) * U}
    for name, matrix in {"X": X, "Y": Y}.items():
        if spectral_norm(matrix) > bound + SLACK:
            raise AssertionError(f"exercise 04.4: {name} has norm {spectral_norm(matrix):.6g}, expected at most 0.5.")
        away, least = spectral_norm(U - matrix), spectral_norm(U) - bound
        if away > least + SLACK:
            raise AssertionError(f"exercise 04.4: {name} is {away:.6g} away from U, the nearest ones {least:.6g}.")
        for what, one in known.items():
            if np.allclose(matrix, one, rtol=0, atol=1e-6):
                raise AssertionError(f"exercise 04.4: {name} is {what}; find another one.")
    if np.allclose(X, Y, rtol=0, atol=1e-6):
        raise AssertionError("exercise 04.4: X and Y are the same matrix.")
    print("exercise 04.4: correct")


def check_5(attempt):
    """A cell below the bound that gives back the bit of some steps ago, run by the library."""
    rng = np.random.default_rng(5)
    for lag, bound in ((1, 0.9), (3, 0.5), (8, 0.631)):
        answer = attempt(lag, bound)
        if _untouched(answer):
            print("exercise 04.5: not attempted yet")
            return
        W, U, b, W_y, b_y = (np.asarray(array, float) for array in _five(answer))
        H = len(U)
        shapes = {"W": (1, H), "U": (H, H), "b": (H,), "W_y": (H, 1), "b_y": (1,)}
        for (name, shape), array in zip(shapes.items(), (W, U, b, W_y, b_y)):
            if array.shape != shape:
                raise AssertionError(f"exercise 04.5: {name} has shape {array.shape}, expected {shape} for a U of shape {U.shape}.")
        if not spectral_norm(U) <= bound + SLACK:
            raise AssertionError(f"exercise 04.5: U has norm {spectral_norm(U):.6g}, expected at most {bound:g}.")
        x = rng.choice([-1.0, 1.0], (lag + 12, 4, 1))
        h, _ = ShortTermRNN(1, H, bound=None).forward({"W": W, "U": U, "b": b}, x)
        compare("04.5", (h @ W_y + b_y)[lag:], x[:-lag], (f"at lag {lag}, the answer",), tolerance=1e-6)
    print("exercise 04.5: correct")


def _five(answer):
    if not isinstance(answer, tuple) or len(answer) != 5:
        raise AssertionError("exercise 04.5: expected a tuple W, U, b, W_y, b_y.")
    return answer


# The reference solutions: the folded cells of the lesson hold the same text.

def allowed_norm(horizon, tolerance, steepest):
    """The bound on ‖U‖₂ that leaves at most `tolerance` after `horizon` steps where |φ'| ≤ steepest  ->  a number."""
    return tolerance ** (1 / horizon) / steepest


def clip_to_ball(U, bound):
    """The matrix X with ‖X‖₂ ≤ bound that is nearest to U in the Frobenius norm  ->  (H, H)."""
    Q1, μ, Q2t = np.linalg.svd(U)
    return (Q1 * np.minimum(μ, bound)) @ Q2t


def two_nearest():
    """U, X, Y (2, 2): X and Y in the ball of radius ½, both nearest to U in the spectral norm."""
    return np.diag([1.0, 0.0]), np.diag([0.5, 0.5]), np.diag([0.5, -0.5])


def delay_line(lag, bound):
    """A relu cell with ‖U‖₂ ≤ bound and h[t] W_y + b_y = x[t-lag] = ±1  ->  W (1, H), U (H, H), b (H,), W_y (H, 1), b_y (1,)."""
    H = lag + 1
    W, b, W_y = np.zeros((1, H)), np.zeros(H), np.zeros((H, 1))
    W[0, 0] = b[0] = 1.0                              # the first unit holds x + 1, which passes relu as it is
    U = bound * np.eye(H, k=1)                        # each unit hands on to the next, a little less every time
    W_y[-1, 0] = bound**-lag                          # the read-out pays back what the way has cost
    return W, U, b, W_y, -np.ones(1)


def _rescaled(U, bound):
    return U * min(1.0, bound / spectral_norm(U))


def _entries_clipped(U, bound):
    return np.clip(U, -bound, bound)


def _eigenvalues_clipped(U, bound):
    values, vectors = np.linalg.eig(U)
    return (vectors * (values * np.minimum(1, bound / np.abs(values))) @ np.linalg.inv(vectors)).real


def _not_turned_back(U, bound):
    Q1, μ, Q2t = np.linalg.svd(U)
    return (Q1 * np.minimum(μ, bound)) @ Q2t.T


def _known_ones():
    U = np.diag([1.0, 0.2])
    return U, np.diag([0.5, 0.2]), np.diag([0.5, 0.1])


def _too_far():
    return np.diag([1.0, 0.0]), np.diag([0.5, 0.5]), np.diag([0.4, 0.5])


def _one_twice():
    return np.diag([1.0, 0.0]), np.diag([0.5, 0.5]), np.diag([0.5, 0.5])


def _without_paying(lag, bound):
    W, U, b, W_y, b_y = delay_line(lag, bound)
    return W, U, b, np.sign(W_y), b_y


def _above_the_bound(lag, bound):
    W, U, b, W_y, b_y = delay_line(lag, bound)
    return W, U / bound, b, np.sign(W_y), b_y


def _one_late(lag, bound):
    return delay_line(lag + 1, bound)


CHECKS = {"04.1": check_1, "04.2": check_2, "04.3": check_3, "04.4": check_4, "04.5": check_5}
REFERENCE = {"04.1": "c", "04.2": allowed_norm, "04.3": clip_to_ball, "04.4": two_nearest, "04.5": delay_line}
WRONG = {
    "04.1": ["a", "b", "d"],
    "04.2": [                                                 # the slope on the wrong side; forgotten; under the root
        lambda horizon, tolerance, steepest: steepest * tolerance ** (1 / horizon),
        lambda horizon, tolerance, steepest: tolerance ** (1 / horizon),
        lambda horizon, tolerance, steepest: (tolerance / steepest) ** (1 / horizon),
    ],
    "04.3": [_rescaled, _entries_clipped, _eigenvalues_clipped, _not_turned_back, lambda U, bound: U],
    "04.4": [_known_ones, _too_far, _one_twice],
    "04.5": [_without_paying, _above_the_bound, _one_late],
}
