"""Files of parameters and checkpoints: npz without pickle, written whole or not at all."""

import json
import zipfile
from dataclasses import fields, is_dataclass

import numpy as np

from .. import cells, networks, optim
from ..arrays.backend import to_numpy
from ..arrays.checks import FLOATS
from ..arrays.trees import leaves, map_leaves
from .files import whole

FORMAT = 1                                                    # raised when an older program could misread a newer file
HEADER = "header"
CLASSES = {
    kind.__name__: kind for room in (cells, networks, optim) for kind in vars(room).values() if is_dataclass(kind)}
BELONG = "a model and its own parameters belong together"


def save(path, model, p):
    """Write a model (its class and options) and its parameters to a .npz file, whole or not at all.

    Raises   ValueError or TypeError for what `load` would refuse, before anything is written; OSError as `write` does.
    """
    p = check_floats("p", fitted("p", p, model.init(np.random.default_rng(0))))
    facts = json.loads(json.dumps(describe(model), default=plain))
    rebuilt = _built("the model", facts, _classes(model))
    if json.loads(json.dumps(describe(rebuilt), default=plain)) != facts:
        raise ValueError(
            f"{model!r} is not what its options make: expected a dataclass that holds nothing but its options.")
    write(path, {"p": p}, {"kind": "model", "model": facts})


def load(path, *classes):
    """Read what `save` wrote  ->  model, p (NumPy).    Raises as `read` does.

    classes    those of the model's parts that are your own, not minidurnn's
    """
    arrays, facts = read(path, "model")
    model = _built(path, facts.get("model"), {**CLASSES, **{kind.__name__: kind for kind in classes}})
    return model, check_floats(path, fitted(path, arrays.get("p"), model.init(np.random.default_rng(0))))


def write(path, arrays, facts):
    """Write a tree of arrays and a dictionary of plain facts. A kill at any moment leaves the file whole, old or new.

    Raises   TypeError for other arrays than of floats and integers and for facts that are not plain, before anything is
             written; OSError that says what was being written and what to do.
    """
    from .. import __version__

    facts = {**facts, "format": FORMAT, "versions": {"minidurnn": __version__, "numpy": np.__version__}}
    entries = leaves(to_numpy(arrays))
    for name, array in entries.items():
        _check_dtype(name, array, TypeError)
    entries[HEADER] = np.frombuffer(json.dumps(facts, default=plain).encode(), np.uint8)
    with whole(path, facts["kind"]) as file:
        np.savez(file, **entries)


def read(path, kind):
    """Read what `write` wrote  ->  tree of arrays (nested dictionaries), facts.

    Raises   FileNotFoundError, OSError; ValueError for a damaged file, one of another kind or from a newer program.
    """
    do = "use another copy" if kind != "checkpoint" else "use another copy, or delete it to begin again"
    try:
        with open(path, "rb") as file:
            tree, facts = _unpacked(file)
        version, found = facts["format"], facts["kind"]
        if type(version) is not int or version < 1:
            raise ValueError(f"its format is {version!r}")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {path}: expected a {kind}; check the path.") from error
    except PermissionError as error:
        raise PermissionError(
            f"the {kind} {path} cannot be read ({error.strerror}): ask its owner for leave.") from error
    except MemoryError:
        raise
    except Exception as error:                                # NumPy's and the zip reader's are of a dozen classes
        raise ValueError(
            f"{path} is damaged or no file of minidurnn ({error}): expected a {kind} that it wrote; {do}.") from error
    if version > FORMAT:
        raise ValueError(f"{path} has format {version}: this program reads up to {FORMAT}; install a newer minidurnn.")
    if found != kind:
        raise ValueError(f"{path} holds a {found}: expected a {kind}; give another file.")
    return tree, facts


def _unpacked(file):
    """The tree of arrays and the facts in an open file; what they are announced to take is looked at first."""
    with zipfile.ZipFile(file) as packed:
        names = [entry.filename for entry in packed.infolist()]
        announced = sum(entry.file_size for entry in packed.infolist())
    if len(set(names)) < len(names):
        raise ValueError("two of its arrays have one name")
    if announced > file.seek(0, 2):
        raise ValueError(f"its arrays would take {announced} bytes, more than the file")
    file.seek(0)
    with np.load(file, allow_pickle=False) as packed:
        entries = {name: packed[name] for name in packed.files}
    facts, tree = json.loads(entries.pop(HEADER).tobytes()), {}
    for name, array in entries.items():
        _check_dtype(name, array, ValueError)
        *stem, leaf = name.split("/")
        branch = tree
        for key in stem:
            branch = branch.setdefault(key, {})
        branch[leaf] = array
    return tree, facts


def fitted(what, tree, expected, exact=False, do=BELONG):
    """The arrays of `tree` in the form of `expected`, whose branches may be empty.

    exact    whether dtypes must agree too, but for the width of integers
    do       what to do, for the message
    Raises   ValueError for other names, shapes or dtypes.
    """
    def form(leaf):
        dtype = np.dtype(getattr(leaf, "dtype", type(leaf) if isinstance(leaf, (int, float)) else object))
        said = "" if not exact else " of integers" if dtype.kind in "iu" else f" of {dtype}"
        return f"shape {getattr(leaf, 'shape', ())}{said}"

    arrays = leaves(tree)
    found, wanted = ({name: form(leaf) for name, leaf in leaves(one).items()} for one in (arrays, expected))
    for name in wanted | found:
        if found.get(name) != wanted.get(name):
            given = f"has {found[name]}" if name in found else "is missing"
            asked = wanted.get(name, "no array of this name")
            raise ValueError(f"{what} does not fit its model: {name} {given}, expected {asked}; {do}.")
    names = iter(wanted)
    return map_leaves(lambda _: arrays[next(names)], expected)


def check_floats(what, p):
    """p, unless its leaves are not all float32 or all float64: ValueError."""
    dtypes = {str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in leaves(p).values()}
    if len(dtypes) > 1 or not dtypes <= set(FLOATS):
        raise ValueError(
            f"{what} has parameters of {' and '.join(sorted(dtypes))}: expected all of float32, or all of float64; "
            "convert them with astype.")
    return p


def _check_dtype(name, array, error):
    if array.dtype not in FLOATS and array.dtype.kind not in "iu":
        raise error(f"{name} has dtype {array.dtype}: expected float32, float64 or integers")


def describe(model):
    """A model, optimiser or schedule as plain data: its class and every option, nested.

    An option that came later, as its field's metadata says, is left out at its default: older files do not have it.
    """
    if is_dataclass(model):
        given = {field: getattr(model, field.name) for field in fields(model)}
        options = {
            field.name: describe(value) for field, value in given.items()
            if not (field.metadata.get("later") and value == field.default)}
        return {"class": type(model).__name__, "options": options}
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
        known = ", ".join(sorted(classes))
        raise ValueError(f"{name} is none of {known}; a class of your own is given with load(path, {name})")
    return classes[name](**{option: build(given, classes) for option, given in description["options"].items()})


def _built(what, description, classes):
    try:
        model = build(description, classes)
        if not is_dataclass(model):
            raise TypeError(f"{description!r} is no class with options")
        return model
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{what} holds a model that this program cannot build ({error}): "
            "expected classes and options that it has; install the minidurnn that wrote it.") from error


def _classes(model):
    """The classes of a model and of its parts, by name."""
    if isinstance(model, (tuple, list)):
        return {name: kind for part in model for name, kind in _classes(part).items()}
    if not is_dataclass(model):
        return {}
    parts = [getattr(model, field.name) for field in fields(model)]
    return {type(model).__name__: type(model), **_classes(parts)}
