"""A trial becomes a record: what it says, what is never trained twice or overwritten, how it goes on, how it ends."""

import json
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from support import refuses
from test_trials import TINY, network

from minidurnn import evaluate
from minidurnn.experiments import EXPERIMENTS, Experiment, Trial, run_trial
from minidurnn.experiments import run as experiments
from minidurnn.networks import count_parameters
from minidurnn.optim import Adam, Steps
from minidurnn.records import machine, read_record, read_records, table
from minidurnn.records.record import write_record
from minidurnn.tasks import Adding
from minidurnn.training import fit
from minidurnn.training.files import owner
from minidurnn.training.storage import describe, read


@pytest.fixture(scope="module", autouse=True)
def often():
    """A row every 4 updates and a look every 20, where real runs have 20 and 100."""
    assert (experiments.ROW, experiments.LOOK) == (20, 100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "ROW", 4)
        patch.setattr(experiments, "LOOK", 20)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the record of TINY, and the record."""
    folder = tmp_path_factory.mktemp("records")
    return folder, run_trial(TINY, folder, progress=False)


def watched(monkeypatch, seen):
    """Let `seen(network, task, updates, **options)` watch every call of fit."""
    true = experiments.fit

    def fit(*given, **options):
        seen(*given, **options)
        return true(*given, **options)
    monkeypatch.setattr(experiments, "fit", fit)


def plain(content):
    """As JSON gives it back."""
    return json.loads(json.dumps(content))


def test_a_record_says_what_was_done_how_and_on_what(finished):
    folder, record = finished
    assert record == read_record(folder / f"{TINY.name}.json")
    assert record.trial == TINY.plain and record.migrated_from is None and record.notes == ()
    assert record.network == plain(describe(network(TINY))) and record.parameters == count_parameters(network(TINY))
    assert record.metric == "mse" and record.chance == 1 / 6
    assert record.baseline == {"name": "always 1", "value": Adding(10).baseline()[1]}
    assert "validation set chose" in record.split and "test set was read once" in record.split
    experiment = EXPERIMENTS["adding"]
    assert record.rule == experiment.rule and record.verdict == experiment.verdict(record.test, Adding(10))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record.machine["date"])
    with machine.one_thread():
        own = {name: record.machine[name] for name in ("date", "peak_MiB")}
        assert record.machine == {**machine.surroundings(), **own} and 10 < own["peak_MiB"] < 1e5


def test_a_trial_computes_in_one_thread_and_says_so_through_the_python_api_too(tmp_path, monkeypatch):
    limits = pytest.importorskip("threadpoolctl", reason="threads are asked of threadpoolctl").threadpool_limits
    during = []
    watched(monkeypatch, lambda *given, **options: during.append(machine.threads()))
    with limits(2):
        record = run_trial(replace(TINY, updates=4), tmp_path, progress=False)
        assert machine.threads() == 2                         # as it was before
    assert record.machine["threads"] == 1 and during == [1, 1]


def test_the_numbers_of_a_record_are_those_of_a_run_by_hand(finished):
    _, record = finished
    validated = []
    for rate, run in zip(TINY.rates, record.runs):
        p, history = fit(network(TINY), Adding(10), 28, optimizer=Adam(rate), batch=3, log_every=4, progress=False)
        loss, metric = evaluate(network(TINY), p, Adding(10).validation())
        assert (run.rate, run.updates, run.validation_loss, run.validation) == (rate, 28, loss, metric)
        assert [stage.length for stage in run.stages] == [10]
        assert run.curve["update"] == [4, 8, 12, 16, 20, 24, 28]
        assert {type(update) for update in run.curve["update"]} == {int}
        assert run.curve["loss"] == [float(f"{value:.6g}") for value in history["loss"]]
        validated.append((loss, rate, evaluate(network(TINY), p, Adding(10).test())[1]))
    assert (min(validated)[1:]) == (record.chosen_rate, record.test)


def test_after_a_pilot_only_the_chosen_rate_goes_on_and_its_run_is_the_one_without_a_pilot(finished, tmp_path):
    folder, whole = finished
    record = run_trial(replace(TINY, pilot=8), tmp_path, progress=False)
    looks = {rate: fit(network(TINY), Adding(10), 8, optimizer=Adam(rate), batch=3, progress=False)[0]
             for rate in TINY.rates}
    losses = {rate: evaluate(network(TINY), p, Adding(10).validation())[0] for rate, p in looks.items()}
    assert record.chosen_rate == min(losses, key=losses.get) and "after 8 updates" in record.split
    for run, full in zip(record.runs, whole.runs):
        if run.rate == record.chosen_rate:
            assert run.updates == 28 and run.validation_loss == full.validation_loss
            assert run.curve == full.curve
        else:
            assert run.updates == 8 and run.validation_loss == losses[run.rate]
    assert record.test_loss == record.test                    # of a squared error
    assert run_trial(replace(TINY, pilot=8), tmp_path, progress=False) == record


PILOTED = Trial("adding", 10, "indrnn-1", "width", 4, seed=0, rates=(3e-2, 1e-1), updates=28, batch=3, pilot=12)


@pytest.fixture(scope="module")
def piloted(tmp_path_factory):
    """The record of PILOTED."""
    return run_trial(PILOTED, tmp_path_factory.mktemp("piloted"), progress=False)


@pytest.mark.parametrize("updates", [18, 33])                 # in a pilot, and where the chosen rate got worse
def test_an_interrupted_pilot_ends_with_the_same_record(updates, piloted, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_after(patch, updates)
        with pytest.raises(Stopped):
            run_trial(PILOTED, tmp_path, progress=False)
    with refuses(FileExistsError, "unfinished", "--resume", "delete"):
        run_trial(PILOTED, tmp_path, progress=False)
    resumed = run_trial(PILOTED, tmp_path, resume=True, progress=False)
    assert without_time(resumed) == without_time(piloted)


def test_options_that_came_later_are_absent_from_names_and_records_without_them(finished, tmp_path):
    folder, record = finished
    path = folder / f"{TINY.name}.json"
    content = json.loads(path.read_text())
    for option in ("pilot", "window", "embedding", "boundaries", "steady"):
        del content["trial"][option]
    del content["test_loss"]
    (tmp_path / path.name).write_text(json.dumps(content))
    earlier = read_record(tmp_path / path.name)
    assert earlier.trial == record.trial and earlier.test_loss is None
    assert len({replace(TINY, **more).name for more in ({}, {"pilot": 4}, {"window": 5})}) == 3


@pytest.mark.parametrize("options", [{"pilot": 29}, {"pilot": 4, "stages": (5,)}])
def test_a_pilot_is_no_longer_than_the_run_and_has_no_stages(options):
    with pytest.raises(ValueError, match="pilot is .* expected no more than the updates, and no stages"):
        replace(TINY, **options)


def test_a_record_has_no_local_path(finished):
    folder, _ = finished
    text = (folder / f"{TINY.name}.json").read_text()
    for place in (folder, Path(experiments.__file__).parent, Path(np.__file__).parent):
        assert str(place) not in text and str(place.parent) not in text


def test_nothing_is_left_half_written(finished):
    folder, _ = finished
    assert sorted(file.name for file in folder.iterdir()) == [f"{TINY.name}.json", "runs"]
    kept = {file.name for file in (folder / "runs").iterdir() if file.suffix != ".lock"}
    assert kept == {f"{TINY.name}-rate0.001.npz", f"{TINY.name}-rate0.01.npz"}


def forbid_training(monkeypatch):
    monkeypatch.setattr(experiments, "fit", lambda *_, **__: pytest.fail("it trains again"))


@pytest.mark.parametrize("resume", [False, True])
def test_a_finished_trial_is_read_not_trained(finished, resume, monkeypatch):
    folder, record = finished
    forbid_training(monkeypatch)
    before = (folder / f"{TINY.name}.json").stat().st_mtime_ns
    assert run_trial(TINY, folder, resume) == record
    assert (folder / f"{TINY.name}.json").stat().st_mtime_ns == before


def test_a_finished_trial_is_found_under_any_name_and_schema(finished, tmp_path, monkeypatch):
    folder, record = finished
    forbid_training(monkeypatch)
    (tmp_path / "a.json").write_bytes((folder / f"{TINY.name}.json").read_bytes())
    assert run_trial(TINY, tmp_path) == record
    old = {**json.loads((tmp_path / "a.json").read_text()), **record.machine, "schema": 1}
    del old["machine"]
    old["blas"] = "OpenBLAS Haswell"
    old["runs"] = [{**run, **run["stages"][0]} for run in old["runs"]]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "adding-T10-equal60-indrnn-1-seed0-u28.json").write_text(json.dumps(old))
    found = run_trial(TINY, tmp_path / "old")
    assert (found.test, found.runs, found.migrated_from) == (record.test, record.runs, 1)


def test_trials_of_other_options_get_files_of_their_own(tmp_path):
    trials = [replace(TINY, rates=(rate,), updates=4) for rate in (1e-3, 2e-3, 1e-3 + 1e-12)]
    records = [run_trial(trial, tmp_path, progress=False) for trial in trials]
    assert {file.stem for file in tmp_path.glob("*.json")} == {trial.name for trial in trials}
    assert sorted(record.test for record in read_records(tmp_path)) == sorted(record.test for record in records)
    assert len(list((tmp_path / "runs").glob("*.npz"))) == 3


def test_a_damaged_record_is_named_and_kept_before_any_training(tmp_path, monkeypatch):
    forbid_training(monkeypatch)
    unknown, empty = (json.dumps({"schema": schema, "trial": {}}) for schema in (3, 2))
    for text, words in (('{"schema": 1, "trial"', "no JSON"), (unknown, "schema 3"), (empty, "network")):
        path = tmp_path / "any.json"
        path.write_text(text)
        with refuses(ValueError, str(path), words, "delete it to begin again"):
            run_trial(TINY, tmp_path, progress=False)
        assert path.read_text() == text


def test_of_two_that_want_one_trial_the_second_waits_and_reads(finished, tmp_path, monkeypatch):
    folder, record = finished
    forbid_training(monkeypatch)
    found, begun = [], threading.Event()
    true = experiments.finished

    def look(*given):
        answer = true(*given)
        begun.set()
        return answer
    monkeypatch.setattr(experiments, "finished", look)
    with owner(tmp_path / "runs" / TINY.name):                # another process trains it
        second = threading.Thread(target=lambda: found.append(run_trial(TINY, tmp_path)))
        second.start()
        assert begun.wait(10)
        second.join(0.1)
        assert second.is_alive() and not found
        write_record(tmp_path / f"{TINY.name}.json", record)
    second.join(10)
    assert found == [record]


class Stopped(Exception):
    """A stand-in for a power cut."""


def interrupt_after(monkeypatch, updates):
    """Let training stop dead after so many updates of the process."""
    true, left = Adam.update, [updates]

    def update(self, *given, **options):
        left[0] -= 1
        if left[0] < 0:
            raise Stopped
        return true(self, *given, **options)
    monkeypatch.setattr(Adam, "update", update)


def without_time(record):
    """What of a record does not differ from run to run."""
    runs = tuple(replace(run, stages=tuple(replace(stage, seconds=0.0) for stage in run.stages)) for run in record.runs)
    return replace(record, runs=runs, machine={**record.machine, "peak_MiB": None})


@pytest.mark.parametrize("updates", [26, 30])                 # in either rate, after and before its checkpoint
def test_an_interrupted_trial_goes_on_and_ends_with_the_same_record(updates, finished, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_after(patch, updates)
        with pytest.raises(Stopped):
            run_trial(TINY, tmp_path, progress=False)
    assert not list(tmp_path.glob("*.json"))
    with refuses(FileExistsError, "unfinished", "--resume", "delete"):      # a forgotten word costs no day's training
        run_trial(TINY, tmp_path, progress=False)
    left = 2 * 28 - updates // 28 * 28 - updates % 28 // 20 * 20      # since the last checkpoint, no more
    with monkeypatch.context() as patch:
        interrupt_after(patch, left)
        assert without_time(run_trial(TINY, tmp_path, resume=True, progress=False)) == without_time(finished[1])


PATIENT = replace(TINY, rates=(1e-2,), updates=44, patience=20)


@pytest.mark.parametrize("left, updates", [(True, 44), (False, 20)])
def test_a_run_at_the_baseline_ends_when_patience_does(left, updates, tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "verdict", lambda *_: "learning" if left else "baseline")
    run = run_trial(PATIENT, tmp_path, progress=False).runs[0]
    assert run.updates == updates and run.curve["update"] == list(range(4, updates + 1, 4))


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """The record of PATIENT where it left the baseline."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Experiment, "verdict", lambda *_: "learning")
        return run_trial(PATIENT, tmp_path_factory.mktemp("patient"), progress=False)


