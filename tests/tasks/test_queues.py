"""Closed queueing networks: the simulator against product form and against the exact chain; traces; the fluid model."""

from itertools import product

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import fit, load, save
from minidurnn.cells import QueueingNetwork
from minidurnn.cells.queueing import check_routing
from minidurnn.exercises.lesson_22 import at_rest
from minidurnn.networks import Direct
from minidurnn.optim import Adam
from minidurnn.tasks import Queues, Truth
from minidurnn.tasks.queueing import (
    LONGEST,
    check_times,
    loads,
    misplaced,
    random_network,
    random_starts,
    sequences,
    simulate,
)

RING = Truth(np.array([1.0, 2.0, 1.5]), np.array([[0, 0.3, 0.7], [1.0, 0, 0], [0.5, 0.5, 0]]), np.array([1, 1, 1]))
SMALL = Queues(20, 3, runs=3)


def mean_values(truth, jobs):
    """Exact mean value analysis of a closed network of single servers  ->  mean jobs at every station (M,).

    Source   Reiser, Lavenberg 1980: a job that arrives sees the network with one job less.
    """
    visits = loads(truth) * truth.mu                          # single servers: load = visits / mu
    queue = np.zeros(len(visits))
    for n in range(1, jobs + 1):
        times = visits / truth.mu * (1 + queue)               # at a station, over all visits of a round
        queue = n / times.sum() * times
    return queue


def exact_means(truth, start, times):
    """The mean jobs of the Markov chain itself, by its generator  ->  (T + 1, M). For a few jobs only."""
    jobs, M = int(sum(start)), len(start)
    states = [state for state in product(range(jobs + 1), repeat=M) if sum(state) == jobs]
    G = np.zeros((len(states), len(states)))
    for here, state in enumerate(states):
        for i, j in product(range(M), range(M)):
            if i != j and state[i]:
                there = states.index(tuple(n - (k == i) + (k == j) for k, n in enumerate(state)))
                G[here, there] = truth.mu[i] * min(state[i], truth.servers[i]) * truth.P[i, j]
    G -= np.diag(G.sum(1))
    values, vectors = np.linalg.eig(G)
    at = np.eye(len(states))[states.index(tuple(start))] @ vectors
    back = np.linalg.solve(vectors, np.array(states, float))
    return np.array([((at * np.exp(values * time)) @ back).real for time in times])


def test_a_network_at_rest_has_the_mean_queues_of_product_form():
    runs, jobs = 2000, 6
    found = simulate(RING, [[6, 0, 0]], [0.0, 20.0], runs, rng())[-1, 0]
    assert np.abs(found - mean_values(RING, jobs)).max() < 5 * jobs / 2 / runs**0.5     # 5 of at most 3 jobs' deviation


def test_a_network_of_several_servers_follows_its_own_chain_at_every_time():
    truth, runs = RING._replace(servers=np.array([2, 1, 3])), 4000
    start, times = [4, 1, 0], np.array([0, 0.3, 0.5, 2.0])
    found = simulate(truth, [start], times, runs, rng(1))[:, 0]
    assert np.abs(found - exact_means(truth, start, times)).max() < 5 * 2.5 / runs**0.5


def test_mean_values_are_those_of_the_chain_at_rest():
    assert np.allclose(mean_values(RING, 4), exact_means(RING, [4, 0, 0], [80.0])[0], atol=1e-9)


def test_lesson_22s_means_at_rest_are_the_exact_ones():       # of one server by mean values, of several by the chain
    assert np.allclose(at_rest(RING, 30), mean_values(RING, 30), atol=1e-9)
    truth = RING._replace(servers=np.array([2, 1, 3]))
    assert np.allclose(at_rest(truth, 5), exact_means(truth, [5, 0, 0], [80.0])[0], atol=1e-9)


def test_jobs_are_neither_made_nor_lost():
    start = random_starts(5, (1, 60), 8, rng())
    trace = simulate(random_network(5, 0), start, np.linspace(0, 1, 5), 3, rng(1))
    assert np.allclose(trace.sum(-1), start.sum(-1), rtol=1e-13) and trace.min() >= 0
    assert (trace[0] == start).all() and start.sum(1).min() >= 1


