"""The experiment of queueing networks: its questions, what a record keeps of them, and its report."""

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.cells import LSTM, QueueingNetwork
from minidurnn.experiments import EXPERIMENTS, queues
from minidurnn.networks import Direct, Network
from minidurnn.records.fields import CURVES
from minidurnn.tasks import Queues
from minidurnn.tasks.queueing import LONGEST, loads

TASK = Queues(6, 3, network=1, runs=2)


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(queues, "TRACES", 2)
    queues.asked.cache_clear()
    yield
    queues.asked.cache_clear()


def test_every_seed_is_a_network_of_its_own():
    trials = EXPERIMENTS["queues-3"].trials(quick=False, models=["queueing"])
    tasks = [EXPERIMENTS["queues-3"].task_of(trial) for trial in trials]
    assert [task.network for task in tasks] == [trial.seed for trial in trials] and {t.stations for t in tasks} == {3}
    assert {type(trial.network(task)) for trial, task in zip(trials, tasks)} == {Direct}
    assert EXPERIMENTS["queues"].task_of(trials[0], 7).length == 7
    few = EXPERIMENTS["queues-few"].task_of(trials[1])
    assert few.fewest == 10 and np.array_equal(few.truth.P, tasks[1].truth.P)
    assert np.array_equal(few.times, tasks[1].times)


def test_a_question_changes_what_it_says_and_nothing_else():
    truth = TASK.truth
    assert all(queues.changed(truth, question, 3, 1) is truth for question in ("same", "population"))
    more, other = queues.changed(truth, "servers", 3, 1), queues.changed(truth, "routing", 3, 1)
    grown = more.servers / truth.servers
    assert sorted(grown) == [1, 1, 2] and grown.argmax() == loads(truth).argmax() and more.P is truth.P
    assert np.abs(other.P - truth.P).max() > 0.1 and (other.servers == truth.servers).all()


def test_what_a_record_keeps_is_what_was_recovered_and_the_errors(few):
    network = Direct(QueueingNetwork(3, LONGEST), 3, "mse", "every")
    truth = {"mu": TASK.truth.mu.astype("float32"), "P": TASK.truth.P.astype("float32")}
    found = queues.foreseen(network, {"body": truth, "readout": {}}, TASK)
    errors = found["errors"]
    assert all(errors[question] == errors[f"{question} true"] > 0 for question in queues.QUESTIONS)
    assert errors["mu off"] < 1e-3 > errors["P off"] and np.allclose(found["mu"], TASK.truth.mu, atol=1e-4)
    wrong = queues.foreseen(network, {"body": {**truth, "mu": truth["mu"] * 3}, "readout": {}}, TASK)["errors"]
    assert wrong["same"] > errors["same"] and abs(wrong["mu off"] - 200) < 0.01
    assert CURVES[0]({"start": found, "trained": found}) and not CURVES[0]({"start": {"errors": {"same": "low"}}})


def test_what_has_no_routing_is_not_asked_about_one(few):
    network = Network(LSTM(7, 4), 3, "mse", "every")
    errors = queues.foreseen(network, network.init(rng()), TASK)["errors"]
    assert set(errors) == {f"{name}{whose}" for name in ("same", "population", "servers") for whose in ("", " noise")}


def test_a_population_of_zero_in_a_question_is_refused():
    with refuses(ValueError, "has a population of 0"):
        TASK.ask(TASK.truth, (0, 0), 2, rng())
