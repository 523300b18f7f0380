"""Records of experiments: what one says, and JSON files that are written once."""

import json
import os
from dataclasses import asdict, dataclass, fields
from math import isfinite
from pathlib import Path

from ..training.files import whole
from .fields import END, check_content
from .schema_1 import from_schema_1

SCHEMA = 2
BEFORE = dict.fromkeys(("pilot", "window", "embedding", "boundaries", "steady"))  # options that older records lack
BEFORE_1 = {"stages": [], **BEFORE}


@dataclass(frozen=True)
class Stage:
    """One length on which a run was trained; None is what an older record does not say.

    updates   optimiser steps at this length              seconds   that they took
    curve     dict of equally long lists: update (from the stage's first on), loss, metric, gradient_norm, validation
    """

    length: int | None
    updates: int | None
    seconds: float | None
    curve: dict | None


@dataclass(frozen=True)
class Run:
    """One rate of a trial: its stages, the last where it ended, and the validation result (None: it diverged)."""

    rate: float
    stages: tuple
    validation_loss: float | None
    validation: float | None

    diverged = property(lambda self: self.validation_loss is None)
    ended_at = property(lambda self: self.stages[-1].length)
    curve = property(lambda self: self.stages[-1].curve)
    updates = property(lambda self: self._total("updates"))
    seconds = property(lambda self: self._total("seconds"))
    whole = property(lambda self: None not in [stage.updates for stage in self.stages])

    def _total(self, what):
        """The sum over the stages, of those that are known (`whole`: all are)."""
        return sum(getattr(stage, what) or 0 for stage in self.stages)


@dataclass(frozen=True)
class Record:
    """What came out of one trial, on what, and how it was judged.

    trial          every option, as plain data
    runs           one Run for each rate; chosen_rate: the one that validation chose, None where every one diverged
    test           the metric on the test set, None where it is not finite or was not read; test_loss likewise, in nats
                   for classes (None in older records too)
    verdict        "solved", "learning", "baseline" or "diverged", by `rule`
    seen           what the experiment looked at, "start" and "trained" (None: nothing, as in most)
    machine        date, hardware, BLAS kernel, threads, commit, versions (records.machine); newer ones also
                   peak_MiB, the most memory that the process had
    migrated_from  the schema of the file where it is an older one, with notes on what that does not say
    """

    trial: dict
    network: dict
    parameters: int
    metric: str
    chance: float
    baseline: dict
    runs: tuple
    chosen_rate: float | None
    split: str
    test: float | None
    verdict: str
    rule: str
    machine: dict
    test_loss: float | None = None
    seen: dict | None = None
    migrated_from: int | None = None
    notes: tuple = ()


def read_record(path):
    """One JSON file  ->  Record; what is no record of an experiment, such as bench's, as JSON gives it.

    Raises   ValueError for a damaged one, with the file and the field; OSError for a file that cannot be read.
    """
    content = read_json(path)
    if not isinstance(content, dict) or "trial" not in content and ("schema" not in content or "kind" in content):
        return content
    schema = content.get("schema")
    if type(schema) is not int or schema not in (1, SCHEMA):
        raise ValueError(f"the record {path} has schema {schema!r}: this program reads 1 to {SCHEMA}; "
                         "install the minidurnn that wrote it, or delete it to begin again.")
    if isinstance(content.get("trial"), dict):
        trial = {**(BEFORE_1 if schema == 1 else BEFORE), **content["trial"]}
        content = {"test_loss": None, "seen": None, **content, "trial": trial}
    check_content(path, content, schema)
    content = from_schema_1(content) if schema == 1 else content
    runs = tuple(_run(run) for run in content["runs"])
    known = {field.name: content[field.name] for field in fields(Record) if field.name in content}
    return Record(**{**known, "runs": runs, "notes": tuple(content.get("notes", ()))})


def _run(content):
    """A Run from its JSON."""
    stages = tuple(Stage(*(stage[field.name] for field in fields(Stage))) for stage in content["stages"])
    return Run(content["rate"], stages, content["validation_loss"], content["validation"])


def read_json(path):
    """The content of a JSON file.    Raises ValueError for a damaged one, OSError for one that cannot be read."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        said = f"the record {path} cannot be read ({error.strerror}): make it readable, or move it away."
        raise type(error)(said) from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({error}): expected a record; {END}.") from error


def read_records(folder):
    """All records of experiments in a folder, by name, each trial once; none where there is no such folder.

    Raises   as read_record; OSError for a folder that cannot be read and for what is no folder.
    """
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise type(error)(f"the folder {folder} cannot be read ({error.strerror}): give another one.") from error
    paths = sorted((Path(folder) / name for name in names if name.endswith(".json")), key=lambda path: path.stem)
    return distinct([record for record in map(read_record, paths) if isinstance(record, Record)])


def distinct(records):
    """Each trial once: of copies the first, and one that was written whole before one of an older schema."""
    kept = {}
    for record in records:
        key = identity(record), record.trial["seed"]
        if key not in kept or (kept[key].migrated_from and not record.migrated_from):
            kept[key] = record
    return list(kept.values())


def identity(record):
    """What two records must have in common to differ in their seed alone: everything else of the trial, as text."""
    return json.dumps({name: option for name, option in record.trial.items() if name != "seed"}, sort_keys=True)


def chosen_run(record):
    """The run of a record whose rate was chosen, or the longest where every one diverged."""
    return max(record.runs, key=lambda run: (run.rate == record.chosen_rate, run.updates))


def write_record(path, record):
    """Write a record to a file that must be new  ->  the record as the file gives it back."""
    content = asdict(record)
    if record.migrated_from is None:
        del content["migrated_from"], content["notes"]
    if record.seen is None:
        del content["seen"]
    write_json(path, {"schema": SCHEMA, **content})
    return read_record(path)


def write_json(path, content):
    """Write a dictionary as JSON whole or not at all, an entry to a line, and a line for each row of a list.

    Raises   ValueError for a number that is not finite, which JSON does not have; FileExistsError where it is there.
    """
    lines = []
    for key, part in content.items():
        rows = [json.dumps(row, allow_nan=False) for row in part] if isinstance(part, (list, tuple)) else []
        said = "[\n  " + ",\n  ".join(rows) + "\n ]" if rows else json.dumps(part, allow_nan=False)
        lines.append(f" {json.dumps(key)}: {said}")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    with whole(path, "record", new=True) as file:
        file.write(text.encode())


def thin(history, rows=120):
    """A history with at most so many rows, evenly taken, the last one always, and numbers of six digits.

    Where there are too many rows, those with a validation metric are taken. A number that is not finite, such as the
    norm of a gradient that overflows, becomes None: JSON has no word for it.
    """
    places = list(range(len(history["update"])))
    if len(places) > rows:
        places = [row for row in places if history["validation"][row] is not None] or places
    last, rows = len(places) - 1, min(rows, len(places))
    kept = sorted({places[last - round(row * last / max(1, rows - 1))] for row in range(rows)})
    names = ("update", "loss", "metric", "gradient_norm", "validation")
    return {name: [_digits(history[name][row]) for row in kept] for name in names}


def _digits(entry):
    return entry if not isinstance(entry, float) else float(f"{entry:.6g}") if isfinite(entry) else None