def test_a_station_without_a_rate_keeps_its_jobs():
    truth = RING._replace(mu=np.array([0.0, 1.0, 1.0]))
    assert (simulate(truth, [[3, 0, 0]], [0, 100.0], 2, rng()) == [3, 0, 0]).all()


def test_the_largest_load_says_which_station_bounds_the_flow():
    truth = Truth(np.array([1.0, 1.0]), np.array([[0, 1.0], [1, 0]]), np.array([4, 1]))
    assert np.allclose(loads(truth), [0.25, 1.0])
    trace = simulate(truth, [[20, 20]], [0.0, 8.0], 400, rng())[1, 0]
    assert trace[1] > 30                                      # what the slow station cannot serve waits there


def test_a_sequence_is_the_trace_in_shares_and_the_model_with_the_true_numbers_is_near():
    task = Queues(40, 3, network=1)
    start = random_starts(3, (200, 300), 4, rng(2))
    times = task.times
    trace = simulate(task.truth, start, times, 20, rng(3))
    x, target, lengths = sequences(trace, task.truth.servers, times)
    assert x.shape == (40, 4, 7) and target.shape == (40, 4, 3) and lengths is None and x.dtype == np.float32
    assert np.allclose(x[:, 0, 0], np.diff(times)) and not x[1:, :, 1:4].any()
    assert np.allclose(x[0, :, 1:4] * start.sum(1)[:, None], start) and np.allclose(target.sum(-1), 1)
    assert np.allclose(x[7, :, 4:] * start.sum(1)[:, None], task.truth.servers)
    p = {"mu": task.truth.mu, "P": task.truth.P}
    q, _ = QueueingNetwork(3, LONGEST).forward(p, x.astype(float))
    assert misplaced(q, target).max() < 6 and misplaced(x[:1, :, 1:4], target).min() > 6


def test_the_error_counts_the_jobs_at_a_wrong_station():
    q = np.array([[[0.5, 0.5, 0.0]], [[0.2, 0.3, 0.5]]])
    assert np.allclose(misplaced(q, [[[0.4, 0.5, 0.1]], [[0.5, 0.3, 0.2]]]), [30.0])


def test_a_task_gives_every_seed_a_network_and_every_part_its_own_traces():
    x, target, _ = SMALL.batch(rng(), 32)
    assert x.shape == (20, 32, 7) and len(np.unique(x[0, :, 1])) == 32
    parts = [SMALL.batch(rng(), 3), SMALL.validation(), SMALL.test()]
    assert len({part[1].tobytes() for part in parts}) == 3 and SMALL.test()[1] is SMALL.test()[1]
    assert SMALL.batch(rng(1), 40)[0].shape == (20, 40, 7)
    assert not np.array_equal(Queues(20, 3, 1).truth.P, SMALL.truth.P)
    name, error = SMALL.baseline()
    assert name == "the start" and error > 0 and SMALL.chance > 0
    spans = np.diff(SMALL.times)
    assert 0.02 <= spans.min() < spans.max() <= LONGEST


def test_the_populations_are_those_that_are_asked_for():
    x, _, _ = Queues(2, 3, runs=1, fewest=290).batch(rng(), 32)
    jobs = SMALL.truth.servers / x[0, :, 4:]
    assert np.allclose(jobs, jobs[:, :1], rtol=1e-5) and 290 <= jobs.min() + 1e-3 < jobs.max() - 1e-3 <= 300
    with refuses(ValueError, "fewest is 301", "at most 300"):
        Queues(fewest=301)


