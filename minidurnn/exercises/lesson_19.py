"""The checkers of lesson 19: the reach of taps, taps backward, attention as a weighted sum, two heads; a claim."""

import numpy as np

from . import choose, judge


def check_1(answer):
    """How far back two layers of taps reach."""
    choose("19.1", answer, "b", {
        "a": "the upper memory reads the lower memory of step t - 20, and that has read older steps.",
        "b": "",
        "c": "the two reaches do not multiply: 20 steps back, and from there 20 more.",
        "d": "both windows end, so steps further back have no way to the output.",
    })


def check_2(attempt):
    """The gradient through taps on the past."""
    rng, cases = np.random.default_rng(1), []
    for T, H, N in ((4, 1, 1), (9, 3, 2), (3, 2, 5)):
        cases.append((rng.standard_normal((T, H)), rng.standard_normal((T, H)), rng.standard_normal((N + 1, H))))
    mistakes = {
        "this filters forward: h[t] is read by later steps, so its gradient comes from dm[t+i]": _forward,
        "this pairs dm[t] with h[t+i]: tap i read the step i before": _ahead,
        "dalpha is a sum over steps, not a mean": _mean,
    }
    judge("19.2", attempt, taps_backward, cases, ("dh", "dalpha"), mistakes=mistakes)


def check_3(attempt):
    """One head of attention that looks back."""
    rng = np.random.default_rng(2)
    cases = [tuple(rng.standard_normal((T, d)) for _ in range(3)) for T, d in ((1, 2), (3, 2), (6, 4))]
    mistakes = {
        "step t reads steps after t too: leave them out before the softmax": _sees_ahead,
        "the scores are not divided by sqrt(d)": _unscaled,
        "the weights of one query must sum to 1: softmax goes along s, not along t": _wrong_axis,
    }
    judge("19.3", attempt, look_back, cases, ("y",), mistakes=mistakes)


def check_4(attempt):
    """Attention with two heads, made of two calls of one head."""
    rng = np.random.default_rng(3)
    cases = [(rng.standard_normal((T, E)), *rng.standard_normal((4, E, E))) for T, E in ((1, 4), (3, 4), (5, 6))]
    mistakes = {
        "this is one head: all columns share one set of weights": _one_head,
        "W_o is missing: it mixes the joined columns": _unmixed,
        "the heads are joined in the wrong order: the first half of the columns comes first": _crossed,
        "a head takes half of the columns that stand side by side, not every second column": _every_second,
        "the columns of q, k and v are split, not those of x": _splits_x,
    }
    judge("19.4", attempt, two_heads, cases, ("y",), mistakes=mistakes)


def check_5(answer):
    """Which of four sentences the recorded runs break."""
    choose("19.5", answer, "c", {
        "a": "in every seed of both texts the test cost of fsmn is below that of window-2: this one stands.",
        "b": "in every seed of both texts the test cost of fsmn is below that of lstm: this one stands.",
        "c": "",
        "d": "in every seed of both texts the test cost of indrnn-2-any is below that of transformer: this one stands.",
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def taps_backward(dm, h, alpha):
    """dm, h (T, H), alpha (N + 1, H)  ->  dh (T, H), dalpha (N + 1, H)."""
    dh, dalpha = np.zeros_like(h), np.zeros_like(alpha)
    T = len(h)
    for i in range(min(len(alpha), T)):
        dh[:T - i] += alpha[i] * dm[i:]
        dalpha[i] = (dm[i:] * h[:T - i]).sum(0)
    return dh, dalpha


def look_back(q, k, v):
    """Queries, keys, values (T, d)  ->  y (T, d)."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    scores[np.triu_indices(len(q), 1)] = -np.inf              # s > t: weight 0
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ v


def two_heads(x, W_q, W_k, W_v, W_o):
    """x (T, H), four matrices (H, H)  ->  y (T, H): two heads, no positions."""
    q, k, v = x @ W_q, x @ W_k, x @ W_v
    halves = np.split(np.arange(x.shape[1]), 2)
    return np.hstack([look_back(q[:, cut], k[:, cut], v[:, cut]) for cut in halves]) @ W_o


def _forward(dm, h, alpha):
    dh, T = np.zeros_like(h), len(h)
    for i in range(min(len(alpha), T)):
        dh[i:] += alpha[i] * dm[:T - i]
    return dh, taps_backward(dm, h, alpha)[1]


def _ahead(dm, h, alpha):
    dalpha, T = np.zeros_like(alpha), len(h)
    for i in range(min(len(alpha), T)):
        dalpha[i] = (dm[:T - i] * h[i:]).sum(0)
    return taps_backward(dm, h, alpha)[0], dalpha


def _mean(dm, h, alpha):
    dh, dalpha = taps_backward(dm, h, alpha)
    return dh, dalpha / len(h)


def _softmax(scores, axis):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def _sees_ahead(q, k, v):
    return _softmax(q @ k.T / np.sqrt(q.shape[1]), 1) @ v


def _unscaled(q, k, v):
    return look_back(q * np.sqrt(q.shape[1]), k, v)


def _wrong_axis(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[1])
    scores[np.triu_indices(len(q), 1)] = -np.inf
    return _softmax(scores, 0) @ v


def _one_head(x, W_q, W_k, W_v, W_o):
    return look_back(x @ W_q, x @ W_k, x @ W_v) @ W_o


def _unmixed(x, W_q, W_k, W_v, W_o):
    return two_heads(x, W_q, W_k, W_v, np.eye(len(W_o)))


def _crossed(x, W_q, W_k, W_v, W_o):
    return two_heads(x, W_q, W_k, W_v, np.roll(W_o, len(W_o) // 2, axis=0))


def _every_second(x, W_q, W_k, W_v, W_o):
    q, k, v = x @ W_q, x @ W_k, x @ W_v
    return np.concatenate([look_back(q[:, i::2], k[:, i::2], v[:, i::2]) for i in range(2)], axis=1) @ W_o


def _splits_x(x, W_q, W_k, W_v, W_o):
    heads, half = [], x.shape[1] // 2
    for cut in (slice(None, half), slice(half, None)):
        heads.append(look_back(*(x[:, cut] @ W[cut, cut] for W in (W_q, W_k, W_v))))
    return np.concatenate(heads, axis=1) @ W_o


def _spoils_h(dm, h, alpha):
    h *= 2.0
    return taps_backward(dm, h / 2.0, alpha)


CHECKS = {"19.1": check_1, "19.2": check_2, "19.3": check_3, "19.4": check_4, "19.5": check_5}
REFERENCE = {"19.1": "b", "19.2": taps_backward, "19.3": look_back, "19.4": two_heads, "19.5": "c"}
WRONG = {
    "19.1": ["a", "(c)", "D"],
    "19.2": [_forward, _ahead, _mean, lambda dm, h, alpha: (dm, alpha)],
    "19.3": [_sees_ahead, _unscaled, _wrong_axis, lambda q, k, v: v],
    "19.4": [_one_head, _unmixed, _crossed, _every_second, _splits_x, lambda x, *matrices: x],
    "19.5": ["a", "(b)", "D"],
}
ILL_TYPED = {
    "19.1": [None, 40, "t - 40", ["b"]],
    "19.2": [None, lambda *given: None, lambda dm, h, alpha: dm, lambda dm: dm, _spoils_h],
    "19.3": [None, lambda *given: None, lambda q, k, v: v[:1], lambda q: q, lambda q, k, v: "weights"],
    "19.4": [None, lambda *given: None, lambda x, *matrices: x[:, :2], lambda x: x, lambda x, *matrices: "heads"],
    "19.5": [None, 3, "lstm", ["c"]],
}
