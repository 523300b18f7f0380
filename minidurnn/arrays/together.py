"""Work on every element of every leaf of a tree. On a GPU all leaves are one long array, for every launch costs."""

import numpy as np

from .backend import namespace
from .trees import leaves, map_leaves


def together(tree, *others):
    """The leaves of trees of one form side by side, as few arrays as pay  ->  list of (array, *the others'), back.

    back     makes a tree of a list of results, one for each entry, each like its array
    others   may have more leaves, which are left out
    With NumPy an entry is a leaf, which stays in the processor's cache; with CuPy there is one entry, all leaves in a
    row, unless their dtypes differ.
    """
    found = leaves(tree)
    rows = [[row[path] for path in found] for row in (found, *map(leaves, others))]
    xp = namespace(*found.values()) if found else np
    if xp is np or len({leaf.dtype for row in rows for leaf in row}) > 1:
        return list(zip(*rows)), lambda results: _tree(tree, results)
    ends = np.cumsum([leaf.size for leaf in rows[0]]).tolist()

    def back(results):
        parts = [results[0][end - leaf.size:end].reshape(leaf.shape) for end, leaf in zip(ends, rows[0])]
        return _tree(tree, parts)

    return [tuple(_long(xp, row, ends) for row in rows)], back


def _long(xp, row, ends):
    """Leaves in a row (CuPy's concatenate uploads a table of many arrays, and waits for it)."""
    long = xp.empty(ends[-1], row[0].dtype)
    for leaf, end in zip(row, ends):
        long[end - leaf.size:end] = leaf.ravel()
    return long


def _tree(form, results):
    rest = iter(results)
    return map_leaves(lambda leaf: next(rest), form)
