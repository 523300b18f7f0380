"""A fit that is extended equals, history and parameters, the one that was asked for more at once."""

import numpy as np
import pytest
from killed_run import Echo
from support import assert_same

from minidurnn import RNN, Chain, IndRNN, Network, evaluate, fit
from minidurnn.networks import Dropout
from minidurnn.optim import SGD, Adam, Plateau
from minidurnn.tasks import Adding
from minidurnn.training.storage import read

NOISY = Network(Chain((RNN(1, 4), Dropout(4, 0.3), IndRNN(4, 5))), 1, reads="every")
CASES = {
    "looks at every row": {"validate_every": 4, "schedule": Plateau(1, 0.5)},
    "looks at every fifth row": {"validate_every": 20, "schedule": Plateau(1, 0.5)},
    "no looks": {"validate_every": None},
    "windows and noise": {
        "network": NOISY, "task": Echo(46), "window": 7, "optimizer": SGD(0.05, momentum=0.9),
        "validate_every": 4, "schedule": Plateau(1, 0.5),
    },
}


def run(tmp_path, updates, name="run.npz", **options):
    """A run to so many updates, from its checkpoint where there is one  ->  p, history without the seconds, facts."""
    given = {
        "network": Network(IndRNN(2, 6), 1), "task": Adding(8), "optimizer": Adam(0.05), "batch": 4, "log_every": 4,
        "checkpoint": tmp_path / name, "checkpoint_every": 4, "resume": True, "progress": False, **options,
    }
    p, history = fit(updates=updates, **given)
    seconds = history.pop("seconds")
    assert seconds == sorted(seconds)
    return p, history, read(tmp_path / name, "checkpoint")[1]["run"]


def without_seconds(p, history, facts):
    """What two runs share."""
    facts.pop("seconds"), facts["history"].pop("seconds")
    if facts["end"] is not None:
        facts["end"].pop("seconds")
    return p, history, facts


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def whole(request, tmp_path_factory):
    """The options of a case, and its run of 24 updates at once."""
    return request.param, without_seconds(*run(tmp_path_factory.mktemp("whole"), 24, **request.param))


@pytest.mark.parametrize("ends", [(10,), (2, 3, 21), (20,)], ids=str)
def test_an_extended_fit_is_the_one_that_was_longer_at_once(whole, ends, tmp_path):
    options, (q, expected, expected_facts) = whole
    for end in ends:
        run(tmp_path, end, **options)
    p, history, facts = without_seconds(*run(tmp_path, 24, **options))
    assert history == expected and facts == expected_facts
    assert_same(p, q, 0)
    if "schedule" in options and options["validate_every"] == 4:
        assert len(set(expected["rate"])) > 1                 # the schedule had something to hear


def test_an_end_between_two_rows_has_a_row_and_a_look_that_are_shown_and_not_remembered(tmp_path):
    p, history, facts = run(tmp_path, 10, validate_every=4)
    assert history["update"] == [4, 8, 10] and None not in history["validation"]
    assert history["validation"][-1] == evaluate(Network(IndRNN(2, 6), 1), p, Adding(8).validation())[1]
    assert facts["history"]["update"] == [4, 8] and len(facts["recent"]) == 2 and facts["end"]["update"] == 10
    assert history["loss"][-1] == pytest.approx(np.mean([loss for loss, _, _ in facts["recent"]]))


def test_an_end_between_two_looks_has_a_look_that_is_shown_and_not_remembered(tmp_path):
    _, history, facts = run(tmp_path, 8, validate_every=20)
    assert history["validation"][0] is None and history["validation"][1] is not None
    assert facts["history"]["validation"] == [None, None] and facts["recent"] == []
    _, longer, _ = run(tmp_path, 12, validate_every=20)
    assert longer["validation"][:2] == [None, None] and longer["validation"][2] is not None


def test_a_finished_run_shows_its_end_again(tmp_path):
    for updates in (10, 8):                                   # between two rows; between two looks
        first = run(tmp_path, updates, f"{updates}.npz", validate_every=20)
        assert run(tmp_path, updates, f"{updates}.npz", validate_every=20)[1:] == first[1:]


def test_a_run_that_was_interrupted_at_what_becomes_its_end_shows_a_look_there(tmp_path):
    run(tmp_path, 24, validate_every=20, time_limit=1e-9)   # ends at the first row
    _, history, _ = run(tmp_path, 4, validate_every=20)
    assert history == run(tmp_path, 4, "whole.npz", validate_every=20)[1] and history["validation"] != [None]


def test_a_look_at_an_end_does_not_stop_the_longer_run(tmp_path):
    _, history, _ = run(tmp_path, 10, validate_every=20, stop=1e9)
    assert history["validation"][-1] is not None              # as good as stop asks
    _, history, _ = run(tmp_path, 24, validate_every=20, stop=1e9)
    assert history["update"][-1] == 20                        # where the run that was asked for 24 looks and stops


def test_a_time_limit_that_is_met_at_the_last_update_leaves_its_look(tmp_path):
    _, history, _ = run(tmp_path, 4, validate_every=20, time_limit=1e-9)
    assert history["validation"][-1] is not None
