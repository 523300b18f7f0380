"""The checkers of lesson 05, independent neurons."""

import ast
import inspect
import textwrap

import numpy as np

from ..cells import IndRNN
from ..scans import diagonal_scan, diagonal_scan_backward, gated_scan
from ..tasks import Adding
from . import UNTOUCHED, called, choose, fail, judge, kind, numbers


def check_1(answer):
    """What one silent step leaves of a gradient."""
    choose("05.1", answer, "c", {
        "a": "1.5^10 is the answer if all ten slopes are 1, but every slope is a factor too, and one of them is 0.",
        "b": "a silent step is not left out: its factor u · φ' = 1.5 · 0 is multiplied like the others.",
        "c": "",
        "d": "a product of numbers does not change with their order, so the place of the factor 0 does not matter.",
    })


def check_2(attempt):
    """The backward of tanh neurons without a loop of one's own, against the library's loop."""
    rng, cases = np.random.default_rng(2), []
    for T, B, H in ((6, 3, 4), (1, 2, 3), (2, 1, 5)):
        a, dh, h0 = (rng.standard_normal(shape) for shape in ((T, B, H), (T, B, H), (B, H)))
        u = rng.uniform(-1, 1, H)
        cases.append((dh, diagonal_scan(a, u, h0, "tanh"), u, h0))
    _demand_no_loop("05.2", attempt)
    mistakes = {
        "your scan runs forwards in time: give reverse=True": _forwards,
        "your gate is u alone, the slope φ' is missing from it": _gate_without_slope,
        "your value is dh alone, the slope φ' is missing from it": _value_without_slope,
        "you multiply by h[t], but u stands beside h[t-1]": _same_step,
        "the factor u is missing: h_0 enters a_1 as u ⊙ h_0": _u_forgotten,
    }
    judge("05.2", attempt, _library_backward, cases, ("da", "du", "dh0"), mistakes=mistakes)


def check_3(attempt):
    """The range of |u|, on slopes whose product is 1, ordinary, too small for float64, and 0."""
    rng = np.random.default_rng(3)
    slopes = (np.ones(10), rng.uniform(0.2, 1.0, 40), np.full(5000, 0.5), np.array([1.0, 0.5, 0.0, 1.0]))
    mistakes = {
        "the product of the slopes is too small for a float64 and became 0: add up logarithms instead": _plain_product,
        "your formula does not contain the slopes": _slopes_forgotten,
        "you have taken the slopes as factors on |u|^k: solve for |u|, and they divide": _slopes_multiply,
    }
    cases = [(one, 0.5, 2.0) for one in slopes] + [(slopes[1], 0.01, 5.0)]
    judge("05.3", attempt, range_of_u, cases, ("the smallest |u|", "the largest |u|"), mistakes=mistakes)


def check_4(answer):
    """Ten inputs that end the memory of a relu neuron with u = 1 and do not add up to less than 0."""
    if answer is ...:
        print(f"exercise 05.4: {UNTOUCHED}")
        return
    x = numbers("05.4", "the list of inputs", answer, (10,)).astype(float)
    for step, value in enumerate(x, 1):
        if not abs(value) <= 1:
            fail("05.4", f"x_{step} is {value:.4g}: every input lies between -1 and 1.")
    if x.sum() < 0:
        fail("05.4", f"your inputs add up to {x.sum():.4g}, expected 0 or more.")
    cell, p = IndRNN(1, 1), {"W": np.ones((1, 1)), "u": np.ones(1), "b": np.zeros(1)}
    h, tape = cell.forward(p, x[:, None, None], np.ones((1, 1)))
    _, kept, _ = cell.backward(None, tape, np.ones((1, 1)))
    if kept[0, 0] != 0:
        step = int(h.argmin())
        smallest = f"the smallest state is h_{step + 1} = {h.min():.4g}"
        fail("05.4", f"dh_10/dh_0 is {kept[0, 0]:g}, expected 0: no step is silent, {smallest}.")
    print("exercise 05.4: correct")


