"""What `fit` is given, checked once: the parts against the contract, the options by their names."""

import os
from types import SimpleNamespace

from ..arrays.checks import FLOATS, at_least, flag, number, one_of, optional, shown

NETWORK = (
    "body", "reads", "metric", "better", "decayed", "statistics",
    "init", "draw", "loss", "gradient", "updated", "project", "last_state",
)
TASK = ("inputs", "outputs", "loss", "metric", "reads", "batch")
POSITIVE = optional(number("a finite number above 0, or None", lambda value: value > 0))


def check_parts(network, task, optimizer, schedule, validates):
    """Raise TypeError unless fit's network, task, optimiser and schedule have what it will ask of them."""
    for name, part, members, expected in (
        ("network", network, NETWORK, "a Network; put one around a cell, Network(cell, task.outputs)"),
        ("task", task, (*TASK, *["validation"] * validates), "a task such as Adding(100)"),
        ("optimizer", optimizer, ("rate", "start", "update"), "an optimiser such as Adam(0.001)"),
        ("schedule", schedule, ("start", "scale", "observe"), "a schedule such as Steps(1000)"),
    ):
        if isinstance(part, type):
            raise TypeError(f"{name} is the class {part.__name__}: expected one made of it, {part.__name__}(...).")
        if missing := [member for member in members if not hasattr(part, member)]:
            raise TypeError(f"{name} is a {type(part).__name__} without {', '.join(missing)}: expected {expected}.")


def path_of_a_file(name, given):
    """The check of a path.    Raises ValueError."""
    if not isinstance(given, (str, os.PathLike)):
        raise ValueError(f"{name} is {shown(given)}: expected the path of a file, or None.")
    return given


CHECKS = {
    "updates": at_least(1), "batch": at_least(1), "window": optional(at_least(1)), "seed": at_least(0),
    "clip": POSITIVE, "dtype": one_of(FLOATS), "backend": one_of(("numpy", "cupy")),
    "log_every": at_least(1), "validate_every": optional(at_least(1)),
    "stop": optional(number("a finite number, or None")), "time_limit": POSITIVE,
    "checkpoint": optional(path_of_a_file), "checkpoint_every": at_least(1), "resume": flag, "progress": flag,
}


def check_options(network, **given):
    """fit's other options  ->  the same as plain Python values, by attribute.    Raises ValueError that names one."""
    o = SimpleNamespace(**{name: check(name, given[name]) for name, check in CHECKS.items()})
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
    return o
