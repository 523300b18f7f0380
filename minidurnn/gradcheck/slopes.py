"""The one gradient checker: random cotangents, random directions, central differences in float64, clear of kinks."""

import numpy as np

from ..arrays.backend import namespace
from ..arrays.trees import leaves as leaves_of
from ..arrays.trees import map_leaves

STEP = 1e-5                                                   # of the longer of the two difference quotients
REDRAWS = 20


class NotSmooth(AssertionError):
    """There is a kink at or around the point, so no difference quotient can tell the slope there."""


def assert_gradient(forward, backward, leaves, *, rng, tolerance=1e-7):
    """Raise AssertionError unless `backward` is the gradient of `forward` at `leaves`.

    forward    leaves -> outputs, an array or a tree of arrays
    backward   cotangents (like the outputs) -> gradients (like the leaves)
    leaves     dict (nested at will) of float64 arrays; each is checked by itself, so an error has a name
    tolerance  of the largest of: both slopes, the gradient's norm, and a thousandth of the norm of c ⊙ forward, which
               rounding asks for: a slope below tolerance/1000 of the outputs cannot be told from zero
    Method     for a random cotangent c and a random direction v per leaf, the slope of ⟨c, forward⟩ along v must equal
               ⟨gradient, v⟩. Two step sizes must agree on that slope, and the slopes ahead and behind must meet as the
               step shrinks; where not, a kink (relu) is near, and c and v are drawn again, at most 20 times.
    """
    for name, leaf in leaves_of(leaves).items():
        if leaf.dtype != np.float64:
            raise TypeError(
                f"leaf {name} has dtype {leaf.dtype}: expected float64; finite differences need its digits."
            )
    here = forward(leaves)
    for name, leaf in leaves_of(leaves).items():
        for _ in range(REDRAWS):
            cotangents = map_leaves(lambda y: like(rng.standard_normal(y.shape), y), here)
            gradient = _by_path(backward(cotangents), leaves)[name]
            direction = like(rng.standard_normal(leaf.shape), leaf)
            (long, long_bend), (short, short_bend) = (
                _slopes(forward, leaves, name, step * direction, step, here, cotangents) for step in (STEP, STEP / 2)
            )
            claimed = float((gradient * direction).sum())
            size = max(abs(short), abs(claimed), _norm([gradient]), 1e-3 * _norm(_products(cotangents, here)))
            kink = 2 * short_bend - long_bend                 # what is left of the bend at step 0, ten times as noisy
            if max(abs(long - short), abs(kink) / 10) <= tolerance * size:
                break
        else:
            raise NotSmooth(
                f"leaf {name}: two step sizes disagree in {REDRAWS} draws; "
                "the function is not smooth around this point, choose another one."
            )
        if not abs(short - claimed) <= tolerance * size:
            raise AssertionError(
                f"leaf {name}: backward gives the slope {claimed:.9g} and finite differences give {short:.9g} "
                f"(relative error {abs(short - claimed) / size:.1e}, tolerance {tolerance:.0e})."
            )


def like(array, other):
    """`array` (NumPy) in the library of `other`."""
    return array if isinstance(other, np.ndarray) else namespace(other).asarray(array)


def _slopes(forward, leaves, name, move, step, here, cotangents):
    """The slopes of ⟨cotangents, forward⟩ along one leaf, ahead and behind  ->  their mean, half their difference."""
    here = leaves_of(here)
    ahead, behind = (leaves_of(forward(_moved(leaves, name, way * move))) for way in (1, -1))
    cotangents = leaves_of(cotangents)
    up = sum(float(((ahead[path] - here[path]) * c).sum()) for path, c in cotangents.items()) / step
    down = sum(float(((here[path] - behind[path]) * c).sum()) for path, c in cotangents.items()) / step
    return (up + down) / 2, (up - down) / 2


def _products(tree, other):
    return leaves_of(map_leaves(lambda a, b: a * b, tree, other)).values()


def _norm(arrays):
    return sum(float((array * array).sum()) for array in arrays) ** 0.5


def _moved(tree, name, move, path=""):
    """The same tree with `move` added to one leaf."""
    if not isinstance(tree, dict):
        return tree + move if path == name else tree
    return {key: _moved(branch, name, move, f"{path}/{key}" if path else key) for key, branch in tree.items()}


def _by_path(gradients, leaves):
    """The gradients by path, after a check that they stand where the leaves stand and have their shapes."""
    gradients, leaves = leaves_of(gradients), leaves_of(leaves)
    if gradients.keys() != leaves.keys():
        raise AssertionError(f"backward gives gradients of {', '.join(gradients)}: expected {', '.join(leaves)}.")
    for name, gradient in gradients.items():
        if gradient.shape != leaves[name].shape:
            raise AssertionError(
                f"the gradient of leaf {name} has shape {gradient.shape}: expected {leaves[name].shape}."
            )
    return gradients
