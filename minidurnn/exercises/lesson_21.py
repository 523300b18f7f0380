"""The checkers of lesson 21: copies by hand, a look backward, memories that stay equal, one built, and its way back."""

import numpy as np

from . import UNTOUCHED, by_hand, fail, judge, kind, numbers

WRITTEN = (12, 12, 12, 6)


def check_1(answer):
    """The four words of the target of 12, 1, 6."""
    known = {
        "12 and 6 have equal sums, so the word that stands first in the source comes first": (6, 12, 12, 12),
        "word 1 is not written at all": (1, 12, 12, 12),
        "6 is written once and 12 three times": (12, 12, 6, 6),
    }
    by_hand("21.1", answer, WRITTEN, tuple(f"word {place}" for place in range(1, 5)), known)


def look_backward(dc, s, weights):
    """From dc (S,): ds (T, S) through the context, de (T,)."""
    dweights = s @ dc
    mean = (weights * dweights).sum()
    ds = weights[:, None] * dc
    de = weights * (dweights - mean)
    return ds, de


def _without_mean(dc, s, weights):
    return weights[:, None] * dc, weights * (s @ dc)


def _without_weights(dc, s, weights):
    dweights = s @ dc
    return weights[:, None] * dc, dweights - (weights * dweights).sum()


def _plain_mean(dc, s, weights):
    dweights = s @ dc
    return weights[:, None] * dc, weights * (dweights - dweights.mean())


def _all_alike(dc, s, weights):
    return np.ones_like(weights)[:, None] * dc, look_backward(dc, s, weights)[1]


def check_2(attempt):
    """A look, backward."""
    rng, cases = np.random.default_rng(21), []
    for T, S in ((3, 2), (2, 5), (6, 4), (1, 3)):
        weights = rng.uniform(0.1, 1, T)
        cases.append((rng.normal(0, 1, S), rng.normal(0, 1, (T, S)), weights / weights.sum()))
    judge("21.2", attempt, look_backward, cases, ("ds", "de"), mistakes={
        "the mean of dweights is missing: a higher score lowers the other weights": _without_mean,
        "the factor weights[j] in front of the bracket is missing": _without_weights,
        "the mean is not weighted: take the sum of weights * dweights": _plain_mean,
        "every s[j] goes into the context with its weight": _all_alike,
    })


def check_3(answer):
    """Weights with which the memories at places 0 and 1 stay equal although they see one neighbour on either side."""
    if answer is ...:
        print(f"exercise 21.3: {UNTOUCHED}")
        return
    if not isinstance(answer, (tuple, list, np.ndarray)):
        fail("21.3", f"got {kind(answer)}, expected four weights separated by commas.")
    if isinstance(answer, (tuple, list)) and len(answer) and all(part is ... for part in answer):
        print(f"exercise 21.3: {UNTOUCHED}")
        return
    weights = numbers("21.3", "answer", answer, (4,)).astype(float)
    if not (weights >= 0).all() or abs(weights.sum() - 1) > 1e-9:
        fail("21.3", f"the weights have the sum {weights.sum():.4g} and the smallest is {weights.min():.4g}, expected "
                     "the sum 1 and none below 0, as weights have.")
    padded = np.concatenate([[0], weights])
    first, second = padded[:3], padded[1:4]
    if not np.allclose(first, second):
        fail("21.3", f"place 0 sees {_row(first)} and place 1 sees {_row(second)}, expected equal rows.")
    print("exercise 21.3: correct")


def _row(weights):
    return f"({', '.join(f'{weight:.4g}' for weight in weights)})"


def remember(d, weights, base, w):
    """d (T, 3) before a look  ->  d after it, scores (T,)."""
    padded = np.concatenate([[0], weights, [0]])
    read = np.stack([padded[:-2], padded[1:-1], padded[2:]], axis=1)
    d = d + read
    return d, base + d @ w


def _turned(d, weights, base, w):
    d = d + (remember(d, weights, base, w)[0] - d)[:, ::-1]
    return d, base + d @ w


def _circle(d, weights, base, w):
    d = d + np.stack([np.roll(weights, 1), weights, np.roll(weights, -1)], axis=1)
    return d, base + d @ w


def _forgetful(d, weights, base, w):
    d = remember(d, weights, base, w)[0] - d
    return d, base + d @ w


def _late(d, weights, base, w):
    return remember(d, weights, base, w)[0], base + d @ w


