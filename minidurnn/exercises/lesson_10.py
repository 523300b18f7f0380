"""The checkers of lesson 10, delayed XOR: which pairs of bits a network tells apart, and what a curriculum carries."""

import numpy as np

from ..cells import DuRNN
from ..tasks import DelayedXOR
from . import UNTOUCHED, called, choose, described, fail, judge, kind, numbers
from .lesson_07 import delayed_xor

PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))                      # the bit before the marked one, the marked bit


def check_1(answer):
    """How often someone is right who keeps one of the two bits."""
    choose("10.1", answer, "b", {
        "a": "a guess that ignores both bits is right half of the time, and one bit does no harm.",
        "b": "",
        "c": "this would need three of the four pairs right; fix the known bit and count: one of two is right.",
        "d": "whatever the known bit is, the other one decides between equal and differ.",
    })


def check_2(answer):
    """What the second stage of a curriculum costs after the first."""
    choose("10.2", answer, "a", {
        "a": "",
        "b": "this would be so if the network had to find out again which bits to compare.",
        "c": "a sequence that is twice as long doubles the work of one update, not the number of updates.",
    })


def check_3(attempt):
    """The share of "differ" among the answers, for each of the four pairs."""
    cases = []
    for length, seed in ((20, 1), (100, 2)):
        x, classes, _ = DelayedXOR(length).batch(np.random.default_rng(seed), 60)
        answers = np.where(np.random.default_rng(seed).random(60) < 0.3, 1 - classes, classes)
        cases.append((x, answers))
    judge("10.3", attempt, pair_table, cases, ("table",), mistakes={
        "this is the table's transpose: the bit before gives the row": lambda *given: pair_table(*given).T,
        "this compares the marked bit with the bit after it": _after,
        "this divides by all sequences: divide by those with this pair": _of_all,
        "this is the share of right answers, not of the answer 1": _right,
    })


def check_4(attempt):
    """The weights of delayed XOR with one number changed: wrong for 1 1, right for the other pairs."""
    given, xor = delayed_xor(), delayed_xor()
    p = called("10.4", attempt, (given,))
    if p is ...:
        print(f"exercise 10.4: {UNTOUCHED}")
        return
    if any((given[name] != xor[name]).any() for name in xor):
        fail("10.4", "your function writes into the arrays of xor: put a new array into a new dict instead.")
    if not isinstance(p, dict) or p.keys() != xor.keys():
        said = f"the arrays {', '.join(map(str, p))}" if isinstance(p, dict) else kind(p)
        fail("10.4", f"got {said}, expected a dict of the nine arrays {', '.join(xor)}.")
    p = {name: numbers("10.4", name, p[name], xor[name].shape).astype(float) for name in xor}
    changed = sum(int((p[name] != xor[name]).sum()) for name in xor)
    if changed != 1:
        fail("10.4", f"{changed} numbers differ from xor, expected exactly one.")
    for length in (50, 500):
        lost = _lost_pairs(p, length)
        if lost != [(1, 1)]:
            said = ", ".join(f"{before} {marked}" for before, marked in lost) or "none"
            fail("10.4", f"at T = {length} the pairs with wrong answers are {said}; expected 1 1 alone.")
    print("exercise 10.4: correct")


def _lost_pairs(p, length):
    """Where a DuRNN by hand is wrong  ->  the pairs. Each must be wrong, or right, in all of its sequences."""
    x, classes, _ = DelayedXOR(length).batch(np.random.default_rng(4), 200)
    h, _ = DuRNN(2, 3, 1, horizon=length).forward(p, x.astype(float))
    right, before, marked = (h[-1, :, 3] > 0.5) == classes, *_bits(x)
    lost = []
    for one in PAIRS:
        share = right[(before == one[0]) & (marked == one[1])].mean()
        if 0 < share < 1:
            fail("10.4", f"at T = {length} the pair {one[0]} {one[1]} is right in {share:.0%} of its sequences, "
                         "expected all or none.")
        lost += [one] if share == 0 else []
    return lost


def check_5(attempt):
    """Which pair a network gets wrong, read off its accuracy."""
    shares = np.array([[0.242, 0.23], [0.266, 0.262]])
    cases = [(shares, 0.738), (shares, 0.734), (shares, 0.758), (shares, 0.77), (shares, 1.0), (shares, 0.504),
             (shares, 0.75), (shares.T.copy(), 0.77), (np.array([[0.3, 0.2], [0.3, 0.2]]), 0.8)]
    for case in cases:
        where = f"{described(lost_pair, case)}".replace("shares of shape (2, 2)", f"shares = {case[0].tolist()}")
        yours, right = called("10.5", attempt, case, where), lost_pair(*case)
        if yours is ...:
            print(f"exercise 10.5: {UNTOUCHED}")
            return
        if isinstance(yours, str):
            if yours != "none" or right != "none":
                fail("10.5", f"got {yours!r}{where}, expected {_said(right)}.")
            continue
        if not isinstance(yours, tuple) or len(yours) != 2:
            fail("10.5", f"got {kind(yours)}{where}, expected two numbers separated by commas, or the text 'none'.")
        pair = tuple(float(numbers("10.5", name, one, ())) for name, one in zip(("before", "marked"), yours))
        if pair != right:
            hints = [said for said, wrong in MISTAKES.items() if wrong(*case) == pair]
            hint = f" ({hints[0]})" if hints else ""
            fail("10.5", f"got {pair[0]:g} {pair[1]:g}{where}, expected {_said(right)}{hint}.")
    print("exercise 10.5: correct")


