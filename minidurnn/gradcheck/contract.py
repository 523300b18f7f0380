"""assert_cell: whether a model keeps the whole contract of `cells/contract.py`, and if not, which promise it breaks."""

import numpy as np

from ..arrays.lengths import without_padding
from ..arrays.trees import map_leaves, merge, trained
from ..cells.contract import check_model
from ..networks.chunked import run
from .facts import assert_facts, assert_projection
from .points import forward, random_point
from .promises import (
    assert_causal,
    assert_dtype,
    assert_layout,
    assert_none_is_zero,
    assert_padding,
    assert_pure,
    assert_shapes,
    assert_split,
    assert_updated,
)
from .slopes import REDRAWS, NotSmooth, assert_gradient, like

T, B, LONG, PIECE = 7, 3, 41, 7                               # every size different: a swapped axis cannot hide
LENGTHS = np.array([4, 7, 1])                                 # of B sequences of T steps


def assert_cell(model, rng):
    """Raise AssertionError, with the promise that is broken, unless `model` keeps the whole contract.

    model    a cell, a layer or a stack; one that reads symbols, such as an embedding, is given integers (T, B)
    rng      a generator; the checks draw from a child of it, so that its own numbers do not depend on them
    Checked  what the model says of itself (sizes, flags, paths, chunks); `init` and `project`; shapes; that nothing is
             written or kept (ValueError at a line that writes into an argument); the gradients, in evaluation and with
             the noise of training, with and without lengths, also in saturation; that None means zero; that a
             sequence of 41 steps run in pieces of 7 equals one run; that each sequence is for itself and knows nothing
             of later steps; that, with lengths, nothing is read behind a sequence's end, and its last state is the one
             there; arrays with gaps; dtype in = dtype out, with equal numbers; `updated`. Sequences have up to 41
             steps, those of a `whole` model up to 7.
    Raises   TypeError for what is no model at all.
    """
    check_model("the model", model)
    rng, = rng.spawn(1)
    assert_facts(model, rng)
    assert_projection(model, rng)
    ways = _ways(model, rng)
    for way in ways:
        assert_shapes(model, random_point(model, rng, T, B, **way))
        assert_pure(model, *(random_point(model, rng, T, B, **way) for _ in range(2)))
    for way in ways:
        _assert_gradient(model, rng, T, B, **way)
    for steps, sequences in ((1, 2), (2, 1)):
        _assert_gradient(model, rng, steps, sequences, **ways[0], spread=4.0)
    for way in ways:
        point = random_point(model, rng, T, B, **way)
        assert_none_is_zero(model, point)
        if "lengths" in way:
            assert_padding(model, point)
        elif not model.whole:
            assert_split(model, random_point(model, rng, LONG, B, **way), PIECE)
        assert_layout(model, point)
        _assert_dtype(model, rng, way)
        assert_updated(model, point)
    evaluation = [way for way in ways if "training" not in way][-1]      # with lengths, if it takes them
    assert_causal(model, random_point(model, rng, T, B, **evaluation), LENGTHS)


def _ways(model, rng):
    """The ways in which the model can be run, as options of random_point: evaluation first."""
    first = {"symbols": _reads_symbols(model, rng)}
    ways = [first, {**first, "training": True}] if model.needs_noise else [first]
    if model.needs_lengths:
        try:
            forward(model, random_point(model, rng, T, B, **ways[-1], lengths=LENGTHS))
        except ValueError as refusal:                         # statistics per step take no lengths, and say so
            if "lengths" not in str(refusal):
                raise
        else:
            ways += [{**way, "lengths": LENGTHS} for way in ways]
    return ways


def _reads_symbols(model, rng):
    """Whether x are integers (T, B), as for an embedding: numbers (T, B, inputs) are refused, and symbols are not."""
    p = model.init(rng)
    try:
        run(model, p, np.zeros((2, 2, model.inputs), np.float32))
    except (TypeError, ValueError, IndexError) as refusal:
        try:
            run(model, p, np.zeros((2, 2), int))
        except (TypeError, ValueError, IndexError):
            raise refusal from None
        return True
    return False


def assert_cell_gradient(model, rng, T, B, like=None):
    """assert_gradient for x, state and every parameter of a model, in evaluation.

    like     an array of the library to compute with, NumPy unless given
    Method   at a random point; another one is drawn where the first stands at a kink, at most 20 times.
    """
    rng, = rng.spawn(1)
    _assert_gradient(model, rng, T, B, library=like, symbols=_reads_symbols(model, rng))


def _assert_gradient(model, rng, T, B, library=None, **way):
    for left in reversed(range(REDRAWS)):
        point = random_point(model, rng, T, B, **way)
        if library is not None:
            point = map_leaves(lambda leaf: like(leaf, library), point)
        try:
            return _assert_gradient_at(model, point, rng)
        except NotSmooth:
            if not left:
                raise
    return None


def _assert_gradient_at(model, point, rng):
    _, tape = forward(model, point)
    leaves = {"p": trained(point.p, model.statistics), "x": point.x, "state": point.state}
    leaves = {name: leaf for name, leaf in leaves.items() if name == "p" or leaf.size and leaf.dtype.kind == "f"}

    def outputs(leaves):
        moved = point._replace(**{**leaves, "p": merge(point.p, leaves["p"])})
        h, tape = forward(model, moved)
        return {"h": without_padding(h, point.lengths), "last": model.last_state(tape)}

    def gradients(cotangents):
        dx, dstate0, dp = model.backward(without_padding(cotangents["h"], point.lengths), tape, cotangents["last"])
        return {name: {"p": dp, "x": dx, "state": dstate0}[name] for name in leaves}

    assert_gradient(outputs, gradients, leaves, rng=rng)


def _assert_dtype(model, rng, way):
    for left in reversed(range(3)):                           # at a kink the two dtypes may stand on either side
        try:
            return assert_dtype(model, random_point(model, rng, T, B, **way))
        except AssertionError:
            if not left:
                raise
    return None