@pytest.mark.parametrize("updates", [30, 42])
def test_a_patient_run_that_is_interrupted_ends_as_the_one_that_was_not(updates, patient, tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "verdict", lambda *_: "learning")
    with monkeypatch.context() as patch:
        interrupt_after(patch, updates)
        with pytest.raises(Stopped):
            run_trial(PATIENT, tmp_path, progress=False)
    resumed = run_trial(PATIENT, tmp_path, resume=True, progress=False)
    assert resumed.runs[0].updates == 44 and without_time(resumed) == without_time(patient)


@pytest.mark.parametrize("patience, looks", [(20, 1), (26, 2)])           # a look every 20, and one at the patience
def test_what_a_run_did_after_its_patience_does_not_count_when_it_is_resumed(patience, looks, tmp_path, monkeypatch):
    seen, longer = [], replace(PATIENT, patience=patience, updates=100)

    def verdict(self, metric, task):                          # at its patience it had left the baseline, and fell back
        seen.append(metric)
        return "learning" if metric == seen[:looks][-1] and len(seen) >= looks else "baseline"
    monkeypatch.setattr(Experiment, "verdict", verdict)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 90)
        with pytest.raises(Stopped):
            run_trial(longer, tmp_path, progress=False)
    assert run_trial(longer, tmp_path, resume=True, progress=False).runs[0].updates == 100
    assert len(set(seen)) > 1


