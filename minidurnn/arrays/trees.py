"""Trees: arrays in nested dictionaries, tuples and lists. Parameters, gradients and optimiser states are trees."""


def leaves(tree, path=""):
    """The arrays of a tree by their path: {"body": {"W": a}}  ->  {"body/W": a}. None is no leaf."""
    if tree is None:
        return {}
    if not isinstance(tree, (dict, tuple, list)):
        return {path: tree}
    found = {}
    for key, branch in tree.items() if isinstance(tree, dict) else enumerate(tree):
        found.update(leaves(branch, f"{path}/{key}" if path else str(key)))
    return found


def map_leaves(function, tree, *others):
    """A tree of the same form whose leaves are function(leaf, *the leaves of the others at that place)."""
    if tree is None:
        return None
    if isinstance(tree, dict):
        return {key: map_leaves(function, branch, *(other[key] for other in others)) for key, branch in tree.items()}
    if isinstance(tree, (tuple, list)):
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


def trained(tree):
    """A tree of parameters without its running statistics, the leaves named running_..., which no gradient has."""
    if not isinstance(tree, dict):
        return tree
    return {key: trained(branch) for key, branch in tree.items() if not key.startswith("running_")}


def count(tree):
    """How many trained numbers a tree of parameters holds."""
    return sum(leaf.size for leaf in leaves(trained(tree)).values())
