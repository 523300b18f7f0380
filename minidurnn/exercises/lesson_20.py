"""The checkers of lesson 20: what a low rank saves and misses, a projection's gradient, Toeplitz-like matrices."""

from functools import partial

import numpy as np

from ..arrays import toeplitz
from . import UNTOUCHED, choose, fail, judge, numbers

A = np.array([[1.0, 0], [1, 1], [0, 1], [2, 1]])              # the first factor of exercise 20.2: 4 units, rank 2


def check_1(answer):
    """From which rank on a low rank saves nothing."""
    choose("20.1", answer, "b", {
        "a": "at rank 99 the factors hold 99 · 500 = 49,500 numbers, more than the 40,000 of the matrix.",
        "b": "",
        "c": "at rank 50 the factors hold 50 · 500 = 25,000 numbers, which is still fewer than 40,000.",
        "d": "at rank 2 the factors hold 2 · 500 = 1,000 numbers, far fewer than 40,000.",
    })


def check_2(answer):
    """A state that a recurrence of low rank maps to zero."""
    if answer is ...:
        print(f"exercise 20.2: {UNTOUCHED}")
        return
    h = numbers("20.2", "h", answer, (4,)).astype(float)
    if not np.isfinite(h).all() or abs(h).max() < 1e-3:
        fail("20.2", f"h is {h.round(6).tolist()}, expected four finite numbers of which one is at least 0.001.")
    seen = h @ A
    if abs(seen).max() > 1e-9 * abs(h).max():
        fail("20.2", f"h A is {seen.round(6).tolist()}, expected zeros: each column of A gives one equation for h.")
    print("exercise 20.2: correct")


def unseen_state(answer):
    """The student's h, or before there is one a state that NumPy finds, as the state of one sequence (1, 4).

    The last right singular vector of A transposed is orthogonal to both columns of A.
    """
    return (np.linalg.svd(A.T)[2][-1] if answer is ... else np.array(answer, float))[None]


def check_3(attempt):
    """The gradient on a projection that two readers share."""
    rng, cases = np.random.default_rng(1), []
    for T, H, r, G in ((1, 2, 1, 3), (2, 3, 2, 4), (6, 4, 3, 8)):
        cases.append(tuple(rng.standard_normal(shape) for shape in ((T, H), (T, r), (T, G), (r, G))))
    mistakes = {
        "the recurrence reads m too: its part is missing": _next_layer_only,
        "the next layer reads m too: its part is missing": _recurrence_only,
        "the pre-activation of step t reads m of step t - 1, so m[t] gets da[t+1], not da[t]": _same_step,
        "da comes back through B transposed, but m[t] is read by step t + 1, not by step t - 1": _step_before,
    }
    judge("20.3", attempt, shared_gradient, cases, ("dP",), mistakes=mistakes)


def check_4(attempt):
    """A Toeplitz-like matrix from its first row and column."""
    rng = np.random.default_rng(3)
    cases = [(np.array([[1.0, 2, 3]]), np.array([[2.0, 2, 0]]))]
    cases += [tuple(rng.standard_normal((2, r, n))) for r, n in ((1, 2), (2, 3), (3, 6))]
    judge("20.4", attempt, toeplitz_like, cases, ("M",), mistakes=MISTAKES_4)


def check_5(attempt):
    """A row times a circulant matrix, without the matrix."""
    rng = np.random.default_rng(2)
    cases = [tuple(rng.standard_normal((2, n))) for n in (1, 2, 5, 8)]
    mistakes = {
        "this is the product with the transposed matrix: the spectrum of g needs .conj()": _transposed,
        "these are spectra: go back with np.fft.ifft": _spectrum,
        "this multiplies entry by entry, without going to the spectra": _entries,
    }
    judge("20.5", attempt, times_circulant, cases, ("y",), mistakes=mistakes)


# The reference solutions: the folded cells of the lesson hold the same text.

def shared_gradient(h, dm, da, B):
    """h (T, H), dm (T, r), da (T, G), B (r, G)  ->  dP (H, r)."""
    total = dm.copy()
    total[:-1] += da[1:] @ B.T                                # m[t] is read by step t + 1
    return h.T @ total


