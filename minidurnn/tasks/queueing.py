"""Closed queueing networks, simulated exactly: mean jobs at every station over time, and what is asked of them."""

from collections import namedtuple
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays.checks import at_least, check_generator, check_options
from ..arrays.trees import read_only
from ..cells.queueing import check_routing

Truth = namedtuple("Truth", "mu P servers")                   # rates (M,), routing (M, M), servers (M,)
LONGEST = 0.1                                                 # time units of the longest step that a task draws
MOST = 300                                                    # jobs in a trace of a task


def simulate(truth, start, times, runs, rng):
    """The mean over `runs` simulations of the jobs at every station  ->  (T + 1, B, M), at the T + 1 times.

    truth    Truth(mu, P, servers): a busy server of station i ends a job after an exponential time of mean 1 / mu[i];
             the job goes on to station j with probability P[i, j]
    start    (B, M) whole numbers: the jobs at every station at times[0], a row for each of B questions
    Method   from event to event. The time to the next one is exponential with the sum of all rates that are at work;
             such a time has no memory, so it is drawn anew at each of the times.
    Raises   ValueError for times that are missing or do not grow, a population of zero, and what is no network.
    """
    check_generator(rng)
    mu, P, servers = check_truth(truth)
    times, start = check_times(times), check_start(start, len(mu))
    jobs, onward = np.repeat(start, at_least(1)("runs", runs), axis=0), P.cumsum(1)
    onward = onward / onward[:, -1:]                          # the last is 1, whatever rounding says
    mean = np.empty((len(times), *start.shape))
    mean[0] = start
    for place, span in enumerate(np.diff(times), 1):
        _advance(jobs, span, mu, onward, servers, rng)
        mean[place] = jobs.reshape(len(start), runs, -1).mean(1)
    return mean


def _advance(jobs, span, mu, onward, servers, rng):
    """Move all simulations (rows of `jobs`, which are overwritten) on by a time."""
    rows, left = np.arange(len(jobs)), np.full(len(jobs), float(span))
    while len(rows):
        rates = (mu * np.minimum(jobs[rows], servers)).cumsum(1)                  # (rows, M), the last: of any event
        with np.errstate(divide="ignore"):
            left = left - rng.exponential(size=len(rows)) / rates[:, -1]
        within = left > 0
        rows, left, rates = rows[within], left[within], rates[within]
        chosen = rng.random((2, len(rows), 1))
        source = (chosen[0] * rates[:, -1:] >= rates).sum(1)                      # by its share in the rates
        goal = (chosen[1] >= onward[source]).sum(1)
        jobs[rows, source] -= 1
        jobs[rows, goal] += 1


def check_truth(truth):
    """rates, routing, servers as arrays.    Raises ValueError for what is no closed network."""
    mu, P, servers = (np.asarray(part) for part in truth)
    P = np.asarray(P, float)
    check_routing(P)
    for name, given, fits, expected in (
        ("mu", mu, lambda a: np.isfinite(a) & (a >= 0), "finite rates of at least 0"),
        ("servers", servers, lambda a: (a >= 1) & (a == np.rint(a)), "whole numbers of at least 1"),
    ):
        if given.shape != (len(P),) or given.dtype.kind not in "iuf" or not fits(given).all():
            raise ValueError(f"{name} is {given.tolist()}: expected {expected}, one for each of {len(P)} stations.")
    return mu, P, servers.astype(int)


