"""The checkers of lesson 11, digits pixel by pixel: lags, the nearest mean, an order, a norm held, a verdict."""

import numpy as np

from ..experiments.claims import VERDICTS
from . import UNTOUCHED, called, choose, fail, judge, kind, orders
from .orders import lags, nearest_mean, rows_last


def check_1(attempt):
    """The mean lags of an order of reading."""
    mixed = np.random.default_rng(2)
    cases = [
        (np.arange(4), 2), (np.array([3, 0, 1, 2]), 2), (np.arange(9), 3),
        (mixed.permutation(9), 3), (mixed.permutation(25), 5),
    ]
    judge("11.1", attempt, lags, cases, ("right", "below"), mistakes={
        "order[t] is the place that is read at step t + 1; here it was taken for the step of place t": orders.inverse,
        "a lag has no sign: take abs before the mean": orders.signed,
        "right and below are exchanged: the row is the first index of an image": orders.exchanged,
        "this is the greatest lag, not the mean": orders.greatest,
    })


def check_2(attempt):
    """The class whose mean image is nearest."""
    random = np.random.default_rng(4)
    label = np.repeat(np.arange(10), (1, 2, 3, 4, 5, 2, 3, 4, 5, 6))          # classes of unlike size
    cases = []
    for pixels in (1, 3, 12):
        train = random.random((len(label), pixels)) + 0.1 * label[:, None] * (np.arange(pixels) % 3 == 0)
        cases.append((train, random.permutation(label), random.random((20, pixels)) * 1.5))
    judge("11.2", attempt, nearest_mean, cases, ("classes",), mistakes={
        "this is the class whose mean is furthest away: take the smallest distance": orders.furthest,
        "these are the sums of the images of a class: divide by how many there are": orders.sums,
        "these are sums of absolute differences; (11.3) has squares": orders.absolute,
        "this is the nearest single image, not the nearest mean": orders.single,
    })


def check_3(attempt):
    """An order of reading with some rows at the end."""
    cases = [
        (np.array([0]), 2), (np.array([1]), 3), (np.array([2, 0]), 3), (np.array([1, 2]), 4),
        (np.array([4, 1, 2]), 5), (np.arange(3), 3),
    ]
    judge("11.3", attempt, rows_last, cases, ("order",), mistakes={
        "these rows are to be read last; here they come first": orders.first,
        "the rows in `last` are read in the order in which they stand there": orders.in_order,
        "the other rows must be read as well, before these": orders.dropped,
        "this reads columns; a row is n places side by side": orders.columns,
    })


def check_4(attempt):
    """A matrix with its norm held."""
    random = np.random.default_rng(5)
    square = random.normal(size=(4, 4))
    cases = [
        (np.diag([2.0, 1.0]), 0.5), (np.diag([0.5, 0.4]), 0.9), (np.full((2, 2), 0.6), 0.9), (square, 0.9),
        (square / np.linalg.norm(square, 2), 1.1), (np.zeros((3, 3)), 0.9),
    ]
    judge("11.4", attempt, hold, cases, ("held",), mistakes={
        "a matrix whose norm is within the bound stays as it is": _always,
        "this divides by the Frobenius norm; the norm of the lesson is the largest singular value, "
        "np.linalg.norm(U, 2)": _frobenius,
        "this divides by the largest entry, not by the norm": _entry,
        "these are the entries, each held; make the whole matrix smaller by one factor": _entries,
    })


def check_5(answer):
    """What holding the norm does to the RNN's loss."""
    choose("11.5", answer, "c", {
        "a": "free, it starts with the norm 1 and may grow; held at 0.9, what it has read fades from step to step.",
        "b": "after the 14 steps to the pixel below, at most 0.23 of a difference is left: it loses most of its lead.",
        "c": "",
    })


def check_6(attempt):
    """The ledger's rule for a model that shall be ahead of others."""
    lines = {
        "not attempted": "a record is missing (line 1)",
        "not replicated": "the model is not above every other model (line 2)",
        "trend only": "it is ahead of all, but something is ours, or no number of the paper is reached (line 3)",
        "replicated": "it is ahead of all, nothing is ours, and the error is at most 1.2 times the paper's (line 4)",
    }
    begun = False
    for case in CASES:
        ours, others, paper, own = case
        where = f" for verdict({', '.join(map(repr, case))})"
        yours = called("11.6", attempt, (ours, list(others), paper, own), where)
        if yours is ...:
            continue
        begun, right = True, verdict(*case)
        if not isinstance(yours, str) or yours not in VERDICTS:
            fail("11.6", f"got {kind(yours)}{where}, expected one of the texts {', '.join(map(repr, VERDICTS))}.")
        if yours != right:
            fail("11.6", f"got {yours!r}{where}, expected {right!r}: {lines[right]}.")
    print(f"exercise 11.6: {'correct' if begun else UNTOUCHED}")


