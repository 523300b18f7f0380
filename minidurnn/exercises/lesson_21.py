"""The checkers of lesson 21: copies by hand, a look backward, memories that stay equal, one built, words counted."""

import numpy as np

from . import UNTOUCHED, by_hand, fail, judge, kind, numbers

SENTENCE, WRITTEN = (7, 2, 12), (2, 7, 7, 12, 12, 12)


def check_1(answer):
    """The six words of the target of 7, 2, 12."""
    known = {
        "these are in the order of the source: move them": (7, 7, 2, 12, 12, 12),
        "each word is there as often as its number of copies says, but the shifts go the other way": (
            12, 12, 12, 7, 7, 2),
    }
    by_hand("21.1", answer, WRITTEN, tuple(f"word {place}" for place in range(1, 7)), known)


def look_backward(dc, s, weights):
    """From dc (S,) on the context: the gradient on s (T, S) through the context, and on the scores (T,)."""
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
    """Weights with which the memories of words 0 and 1 stay equal although they see one neighbour on either side."""
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
                     "the sum 1 and none below 0, for a softmax gave them.")
    padded = np.concatenate([[0], weights])
    first, second = padded[:3], padded[1:4]
    if not np.allclose(first, second):
        fail("21.3", f"word 0 sees {_row(first)} and word 1 sees {_row(second)}, expected equal rows.")
    print("exercise 21.3: correct")


def _row(weights):
    return f"({', '.join(f'{weight:.4g}' for weight in weights)})"


def remember(d, weights, base, w):
    """A memory that adds up its windows, k = 1: d (T, 3) before a look  ->  d after it, the next scores (T,)."""
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
    first = np.exp([0.0, -8.0])                               # scores 12 and 4
    cases.append((np.zeros((2, 3)), first / first.sum(), np.array([12.0, 4.0]), np.array([0.0, -4.0, 0.0])))
    for T in (4, 1, 6):
        weights = rng.uniform(0.1, 1, T)
        cases.append((rng.uniform(0, 2, (T, 3)), weights / weights.sum(), rng.normal(0, 1, T), rng.normal(0, 1, 3)))
    judge("21.4", attempt, remember, cases, ("d", "scores"), mistakes={
        "the window is the wrong way round: its first entry is the weight of the word to the left": _turned,
        "beyond the sentence the weights are 0: the first word is no neighbour of the last": _circle,
        "the memory adds up: the new d is the old d plus the window": _forgetful,
        "the scores read the new d": _late,
    })


def check_5(answer):
    """Repeated and dropped words, by hand."""
    known = {
        "this counts every word that is too much; the first time that a word comes is no repetition": (2, 2),
        "these are the other way round": (2, 1),
        "dropped is counted by copies: a word that should come twice and comes once is dropped once": (1, 1),
    }
    by_hand("21.5", answer, (1, 2), ("repeated", "dropped"), known)


CHECKS = {"21.1": check_1, "21.2": check_2, "21.3": check_3, "21.4": check_4, "21.5": check_5}
REFERENCE = {"21.1": WRITTEN, "21.2": look_backward, "21.3": (0, 0, 0, 1), "21.4": remember, "21.5": (1, 2)}
WRONG = {
    "21.1": [(7, 7, 2, 12, 12, 12), (12, 12, 12, 7, 7, 2), (2, 7, 7, 12, 12, 7), (2, 7, 12, 12, 12, 12)],
    "21.2": [_without_mean, _without_weights, _plain_mean, _all_alike, lambda dc, s, weights: (s, weights)],
    "21.3": [(0.25, 0.25, 0.25, 0.25), (0.5, 0.5, 0, 0), (0, 0, 1, 0), (0, 0, 0, 2), (1, 0, 0, 0), (-1, 1, 0, 1)],
    "21.4": [_turned, _circle, _forgetful, _late, lambda d, weights, base, w: (base, d)],
    "21.5": [(2, 2), (2, 1), (1, 1), (0, 2)],
}
ILL_TYPED = {
    "21.1": [None, 7, "2 7 7", (2, 7, 7), [[2, 7, 7, 12, 12, 12]]],
    "21.2": [
        None, np.zeros(3), lambda dc, s, weights: s, lambda dc, s, weights: (s, None), lambda dc, s, weights: 1 / 0,
        lambda dc, s, weights: s.fill(0),
    ],
    "21.3": [None, 1, "0001", (0, 1), (0, 0, "a", 1), {}],
    "21.4": [
        None, np.zeros(2), lambda d, weights, base, w: d, lambda d, weights, base, w: (d, None),
        lambda d, weights, base, w: 1 / 0, lambda d, weights, base, w: d.fill(0),
    ],
    "21.5": [None, 1, "1, 2", (1,), ((1, 2), 3)],
}