def check_times(times, longest=None):
    """Times as an array (T + 1,); steps of unequal lengths are fine.    Raises ValueError.

    longest    the longest step that a model takes, or None
    """
    times = np.asarray(times, float)
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"times has shape {times.shape}: expected (T + 1,), the start's and at least one.")
    if (missing := np.flatnonzero(~np.isfinite(times))).size:
        raise ValueError(
            f"times[{missing[0]}] is {times[missing[0]]}: expected finite times; leave out what was measured at a time "
            f"that is missing, for steps may be unequal.")
    spans = np.diff(times)
    if spans.min() <= 0:
        place = int(spans.argmin())
        raise ValueError(
            f"times[{place + 1}] is {times[place + 1]:g} after {times[place]:g}: expected times that grow; sort the "
            f"trace and keep one row for each time.")
    if longest is not None and spans.max() > longest * (1 + 1e-9):
        place = int(spans.argmax())
        raise ValueError(
            f"the step to times[{place + 1}] lasts {spans[place]:g}: expected at most longest = {longest:g}, which "
            f"keeps jobs from getting negative; measure more often, or give the model a greater `longest`.")
    return times


def check_start(start, stations):
    """The jobs at the start as integers (B, M).    Raises ValueError."""
    start = np.asarray(start)
    if start.ndim != 2 or start.shape[1] != stations or not len(start):
        raise ValueError(f"start has shape {start.shape}: expected (B, {stations}), a row of jobs for each question.")
    if start.dtype.kind not in "iuf" or not ((start >= 0) & (start == np.rint(start))).all():
        raise ValueError(f"start holds {start.min()} to {start.max()} jobs of {start.dtype}: expected whole numbers.")
    if (empty := np.flatnonzero(start.sum(1) == 0)).size:
        raise ValueError(f"start[{empty[0]}] has a population of 0: expected at least one job; leave that row out.")
    return start.astype(int)


def sequences(trace, servers, times, longest=None):
    """A trace as a model reads it  ->  x (T, B, 1 + 2M), target (T, B, M), None: all counts as shares of the jobs.

    trace    (T + 1, B, M) jobs at the times; servers (M,) or (B, M)
    x[t]     the time that the step lasts; the jobs that arrive, which are all at the first step and none later; servers
    The model's equation holds for shares as for jobs: twice the jobs and twice the servers are twice of everything.
    """
    times, trace = check_times(times, longest), np.asarray(trace, float)
    if trace.ndim != 3 or len(trace) != len(times):
        raise ValueError(f"the trace has shape {trace.shape}: expected ({len(times)}, B, M), a row for each time.")
    if not np.isfinite(trace).all():
        at = tuple(map(int, np.argwhere(~np.isfinite(trace))[0]))
        raise ValueError(f"the trace at {at} is {trace[at]}: expected finite numbers of jobs; leave out that time.")
    jobs = trace[0].sum(-1, keepdims=True)                    # (B, 1)
    if (jobs <= 0).any():
        raise ValueError(
            f"trace[0, {int(jobs.argmin())}] has a population of {jobs.min():g}: expected jobs; leave it out.")
    T, B, M = trace[1:].shape
    x = np.zeros((T, B, 1 + 2 * M), np.float32)
    x[:, :, 0] = np.diff(times)[:, None]
    x[0, :, 1:1 + M] = trace[0] / jobs
    x[:, :, 1 + M:] = np.broadcast_to(servers, (B, M)) / jobs
    return x, (trace[1:] / jobs).astype(np.float32), None


def misplaced(q, target):
    """100 max over t of Σ |q - target| / 2, in shares  ->  (B,) percent: the jobs that are at a wrong station.

    Source   the error of two public adaptations of Garbi, Incerto, Tribastone 2020, 100 max Σ |x - x̂| / (2 N).
    """
    return 50.0 * np.abs(np.asarray(q, float) - target).sum(-1).max(0)


