"""Files of parameters and checkpoints: npz without pickle, written under another name first and then renamed."""

import json
import os
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from . import cells, chunked, layers, networks, optim, stacks
from .backend import to_numpy
from .trees import leaves

FORMAT = 1                                                    # raised when an older program could misread a newer file
HEADER = "header"
CLASSES = {kind.__name__: kind for room in (cells, chunked, layers, networks, optim, stacks) for kind in vars(room).values() if is_dataclass(kind)}


def save(path, model, p):
    """Write a model (its class and options) and its parameters to a .npz file, whole or not at all."""
    write(path, {"p": p}, {"kind": "model", "model": describe(model)})


def load(path):
    """Read what `save` wrote  ->  model, p (NumPy).    Raises as `read` does."""
    arrays, facts = read(path, "model")
    return build(facts["model"]), arrays["p"]


def write(path, arrays, facts):
    """Write a tree of arrays and a dictionary of plain facts. A kill at any moment leaves the file whole, old or new."""
    from . import __version__

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {**facts, "format": FORMAT, "versions": {"minidurnn": __version__, "numpy": np.__version__}}
    entries = {**leaves(to_numpy(arrays)), HEADER: np.frombuffer(json.dumps(facts).encode(), np.uint8)}
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
    try:
        with np.load(path, allow_pickle=False) as file:
            entries = {name: file[name] for name in file.files}
        facts = json.loads(entries.pop(HEADER).tobytes())
    except FileNotFoundError:
        raise
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged or no file of minidurnn ({error}): expected a {kind} that it wrote; use another copy.") from error
    if facts.get("format", 0) > FORMAT:
        raise ValueError(f"{path} has format {facts['format']}: this program reads up to {FORMAT}; install a newer minidurnn.")
    if facts.get("kind") != kind:
        raise ValueError(f"{path} holds a {facts.get('kind')}: expected a {kind}.")
    tree = {}
    for name, array in entries.items():
        branch = tree
        *stem, leaf = name.split("/")
        for key in stem:
            branch = branch.setdefault(key, {})
        branch[leaf] = array
    return tree, facts


def describe(model):
    """A model, optimiser or schedule as plain data: its class and every option, nested."""
    if is_dataclass(model):
        return {"class": type(model).__name__, "options": {field.name: describe(getattr(model, field.name)) for field in fields(model)}}
    return [describe(part) for part in model] if isinstance(model, (tuple, list)) else model


def build(description):
    """The model that `describe` described.    Raises ValueError for a class that this program does not have."""
    if isinstance(description, list):
        return [build(part) for part in description]
    if not isinstance(description, dict):
        return description
    if description["class"] not in CLASSES:
        raise ValueError(f"the file holds a {description['class']}: expected one of {', '.join(sorted(CLASSES))}; a model of your own is loaded by its own class.")
    return CLASSES[description["class"]](**{name: build(option) for name, option in description["options"].items()})
