"""The checkers of lesson 19: the reach of taps and back, what padding may not do, attention as a weighted sum; bits."""

import numpy as np

from ..cells import FSMN
from . import UNTOUCHED, called, choose, fail, judge, numbers

CLOSE = 5e-3                                                  # two decimals of 19.5 are enough


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
    """A bias that leaves the memory of the last real step at 0 where h in the padding was not set to 0."""
    answer = called("19.3", attempt, ())
    if answer is ...:
        print(f"exercise 19.3: {UNTOUCHED}")
        return
    bias = float(numbers("19.3", "b", answer, ()))
    if not np.isfinite(bias):
        fail("19.3", f"b is {bias}, expected a finite number.")
    m = memory_at_the_end(bias)
    if abs(m) > 1e-9:
        fail("19.3", f"with b = {bias:.6g} the memory of step 2 is {m:.6g}, expected 0: step 2 gives 1·(3 + b), step 1 "
                     "gives 10·(2 + b), the padding gives 100·b.")
    print("exercise 19.3: correct")


def check_4(attempt):
    """One head of attention that looks back."""
    rng = np.random.default_rng(2)
    cases = [tuple(rng.standard_normal((T, d)) for _ in range(3)) for T, d in ((1, 2), (3, 2), (6, 4))]
    mistakes = {
        "step t reads steps after t too: leave them out before the softmax": _sees_ahead,
        "the scores are not divided by sqrt(d)": _unscaled,
        "the weights of one query must sum to 1: softmax goes along s, not along t": _wrong_axis,
    }
    judge("19.4", attempt, look_back, cases, ("y",), mistakes=mistakes)


def check_5(attempt):
    """A paper's perplexities in bits, to two decimals."""
    mistakes = {
        "the natural logarithm gives another unit: bits are logarithms to the base 2": _nats,
        "the bits of the difference: take the bits of both perplexities first, then subtract": _difference,
        "the FSMN pays less, so the second number is 131's bits less 101's": _turned,
        "perplexity is 2 to the power of the bits: solve for the bits": _powers,
    }
    judge("19.5", attempt, paper_in_bits, [()], ("bits", "gain"), tolerance=CLOSE, mistakes=mistakes)


def memory_at_the_end(bias):
    """m at step 2 of the steps 2, 3 and a padded step of 0, where h = x + b, with no lengths: α = (1, 10), β = 100."""
    layer = FSMN(1, 1, past=1, future=1, activation="identity")
    p = {"W": np.ones((1, 1)), "b": np.array([bias]), "alpha": np.array([[1.0], [10]]), "beta": np.array([[100.0]])}
    y, _ = layer.forward(p, np.array([2.0, 3.0, 0.0])[:, None, None])
    return float(y[1, 0, 1])


# The reference solutions: the folded cells of the lesson hold the same text.

def taps_backward(dm, h, alpha):
    """dm, h (T, H), alpha (N + 1, H)  ->  dh (T, H), dalpha (N + 1, H)."""
    dh, dalpha = np.zeros_like(h), np.zeros_like(alpha)
    T = len(h)
    for i in range(min(len(alpha), T)):
        dh[:T - i] += alpha[i] * dm[i:]
        dalpha[i] = (dm[i:] * h[:T - i]).sum(0)
    return dh, dalpha


def spoil():
    """A bias b with which the memory of step 2 is 0, where the padding has x = 0 and h = b."""
    return -23 / 111                                          # (3 + b) + 10 (2 + b) + 100 b = 0


def look_back(q, k, v):
    """Queries, keys, values (T, d)  ->  y (T, d)."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    scores[np.triu_indices(len(q), 1)] = -np.inf              # s > t: weight 0
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ v


def paper_in_bits():
    """Bits of the FSMN at perplexity 101, and how many less than at perplexity 131."""
    return np.log2(101), np.log2(131) - np.log2(101)          # 6.66 and 0.38


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


def _nats():
    return np.log(101), np.log(131) - np.log(101)


def _difference():
    return np.log2(101), np.log2(131 - 101)


def _turned():
    return np.log2(101), np.log2(101) - np.log2(131)


def _powers():
    return 2.0**101, 2.0**131 - 2.0**101


def _spoils_h(dm, h, alpha):
    h *= 2.0
    return taps_backward(dm, h / 2.0, alpha)


CHECKS = {"19.1": check_1, "19.2": check_2, "19.3": check_3, "19.4": check_4, "19.5": check_5}
REFERENCE = {"19.1": "b", "19.2": taps_backward, "19.3": spoil, "19.4": look_back, "19.5": paper_in_bits}
WRONG = {
    "19.1": ["a", "(c)", "D"],
    "19.2": [_forward, _ahead, _mean, lambda dm, h, alpha: (dm, alpha)],
    "19.3": [lambda: 0.0, lambda: -0.23, lambda: -23 / 11, lambda: float("inf")],
    "19.4": [_sees_ahead, _unscaled, _wrong_axis, lambda q, k, v: v],
    "19.5": [_nats, _difference, _turned, _powers, lambda: (6.6, 0.38), lambda: (6.66, 0.3)],
}
ILL_TYPED = {
    "19.1": [None, 40, "t - 40", ["b"]],
    "19.2": [None, lambda *given: None, lambda dm, h, alpha: dm, lambda dm: dm, _spoils_h],
    "19.3": [None, lambda: None, lambda: "zero", lambda: [1.0, 2.0], lambda: 1 / 0],
    "19.4": [None, lambda *given: None, lambda q, k, v: v[:1], lambda q: q, lambda q, k, v: "weights"],
    "19.5": [None, 6.66, lambda: None, lambda: 6.66, lambda: ("6.66", "0.38"), lambda: ([6.66], 0.38), lambda: 1 / 0],
}
