"""The checkers of lesson 20: what a low rank saves and misses, a shared projection's gradient, a circulant product."""

import numpy as np

from . import UNTOUCHED, called, choose, fail, judge, numbers

A = np.array([[1.0, 0], [1, 1], [0, 1], [2, 1]])              # the first factor of exercise 20.2: 4 units, rank 2


def check_1(answer):
    """From which rank on a low rank saves nothing."""
    choose("20.1", answer, "b", {
        "a": "at rank 99 the factors hold 99 · 500 = 49,500 numbers, more than the 40,000 of the matrix.",
        "b": "",
        "c": "at rank 50 the factors hold 50 · 500 = 25,000 numbers, which is still fewer than 40,000.",
        "d": "at rank 2 the factors hold 2 · 500 = 1,000 numbers, far fewer than 40,000.",
    })


def check_2(attempt):
    """A state that a recurrence of low rank maps to zero."""
    answer = called("20.2", attempt, (A.copy(),))
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
    """A row times a circulant matrix, without the matrix."""
    rng = np.random.default_rng(2)
    cases = [tuple(rng.standard_normal((2, n))) for n in (1, 2, 5, 8)]
    mistakes = {
        "this is the product with the transposed matrix: the spectrum of g needs .conj()": _transposed,
        "these are spectra: go back with np.fft.ifft": _spectrum,
        "this multiplies entry by entry, without going to the spectra": _entries,
    }
    judge("20.4", attempt, times_circulant, cases, ("y",), mistakes=mistakes)


def check_5(answer):
    """How two costs grow."""
    choose("20.5", answer, "c", {
        "a": "the dense product has n² terms for a row, and n² grows fourfold when n doubles.",
        "b": "the transform costs n log n, not n²: it does not grow fourfold.",
        "c": "",
        "d": "8 = 2³ would be a product of two matrices of side n; a row times a matrix has n² terms.",
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def unseen(A):
    """A (4, 2)  ->  h (4,), not zero, with h A = 0."""
    return np.array([1.0, -1.0, 1.0, 0.0])                    # 1 - 1 + 2 · 0 = 0 and -1 + 1 + 0 = 0


def shared_gradient(h, dm, da, B):
    """h (T, H), dm (T, r) from the next layer, da (T, G) of the recurrence, B (r, G)  ->  dP (H, r)."""
    total = dm.copy()
    total[:-1] += da[1:] @ B.T                                # m[t] is read by step t + 1
    return h.T @ total


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


def _spoils_dm(h, dm, da, B):
    dm[:-1] += da[1:] @ B.T
    return h.T @ dm


CHECKS = {"20.1": check_1, "20.2": check_2, "20.3": check_3, "20.4": check_4, "20.5": check_5}
REFERENCE = {"20.1": "b", "20.2": unseen, "20.3": shared_gradient, "20.4": times_circulant, "20.5": "c"}
WRONG = {
    "20.1": ["a", "(c)", "D"],
    "20.2": [lambda A: np.zeros(4), lambda A: np.array([1.0, 0, 0, 0]), lambda A: np.array([1.0, -1, 0, 0]),
             lambda A: np.full(4, np.inf)],
    "20.3": [_next_layer_only, _recurrence_only, _same_step, _step_before],
    "20.4": [_transposed, _spectrum, _entries, lambda x, g: x],
    "20.5": ["a", "b", "(d)"],
}
ILL_TYPED = {
    "20.1": [None, 79, "up to 79", ["b"]],
    "20.2": [None, lambda A: None, lambda A: "zero", lambda A: A, lambda: np.ones(4)],
    "20.3": [None, lambda *given: None, lambda h, dm, da, B: h, lambda h: h, _spoils_dm],
    "20.4": [None, lambda *given: None, lambda x, g: x[:0], lambda x: x, lambda x, g: "spectrum"],
    "20.5": [None, 4, "four times", True],
}
