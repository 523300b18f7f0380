"""The checkers of lesson 05, independent neurons."""

import numpy as np

from ..cells import IndRNN
from ..scans import diagonal_scan, diagonal_scan_backward, gated_scan
from . import _untouched, choose, judge


def check_1(answer):
    """What one silent step leaves of a gradient."""
    choose("05.1", answer, "c", ("a", "b", "c", "d"))


def check_2(attempt):
    """The backward of tanh neurons, against the library's loop."""
    rng, cases = np.random.default_rng(2), []
    for T, B, H in ((6, 3, 4), (1, 2, 3), (2, 1, 5)):
        a, u, h0, dh = rng.standard_normal((T, B, H)), rng.uniform(-1, 1, H), rng.standard_normal((B, H)), rng.standard_normal((T, B, H))
        cases.append((dh, diagonal_scan(a, u, h0, "tanh"), u, h0))
    judge("05.2", attempt, lambda dh, h, u, h0: diagonal_scan_backward(dh, h, u, h0, "tanh"), cases, ("da", "du", "dh0"))


def check_3(attempt):
    """The range of |u|, on slopes whose product is 1, ordinary, too small for float64, and 0."""
    rng = np.random.default_rng(3)
    slopes = (np.ones(10), rng.uniform(0.2, 1.0, 40), np.full(5000, 0.5), np.array([1.0, 0.5, 0.0, 1.0]))
    judge("05.3", attempt, range_of_u, [(one, 0.5, 2.0) for one in slopes] + [(slopes[1], 0.01, 5.0)], ("the smallest", "the largest"))


def check_4(attempt):
    """Two linear layers as one vanilla RNN."""
    rng, cases = np.random.default_rng(4), []
    for B, D, H in ((3, 2, 4), (1, 3, 2)):
        W_1, W_2 = rng.standard_normal((D, H)), np.eye(H) + 0.3 * rng.standard_normal((H, H))
        cases.append((W_1, rng.standard_normal(H), rng.uniform(-1, 1, H), rng.standard_normal((B, H)), W_2, rng.standard_normal(H)))
    judge("05.4", attempt, as_vanilla, cases, ("W", "U", "b", "y0"))


def check_5(attempt):
    """One layer for T = 30 in float32, by what it answers: every beginning, many endings."""
    answer = attempt()
    if _untouched(answer):
        print("exercise 05.5: not attempted yet")
        return
    u, markers, w = (np.asarray(part, np.float32) for part in answer)
    if u.ndim or markers.ndim != 1 or markers.shape != w.shape:
        raise AssertionError(f"exercise 05.5: u, markers, w have shapes {u.shape}, {markers.shape}, {w.shape}: expected one number and two lists of equal length.")
    x, m, differ = prefixes(3, np.random.default_rng(5), 30, endings=50)
    x = x.astype(np.float32)
    p = {"W": np.stack([np.ones_like(markers), markers]), "u": np.full_like(markers, u), "b": np.zeros_like(markers)}
    y, wanted = (IndRNN(2, len(markers)).forward(p, x)[0][-1] * w).sum(1), np.where(differ, 1, -1)
    for bad in np.flatnonzero(~(y * wanted > 0.001))[:1]:
        bits = " ".join(f"{bit:.0f}" for bit in x[:3, bad, 0])
        raise AssertionError(f"exercise 05.5: for the bits {bits} and a marker at step {m[bad]} the output is {y[bad]:.6g}, expected {'above 0.001' if wanted[bad] > 0 else 'below -0.001'}.")
    print("exercise 05.5: correct")


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
    """The share of right answers of the best guesser who sees nothing but the key of a sequence, keys and class (N,)."""
    return sum(max(differ[keys == key].sum(), (~differ[keys == key]).sum()) for key in np.unique(keys)) / len(keys)


# The reference solutions: the folded cells of the lesson hold the same text.

def diagonal_backward(dh, h, u, h0):
    """tanh neurons, dh, h (T, B, H), u (H,), h0 (B, H)  ->  da (T, B, H), du (H,), dh0 (B, H)."""
    slope = 1 - h * h
    da = gated_scan(u * slope, slope * dh, np.zeros_like(h0), reverse=True)
    before = np.concatenate([h0[None], h[:-1]])               # h[t-1] at every t
    return da, (da * before).sum((0, 1)), u * da[0]