def toeplitz_like(g, s):
    """g, s (r, n)  ->  M of (20.5), (n, n)."""
    M = np.zeros((g.shape[1], g.shape[1]))
    for g_k, s_k in zip(g, s):
        C, S = toeplitz.circulant(g_k), toeplitz.circulant(s_k[::-1], -1.0)
        M[0] += C[0] @ S / 2                                  # the first row
        M[1:, 0] += C[1:] @ S[:, 0] / 2                       # the first column
    for q in range(1, len(M)):
        M[q, 1:] = M[q - 1, :-1] - g[:, q] @ s[:, :-1]        # (20.6)
    return M


def times_circulant(x, g):
    """x, g (n,)  ->  x C(g), (n,)."""
    return np.fft.ifft(np.fft.fft(x) * np.fft.fft(g).conj()).real


def _next_layer_only(h, dm, da, B):
    return h.T @ dm


def _recurrence_only(h, dm, da, B):
    return h[:-1].T @ (da[1:] @ B.T)


def _same_step(h, dm, da, B):
    return h.T @ (dm + da @ B.T)


def _step_before(h, dm, da, B):
    total = dm.copy()
    total[1:] += da[:-1] @ B.T
    return h.T @ total


def _transposed(x, g):
    return np.fft.ifft(np.fft.fft(x) * np.fft.fft(g)).real


def _spectrum(x, g):
    return (np.fft.fft(x) * np.fft.fft(g).conj()).real


def _entries(x, g):
    return x * g


def _with_a_mistake(g, s, divisor=2, step=-1, sign=-1.0, factor=-1, above=0):
    """The reference with a mistake in the first row and column, or in the rows below."""
    M = np.zeros((g.shape[1], g.shape[1]))
    for g_k, s_k in zip(g, s):
        C, S = toeplitz.circulant(g_k), toeplitz.circulant(s_k[::step], sign)
        M[0] += C[0] @ S / divisor
        M[1:, 0] += C[1:] @ S[:, 0] / divisor
    for q in range(1, len(M)):
        M[q, 1:] = M[q - 1, :-1] + factor * (g[:, q - above] @ s[:, :-1])
    return M


MISTAKES_4 = {                                                # of exercise 20.4
    "the factor 1/2 of (20.5) is missing": partial(_with_a_mistake, divisor=1),
    "s must stand backwards in the skew-circulant matrix: s[k, ::-1]": partial(_with_a_mistake, step=1),
    "both matrices are circulant: the second one needs the minus signs, toeplitz.circulant(v, -1.0)":
        partial(_with_a_mistake, sign=1.0),
    "by (20.6) M[q, j+1] is M[q-1, j] minus the sum, not plus": partial(_with_a_mistake, factor=1),
    "row q takes g[:, q], the entry of the row that you fill, not that of the row above":
        partial(_with_a_mistake, above=1),
    "the entries are repeated along the diagonals: the sum of (20.6) is missing": partial(_with_a_mistake, factor=0),
}


def _spoils_g(g, s):
    g *= 2
    return toeplitz_like(g / 2, s)


def _spoils_dm(h, dm, da, B):
    dm[:-1] += da[1:] @ B.T
    return h.T @ dm


CHECKS = {"20.1": check_1, "20.2": check_2, "20.3": check_3, "20.4": check_4, "20.5": check_5}
REFERENCE = {
    "20.1": "b", "20.2": [1, -1, 1, 0], "20.3": shared_gradient, "20.4": toeplitz_like, "20.5": times_circulant,
}
WRONG = {
    "20.1": ["a", "(c)", "D"],
    "20.2": [[0, 0, 0, 0], [1, 0, 0, 0], [1, -1, 0, 0], [1, -1, 1, np.inf], [1, -1, 1, 1]],
    "20.3": [_next_layer_only, _recurrence_only, _same_step, _step_before],
    "20.4": [*MISTAKES_4.values()],
    "20.5": [_transposed, _spectrum, _entries, lambda x, g: x],
}
ILL_TYPED = {
    "20.1": [None, 79, "up to 79", ["b"]],
    "20.2": [None, "zero", [1, -1, 1], np.ones((4, 2)), lambda A: [1, -1, 1, 0]],
    "20.3": [None, lambda *given: None, lambda h, dm, da, B: h, lambda h: h, _spoils_dm],
    "20.4": [None, lambda *given: None, lambda g, s: g, lambda g: g, _spoils_g],
    "20.5": [None, lambda *given: None, lambda x, g: x[:0], lambda x: x, lambda x, g: "spectrum"],
}