def _said(pair):
    return repr(pair) if isinstance(pair, str) else f"{pair[0]} {pair[1]}"


# The reference solutions: the folded cells of the lesson hold the same text.

def pair_table(x, answers):
    """x (T, B, 2), answers (B,)  ->  (2, 2), shares of the answer 1 (row: bit before)."""
    table = np.zeros((2, 2))
    place = x[:, :, 1].argmax(axis=0)                         # where the marker stands, from 0
    every = np.arange(len(answers))
    marked, before = x[place, every, 0], x[place - 1, every, 0]
    for i in (0, 1):
        for j in (0, 1):
            table[i, j] = answers[(before == i) & (marked == j)].mean()
    return table


def loses_one(xor):
    """xor with one number changed: wrong for the pair 1 1 alone  ->  its nine arrays."""
    U_s = xor["U_s"].copy()
    U_s[0, 1] = 0.0                                           # unit 2 does not hear the bit before
    return {**xor, "U_s": U_s}


def lost_pair(shares, accuracy):
    """Shares (2, 2) of the pairs, an accuracy  ->  before, marked of the one wrong pair, or "none"."""
    for before in (0, 1):
        for marked in (0, 1):
            if abs(1 - shares[before, marked] - accuracy) < 0.0005:
                return before, marked
    return "none"


def _bits(x):
    """The bit before the marked one, the marked bit, of every sequence."""
    place, every = x[:, :, 1].argmax(axis=0), np.arange(x.shape[1])
    return x[place - 1, every, 0], x[place, every, 0]


def _after(x, answers):
    table, place, every = np.zeros((2, 2)), x[:, :, 1].argmax(axis=0), np.arange(len(answers))
    for i, j in PAIRS:
        table[i, j] = answers[(x[place + 1, every, 0] == i) & (x[place, every, 0] == j)].mean()
    return table


def _of_all(x, answers):
    before, marked = _bits(x)
    return np.array([[(answers * (before == i) * (marked == j)).mean() for j in (0, 1)] for i in (0, 1)])


def _right(x, answers):
    table = pair_table(x, answers)
    return np.array([[1 - table[0, 0], table[0, 1]], [table[1, 0], 1 - table[1, 1]]])


def _nearest(shares, accuracy):
    return np.unravel_index(abs(1 - shares - accuracy).argmin(), (2, 2))


def _share_itself(shares, accuracy):
    return np.unravel_index(abs(shares - accuracy).argmin(), (2, 2))


def _last(shares, accuracy):
    fits = [pair for pair in PAIRS if abs(1 - shares[pair] - accuracy) < 0.0005]
    return fits[-1] if fits else "none"


def _turned(shares, accuracy):
    return lost_pair(shares.T, accuracy)


MISTAKES = {
    "the row is the bit before, the column the marked bit": _turned,
    "the nearest pair is not near enough: some accuracies come from no single pair": _nearest,
    "compare 1 - share with the accuracy, not the share itself": _share_itself,
    "where several pairs fit, give the first": _last,
}
CHECKS = {"10.1": check_1, "10.2": check_2, "10.3": check_3, "10.4": check_4, "10.5": check_5}
REFERENCE = {"10.1": "b", "10.2": "a", "10.3": pair_table, "10.4": loses_one, "10.5": lost_pair}
WRONG = {
    "10.1": ["a", "c", "(D)"],
    "10.2": ["b", "c", "(C)"],
    "10.3": [lambda *given: pair_table(*given).T, _after, _of_all, _right],
    "10.4": [
        lambda xor: xor,                                      # nothing is changed
        lambda xor: {**xor, "W_l": np.array([[0.0], [0.0], [2.0]])},          # 0 1 is lost
        lambda xor: {**xor, "u": np.array([0.9])},            # all is lost in the end
        lambda xor: {**xor, "U_s": np.zeros((3, 3))},         # two numbers
        lambda xor: {**xor, "b_s": np.array([0.0, -2, -1])},  # an unmarked pair gets through
    ],
    "10.5": [_nearest, _share_itself, _turned, _last, lambda shares, accuracy: "none"],
}
ILL_TYPED = {
    "10.1": [None, 0.5, "half", ["b"]],
    "10.2": [None, 20, "twenty", True],
    "10.3": [
        None, lambda x, answers: None, lambda x, answers: np.zeros(4), lambda x, answers: answers[5000],
        lambda x, answers: (x.fill(0), np.zeros((2, 2)))[1],
    ],
    "10.4": [
        None, {}, lambda xor: None, lambda xor: {"u": np.ones(1)}, lambda xor: {**xor, "u": 0.9},
        lambda xor: {**xor, "W_l": "nothing"}, lambda xor: 1 / 0,
    ],
    "10.5": [
        None, (1, 1), lambda shares, accuracy: None, lambda shares, accuracy: [1, 1], lambda shares, accuracy: (1, "1"),
        lambda shares, accuracy: shares[2, 2], lambda shares, accuracy: "1 1",
    ],
}
