"""The checkers of lesson 17, gates as time scales: a mean of logs, a way beside the gate, a mixture, a floor."""

import numpy as np

from ..cells import JANET
from . import UNTOUCHED, called, choose, fail, judge, kind, numbers


def check_1(answer):
    """What a gate that alternates keeps."""
    choose("17.1", answer, "b", {
        "a": "0.65 is the mean of the gates, but shares are multiplied: two steps keep 0.9 · 0.4 = 0.36, not 0.65².",
        "b": "",
        "c": "the smallest gate acts in every second step only; the other steps keep 0.9.",
    })


def check_2(attempt):
    """The influence of every state on the last one, and the time scales of gates that change."""
    rng = np.random.default_rng(17)
    cases = [(np.array([[0.9], [0.4]]),), (np.full((5, 2), 0.99),), (rng.uniform(0.05, 0.95, (30, 3)),)]
    judge("17.2", attempt, reading, cases, ("influence", "scales"), mistakes={
        "this multiplies by f_t too, but c_t is what is left after step t": _one_gate_more,
        "this is the influence of the start on every c_t, not of every c_t on c_T": _of_the_start,
        "the sign: logarithms of shares are negative, a time scale is not": _negative,
        "this is the scale of the mean gate: take the logarithm first, then the mean": _of_the_mean,
        "this is 1/(1 - mean f), the approximation for one gate near 1": _one_over,
        "this is the scale of the whole product: divide its logarithm by the number of steps": _of_the_product,
        "this is one scale for all neurons: take the mean over the steps only": _of_all,
    })


def check_3(attempt):
    """A neuron whose gate is nearly shut and whose gradient does not fall."""
    answer = called("17.3", attempt, ())
    if answer is ...:
        print(f"exercise 17.3: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail("17.3", f"got {kind(answer)}, expected two results separated by commas: return u_z, b_f.")
    u_z, b_f = (float(numbers("17.3", name, given, ())) for name, given in zip(("u_z", "b_f"), answer))
    if not (abs(u_z) <= 1 and abs(b_f) <= 100):
        fail("17.3", f"u_z is {u_z:.4g} and b_f is {b_f:.4g}, expected u_z from -1 to 1 and b_f from -100 to 100.")
    gate, slope = lone(u_z, b_f)
    if gate > 0.3:
        fail("17.3", f"the gate is {gate:.3g} at every step, expected at most 0.3: take a smaller b_f.")
    if abs(slope) < 1:
        fail("17.3", f"dc_10/dc_0 is {slope:.3g}, expected at least 1 in size: the way through tanh "
                     "adds (1 - σ(b_f - 1)) u_z.")
    print("exercise 17.3: correct")


def check_4(answer):
    """Where the norm of the gradient falls as the gates say."""
    choose("17.4", answer, "c", {
        "a": "with the second way the LSTM of section 4 fell far more slowly than its nearly equal gates say.",
        "b": "without the second way every unit falls with its own gate, but then a norm of different units bends.",
        "c": "",
    })


def check_5(attempt):
    """The floor gate and its slope."""
    rng = np.random.default_rng(5)
    cases = [(np.zeros(1), np.array([10.0])), (rng.normal(size=3), np.array([1.0, 2.0, 50.0]))]
    cases.append((rng.normal(size=6), rng.uniform(1, 100, 6)))
    judge("17.5", attempt, floored, cases, ("f", "slope"), mistakes={
        "the slope of f is that of σ(a) times 1 - floor": _whole_slope,
        "the floor is added, but σ(a) is not made smaller: then f goes above 1": _above_one,
        "the floor is 1 - 1/s, not 1/s": _inverse,
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def reading(kept):
    """Gates (T, H)  ->  influences on c_T (T, H), time scales (H,)."""
    later = np.concatenate([kept[1:], np.ones_like(kept[:1])])    # the gate of the step after
    return np.cumprod(later[::-1], axis=0)[::-1], -1 / np.log(kept).mean(axis=0)


def shut_and_loud():
    """The two numbers u_z, b_f."""
    return 1.0, -1.0


def floored(a, s):
    """a, s (H,)  ->  gate f (H,), its slope on a (H,)."""
    floor = 1 - 1 / s
    share = 1 / (1 + np.exp(-a))
    return floor + (1 - floor) * share, (1 - floor) * share * (1 - share)


def lone(u_z, b_f):
    """The gate of a JANET neuron without input at c_0 = 0, and dc_10/dc_0  ->  two numbers."""
    cell = JANET(1, 1)
    p = {"W": np.zeros((1, 2)), "U": np.array([[0.0, u_z]]), "b": np.array([b_f, 0.0])}
    _, tape = cell.forward(p, np.zeros((10, 1, 1)))
    _, dstate0, _ = cell.backward(None, tape, np.ones((1, 1)))
    return float(cell.kept(tape)[0, 0, 0]), float(dstate0[0, 0])


def _one_gate_more(kept):
    return np.cumprod(kept[::-1], axis=0)[::-1], reading(kept)[1]


def _of_the_start(kept):
    return np.cumprod(kept, axis=0), reading(kept)[1]


def _negative(kept):
    return reading(kept)[0], -reading(kept)[1]


def _of_the_mean(kept):
    return reading(kept)[0], -1 / np.log(kept.mean(axis=0))


def _one_over(kept):
    return reading(kept)[0], 1 / (1 - kept.mean(axis=0))


def _of_the_product(kept):
    return reading(kept)[0], -1 / np.log(kept).sum(axis=0)


def _of_all(kept):
    return reading(kept)[0], np.full(kept.shape[1], -1 / np.log(kept).mean())


def _whole_slope(a, s):
    share = 1 / (1 + np.exp(-a))
    return floored(a, s)[0], share * (1 - share)


def _above_one(a, s):
    share = 1 / (1 + np.exp(-a))
    return 1 - 1 / s + share, share * (1 - share)


def _inverse(a, s):
    share = 1 / (1 + np.exp(-a))
    return 1 / s + (1 - 1 / s) * share, (1 - 1 / s) * share * (1 - share)


CHECKS = {"17.1": check_1, "17.2": check_2, "17.3": check_3, "17.4": check_4, "17.5": check_5}
REFERENCE = {"17.1": "b", "17.2": reading, "17.3": shut_and_loud, "17.4": "c", "17.5": floored}
WRONG = {
    "17.1": ["a", "(c)", "C"],
    "17.2": [
        _one_gate_more, _of_the_start, _negative, _of_the_mean, _one_over, _of_the_product, _of_all],
    "17.4": ["a", "B", "(b)"],
    "17.3": [lambda: (0.1, -1.0), lambda: (1.0, 1.0), lambda: (0.5, -3.0), lambda: (100.0, -1.0), lambda: (-1.0, -1.0)],
    "17.5": [_whole_slope, _above_one, _inverse],
}
ILL_TYPED = {
    "17.1": [None, 0.6, "most", ["b"]],
    "17.2": [None, 3, lambda kept: None, lambda kept: kept, lambda kept: (kept, "9 steps"), lambda kept: 1 / 0,
             lambda kept: (reading(kept)[0], 9.5), lambda kept: (kept[1:], reading(kept)[1])],
    "17.4": [None, 0.99, "slowest", True],
    "17.3": [3, lambda: None, lambda: 1.0, lambda: (1.0, "shut"), lambda: (np.ones(2), -1.0), lambda: 1 / 0,
             lambda: (float("nan"), -1.0)],
    "17.5": [None, 1, lambda a, s: a, lambda a, s: (a, "slope"), lambda a, s: 1 / 0,
             lambda a, s: (a.fill(0), floored(a, s))[1]],
}