CASES = (                                                     # ours, others, paper's error, is something ours
    (0.99, [0.98, 0.95], 0.010, False), (0.98, [0.97, 0.95], 0.010, False), (0.97, [0.98, 0.95], 0.010, False),
    (0.97, [0.95, 0.98], 0.010, True), (0.99, [0.98, 0.95], 0.010, True), (0.99, [0.98, 0.95], None, False),
    (0.97, [0.97], 0.05, False), (None, [0.98], 0.010, False), (0.99, [0.98, None], 0.010, False),
    (0.5, [None, 0.9], None, True), (0.9885, [0.98], 0.010, False),
)


# The reference solutions: the folded cells of the lesson hold the same text.

# A matrix  ->  the same matrix; made smaller by one factor if its norm is above `most`.
def hold(U, most):
    norm = np.linalg.norm(U, 2)
    if norm <= most:
        return U
    return U * (most / norm)


# Test accuracies, the paper's error or None, is something ours?  ->  the verdict.
def verdict(ours, others, paper, own):
    if ours is None or None in others:
        return "not attempted"
    if ours <= max(others):
        return "not replicated"
    if own or paper is None or 1 - ours > 1.2 * paper:
        return "trend only"
    return "replicated"


def _always(U, most):
    return U * (most / max(np.linalg.norm(U, 2), 1e-12))


def _frobenius(U, most):
    return U * min(1.0, most / max(np.linalg.norm(U), 1e-12))


def _entry(U, most):
    return U * min(1.0, most / max(abs(U).max(), 1e-12))


def _entries(U, most):
    return np.clip(U, -most, most)


def _without_missing(ours, others, paper, own):
    others = [0.0 if other is None else other for other in others]
    return verdict(ours or 0.0, others, paper, own)


def _mean_of_others(ours, others, paper, own):
    if ours is None or None in others:
        return "not attempted"
    return "not replicated" if ours <= np.mean(others) else verdict(ours, [0.0], paper, own)


def _forgets_own(ours, others, paper, own):
    return verdict(ours, others, paper, False)


def _no_fifth(ours, others, paper, own):
    return verdict(ours, others, None if paper is None else paper / 1.2, own)


def _equal_is_ahead(ours, others, paper, own):
    if ours is not None and None not in others and ours == max(others):
        return "trend only"
    return verdict(ours, others, paper, own)


CHECKS = {"11.1": check_1, "11.2": check_2, "11.3": check_3, "11.4": check_4, "11.5": check_5, "11.6": check_6}
REFERENCE = {"11.1": lags, "11.2": nearest_mean, "11.3": rows_last, "11.4": hold, "11.5": "c", "11.6": verdict}
WRONG = {
    "11.1": [orders.inverse, orders.signed, orders.exchanged, orders.greatest],
    "11.2": [orders.furthest, orders.sums, orders.absolute, orders.single],
    "11.3": [orders.first, orders.in_order, orders.dropped, orders.columns],
    "11.4": [_always, _frobenius, _entry, _entries],
    "11.5": ["a", "B", "(b)"],
    "11.6": [_without_missing, _mean_of_others, _forgets_own, _no_fifth, _equal_is_ahead],
}
ILL_TYPED = {
    "11.1": [
        None, np.eye(3), lambda order, n: 1.0, lambda order, n: (1.0, 2.0, 3.0), lambda order, n: order[n * n],
        lambda order, n: order.sort(),
    ],
    "11.2": [
        None, np.zeros(3), lambda train, label, test: train, lambda train, label, test: label[:3],
        lambda train, label, test: test.fill(0), lambda train, label, test: train[10**6],
    ],
    "11.3": [
        None, np.arange(4), lambda last, n: n, lambda last, n: list("order"), lambda last, n: rows_last(last, n)[:n],
        lambda last, n: last.sort(), lambda last, n: last[n],
    ],
    "11.4": [None, 0.9, lambda U, most: most, lambda U, most: U[0], lambda U, most: U.fill(most)],
    "11.5": [None, 20, "more", ("c",)],
    "11.6": [
        None, "trend only", lambda *case: 1, lambda *case: ["trend only"], lambda *case: "maybe",
        lambda ours, others, paper, own: ours + 1, lambda ours, others, paper, own: paper < ours,
    ],
}
