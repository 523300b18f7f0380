"""What lesson 22 uses from section 3 on: the fluid by its cell, traces as a task, tables and figures."""

from copy import copy

import numpy as np

from ...cells import QueueingNetwork
from ...tasks.queueing import loads, misplaced, random_starts, sequences, simulate
from ..lesson_22 import at_rest


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


def spread(truth, N, runs=400):
    """How far single runs lie apart: the standard deviation of the clients at time 4, in percent of N jobs  ->  float.

    All jobs begin at the clients.
    """
    start = np.zeros((runs, len(truth.mu)), int)
    start[:, 0] = N
    end = simulate(truth, start, [0, 4], 1, np.random.default_rng(2))[-1]       # (runs, M)
    return float(100 * end[:, 0].std() / N)


class Traces:
    """A task for `fit`: mean jobs over simulated runs, from random starts, the same traces in every batch.

    truth, times     the simulated network, the start's time and those of the T measurements
    count, runs      traces, simulated runs in the mean of each
    """

    loss, metric, reads = "mse", "mse", "every"

    def __init__(self, truth, times, count, runs, rng, jobs=(200, 600)):
        M = len(truth.mu)
        self.inputs, self.outputs, self.truth, self.runs = 1 + 2 * M, M, truth, runs
        self.times = times
        self.starts = random_starts(M, jobs, count, rng)
        trace = simulate(truth, self.starts, times, runs, rng)
        self.x, self.mean, _ = sequences(trace, truth.servers, times)

    def batch(self, rng, B):
        """All traces, whatever B is  ->  x (T, count, 1 + 2M), mean (T, count, M), None."""
        return self.x, self.mean, None

    def own(self, noise=None):
        """The same starts and times, with the fluid's jobs by the true numbers in place of the means  ->  Traces.

        noise    a generator: other runs from the same starts; the difference of both means over √2 is added
        """
        other = copy(self)
        other.mean = fluid(self.truth.mu, self.truth.P, self.x).astype("float32")
        if noise is not None:
            again = simulate(self.truth, self.starts, self.times, self.runs, noise)
            mean = sequences(again, self.truth.servers, self.times)[1]
            other.mean = other.mean + (mean - self.mean) / np.float32(2 ** 0.5)
        return other

    def loss_of(self, p):
        """The mean of all squared differences between the fluid with p and the measured means  ->  float."""
        return float(((fluid(p["mu"], p["P"], self.x) - self.mean) ** 2).mean())


def draw_trace(both, times, mean, before, after, b):
    """Two axes, *clients* and *slow*: dots for the measured means, lines for the fluid before and after training.

    times (T + 1,)    mean, before, after (T, B, 4), divided by all jobs; b: which of the B traces
    """
    from ...plots import BLUE, ORANGE

    for axes, place, name in zip(both, (0, 3), ("clients", "slow")):
        axes.plot(times[1:], mean[:, b, place], "k.", label="measured")
        axes.plot(times[1:], before[:, b, place], "-", c=BLUE, lw=1.8, label="before training")
        axes.plot(times[1:], after[:, b, place], "--", c=ORANGE, lw=1.8, label="after training")
        axes.set(title=name, xlabel="time", ylabel="jobs, divided by N", ylim=(0, 1))
        axes.legend(fontsize=8)


def furthest(p, truth):
    """Learned {"mu", "P"} beside the truth  ->  the worst rate's error in percent, the worst share's error."""
    return 100 * abs(p["mu"] / truth.mu - 1).max(), abs(p["P"] - truth.P).max()


def print_learned(traces, learned, own):
    """One line for Traces: the largest errors of what was learned from them, its ratio, the errors from own traces."""
    (rate, share), (own_rate, own_share) = furthest(learned, traces.truth), furthest(own, traces.truth)
    print(
        f"{traces.runs:3} runs: worst rate {rate:.1f} %, share {share:.2f}; ratio {ratio(traces, learned):.2f};"
        f" own traces: {own_rate:.1f} %, {own_share:.3f}")


def ratio(traces, p):
    """The loss of p on Traces over that of the true numbers  ->  float."""
    return traces.loss_of(p) / traces.loss_of({"mu": traces.truth.mu, "P": traces.truth.P})


def print_ratio(traces, learned, name):
    """One line for Traces: the ratio of what was learned, its median error and that of the true numbers in percent."""
    pairs = (learned["mu"], learned["P"]), (traces.truth.mu, traces.truth.P)
    errors = [median_error(fluid(mu, P, traces.x), traces.mean) for mu, P in pairs]
    print(f"{name}: ratio {ratio(traces, learned):.2f}; median error {errors[0]:.2f} %, true {errors[1]:.2f} %")


def foresee(truth, guess, start, times, runs=50):
    """The jobs of a changed network over time  ->  {"simulation", "true", "learned", "long run"}: (T or 1, M).

    truth, guess    Truth: the changed network, and the operator's idea of it (rates and routing learned)
    "simulation"    the mean of so many runs; "true", "learned": the fluid; "long run": the exact means, `at_rest`
    "runs"          besides, all the runs, (T, runs, M)
    """
    jobs = sum(start)
    singles = simulate(truth, [start] * runs, times, 1, np.random.default_rng(1))     # (T + 1, runs, M)
    x, mean, _ = sequences(singles.mean(axis=1, keepdims=True), truth.servers, times)
    return {
        "runs": singles[1:],
        "simulation": jobs * mean[:, 0],
        "true": jobs * fluid(truth.mu, truth.P, x)[:, 0],
        "learned": jobs * fluid(guess.mu, guess.P, x)[:, 0],
        "long run": at_rest(truth, jobs)[None],
    }


