"""The checkers of lesson 00, start here."""

from dataclasses import dataclass

import numpy as np

from ..arrays.starts import glorot, uniform
from ..cells import Cell
from ..cells.contract import check_model
from ..gradcheck import assert_cell, random_leaves
from ..gradcheck.points import read_only
from . import UNTOUCHED, by_hand, called, choose, compare, fail, kind, numbers, told, tried

LAST_STATE_ALONE = (1.25, 72.5)                               # dL/dh_1 and dL/df where L = h_3² / 2


def check_1(answer):
    """What two further steps leave of an input."""
    choose("00.1", answer, "c", {
        "a": "h_1 grows by 1, but step 2 keeps only half of h_1, and step 3 only half of h_2.",
        "b": "that is how far h_2 grows: half of the growth of h_1. Step 3 keeps half of h_2.",
        "c": "",
        "d": "the line for h_3 does not name x_1, but h_3 holds half of h_2, which holds half of h_1, which holds x_1.",
    })


def check_2(answer):
    """Three steps of one neuron, backward, by hand, with a loss that reads the last state alone."""
    by_hand("00.2", answer, LAST_STATE_ALONE, ("dL/dh_1", "dL/df"), {
        "f also acts at steps 1 and 2, through h_2": (5, 50),
        "h_1 has no direct slope, but it moves h_2, which moves h_3": (0, 0),
        "between h_1 and h_3 lie two steps, and each of them multiplies by f": (2.5, 75),
        "this is the answer for the loss of section 2; now h_3 alone has a direct slope, h_3 = 5": (3.5, 87),
        "f at step t multiplies h_(t-1), not h_t": (1.25, 60),
        "the f of step 1 is missing: there it multiplies h_0 = 2": (1.25, 70),
    })


def check_3(attempt):
    """A loop backward that is right on one step and wrong on more."""
    rng = np.random.default_rng(3)
    for T, B, H in ((1, 3, 4), (1, 2, 1), (2, 3, 4), (6, 2, 3)):
        case = rng.standard_normal((T, B, H)), rng.uniform(0.2, 0.9, H), rng.standard_normal((B, H))
        dh, f, dstate = case
        where = f" for T, B, H = {T, B, H}"
        yours = called("00.3", attempt, case, where)
        if yours is ...:
            print(f"exercise 00.3: {UNTOUCHED}")
            return
        yours, right = numbers("00.3", "total", yours, dh.shape), dh.copy()
        right[-1] += dstate
        for t in reversed(range(T - 1)):
            right[t] += f * right[t + 1]
        if T == 1:
            known = {"dstate is the carry into the last step: add it to dh": dh, "dh is missing": dstate[None]}
            compare("00.3", yours, right, ("total",), where=f"{where}, and on one step it must be right", known=known)
        elif np.allclose(yours, right, 1e-6, 1e-6):
            fail("00.3", f"your total is right{where} as well: break something that shows from the second step on.")
    print("exercise 00.3: correct")


def check_4(attempt):
    """A cell of one's own: outputs and gradients are compared, then `assert_cell` judges the whole contract."""
    if not isinstance(attempt, type):
        fail("00.4", f"got {kind(attempt)}, expected the class itself, without brackets: Blend.")
    cell = _run("00.4", "Blend(inputs=2, units=4)", lambda: attempt(inputs=2, units=4))
    try:
        check_model("what Blend(inputs=2, units=4) makes", cell)
    except TypeError as error:
        fail("00.4", f"{error}", error)
    rng, reference = np.random.default_rng(4), Blend(2, 4)
    slips = {said: type("Slip", (Blend,), methods)(2, 4) for said, methods in SLIPS.items()}
    p, x, state, tape, dh, dstate = read_only(_point(reference, rng, 5))
    run = _run("00.4", "forward", cell.forward, p, x, state)
    if run is ...:
        print(f"exercise 00.4: {UNTOUCHED}")
        return
    if not isinstance(run, tuple) or len(run) != 2:
        fail("00.4", f"forward gives {kind(run)}, expected two results separated by commas: return h, tape.")
    where, known = f" for x of shape {x.shape}", {said: slip.forward(p, x, state)[0] for said, slip in slips.items()}
    left = compare("00.4", run[0], tape[-1], ("h",), where=where, known=known)
    last = ... if left else _run("00.4", "last_state, which takes the end of the tape,", cell.last_state, run[1])
    left = left or compare("00.4", last, tape[-1][-1], ("last_state(tape)",))
    yours = ... if left else _run("00.4", "backward", cell.backward, dh, run[1], dstate)
    if yours is ...:
        print(f"exercise 00.4: not finished: {(left or ['backward'])[0]} still `...`, the rest is correct")
        return
    (yours, names), (right, _) = (_flat("00.4", one, p) for one in (yours, reference.backward(dh, tape, dstate)))
    known = {said: _flat("00.4", slip.backward(dh, tape, dstate), p)[0] for said, slip in slips.items()}
    if left := compare("00.4", yours, right, names, where=where, known=known):
        print(f"exercise 00.4: not finished: {', '.join(left)} still `...`, the rest is correct")
        return
    try:
        assert_cell(cell, rng)
    except AssertionError as error:
        fail("00.4", f"these numbers are right, but assert_cell refuses the cell: {error}", error)
    except Exception as error:                                # whatever a student's class may raise
        hint = "state, dh and dstate may each be None, which means zeros, and no argument may be written into"
        fail("00.4", f"these numbers are right, but assert_cell met {told(error)} ({hint}).", error)
    print("exercise 00.4: correct")


