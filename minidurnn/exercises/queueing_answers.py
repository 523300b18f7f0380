"""What sections 3, 6, 7 and 9 of lesson 22 use: the fluid by its cell, traces as a task, tables and one figure."""

import numpy as np

from ..cells import QueueingNetwork
from ..tasks import Queues
from ..tasks.queueing import misplaced, random_starts, sequences, simulate
from .lesson_22 import at_rest


def fluid(mu, P, x, parts=1):
    """The jobs of the fluid after every step, divided by all jobs  ->  q (T, B, M) float64.

    mu (M,), P (M, M)    rates and routing          x (T, B, 1 + 2M)    as `sequences` makes it
    parts                each step is cut into so many; the result is read after the last part of each step
    """
    M = len(mu)
    x = np.repeat(x.astype(float), parts, axis=0)
    x[:, :, 0] /= parts
    x[1:, :, 1:1 + M] = 0                                     # all jobs arrive at the first part
    p = {"mu": np.asarray(mu, float), "P": np.asarray(P, float)}
    q = QueueingNetwork(M).forward(p, x)[0]
    return q[parts - 1::parts]


class Traces:
    """A task for `fit`: mean jobs over simulated runs, from random starts, the same traces in every batch.

    truth, times     the simulated network, the start's time and those of the T measurements
    count, runs      traces, simulated runs in the mean of each
    """

    loss, metric, reads = "mse", "mse", "every"

    def __init__(self, truth, times, count, runs, rng, jobs=(200, 600)):
        M = len(truth.mu)
        self.inputs, self.outputs, self.truth = 1 + 2 * M, M, truth
        self.starts = random_starts(M, jobs, count, rng)
        trace = simulate(truth, self.starts, times, runs, rng)
        self.x, self.mean, _ = sequences(trace, truth.servers, times)

    def batch(self, rng, B):
        """All traces, whatever B is  ->  x (T, count, 1 + 2M), mean (T, count, M), None."""
        return self.x, self.mean, None

    def own(self):
        """The same starts and times, with the fluid's jobs by the true numbers in place of the means  ->  Traces."""
        other = object.__new__(Traces)
        other.__dict__.update(self.__dict__)
        other.mean = fluid(self.truth.mu, self.truth.P, self.x).astype("float32")
        return other

    def loss_of(self, p):
        """The mean of all squared differences between the fluid with p and the measured means  ->  float."""
        return float(((fluid(p["mu"], p["P"], self.x) - self.mean) ** 2).mean())


def draw_trace(both, times, mean, before, after, b):
    """Two axes, *clients* and *slow*: dots for the measured means, lines for the fluid before and after training.

    times (T + 1,)    mean, before, after (T, B, 4), divided by all jobs; b: which of the B traces
    """
    for axes, place, name in zip(both, (0, 3), ("clients", "slow")):
        axes.plot(times[1:], mean[:, b, place], "k.", label="measured")
        axes.plot(times[1:], before[:, b, place], "-", c="#0072B2", lw=1.8, label="before training")
        axes.plot(times[1:], after[:, b, place], "--", c="#E69F00", lw=1.8, label="after training")
        axes.set(title=name, xlabel="time", ylabel="jobs, divided by N", ylim=(0, 1))
        axes.legend(fontsize=8)


def furthest(p, truth):
    """Learned {"mu", "P"} beside the truth  ->  the worst rate's error in percent, the worst share's error."""
    return 100 * abs(p["mu"] / truth.mu - 1).max(), abs(p["P"] - truth.P).max()


