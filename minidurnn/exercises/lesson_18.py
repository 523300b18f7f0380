"""The checkers of lesson 18, a million steps: a scan as a tree and in pieces, where its maps overflow, a GILR,
and a pair that drifts.
"""

import re

import numpy as np

from ..scans import gated_scan
from . import UNTOUCHED, by_hand, called, fail, judge, kind, numbers


def check_1(answer):
    """The joins on the way down, round by round, after which each of eight steps has its map."""
    if answer is ...:
        print(f"exercise 18.1: {UNTOUCHED}")
        return
    if not isinstance(answer, (list, tuple)):
        fail("18.1", f"got {kind(answer)}, expected a list of rounds.")
    have = {(step, step) for step in range(1, 9)} | UP
    for number, joins in enumerate(answer, start=1):
        if not isinstance(joins, (list, tuple)):
            fail("18.1", f"round {number} is {kind(joins)}, expected a list of joins.")
        made = set()
        for join in joins:
            first, second = (_steps(number, join, place, have, made) for place in (0, 1))
            if first[1] + 1 != second[0]:
                fail("18.1", f"round {number} joins {_named(first)} with {_named(second)}, expected two maps of which "
                             "the second begins with the step behind the first.")
            made.add((first[0], second[1]))
        have |= made
    lacks = [step for step in (3, 5, 6, 7) if (1, step) not in have]
    if lacks:
        fail("18.1", f"after your rounds 1-{lacks[0]} is not made, the map of all steps up to step {lacks[0]}.")
    if len(answer) > 2:
        fail("18.1", f"{len(answer)} rounds, expected 2: joins that do not wait for each other share a round.")
    print("exercise 18.1: correct")


def _steps(number, join, place, have, made):
    """The first and the last step of one of the two maps of a join, "1-4" or "3"  ->  (1, 4) or (3, 3)."""
    if not isinstance(join, (list, tuple)) or len(join) != 2 or not all(isinstance(one, str) for one in join):
        fail("18.1", f"round {number} holds {kind(join)}, expected joins, pairs of texts such as (\"5-6\", \"7\").")
    found = re.fullmatch(r"([1-8])(?:-([1-8]))?", join[place].strip())
    if not found:
        fail("18.1", f"round {number} names the map {join[place][:20]!r}, expected steps from 1 to 8 such as 1-4 or 3.")
    steps = int(found[1]), int(found[2] or found[1])
    if steps not in have:
        when = " in the same round: it is there from the next round on" if steps in made else ""
        fail("18.1", f"round {number} uses {_named(steps)}, which is {'made' if when else 'not made before'}{when}.")
    return steps


def _named(steps):
    return f"{steps[0]}-{steps[1]}" if steps[0] < steps[1] else f"{steps[0]}"


def check_2(attempt):
    """A gated scan in pieces."""
    draw = np.random.default_rng(0)
    cases = []
    for T, columns, pieces in ((6, 2, 2), (12, 3, 4), (5, 1, 1), (5, 2, 5)):
        f, v = draw.uniform(-1, 1, (2, T, columns))
        cases.append((f, v, draw.uniform(-1, 1, columns), pieces))
    judge("18.2", attempt, in_pieces, cases, ("h",), mistakes={
        "every piece starts from 0: it starts from the state behind the piece before it": _from_zero,
        "every piece starts from h0: it starts from the state behind the piece before it": _from_h0,
        "the pieces are walked without h0": lambda f, v, h0, pieces: in_pieces(f, v, 0 * h0, pieces),
    })


