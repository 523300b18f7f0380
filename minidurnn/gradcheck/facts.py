"""What a model says of itself: its sizes and flags, its start values, its constraints, its noise and its chunks."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

import numpy as np

from ..arrays.trees import leaves as leaves_of
from ..arrays.trees import map_leaves, read_only, trained
from ..cells.contract import check_model

PLAIN = (str, int, float, bool, np.generic, type(None))


def assert_facts(model, rng):
    """Raise AssertionError unless the model's attributes, init, draw, chunks and project keep the contract."""
    _assert_sizes(model)
    _assert_options(model)
    p = _assert_start(model, rng)
    _assert_paths(model, p)
    _assert_noise(model, rng)
    _assert_chunks(model)


def _assert_sizes(model):
    for name, least in (("inputs", 1), ("outputs", 1), ("state_size", 0), ("chunk", 1)):
        size = getattr(model, name)
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < least:
            raise AssertionError(f"{name} is {size!r}: expected an int of at least {least}.")
    for name in ("needs_noise", "needs_lengths", "whole"):
        if not isinstance(getattr(model, name), bool):
            raise AssertionError(f"{name} is {getattr(model, name)!r}: expected True or False.")
    if model.keep not in ("tapes", "boundaries"):
        raise AssertionError(f"keep is {model.keep!r}: expected 'tapes' or 'boundaries'.")


def _assert_options(model):
    """A file holds a model as its class and its fields."""
    kind = type(model)
    if not is_dataclass(kind) or not kind.__dataclass_params__.frozen:
        raise AssertionError(
            f"{kind.__name__} is no frozen dataclass: expected @dataclass(frozen=True) above the class; "
            "save and load know a model by its fields."
        )
    for field in fields(model):
        if not _is_plain(getattr(model, field.name)):
            raise AssertionError(
                f"{field.name} is {getattr(model, field.name)!r}: expected a number, a text, None, a model, or a tuple "
                "of such; a file can hold no other option."
            )
    if replace(model) != model:
        raise AssertionError("a model made of the same options differs: expected that its fields are all that it is.")


def _is_plain(option):
    if isinstance(option, tuple):
        return all(map(_is_plain, option))
    return isinstance(option, PLAIN) or is_dataclass(option)


def _assert_start(model, rng):
    """init's promises  ->  p."""
    seed = int(rng.integers(2**32))
    p, again = (model.init(np.random.default_rng(seed)) for _ in range(2))
    if not isinstance(p, dict) or any("/" in name for branch in _dictionaries(p) for name in branch):
        raise AssertionError(f"init gives {p!r}: expected a dictionary of arrays, whose names hold no '/'.")
    found, other = leaves_of(p), leaves_of(again)
    for path, leaf in found.items():
        if getattr(leaf, "dtype", None) != np.float32:
            raise AssertionError(
                f"init gives leaves of another dtype than float32: {path} has {getattr(leaf, 'dtype', type(leaf))}."
            )
        if not np.isfinite(leaf).all():
            raise AssertionError(f"init gives {path} {leaf.shape} with entries that are not finite.")
        if not np.array_equal(leaf, other[path]):
            raise AssertionError(f"init gives another {path} {leaf.shape} for the same seed: draw from rng alone.")
    shapes = {path: leaf.shape for path, leaf in found.items()}
    if getattr(model, "shapes", shapes) != shapes:
        raise AssertionError(f"init gives the shapes {shapes}: expected {model.shapes}.")
    return p


def _dictionaries(tree):
    if isinstance(tree, dict):
        yield tree
        for branch in tree.values():
            yield from _dictionaries(branch)


def _assert_paths(model, p):
    """Where statistics, decayed and state_slices point."""
    for name, paths in (("statistics", leaves_of(p)), ("decayed", leaves_of(trained(p, model.statistics)))):
        given = getattr(model, name)
        if not isinstance(given, tuple) or not set(given) <= set(paths):
            raise AssertionError(f"{name} is {given!r}: expected a tuple of paths among {', '.join(paths)}.")
    if model.statistics and not model.whole:
        raise AssertionError(
            f"statistics is {model.statistics!r} for a model that may be split: expected whole=True, for those of a "
            "part of a sequence are not kept."
        )
    if not isinstance(model.state_slices, Mapping):
        raise AssertionError(f"state_slices is {model.state_slices!r}: expected a dictionary of slices by name.")
    for name, part in model.state_slices.items():
        inside = isinstance(part, slice) and part.step is None and None not in (part.start, part.stop)
        if not inside or not 0 <= part.start <= part.stop <= model.state_size:
            raise AssertionError(
                f"state_slices[{name!r}] is {part!r}: expected a slice(start, stop) within a state of "
                f"{model.state_size} numbers."
            )


def _assert_noise(model, rng):
    seed = int(rng.integers(2**32))
    noise, again = (model.draw(np.random.default_rng(seed), 3) for _ in range(2))
    if (noise is not None) != model.needs_noise:
        raise AssertionError(
            f"draw gives {noise!r} with needs_noise={model.needs_noise}: expected None unless forward takes noise."
        )
    if not all(map(np.array_equal, leaves_of(noise).values(), leaves_of(again).values())):
        raise AssertionError("draw gives other noise for the same seed: draw from rng alone.")


def _assert_chunks(model):
    for T in (1, 7, 41):
        try:
            pieces, asked = model.chunks(T), model.chunks(T, np.zeros((T, 1, model.inputs)))
        except TypeError as error:
            raise AssertionError(f"chunks(T) or chunks(T, like) fails ({error}): expected it to take both, "
                                 "chunks(self, T, like=None).") from error
        if [*map(str, asked)] != [*map(str, pieces)]:
            raise AssertionError(f"chunks({T}, like) gives {asked} for a NumPy array: expected {pieces}, as without.")
        covered = [list(range(T)[piece]) for piece in pieces]
        if not all(covered) or sum(covered, []) != list(range(T)):
            raise AssertionError(f"chunks({T}) gives {pieces}: expected slices that cover {T} steps once, in order.")
        if model.whole and len(pieces) > 1:
            raise AssertionError(f"chunks({T}) gives {len(pieces)} pieces with whole=True: expected one.")
    check_model("inner", model.inner)
    for name in ("inputs", "outputs", "state_size"):
        if getattr(model.inner, name) != getattr(model, name):
            raise AssertionError(
                f"inner has {name} {getattr(model.inner, name)}: expected the model's own {getattr(model, name)}."
            )


def assert_projection(model, rng):
    """Raise AssertionError unless project is pure, keeps form and dtype, and gives p itself back where p is inside."""
    start = model.init(rng)
    far = map_leaves(lambda a: a + 3 * rng.standard_normal(a.shape).astype(a.dtype), start)
    before = leaves_of(read_only(far))
    once = model.project(far)
    if any(array is not before[path] for path, array in leaves_of(far).items()):
        raise AssertionError("project exchanged arrays in the dictionary that it was given: expected a new one.")
    forms, found = ({path: f"{a.shape} {a.dtype}" for path, a in leaves_of(tree).items()} for tree in (far, once))
    for path in forms | found:
        if forms.get(path) != found.get(path):
            raise AssertionError(f"project gives {path} as {found.get(path)}: expected {forms.get(path)}.")
    if model.project(once) is not once:
        raise AssertionError("project changes parameters that it has projected before: expected p itself back.")
    if model.project(start) is not start:
        raise AssertionError("project changes the start values: expected that init gives them within the constraints.")
