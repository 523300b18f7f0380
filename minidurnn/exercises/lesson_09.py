"""The checkers of lesson 09, the adding problem: a baseline, when a run first gets there, and a rule for verdicts."""

import numpy as np

from ..experiments.claims import VERDICTS
from . import UNTOUCHED, called, choose, fail, judge, kind, numbers


def check_1(answer):
    """The error of a network that keeps one of the two marked values."""
    choose("09.1", answer, "c", {
        "a": "the first marked value still varies, and the network knows nothing of it.",
        "b": "the whole variance of the unknown value is left, and that is 1/12, not 1/24.",
        "c": "",
        "d": "1/6 is the variance of both values, but the second one is known.",
    })


def check_2(attempt):
    """The first update at which a run's validation error is low enough."""
    updates = np.array([100, 200, 300, 400, 500])
    cases = [
        (updates, [0.2, 0.17, 0.009, 0.02, 0.005], 0.01),
        (updates, [0.2, None, 0.15, 0.01, None], 0.01),       # exactly the limit, and updates without a look
        (updates, [0.2, None, 0.15, 0.011, 0.02], 0.01),      # never
        (updates[:2], [0.004, 0.2], 0.01),
    ]
    judge("09.2", attempt, first_below, cases, ("update",), mistakes={
        "this is the place in the list, not the update": _place,
        "this is the update of the best look, not the first that is low enough": _best,
        "this is the last update that is low enough, not the first": _last,
        "a look that equals the limit counts too": _strictly,
    })


def check_3(answer):
    """How many of nine runs get there with a rate five times smaller."""
    choose("09.3", answer, "c", {
        "a": "6,000 updates at 0.0002 move a weight about as far as 1,200 at 0.001; most runs needed more than that.",
        "b": "at T = 500 and 1000 the rate 0.001 needed 1,700 updates or more; five times 1,700 is more than 6,000.",
        "c": "",
        "d": "five times 900 updates, which 0.001 needed at T = 100 with one seed, are 4,500: below 6,000.",
    })


