"""The checkers of lesson 07, two memories."""

import numpy as np

from ..cells import DuRNN
from ..tasks import DelayedXOR
from . import UNTOUCHED, choose, compare, judge
from .lesson_01 import _complex_steps

T, B, L = 6, 4, 3                                             # all different: a swapped axis cannot hide


def check_1(answer):
    """What stays right where the way through the gate is forgotten."""
    choose("07.1", answer, "b", {
        "a": "the gradients of W_g, V_g and b_g are made of v, which the forgotten way does not change; W_s is made of "
             "what arrives at s.",
        "b": "", "c": "v, e and c do not hear of a mistake at s either, so more than u and l0 stay right.",
        "d": "no arrow leads from the short-term memory back into the long-term one.",
    })


def check_2(attempt):
    """The backward of l[t] = relu(g[t] ⊙ c[t] + (1 - g[t]) ⊙ u ⊙ l[t-1]), against complex steps: no derivation in the referee."""
    rng = np.random.default_rng(2)
    judge("07.2", attempt, _forgetting_gradients, [_forgetting_case(rng, steps) for steps in (T, 2, 1)], ("dc", "dv", "du", "dl0"))


def check_3(answer):
    """How the first loss grows with the length where the selection starts open."""
    choose("07.3", answer, "c", {
        "a": "the inputs have not grown, but the state adds them up over the steps.",
        "b": "the state and the output grow about 10 times, and the loss is a square.", "c": "",
    })


def check_4(attempt):
    """A DuRNN within both bounds whose long-term state ends at bit[m] AND bit[m-1]."""
    p = attempt()
    if p is ... or isinstance(p, dict) and any(array is ... for array in p.values()):
        print(f"exercise 07.4: {UNTOUCHED}")
        return
    names = set(DuRNN(2, 1, 1, horizon=20).shapes)
    if not isinstance(p, dict) or p.keys() != names:
        raise AssertionError(f"exercise 07.4: got {', '.join(map(str, p)) if isinstance(p, dict) else type(p).__name__}, expected a dict of {', '.join(sorted(names))}.")
    p = {name: np.asarray(array, float) for name, array in p.items()}
    if p["W_l"].ndim != 2:
        raise AssertionError(f"exercise 07.4: W_l has shape {p['W_l'].shape}, expected (S, L).")
    for length in (20, 500):
        cell = DuRNN(2, *p["W_l"].shape, horizon=length)
        for name, shape in cell.shapes.items():
            if p[name].shape != shape:
                raise AssertionError(f"exercise 07.4: {name} has shape {p[name].shape}, expected {shape}.")
        for name, array in cell.project(p).items():           # p itself where the bounds hold
            compare("07.4", p[name], array, (f"within its bound, {name}",))
        x, both = delayed_and_data(length)
        s_and_l, _ = cell.forward(p, x)
        compare("07.4", s_and_l[-1, :, cell.short:].sum(-1), both, (f"at T = {length}, the sum over l_T in sequence ",))
    print("exercise 07.4: correct")


def delayed_and_data(length):
    """The task's test sequences with another question  ->  x (T, B, 2) float64, bit[m] AND bit[m-1] (B,) as 0.0 or 1.0."""
    x = DelayedXOR(length).test()[0].astype(float)
    bits, m, every = x[:, :, 0], x[:, :, 1].argmax(0), np.arange(x.shape[1])
    return x, bits[m, every] * bits[m - 1, every]


def _forgetting(v, c, u, l):
    """l[t] = relu(g[t] ⊙ c[t] + (1 - g[t]) ⊙ u ⊙ l[t-1]) with g = σ(v)  ->  l (T, B, L); complex arguments pass."""
    states, g = [], 1 / (1 + np.exp(-v))
    for g_t, c_t in zip(g, c):
        a = g_t * c_t + (1 - g_t) * u * l
        l = a * (a.real > 0)
        states.append(l)
    return np.stack(states)


def _forgetting_case(rng, steps):
    v, c, u, l0 = (rng.standard_normal(shape) for shape in ((steps, B, L), (steps, B, L), (L,), (B, L)))
    c, l0 = c + 0.5, abs(l0)                                  # most neurons are active, some are not
    l = _forgetting(v, c, u, l0)
    return rng.standard_normal(l.shape), 1 / (1 + np.exp(-v)), c, u, l0, l