@dataclass(frozen=True)
class Queues:
    """Mean jobs over time of a random closed network, from random starts; target at every step: the shares there.

    stations   M             length   T steps of 0.02 to `LONGEST` time units, all traces at the same times
    network    the seed of the network: rates from 0.5 to 2, rows of P uniform on the simplex, 10 to 40 servers
    runs       simulations over which each trace is averaged
    fewest     the smallest population; the largest is 300
    32 traces for training, 16 for validation, 16 for the test, each from a random start.    Source   ours.
    """

    length: int = 100                                         # T
    stations: int = 5                                         # M
    network: int = 0
    runs: int = 100
    fewest: int = 100

    inputs = property(lambda self: 1 + 2 * self.stations)
    outputs = property(lambda self: self.stations)
    loss, metric, reads = "mse", "mse", "every"

    def __post_init__(self):
        check_options(
            self, length=at_least(1), stations=at_least(2), network=at_least(0), runs=at_least(1), fewest=at_least(1))
        if self.fewest > MOST:
            raise ValueError(f"fewest is {self.fewest}: expected at most {MOST}, the largest population.")

    @property
    def chance(self):
        """The test error of always answering equal shares."""
        return float(((self.test()[1] - 1 / self.stations) ** 2).mean())

    @property
    def truth(self):
        """The network  ->  Truth(mu, P, servers)."""
        return random_network(self.stations, self.network)

    @property
    def times(self):
        """The times of all traces, (T + 1,), from 0 on."""
        spans = np.random.default_rng([0, self.network]).uniform(0.02, LONGEST, self.length)
        return np.concatenate([[0.0], spans.cumsum()])

    def batch(self, rng, B):
        """B of the 32 training traces, each at most once where that is possible  ->  x, target, None."""
        x, target, _ = _traces(self, 1, 32)
        which = rng.permutation(np.resize(np.arange(32), max(B, 32)))[:B]
        return x[:, which], target[:, which], None

    def validation(self):
        """16 traces from other starts."""
        return _traces(self, 2, 16)

    def test(self):
        """16 traces from other starts again."""
        return _traces(self, 3, 16)

    def baseline(self):
        """The honest baseline: the test error of answering the jobs of the start  ->  name, value."""
        x, target, _ = self.test()
        M = self.stations
        return "the start", float(((x[:1, :, 1:1 + M] - target) ** 2).mean())

    def ask(self, truth, jobs, questions, rng, runs_rng=None):
        """Traces of some network at this task's times, from random starts of so many jobs  ->  as `sequences`.

        jobs    (lowest, highest) population        rng, runs_rng   of the starts, of the simulations (None: the same)
        """
        start = random_starts(self.stations, jobs, questions, rng)
        trace = simulate(truth, start, self.times, self.runs, rng if runs_rng is None else runs_rng)
        return sequences(trace, truth.servers, self.times)


@lru_cache(maxsize=12)
def _traces(task, part, questions):
    return read_only(task.ask(task.truth, (task.fewest, MOST), questions, np.random.default_rng([part, task.network])))


def random_network(stations, seed):
    """A closed network  ->  Truth: rates uniform in 0.5 to 2, rows of P uniform on the simplex, 10 to 40 servers."""
    rng = np.random.default_rng([4, seed, stations])
    P = rng.exponential(size=(stations, stations)) * (1 - np.eye(stations))
    return Truth(rng.uniform(0.5, 2.0, stations), P / P.sum(1, keepdims=True), rng.integers(10, 41, stations))


def loads(truth):
    """The work that a job brings to each station while it visits station 0 once, per server  ->  (M,) times.

    Model    visits v = v P with v[0] = 1; load v / (mu servers). With many jobs the station of the largest load is the
             bottleneck: jobs pass station 0 at a rate of 1 / (largest load).
    """
    mu, P, servers = check_truth(truth)
    M = len(mu)
    equations = np.vstack([(np.eye(M) - P).T, np.eye(M)[:1]])
    visits = np.linalg.lstsq(equations, np.append(np.zeros(M), 1.0), rcond=None)[0]
    return visits / (mu * servers)


def random_starts(stations, jobs, questions, rng):
    """Random starts  ->  (questions, M) whole numbers whose rows sum to lowest ... highest of `jobs`, in any shares."""
    shares = rng.dirichlet(np.ones(stations), questions)
    populations = rng.integers(jobs[0], jobs[1] + 1, questions)
    return np.array([rng.multinomial(population, share) for population, share in zip(populations, shares)])
