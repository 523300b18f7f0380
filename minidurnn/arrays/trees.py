"""Trees: arrays in nested dictionaries, tuples and lists. Parameters, gradients and optimiser states are trees."""

import numpy as np


def leaves(tree, path=""):
    """The arrays of a tree by their path: {"body": {"W": a}}  ->  {"body/W": a}. None is no leaf."""
    found = {}
    _collect(tree, path, found)
    return found


def _collect(tree, path, found):
    if tree is None:
        return
    if not isinstance(tree, (dict, tuple, list)):
        found[path] = tree
        return
    for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
        _collect(branch, f"{path}/{key}" if path else str(key), found)


def map_leaves(function, tree, *others):
    """A tree of the same form whose leaves are function(leaf, *the leaves of the others at that place).

    The others may have more keys.    Raises ValueError where a tuple or list of theirs is longer or shorter.
    """
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: map_leaves(function, branch, *(other[key] for other in others)) for key, branch in tree.items()}
    if isinstance(tree, (tuple, list)):
        if any(len(other) != len(tree) for other in others):
            sizes = " and ".join(str(len(one)) for one in (tree, *others))
            raise ValueError(f"trees with {sizes} branches stand side by side: expected trees of one form.")
        branches = [map_leaves(function, *twins) for twins in zip(tree, *others)]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return function(tree, *others)


def add(total, part):
    """total + part for dictionaries; a key that one of them lacks is zero there. `total` may be None."""
    if total is None:
        return part
    both = {key: branch for key, branch in total.items() if key not in part}
    for key, branch in part.items():
        if key not in total:
            both[key] = branch
        else:
            both[key] = add(total[key], branch) if isinstance(branch, dict) else total[key] + branch
    return both


def merge(tree, part):
    """`tree` with those leaves exchanged that `part`, a tree with fewer of them, holds."""
    return {
        key: merge(branch, part.get(key, {})) if isinstance(branch, dict) else part.get(key, branch)
        for key, branch in tree.items()
    }


def trained(tree, statistics, stem=""):
    """A tree of parameters, nested dictionaries, without the leaves whose paths are in `statistics`."""
    if not isinstance(tree, dict):
        return tree
    return {
        key: trained(branch, statistics, f"{stem}{key}/") for key, branch in tree.items()
        if f"{stem}{key}" not in statistics
    }


def read_only(tree):
    """The tree itself, with every NumPy array locked: a write raises ValueError at the line that writes."""
    for leaf in leaves(tree).values():
        if isinstance(leaf, np.ndarray):
            leaf.flags.writeable = False
    return tree


def count(tree):
    """How many numbers a tree holds."""
    return sum(leaf.size for leaf in leaves(tree).values())


def some_leaf(tree):
    """One of the arrays of p, which are all of one dtype and library."""
    return next(iter(leaves(tree).values()))