@pytest.mark.parametrize("left, goes_on", [(0, False), (1, False), (2, True), (3, True), (4, True)])
def test_of_the_looks_within_the_patience_the_last_three_decide(left, goes_on, monkeypatch):
    trial, asked = replace(PATIENT, patience=500, updates=900), []
    looks = [None if row % 100 else "learning" if row == 100 * left + 100 else "baseline" for row in range(20, 501, 20)]

    def fit(network, task, updates, **options):
        asked.append(updates)
        return None, {"validation": looks, "update": [*range(20, 501, 20)]}
    monkeypatch.setattr(experiments, "fit", fit)
    monkeypatch.setattr(Experiment, "verdict", lambda self, metric, task: metric)
    experiments._patiently(trial, None, None, {})
    assert asked == ([500, 900] if goes_on else [500])


def test_a_trial_stops_at_its_metric_and_stays_there(tmp_path):
    easy = replace(TINY, rates=(1e-2,), stop=10.0, updates=24)
    record = run_trial(easy, tmp_path, progress=False)
    assert record.runs[0].updates == 20                       # the first look
    (tmp_path / f"{easy.name}.json").unlink()
    assert without_time(run_trial(easy, tmp_path, resume=True, progress=False)) == without_time(record)


@pytest.mark.parametrize("rates, stop, given", [
    ((1e-2, 1e-3), 10.0, [24, 20]), ((1e-2, 1e-3), 1e-9, [24, 24]), ((1e-2,), 10.0, [24]),
])
def test_a_rate_gets_no_more_updates_than_one_before_it_needed(rates, stop, given, tmp_path, monkeypatch):
    asked = []
    watched(monkeypatch, lambda network, task, updates, **options: asked.append(updates))
    record = run_trial(replace(TINY, rates=rates, stop=stop, updates=24), tmp_path, progress=False)
    assert asked == given and record.trial["updates"] == 24