def foresee(truth, guess, start, times, runs=50):
    """The jobs of a changed network over time  ->  {"simulation", "true", "learned", "long run"}: (T or 1, M).

    truth, guess    Truth: the changed network, and the operator's idea of it (rates and routing learned)
    "simulation"    the mean of so many runs; "true", "learned": the fluid; "long run": the exact means, `at_rest`
    """
    jobs = sum(start)
    trace = simulate(truth, [start], times, runs, np.random.default_rng(1))
    x, mean, _ = sequences(trace, truth.servers, times)
    return {
        "simulation": jobs * mean[:, 0],
        "true": jobs * fluid(truth.mu, truth.P, x)[:, 0],
        "learned": jobs * fluid(guess.mu, guess.P, x)[:, 0],
        "long run": at_rest(truth, jobs)[None],
    }


def clicks_of(how, answer, truth, guess, last=50):
    """Clicks in a unit of time over the last 50 steps: the clients' rate times the clients who read  ->  float."""
    rate = guess.mu[0] if how == "learned" else truth.mu[0]
    return rate * answer[how][-last:, 0].mean()


def print_answers(answers, truth, guess, last=50):
    """Two small tables, a line for each question: clicks, then jobs at the last station, by all four answers."""
    hows = list(next(iter(answers.values())))
    print(f"{'clicks in a unit of time':26}", *(f"{how:>10}" for how in hows))
    for name, answer in answers.items():
        print(f"{name:26}", *(f"{clicks_of(how, answer, truth, guess, last):10.1f}" for how in hows))
    print(f"{'jobs at slow':26}")
    for name, answer in answers.items():
        print(f"{name:26}", *(f"{answer[how][-last:, -1].mean():10.0f}" for how in hows))


def draw_answers(axes, name, answer, times):
    """The jobs at *medium* (orange) and *slow* (blue) over time, and right of a line their long-run means."""
    for place, station, colour in ((2, "medium", "#E69F00"), (3, "slow", "#0072B2")):
        for how, style in (("simulation", "-"), ("true", "--"), ("learned", ":")):
            axes.plot(times[1:], answer[how][:, place], style, c=colour, label=f"{station}, {how}")
        size = 20 - 4 * place                                 # where both lie at one place, both are seen
        axes.plot(92, answer["long run"][0, place], "o", c=colour, ms=size, label=f"{station}, long run")
    axes.axvline(84, c="k")
    axes.set(title=name, xlabel="time | long run", ylabel="jobs", ylim=(0, 520))


def learned_networks(records, experiment):
    """Records of lesson 22  ->  number of a network -> what was learned: "mu", "P", "errors" in percent."""
    chosen = [one for one in records if one.trial["model"] == "queueing" and one.trial["experiment"] == experiment]
    return {one.trial["seed"]: one.seen["trained"] for one in chosen}


def always_full(task):
    """The percentage of a task's measured means at which two stations or more have at least as many jobs as servers."""
    x, mean, _ = task.batch(np.random.default_rng(0), 32)
    full = mean >= x[:, :, 1 + task.stations:]
    return 100 * (full.sum(axis=-1) >= 2).mean()


def network_rows(records):
    """The recorded networks  ->  a row for each: stations, fewest jobs, number, two full, same, new, worst rate."""
    rows = []
    for experiment, stations, fewest in (("queues", 5, 100), ("queues-3", 3, 100), ("queues-few", 3, 10)):
        for number, seen in sorted(learned_networks(records, experiment).items()):
            errors = seen["errors"]
            new = max(errors[name] for name in ("population", "servers", "routing"))
            full = always_full(Queues(100, stations, number, fewest=fewest))
            rows.append((stations, fewest, number, full, errors["same"], new, errors["mu off"]))
    return rows


def exchanging(mu, share):
    """Exercise 22.6's network with other numbers: both rates mu, this share between 0 and 1  ->  {"mu", "P"}."""
    P = np.array([[0, share, 1 - share], [share, 0, 1 - share], [0.5, 0.5, 0]])
    return {"mu": np.array([mu, mu, 1.0]), "P": P}


def median_error(q, mean):
    """The median over the traces of the error (22.4), in percent  ->  float."""
    return float(np.median(misplaced(q, mean)))