def clicks_of(how, answer, truth, guess, last=50):
    """Clicks in a unit of time over the last 50 steps: the clients' rate times the clients who read  ->  float."""
    rate = guess.mu[0] if how == "learned" else truth.mu[0]
    return rate * answer[how][-last:, 0].mean()


def noise_of(answer, truth, last=50):
    """The standard error of the simulated clicks: of a run's over the last steps, divided by the root of the runs."""
    clicks = truth.mu[0] * answer["runs"][-last:, :, 0].mean(axis=0)
    return clicks.std(ddof=1) / len(clicks) ** 0.5


def print_answers(answers, truth, guess, last=50):
    """Two small tables, a line for each question: clicks, their noise and a lead, then jobs at the last station."""
    hows = "simulation", "true", "learned", "long run"
    print(f"{'clicks in a unit of time':26}", *(f"{how:>10}" for how in hows), "  noise of the simulation")
    for name, answer in answers.items():
        clicks = (f"{clicks_of(how, answer, truth, guess, last):10.1f}" for how in hows)
        print(f"{name:26}", *clicks, f"{noise_of(answer, truth, last):7.1f}")
    more, speed = answers["more servers"], answers["by speed"]
    leads = [clicks_of(how, more, truth, guess, last) - clicks_of(how, speed, truth, guess, last) for how in hows]
    noise = np.hypot(noise_of(more, truth, last), noise_of(speed, truth, last))
    print(f"{'lead of more servers':26}", *(f"{lead:10.1f}" for lead in leads), f"{noise:7.1f}")
    print("jobs at slow")
    for name, answer in answers.items():
        print(f"{name:26}", *(f"{answer[how][-last:, -1].mean():10.0f}" for how in hows))


def print_by_speed(answer, truth, last=50):
    """The simulated jobs at slow at times 40, 60 and 80, and all computers' mean busy servers  ->  jobs (3,)."""
    slow = answer["simulation"][[199, 299, 399], 3]
    busy = np.minimum(answer["runs"][-last:], truth.servers).mean(axis=(0, 1))
    print("by speed, simulated jobs at slow, times 40, 60 and 80:", slow.round())
    print("busy servers at fast, medium and slow, times 70 to 80:", busy[1:].round(1))
    return slow


def draw_answers(answers, times):
    """A panel for each of two questions: the jobs at the three computers, right of a line their long-run means."""
    from ...plots import BLUE, GREEN, ORANGE, panels, plt

    figure, both = panels("By speed, the fluid ends far from the long-run means", 2, 9.6, 3.9)
    colours = {"fast": GREEN, "medium": ORANGE, "slow": BLUE}
    styles = {"simulation": "-", "true": "--", "learned": ":"}
    for axes, name in zip(both, ("more servers", "by speed")):
        for place, colour in enumerate(colours.values(), 1):
            for how, style in styles.items():
                axes.plot(times[1:], answers[name][how][:, place], style, c=colour)
            size = 22 - 5 * place                             # where dots lie at one place, all are seen
            axes.plot(92, answers[name]["long run"][0, place], "o", c=colour, ms=size)
        axes.axvline(84, c="k")
        axes.set(title=name, xlabel="time | long run", ylabel="jobs", ylim=(0, 520))
    handles = [plt.Line2D([], [], c=colour, lw=4, label=station) for station, colour in colours.items()]
    handles += [plt.Line2D([], [], c="k", ls=style, label=how) for how, style in styles.items()]
    handles.append(plt.Line2D([], [], c="k", ls="", marker="o", label="long run"))
    both[0].legend(handles=handles, fontsize=7, loc="upper center", ncol=3)


def clicks_at_rest(truth, servers, jobs):
    """Exact clicks of the long run with other servers at the last station  ->  float."""
    servers = np.array([*truth.servers[:-1], int(servers)])
    return truth.mu[0] * at_rest(truth._replace(servers=servers), int(jobs))[0]


def draw_bottleneck(truth, servers, jobs):
    """Clicks of the long run against the servers at slow, the bound (22.8), and the present setting as a dot."""
    from ...plots import BLACK, line, panels

    tried = np.arange(30, 121)
    bounds = [1 / loads(truth._replace(servers=np.array([*truth.servers[:-1], c]))).max() for c in tried]
    figure, axes = panels("No more clicks than the bound, whatever the servers at slow")
    axes.plot(tried, bounds, color="silver", linewidth=7, label="bound (22.8)")
    line(axes, tried, [clicks_at_rest(truth, c, jobs) for c in tried], "long run", 0)
    here = clicks_at_rest(truth, servers, jobs)
    axes.plot(servers, here, "o", c=BLACK, ms=9, label=f"{servers:.0f} servers, {jobs:.0f} jobs: {here:.1f} clicks")
    axes.set(xlabel="servers at slow", ylabel="clicks in a unit of time", ylim=(0, 150))
    axes.legend(fontsize=8, loc="lower right")


def exchanging(rate):
    """Exercise 22.6's network with both rates so high, and shares that keep all changes  ->  {"mu", "P"}."""
    share = 1 - 1 / rate                                      # 10 rate (1 - share) = 10 jobs go to station 2
    P = np.array([[0, share, 1 - share], [share, 0, 1 - share], [0.5, 0.5, 0]])
    return {"mu": np.array([rate, rate, 1.0]), "P": P}


def median_error(q, mean):
    """The median over the traces of the error (22.4), in percent  ->  float."""
    return float(np.median(misplaced(q, mean)))
