"""The checkers of lesson 04, a short memory on purpose."""

import numpy as np

from ..cells import ShortTermRNN
from ..cells.constraints import spectral_norm
from . import UNTOUCHED, called, choose, compare, fail, judge, kind, numbers

SLACK = 1e-9                                                  # rounding, on norms and distances of order 1


def check_1(answer):
    """Steps until at most 1 % is left at a bound of 0.9."""
    choose("04.1", answer, "c", {
        "a": "a step takes a tenth of what is left, not of what there was at the start: 0.9^10 = 0.35 may be left.",
        "b": "0.9^22 = 0.098 is a tenth. A hundredth is a tenth of a tenth, so it takes twice as long.",
        "c": "",
        "d": "0.9^90 = 0.00008. That is below a hundredth, but fewer steps are enough.",
    })


def check_2(attempt):
    """The norm that a horizon allows an activation of another slope."""
    cases = [(5, 0.1, 1.0), (22, 0.1, 0.25), (100, 0.01, 0.5), (1, 0.5, 2.0)]
    judge("04.2", attempt, allowed_norm, cases, ("the norm",), mistakes={
        "a steeper φ allows a smaller norm: divide by the slope": _slope_on_the_wrong_side,
        "the slope is missing": _without_slope,
        "the slope acts at every step, so it stands outside the root": _slope_under_the_root,
    })


def check_3(attempt):
    """Clipping singular values: first what must hold, then entry by entry."""
    rng = np.random.default_rng(3)
    for size, bound, stretch in ((5, 0.9, 1.0), (3, 0.5, 0.1), (4, 0.7, 3.0), (1, 0.9, 2.0)):
        U = stretch * rng.standard_normal((size, size))
        inside = stretch < 1
        U = 0.8 * bound / spectral_norm(U) * U if inside else U
        where = f" for a U of shape {U.shape} and norm {spectral_norm(U):.4g}, bound {bound:g}"
        answer = called("04.3", attempt, (U, bound), where)
        if answer is ...:
            print(f"exercise 04.3: {UNTOUCHED}")
            return
        X = _finite("04.3", "X", answer, U.shape)
        if spectral_norm(X) > bound + SLACK:
            fail("04.3", f"the norm of X is {spectral_norm(X):.4g}{where}: X lies outside the ball.")
        nearest = clip_to_ball(U, bound)
        yours, best = np.linalg.norm(U - X), np.linalg.norm(U - nearest)
        if yours > best + SLACK:
            rescaled = np.allclose(X, _rescaled(U, bound))
            why = " (you rescaled all singular values)" if rescaled else ""
            why = " (U lies in the ball already)" if inside else why
            away = f"{yours:.4g} away from U in the Frobenius norm, the nearest matrix {best:.4g}"
            fail("04.3", f"X is {away}{where}{why}.")
        compare("04.3", X, nearest, ("X",), 1e-7, where)
    print("exercise 04.3: correct")


def check_4(attempt):
    """A cell that is right for every ordinary input and never forgets a fault, run by the library."""
    rng, names = np.random.default_rng(4), ("W", "U", "b", "W_y", "b_y")
    answer = called("04.4", attempt, ())
    if _unfinished("04.4", answer, names):
        return
    shapes = ((1, 3), (3, 3), (3,), (3, 1), (1,))
    W, U, b, W_y, b_y = (_finite("04.4", *part) for part in zip(names, answer, shapes))
    cell, p = ShortTermRNN(1, 3, bound=None), {"W": W, "U": U, "b": b}
    x = np.concatenate([rng.uniform(-5, 5, (60, 20, 1)), np.linspace(-5, 5, 20)[None, :, None]])
    h, _ = cell.forward(p, x)
    compare("04.4", h @ W_y + b_y, x, ("the answer",), 1e-6, " for inputs between -5 and 5")
    x[9] = 100.0
    h, _ = cell.forward(p, x)
    wrong = abs(h @ W_y + b_y - x)[10:]
    step = int(wrong.min(axis=(1, 2)).argmin())
    if not wrong.min() >= 10 - SLACK:
        late = f"{step + 1} steps after an input of 100 an answer is wrong by {wrong.min():.4g} only"
        fail("04.4", f"{late}, expected at least 10 at every later step: some unit must keep what the 100 left.")
    print("exercise 04.4: correct")