def test_a_decay_divides_the_rate_by_ten(tmp_path, monkeypatch):
    schedules = []
    watched(monkeypatch, lambda *given, **options: schedules.append(options["schedule"]))
    run_trial(replace(TINY, rates=(1e-2,), updates=4, decay=10), tmp_path, progress=False)
    assert schedules == [Steps(10, 0.1)]


STAGED = replace(TINY, rates=(1e-2,), stages=(4, 6), updates=12, stop=10.0)


def test_every_stage_of_a_curriculum_is_in_the_record(tmp_path, monkeypatch):
    asked = []
    watched(monkeypatch, lambda network, task, *_, optimizer, **options: asked.append((task.length, optimizer.rate)))
    monkeypatch.setattr(Experiment, "verdict", lambda *_: "solved")
    run = run_trial(STAGED, tmp_path, progress=False).runs[0]
    assert asked == [(4, 1e-2), (6, 1e-2 * (4 / 6) ** 0.5), (10, 1e-2 * (4 / 10) ** 0.5)]
    stages = [(stage.length, stage.updates, stage.curve["update"]) for stage in run.stages]
    assert stages == [(length, 4, [4]) for length in (4, 6, 10)]
    assert all(stage.seconds >= 0 and stage.curve["validation"][-1] is not None for stage in run.stages)
    assert (run.updates, run.ended_at) == (12, 10)
    asked.clear()
    run_trial(replace(STAGED, steady=True), tmp_path, progress=False)
    assert asked == [(4, 1e-2), (6, 1e-2), (10, 1e-2)]


