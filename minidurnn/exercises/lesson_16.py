"""The checkers of lesson 16, what neurons keep: an explained share, a read-out by least squares, a misled search."""

import numpy as np

from . import UNTOUCHED, called, choose, fail, judge, kind, numbers


def check_1(attempt):
    """The share of a value that a read-out explains on new sequences."""
    rng = np.random.default_rng(161)
    cases = []
    for sequences, units, noise in ((20, 1, 0.1), (60, 3, 0.5), (24, 4, 50.0)):      # the last share is below 0
        states = rng.random((sequences, units))
        cases.append((states, states[:, 0] + noise * rng.random(sequences), refit))
    judge("16.1", attempt, explained_share, cases, ("share",), tolerance=1e-7, mistakes={
        "the read-out was fitted on all sequences: only the first half may enter the fit": _fit_on_all,
        "this is the share on the first half, on which the read-out was fitted": _measured_where_fitted,
        "this is the error's part of the variance: the explained share is 1 less it": _left_over,
    })


def check_2(attempt):
    """The best linear read-out of some neurons, in closed form."""
    rng = np.random.default_rng(16)
    cases = []
    for sequences, neurons in ((6, 1), (9, 3), (40, 5)):
        states = rng.random((sequences, neurons))
        cases.append((states, 2 * states[:, 0] - 1 + rng.random(sequences)))
    judge("16.2", attempt, refit, cases, ("weights", "bias"), tolerance=1e-7, mistakes={
        "without a column of ones the answer is 0 where all neurons are 0": _through_zero,
        "this is the best weight of each neuron alone, not of all together": _one_by_one,
        "this is the mean of the sums: the bias also takes off what the weights bring at the mean state": _mean_bias,
    })


def check_3(answer):
    """The best neuron is taken out."""
    choose("16.3", answer, "b", {
        "a": "the sum also stands in the second-best neuron, and the new read-out hears it.",
        "b": "",
        "c": "the fit may give the other 16 the weight 0, so they cannot disturb.",
    })