def _forgetting_gradients(dh_l, g, c, u, l0, l):
    leaves = {"c": c, "v": np.log(g / (1 - g)), "u": u, "l": l0}

    def loss(name, leaf):
        return (dh_l * _forgetting(**{**leaves, name: leaf})).sum()

    return tuple(_complex_steps(lambda leaf, name=name: loss(name, leaf), leaf) for name, leaf in leaves.items())


# The reference solutions: the folded cells of the lesson hold the same text.

def forgetting_backward(dh_l, g, c, u, l0, l):
    """dh_l, g, c, l (T, B, L), u (L,), l0 (B, L)  ->  dc, dv (T, B, L), du (L,), dl0 (B, L)."""
    dc, dv, du, carry = np.empty_like(c), np.empty_like(c), np.zeros_like(u), np.zeros_like(l0)
    for t in reversed(range(len(l))):
        before = l[t - 1] if t > 0 else l0
        de = (l[t] > 0) * (dh_l[t] + carry)
        dc[t] = g[t] * de
        dv[t] = g[t] * (1 - g[t]) * (c[t] - u * before) * de          # the gate lets in, and lets go
        du += ((1 - g[t]) * before * de).sum(0)
        carry = (1 - g[t]) * u * de
    return dc, dv, du, carry


def delayed_and():
    """A DuRNN whose long-term state ends at bit[m] AND bit[m-1]  ->  dict of its nine arrays."""
    return {
        "W_s": np.array([[2.0, 1.0], [0.0, 1.0]]),            # row 1: bit, row 2: marker
        "U_s": np.array([[0.0, 0.5], [0.0, 0.0]]),            # half of 2 · bit is the bit before
        "b_s": np.array([0.0, -2.0]),                         # s = (2 · bit, relu(bit + bit before + marker - 2))
        "W_g": np.zeros((2, 1)), "V_g": np.zeros((2, 1)), "b_g": np.zeros(1),
        "W_l": np.array([[0.0], [2.0]]),                      # 2, for the gate passes a half
        "b_l": np.zeros(1),
        "u": np.ones(1),
    }


def _lets_in_only(dh_l, g, c, u, l0, l):
    dc, _, du, dl0 = forgetting_backward(dh_l, g, c, u, l0, l)
    return dc, dc * c * (1 - g), du, dl0


def _carries_all(dh_l, g, c, u, l0, l):
    dc, dv, du, carry = np.empty_like(c), np.empty_like(c), np.zeros_like(u), np.zeros_like(l0)
    for t in reversed(range(len(l))):
        before = l[t - 1] if t > 0 else l0
        de = (l[t] > 0) * (dh_l[t] + carry)
        dc[t], dv[t] = g[t] * de, g[t] * (1 - g[t]) * (c[t] - u * before) * de
        du += ((1 - g[t]) * before * de).sum(0)
        carry = u * de
    return dc, dv, du, carry


def _out_of_bounds():
    p = delayed_and()
    return {**p, "W_s": np.array([[1.0, 1.0], [0.0, 1.0]]), "U_s": np.array([[0.0, 1.0], [0.0, 0.0]])}


def _half():
    return {**delayed_and(), "W_l": np.array([[0.0], [1.0]])}


def _forgets():
    return {**delayed_and(), "u": np.array([0.99])}


def _whatever_is_marked():
    p = delayed_and()
    return {**p, "b_s": np.array([0.0, -1.0])}


CHECKS = {"07.1": check_1, "07.2": check_2, "07.3": check_3, "07.4": check_4}
REFERENCE = {"07.1": "b", "07.2": forgetting_backward, "07.3": "c", "07.4": delayed_and}
WRONG = {
    "07.1": ["a", "c", "d"],
    "07.2": [_lets_in_only, _carries_all],                    # the gate's second way forgotten; a carry that is never let go
    "07.3": ["a", "b"],
    "07.4": [_out_of_bounds, _half, _forgets, _whatever_is_marked],
}
