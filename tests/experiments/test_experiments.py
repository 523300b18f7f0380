"""Experiments: fair widths, names, what a record says, what is never trained twice or overwritten, verdicts, tables, figures."""

import json
import os
import re
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from support import refuses

from minidurnn import RNN, Chunked, DuRNN, IndRNN, Network, evaluate, plots
from minidurnn.experiments import run as experiments
from minidurnn.experiments.run import (
    EXPERIMENTS,
    MODELS,
    SCHEMA,
    Experiment,
    Trial,
    run_trial,
)
from minidurnn.networks import count_parameters, width_for
from minidurnn.optim import Adam, Steps
from minidurnn.plots import curves, plt, training_curves
from minidurnn.records import machine
from minidurnn.records.record import chosen_run, read_records, table, thin, write_json
from minidurnn.tasks import Adding, DelayedXOR
from minidurnn.training import fit
from minidurnn.training.storage import describe, read

EVERY_TRIAL = [trial for experiment in EXPERIMENTS.values() for quick in (True, False) for trial in experiment.trials(quick)]
TINY = Trial("adding", 10, "indrnn-1", "equal", 60, seed=0, rates=(1e-3, 1e-2), updates=140, batch=3)


def test_the_width_comes_closest_to_the_budget():
    for body, outputs in ((lambda H: RNN(2, H), 1), (lambda H: IndRNN(3, H), 2), (lambda H: DuRNN(2, H, H, 9), 1)):
        sizes = {H: count_parameters(Network(body(H), outputs)) for H in range(1, 160)}
        for budget in (*range(1, 200, 3), 700, 1100):
            best = min(abs(size - budget) for size in sizes.values())
            assert abs(sizes[width_for(body, outputs, budget)] - budget) == best, budget


def test_counts_are_those_of_the_equations():
    assert count_parameters(Network(RNN(2, 5), 3)) == (2 * 5 + 5 * 5 + 5) + (5 * 3 + 3)
    assert count_parameters(Network(DuRNN(2, 3, 4, 9), 1)) == (2 * 3 + 3 * 3 + 3) + (3 * 4 + 2 * 4 + 4) + (3 * 4 + 4) + 4 + (7 + 1)


def test_models_of_one_comparison_have_equal_counts_within_three_percent():
    equal = {(trial.experiment, trial.length, trial.model, trial.parameters): trial for trial in EVERY_TRIAL if trial.size == "equal"}
    assert len(equal) > 30
    for trial in equal.values():
        assert abs(count_parameters(trial.network) / trial.parameters - 1) < 0.03, trial.name


def test_a_size_in_units_is_the_width_of_every_layer():
    bodies = {model: replace(TINY, model=model, size="width", parameters=7).network.body for model in MODELS}
    assert all(isinstance(body, Chunked) and body.length == 16 for body in bodies.values())
    assert bodies["rnn"].model.units == bodies["irnn"].model.units == bodies["short-term"].model.units == bodies["indrnn-1"].model.units == 7
    assert [part.units for part in bodies["indrnn-2"].model.parts] == [7, 7]
    assert (bodies["durnn"].model.short, bodies["durnn"].model.long) == (7, 7)


def test_the_long_memory_spans_the_length_of_the_task():
    for model in ("indrnn-1", "durnn"):
        assert replace(TINY, model=model).network.body.model.horizon == TINY.length
    assert [part.horizon for part in replace(TINY, model="indrnn-2").network.body.model.parts] == [10, 10]


