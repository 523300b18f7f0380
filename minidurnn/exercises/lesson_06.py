"""The checkers of lesson 06: two bits that one number tells apart or keeps, and two layers that do both."""

import numpy as np

from ..cells import RNN, IndRNN
from . import UNTOUCHED, called, choose, fail, judge, kind, numbers


def check_1(attempt):
    """Two pasts of four bits with different answers that leave one neuron with the same number."""
    answer = _attempted("06.1", attempt)
    if answer is ...:
        return
    if not isinstance(answer, tuple) or len(answer) != 3:
        fail("06.1", f"got {kind(answer)}, expected three results separated by commas: return u, first, second.")
    u = float(numbers("06.1", "u", answer[0], ()))
    if not 0.5 <= u <= 0.9:
        fail("06.1", f"u is {u:.4g}, expected a number from 0.5 to 0.9.")
    pasts = [numbers("06.1", name, part, (4,)) for name, part in zip(("first", "second"), answer[1:])]
    for name, bits in zip(("first", "second"), pasts):
        if not np.isin(bits, (0, 1)).all():
            fail("06.1", f"{name} holds {bits[~np.isin(bits, (0, 1))][0]:g}, expected four bits, each 0 or 1.")
    differ = ["differ" if bits[3] != bits[2] else "are equal" for bits in pasts]
    if differ[0] == differ[1]:
        fail("06.1", f"in both pasts the last two bits {differ[0]}: choose pasts with different right answers.")
    q = [float((u ** np.arange(3, -1, -1) * bits).sum()) for bits in pasts]
    if abs(q[0] - q[1]) > 1e-9:
        fail("06.1", f"first leaves q = {q[0]:.6g}, second q = {q[1]:.6g} for u = {u:.6g}, expected the same number.")
    print("exercise 06.1: correct")


def check_2(answer):
    """How often a guesser is right who knows the count of ones, at T = 1000."""
    choose("06.2", answer, "c", {
        "a": "81 % is T = 30, where at most one older bit is counted; at T = 1000 there are up to 98 older bits.",
        "b": "with up to 98 older bits both classes are nearly equally likely at every count.",
        "c": "",
        "d": "at every count the guesser takes the more frequent class, so it is never worse than a coin.",
    })


def check_3(attempt):
    """One layer for T = 30 in float32, by what it answers: every beginning, many endings."""
    answer = _attempted("06.3", attempt)
    if answer is ...:
        return
    if not isinstance(answer, tuple) or len(answer) != 3:
        fail("06.3", f"got {kind(answer)}, expected three results separated by commas: return u, markers, w.")
    u = numbers("06.3", "u", answer[0], ()).astype(np.float32)
    markers = numbers("06.3", "markers", answer[1]).astype(np.float32)
    if markers.ndim != 1 or not len(markers):
        fail("06.3", f"markers has shape {markers.shape}, expected a list of numbers, one per neuron.")
    w = numbers("06.3", "w", answer[2], markers.shape).astype(np.float32)
    x, m, differ = prefixes(3, np.random.default_rng(5), 30, endings=50)
    x = x.astype(np.float32)
    p = {"W": np.stack([np.ones_like(markers), markers]), "u": np.full_like(markers, u), "b": np.zeros_like(markers)}
    with np.errstate(over="ignore", invalid="ignore"):
        y, wanted = (IndRNN(2, len(markers)).forward(p, x)[0][-1] * w).sum(1), np.where(differ, 1, -1)
    for bad in np.flatnonzero(~(y * wanted > 0.001))[:1]:
        case = f"for the bits {' '.join(f'{bit:.0f}' for bit in x[:3, bad, 0])} and a marker at step {m[bad]}"
        q = sum(float(u) ** (m[bad] - k) * x[k - 1, bad, 0] for k in range(1, m[bad] + 1))
        asked, why = "above 0.001" if wanted[bad] > 0 else "below -0.001", f" (q is {q:.4g} at the marker)"
        if abs(w.sum()) > 1e-3:
            why = f" (the read-out weights add up to {w.sum():.4g}: then the bits after the marker do not cancel)"
        elif u**28 < 1e-4:
            why = f" (u^28 is {u**28:.1e}: a larger u keeps more)"
        fail("06.3", f"{case} the output is {y[bad]:.4g}, expected {asked}{why}.")
    print("exercise 06.3: correct")