def test_a_curriculum_ends_at_the_stage_that_it_does_not_solve(tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "verdict", lambda self, metric, task: "solved" if task.length < 6 else "learning")
    run = run_trial(replace(STAGED, stop=None), tmp_path, progress=False).runs[0]
    assert [(stage.length, stage.updates) for stage in run.stages] == [(4, 12), (6, 12)] and run.ended_at == 6


HUGE = 1e30


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_rate_that_diverges_is_out_of_the_choice(tmp_path):
    trial = replace(TINY, model="irnn", rates=(HUGE, 1e-3), updates=8)
    record = run_trial(trial, tmp_path, progress=False)
    assert record.chosen_rate == 1e-3 and np.isfinite(record.test)
    diverged, finite = record.runs
    assert (diverged.rate, diverged.validation, diverged.validation_loss, diverged.diverged) == (HUGE, None, None, True)
    assert diverged.updates == 0 and diverged.curve["update"] == [] and diverged.ended_at == 10
    assert finite.updates == 8 and not finite.diverged
    assert "irnn" in table([record])


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_trial_that_diverges_at_every_rate_is_recorded_as_diverged(tmp_path):
    trial = replace(TINY, model="irnn", rates=(HUGE, 2 * HUGE), updates=8)
    record = run_trial(trial, tmp_path, progress=False)
    assert (record.verdict, record.chosen_rate, record.test) == ("diverged", None, None)
    assert [run.validation for run in record.runs] == [None, None]
    assert run_trial(trial, tmp_path, progress=False) == record     # it is finished: not trained again


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
@pytest.mark.parametrize("lasts, lengths", [(4, [4]), (6, [4, 6]), (10, [4, 6, 10])])
def test_a_curriculum_that_diverges_says_in_which_stage(lasts, lengths, tmp_path, monkeypatch):
    true = experiments._options

    def options(trial, rate, checkpoint, progress):           # at one length a rate that no network survives
        return true(trial, HUGE if options.left == 1 else rate, checkpoint, progress)
    options.left = None
    monkeypatch.setattr(Experiment, "verdict", lambda *_: "solved")
    monkeypatch.setattr(experiments, "_options", options)
    task = EXPERIMENTS["adding"].task

    def counted(length, source):
        options.left = 1 if length == lasts else 0
        return task(length, source)
    monkeypatch.setitem(EXPERIMENTS, "adding", replace(EXPERIMENTS["adding"], task=counted))
    record = run_trial(replace(STAGED, model="irnn", stop=None), tmp_path, progress=False)
    run = record.runs[0]
    assert record.verdict == "diverged" and [stage.length for stage in run.stages] == lengths and run.ended_at == lasts
    assert [stage.updates for stage in run.stages] == [12] * (len(lengths) - 1) + [0]