def check_4(attempt):
    """Three neurons on which the greedy search misses the best pair."""
    answer = called("16.4", attempt, ())
    if answer is ...:
        print(f"exercise 16.4: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail("16.4", f"got {kind(answer)}, expected two results separated by commas: return states, sums.")
    sums = numbers("16.4", "sums", answer[1]).astype(float)
    if sums.ndim != 1 or not 6 <= len(sums) <= 20:
        fail("16.4", f"sums has shape {sums.shape}, expected one row of 6 to 20 numbers, one for each sequence.")
    states = numbers("16.4", "states", answer[0], (len(sums), 3)).astype(float)
    if not (np.isfinite(states).all() and np.isfinite(sums).all() and max(abs(states).max(), abs(sums).max()) <= 100):
        fail("16.4", "a number is not finite or above 100 in size, expected ordinary states and sums.")
    if sums.var() < 0.01:
        fail("16.4", f"the sums have the variance {sums.var():.3g}, expected at least 0.01: else there is no task.")
    found = sorted(greedy(states, sums, 2))
    share = {pair: error(states[:, pair], sums) / sums.var() for pair in ((0, 1), (0, 2), (1, 2))}
    best = min(share, key=share.get)
    if share[best] > 1e-9:
        fail("16.4", f"the best pair, neurons {best[0]} and {best[1]}, leaves {share[best]:.2g} of the variance, "
                     "expected a pair that leaves nothing.")
    if share[tuple(found)] < 0.05:
        fail("16.4", f"the search takes neurons {found[0]} and {found[1]}, which leave {share[tuple(found)]:.2g} of "
                     "the variance, expected at least 0.05: it is not misled.")
    print("exercise 16.4: correct")


def check_5(answer):
    """Which part only one of two tasks needs."""
    choose("16.5", answer, "b", {
        "a": "without a gate the relu of the short-term memory can select for both tasks (lessons 07 and 09).",
        "b": "",
        "c": "the bound keeps a gradient from growing; a network can hold its u near 1 without it.",
        "d": "without the long-term memory nothing is kept over 99 or 399 steps, so both tasks suffer.",
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def explained_share(states, values, refit):
    """States (n, k), values (n,)  ->  share of the second half, fitted on the first."""
    half = len(values) // 2
    weights, bias = refit(states[:half], values[:half])
    errors = states[half:] @ weights + bias - values[half:]
    return 1 - (errors**2).mean() / values[half:].var()


def refit(states, sums):
    """States (n, k) of k neurons, sums (n,)  ->  weights (k,), bias: the least mean squared error."""
    ones = np.ones((len(states), 1))
    table = np.concatenate([states, ones], axis=1)
    solution = np.linalg.lstsq(table, sums, rcond=None)[0]
    return solution[:-1], solution[-1]


def fool_greedy():
    """States (n, 3) of three neurons, sums (n,): the best pair is exact, the search finds another."""
    sums = np.repeat([0.5, 1.5], 4)
    noise = np.tile([0, 0, 1, 1], 2)
    other = np.tile([0, 1], 4)
    states = np.stack([sums + 0.5 * noise, sums + 2 * other, other], axis=1)
    return states, sums


def error(states, sums):
    """The mean squared error of the best linear read-out, on the sequences that it was fitted to  ->  float."""
    weights, bias = refit(states, sums)
    return float(((states @ weights + bias - sums) ** 2).mean())


def explained(memory, values):
    """How much of values (B,) a linear read-out of a memory (T, B, k) tells at every step  ->  (T,).

    Units that are active in fewer than one in twenty sequences of the fit are left out: their weights would rest on a
    few sequences.
    """
    shares, fitted = np.zeros(len(memory)), len(values) // 2
    for step, states in enumerate(memory):
        often = (states[:fitted] > 0).mean(axis=0) >= 0.05
        shares[step] = explained_share(states[:, often], values, refit)
    return shares


def greedy(states, sums, count):
    """Keep one neuron after the other, each time the one that helps most  ->  a list of `count` numbers."""
    kept = []
    for _ in range(count):
        left = [neuron for neuron in range(states.shape[1]) if neuron not in kept]
        errors = [error(states[:, [*kept, neuron]], sums) for neuron in left]
        kept.append(left[int(np.argmin(errors))])
    return kept


def gate_held(cell, p, neuron, x, later, level):
    """One long-term neuron of a DuRNN by (7.3), its gate held at a level after each mark  ->  (B, 1) at the end.

    x      (T, B, 2)  values and markers; a mark without a later step changes nothing
    later  steps after each mark; 0: at the marks      level  of the gate there; None: its mean at all other steps
    p are the cell's weights; the other gates and the short-term memory are as trained.
    """
    h, tape = cell.forward(p, x.astype(p["u"].dtype))
    gates, l = tape.g[:, :, neuron], np.zeros(x.shape[1])
    places = np.zeros(x.shape[:2], dtype=bool)
    places[later:] = x[:len(x) - later, :, 1] == 1
    gates = np.where(places, gates[~places].mean() if level is None else level, gates)
    for gate, s in zip(gates, tape.s):
        news = s @ p["W_l"][:, neuron] + p["b_l"][neuron]
        l = np.maximum(0.0, gate * news + p["u"][neuron] * l)
    return l[:, None]


def _fit_on_all(states, values, refit):
    weights, bias = refit(states, values)
    half = len(values) // 2
    return 1 - ((states @ weights + bias - values)[half:] ** 2).mean() / values[half:].var()


def _measured_where_fitted(states, values, refit):
    half = len(values) // 2
    weights, bias = refit(states[:half], values[:half])
    return 1 - ((states[:half] @ weights + bias - values[:half]) ** 2).mean() / values[:half].var()


def _left_over(states, values, refit):
    return 1 - explained_share(states, values, refit)


def _through_zero(states, sums):
    return np.linalg.lstsq(states, sums, rcond=None)[0], 0.0


def _one_by_one(states, sums):
    off = states - states.mean(0)
    weights = off.T @ (sums - sums.mean()) / (off**2).sum(0)
    return weights, sums.mean() - states.mean(0) @ weights


def _mean_bias(states, sums):
    return refit(states, sums)[0], sums.mean()


def _exact_alone():
    states, sums = fool_greedy()
    return np.stack([sums, states[:, 1], states[:, 2]], axis=1), sums


def _no_exact_pair():
    states, sums = fool_greedy()
    return np.stack([states[:, 0], states[:, 1], np.zeros(8)], axis=1), sums


def _no_task():
    states, sums = fool_greedy()
    return states, np.ones(8)


CHECKS = {"16.1": check_1, "16.2": check_2, "16.3": check_3, "16.4": check_4, "16.5": check_5}
REFERENCE = {"16.1": explained_share, "16.2": refit, "16.3": "b", "16.4": fool_greedy, "16.5": "b"}
WRONG = {
    "16.1": [_fit_on_all, _measured_where_fitted, _left_over],
    "16.2": [_through_zero, _one_by_one, _mean_bias],
    "16.3": ["a", "C", "(a)"],
    "16.4": [_exact_alone, _no_exact_pair, _no_task, lambda: (np.eye(3), np.arange(3.0))],
    "16.5": ["a", "C", "d"],
}
ILL_TYPED = {
    "16.1": [None, 0.9, lambda states, values, refit: states, lambda states, values, refit: "most",
             lambda states, values, refit: refit(states, values), lambda *given: 1 / 0],
    "16.2": [None, 3, lambda states, sums: states, lambda states, sums: (states, sums), lambda *given: 1 / 0,
             lambda states, sums: ("w", 0.0)],
    "16.3": [None, 2, "second", True],
    "16.4": [3, lambda: None, lambda: np.eye(3), lambda: ("states", "sums"), lambda: (np.ones((8, 2)), np.arange(8)),
             lambda: (np.full((8, 3), np.nan), np.arange(8)), lambda: 1 / 0],
    "16.5": [None, 1, "gate", ["b"]],
}