def check_3(attempt):
    """Gates and values with which the maps of two pieces overflow and the states do not."""
    answer = called("18.3", attempt, ())
    if answer is ...:
        print(f"exercise 18.3: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail("18.3", f"got {type(answer).__name__}, expected two results, `return f, v`.")
    f, v = (numbers("18.3", name, one).astype(float) for name, one in zip("fv", answer))
    for name, one in (("f", f), ("v", v)):
        if one.shape != (100,):
            fail("18.3", f"{name} has shape {one.shape}, expected 100 numbers, (100,).")
        if not np.abs(one).max() <= LIMIT_3:
            fail("18.3", f"{name} holds {one[np.nan_to_num(np.abs(one), nan=np.inf).argmax()]:g}, expected numbers "
                         "from -1,000,000,000 to 1,000,000,000.")
    with np.errstate(all="ignore"):
        loop = in_pieces(f[:, None], v[:, None], np.zeros(1), 100)                   # a piece for each step
        pieces = in_pieces(f[:, None], v[:, None], np.zeros(1), 2)
    if not np.abs(loop).max() <= LIMIT_3:
        fail("18.3", f"the loop's states go up to {np.nanmax(np.abs(loop)):.3g}, expected at most 1,000,000,000.")
    if np.isfinite(pieces).all():
        fail("18.3", "in two pieces of 50 steps all states are finite: make the product of a piece's 50 gates "
                     "larger than 1.8e308.")
    print("exercise 18.3: correct")


def check_4(attempt):
    """A GILR: all gates at once, then one gated scan."""
    draw = np.random.default_rng(0)
    cases = []
    for T, B, D, H in ((1, 1, 1, 1), (5, 2, 3, 4), (7, 3, 2, 1)):
        sizes = (D, 2 * H), (2 * H,), (T, B, D), (B, H)
        cases.append(tuple(draw.standard_normal(size) for size in sizes))
    judge("18.4", attempt, gilr, cases, ("s",), mistakes={
        "the input j takes part with 1 - g, not whole": lambda W, b, x, s0: _gilr(W, b, x, s0, lambda g: 1),
        "g keeps the state and 1 - g takes the input: here both are g": lambda W, b, x, s0: _gilr(
            W, b, x, s0, lambda g: g),
        "the first H columns of W belong to the gate, the last H to the input": _swapped,
        "the scan starts from s0, not from 0": lambda W, b, x, s0: gilr(W, b, x, 0 * s0),
        "b is missing": lambda W, b, x, s0: gilr(W, 0 * b, x, s0),
    })


def check_5(answer):
    """A pair of states of a GILR-LSTM in noise: one step, how far they are apart after two, where both go."""
    by_hand("18.5", answer, RIGHT_5, ("c- after one step", "the difference after two steps", "where both go"), {
        "the input gate i weighs z: i z = -0.2": (2.3, 3.24, -2.0),
        "that is the difference after one step": (2.5, 3.6, -2.0),
        "the noise adds the same to both states, so it leaves the difference": (2.5, 2.84, -2.0),
        "a step adds that much; the state that a step leaves as it is solves c = 0.9 c - 0.2": (2.5, 3.24, -0.2),
        "both are forgotten, but the noise goes on: solve c = 0.9 c - 0.2": (2.5, 3.24, 0.0),
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def in_pieces(f, v, h0, pieces):
    """f, v (T, columns), h0 (columns,)  ->  h (T, columns)."""
    length = len(f) // pieces
    f = f.reshape(pieces, length, -1)
    v = v.reshape(pieces, length, -1)
    a, b = f[:, 0], v[:, 0]
    for t in range(1, length):                                # phase 1
        a, b = f[:, t] * a, f[:, t] * b + v[:, t]
    before = np.zeros(a.shape)
    state = h0
    for k in range(pieces):                                   # phase 2
        before[k] = state
        state = a[k] * state + b[k]
    h = np.zeros(f.shape)
    for t in range(length):                                   # phase 3
        before = f[:, t] * before + v[:, t]
        h[:, t] = before
    return h.reshape(pieces * length, -1)


def overflows():
    """Returns 100 gates f, 100 values v."""
    f = np.full(100, 1e7)                                     # to the 50th: 1e350
    v = np.zeros(100)
    return f, v


def gilr(W, b, x, s0):
    """W (D, 2H), b (2H,), x (T, B, D), s0 (B, H)  ->  s (T, B, H)."""
    H = s0.shape[1]
    y = x @ W + b
    g = 1 / (1 + np.exp(-y[:, :, :H]))
    j = np.tanh(y[:, :, H:])
    return gated_scan(g, (1 - g) * j, s0)


LIMIT_3 = 1e9                                                 # of gates, values and states
RIGHT_5 = (2.5, 3.24, -2.0)
UP = {(1, 2), (3, 4), (5, 6), (7, 8), (1, 4), (5, 8), (1, 8)}  # the maps that the way up makes of eight steps
DOWN = [[("1-2", "3"), ("1-4", "5"), ("1-4", "5-6")], [("1-6", "7")]]


def _starts_at(f, v, pieces, start):
    f, v = (one.reshape(pieces, -1, one.shape[-1]) for one in (f, v))
    return np.concatenate([in_pieces(own_f, own_v, start, 1) for own_f, own_v in zip(f, v)])


def _from_zero(f, v, h0, pieces):
    return _starts_at(f, v, pieces, 0 * h0)


def _from_h0(f, v, h0, pieces):
    return _starts_at(f, v, pieces, h0)


def _gilr(W, b, x, s0, taken):
    """A GILR whose input takes part with another share than 1 - g."""
    g, j = np.split(x @ W + b, 2, axis=2)
    g = 1 / (1 + np.exp(-g))
    return gated_scan(g, taken(g) * np.tanh(j), s0)


def _swapped(W, b, x, s0):
    H = s0.shape[1]
    return gilr(np.roll(W, H, axis=1), np.roll(b, H), x, s0)


CHECKS = {"18.1": check_1, "18.2": check_2, "18.3": check_3, "18.4": check_4, "18.5": check_5}
REFERENCE = {"18.1": DOWN, "18.2": in_pieces, "18.3": overflows, "18.4": gilr, "18.5": (2.5, 3.24, -2)}
WRONG = {
    "18.1": [
        [], [[("1-2", "3"), ("1-4", "5"), ("1-4", "5-6")]],   # 1-7 is missing
        [[("1-2", "3"), ("1-4", "5"), ("1-4", "5-6"), ("1-6", "7")]],                # 1-6 is made in the same round
        [[("1-2", "3")], [("1-4", "5")], [("1-5", "6")], [("1-6", "7")]],            # four rounds
        [[("3", "1-2"), ("1-4", "5"), ("1-4", "5-6")], [("1-6", "7")]],              # the wrong order
        [[("1-2", "4")]], [[("1-9", "3")]],
    ],
    "18.2": [_from_zero, _from_h0, lambda f, v, h0, pieces: in_pieces(f, v, 0 * h0, pieces),
             lambda f, v, h0, pieces: in_pieces(f, v, h0, pieces)[::-1]],
    "18.3": [
        lambda: (np.full(100, 0.5), np.ones(100)),            # nothing overflows
        lambda: (np.full(100, 1e7), np.ones(100)),            # the loop does too
        lambda: (np.full(100, np.inf), np.zeros(100)),        # not finite itself
        lambda: (np.full(99, 1e6), np.zeros(99)),
    ],
    "18.4": [lambda W, b, x, s0: _gilr(W, b, x, s0, lambda g: 1), lambda W, b, x, s0: _gilr(W, b, x, s0, lambda g: g),
             _swapped, lambda W, b, x, s0: gilr(W, b, x, 0 * s0), lambda W, b, x, s0: gilr(W, 0 * b, x, s0),
             lambda W, b, x, s0: gilr(W, b, x, s0)[::-1]],
    "18.5": [(2.3, 3.24, -2), (2.5, 3.6, -2), (2.5, 2.84, -2), (2.5, 3.24, -0.2), (2.5, 3.24, 0)],
}
ILL_TYPED = {
    "18.1": [None, 3, "three", ["b"], [("1-2", "3")], [[("1-2", 3)]], [[("1-2", "3", "4")]], [[{}]]],
    "18.2": [None, lambda f, v, h0, pieces: None, lambda f, v, h0, pieces: f[0], lambda f, v, h0, pieces: f[999],
             lambda f, v, h0, pieces: (f.fill(0), f)[1]],
    "18.3": [None, lambda: None, lambda: np.ones(100), lambda: (1.0, 2.0), lambda: ("f", "v"), lambda: 1 / 0],
    "18.4": [None, lambda W, b, x, s0: None, lambda W, b, x, s0: gilr(W, b, x, s0)[-1],
             lambda W, b, x, s0: x @ W.T, lambda W, b, x, s0: (W.fill(0), gilr(W, b, x, s0))[1]],
    "18.5": [None, 1000, (1, 2), ("a", "b", "c"), (2.5, 3.24, np.ones(2))],
}