def check_5(answer):
    """Between which limits every share keeps a fifth over 50 steps."""
    choose("00.5", answer, "d", {
        "a": "a share near 0 keeps nothing: 0.1 to the power 50 is 1e-50.",
        "b": "0.5 to the power 50 is about 1e-15, far below a fifth.",
        "c": "0.9 to the power 50 is about 0.005, below a fifth.",
        "d": "",
    })


def _point(cell, rng, steps):
    """A random place to ask a cell at, three sequences  ->  p, x, state, tape, dh, dstate."""
    p, x, state = random_leaves(cell, rng, steps, 3).values()
    h, tape = cell.forward(p, x, state)
    return p, x, state, tape, rng.standard_normal(h.shape), rng.standard_normal(state.shape)


def _run(exercise, what, function, *arguments):
    """function(*arguments), whose arrays are locked  ->  its result. What goes wrong in it becomes one sentence."""
    try:
        result = tried(exercise, f"{what} stopped", function, *arguments)
    except AssertionError as error:
        if "read-only" in str(error):
            fail(exercise, f"{what} writes into an argument: work on a copy, such as dh.copy().", error.__cause__)
        raise
    if result is None:
        fail(exercise, f"{what} returned nothing (None): end it with `return` and the result.")
    return result


def _flat(exercise, gradients, p):
    """dx, dstate0, dp as one tuple, dp's arrays in the order of p  ->  the tuple, and what its entries are called."""
    asked = "return dx, dstate0, {" + ", ".join(f'"{name}": d{name}' for name in p) + "}"
    if not isinstance(gradients, tuple) or len(gradients) != 3 or not isinstance(gradients[2], dict):
        given = kind(gradients) if not isinstance(gradients, tuple) else " and ".join(map(kind, gradients))
        fail(exercise, f"your backward gives {given}, expected three results: {asked}.")
    dx, dstate0, dp = gradients
    if set(dp) != set(p):
        fail(exercise, f"dp holds {', '.join(map(str, dp)) or 'nothing'}, expected {', '.join(p)}: {asked}.")
    return (dx, dstate0, *(dp[name] for name in p)), ("dx", "dstate0", *(f"d{name}" for name in p))


# The reference solutions: the folded cells of the lesson hold the same text.

def broken_total(dh, f, dstate):
    """dh (T, B, H), f (H,), dstate (B, H)  ->  total (T, B, H), right for T = 1 alone."""
    total = dh.copy()
    total[-1] += dstate                                       # no carry between steps
    return total


@dataclass(frozen=True)
class Blend(Cell):
    inputs: int
    units: int
    outputs = state_size = property(lambda self: self.units)

    def init(self, rng):
        return {"W": glorot(rng, self.inputs, self.units), "alpha": uniform(rng, 0.1, 0.9, self.units)}

    def forward(self, p, x, state=None):
        z = x @ p["W"]
        h = np.zeros_like(z)
        h0 = np.zeros_like(h[0]) if state is None else state
        before = h0
        for t in range(len(h)):
            h[t] = (1 - p["alpha"]) * before + p["alpha"] * z[t]
            before = h[t]
        return h, (p, x, h0, z, h)

    def backward(self, dh, tape, dstate=None):
        p, x, h0, z, h = tape
        dx, dW, dalpha = np.zeros_like(x), np.zeros_like(p["W"]), np.zeros_like(p["alpha"])
        carry = np.zeros_like(h0) if dstate is None else dstate
        for t in reversed(range(len(h))):
            total = carry if dh is None else dh[t] + carry
            before = h[t - 1] if t > 0 else h0
            dz = p["alpha"] * total
            dW += x[t].T @ dz
            dalpha += ((z[t] - before) * total).sum(axis=0)
            dx[t] = dz @ p["W"].T
            carry = (1 - p["alpha"]) * total
        return dx, carry, {"W": dW, "alpha": dalpha}

    def last_state(self, tape):
        return tape[-1][-1]


