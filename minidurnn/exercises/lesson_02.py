"""The checkers of lesson 02, catch a wrong gradient."""

from functools import partial

import numpy as np

from ..cells import RNN
from . import UNTOUCHED, called, choose, fail, judge, kind
from .lesson_01 import B, H, T, arguments, as_leaves, backward, rnn, rnn_leaves


def check_1(answer):
    """What half the step does to the errors of the one-sided and of the central slope."""
    choose("02.1", answer, "b", {
        "a": "the central error falls faster: its parts with ε cancel, and what is left contains ε².",
        "b": "",
        "c": "the one-sided error contains ε itself, 3ε + ε² for the cube: half the step leaves about half of it.",
    })


def check_2(attempt):
    """The central difference along v, in two evaluations."""
    rng, calls = np.random.default_rng(4), []

    def cubes(leaf):
        calls.append(leaf)
        return (np.asarray(leaf) ** 3).sum()

    cases = [(cubes, *rng.standard_normal((2, *shape)), step) for shape, step in (((3, 5), 0.1), ((5,), 0.01))]
    if called("02.2", attempt, cases[0]) is not ... and len(calls) > 2:
        fail("02.2", f"your function calls loss {len(calls)} times, expected 2: move the whole leaf at once.")
    judge("02.2", attempt, _slope_of_cubes, cases, ("the slope",), mistakes=SLIPS)


def _slope_of_cubes(loss, leaf, v, step):
    return (3 * leaf**2 * v).sum() + step**2 * (v**3).sum()   # the slope, and what the central difference adds to it


def check_3(attempt):
    """A checker of the student's own, tried on right gradients and on wrong ones."""
    for seed in range(3):
        leaves = rnn_leaves(np.random.default_rng(seed))
        for name, (wrong, scale, hint) in TRIALS.items():
            said = _said(attempt, wrong, scale, leaves, seed, f" on {name}")
            if said is ...:
                print(f"exercise 02.3: {UNTOUCHED}")
                return
            if said != (expected := _first_wrong(wrong, leaves)):
                fail("02.3", f"on {name} your checker says {said!r}, expected {expected!r}: {hint}.")
    print("exercise 02.3: correct")


def _said(attempt, wrong, scale, leaves, seed, where):
    """The student's verdict. Refused: another type, a write, more than two runs to a leaf (and one for shapes)."""
    runs, given = [], {name: leaf.copy() for name, leaf in leaves.items()}

    def forward(moved):
        runs.append(moved)
        return scale * rnn(moved)

    def gradients(c):
        return as_leaves(wrong(scale * c, *arguments(leaves)))

    said = called("02.3", attempt, (forward, gradients, given, np.random.default_rng(100 + seed)), where)
    if said is ...:
        return said
    if not isinstance(said, str) or said not in ("accepted", *leaves):
        fail("02.3", f"your checker returned {kind(said)}{where}, expected 'accepted' or one of {', '.join(leaves)}.")
    if given.keys() != leaves.keys() or any(not np.array_equal(given[name], leaf) for name, leaf in leaves.items()):
        fail("02.3", "your checker writes into leaves: make a moved copy, {**leaves, name: leaf + ...}.")
    if len(runs) > 3 * len(leaves):
        fail("02.3", f"your checker ran forward {len(runs)} times for {len(leaves)} leaves: expected two runs a leaf.")
    return said


def _first_wrong(wrong, leaves):
    """The first leaf whose gradient is off for a random cotangent, in the order of the leaves; "accepted" for none."""
    dh = np.random.default_rng(9).standard_normal((T, B, H))
    right, given = (as_leaves(one(dh, *arguments(leaves))) for one in (backward, wrong))
    return next((name for name in leaves if not _alike(given[name], right[name])), "accepted")


def check_4(answer):
    """The bugs that a cotangent of ones lets pass."""
    choose("02.4", answer, "c", {
        "a": "two of the nine bugs hand a changed dh to a right backward; what do they make of a dh of ones?",
        "b": "also for a dh of ones they return something else: zeros, or the right gradient with the wrong sign.",
        "c": "",
        "d": "the direction is random and the tolerance 1e-7, so both show in the slopes, for a dh of ones as well.",
    })


