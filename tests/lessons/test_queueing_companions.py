"""What lesson 22 takes from beside its checker: the fluid, traces as a task, forecasts, pictures, full stations."""

import numpy as np
import pytest
from support import rng

from minidurnn.exercises.companions import queueing_answers, queueing_runs
from minidurnn.exercises.lesson_22 import at_rest
from minidurnn.tasks import Queues, Truth
from minidurnn.tasks.queueing import sequences, simulate

RING = Truth(np.array([1.0, 2.0, 1.5]), np.array([[0, 0.3, 0.7], [1.0, 0, 0], [0.5, 0.5, 0]]), np.array([1, 1, 1]))
TRUE = {"mu": RING.mu, "P": RING.P}
WRONG = {                                                     # largest errors: a rate too low, a share too low
    "mu": np.array([1.1, 1.5, 1.5]), "P": np.array([[0, 0.25, 0.75], [0.8, 0.1, 0.1], [0.5, 0.5, 0]]),
}


def stepped(p, starts, servers, times):
    """The fluid by its equation, in jobs  ->  (T, B, M)."""
    q, found = np.array(starts, float), []
    for span in np.diff(times):
        leaving = p["mu"] * np.minimum(q, servers)
        q = q + span * (leaving @ p["P"] - leaving)
        found.append(q)
    return np.array(found)


def test_lesson_22s_fluid_in_parts_ends_each_step_where_shorter_steps_end():
    x = sequences(np.array([[[6.0, 3, 1]]] * 3), RING.servers, np.array([0, 0.2, 0.5]))[0]
    shorter = sequences(np.array([[[6.0, 3, 1]]] * 5), RING.servers, np.array([0, 0.1, 0.2, 0.35, 0.5]))[0]
    cut, whole = queueing_answers.fluid(*RING[:2], x, 2), queueing_answers.fluid(*RING[:2], shorter)
    assert np.allclose(cut, whole[1::2], atol=1e-6)


def some_traces():
    """Traces of RING, and the shares of the jobs that the fluid has with its numbers."""
    traces = queueing_answers.Traces(RING, [0, 0.1, 0.3], 2, 3, rng(), jobs=(5, 9))
    jobs = traces.starts.sum(1)[:, None]
    return traces, stepped(TRUE, traces.starts, RING.servers, traces.times) / jobs


def test_lesson_22s_own_traces_are_those_of_the_fluid_with_the_true_numbers():
    traces, fluid = some_traces()
    x, mean, lengths = traces.batch(rng(), 12)
    assert x.shape == (2, 2, 7) and mean.shape == (2, 2, 3) and lengths is None
    own = traces.own()
    assert np.allclose(own.mean, fluid, atol=1e-6) and np.abs(mean - fluid).max() > 0.01
    assert own.batch(rng(), 12)[1] is own.mean and own.batch(rng(), 12)[0] is x


def test_lesson_22s_noise_is_the_difference_of_two_means_over_the_root_of_two():
    traces, fluid = some_traces()
    again = simulate(RING, traces.starts, traces.times, 3, rng(7))[1:] / traces.starts.sum(1)[:, None]
    noise = (again - traces.mean) / 1.4142135623730951
    assert np.abs(noise).max() > 0.02 and np.allclose(traces.own(noise=rng(7)).mean, fluid + noise, atol=1e-6)


def test_lesson_22s_loss_is_the_mean_of_all_squared_differences_and_the_ratio_is_over_the_true_numbers():
    traces, fluid = some_traces()
    guess = stepped(WRONG, traces.starts, RING.servers, traces.times) / traces.starts.sum(1)[:, None]
    losses = [((shares - traces.mean) ** 2).sum() / 12 for shares in (guess, fluid)]
    assert np.isclose(traces.loss_of(WRONG), losses[0], rtol=1e-4)
    assert np.isclose(queueing_answers.ratio(traces, WRONG), losses[0] / losses[1], rtol=1e-4)


def test_lesson_22s_largest_errors_are_of_the_worst_rate_in_percent_and_of_the_worst_share():
    assert np.allclose(queueing_answers.furthest(WRONG, RING), (25, 0.2))


def test_lesson_22s_true_answer_is_of_the_changed_network_and_the_learned_one_of_the_guess():
    guess, times = RING._replace(**WRONG), [0, 0.1, 0.3]
    answer = queueing_answers.foresee(RING, guess, [3, 2, 1], times, runs=4)
    assert list(answer) == ["runs", "simulation", "true", "learned", "long run"]
    for how, p in (("true", TRUE), ("learned", WRONG)):
        assert np.allclose(answer[how], stepped(p, [[3, 2, 1]], RING.servers, times)[:, 0], atol=1e-5), how
    assert answer["runs"].shape == (2, 4, 3)
    assert np.allclose(answer["runs"].mean(axis=1), answer["simulation"], atol=1e-5)
    assert np.allclose(answer["runs"].sum(-1), 6) and np.array_equal(answer["long run"], [at_rest(RING, 6)])


def test_lesson_22s_clicks_are_of_the_true_rate_unless_they_are_learned():
    guess = RING._replace(mu=np.array([3.0, 2.0, 1.5]))
    jobs = np.array([[9.0, 0, 0], [4, 1, 1], [2, 2, 2]])
    answer = dict.fromkeys(("simulation", "true", "learned", "long run"), jobs)
    found = {how: queueing_answers.clicks_of(how, answer, RING, guess, last=2) for how in answer}
    assert found == {"simulation": 3, "true": 3, "learned": 9, "long run": 3}     # of 3 readers in the last two steps


def test_lesson_22s_pair_most_often_full_is_the_one_of_all_pairs():
    task = Queues(20, 3, runs=3)
    x, mean, _ = task.batch(rng(), 32)
    full = mean >= x[:, :, 4:]
    pairs = {f"{i}, {j}": 100 * full[:, :, [i, j]].all(-1).mean() for i, j in ((0, 1), (0, 2), (1, 2))}
    pair, often = queueing_runs.most_full_pair(task)
    assert np.isclose(often, pairs[pair]) and np.isclose(often, max(pairs.values()))


def test_lesson_22s_other_networks_change_the_queues_alike_while_both_stations_are_full():
    changes = []
    for rate in (2.0, 2.5, 4.0):
        p = queueing_answers.exchanging(rate)
        leaving = p["mu"] * [10, 10, 3]
        changes.append(leaving @ p["P"] - leaving)
    assert np.allclose(changes, changes[0])


def test_lesson_22s_picture_with_sliders_shows_the_clicks_at_rest():
    plt = pytest.importorskip("matplotlib.pyplot", reason="pictures are drawn by matplotlib")
    truth = RING._replace(servers=np.array([9, 40, 30]))
    queueing_answers.draw_bottleneck(truth, 45.0, 9.0)
    bound, rest, dot = plt.gca().get_lines()
    assert np.isclose(rest.get_ydata()[15], dot.get_ydata()[0]) and (bound.get_ydata() >= rest.get_ydata()).all()
    assert np.isclose(dot.get_ydata()[0], at_rest(truth._replace(servers=np.array([9, 40, 45])), 9)[0])
    plt.close()
