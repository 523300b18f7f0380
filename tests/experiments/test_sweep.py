"""Many trials: in order, each once, and with the same numbers whether one trains after the other or two at once."""

import sys
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import pytest
from support import refuses
from test_run import without_time
from test_trials import TINY

from minidurnn.experiments import run, run_trial, run_trials, sweep
from minidurnn.records import machine

TRIALS = [replace(TINY, seed=seed, updates=20) for seed in (2, 0, 1)]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """The records of TRIALS, trained one after the other."""
    return list(run_trials(TRIALS, tmp_path_factory.mktemp("serial"), progress=False))


def test_records_come_in_the_order_of_the_trials(serial):
    assert [record.trial for record in serial] == [trial.plain for trial in TRIALS]


@pytest.mark.system
def test_two_at_once_have_the_numbers_of_one_after_the_other_and_one_bar(serial, tmp_path, capsys):
    pytest.importorskip("joblib", reason="several processes need joblib")
    together = list(run_trials(TRIALS, tmp_path, workers=2))
    assert [without_time(record) for record in together] == [without_time(record) for record in serial]
    assert {record.machine["threads"] for record in together} <= {1, None}
    assert "3/3" in capsys.readouterr().err
    assert len(list(tmp_path.glob("*.json"))) == 3


def test_what_is_finished_is_read_and_starts_no_process(serial, tmp_path, monkeypatch):
    asked, true = [], sweep._parallel
    monkeypatch.setattr(sweep, "_parallel", lambda workers: (asked.append(workers), true(min(workers, 1)))[1])
    run_trial(TRIALS[1], tmp_path, progress=False)
    records = list(run_trials(TRIALS, tmp_path, workers=8, progress=False))
    assert asked == [2] and [without_time(record) for record in records] == [without_time(record) for record in serial]
    monkeypatch.setattr(sweep, "train", lambda *_: pytest.fail("it trains again"))
    assert list(run_trials(TRIALS, tmp_path, workers=8, progress=False)) == records


def test_without_joblib_trials_run_one_after_the_other(serial, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "joblib", None)
    machine.missing.cache_clear()
    with pytest.warns(RuntimeWarning, match="joblib is not installed: trials run one after the other") as told:
        records = list(run_trials(TRIALS, tmp_path, workers=2, progress=False))
        list(run_trials(TRIALS, tmp_path / "again", workers=2, progress=False))
    assert len(told) == 1
    assert [without_time(record) for record in records] == [without_time(record) for record in serial]


def test_the_folder_of_records_is_read_once_for_all_trials(serial, tmp_path, monkeypatch):
    asked, true = [], run.read_records
    for module in (run, sweep):
        monkeypatch.setattr(module, "read_records", lambda folder: (asked.append(folder), true(folder))[1])
    list(run_trials(TRIALS, tmp_path, progress=False))
    assert asked == [tmp_path]
    run_trial(TRIALS[0], tmp_path, progress=False)            # it has its own name there
    assert asked == [tmp_path]


def test_a_process_that_the_system_ends_is_explained(tmp_path, monkeypatch):
    def killed(*_):
        raise BrokenProcessPool("a worker\ndied")
        yield
    monkeypatch.setattr(sweep, "_parallel", lambda workers: killed)
    with refuses(MemoryError, "the system ended a process", "--workers 1"):
        list(run_trials(TRIALS, tmp_path, workers=2, progress=False))


def test_at_most_two_train_at_once_unless_more_are_asked_for():
    assert sweep.default_workers() in (1, 2)