def check_5(attempt):
    """A cell below the bound that gives back the bit of some steps ago, run by the library."""
    rng, names = np.random.default_rng(5), ("W", "U", "b", "W_y", "b_y")
    for lag, bound in ((1, 0.9), (3, 0.5), (8, 0.631)):
        where = f" for lag {lag} and bound {bound:g}"
        answer = called("04.5", attempt, (lag, bound), where)
        if _unfinished("04.5", answer, names):
            return
        H = len(_finite("04.5", "b", answer[2], None).ravel())
        shapes = ((1, H), (H, H), (H,), (H, 1), (1,))
        W, U, b, W_y, b_y = (_finite("04.5", *part) for part in zip(names, answer, shapes))
        if not spectral_norm(U) <= bound + SLACK:
            fail("04.5", f"the norm of U is {spectral_norm(U):.4g}{where}, expected at most {bound:g}.")
        x = rng.choice([-1.0, 1.0], (lag + 12, 4, 1))
        h, _ = ShortTermRNN(1, H, bound=None).forward({"W": W, "U": U, "b": b}, x)
        y = h @ W_y + b_y
        known = {
            "ρ^lag is left of the bit: the read-out must make up for it": _shrunk(x[:-lag], bound**lag, y[lag:]),
            "it is the bit one step earlier than asked for": np.concatenate([y[lag:lag + 1], x[:-lag - 1]]),
        }
        compare("04.5", y[lag:], x[:-lag], ("the answer",), 1e-6, where, known)
    print("exercise 04.5: correct")


def _shrunk(bits, share, y):
    """What a read-out gives that does not make up for the loss, its bias 0 or -1, whichever is nearer to y."""
    return min((share * bits, share * (bits + 1) - 1), key=lambda one: abs(one - y).max())


def _finite(exercise, name, given, shape):
    array = numbers(exercise, name, given, shape).astype(float)
    if not np.isfinite(array).all():
        fail(exercise, f"{name} has entries that are not finite.")
    return array


def _unfinished(exercise, answer, names):
    """Whether an answer is not there yet, and said so. Raises for one of another kind."""
    if answer is ...:
        print(f"exercise {exercise}: {UNTOUCHED}")
        return True
    if not isinstance(answer, tuple) or len(answer) != len(names):
        asked = f"expected {len(names)} results separated by commas: return {', '.join(names)}"
        fail(exercise, f"got {kind(answer)}, {asked}.")
    missing = [name for name, part in zip(names, answer) if part is ...]
    if missing:
        print(f"exercise {exercise}: not finished: {', '.join(missing)} still `...`")
    return bool(missing)


# The reference solutions: the folded cells of the lesson hold the same text.

def allowed_norm(horizon, tolerance, steepest):
    """The bound on ‖U‖₂ that leaves at most `tolerance` after `horizon` steps where |φ'| ≤ steepest  ->  a number."""
    return tolerance ** (1 / horizon) / steepest


def clip_to_ball(U, bound):
    """The matrix X with ‖X‖₂ ≤ bound that is nearest to U in the Frobenius norm  ->  (H, H)."""
    Q1, μ, Q2t = np.linalg.svd(U)
    return Q1 @ np.diag(np.minimum(μ, bound)) @ Q2t


def fragile():
    """A relu cell that answers x_t while |x_t| ≤ 5, but never forgets a 100  ->  W, U, b, W_y, b_y."""
    W, b = np.array([[1.0, 1.0, 0.0]]), np.array([5.0, -5.0, 0.0])
    U = np.zeros((3, 3))
    U[1, 2] = U[2, 2] = 1.0                           # from unit 2 to unit 3, and from unit 3 to itself
    W_y = np.array([[1.0], [0.0], [1.0]])             # relu(x + 5), and what unit 3 has kept
    return W, U, b, W_y, np.array([-5.0])


