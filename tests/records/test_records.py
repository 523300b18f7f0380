"""Records: what one holds, how it is written and read, what a damaged one is told, and what schema 1 did not say."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_records import CURVE, FACTS, RECORD, TRIAL, with_trial
from support import refuses

from minidurnn.records import Run, Stage, chosen_run, read_record, read_records, table
from minidurnn.records.record import SCHEMA, distinct, identity, thin, write_json, write_record

RESULTS = Path(__file__).parents[2] / "lessons" / "results"
LATER = ("stages", "pilot", "window", "embedding", "boundaries", "steady")         # options that the first records lack


def old(**changes):
    """The content of a file of schema 1."""
    run = {"rate": 1e-2, "updates": 40, "seconds": 2.0, "validation_loss": 0.2, "validation": 0.2, "curve": CURVE}
    facts = {**FACTS, "blas": "OpenBLAS Haswell", "threads": "1", "versions": {"numpy": "2"}}
    names = ("network", "parameters", "metric", "chance", "baseline", "chosen_rate", "split", "test", "verdict", "rule")
    content = {"schema": 1, "trial": TRIAL, **{name: getattr(RECORD, name) for name in names}, "runs": [run], **facts}
    return json.loads(json.dumps({**content, **changes}))


def written(folder, content, name="record.json"):
    """A file with this content."""
    (folder / name).write_text(json.dumps(content))
    return folder / name


def test_a_record_is_read_as_it_was_written(tmp_path):
    assert write_record(tmp_path / "record.json", RECORD) == RECORD == read_record(tmp_path / "record.json")
    content = json.loads((tmp_path / "record.json").read_text())
    assert content["schema"] == SCHEMA == 2 and "migrated_from" not in content and "notes" not in content


def test_a_record_is_never_overwritten_and_nothing_is_left_of_the_attempt(tmp_path):
    write_record(tmp_path / "record.json", RECORD)
    with refuses(FileExistsError, str(tmp_path / "record.json"), "record", "nothing is overwritten"):
        write_record(tmp_path / "record.json", replace(RECORD, test=0.1))
    assert read_record(tmp_path / "record.json") == RECORD and len(list(tmp_path.iterdir())) == 1


def test_what_the_system_says_of_a_record_that_cannot_be_written_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with refuses(OSError, str(tmp_path / "record.json"), "record", "No space left on device", "make room"):
        write_record(tmp_path / "record.json", RECORD)
    assert not list(tmp_path.iterdir())


def test_json_with_a_number_that_is_not_finite_is_not_written(tmp_path):
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON"):
            write_json(tmp_path / "record.json", {"test": number})
    assert not list(tmp_path.iterdir())
    write_json(tmp_path / "record.json", {"test": 1.0})
    assert (tmp_path / "record.json").read_text() == '{\n "test": 1.0\n}\n'


def test_a_run_with_stages_counts_them_all():
    run = Run(1e-3, (Stage(50, 100, 1.0, CURVE), Stage(70, 20, 0.5, CURVE), Stage(98, 40, 2.0, CURVE)), 0.2, 0.2)
    assert (run.updates, run.seconds, run.ended_at, run.whole, run.diverged) == (160, 3.5, 98, True, False)


def test_the_run_of_a_record_is_the_chosen_one_or_the_longest():
    first, second = Run(1e-3, (Stage(10, 5, 1.0, CURVE),), 0.1, 0.1), Run(3e-3, (Stage(10, 7, 1.0, CURVE),), 0.2, 0.2)
    assert chosen_run(replace(RECORD, runs=(first, second), chosen_rate=1e-3)) is first
    assert chosen_run(replace(RECORD, runs=(first, second), chosen_rate=None)) is second


def test_a_record_of_schema_1_is_read_and_says_what_it_does_not(tmp_path):
    record = read_record(written(tmp_path, old()))
    assert record.migrated_from == 1 and any("threads" in note for note in record.notes)
    assert record.machine["threads"] is None                  # a variable's default is no measurement
    assert record.machine["commit"] is record.machine["clean"] is None
    assert record.machine["date"] == FACTS["date"] and record.machine["versions"] == {"numpy": "2"}
    assert record.runs == (Run(1e-2, (Stage(10, 40, 2.0, CURVE),), 0.2, 0.2),) and record.runs[0].whole
    first = {name: option for name, option in TRIAL.items() if name not in LATER}      # as the very first records were
    assert read_record(written(tmp_path, old(trial=first))).trial == TRIAL
    assert write_record(tmp_path / "again.json", record) == record                    # its notes stay with it


@pytest.mark.parametrize("ended, lengths, note", [
    (10, [4, 6, 10], "shorter lengths"), (6, [4, 6], "shorter lengths"), (4, [4], "threads"),
    (None, [None], "at which length"),
])
def test_what_schema_1_dropped_of_a_curriculum_is_unknown_not_guessed(ended, lengths, note, tmp_path):
    content = old(trial={**TRIAL, "stages": [4, 6]})
    content["runs"][0]["ended_at_length"] = ended
    record = read_record(written(tmp_path, content))
    run = record.runs[0]
    assert [stage.length for stage in run.stages] == lengths and run.ended_at == ended
    assert [stage.updates for stage in run.stages] == [None] * (len(lengths) - 1) + [40]
    assert run.whole == (len(lengths) == 1) and any(note in said for said in record.notes)


def test_the_courses_own_records_are_all_read():
    records = read_records(RESULTS)
    assert len(records) > 150 and {record.migrated_from for record in records} <= {None, 1}
    assert all(chosen_run(record).updates >= 20 or record.verdict == "diverged" for record in records)


def test_other_json_is_given_as_it_is_and_passed_over_among_records(tmp_path):
    others = [1, 2], {"colour": "red"}, {"schema": 1, "kind": "bench", "speed": []}
    for number, content in enumerate(others):
        assert read_record(written(tmp_path, content, f"{number}.json")) == content
    assert read_records(tmp_path) == []


@pytest.mark.parametrize("schema", [0, 3, None, "2", True, 2.0])
def test_an_unknown_schema_is_refused_by_name(schema, tmp_path):
    path = written(tmp_path, old(schema=schema))
    with refuses(ValueError, str(path), f"schema {schema!r}", "reads 1 to 2", "delete it"):
        read_record(path)


def places(content, path=()):
    """Every field of a record, by its path."""
    for name, part in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*path, name)
        if isinstance(part, (dict, list)) and name not in ("network", "machine", "versions", "rates"):
            yield from places(part, (*path, name))


def changed(content, place, value=...):
    """A copy with a field at a place replaced, or without it."""
    copy = json.loads(json.dumps(content))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return copy


@pytest.mark.parametrize("schema", [1, 2])
def test_every_field_that_is_missing_null_or_wrong_is_named_with_its_file_or_does_no_harm(schema, tmp_path):
    if schema == 2:
        write_record(tmp_path / "whole.json", replace(RECORD, migrated_from=1, notes=("a note",)))
    content = old() if schema == 1 else json.loads((tmp_path / "whole.json").read_text())
    if schema == 1:
        content["runs"][0]["ended_at_length"] = 10
    told, beside = 0, with_trial(RECORD, size="width", seed=1)          # whose count is held against the others'
    for place in places(content):
        later = place in {("schema",), ("threads",), ("test_loss",), *(("trial", option) for option in LATER)}
        if later or isinstance(place[-1], int) and "curve" in place:
            continue
        tried = [...] * (not isinstance(place[-1], int)) + [None, {"a": 1}, [{}], -1, "x", True, 1e999, 10**400]
        for wrong in tried:
            path = written(tmp_path, changed(content, place, wrong))
            try:
                record = read_record(path)
            except ValueError as error:
                said = str(error)
                field = [name for name in place if isinstance(name, str)][-1]
                assert str(path) in said and field in said and "delete it to begin again" in said, (place, wrong, said)
                assert "\n" not in said
                told += 1
            else:
                said = table([record, beside])
                assert RECORD.rule in said and record.trial["model"] in said, (place, wrong)       # as good as another
    assert told > 200


@pytest.mark.parametrize("place, wrong", [
    (("trial",), {}), (("trial", "length"), "10"), (("trial", "seed"), None), (("trial", "rates"), 0.1),
    (("trial", "stages"), [0]), (("runs",), []), (("runs",), [1]), (("runs", 0, "curve"), None),
    (("runs", 0, "curve", "loss"), [0.1]), (("runs", 0, "curve", "update"), [20, "40"]), (("verdict",), "won"),
    (("metric",), "mae"), (("chosen_rate",), 0.5), (("test",), None), (("baseline", "value"), None),
    (("chance",), float("nan")), (("parameters",), 0),
])
def test_a_wrong_field_is_one_sentence(place, wrong, tmp_path):
    path = written(tmp_path, changed(old(), place, wrong))
    with refuses(ValueError, f"the record {path} ", place[-1], "expected", "another copy", "delete it to begin again"):
        read_record(path)


@pytest.mark.parametrize("schema, place, wrong", [
    (1, ("runs", 0, "ended_at_length"), 5), (1, ("runs", 0, "ended_at_length"), "10"),
    (1, ("runs", 0, "ended_at_length"), True), (1, ("trial", "parameters"), 10**400),
    (2, ("trial", "parameters"), 10**400), (2, ("parameters",), 10**400), (2, ("trial", "length"), 10**400),
    (2, ("runs", 0, "stages", 0, "updates"), 10**400), (2, ("notes",), "threads"), (2, ("notes",), [3]),
    (2, ("notes",), None), (2, ("migrated_from",), "1"), (2, ("migrated_from",), 2), (2, ("migrated_from",), True),
    (2, ("machine", "date"), None), (2, ("machine", "hardware"), ["an abacus"]),
], ids=lambda given: str(given)[:40])
def test_what_only_some_records_say_is_checked_as_well(schema, place, wrong, tmp_path):
    write_record(tmp_path / "whole.json", replace(RECORD, migrated_from=1, notes=("a note",)))
    content = old() if schema == 1 else json.loads((tmp_path / "whole.json").read_text())
    path = written(tmp_path, changed(content, place, wrong))
    with refuses(ValueError, f"the record {path} says {'/'.join(map(str, place))}: ", "expected", "delete it to begin"):
        read_record(path)


def test_a_seed_may_be_longer_than_any_other_number(tmp_path):
    record = write_record(tmp_path / "record.json", with_trial(RECORD, seed=10**400))
    assert RECORD.rule in table([record, RECORD])


@pytest.mark.parametrize("text", ['{"schema": 1, "trial"', "", "\x00", "[" * 100_000, '{"a": ' + "1" * 5000 + "}"])
def test_what_is_no_json_is_named_and_kept(text, tmp_path):
    (tmp_path / "damaged.json").write_text(text)
    with refuses(ValueError, str(tmp_path / "damaged.json"), "no JSON", "a record", "delete it to begin again"):
        read_records(tmp_path)
    assert (tmp_path / "damaged.json").read_text() == text


def test_a_record_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "folder.json").mkdir()
    with refuses(OSError, str(tmp_path / "folder.json"), "cannot be read", "directory"):
        read_records(tmp_path)


def test_a_copy_of_a_record_is_not_another_seed(tmp_path):
    write_record(tmp_path / "b.json", RECORD)
    (tmp_path / "copy.json").write_bytes((tmp_path / "b.json").read_bytes())
    written(tmp_path, old(), "a.json")
    write_record(tmp_path / "c.json", with_trial(RECORD, seed=1))
    assert read_records(tmp_path) == [RECORD, with_trial(RECORD, seed=1)]     # the one whose facts are complete


@pytest.mark.parametrize("option, value", [
    ("updates", 41), ("backend", "cupy"), ("rates", [1e-3]), ("source", "full"), ("batch", 4), ("patience", 20),
    ("stop", 0.1), ("decay", 20), ("stages", [5]), ("model", "irnn"), ("anything", "new"),
])
def test_records_are_of_one_kind_only_where_all_but_the_seed_is_equal(option, value):
    assert identity(RECORD) == identity(with_trial(RECORD, seed=7))
    assert identity(RECORD) != identity(with_trial(RECORD, **{option: value}))
    assert len(distinct([RECORD, with_trial(RECORD, **{option: value}), RECORD])) == 2


def history_of(rows, every):
    """A history of so many rows with a look at every so many."""
    updates = [20 * (row + 1) for row in range(rows)]
    looks = [1 / update if update % (20 * every) == 0 else None for update in updates]
    columns = {"loss": [1 / 3] * rows, "metric": [2 / 3] * rows, "gradient_norm": [None] * rows, "validation": looks}
    return {"update": updates, **columns, "rate": [1e-3] * rows, "seconds": [0.1] * rows}


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


def test_a_record_is_strict_json_with_a_run_to_a_line(tmp_path):
    write_record(tmp_path / "record.json", RECORD)
    text = (tmp_path / "record.json").read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert len(re.findall(r'^  \{"rate"', text, re.M)) == 2
