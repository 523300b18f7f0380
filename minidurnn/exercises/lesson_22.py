"""The checkers of lesson 22: queues by hand, their limit, many jobs, shares, a bottleneck, hidden rates."""

import numpy as np

from ..tasks.queueing import loads
from . import UNTOUCHED, by_hand, called, choose, fail, judge, kind, numbers

MU, P, SERVERS = np.array([1.0, 2, 1]), np.array([[0, 0.5, 0.5], [1, 0, 0], [1, 0, 0]]), np.array([9.0, 2, 1])

FULL = np.array([10.0, 10, 0])                                # busy servers of exercise 22.6; station 2 is left out
OLD = np.array([2.0, 2, 1]), np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def after(q, mu, step):
    """One step of the network of section 1 from the jobs q (3,)  ->  (3,)."""
    leaving = mu * np.minimum(q, SERVERS)
    return q + step * (leaving @ P - leaving)


def check_1(answer):
    """The second step by hand."""
    q = after(np.array([6.0, 3, 1]), MU, 0.1)
    known = {
        "this is the first step again": tuple(after(np.array([6.0, 3, 1]), MU, 0.1)),
        "a station serves no more jobs than it has servers": tuple(_all_served(q)),
        "this is the change in a whole unit of time: a step lasts 0.1": tuple(q + 10 * (after(q, MU, 0.1) - q)),
    }
    by_hand("22.1", answer, tuple(after(q, MU, 0.1)), ("q at clients", "q at fast", "q at slow"), known)


def _all_served(q):
    return q + 0.1 * ((MU * q) @ P - MU * q)