def check_4(answer):
    """Whether two layers lose the answer to rounding."""
    choose("06.4", answer, "b", {
        "a": "the first layer's answer fades, but before it fades the second layer has added it up.",
        "b": "",
        "c": "the second layer has u = 1, so what it has added up does not fade, wherever the marker stands.",
    })


def check_5(attempt):
    """Two linear layers as one vanilla RNN."""
    rng, cases = np.random.default_rng(4), []
    for B, D, H in ((3, 2, 4), (1, 3, 2)):
        W_1, W_2 = rng.standard_normal((D, H)), np.eye(H) + 0.3 * rng.standard_normal((H, H))
        b_1, u, h0, b_2 = rng.standard_normal(H), rng.uniform(-1, 1, H), rng.standard_normal((B, H)), np.ones(H)
        cases.append((W_1, b_1, u, h0, W_2, b_2))
    mistakes = {
        "this is W_2 diag(u) W_2^-1: with rows the inverse stands on the left": _turned_round,
        "b_2 also reaches y_t through y_(t-1): collect - b_2 U": _bias_once,
        "the upper layer adds b_2 at step 0 too": _start_without_bias,
        "y0 is the state of the upper layer: send h0 through W_2 and b_2": _start_untouched,
    }
    for case in cases:
        _runs_the_same(rng.standard_normal((6, len(case[3]), len(case[0]))), *case)
    judge("06.5", attempt, as_vanilla, cases, ("W", "U", "b", "y0"), mistakes=mistakes)


def _runs_the_same(x, W_1, b_1, u, h0, W_2, b_2):
    """Run the two layers and the reference's vanilla RNN on x: their outputs must be equal."""
    D, H = W_1.shape
    h, _ = IndRNN(D, H, activation="identity").forward({"W": W_1, "u": u, "b": b_1}, x, h0)
    W, U, b, y0 = as_vanilla(W_1, b_1, u, h0, W_2, b_2)
    y, _ = RNN(D, H, "identity").forward({"W": W, "U": U, "b": b}, x, y0)
    assert np.allclose(h @ W_2 + b_2, y), "two linear layers are one vanilla RNN"


def _attempted(exercise, attempt):
    """The answer of a function without arguments; `...`, after saying so, where there is none."""
    answer = called(exercise, attempt, ())
    if answer is ...:
        print(f"exercise {exercise}: {UNTOUCHED}")
    return answer


def prefixes(M, rng=None, length=None, endings=1):
    """Delayed XOR with every way to fill and mark the first M steps  ->  x (M, N, 2), m (N,), class (N,).

    With a length, random bits follow up to there, in so many versions of every beginning.
    """
    bits = np.arange(2**M) >> np.arange(M)[:, None] & 1       # (M, 2^M)
    bits, m = np.tile(bits, (M - 1) * endings), np.tile(np.repeat(np.arange(2, M + 1), 2**M), endings)
    every = np.arange(len(m))
    x = np.zeros((length or M, len(m), 2))
    x[:M, :, 0] = bits
    x[m - 1, every, 1] = 1.0
    if length:
        x[M:, :, 0] = rng.integers(0, 2, (length - M, len(m)))
    return x, m, bits[m - 1, every] != bits[m - 2, every]


def best_guess(keys, differ):
    """The share of right answers of the best guesser who sees only the key of a sequence, keys and class (N,)."""
    return sum(max(differ[keys == key].sum(), (~differ[keys == key]).sum()) for key in np.unique(keys)) / len(keys)


# The reference solutions: the folded cells of the lesson hold the same text.

def collide():
    """u from 0.5 to 0.9, and two pasts of four bits with different answers and the same q."""
    u = (np.sqrt(5) - 1) / 2                                  # u³ + u² = u
    return u, [1, 1, 0, 0], [0, 0, 1, 0]