def test_a_fit_finds_the_network_behind_traces_of_the_model_itself(tmp_path):
    """With the model's own traces there is no noise, so that what is left is the fit's."""
    class Own(Queues):
        def batch(self, rng, B):
            x, target, _ = super().batch(rng, B)
            q, _ = QueueingNetwork(3, LONGEST).forward(
                {"mu": self.truth.mu.astype("float32"), "P": self.truth.P.astype("float32")}, np.array(x))
            return x, q, None

    task = Own(12, 3, network=2, runs=1)
    network = Direct(QueueingNetwork(3, LONGEST), 3, "mse", "every")
    p, history = fit(network, task, 160, optimizer=Adam(0.05), batch=16, validate_every=None, progress=False)
    assert history["loss"][-1] < 1e-3 * history["loss"][0]
    assert np.abs(p["body"]["mu"] / task.truth.mu - 1).max() < 0.1 and np.abs(p["body"]["P"] - task.truth.P).max() < 0.1
    save(tmp_path / "a.npz", network, p)
    again, same = load(tmp_path / "a.npz")
    assert again == network and np.array_equal(same["body"]["P"], p["body"]["P"])


@pytest.mark.parametrize("part, value, words", [
    ("P", [[0, -0.1, 1.1], [1, 0, 0], [0.5, 0.5, 0]], ("P[0, 1] is -0.1", "negative")),
    ("P", [[0, np.nan, 1], [1, 0, 0], [0.5, 0.5, 0]], ("P[0, 1] is nan", "not finite")),
    ("P", [[0.2, 0.3, 0.5], [1, 0, 0], [0.5, 0.5, 0]], ("P[0, 0] is 0.2", "diagonal")),
    ("P", [[0, 0.3, 0.6], [1, 0, 0], [0.5, 0.5, 0]], ("row 0 of P sums to 0.9", "expected 1")),
    ("mu", [1, -2, 1], ("mu is [1, -2, 1]", "finite rates of at least 0")),
    ("mu", [1, 2], ("mu is [1, 2]", "each of 3 stations")),
    ("servers", [1, 0, 1], ("servers is [1, 0, 1]", "whole numbers of at least 1")),
    ("servers", [1, 1.5, 1], ("whole numbers of at least 1",)),
])
def test_what_is_no_network_is_refused_in_one_sentence(part, value, words):
    with refuses(ValueError, *words):
        simulate(RING._replace(**{part: np.array(value)}), [[1, 1, 1]], [0, 1.0], 1, rng())


@pytest.mark.parametrize("start, times, words", [
    ([[1, 1, 1]], [0, np.nan, 1], ("times[1] is nan", "leave out what was measured")),
    ([[1, 1, 1]], [0, 1, 1], ("times[2] is 1 after 1", "times that grow")),
    ([[1, 1, 1]], [0.0], ("times has shape (1,)", "at least one")),
    ([[1, 1, 1], [0, 0, 0]], [0, 1], ("start[1] has a population of 0", "leave that row out")),
    ([[1, 1.5, 1]], [0, 1], ("whole numbers",)), ([[1, -1, 1]], [0, 1], ("whole numbers",)),
    ([1, 1, 1], [0, 1], ("start has shape (3,)", "(B, 3)")),
])
def test_starts_and_times_that_are_none_are_refused_in_one_sentence(start, times, words):
    with refuses(ValueError, *words):
        simulate(RING, start, times, 1, rng())


def test_unequal_steps_are_fine_and_too_long_ones_are_refused():
    assert check_times([0, 0.1, 0.15, 0.95], 0.8).tolist() == [0, 0.1, 0.15, 0.95]
    with refuses(ValueError, "the step to times[3] lasts 0.8", "at most longest = 0.5"):
        check_times([0, 0.1, 0.15, 0.95], 0.5)


@pytest.mark.parametrize("trace, words", [
    (np.ones((2, 1, 3)), ("the trace has shape (2, 1, 3)", "(3, B, M)")),
    (np.full((3, 1, 3), np.nan), ("the trace at (0, 0, 0) is nan", "leave out that time")),
    (np.zeros((3, 1, 3)), ("trace[0, 0] has a population of 0",)),
])
def test_a_trace_that_is_none_is_refused_in_one_sentence(trace, words):
    with refuses(ValueError, *words):
        sequences(trace, [1, 1, 1], [0, 1, 2.0])


def test_a_sound_routing_passes():
    check_routing(random_network(5, 3).P)