def check_2(attempt):
    """A start, rates and a step with which fast gets below zero, though jobs come in there."""
    answer = called("22.2", attempt, ())
    if answer is ...:
        print(f"exercise 22.2: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 3:
        fail("22.2", f"got {kind(answer)}, expected three results separated by commas: return q, mu, step.")
    q, mu = (numbers("22.2", name, part, (3,)).astype(float) for name, part in zip(("q", "mu"), answer[:2]))
    step = float(numbers("22.2", "step", answer[2], ()))
    for name, part, low, high in (("q", q, 0, 100), ("mu", mu, 0, 3), ("step", np.array([step]), 1e-9, 0.5)):
        if not ((part >= low) & (part <= high)).all():
            fail("22.2", f"{name} holds {part[~((part >= low) & (part <= high))][0]:g}, expected {low:g} to {high:g}.")
    for name, given, low in (("jobs at the clients", q[0], 3), ("a rate of the clients", mu[0], 1)):
        if given < low:
            fail("22.2", f"{name}: got {given:g}, expected at least {low}, so that jobs come in at fast.")
    fast = after(q, mu, step)[1]
    if not fast < -1e-9:
        if not step * mu[1] > 1:
            why = f"its step * mu is {step * mu[1]:.4g}; the limit is 1"
        elif q[1] > SERVERS[1]:
            why = f"only {SERVERS[1]:g} of its {q[1]:g} jobs are in service, so the others stay"
        else:
            why = f"{step * mu[1] * q[1]:.4g} leave and {step * mu[0] * min(q[0], SERVERS[0]) / 2:.4g} come in"
        fail("22.2", f"fast has {fast:.4g} jobs after the step, expected fewer than 0 ({why}).")
    print("exercise 22.2: correct")


def check_3(answer):
    """What the fluid's error does when jobs and servers grow together."""
    choose("22.3", answer, "b", {
        "a": "divided by N the fluid stays, but a simulation deviates less: four times the jobs deviate twice as far.",
        "b": "",
        "c": "more jobs can be at a wrong station, but the error is divided by the number of all jobs.",
    })


def shares(v):
    """The nearest row of shares."""
    largest = np.sort(v)[::-1]
    k = np.arange(1, len(v) + 1)
    theta = ((np.cumsum(largest) - 1) / k).max()
    return np.maximum(v - theta, 0)


def _divided(v):
    return np.maximum(v, 0) / max(np.maximum(v, 0).sum(), 1e-9)


def _shifted(v):
    return v - (v.sum() - 1) / len(v)


def _clipped_after(v):
    return np.maximum(_shifted(v), 0)


def _softmax(v):
    return np.exp(v) / np.exp(v).sum()


def check_4(attempt):
    """The projection of a row on shares."""
    rng = np.random.default_rng(22)
    cases = [(np.array([0.9, 0.5, -0.2]),), (np.array([0.2, 0.3, 0.5]),), *((rng.normal(0, 1, n),) for n in (2, 5, 9))]
    judge("22.4", attempt, shares, cases, ("shares",), mistakes={
        "negative entries cut off and the rest divided by its sum: a row of shares, but not the nearest": _divided,
        "theta from all entries, and negative results kept": _shifted,
        "theta from all entries: after cutting off what is negative the sum is above 1": _clipped_after,
        "this is softmax, which is never 0": _softmax,
    })


def check_5(answer):
    """What twice the servers at the bottleneck bring."""
    choose("22.5", answer, "b", {
        "a": "the flow is bounded by every station: with slow out of the way, medium is the next that is full.",
        "b": "",
        "c": "slow is full all the time, so more servers there do serve more jobs.",
        "d": "no station gets slower when slow gets more servers.",
    })


def _changes(mu, P):
    """The changes of the three queues of exercise 22.6 in a unit of time while stations 0 and 1 are full  ->  (3,)."""
    leaving = mu * FULL
    return leaving @ P - leaving


def check_6(answer):
    """Other rates and routing of two full stations, with the same changes of all queues."""
    if answer is ... or (isinstance(answer, (tuple, list)) and answer and all(part is ... for part in answer)):
        print(f"exercise 22.6: {UNTOUCHED}")
        return
    if not isinstance(answer, (tuple, list)) or len(answer) != 4:
        fail("22.6", f"got {kind(answer)}, expected four numbers separated by commas: mu_0, mu_1, P_01, P_10.")
    names = "mu_0", "mu_1", "P_01", "P_10"
    mu_0, mu_1, P_01, P_10 = given = [
        float(numbers("22.6", name, part, ())) for name, part in zip(names, answer)]
    for name, part, high in zip(names, given, (100, 100, 1, 1)):
        if not 0 <= part <= high:
            fail("22.6", f"{name} is {part:g}, expected {'a rate' if high > 1 else 'a share'} from 0 to {high}.")
    for name, part in zip(names[:2], given):
        if not abs(part - 2) >= 0.1 - 1e-9:
            fail("22.6", f"{name} is {part:g}, expected another rate than 2, by at least 0.1.")
    P = np.array([[0, P_01, 1 - P_01], [P_10, 0, 1 - P_10], OLD[1][2]])
    yours, right = _changes(np.array([mu_0, mu_1, 1]), P), _changes(*OLD)
    if not np.allclose(yours, right, rtol=0, atol=0.05):
        i = abs(yours - right).argmax()
        why = " (the routing stays: more jobs go to station 2, too)" if P_01 == P_10 == 0.5 else ""
        fail("22.6", f"the queue of station {i} changes by {yours[i]:.4g} in unit time, expected {right[i]:.4g}{why}.")
    print("exercise 22.6: correct")


def at_rest(truth, N):
    """The exact mean jobs at every station at rest, of N jobs  ->  (M,), for exponential services (product form).

    weight[n, i] is the product of visits[i] / (mu[i] min(k, servers[i])) over k = 1 ... n, scaled alike for all i: a
    split of the jobs has a probability proportional to the product of its weights.
    """
    load = loads(truth)                                       # visits / (mu servers)
    servers = np.asarray(truth.servers)
    factors = load / load.max() * servers / np.minimum(np.arange(1, N + 1)[:, None], servers)
    weight = np.vstack([np.ones(len(servers)), factors.cumprod(0)])
    means = []
    for i in range(len(servers)):
        others = np.ones(1)                                   # [n]: n jobs at the other stations, in any split
        for j in range(len(servers)):
            if j != i:
                others = np.convolve(others, weight[:, j])[:N + 1]
        chance = weight[:, i] * others[::-1]                  # [n]: n jobs here and N - n at the others
        means.append(np.arange(N + 1) @ chance / chance.sum())
    return np.array(means)


CHECKS = {"22.1": check_1, "22.2": check_2, "22.3": check_3, "22.4": check_4, "22.5": check_5,
          "22.6": check_6}


def breaking():
    """The queue of fast gets below zero."""
    return [3, 2, 0], [1, 3, 1], 0.5


REFERENCE = {"22.1": (5.81, 2.795, 1.395), "22.2": breaking, "22.3": "b", "22.4": shares, "22.5": "b",
             "22.6": (2.5, 2.5, 0.6, 0.6)}
WRONG = {
    "22.1": [(5.9, 2.9, 1.2), (5.81, 2.705, 1.395), (5.0, 1.85, 3.15), (5.82, 2.795, 1.395)],
    "22.2": [
        lambda: ([3, 2, 0], [1, 1.9, 1], 0.5), lambda: ([3, 3, 0], [1, 3, 1], 0.5), lambda: ([3, 1, 0], [1, 3, 1], 0.5),
        lambda: ([2, 2, 0], [1, 3, 1], 0.5), lambda: ([3, 2, 0], [0, 3, 1], 0.5), lambda: ([9, 0, 0], [3, 1, 1], 0.5),
        lambda: ([3, 2, 0], [1, 5, 1], 0.5), lambda: ([3, -1, 0], [1, 3, 1], 0.5), lambda: ([3, 2, 0], [1, 3, 1], 2),
    ],
    "22.3": ["a", "(c)", "d"],
    "22.4": [_divided, _shifted, _clipped_after, _softmax],
    "22.5": ["a", "C", "d"],
    "22.6": [(2, 2, 0.5, 0.5), (2.5, 2.5, 0.5, 0.5), (2.5, 2, 0.6, 0.5), (2.5, 2.5, 0.6, 0.4), (2.5, 2.5, 1.2, 0.6)],
}
ILL_TYPED = {
    "22.1": [None, 5.81, "5.81", (5.81, 2.795), [[5.81, 2.795, 1.395]]],
    "22.2": [None, 3, lambda: None, lambda: ([3, 2], [1, 3, 1], 0.5), lambda: 1 / 0, lambda: ("a", [1, 3, 1], 0.5)],
    "22.3": [None, 2, "falls", ["b"]],
    "22.4": [None, np.zeros(3), lambda v: None, lambda v: v[:1], lambda v: v.sort(), lambda v: "b"],
    "22.5": [None, 5, "more", ("b",)],
    "22.6": [None, 2.5, "2.5", (2.5, 2.5), ("a", 2.5, 0.6, 0.6), (2.5, 2.5, [0.6], 0.6), (2.5, 2.5, ..., 0.6)],
}
