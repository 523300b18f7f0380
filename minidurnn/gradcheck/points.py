"""Random points at which a model is asked, and its answers there by name."""

from collections import namedtuple

import numpy as np

from ..arrays.lengths import without_padding
from ..arrays.trees import add, map_leaves, merge, read_only, trained
from ..arrays.trees import leaves as leaves_of
from ..networks.chunked import run

Point = namedtuple("Point", "p x state noise lengths dh dlast")


def random_leaves(model, rng, T, B):
    """Random float64 leaves around the start values  ->  {"p", "x" (T, B, inputs), "state" (B, state_size)}."""
    p = map_leaves(lambda a: a + 0.3 * rng.uniform(-1.5, 1.5, a.shape), model.init(rng))
    return {"p": p, "x": rng.standard_normal((T, B, model.inputs)), "state": rng.standard_normal((B, model.state_size))}


def random_point(model, rng, T, B, *, symbols=False, spread=1.0, training=False, lengths=None):
    """Read-only random arguments in float64, within the model's constraints, each parameter of both signs  ->  Point.

    symbols    x are integers (T, B) below `inputs`
    spread     the deviation of x: 4 drives activations into saturation
    training   with the noise that the model draws
    lengths    (B,) or None: dh is zero behind each sequence's end
    """
    start, x, state = random_leaves(model, rng, T, B).values()
    signed = map_leaves(lambda a: _both_signs(rng, a), trained(start, model.statistics))
    p = model.project(read_only(merge(start, signed)))
    x = rng.integers(0, model.inputs, (T, B)) if symbols else spread * x
    noise = model.draw(rng, B) if training else None
    dh, dlast = rng.standard_normal((T, B, model.outputs)), rng.standard_normal((B, model.state_size))
    dh = without_padding(dh, lengths)
    return Point(*read_only((p, x, state, noise, lengths, dh, dlast)))


def _both_signs(rng, leaf):
    """The leaf with half of its entries negative, whichever they were."""
    signs = np.resize(rng.permutation([1.0, -1.0]), leaf.size)
    return np.asarray(np.abs(leaf) * rng.permutation(signs).reshape(leaf.shape))


def cast(point, dtype):
    """The point with its floats in a dtype. Noise stays as it was drawn."""
    def to_dtype(leaf):
        return leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf

    parts = {name: map_leaves(to_dtype, getattr(point, name)) for name in ("p", "x", "state", "dh", "dlast")}
    return point._replace(**read_only(parts))


def with_gaps(leaf):
    """An equal array whose entries stand neither side by side nor in C's order."""
    if not isinstance(leaf, np.ndarray) or not leaf.ndim:
        return leaf
    wide = np.zeros((2 * leaf.shape[-1], *leaf.shape[-2::-1]), leaf.dtype).T[..., ::2]
    wide[...] = leaf
    return wide


def forward(model, point):
    """model.forward at the point  ->  h, tape."""
    return run(model, point.p, point.x, point.state, point.noise, point.lengths)


def named(h, last, gradients):
    """All answers by name; an embedding's dx, which is None, is left out."""
    return leaves_of({"h": h, "last_state": last, **dict(zip(("dx", "dstate0", "dp"), gradients))})


def answers(model, point):
    """What the model says at the point, by name: h, last_state, dx, dstate0, dp/..."""
    h, tape = forward(model, point)
    return named(h, model.last_state(tape), model.backward(point.dh, tape, point.dlast))


def walk(model, point, pieces):
    """The same answers from a run over pieces of the sequence: the state is handed on, and its gradient back."""
    outputs, tapes, last = [], [], point.state
    for piece in pieces:
        h, tape = forward(model, point._replace(x=point.x[piece], state=last))
        last = model.last_state(tape)
        outputs.append(h)
        tapes.append(tape)
    dinputs, dp, dstate = [], None, point.dlast
    for piece, tape in zip(reversed(pieces), reversed(tapes)):
        dx, dstate, dpart = model.backward(point.dh[piece], tape, dstate)
        dinputs.insert(0, dx)
        dp = add(dp, dpart)
    dx = None if dinputs[0] is None else np.concatenate(dinputs)
    return named(np.concatenate(outputs), last, (dx, dstate, dp))


def assert_same(found, expected, promise, tolerance=1e-10, least=1e-3):
    """Raise AssertionError with the promise unless both hold equal arrays under equal names.

    tolerance   of an array's largest entry, or of `least` times the largest entry of all where that is more
    """
    most = max((np.abs(array).max(initial=0.0) for array in expected.values()), default=0.0)
    for name, right in expected.items():
        given = found[name]
        if given.shape != right.shape:
            raise AssertionError(f"{promise}: {name} has shape {given.shape}, expected {right.shape}.")
        off, size = np.abs(given - right).max(initial=0.0), np.abs(right).max(initial=0.0)
        if not off <= tolerance * max(size, least * most):
            raise AssertionError(
                f"{promise}: {name} {right.shape} is off by {off:.2g} where its largest entry is {size:.2g}."
            )