def check_5(attempt):
    """A backward that is wrong, right for a dh of ones, and not in the table."""
    shown = set(BUGS)
    for seed in range(5):
        leaves = rnn_leaves(np.random.default_rng(seed))
        dh = np.random.default_rng(50 + seed).standard_normal((T, B, H))
        yours = _gradients(attempt, dh, leaves)
        if yours is ...:
            print(f"exercise 02.5: {UNTOUCHED}")
            return
        right = as_leaves(backward(dh, *arguments(leaves)))
        if all(_alike(yours[name], right[name], 1e-6) for name in leaves):
            fail("02.5", "for a random dh your gradients are right, to six digits: plant a bug that shows there.")
        table = {name: as_leaves(BUGS[name](dh, *arguments(leaves))) for name in shown}
        shown = {bug for bug in shown if all(_alike(yours[name], table[bug][name]) for name in leaves)}
        ones, at_ones = np.ones((T, B, H)), _gradients(attempt, np.ones((T, B, H)), leaves)
        for name, one in as_leaves(backward(ones, *arguments(leaves))).items():
            if not _alike(at_ones[name], one):
                at = np.unravel_index(abs(at_ones[name] - one).argmax(), one.shape)
                entry = f"d{name}[{', '.join(map(str, at))}] is {at_ones[name][at]:.4g}, expected {one[at]:.4g}"
                fail("02.5", f"the weak checker notices: for a dh of ones {entry}.")
    if shown:
        fail("02.5", f"this is the bug {shown.pop()!r} among the nine above: find another one.")
    print("exercise 02.5: correct")


def _gradients(attempt, dh, leaves):
    """The student's gradients by leaf, or `...`. Refused: another form or shape, a write."""
    given = (dh.copy(), *arguments(leaves))
    results = called("02.5", attempt, given)
    if results is ...:
        return results
    if (p := given[1]).keys() != {"W", "U", "b"} or any(not np.array_equal(p[name], leaves[name]) for name in p):
        fail("02.5", "your function writes into p: make a new dictionary, {**p, \"U\": ...}.")
    if not (isinstance(results, tuple) and len(results) == 3 and getattr(results[2], "keys", dict)() == p.keys()):
        got = ", ".join(map(kind, results)) if isinstance(results, tuple) else kind(results)
        fail("02.5", f"your function returned {got}, expected dx, dh0, {{\"W\": dW, \"U\": dU, \"b\": db}}.")
    for name, one in (results := as_leaves(results)).items():
        if np.shape(one) != leaves[name].shape or np.asarray(one).dtype.kind != "f":
            fail("02.5", f"the gradient on {name} is {kind(one)}, expected numbers of shape {leaves[name].shape}.")
    return results


def _alike(one, other, tolerance=1e-9):
    return one.shape == other.shape and np.allclose(one, other, rtol=tolerance, atol=tolerance)


def _changed(leaf, change):
    def wrong(dh, p, x, h0, h):
        dx, dh0, dp = backward(dh, p, x, h0, h)
        return (dx, change(dh0), dp) if leaf == "h0" else (dx, dh0, {**dp, leaf: change(dp[leaf])})

    return wrong


class Hidden(RNN):
    """A cell with a bug, for section 9."""
    def backward(self, dh, tape, dstate=None):
        dx, dstate0, dp = super().backward(dh, tape, dstate)
        return dx, dstate0, {**dp, "b": dp["b"] / dh.shape[1]}


# The lesson's bugs, and all that a checker is tried on: a backward, a factor on forward, a hint.
BUGS = {
    "all_zero": lambda dh, p, x, h0, h: backward(0 * dh, p, x, h0, h),
    "wrong_sign": lambda dh, p, x, h0, h: backward(-dh, p, x, h0, h),
    "carry_dropped": lambda dh, p, x, h0, h: backward(dh, {**p, "U": 0 * p["U"]}, x, h0, h),
    "not_transposed": lambda dh, p, x, h0, h: backward(dh, {**p, "U": p["U"].T}, x, h0, h),
    "x_late": lambda dh, p, x, h0, h: backward(dh, p, np.roll(x, 1, axis=0), h0, h),
    "times_1001": lambda dh, p, x, h0, h: backward(1.001 * dh, p, x, h0, h),
    "one_entry_wrong": _changed("U", lambda dU: dU * (1 - 2 * (np.arange(dU.size) == 7).reshape(dU.shape))),
    "reversed_in_time": lambda dh, p, x, h0, h: backward(dh[::-1], p, x, h0, h),
    "other_sequence": lambda dh, p, x, h0, h: backward(dh[:, ::-1], p, x, h0, h),
}
SIZE = "compare with the size of the gradient, not with a fixed number"
TRIALS = {
    "the right gradients": (backward, 1.0, "nothing is wrong with them"),
    "right gradients of outputs times 1000": (backward, 1e3, SIZE),
    **{f"the bug {name!r}": (wrong, 1.0, "are c and v random, is every leaf compared") for name, wrong in BUGS.items()},
    "a wrong sign, outputs divided by a billion": (BUGS["wrong_sign"], 1e-9, SIZE),
    "a gradient on b that is 0.001 % too large": (_changed("b", lambda db: 1.00001 * db), 1.0, "the tolerance is 1e-7"),
    "a gradient on h0 that is nan": (_changed("h0", lambda dh0: np.nan * dh0), 1.0, "no comparison with nan is True"),
    "a gradient on b of shape (1, 5)": (_changed("b", lambda db: db[None]), 1.0, "compare the shapes first"),
}


