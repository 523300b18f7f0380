"""The checkers of lesson 18, a million steps: a scan in pieces, what it costs, and where its maps overflow."""

import numpy as np

from . import UNTOUCHED, by_hand, called, choose, fail, judge, numbers


def check_1(answer):
    """Rounds in which eight maps become one."""
    choose("18.1", answer, "b", {
        "a": "in the first round the eight maps become four at the same time, not seven one after the other.",
        "b": "",
        "c": "one composition joins two maps, so one round leaves four of them, not one.",
        "d": "eight becomes four, four becomes two: count the rounds until one is left.",
    })


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


def check_3(answer):
    """From how many processors on three phases pay."""
    choose("18.3", answer, "c", {
        "a": "with two, each does half of the steps, and each step costs three times as much: 3/2 of the loop.",
        "b": "with three, a third of the steps at three times the cost is what the loop takes, and log P is added.",
        "c": "",
        "d": "it pays before: compare 6nT/P with 2nT.",
    })


def check_4(attempt):
    """Gates and values with which the maps of two pieces overflow and the states do not."""
    answer = called("18.4", attempt, ())
    if answer is ...:
        print(f"exercise 18.4: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail("18.4", f"got {type(answer).__name__}, expected two results, `return f, v`.")
    f, v = (numbers("18.4", name, one).astype(float) for name, one in zip("fv", answer))
    for name, one in (("f", f), ("v", v)):
        if one.shape != (100,):
            fail("18.4", f"{name} has shape {one.shape}, expected 100 numbers, (100,).")
        if not np.abs(one).max() <= LIMIT_4:
            fail("18.4", f"{name} holds {one[np.nan_to_num(np.abs(one), nan=np.inf).argmax()]:g}, expected numbers "
                         "from -1,000,000,000 to 1,000,000,000.")
    with np.errstate(all="ignore"):
        loop = in_pieces(f[:, None], v[:, None], np.zeros(1), 100)                   # a piece for each step
        pieces = in_pieces(f[:, None], v[:, None], np.zeros(1), 2)
    if not np.abs(loop).max() <= LIMIT_4:
        fail("18.4", f"the loop's states go up to {np.nanmax(np.abs(loop)):.3g}, expected at most 1,000,000,000.")
    if np.isfinite(pieces).all():
        fail("18.4", "in two pieces of 50 steps all states are finite: make the product of a piece's 50 gates "
                     "larger than 1.8e308.")
    print("exercise 18.4: correct")


def check_5(answer):
    """Numbers in memory for three lengths of a stretch."""
    by_hand("18.5", answer, RIGHT_5, ("S = 100", "S = 20", "S = 1000"), {
        "the tape stands in memory for one stretch at a time, not for all of them": (250_100.0, 250_500.0, 250_010.0),
        "the states at the boundaries stand in memory too": (2500.0, 500.0, 25_000.0),
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def in_pieces(f, v, h0, pieces):
    """f, v (T, columns), h0 (columns,), T a multiple of pieces  ->  h (T, columns)."""
    length = len(f) // pieces
    f = f.reshape(pieces, length, -1)
    v = v.reshape(pieces, length, -1)
    A, B = f[:, 0], v[:, 0]                                   # one map for each piece
    for t in range(1, length):                                # phase 1, all pieces at once
        A, B = f[:, t] * A, f[:, t] * B + v[:, t]
    before = np.zeros(A.shape)                                # the state in front of each piece
    for k in range(pieces):                                   # phase 2
        before[k] = h0
        h0 = A[k] * h0 + B[k]
    h = np.zeros(f.shape)
    for t in range(length):                                   # phase 3, all pieces at once
        before = f[:, t] * before + v[:, t]
        h[:, t] = before
    return h.reshape(pieces * length, -1)


def overflows():
    """100 gates and 100 values: the loop's states are small, the map of 50 steps is not finite."""
    f = np.full(100, 1e7)                                     # 50 of them multiply to 1e350
    v = np.zeros(100)
    return f, v


LIMIT_4 = 1e9                                                 # of gates, values and states
RIGHT_5 = (2600.0, 1000.0, 25_010.0)


def _starts_at(f, v, pieces, start):
    f, v = (one.reshape(pieces, -1, one.shape[-1]) for one in (f, v))
    return np.concatenate([in_pieces(own_f, own_v, start, 1) for own_f, own_v in zip(f, v)])


def _from_zero(f, v, h0, pieces):
    return _starts_at(f, v, pieces, 0 * h0)


def _from_h0(f, v, h0, pieces):
    return _starts_at(f, v, pieces, h0)


CHECKS = {"18.1": check_1, "18.2": check_2, "18.3": check_3, "18.4": check_4, "18.5": check_5}
REFERENCE = {"18.1": "b", "18.2": in_pieces, "18.3": "c", "18.4": overflows, "18.5": (2600, 1000, 25010)}
WRONG = {
    "18.1": ["a", "c", "(D)"],
    "18.2": [_from_zero, _from_h0, lambda f, v, h0, pieces: in_pieces(f, v, 0 * h0, pieces),
             lambda f, v, h0, pieces: in_pieces(f, v, h0, pieces)[::-1]],
    "18.3": ["a", "b", "d"],
    "18.4": [
        lambda: (np.full(100, 0.5), np.ones(100)),            # nothing overflows
        lambda: (np.full(100, 1e7), np.ones(100)),            # the loop does too
        lambda: (np.full(100, np.inf), np.zeros(100)),        # not finite itself
        lambda: (np.full(99, 1e6), np.zeros(99)),
    ],
    "18.5": [(250_100, 250_500, 250_010), (2500, 500, 25_000), (2600, 1000, 25_000)],
}
ILL_TYPED = {
    "18.1": [None, 3, "three", ["b"]],
    "18.2": [None, lambda f, v, h0, pieces: None, lambda f, v, h0, pieces: f[0], lambda f, v, h0, pieces: f[999],
             lambda f, v, h0, pieces: (f.fill(0), f)[1]],
    "18.3": [None, 4, "four", True],
    "18.4": [None, lambda: None, lambda: np.ones(100), lambda: (1.0, 2.0), lambda: ("f", "v"), lambda: 1 / 0],
    "18.5": [None, 1000, (1, 2), ("a", "b", "c"), (2600, 1000, np.ones(2))],
}
