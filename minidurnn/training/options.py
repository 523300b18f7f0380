"""What `fit` is given, checked once: the parts against the contract, the options by their names."""

import os
import sys
from operator import index
from types import SimpleNamespace

import numpy as np

from ..arrays.checks import FLOATS, check_choice, check_positive, is_number

LARGEST = sys.float_info.max
NETWORK = (
    "body", "reads", "metric", "better", "decayed",
    "init", "draw", "loss", "gradient", "updated", "project", "last_state",
)


def check_parts(network, task, optimizer, schedule, validates):
    """Raise TypeError unless fit's network, task, optimiser and schedule have what it will ask of them."""
    task_members = ("batch", "validation") if validates else ("batch",)
    for name, part, members, expected in (
        ("network", network, NETWORK, "a Network; put one around a cell, Network(cell, task.outputs)"),
        ("task", task, task_members, "a task such as Adding(100)"),
        ("optimizer", optimizer, ("rate", "start", "update"), "an optimiser such as Adam(0.001)"),
        ("schedule", schedule, ("start", "scale", "observe"), "a schedule such as Steps(1000)"),
    ):
        if isinstance(part, type):
            raise TypeError(f"{name} is the class {part.__name__}: expected one made of it, {part.__name__}(...).")
        if missing := [member for member in members if not hasattr(part, member)]:
            raise TypeError(f"{name} is a {type(part).__name__} without {', '.join(missing)}: expected {expected}.")


def check_options(network, **given):
    """fit's other options  ->  the same as plain Python values, by attribute.    Raises ValueError that names one."""
    o = SimpleNamespace(**given)
    for name in ("updates", "batch", "log_every", "checkpoint_every", "validate_every", "window"):
        value = given[name]
        if value is not None or name not in ("validate_every", "window"):
            check_positive(**{name: value})
            setattr(o, name, index(value))
    for name in ("clip", "time_limit", "stop"):
        setattr(o, name, _number(name, given[name], -LARGEST if name == "stop" else 0))
    for name in ("resume", "progress"):
        if not isinstance(given[name], (bool, np.bool_)):
            raise ValueError(f"{name} is {given[name]!r}: expected True or False.")
    if isinstance(o.seed, bool) or not hasattr(o.seed, "__index__") or index(o.seed) < 0:
        raise ValueError(f"seed is {o.seed!r}: expected an int of at least 0.")
    o.seed = index(o.seed)
    check_choice("dtype", o.dtype, FLOATS)
    if not isinstance(o.checkpoint, (str, os.PathLike, type(None))):
        raise ValueError(f"checkpoint is {o.checkpoint!r}: expected the path of a file, or None.")
    _check_together(network, o)
    return o


def _check_together(network, o):
    saves_every = None if o.checkpoint is None else o.checkpoint_every
    for name, every in (("validate_every", o.validate_every), ("checkpoint_every", saves_every)):
        if every is not None and every % o.log_every:
            raise ValueError(
                f"{name} is {every}: expected a multiple of log_every ({o.log_every}), where numbers are read.")
    if o.stop is not None and o.validate_every is None:
        raise ValueError(
            f"stop is {o.stop} with validate_every=None: expected looks at the validation set, which could meet it.")
    if o.window is not None and network.reads != "every":
        raise ValueError(
            f"window is {o.window} for a network that reads the last step: "
            "expected reads=\"every\", for every window needs targets.")


def _number(name, given, above):
    if given is None:
        return None
    if not (is_number(given) and above < given <= LARGEST):
        limit = "" if above else " above 0"
        raise ValueError(f"{name} is {given!r}: expected a finite number{limit}, or None.")
    return float(given)