def _every_step_alone(self, dh, tape, dstate=None):
    p, x, h0, z, h = tape
    parts = [
        Blend.backward(self, dh[t:t + 1], (p, x[t:t + 1], h[t - 1] if t else h0, z[t:t + 1], h[t:t + 1]), after)
        for t, after in enumerate([None] * (len(x) - 1) + [dstate])]
    dx, dbefore, dp = zip(*parts)
    return np.concatenate(dx), dbefore[0], {name: sum(one[name] for one in dp) for name in p}


def _without_old(self, dh, tape, dstate=None):
    p, x, h0, z, h = tape
    return Blend.backward(self, dh, (p, x, 0 * h0, z, 0 * h), dstate)


def _new_unweighed(self, dh, tape, dstate=None):
    dx, dstate0, dp = Blend.backward(self, dh, tape, dstate)
    p, x, h0, z, h = tape
    total, carry = np.zeros_like(h), np.zeros_like(h0) if dstate is None else dstate
    for t in reversed(range(len(h))):
        total[t] = carry if dh is None else dh[t] + carry
        carry = (1 - p["alpha"]) * total[t]
    return total @ p["W"].T, dstate0, {**dp, "W": np.einsum("tbi,tbh->ih", x, total)}


SLIPS = {                                                     # a mistake in words -> the methods of Blend that make it
    "the shares are exchanged: alpha is the share of what is new": {
        "forward": lambda self, p, x, state: Blend.forward(self, {**p, "alpha": 1 - p["alpha"]}, x, state)},
    "dstate, the gradient on the state handed on, is not used": {
        "backward": lambda self, dh, tape, dstate=None: Blend.backward(self, dh, tape)},
    "the carry is missing: what arrives from the step after": {"backward": _every_step_alone},
    "alpha also stands beside h[t-1], with a minus": {"backward": _without_old},
    "z[t] enters h[t] with the factor alpha": {"backward": _new_unweighed},
}
CHECKS = {"00.1": check_1, "00.2": check_2, "00.3": check_3, "00.4": check_4, "00.5": check_5}
REFERENCE = {"00.1": "c", "00.2": LAST_STATE_ALONE, "00.3": broken_total, "00.4": Blend, "00.5": "d"}
WRONG = {
    "00.1": ["a", "(B)", "d"],
    "00.2": [(0, 50), (1.25, 50), (2.5, 75), (3.5, 87), (1.25, 60), (1.25, 70), (72.5, 1.25)],
    "00.3": [
        lambda dh, f, dstate: dh, lambda dh, f, dstate: 2 * (dh + dstate),              # one step shows it
        lambda dh, f, dstate: np.stack([*dh[:-2], *(dh[-2:-1] + f * (dh[-1] + dstate)), dh[-1] + dstate]),
    ],
    "00.4": [type("Slip", (Blend,), methods) for methods in SLIPS.values()],
    "00.5": ["a", "(B)", "c."],
}
ILL_TYPED = {
    "00.1": [None, 0.25, "e", ["c"]],
    "00.2": [None, 1.25, "1.25, 72.5", (1.25, "f"), (1, 2, 3), {"f": 1}],
    "00.3": [lambda dh, f, dstate: dstate, lambda dh: dh, lambda dh, f, dstate: dh.__iadd__(dstate), 3],
    "00.4": [Blend(2, 4), 3, lambda inputs, units: 3, dict, *(type("Own", (Blend,), methods) for methods in (
        {"forward": lambda self, p, x, state=None: None},
        {"forward": lambda self, p, x, state=None: Blend.forward(self, p, x, state)[0]},          # no tape
        {"forward": lambda self, p, x, state=None: Blend.forward(self, p, x, state + 0)},         # None + 0
        {"last_state": lambda self, tape: tape[-1]},
        {"backward": lambda self, dh, tape, dstate=None: Blend.backward(self, dh, tape)[1:]},
        {"backward": lambda self, dh, tape, dstate=None: Blend.backward(self, dh.__iadd__(0.0), tape, dstate)},
    ))],
    "00.5": [None, 0.97, "(x)", ("d",)],
}
