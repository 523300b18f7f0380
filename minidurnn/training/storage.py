"""Files of parameters and checkpoints: npz without pickle, written under another name first and then renamed."""

import json
import os
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from .. import cells, networks, optim
from ..arrays.backend import to_numpy
from ..arrays.trees import leaves, map_leaves

FORMAT = 1                                                    # raised when an older program could misread a newer file
HEADER = "header"
CLASSES = {kind.__name__: kind for room in (cells, networks, optim) for kind in vars(room).values() if is_dataclass(kind)}


def save(path, model, p):
    """Write a model (its class and options) and its parameters to a .npz file, whole or not at all."""
    fitted("p", p, model.init(np.random.default_rng(0)))
    write(path, {"p": p}, {"kind": "model", "model": describe(model)})


def load(path, *classes):
    """Read what `save` wrote  ->  model, p (NumPy).    Raises as `read` does.

    classes    those of the model's parts that are your own, not minidurnn's
    """
    arrays, facts = read(path, "model")
    try:
        model = build(facts["model"], {**CLASSES, **{kind.__name__: kind for kind in classes}})
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} holds a model that this program cannot build ({error}): expected classes and options that it has; install the minidurnn that wrote it.") from error
    return model, fitted(path, arrays.get("p"), model.init(np.random.default_rng(0)))


def write(path, arrays, facts):
    """Write a tree of arrays and a dictionary of plain facts. A kill at any moment leaves the file whole, old or new."""
    from .. import __version__

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {**facts, "format": FORMAT, "versions": {"minidurnn": __version__, "numpy": np.__version__}}
    entries = {**leaves(to_numpy(arrays)), HEADER: np.frombuffer(json.dumps(facts, default=plain).encode(), np.uint8)}
    unfinished = path.with_name(path.name + ".part")
    with open(unfinished, "wb") as file:
        np.savez(file, **entries)
        file.flush()
        os.fsync(file.fileno())                               # on the disk before the name points to it
    os.replace(unfinished, path)


def read(path, kind):
    """Read what `write` wrote  ->  tree of arrays (nested dictionaries), facts.

    Raises   FileNotFoundError; ValueError for a damaged file, one of another kind or from a newer program.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {path}: expected a {kind}; check the path.")
    try:
        with np.load(path, allow_pickle=False) as file:
            entries = {name: file[name] for name in file.files}
        facts = json.loads(entries.pop(HEADER).tobytes())
        version, found, tree = int(facts["format"]), facts["kind"], {}
        for name, array in entries.items():
            branch = tree
            *stem, leaf = name.split("/")
            for key in stem:
                branch = branch.setdefault(key, {})
            branch[leaf] = array
    except Exception as error:                                # NumPy's and the zip reader's errors are of a dozen classes
        raise ValueError(f"{path} is damaged or no file of minidurnn ({error}): expected a {kind} that it wrote; use another copy.") from error
    if version > FORMAT:
        raise ValueError(f"{path} has format {version}: this program reads up to {FORMAT}; install a newer minidurnn.")
    if found != kind:
        raise ValueError(f"{path} holds a {found}: expected a {kind}; give another file.")
    return tree, facts


def fitted(what, tree, expected):
    """The arrays of `tree` in the form of `expected`, whose branches may be empty.    Raises ValueError for other names or shapes."""
    arrays = leaves(tree)
    found, wanted = ({name: getattr(leaf, "shape", ()) for name, leaf in leaves(one).items()} for one in (arrays, expected))
    for name in wanted | found:
        if found.get(name) != wanted.get(name):
            given = f"has shape {found[name]}" if name in found else "is missing"
            asked = f"shape {wanted[name]}" if name in wanted else "no array of this name"
            raise ValueError(f"{what} does not fit its model: {name} {given}, expected {asked}; a model and its own parameters belong together.")
    names = iter(wanted)
    return map_leaves(lambda _: arrays[next(names)], expected)


def describe(model):
    """A model, optimiser or schedule as plain data: its class and every option, nested."""
    if is_dataclass(model):
        return {"class": type(model).__name__, "options": {field.name: describe(getattr(model, field.name)) for field in fields(model)}}
    return [describe(part) for part in model] if isinstance(model, (tuple, list)) else model


def plain(number):
    """A NumPy number as Python's, where JSON meets one."""
    if not isinstance(number, np.generic):
        raise TypeError(f"{number!r} cannot be written to a file: expected a number, a text, or a dataclass of such.")
    return number.item()


def build(description, classes):
    """The model that `describe` described.    Raises ValueError for a class that is not among `classes`, by name."""
    if isinstance(description, list):
        return [build(part, classes) for part in description]
    if not isinstance(description, dict):
        return description
    name = description["class"]
    if name not in classes:
        raise ValueError(f"{name} is none of {', '.join(sorted(classes))}; a class of your own is given with load(path, {name})")
    return classes[name](**{option: build(given, classes) for option, given in description["options"].items()})
