"""What a model computes, promise by promise: each raises AssertionError where the answers at a point break it."""

import numpy as np

from ..arrays.lengths import before_end, without_padding
from ..arrays.trees import leaves as leaves_of
from ..arrays.trees import map_leaves, trained
from .points import answers, assert_same, cast, forward, named, walk, with_gaps


def assert_shapes(model, point):
    result = forward(model, point)
    if not isinstance(result, tuple) or len(result) != 2:
        raise AssertionError(f"forward gives a {type(result).__name__}: expected two results, h and a tape.")
    h, tape = result
    result = model.backward(point.dh, tape, point.dlast)
    if not isinstance(result, tuple) or len(result) != 3 or not isinstance(result[2], dict):
        raise AssertionError("backward gives something else than dx, dstate0, dp: expected three, dp a dictionary.")
    dx = {} if point.x.ndim == 2 else {"dx": point.x.shape}   # symbols have no gradient
    expected = {
        "h": (*point.x.shape[:2], model.outputs), "last_state": point.state.shape, **dx, "dstate0": point.state.shape,
        **{f"dp/{path}": leaf.shape for path, leaf in leaves_of(trained(point.p, model.statistics)).items()},
    }
    found = named(h, model.last_state(tape), result)
    found = {name: getattr(array, "shape", type(array)) for name, array in found.items()}
    for name in expected | found:
        if found.get(name) != expected.get(name):
            raise AssertionError(
                f"{name} is {found.get(name, 'missing')}: expected {expected.get(name, 'nothing of this name')}; "
                "parameters have a gradient of their shape, but for the paths in `statistics`, which have none."
            )


def assert_pure(model, point, other):
    """Nothing is kept between calls, and nothing changes that was given or taken."""
    p = leaves_of(point.p)
    h, tape = forward(model, point)
    h_kept = h.copy()
    first = named(h, None, model.backward(point.dh, tape, point.dlast))
    kept = {**map_leaves(np.copy, first), "h": h_kept}
    _, other_tape = forward(model, other)                     # in between, everything else
    for one in (other_tape, tape):
        model.backward(other.dh, one, other.dlast)
    if any(leaf is not p[path] for path, leaf in leaves_of(point.p).items()):
        raise AssertionError("forward or backward exchanged arrays in p: expected that it writes only into its own.")
    for name, array in kept.items():
        if not np.array_equal(first[name], array):
            raise AssertionError(f"{name} {array.shape} changed after it was given: expected an array for each call.")
    gradients = model.backward(point.dh, tape, point.dlast)
    again = named(forward(model, point)[0], None, gradients)
    for name, array in kept.items():
        if not np.array_equal(again[name], array):
            raise AssertionError(
                f"{name} {array.shape} is another at a second call with the same arguments: expected a pure function."
            )


def assert_none_is_zero(model, point):
    """A state, dh or dstate of None counts as zeros."""
    zero = answers(model, point._replace(state=0 * point.state))      # first: a state that it kept is not zero below
    assert_same(answers(model, point._replace(state=None)), zero, "without a state it is zero")
    _, tape = forward(model, point)
    dh, dlast, none = point.dh, point.dlast, 0 * point.state
    cases = {"dh and dstate": (None, None), "dh": (None, dlast), "dstate": (dh, None)}
    for missing, (given, last) in cases.items():
        full = model.backward(0 * dh if given is None else given, tape, none if last is None else last)
        found = model.backward(given, tape, last)
        assert_same(named(None, None, found), named(None, None, full), f"without {missing} it is zero")


def assert_split(model, point, piece):
    """A sequence run in pieces equals one run; so does the inner model on the model's own chunks."""
    steps = len(point.x)
    whole = answers(model, point)
    pieces = [slice(start, min(start + piece, steps)) for start in range(0, steps, piece)]
    promise = f"a sequence of {steps} steps run in pieces of {piece}, with the state handed on, equals one run"
    assert_same(walk(model, point, pieces), whole, promise)
    promise = f"its inner model run over its chunks({steps}), with the state handed on, equals the model"
    assert_same(walk(model.inner, point, model.chunks(steps)), whole, promise)


def assert_causal(model, point, lengths):
    """In evaluation each sequence is for itself, and steps know nothing of later ones, at these lengths."""
    h, tape = forward(model, point)
    last = model.last_state(tape)
    for row, steps in enumerate(lengths):
        own = slice(row, row + 1)
        given = None if point.lengths is None else lengths[own]
        alone, tape = forward(model, point._replace(x=point.x[:steps, own], state=point.state[own], lengths=given))
        promise = f"{steps} steps of one sequence give the same beside other sequences and later steps"
        assert_same({"h": h[:steps, own]}, {"h": alone}, promise)
        if given is not None or steps == len(point.x):
            promise = f"the last state of a sequence of {steps} steps is that after {steps} steps"
            assert_same({"last_state": last[own]}, {"last_state": model.last_state(tape)}, promise)


def assert_padding(model, point):
    """With lengths, nothing is read behind a sequence's end; lengths of all steps are none."""
    x = point.x.copy()
    x[~before_end(point.lengths, len(x), x)] = np.nan if x.dtype.kind == "f" else -1
    expected, found = answers(model, point), answers(model, point._replace(x=x))
    for one in (expected, found):
        one["h"] = without_padding(one["h"], point.lengths)
    assert_same(found, expected, f"nothing is read behind the ends {point.lengths.tolist()}")
    full, none = point._replace(lengths=np.full(len(point.lengths), len(x))), point._replace(lengths=None)
    assert_same(answers(model, full), answers(model, none), "lengths of all steps are as good as none")


def assert_layout(model, point):
    """Arrays with gaps between their entries give what their packed copies give."""
    floats = ("p", "x", "state", "noise", "dh", "dlast")
    spread = point._replace(**{name: map_leaves(with_gaps, getattr(point, name)) for name in floats})
    promise = "arrays with gaps between their entries give what packed ones give"
    assert_same(answers(model, spread), answers(model, point), promise)


def assert_dtype(model, point):
    """Dtype in is dtype out, and the numbers of float32 are those of float64, to its digits."""
    single = cast(point, np.float32)
    exact = cast(single, np.float64)
    found = {"float32": answers(model, single), "float64": answers(model, exact)}
    for dtype, named_arrays in found.items():
        for name, array in named_arrays.items():
            if array.dtype != dtype:
                raise AssertionError(
                    f"{name} {array.shape} has dtype {array.dtype} for inputs of {dtype}: expected that of the inputs."
                )
    promise = "float32 gives the numbers of float64, to its digits"
    assert_same(found["float32"], found["float64"], promise, 1e-4, least=1e-2)


def assert_updated(model, point):
    """`updated` moves running statistics, in training, and nothing else."""
    _, tape = forward(model, point)
    training, before = point.noise is not None, leaves_of(point.p)
    fixed = leaves_of(trained(point.p, model.statistics)) if training else before
    moved = leaves_of(model.updated(point.p, tape))
    forms, found = ({path: f"{a.shape} {a.dtype}" for path, a in leaves.items()} for leaves in (before, moved))
    for path in forms | found:
        if forms.get(path) != found.get(path):
            raise AssertionError(f"updated gives {path} as {found.get(path)}: expected {forms.get(path)}.")
        if np.array_equal(moved[path], before[path]) != (path in fixed):
            raise AssertionError(
                f"updated {'moves' if path in fixed else 'does not move'} {path} {before[path].shape} after "
                f"{'a training pass' if training else 'an evaluation'}: expected that running statistics move in "
                "training, and nothing else ever."
            )