def delay_line(lag, bound):
    """A relu cell with ‖U‖₂ ≤ bound and h[t] W_y + b_y = x[t-lag] = ±1  ->  W, U, b, W_y (H, 1), b_y (1,)."""
    H = lag + 1
    W, b, W_y = np.zeros((1, H)), np.zeros(H), np.zeros((H, 1))
    W[0, 0] = b[0] = 1.0                              # the first unit holds x + 1, which passes relu as it is
    U = bound * np.eye(H, k=1)                        # from unit i to unit i + 1, a little less every time
    W_y[-1, 0] = bound**-lag                          # the read-out makes up for what the queue has lost
    return W, U, b, W_y, -np.ones(1)


# Mistakes with a name, and other wrong answers.

def _slope_on_the_wrong_side(horizon, tolerance, steepest):
    return steepest * tolerance ** (1 / horizon)


def _without_slope(horizon, tolerance, steepest):
    return tolerance ** (1 / horizon)


def _slope_under_the_root(horizon, tolerance, steepest):
    return (tolerance / steepest) ** (1 / horizon)


def _rescaled(U, bound):
    return U * min(1.0, bound / spectral_norm(U))


def _eigenvalues_clipped(U, bound):
    values, vectors = np.linalg.eig(U)
    return (vectors * (values * np.minimum(1, bound / np.abs(values))) @ np.linalg.inv(vectors)).real


def _not_turned_back(U, bound):
    Q1, μ, Q2t = np.linalg.svd(U)
    return (Q1 * np.minimum(μ, bound)) @ Q2t.T


def _in_place(U, bound):
    U *= bound / spectral_norm(U)
    return U


def _without_paying(lag, bound):
    W, U, b, W_y, b_y = delay_line(lag, bound)
    return W, U, b, np.sign(W_y), b_y


def _above_the_bound(lag, bound):
    W, U, b, W_y, b_y = delay_line(lag, bound)
    return W, U / bound, b, np.sign(W_y), b_y


def _sound():
    W, U, b, W_y, b_y = fragile()
    return W, 0 * U, b, W_y, b_y


def _fades():
    W, U, b, W_y, b_y = fragile()
    return W, 0.9 * U, b, W_y, b_y


def _hears_ordinary_inputs():
    W, U, b, W_y, b_y = fragile()
    return W, U, np.array([5.0, 0.0, 0.0]), W_y, b_y


def _turned():
    W, U, b, W_y, b_y = fragile()
    return W, U.T, b, W_y, b_y


CHECKS = {"04.1": check_1, "04.2": check_2, "04.3": check_3, "04.4": check_4, "04.5": check_5}
REFERENCE = {"04.1": "c", "04.2": allowed_norm, "04.3": clip_to_ball, "04.4": fragile, "04.5": delay_line}
WRONG = {
    "04.1": ["a", "(B)", "d"],
    "04.2": [_slope_on_the_wrong_side, _without_slope, _slope_under_the_root],
    "04.3": [_rescaled, lambda U, bound: np.clip(U, -bound, bound), _eigenvalues_clipped, _not_turned_back,
             lambda U, bound: U],
    "04.4": [_sound, _fades, _hears_ordinary_inputs, _turned],
    "04.5": [_without_paying, _above_the_bound, lambda lag, bound: delay_line(lag + 1, bound)],
}
ILL_TYPED = {
    "04.1": [44, None, "forty-four"],
    "04.2": [lambda horizon, tolerance, steepest: None, lambda horizon, tolerance: 0.9, lambda *case: "0.9", 0.9],
    "04.3": [lambda U, bound: None, lambda U, bound: np.linalg.svd(U), _in_place, lambda U, bound: U[0], np.eye(3)],
    "04.4": [lambda: None, lambda: np.eye(3), lambda: (1, 2, 3, 4, 5), lambda: fragile()[::-1],
             lambda: np.linalg.inv(np.zeros((2, 2))), 4],
    "04.5": [lambda lag, bound: None, lambda lag, bound: [1, 2, 3, 4, 5], lambda lag, bound: (1, 2, 3, 4, 5),
             lambda lag, bound: delay_line(lag, bound)[::-1], lambda lag: delay_line(lag, 0.9)],
}
