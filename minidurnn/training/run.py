"""The state of a training run: what the next update depends on, and what has been seen so far."""

from dataclasses import dataclass, fields
from typing import NewType

import numpy as np

from ..arrays.backend import namespace, to
from ..arrays.trees import leaves, map_leaves, trained
from .storage import fitted

Arrays = NewType("Arrays", object)                            # a tree of arrays and counts; all else is plain data
COLUMNS = ("update", "loss", "metric", "gradient_norm", "validation", "rate", "seconds")


@dataclass(frozen=True)
class Run:
    """A training run after some updates: all of what a checkpoint holds.

    p, optimizer          parameters; the state of the optimiser
    carried               with windows, the state (B, state_size) handed on to the next; None in front of a new batch
    update                updates done
    data_rng, noise_rng   the streams' states in front of the batch in use     offset   the steps of it already used
    schedule              the state of the schedule
    recent                loss, metric and gradient norm (None without clipping) of every update since the last row
    history               the rows, one every log_every updates: {column: list}
    end                   the row of an end between two rows or two looks, which a longer run does not have, or None
    seconds               of training
    """

    p: Arrays
    optimizer: Arrays
    carried: Arrays
    update: int
    data_rng: dict
    noise_rng: dict
    offset: int
    schedule: dict
    recent: tuple
    history: dict
    end: dict | None
    seconds: float


ARRAYS = tuple(field.name for field in fields(Run) if field.type is Arrays)
PLAIN = tuple(field.name for field in fields(Run) if field.type is not Arrays)


def streams(seed):
    """Independent random streams of one seed, so that two models see the same data  ->  parameters, data, noise."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)]


def begin(network, optimizer, schedule, seed=0, start=None, dtype="float32", backend="numpy"):
    """A run before its first update, from the network's own start values or those of `start` (a tree like p)  ->  Run.

    Raises   ValueError for a start that does not fit the network, holds no real numbers or is not finite in `dtype`.
    """
    parameter_rng, data_rng, noise_rng = streams(seed)
    p = network.init(parameter_rng)
    p = p if start is None else fitted("start", start, p)
    for name, leaf in leaves(p).items():
        dtype_of = getattr(leaf, "dtype", np.dtype(object))
        if dtype_of.kind not in "fiu":
            raise ValueError(
                f"start holds numbers of {dtype_of} in {name}: expected real ones; convert with astype, or take .real.")
    with np.errstate(over="ignore"):
        p = map_leaves(lambda a: a.astype(dtype), p)
    p = to(backend, p)
    for name, leaf in leaves({} if start is None else p).items():
        if not bool(namespace(leaf).isfinite(leaf).all()):
            raise ValueError(f"start holds numbers in {name} that are not finite in {dtype}: give finite parameters.")
    return Run(
        p=p, optimizer=optimizer.start(trained(p, network.statistics)), carried=None, update=0,
        data_rng=data_rng.bit_generator.state, noise_rng=noise_rng.bit_generator.state, offset=0,
        schedule=schedule.start(), recent=(), history={name: [] for name in COLUMNS}, end=None, seconds=0.0,
    )


def shown(run):
    """The history as `fit` returns it: with the row of the end, where the run ended between two rows or looks."""
    if run.end is None:
        return run.history
    rows = sum(update < run.end["update"] for update in run.history["update"])
    return {name: [*column[:rows], run.end[name]] for name, column in run.history.items()}


def taken_apart(run):
    """A run for a file  ->  its trees of arrays, its plain facts; here numbers leave the device."""
    recent = [[None if entry is None else float(entry) for entry in row] for row in run.recent]
    facts = {name: getattr(run, name) for name in PLAIN}
    return {name: getattr(run, name) for name in ARRAYS}, {**facts, "recent": recent}


def check_facts(facts, fresh, log_every):
    """Raise ValueError, naming what is wrong, unless plain facts from a file are those of some run like `fresh`."""
    if not isinstance(facts, dict) or set(facts) != set(PLAIN):
        given = ", ".join(facts) if isinstance(facts, dict) else ""
        raise ValueError(f"its run has {given or 'nothing'}, not {', '.join(PLAIN)}")
    update, history, end = facts["update"], facts["history"], facts["end"]
    if not _is_count(update) or not _is_count(facts["offset"]):
        raise ValueError(f"update {update!r} and offset {facts['offset']!r} are no counts")
    rows = update // log_every
    if not _are_columns(history) or any(len(column) != rows for column in history.values()):
        raise ValueError(f"its history does not have the rows of {update} updates")
    if history["update"] != list(range(log_every, update + 1, log_every)):
        raise ValueError("its history names other updates than it should")
    if not all(isinstance(row, list) and len(row) == 3 and _are_numbers(row) for row in facts["recent"]):
        raise ValueError("what came since the last row is no list of losses, metrics and norms")
    if len(facts["recent"]) != update % log_every:
        raise ValueError(f"it holds {len(facts['recent'])} updates since the last row instead of {update % log_every}")
    as_columns = end and {name: [entry] for name, entry in end.items()}
    if end is not None and not (_are_columns(as_columns) and end["update"] == update):
        raise ValueError("the row of its end is none")
    numbers = [*facts["schedule"].values(), facts["seconds"]]
    if facts["schedule"].keys() != fresh.schedule.keys() or not _are_numbers(numbers) or facts["seconds"] is None:
        raise ValueError("its schedule or its seconds are no numbers")
    for name in ("data_rng", "noise_rng"):
        np.random.default_rng().bit_generator.state = facts[name]


def _is_count(value):
    return type(value) is int and value >= 0


def _are_numbers(entries):
    return all(entry is None or type(entry) in (int, float) for entry in entries)


def _are_columns(history):
    columns = history.values()
    return tuple(history) == COLUMNS and all(isinstance(column, list) and _are_numbers(column) for column in columns)