def check_4(attempt):
    """A memory that reads windows, and the scores that read the memory."""
    rng, cases = np.random.default_rng(214), []
    first = np.exp([0.0, -6.0])                               # scores 10 and 4
    cases.append((np.zeros((2, 3)), first / first.sum(), np.array([10.0, 4.0]), np.array([0.0, -4.0, 0.0])))
    for T in (4, 1, 6):
        weights = rng.uniform(0.1, 1, T)
        cases.append((rng.uniform(0, 2, (T, 3)), weights / weights.sum(), rng.normal(0, 1, T), rng.normal(0, 1, 3)))
    judge("21.4", attempt, remember, cases, ("d", "scores"), mistakes={
        "the window is the wrong way round: its first entry is the weight of the word to the left": _turned,
        "beyond the sentence the weights are 0: the first word is no neighbour of the last": _circle,
        "the memory adds up: the new d is the old d plus the window": _forgetful,
        "the scores read the new d": _late,
    })


def remember_back(dd, dscores, w):
    """dd (T, 3) on the new d  ->  on the old d, dweights (T,)."""
    dd = dd + dscores[:, None] * w
    padded = np.zeros(len(dd) + 2)
    for i in range(3):
        padded[i:i + len(dd)] += dd[:, i]
    return dd, padded[1:-1]


def _without_scores(dd, dscores, w):
    return remember_back(dd, 0 * dscores, w)


def _without_carry(dd, dscores, w):
    return remember_back(0 * dd, dscores, w)


def _own_only(dd, dscores, w):
    dd = remember_back(dd, dscores, w)[0]
    return dd, dd[:, 1]


def _turned_back(dd, dscores, w):
    whole = remember_back(dd, dscores, w)[0]
    return whole, remember_back(whole[:, ::-1], 0 * dscores, w)[1]


def _weights_from_carry(dd, dscores, w):
    return remember_back(dd, dscores, w)[0], remember_back(dd, 0 * dscores, w)[1]


def check_5(attempt):
    """The way back through the simple memory: its carry, and the slopes along the weights."""
    rng, cases = np.random.default_rng(215), []
    for T in (3, 1, 5):
        cases.append((rng.normal(0, 1, (T, 3)), rng.normal(0, 1, T), rng.normal(0, 1, 3)))
    judge("21.5", attempt, remember_back, cases, ("dd", "dweights"), mistakes={
        "the part through the scores is missing: they read the new d": _without_scores,
        "the part from later steps is missing: the new d is carried on": _without_carry,
        "a weight stands in the windows of the neighbours too": _own_only,
        "the window is the wrong way round: its first entry is the weight of the word to the left": _turned_back,
        "dweights needs the whole slope along the new d, with the part through the scores": _weights_from_carry,
    })


CHECKS = {"21.1": check_1, "21.2": check_2, "21.3": check_3, "21.4": check_4, "21.5": check_5}
REFERENCE = {
    "21.1": WRITTEN, "21.2": look_backward, "21.3": (0, 0, 0, 1), "21.4": remember, "21.5": remember_back,
}
WRONG = {
    "21.1": [(6, 12, 12, 12), (1, 12, 12, 12), (12, 12, 6, 6), (12, 6, 12, 12), (12, 12, 12, 1)],
    "21.2": [_without_mean, _without_weights, _plain_mean, _all_alike, lambda dc, s, weights: (s, weights)],
    "21.3": [(0.25, 0.25, 0.25, 0.25), (0.5, 0.5, 0, 0), (0, 0, 1, 0), (0, 0, 0, 2), (1, 0, 0, 0), (-1, 1, 0, 1)],
    "21.4": [_turned, _circle, _forgetful, _late, lambda d, weights, base, w: (base, d)],
    "21.5": [
        _without_scores, _without_carry, _own_only, _turned_back, _weights_from_carry,
        lambda dd, dscores, w: (dd, dscores),
    ],
}
ILL_TYPED = {
    "21.1": [None, 7, "12 12 12 6", (12, 12, 12), [[12, 12, 12, 6]]],
    "21.2": [
        None, np.zeros(3), lambda dc, s, weights: s, lambda dc, s, weights: (s, None), lambda dc, s, weights: 1 / 0,
        lambda dc, s, weights: s.fill(0),
    ],
    "21.3": [None, 1, "0001", (0, 1), (0, 0, "a", 1), {}],
    "21.4": [
        None, np.zeros(2), lambda d, weights, base, w: d, lambda d, weights, base, w: (d, None),
        lambda d, weights, base, w: 1 / 0, lambda d, weights, base, w: d.fill(0),
    ],
    "21.5": [
        None, np.zeros(2), lambda dd, dscores, w: dd, lambda dd, dscores, w: (dd, None), lambda dd, dscores, w: 1 / 0,
        lambda dd, dscores, w: dd.fill(0),
    ],
}