def short_past():
    """A layer for T = 30 in float32  ->  u, and every neuron's marker weight and read-out weight."""
    u = 0.9
    zero = (u**2 + u) / 2                                     # between the groups 0 0 and 1 0
    corner = zero + 0.5                                       # the top of the tent
    markers = [0, 1, -corner, -3]                             # q is at most 1 + 0.9 + 0.81 = 2.71
    return u, markers, [3 + 3 * zero, -3 * zero, -6, 3]


def as_vanilla(W_1, b_1, u, h0, W_2, b_2):
    """Two linear layers, h0 (B, H), as one vanilla RNN  ->  W (D, H), U (H, H), b (H,), y0 (B, H)."""
    U = np.linalg.inv(W_2) @ np.diag(u) @ W_2
    return W_1 @ W_2, U, b_1 @ W_2 + b_2 - b_2 @ U, h0 @ W_2 + b_2


def _turned_round(W_1, b_1, u, h0, W_2, b_2):
    W, _, b, y0 = as_vanilla(W_1, b_1, u, h0, W_2, b_2)
    return W, W_2 @ np.diag(u) @ np.linalg.inv(W_2), b, y0


def _bias_once(W_1, b_1, u, h0, W_2, b_2):
    W, U, _, y0 = as_vanilla(W_1, b_1, u, h0, W_2, b_2)
    return W, U, b_1 @ W_2 + b_2, y0


def _start_without_bias(W_1, b_1, u, h0, W_2, b_2):
    return *as_vanilla(W_1, b_1, u, h0, W_2, b_2)[:3], h0 @ W_2


def _start_untouched(W_1, b_1, u, h0, W_2, b_2):
    return *as_vanilla(W_1, b_1, u, h0, W_2, b_2)[:3], h0


def _spoils_h0(W_1, b_1, u, h0, W_2, b_2):
    h0 += 1.0
    return as_vanilla(W_1, b_1, u, h0 - 1.0, W_2, b_2)


CHECKS = {"06.1": check_1, "06.2": check_2, "06.3": check_3, "06.4": check_4, "06.5": check_5}
REFERENCE = {"06.1": collide, "06.2": "c", "06.3": short_past, "06.4": "b", "06.5": as_vanilla}
WRONG = {
    "06.1": [
        lambda: (0.6, [1, 1, 0, 0], [0, 0, 1, 0]),            # nearly the same number
        lambda: (collide()[0], [0, 1, 1, 0], [0, 0, 0, 1]),   # the same number and the same answer
        lambda: (1.0, [1, 0, 0, 0], [0, 0, 0, 1]),            # u outside the range
        lambda: (collide()[0], [2, 0, 0, 0], [0, 0, 1, 0]),   # no bits
    ],
    "06.2": ["a", "(b)", "D"],
    "06.3": [
        lambda: (0.4, [0, 1, -5 / 6, -2], [4, -1, -6, 3]),        # lost to rounding
        lambda: (0.9, [0, 1, -5 / 6, -3], [4, -1, -6, 3]),        # the tent of u = 0.4
        lambda: (*short_past()[:2], [*short_past()[2][:3], 2.9]), # later bits do not cancel
    ],
    "06.4": ["a", "c", "A"],
    "06.5": [_turned_round, _bias_once, _start_without_bias, _start_untouched],
}
ILL_TYPED = {
    "06.1": [
        None, lambda: None, lambda: 0.6, lambda: ("golden", [1, 1, 0, 0], [0, 0, 1, 0]),
        lambda: (0.6, "1100", "0010"), lambda: (0.6, [1, 1], [0, 1]),
    ],
    "06.2": [None, 50.5, "50.5 %", ["c"]],
    "06.3": [
        3, lambda: None, lambda: (0.9, 1, 2), lambda: (0.9, ["a"], [1]), lambda: (0.9, [1, 2], [1, 2, 3]),
        lambda: ([0.9, 0.9], [1, 2], [1, 2]), lambda: 1 / 0,
    ],
    "06.4": [None, 5000, True, "all"],
    "06.5": [
        None, lambda *given: None, lambda W_1, *rest: W_1, lambda *given: ("W", "U", "b", "y0"),
        lambda W_1: W_1, _spoils_h0,
    ],
}