def range_of_u(slopes, ε, γ):
    """The |u| for which ε ≤ |u|^k ∏φ' ≤ γ over k steps with these slopes φ', (k,)  ->  the smallest, the largest."""
    with np.errstate(divide="ignore"):                        # log 0 is minus infinity, and no u makes up for that
        mean = np.log(slopes).mean()                          # of logarithms: the product itself may be too small for a float
    return np.exp(np.log(ε) / len(slopes) - mean), np.exp(np.log(γ) / len(slopes) - mean)


def as_vanilla(W_1, b_1, u, h0, W_2, b_2):
    """Two linear layers, h0 (B, H), as one vanilla RNN  ->  W (D, H), U (H, H), b (H,), y0 (B, H)."""
    U = np.linalg.inv(W_2) @ np.diag(u) @ W_2
    return W_1 @ W_2, U, b_1 @ W_2 + b_2 - b_2 @ U, h0 @ W_2 + b_2


def short_past():
    """A layer for T = 30 in float32: one u, and for every neuron a marker weight and a read-out weight  ->  u, markers, w."""
    u = 0.9
    low, high = u**2, u                                       # the largest q after a 0, the smallest after a 1
    slope = 2 / (high - low)                                  # from -1 to 1
    return u, [-low, -high, -1 - low, -1 - high, 1, 2], [slope, -slope, -slope, slope, 1, -1]


def _plain_product(slopes, ε, γ):
    with np.errstate(divide="ignore"):
        return tuple(np.float64(bound / np.prod(slopes)) ** (1 / len(slopes)) for bound in (ε, γ))


def _turned_round(W_1, b_1, u, h0, W_2, b_2):
    W, _, b, y0 = as_vanilla(W_1, b_1, u, h0, W_2, b_2)
    return W, W_2 @ np.diag(u) @ np.linalg.inv(W_2), b, y0


def _bias_once(W_1, b_1, u, h0, W_2, b_2):
    W, U, _, y0 = as_vanilla(W_1, b_1, u, h0, W_2, b_2)
    return W, U, b_1 @ W_2 + b_2, y0


def _start_without_bias(W_1, b_1, u, h0, W_2, b_2):
    return *as_vanilla(W_1, b_1, u, h0, W_2, b_2)[:3], h0 @ W_2


def _slip(change):
    """A backward in which something is replaced: change(right results, dh, h, u, h0) -> results."""
    return lambda dh, h, u, h0: change(diagonal_backward(dh, h, u, h0), dh, h, u, h0)


CHECKS = {"05.1": check_1, "05.2": check_2, "05.3": check_3, "05.4": check_4, "05.5": check_5}
REFERENCE = {"05.1": "c", "05.2": diagonal_backward, "05.3": range_of_u, "05.4": as_vanilla, "05.5": short_past}
WRONG = {
    "05.1": ["a", "b", "d"],
    "05.2": [
        _slip(lambda right, dh, h, u, h0: (gated_scan(u * (1 - h * h), (1 - h * h) * dh, 0 * h0), *right[1:])),     # forwards in time
        _slip(lambda right, dh, h, u, h0: (gated_scan(0 * h + u, (1 - h * h) * dh, 0 * h0, reverse=True), *right[1:])),     # a gate without the slope
        _slip(lambda right, dh, h, u, h0: (right[0], (right[0] * h).sum((0, 1)), right[2])),                        # h[t] for h[t-1]
        _slip(lambda right, dh, h, u, h0: (*right[:2], right[0][0])),                                               # u forgotten
    ],
    "05.3": [
        _plain_product,                                                                     # underflows
        lambda slopes, ε, γ: (ε ** (1 / len(slopes)), γ ** (1 / len(slopes))),              # slopes forgotten
        lambda slopes, ε, γ: range_of_u(slopes[1:], ε, γ),                                  # one step too few
    ],
    "05.4": [_turned_round, _bias_once, _start_without_bias],
    "05.5": [
        lambda: (0.4, [-4 / 15, -2 / 5, -19 / 15, -7 / 5, 1, 2], [15, -15, -15, 15, 1, -1]),    # exact, and lost to rounding
        lambda: (0.9, [-8.1, -0.9, -9.1, -1.9, 1, 2], [-0.2778, 0.2778, 0.2778, -0.2778, 1, -1]),     # room for an endless past
        lambda: (*short_past()[:2], [*short_past()[2][:5], -0.9]),                              # later bits do not cancel
    ],
}