def check_4(attempt):
    """Ten values and two marked steps of which one neuron keeps nothing."""
    answer = called("09.4", attempt, ())
    if answer is ...:
        print(f"exercise 09.4: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 3:
        fail("09.4", f"got {kind(answer)}, expected three results separated by commas: return values, first, second.")
    values = numbers("09.4", "values", answer[0], (10,)).astype(float)
    steps = [float(numbers("09.4", name, part, ())) for name, part in zip(("first", "second"), answer[1:])]
    for name, step, low in zip(("first", "second"), steps, (1, 6)):
        if step not in range(low, low + 5):
            fail("09.4", f"{name} is {step:g}, expected a whole step from {low} to {low + 4}: one marker in each half.")
    if not ((values >= 0.5) & (values <= 1)).all():
        bad = values[~((values >= 0.5) & (values <= 1))][0]
        fail("09.4", f"values holds {bad:g}, expected ten numbers from 0.5 to 1.")
    marked = [int(step) - 1 for step in steps]
    total = values[marked].sum()
    if total < 1.5:
        fail("09.4", f"the marked values add up to {total:.4g}, expected at least 1.5.")
    left = one_neuron(values, *marked)
    if left > 1e-12:
        fail("09.4", f"after step 10 the neuron holds {left:.4g}, expected 0: an unmarked value takes away 1 - value.")
    print("exercise 09.4: correct")


def one_neuron(values, *marked):
    """The last state of relu(h + value + marker - 1), the marked steps counted from 0."""
    h = 0.0
    for step, value in enumerate(values):
        h = max(0.0, h + value + (step in marked) - 1)
    return h


def check_5(attempt):
    """The ledger's rule for a claim that a model solves a task."""
    cases = [
        ["solved"] * 3, ["solved"], ["solved", "solved", "learning"], ["learning"] * 2, ["learning"],
        ["learning", "baseline"], ["baseline"] * 3, ["diverged", "diverged"], ["solved", "diverged"], [],
    ]
    why = {
        0: "every seed of two or more solved it", 1: "one seed is too few for replicated", 9: "there is no record",
        5: "none solved it, and not all are learning",
    }
    for place, verdicts in enumerate(cases):
        yours, right = called("09.5", attempt, (list(verdicts),), f" for {verdicts}"), rule(list(verdicts))
        if yours is ...:
            print(f"exercise 09.5: {UNTOUCHED}")
            return
        if not isinstance(yours, str) or yours not in VERDICTS:
            said = kind(yours) if not isinstance(yours, str) else repr(yours)
            fail("09.5", f"got {said} for {verdicts}, expected one of {', '.join(map(repr, VERDICTS))}.")
        if yours != right:
            hint = f" ({why[place]})" if place in why else ""
            fail("09.5", f"got {yours!r} for {verdicts}, expected {right!r}{hint}.")
    print("exercise 09.5: correct")


# The reference solutions: the folded cells of the lesson hold the same text.

def first_below(updates, looks, limit):
    """Updates, errors there (None: no look)  ->  the first update with an error of at most limit."""
    for update, error in zip(updates, looks):
        if error is not None and error <= limit:
            return update
    return np.inf


def forgets():
    """Ten values from 0.5 to 1, and two marked steps, from 1 to 10, of which nothing is left."""
    values = [0.5, 0.5, 0.5, 0.5, 0.8, 0.8, 0.5, 0.5, 0.5, 0.5]
    return values, 5, 6


def rule(verdicts):
    """The verdicts of all seeds, a list  ->  the ledger's verdict on "this model solves this task"."""
    solved = verdicts.count("solved")
    if len(verdicts) == 0:
        return "not attempted"
    if solved == len(verdicts) and solved >= 2:
        return "replicated"
    if solved > 0 or verdicts.count("learning") == len(verdicts):
        return "trend only"
    return "not replicated"


def _seen(updates, looks):
    return [(update, error) for update, error in zip(updates, looks) if error is not None]


def _place(updates, looks, limit):
    return next((place for place, error in enumerate(looks) if error is not None and error <= limit), np.inf)


def _best(updates, looks, limit):
    return min(_seen(updates, looks), key=lambda pair: pair[1])[0]


def _last(updates, looks, limit):
    return max((update for update, error in _seen(updates, looks) if error <= limit), default=np.inf)


def _strictly(updates, looks, limit):
    return next((update for update, error in _seen(updates, looks) if error < limit), np.inf)


def _forgets_none(updates, looks, limit):
    return next(update for update, error in zip(updates, looks) if error <= limit)


def _one_is_enough(verdicts):
    return "replicated" if verdicts and set(verdicts) == {"solved"} else rule(verdicts)


def _any_is_enough(verdicts):
    return "replicated" if "solved" in verdicts else rule(verdicts)


def _learning_is_nothing(verdicts):
    return rule(verdicts) if "solved" in verdicts or not verdicts else "not replicated"


CHECKS = {"09.1": check_1, "09.2": check_2, "09.3": check_3, "09.4": check_4, "09.5": check_5}
REFERENCE = {"09.1": "c", "09.2": first_below, "09.3": "c", "09.4": forgets, "09.5": rule}
WRONG = {
    "09.1": ["a", "(b)", "D"],
    "09.2": [_place, _best, _last, _strictly],
    "09.3": ["a", "B", "d"],
    "09.4": [
        lambda: ([0.5] * 4 + [0.8, 0.8] + [0.9] * 4, 5, 6),   # something is left
        lambda: ([0.5] * 10, 5, 6),                           # the marked values are small
        lambda: ([0.5, 0.8, 0.8] + [0.5] * 7, 2, 3),          # both in the first half
        lambda: ([0.0] * 4 + [0.8, 0.8] + [0.0] * 4, 5, 6),   # values below a half
    ],
    "09.5": [_one_is_enough, _any_is_enough, _learning_is_nothing],
}
ILL_TYPED = {
    "09.1": [None, 1 / 12, "1/12", ["c"]],
    "09.2": [None, 300, _forgets_none, lambda *given: None, lambda updates, looks, limit: list(updates)],
    "09.3": [None, 2, "two", True],
    "09.4": [
        3, lambda: None, lambda: [0.5] * 10, lambda: ([0.5] * 9, 5, 6), lambda: (["a"] * 10, 5, 6),
        lambda: ([0.5] * 10, [5, 6], 6), lambda: 1 / 0,
    ],
    "09.5": [None, "replicated", lambda verdicts: None, lambda verdicts: True, lambda verdicts: "solved"],
}