def test_names_tell_all_trials_apart():
    names = Counter(trial.name for trial in EVERY_TRIAL)
    assert len(EVERY_TRIAL) > 100 and max(names.values()) == 1
    assert all(re.fullmatch(r"[a-z0-9-]+", name.lower()) for name in names)      # a file name on every system
    assert len({name.lower() for name in names}) == len(names)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_options_narrow_the_trials_and_seeds_replace_them(experiment):
    for quick in (True, False):
        trials = experiment.trials(quick)
        first = trials[0]
        assert experiment.trials(quick, models=[first.model]) == [trial for trial in trials if trial.model == first.model]
        assert experiment.trials(quick, lengths=[first.length]) == [trial for trial in trials if trial.length == first.length]
        assert {trial.seed for trial in experiment.trials(quick, seeds=(7, 8))} == {7, 8}
        assert all(trial.backend == "cupy" for trial in experiment.trials(quick, backend="cupy"))
        assert not experiment.trials(quick, lengths=[3])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A folder with the record of TINY, and the record."""
    folder = tmp_path_factory.mktemp("records")
    return folder, run_trial(TINY, folder, progress=False)


def plain(content):
    """As JSON gives it back."""
    return json.loads(json.dumps(content))


def test_a_record_says_what_was_done_how_and_on_what(finished):
    folder, record = finished
    assert record == json.loads((folder / f"{TINY.name}.json").read_text())
    assert record["schema"] == SCHEMA and record["trial"] == plain(asdict(TINY))
    assert record["network"] == plain(describe(TINY.network)) and record["parameters"] == count_parameters(TINY.network)
    assert record["metric"] == "mse" and record["chance"] == 1 / 6
    assert record["baseline"] == {"name": "always 1", "value": Adding(10).baseline()[1]}
    assert "validation set chose" in record["split"] and "test set was read once" in record["split"]
    assert record["rule"] == EXPERIMENTS["adding"].rule and record["verdict"] == EXPERIMENTS["adding"].verdict(record["test"], Adding(10))
    assert set(record["versions"]) == {"minidurnn", "python", "numpy"} and record["versions"]["numpy"] == np.__version__
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
    assert record["hardware"] == f"{machine.processor()}, {os.cpu_count()} cores" and len(machine.processor()) > 2
    assert record["blas"] == machine.blas_kernel() and record["threads"] == os.environ["OMP_NUM_THREADS"]


def test_the_numbers_of_a_record_are_those_of_a_run_by_hand(finished, tmp_path):
    _, record = finished
    validated = []
    for rate, entry in zip(TINY.rates, record["runs"]):
        p, history = fit(TINY.network, TINY.task, 140, optimizer=Adam(rate), batch=3, progress=False)
        loss, metric = evaluate(TINY.network, p, Adding(10).validation())
        assert (entry["rate"], entry["updates"], entry["validation_loss"], entry["validation"]) == (rate, 140, loss, metric)
        assert entry["curve"]["update"] == [20, 40, 60, 80, 100, 120, 140] and all(type(update) is int for update in entry["curve"]["update"])
        assert entry["curve"]["loss"] == [float(f"{value:.6g}") for value in history["loss"]]
        validated.append((loss, rate, evaluate(TINY.network, p, Adding(10).test())[1]))
    assert (min(validated)[1:]) == (record["chosen_rate"], record["test"])


def test_a_record_is_strict_json_without_a_local_path(finished):
    folder, _ = finished
    text = (folder / f"{TINY.name}.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    for place in (folder, Path(experiments.__file__).parent, Path(np.__file__).parent):
        assert str(place) not in text and str(place.parent) not in text


def test_nothing_is_left_half_written(finished):
    folder, _ = finished
    assert sorted(file.name for file in folder.iterdir()) == [f"{TINY.name}.json", "runs"]
    assert sorted(file.name for file in (folder / "runs").iterdir()) == [f"{TINY.name}-rate0.001.npz", f"{TINY.name}-rate0.01.npz"]


def forbid_training(monkeypatch):
    monkeypatch.setattr(experiments, "fit", lambda *_, **__: pytest.fail("it trains again"))


@pytest.mark.parametrize("resume", [False, True])
def test_a_finished_trial_is_read_not_trained(finished, resume, monkeypatch):
    folder, record = finished
    forbid_training(monkeypatch)
    before = (folder / f"{TINY.name}.json").stat().st_mtime_ns
    assert run_trial(TINY, folder, resume) == record
    assert (folder / f"{TINY.name}.json").stat().st_mtime_ns == before


def test_another_trial_of_the_same_name_gets_a_file_of_its_own(tmp_path, monkeypatch):
    first, second, third = (replace(TINY, rates=(rate,), updates=20) for rate in (1e-3, 2e-3, 3e-3))
    assert first.name == second.name == third.name
    records = [run_trial(trial, tmp_path, progress=False) for trial in (first, second, third)]
    assert sorted(file.stem for file in tmp_path.glob("*.json")) == [first.name, f"{first.name}-2", f"{first.name}-3"]
    assert read_records(tmp_path) == records
    assert len(list((tmp_path / "runs").iterdir())) == 3
    forbid_training(monkeypatch)
    assert [run_trial(trial, tmp_path) for trial in (first, second, third)] == records


def test_a_record_of_another_schema_is_kept(tmp_path):
    trial = replace(TINY, rates=(1e-3,), updates=20)
    write_json(tmp_path / f"{trial.name}.json", {"schema": SCHEMA + 1, "trial": plain(asdict(trial))})
    before = (tmp_path / f"{trial.name}.json").read_bytes()
    run_trial(trial, tmp_path, progress=False)
    assert (tmp_path / f"{trial.name}.json").read_bytes() == before
    assert (tmp_path / f"{trial.name}-2.json").exists()


def test_a_damaged_record_is_named_and_kept(tmp_path):
    path = tmp_path / f"{TINY.name}.json"
    path.write_text('{"schema": 1, "trial"')
    with refuses(ValueError, str(path), "no JSON", "expected a record"):
        run_trial(TINY, tmp_path, progress=False)
    with refuses(ValueError, str(path), "no JSON"):
        read_records(tmp_path)
    assert path.read_text() == '{"schema": 1, "trial"'


def test_other_json_in_the_folder_is_passed_over(tmp_path):
    (tmp_path / "numbers.json").write_text("[1, 2]")
    (tmp_path / "other.json").write_text('{"colour": "red"}')
    assert read_records(tmp_path) == []


def test_json_with_a_number_that_is_not_finite_is_not_written(tmp_path):
    write_json(tmp_path / "record.json", {"test": 1.0})
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            write_json(tmp_path / "record.json", {"test": number})
    assert (tmp_path / "record.json").read_text() == '{\n "test": 1.0\n}\n'


def test_a_record_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    write_json(tmp_path / "record.json", {"test": 1.0})
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError):
            write_json(tmp_path / "record.json", {"test": 2.0})
    assert json.loads((tmp_path / "record.json").read_text()) == {"test": 1.0}


class Stopped(Exception):
    """A stand-in for a power cut."""


def interrupt_after(monkeypatch, updates):
    """Let training stop dead after so many updates of the process."""
    true, left = Adam.update, [updates]

    def update(self, *arguments):
        left[0] -= 1
        if left[0] < 0:
            raise Stopped
        return true(self, *arguments)
    monkeypatch.setattr(Adam, "update", update)


def without_time(record):
    """A record without what differs from run to run."""
    return {**record, "runs": [{name: entry for name, entry in one.items() if name != "seconds"} for one in record["runs"]]}


@pytest.mark.parametrize("updates", [10, 130, 150, 270])      # in the first rate before and after its checkpoint, and in the second
def test_an_interrupted_trial_goes_on_and_ends_with_the_same_record(updates, finished, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_after(patch, updates)
        with pytest.raises(Stopped):
            run_trial(TINY, tmp_path, progress=False)
    assert not list(tmp_path.glob("*.json"))
    with refuses(FileExistsError, "unfinished", "--resume", "delete"):      # a day's training is not thrown away for a forgotten word
        run_trial(TINY, tmp_path, progress=False)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2 * 140 - updates // 140 * 140 - updates % 140 // 100 * 100)      # what is left since the last checkpoint, no more
        assert without_time(run_trial(TINY, tmp_path, resume=True, progress=False)) == without_time(finished[1])


PATIENT = replace(TINY, rates=(1e-2,), updates=300, patience=100)


@pytest.mark.parametrize("left, updates", [(True, 300), (False, 100)])
def test_a_run_at_the_baseline_ends_when_patience_does(left, updates, tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "verdict", lambda *_: "learning" if left else "baseline")
    record = run_trial(PATIENT, tmp_path, progress=False)
    assert record["runs"][0]["updates"] == updates
    assert record["runs"][0]["curve"]["update"] == list(range(20, updates + 1, 20))


@pytest.mark.parametrize("updates", [50, 150, 250])
def test_a_patient_run_that_is_interrupted_ends_as_the_one_that_was_not(updates, tmp_path, monkeypatch):
    monkeypatch.setattr(Experiment, "verdict", lambda *_: "learning")
    with monkeypatch.context() as patch:
        interrupt_after(patch, updates)
        with pytest.raises(Stopped):
            run_trial(PATIENT, tmp_path / "cut", progress=False)
    resumed, whole = run_trial(PATIENT, tmp_path / "cut", resume=True, progress=False), run_trial(PATIENT, tmp_path / "whole", progress=False)
    assert resumed["runs"][0]["updates"] == 300
    assert without_time(resumed) == without_time(whole)


def test_what_a_run_did_after_its_patience_does_not_count_when_it_is_resumed(tmp_path, monkeypatch):
    seen, longer = [], replace(PATIENT, updates=500)

    def verdict(self, metric, task):                          # it had left the baseline at update 100, and fell back
        seen.append(metric)
        return "learning" if metric == seen[0] else "baseline"
    monkeypatch.setattr(Experiment, "verdict", verdict)
    with monkeypatch.context() as patch:
        interrupt_after(patch, 450)
        with pytest.raises(Stopped):
            run_trial(longer, tmp_path, progress=False)
    assert run_trial(longer, tmp_path, resume=True, progress=False)["runs"][0]["updates"] == 500
    assert len(set(seen)) > 1


def test_a_trial_stops_at_its_metric_and_stays_there(tmp_path):
    easy = replace(TINY, rates=(1e-2,), stop=10.0, updates=300)
    record = run_trial(easy, tmp_path, progress=False)
    assert record["runs"][0]["updates"] == 100                # the first look
    (tmp_path / f"{easy.name}.json").unlink()
    assert without_time(run_trial(easy, tmp_path, resume=True, progress=False)) == without_time(record)


@pytest.mark.parametrize("rates, stop, given", [((1e-2, 1e-3), 10.0, [300, 100]), ((1e-2, 1e-3), 1e-9, [300, 300]), ((1e-2,), 10.0, [300])])
def test_a_rate_gets_no_more_updates_than_one_before_it_needed(rates, stop, given, tmp_path, monkeypatch):
    asked = []
    true = experiments.fit
    monkeypatch.setattr(experiments, "fit", lambda network, task, updates, **options: (asked.append(updates), true(network, task, updates, **options))[1])
    record = run_trial(replace(TINY, rates=rates, stop=stop, updates=300), tmp_path, progress=False)
    assert asked == given and record["trial"]["updates"] == 300


def test_a_decay_divides_the_rate_by_ten(tmp_path, monkeypatch):
    schedules = []
    true = experiments.fit
    monkeypatch.setattr(experiments, "fit", lambda *given, **options: (schedules.append(options["schedule"]), true(*given, **options))[1])
    run_trial(replace(TINY, rates=(1e-2,), updates=20, decay=10), tmp_path, progress=False)
    assert schedules == [Steps(10, 0.1)]


HUGE = 1e30


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_rate_that_diverges_is_out_of_the_choice(tmp_path):
    trial = replace(TINY, model="irnn", rates=(HUGE, 1e-3), updates=40)
    record = run_trial(trial, tmp_path, progress=False)
    assert record["chosen_rate"] == 1e-3 and np.isfinite(record["test"])
    diverged, finite = record["runs"]
    assert (diverged["rate"], diverged["validation"], diverged["validation_loss"]) == (HUGE, None, None)
    assert diverged["updates"] == 0 and diverged["curve"]["update"] == []
    assert finite["updates"] == 40
    assert "irnn" in table([record])
    training_curves([record], tmp_path / "curves.png")


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_trial_that_diverges_at_every_rate_is_recorded_as_diverged(tmp_path):
    trial = replace(TINY, model="irnn", rates=(HUGE, 2 * HUGE), updates=40)
    record = run_trial(trial, tmp_path, progress=False)
    assert (record["verdict"], record["chosen_rate"], record["test"]) == ("diverged", None, None)
    assert [one["validation"] for one in record["runs"]] == [None, None]
    assert run_trial(trial, tmp_path, progress=False) == record     # it is finished: not trained again
    finite = run_trial(replace(TINY, model="irnn", seed=1, rates=(1e-3,), updates=20), tmp_path, progress=False)
    line = next(line for line in table([record, finite]).splitlines() if "irnn" in line)
    assert f" - {finite['test']:.4f} " in line and "diverged 1/2" in line and "-/0.001" in line
    training_curves([record], tmp_path / "curves.png")


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_curriculum_that_diverges_in_a_stage_is_recorded_as_diverged(tmp_path):
    record = run_trial(replace(TINY, model="irnn", rates=(HUGE,), stages=(6, 8), updates=40), tmp_path, progress=False)
    assert record["verdict"] == "diverged" and record["runs"][0]["ended_at_length"] is None


def test_the_run_of_a_record_is_the_chosen_one_or_the_longest():
    first, second = {"rate": 1e-3, "updates": 5}, {"rate": 3e-3, "updates": 7}
    assert chosen_run({"runs": [first, second], "chosen_rate": 1e-3}) is first
    assert chosen_run({"runs": [first, second], "chosen_rate": None}) is second


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


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_test_metric_that_is_not_finite_is_recorded_as_diverged(tmp_path, monkeypatch):
    monkeypatch.setitem(EXPERIMENTS, "adding", replace(EXPERIMENTS["adding"], task=lambda length, source: OutOfReach(length)))
    record = run_trial(replace(TINY, rates=(1e-3,), updates=20), tmp_path, progress=False)
    assert (record["verdict"], record["chosen_rate"], record["test"]) == ("diverged", 1e-3, None)
    assert np.isfinite(record["runs"][0]["validation"])


def history_of(rows, every):
    """A history of so many rows with a look at every so many."""
    updates = [20 * (row + 1) for row in range(rows)]
    looks = [1 / update if update % (20 * every) == 0 else None for update in updates]
    return {"update": updates, "loss": [1 / 3] * rows, "metric": [2 / 3] * rows, "gradient_norm": [None] * rows, "validation": looks, "rate": [1e-3] * rows, "seconds": [0.1] * rows}


@pytest.mark.parametrize("count", [0, 1, 2, 119, 120, 121, 300, 600, 601, 1000])
def test_a_thin_curve_keeps_its_last_row_and_where_it_must_choose_the_looks(count):
    history = history_of(count, every=5)
    curve = thin(history)
    assert set(curve) == {"update", "loss", "metric", "gradient_norm", "validation"}
    assert len({len(column) for column in curve.values()}) == 1 and len(curve["update"]) <= 120
    if count <= 120:
        assert curve["update"] == history["update"]
    else:
        assert None not in curve["validation"]
        looks = [update for update, look in zip(history["update"], history["validation"]) if look is not None]
        assert curve["update"][-1] == looks[-1] and len(curve["update"]) == min(120, len(looks))
        gaps = np.diff(curve["update"])
        assert gaps.max() - gaps.min() <= 100                 # evenly taken
    assert set(curve["loss"]) <= {0.333333}


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_thin_curve_has_no_number_that_json_lacks(number, tmp_path):
    curve = thin({**history_of(4, 1), "gradient_norm": [1.0, number, 2.0, None]})
    assert curve["gradient_norm"] == [1.0, None, 2.0, None]
    write_json(tmp_path / "curve.json", curve)


def test_a_thin_curve_of_a_run_that_never_looked_is_evenly_taken():
    curve = thin({**history_of(500, 5), "validation": [None] * 500}, rows=50)
    assert len(curve["update"]) == 50 and curve["update"][-1] == 10_000


ABOVE, BELOW = (lambda edge: np.nextafter(edge, 2)), (lambda edge: np.nextafter(edge, -1))
CEILING = DelayedXOR(100).baseline()[1]


@pytest.mark.parametrize("experiment, task, metric, verdict", [
    ("adding", Adding(100), 0.0, "solved"), ("adding", Adding(100), 0.01, "solved"), ("adding", Adding(100), ABOVE(0.01), "learning"),
    ("adding", Adding(100), BELOW(0.15), "learning"), ("adding", Adding(100), 0.15, "baseline"), ("adding", Adding(100), 1 / 6, "baseline"),
    ("delayed-xor", DelayedXOR(100), 1.0, "solved"), ("delayed-xor", DelayedXOR(100), 0.99, "solved"), ("delayed-xor", DelayedXOR(100), BELOW(0.99), "learning"),
    ("delayed-xor", DelayedXOR(100), ABOVE(CEILING + 0.05), "learning"), ("delayed-xor", DelayedXOR(100), CEILING + 0.05, "baseline"), ("delayed-xor", DelayedXOR(100), 0.5, "baseline"),
])
def test_verdicts_change_where_the_rule_says(experiment, task, metric, verdict):
    assert EXPERIMENTS[experiment].verdict(metric, task) == verdict


def test_the_verdict_on_pixels_knows_the_most_frequent_class():
    experiment = EXPERIMENTS["pixels"]
    task = experiment.task(196, "sample")
    most = task.baseline()[1]
    edges = (0.9, BELOW(0.9), ABOVE(most + 0.05), most + 0.05)
    assert [experiment.verdict(edge, task) for edge in edges] == ["solved", "learning", "learning", "baseline"]


def test_a_table_shows_chance_baseline_counts_seeds_and_verdicts(finished):
    _, record = finished
    other = {**record, "trial": {**record["trial"], "seed": 1}, "test": 0.005, "verdict": "solved"}
    text = table([other, record])
    head, names, line, rule, *_ = text.splitlines()
    assert head == f"adding, T = 10, about 60 trained numbers each: test mse; chance 0.1667, always 1 {record['baseline']['value']:.4g}"
    assert names.split() == ["model", "numbers", "updates", "rate", "seconds", "best", "validation,", "by", "seed", "test", "at", "the", "end,", "by", "seed", "verdict"]
    assert line.split()[:4] == ["indrnn-1", str(record["parameters"]), "140", f"{record['chosen_rate']:g}"]
    best = min(metric for metric in chosen_run(record)["curve"]["validation"] if metric is not None)
    assert f"{best:.4f} {best:.4f} " in line and f"{record['test']:.4f} 0.0050" in line and f"{record['verdict']} 1/2" in line and "solved 1/2" in line
    assert rule == f"  rule: {EXPERIMENTS['adding'].rule}"


def test_a_table_says_where_a_curriculum_ended(finished):
    _, record = finished
    staged = {**record, "trial": {**record["trial"], "stages": [5]}, "runs": [{**one, "ended_at_length": 5} for one in record["runs"]]}
    head, _, line, *_ = table([staged]).splitlines()
    assert "after T = 5 (" in head and "@5 " in line
    through = {**staged, "runs": [{**one, "ended_at_length": 10} for one in record["runs"]]}
    assert "@" not in table([through]).splitlines()[2]


def test_a_table_has_a_block_for_every_length_and_size(finished):
    _, record = finished
    longer = {**record, "trial": {**record["trial"], "length": 20}}
    wider = {**record, "trial": {**record["trial"], "size": "width", "parameters": 7}}
    heads = [line for line in table([record, longer, wider]).splitlines() if line.startswith("adding")]
    assert [re.search(r"T = (\d+), (.*?):", head).groups() for head in heads] == [("10", "about 60 trained numbers each"), ("10", "7 units a layer"), ("20", "about 60 trained numbers each")]
    assert table([]) == ""


def test_a_network_sized_by_its_width_stands_among_those_of_its_size(finished):
    _, record = finished
    count = record["trial"]["parameters"]
    for numbers, stands in ((round(1.02 * count - 0.5), True), (round(0.98 * count + 0.5), True), (round(1.02 * count + 1), False)):
        wide = {**record, "parameters": numbers, "trial": {**record["trial"], "model": "rnn", "size": "width", "parameters": 7}}
        equal = table([record, wide]).split("about")[1].split("rule")[0]
        assert ("rnn   " in equal.replace("indrnn", "")) == stands
        for other in ({"length": 20}, {"stages": [5]}):
            apart = {**wide, "trial": {**wide["trial"], **other}}
            assert "rnn   " not in next(block for block in table([record, apart]).split("\n\n") if "about" in block).replace("indrnn", "")


def test_curves_of_one_label_share_colour_and_legend():
    axes = curves("a claim", [1, 2, 3], {"one": [3, 2, 1], "three runs": np.eye(3)}, "updates", "error", yscale="log", ylim=(0.1, 4))
    drawn = axes.get_lines()
    assert [list(line.get_ydata()) for line in drawn] == [[3, 2, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn[1:]}) == 1 and drawn[0].get_color() != drawn[1].get_color()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "three runs"]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale(), axes.get_ylim()) == ("updates", "error", "log", (0.1, 4))
    assert axes.figure.get_suptitle() == "a claim"
    plt.close(axes.figure)


def test_the_curves_are_drawn(finished, tmp_path):
    _, record = finished
    training_curves([record, {**record, "trial": {**record["trial"], "model": "durnn"}}], tmp_path / "curves.png")
    raw = (tmp_path / "curves.png").read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n") and len(raw) > 5000


@pytest.mark.parametrize("ended, words", [(10, "after 1 stages"), (5, "ended at T = 5")])
def test_a_curve_says_where_its_curriculum_ended(finished, ended, words, tmp_path, monkeypatch):
    _, record = finished
    labels, true = [], plots.line
    monkeypatch.setattr(plots, "line", lambda axes, x, y, label, *more, **options: (labels.append(label), true(axes, x, y, label, *more, **options)))
    staged = {**record, "trial": {**record["trial"], "stages": [5]}, "runs": [{**one, "ended_at_length": ended} for one in record["runs"]]}
    training_curves([staged], tmp_path / "curves.png")
    assert len(labels) == 1 and labels[0].endswith(words)


def test_a_record_of_the_stand_in_for_cupy_names_its_gpu(cupy, tmp_path):
    trial = replace(TINY, rates=(1e-2,), updates=100, backend="cupy")
    record = run_trial(trial, tmp_path, progress=False)
    assert record["gpu"] == "stand-in" and record["versions"]["cupy"] == cupy.__version__
    own = run_trial(replace(trial, backend="numpy"), tmp_path, progress=False)
    np.testing.assert_allclose(record["test"], own["test"], rtol=1e-4)
    assert len(list(tmp_path.glob("*.json"))) == 2            # where it was computed is part of the trial


def test_a_processor_without_proc_is_named_by_the_platform(monkeypatch):
    def missing(self, *_, **__):
        raise FileNotFoundError(self)
    monkeypatch.setattr(Path, "read_text", missing)
    assert machine.processor()


def test_checkpoints_of_a_trial_are_those_of_fit(finished):
    folder, record = finished
    for entry in record["runs"]:
        _, facts = read(folder / "runs" / f"{TINY.name}-rate{entry['rate']:g}.npz", "checkpoint")
        assert facts["run"]["update"] == entry["updates"] and facts["setting"]["network"] == record["network"]