# The reference solutions: the folded cells of the lesson hold the same text.

def slope_along(loss, leaf, v, step):
    """The central difference of loss(leaf) along v  ->  a number."""
    return (loss(leaf + step * v) - loss(leaf - step * v)) / (2 * step)


def check_gradient(forward, backward, leaves, rng):
    """The first leaf whose gradient is wrong, in the order of `leaves`; if none is, "accepted"."""
    for name, leaf in leaves.items():
        c = rng.standard_normal(forward(leaves).shape)                            # 1
        v = rng.standard_normal(leaf.shape)                                       # 2
        gradient = backward(c)[name]                                              # 3
        if gradient.shape != leaf.shape:
            return name
        ahead = forward({**leaves, name: leaf + 1e-5 * v})                        # 4
        behind = forward({**leaves, name: leaf - 1e-5 * v})
        measured, claimed = (c * (ahead - behind)).sum() / 2e-5, (gradient * v).sum()
        if not abs(claimed - measured) <= 1e-7 * np.linalg.norm(gradient):        # 5; for nan as well
            return name
    return "accepted"


def wrong_backward(dh, p, x, h0, h):
    """A wrong gradient that a cotangent of ones does not notice  ->  dx, dh0, dp."""
    average = dh.mean(axis=1, keepdims=True) + 0 * dh         # every sequence gets the average: of ones it is one
    return backward(average, p, x, h0, h)


SLIPS = {
    "this is the one-sided slope: look behind as well": lambda f, at, v, step: (f(at + step * v) - f(at)) / step,
    "the points are 2 · step apart, not step": lambda f, at, v, step: (f(at + step * v) - f(at - step * v)) / step,
    "this is the change of the loss: divide it by 2 · step": lambda f, at, v, step: f(at + step * v) - f(at - step * v),
    "this looks along ones: where is v?": lambda f, at, v, step: (f(at + step) - f(at - step)) / (2 * step),
}


def _weaker(forward, backward, leaves, rng, ones=False, size=np.linalg.norm, refuses=lambda off, most: not off <= most):
    for name, leaf in leaves.items():
        c, v = rng.standard_normal(forward(leaves).shape), rng.standard_normal(leaf.shape)
        gradient = backward(c := np.ones_like(c) if ones else c)[name]
        change = forward({**leaves, name: leaf + 1e-5 * v}) - forward({**leaves, name: leaf - 1e-5 * v})
        if refuses(abs((c * change).sum() / 2e-5 - (gradient * v).sum()), 1e-7 * size(gradient)):
            return name
    return "accepted"


CHECKS = {"02.1": check_1, "02.2": check_2, "02.3": check_3, "02.4": check_4, "02.5": check_5}
REFERENCE = {"02.1": "b", "02.2": slope_along, "02.3": check_gradient, "02.4": "c", "02.5": wrong_backward}
WRONG = {
    "02.1": ["a", "c", "e"],
    "02.2": [*SLIPS.values(), lambda f, at, v, step: sum(f(at + step * v) for _ in range(30))],
    "02.3": [
        partial(_weaker, ones=True), partial(_weaker, size=lambda g: 1.0), partial(_weaker, size=lambda g: 1e5),
        partial(_weaker, refuses=lambda off, most: off > most), _weaker, lambda *_: "accepted", lambda *_: "x",
        lambda forward, backward, leaves, rng: [forward(leaves) for _ in range(100)] and "accepted",
    ],
    "02.4": ["a", "b", "d"],
    "02.5": [backward, *BUGS.values(), lambda dh, *rest: backward((1 + 1e-8) * dh, *rest)],
}
ILL_TYPED = {
    "02.1": [None, 0.0025, ["b"]],
    "02.2": [None, lambda *_: None, lambda *_: "3.01", lambda loss, leaf, v, step: loss(leaf, v), lambda *_: (1, 2)],
    "02.3": [None, lambda *_: None, lambda *_: False, lambda *_: "y", lambda forward, *_: forward(1)],
    "02.4": [None, 2, "reversed_in_time"],
    "02.5": [None, lambda *_: None, lambda dh, *_: dh, lambda *all: backward(*all)[:2], lambda *_: (0, 0, {}),
             lambda dh, p, *rest: p.update(U=0 * p["U"]) or backward(dh, p, *rest)],
}