def check_5(attempt):
    """Two neurons that add marked values of either sign."""
    answer = called("05.5", attempt, ())
    if answer is ...:
        print(f"exercise 05.5: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 4:
        fail("05.5", f"got {kind(answer)}, expected four results separated by commas: return W, b, w, c.")
    asked = zip("Wbwc", answer, ((2,), (), (), ()))
    W, b, w, c = (numbers("05.5", name, part, shape).astype(float) for name, part, shape in asked)
    x, _, _ = Adding(50).batch(np.random.default_rng(5), 200)
    value, marker = 2.0 * x[:, :, 0] - 1.0, x[:, :, 1].astype(float)
    first = np.maximum(W[0] * value + W[1] * marker + b, 0)
    for place in zip(*np.nonzero((first > 0) & (marker == 0))):
        where = f"at a step with value {value[place]:.4g} and no marker"
        fail("05.5", f"the first neuron gives {first[place]:.4g} {where}, expected 0: it must be silent there.")
    target, y = (value * marker).sum(0), w * first.sum(0) + c
    worst = int(abs(np.nan_to_num(y - target, nan=np.inf)).argmax())
    if not abs(y[worst] - target[worst]) <= 1e-9:
        marked = value[:, worst][marker[:, worst] == 1]
        heard = first[:, worst][marker[:, worst] == 1]
        case = f"for the marked values {marked[0]:.4g} and {marked[1]:.4g}"
        lost = " (the first neuron is silent at a marked step: relu cuts the value off)" if (heard == 0).any() else ""
        fail("05.5", f"{case} the answer is {y[worst]:.4g}, expected {target[worst]:.4g}{lost}.")
    print("exercise 05.5: correct")


def _demand_no_loop(exercise, attempt):
    """Refuse a loop, and the library's own loop of the same purpose, where the source can be read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(attempt)))
    except (OSError, TypeError, SyntaxError):                 # no function, no file behind it, a lambda within a line
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.While, ast.comprehension)):
            fail(exercise, "your function has a loop (for, while or a comprehension): the scan shall do the stepping.")
        if getattr(node, "id", getattr(node, "attr", "")) in ("diagonal_scan_backward", "matrix_scan_backward"):
            fail(exercise, "your function calls the library's backward itself: build it from gated_scan.")


# The reference solutions: the folded cells of the lesson hold the same text.

def diagonal_backward(dh, h, u, h0):
    """tanh neurons, dh, h (T, B, H), u (H,), h0 (B, H)  ->  da (T, B, H), du (H,), dh0 (B, H)."""
    slope = 1 - h * h
    da = gated_scan(u * slope, slope * dh, np.zeros_like(h0), reverse=True)
    before = np.concatenate([h0[None], h[:-1]])               # h[t-1] at every t
    return da, (da * before).sum((0, 1)), u * da[0]


def range_of_u(slopes, ε, γ):
    """slopes (k,)  ->  the smallest and the largest |u| for which ε ≤ |u|^k · product of slopes ≤ γ."""
    if slopes.min() == 0:
        return np.inf, np.inf
    mean = np.log(slopes).mean()                              # ln|u| = ln(ε) / k - mean
    return np.exp(np.log(ε) / len(slopes) - mean), np.exp(np.log(γ) / len(slopes) - mean)


def add_signed():
    """Values between -1 and 1  ->  W (2,), b of the first neuron; w, c of the answer w · h_T + c."""
    return [1.0, 2.0], -1.0, 1.0, -2.0                        # value + 1 at a marked step, twice per sequence


def _forwards(dh, h, u, h0):
    return gated_scan(u * (1 - h * h), (1 - h * h) * dh, 0 * h0), *diagonal_backward(dh, h, u, h0)[1:]


def _gate_without_slope(dh, h, u, h0):
    return gated_scan(0 * h + u, (1 - h * h) * dh, 0 * h0, reverse=True), *diagonal_backward(dh, h, u, h0)[1:]


def _value_without_slope(dh, h, u, h0):
    return gated_scan(u * (1 - h * h), dh, 0 * h0, reverse=True), *diagonal_backward(dh, h, u, h0)[1:]


def _same_step(dh, h, u, h0):
    da, _, dh0 = diagonal_backward(dh, h, u, h0)
    return da, (da * h).sum((0, 1)), dh0


def _u_forgotten(dh, h, u, h0):
    da, du, _ = diagonal_backward(dh, h, u, h0)
    return da, du, da[0]


def _with_a_loop(dh, h, u, h0):
    da, carry = np.zeros_like(h), np.zeros_like(h0)
    for t in reversed(range(len(h))):
        da[t] = (1 - h[t] ** 2) * (dh[t] + u * carry)
        carry = da[t]
    return da, (da * np.concatenate([h0[None], h[:-1]])).sum((0, 1)), u * da[0]


def _library_backward(dh, h, u, h0):
    return diagonal_scan_backward(dh, h, u, h0, "tanh")


def _spoils_dh(dh, h, u, h0):
    dh *= 1 - h * h
    return diagonal_backward(dh, h, u, h0)


def _plain_product(slopes, ε, γ):
    with np.errstate(divide="ignore"):
        return tuple((np.float64(bound) / np.prod(slopes)) ** (1 / len(slopes)) for bound in (ε, γ))


def _slopes_forgotten(slopes, ε, γ):
    return ε ** (1 / len(slopes)), γ ** (1 / len(slopes))


def _slopes_multiply(slopes, ε, γ):
    with np.errstate(divide="ignore"):
        return tuple(np.exp((np.log(bound) + np.log(slopes).sum()) / len(slopes)) for bound in (ε, γ))


CHECKS = {"05.1": check_1, "05.2": check_2, "05.3": check_3, "05.4": check_4, "05.5": check_5}
REFERENCE = {
    "05.1": "c", "05.2": diagonal_backward, "05.3": range_of_u,
    "05.4": [-0.5, -1, 1, 1, 0, 0, 0, 0, 0, 0], "05.5": add_signed,
}
WRONG = {
    "05.1": ["a", "b", "(d)"],
    "05.2": [
        _forwards, _gate_without_slope, _value_without_slope, _same_step, _u_forgotten, _with_a_loop, _library_backward,
    ],
    "05.3": [
        _plain_product, _slopes_forgotten, _slopes_multiply,
        lambda slopes, ε, γ: range_of_u(slopes[1:], ε, γ),    # one step too few
    ],
    "05.4": [10 * [0.5], [-0.5, 0.5] + 8 * [0], [-5, 5] + 8 * [0], 10 * [-1], [1, -1] + 8 * [0]],
    "05.5": [
        lambda: ([1.0, 1.0], -1.0, 1.0, 0.0),                 # the adder of the lesson: negative values are cut off
        lambda: ([1.0, 2.0], -1.0, 1.0, -1.0),                # one value's worth of the constant
        lambda: ([1.0, 2.0], 0.0, 1.0, -4.0),                 # not silent where nothing is marked
        lambda: ([0.0, 1.0], 0.0, 1.0, 0.0),                  # counts the markers
    ],
}
ILL_TYPED = {
    "05.1": [None, 3, "e", ["c"]],
    "05.2": [
        None, lambda dh, h, u, h0: None, lambda dh, h, u, h0: h, lambda dh, h, u, h0: (h.sum(), u, h0),
        lambda dh: dh, _spoils_dh,
    ],
    "05.3": [
        "0.9", lambda slopes, ε, γ: None, lambda slopes, ε, γ: "infinity", lambda slopes, ε, γ: (slopes, slopes),
        lambda slopes, ε, γ: slopes.missing,
    ],
    "05.4": [None, "silent", [-1, -1, 1, 1], ["a"] * 10, {"x": 1}, [[-1, -1, 1, 1, 0, 0, 0, 0, 0, 0]]],
    "05.5": [
        None, lambda: None, lambda: [1.0, 2.0], lambda: ([1.0], -1.0, 1.0, -2.0),
        lambda: (["a", "b"], -1.0, 1.0, -2.0), lambda x: x,
    ],
}
