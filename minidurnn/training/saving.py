"""A run and its checkpoint: which run it is, whose it is, and going on with it."""

import json
import os
from contextlib import contextmanager
from dataclasses import is_dataclass
from hashlib import sha256
from pathlib import Path
from types import FunctionType, ModuleType

import numpy as np

from ..arrays.backend import to, to_numpy
from ..arrays.trees import leaves, map_leaves
from .files import owner
from .run import ARRAYS, Run, check_facts, taken_apart
from .storage import describe, fitted, plain, read, write

AGAIN = "use another copy, or delete it to begin again"
OPTIONS = ("clip", "batch", "window", "seed", "dtype", "log_every", "validate_every")


def identity(network, task, optimizer, schedule, start, options):
    """Everything that decides a run's numbers, as plain data: two runs of one identity are one run.

    A dataclass is described by its fields, another object by its class and its attributes, an array by its shape, dtype
    and SHA-256; start (parameters in the run's dtype, or None) by one SHA-256 of all. The backend is no part of it.
    Raises TypeError for a part that cannot be described so.
    """
    parts = {"network": network, "task": task, "optimizer": optimizer, "schedule": schedule}
    found = {}
    for name, part in parts.items():
        try:
            found[name] = json.loads(json.dumps(describe(part), default=_described))
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(
                f"the {name} cannot be told from others in a checkpoint ({error}): expected a dataclass, or an object "
                "whose attributes are numbers, texts, arrays or such objects; make it one, or train without checkpoint."
            ) from error
    numbers = json.dumps({name: _hashed(leaf) for name, leaf in leaves(start).items()}, sort_keys=True)
    found["start"] = None if start is None else sha256(numbers.encode()).hexdigest()
    return {**found, **{name: getattr(options, name) for name in OPTIONS}}


def _described(thing):
    """What JSON has no word for, in words that it has."""
    kind = type(thing)
    if isinstance(thing, np.generic):
        return plain(thing)
    if isinstance(thing, os.PathLike):
        return os.fspath(thing)
    if hasattr(thing, "dtype") and hasattr(thing, "shape"):
        return _hashed(thing)
    if isinstance(thing, (type, FunctionType, ModuleType)) or not hasattr(thing, "__dict__"):
        raise TypeError(f"it holds a {kind.__name__}")
    if is_dataclass(thing):
        return describe(thing)
    if (kind.__reduce__, kind.__reduce_ex__) != (object.__reduce__, object.__reduce_ex__):
        raise TypeError(f"it holds a {kind.__name__}")        # whose attributes are not all that it is
    return {"class": kind.__name__, "options": {name: describe(given) for name, given in vars(thing).items()}}


def _hashed(array):
    array = np.ascontiguousarray(to_numpy(array))
    if array.dtype.hasobject:
        raise TypeError("it holds an array of objects")
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": sha256(array.tobytes()).hexdigest()}


@contextmanager
def kept(path, fresh, setting, resume, backend):
    """The run in a checkpoint, or where there is none yet the fresh one, which is saved  ->  run, save(run).

    setting    the run's identity                              path   None: nothing is saved
    save       writes a run that the file does not hold already
    No other process can have this checkpoint until the block ends.
    Raises     BlockingIOError where one has it; FileExistsError for one that is there without `resume`; ValueError for
               one of another run or damaged.
    """
    if path is None:
        yield fresh, lambda run: None
        return
    held = None

    def save(run):
        nonlocal held
        if run is not held:
            arrays, facts = taken_apart(run)
            write(path, arrays, {"kind": "checkpoint", "setting": setting, "run": facts})
            held = run

    with owner(path):
        if Path(path).exists():
            if not resume:
                raise FileExistsError(
                    f"the checkpoint {path} exists and would be overwritten: "
                    "give resume=True (--resume) to continue it, or another path.")
            held = _resumed(path, fresh, setting, backend)
            yield held, save
        else:
            save(fresh)                                       # what cannot be saved is found before it is trained
            yield fresh, save


def _resumed(path, fresh, setting, backend):
    arrays, facts = read(path, "checkpoint")
    _check_same(path, setting, facts.get("setting"))
    trained = {name: getattr(fresh, name) for name in ("p", "optimizer")}
    saved = fitted(path, {name: arrays.get(name) for name in trained}, trained, exact=True, do=AGAIN)
    saved = map_leaves(lambda leaf, own: _as(own, leaf, backend), saved, trained)
    try:
        check_facts(facts.get("run"), fresh, setting["log_every"])
        carried = arrays.get("carried")
        _check_carried(carried, facts["run"]["offset"], setting)
        if set(arrays) - set(ARRAYS):
            raise ValueError(f"it holds {', '.join(sorted(set(arrays) - set(ARRAYS)))} too")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"the checkpoint {path} is damaged or was edited ({error}): {AGAIN}.") from error
    return Run(**saved, carried=None if carried is None else to(backend, carried), **facts["run"])


def _as(own, leaf, backend):
    """A leaf of a file as a fresh run has it: Python's number for such a one, a count; else an array, scalars too."""
    return leaf.item() if type(own) in (int, float) else to(backend, leaf)


def _check_same(path, setting, given):
    """Raise ValueError, naming the first difference, unless a checkpoint's setting is ours."""
    ours, theirs = _flat(setting), _flat(given)
    for name in ours | theirs:
        expected, found = (repr(one[name]) if name in one else "missing" for one in (ours, theirs))
        if name not in ours or name not in theirs or ours[name] != theirs[name]:
            raise ValueError(
                f"the checkpoint {path} is of another run: its {name.replace('options/', '')} is {found}, "
                f"expected {expected}; give the same options, or another path.")


def _flat(tree, path=""):
    """Plain data by their path, as trees.leaves, but with None and what is empty."""
    if not tree or not isinstance(tree, (dict, list)):
        return {path: tree}
    branches = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found = [_flat(branch, f"{path}/{name}" if path else str(name)) for name, branch in branches]
    return {name: leaf for part in found for name, leaf in part.items()}


def _check_carried(carried, offset, setting):
    """Raise ValueError unless there is a state to carry just where a run stopped between two windows."""
    if (carried is None) != (offset == 0) or (offset and offset % (setting["window"] or offset + 1)):
        raise ValueError(f"at step {offset} of its sequences it holds {'no' if carried is None else 'a'} state")
    if carried is not None and (carried.shape[:1], str(carried.dtype)) != ((setting["batch"],), setting["dtype"]):
        raise ValueError(f"its state has shape {carried.shape} and dtype {carried.dtype}")