@dataclass(frozen=True)
class OutOfReach(Adding):
    """A test set that overflows float32."""

    def test(self):
        """Numbers whose square is too large."""
        x, target, _ = super().test()
        return x, target + np.float32(1e30), None

    def baseline(self):
        """One that JSON can hold."""
        return "always 1", 0.17


@dataclass(frozen=True)
class OutOfSight(OutOfReach):
    """A validation set that overflows float32 too, which nobody looks at before the end."""

    def validation(self):
        """As `test`."""
        return self.test()


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("stages, task, chosen", [((), OutOfReach, 1e-3), ((5,), OutOfSight, None)])
def test_a_metric_that_is_not_finite_is_recorded_as_diverged(stages, task, chosen, tmp_path, monkeypatch):
    def made(length, source):                                 # a short stage may be fine where the full length is not
        return task(length) if length == 10 else Adding(length)
    monkeypatch.setitem(EXPERIMENTS, "adding", replace(EXPERIMENTS["adding"], task=made))
    record = run_trial(replace(TINY, rates=(1e-3,), updates=4, stages=stages), tmp_path, progress=False)
    assert (record.verdict, record.chosen_rate, record.test) == ("diverged", chosen, None)
    assert (record.runs[0].validation is None) == (chosen is None)


def test_a_record_of_the_stand_in_for_cupy_names_its_gpu(cupy, tmp_path):
    trial = replace(TINY, rates=(1e-2,), updates=20, backend="cupy")
    record = run_trial(trial, tmp_path, progress=False)
    assert record.machine["gpu"] == "stand-in" and record.machine["versions"]["cupy"] == cupy.__version__
    own = run_trial(replace(trial, backend="numpy"), tmp_path, progress=False)
    np.testing.assert_allclose(record.test, own.test, rtol=1e-4)
    assert len(list(tmp_path.glob("*.json"))) == 2            # where it was computed is part of the trial


def test_checkpoints_of_a_trial_are_those_of_fit(finished):
    folder, record = finished
    for run in record.runs:
        _, facts = read(folder / "runs" / f"{TINY.name}-rate{run.rate}.npz", "checkpoint")
        assert facts["run"]["update"] == run.updates and facts["setting"]["network"] == record.network


def test_the_shortest_stage_that_is_not_solved_ends_the_run_but_not_the_record(tmp_path):
    record = run_trial(replace(STAGED, stop=None, updates=4), tmp_path, progress=False)
    assert record.verdict in ("baseline", "learning") and record.runs[0].ended_at == 4 and record.test is not None


def test_what_a_killed_process_left_of_a_record_is_cleared_when_its_trial_is_run(tmp_path):
    trial = replace(TINY, rates=(1e-3,), updates=4)
    left, other = tmp_path / f".unfinished-{trial.name}.json-00", tmp_path / ".unfinished-other.json-00"
    for file in (left, other):
        file.write_bytes(b"{")
    run_trial(trial, tmp_path, progress=False)
    assert {file.name for file in tmp_path.iterdir()} == {f"{trial.name}.json", "runs", other.name}


def test_an_unknown_experiment_is_refused_by_its_name(tmp_path):
    with refuses(ValueError, "experiment is 'addition'", "'adding'"):
        run_trial(replace(TINY, experiment="addition"), tmp_path, progress=False)
