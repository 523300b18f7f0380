"""The one gradient checker: random cotangents, random directions, central differences in float64, clear of kinks."""

import numpy as np

from .arrays.trees import leaves as leaves_of
from .arrays.trees import map_leaves, merge, trained

STEP = 1e-5                                                   # of the longer of the two difference quotients
REDRAWS = 20


class NotSmooth(AssertionError):
    """There is a kink at or around the point, so no difference quotient can tell the slope there."""


def assert_gradient(forward, backward, leaves, *, rng, tolerance=1e-7):
    """Raise AssertionError unless `backward` is the gradient of `forward` at `leaves`.

    forward    leaves -> outputs, an array or a tree of arrays
    backward   cotangents (like the outputs) -> gradients (like the leaves)
    leaves     dict (nested at will) of float64 arrays; each is checked by itself, so an error has a name
    Method     for a random cotangent c and a random direction v per leaf, the slope of ⟨c, forward⟩ along v must equal
               ⟨gradient, v⟩. Two step sizes must agree on that slope, and the slopes ahead and behind must meet as the
               step shrinks; where not, a kink (relu) is near, and c and v are drawn again, at most 20 times.
    """
    for name, leaf in leaves_of(leaves).items():
        if leaf.dtype != np.float64:
            raise TypeError(f"leaf {name} has dtype {leaf.dtype}: expected float64; finite differences need its digits.")
    for name, leaf in leaves_of(leaves).items():
        for _ in range(REDRAWS):
            here = forward(leaves)
            cotangents = map_leaves(lambda y: _like(rng.standard_normal(y.shape), y), here)
            gradient = _by_path(backward(cotangents), leaves)[name]
            direction = _like(rng.standard_normal(leaf.shape), leaf)
            (long, long_bend), (short, short_bend) = (_slopes(forward, leaves, name, direction, step, here, cotangents) for step in (STEP, STEP / 2))
            claimed = float((gradient * direction).sum())
            size = max(abs(short), abs(claimed), float((gradient * gradient).sum()) ** 0.5, 1e-3)
            kink = 2 * short_bend - long_bend                 # what is left of the bend at step 0, with ten times the noise
            if max(abs(long - short), abs(kink) / 10) <= tolerance * size:
                break
        else:
            raise NotSmooth(f"leaf {name}: two step sizes disagree in {REDRAWS} draws; the function is not smooth around this point, choose another one.")
        if not abs(short - claimed) <= tolerance * size:
            raise AssertionError(f"leaf {name}: backward gives the slope {claimed:.9g} and finite differences give {short:.9g} (relative error {abs(short - claimed) / size:.1e}, tolerance {tolerance:.0e}).")


def _slopes(forward, leaves, name, direction, step, here, cotangents):
    """The slopes of ⟨cotangents, forward⟩ along one leaf, ahead and behind  ->  their mean, half their difference."""
    here = leaves_of(here)
    ahead, behind = (leaves_of(forward(_moved(leaves, name, way * step * direction))) for way in (1, -1))
    up = sum(float(((ahead[path] - here[path]) * c).sum()) for path, c in leaves_of(cotangents).items()) / step
    down = sum(float(((here[path] - behind[path]) * c).sum()) for path, c in leaves_of(cotangents).items()) / step
    return (up + down) / 2, (up - down) / 2


def assert_cell(cell, rng):
    """Raise AssertionError unless `cell` keeps the whole contract of a cell.

    Its gradients are right, for outputs and last state, with and without a direct gradient; a sequence split in two
    equals one run; no state means zeros; nothing is written into arguments (ValueError at the line that writes); two
    backward calls agree; dtype in = dtype out; B = 1, T = 1 and arrays with gaps work; `init` gives float32 leaves in
    the cell's `shapes`; `project` changes nothing twice.
    """
    _assert_pure(cell, rng)
    for T, B in ((7, 3), (1, 2), (2, 1)):                     # every size different: a swapped axis cannot hide
        assert_cell_gradient(cell, rng, T, B)
    _assert_split(cell, rng)
    _assert_dtypes(cell, rng)
    _assert_projection(cell, rng)


def assert_cell_gradient(cell, rng, T, B, like=None):
    """assert_gradient for x, state and every parameter of a cell or any model with its contract.

    like     an array of the library to compute with, NumPy unless given
    Method   at a random point; another one is drawn where the first stands at a kink, at most 20 times.
    """
    for left in reversed(range(REDRAWS)):
        leaves = random_leaves(cell, rng, T, B)
        if like is not None:
            leaves = map_leaves(lambda leaf: _like(leaf, like), leaves)
        try:
            _assert_gradient_at(leaves, cell, rng)
            break
        except NotSmooth:
            if not left:
                raise


def _assert_gradient_at(leaves, cell, rng):
    everything = leaves["p"]                                  # running statistics too, which have no gradient
    leaves = {**leaves, "p": trained(everything)}

    def forward(leaves):
        h, tape = cell.forward(merge(everything, leaves["p"]), leaves["x"], leaves["state"])
        return {"h": h, "last": cell.last_state(tape)}

    def backward(cotangents):
        _, tape = cell.forward(everything, leaves["x"], leaves["state"])
        dx, dstate0, dp = cell.backward(cotangents["h"], tape, cotangents["last"])
        return {"p": dp, "x": dx, "state": dstate0}

    assert_gradient(forward, backward, leaves, rng=rng)
    assert_gradient(lambda leaves: forward(leaves)["last"], lambda last: backward({"h": None, "last": last}), leaves, rng=rng)
    assert_gradient(lambda leaves: forward(leaves)["h"], lambda h: backward({"h": h, "last": None}), leaves, rng=rng)


def random_leaves(cell, rng, T, B):
    """Random float64 leaves around the cell's start values  ->  {"p", "x" (T, B, inputs), "state" (B, state_size)}."""
    p = map_leaves(lambda a: a + 0.3 * rng.uniform(-1.5, 1.5, a.shape), cell.init(rng))
    return {"p": p, "x": rng.standard_normal((T, B, cell.inputs)), "state": rng.standard_normal((B, cell.state_size))}


def _assert_split(cell, rng):
    T, B, cut = 7, 2, 3
    leaves = random_leaves(cell, rng, T, B)
    p, x, state = leaves["p"], leaves["x"], leaves["state"]
    whole, tape = cell.forward(p, x, state)
    first, tape_1 = cell.forward(p, x[:cut], state)
    second, tape_2 = cell.forward(p, x[cut:], cell.last_state(tape_1))
    dh, dlast = rng.standard_normal(whole.shape), rng.standard_normal((B, cell.state_size))
    dx, dstate0, dp = cell.backward(dh, tape, dlast)
    dx_2, carried, dp_2 = cell.backward(dh[cut:], tape_2, dlast)
    dx_1, dstate0_1, dp_1 = cell.backward(dh[:cut], tape_1, carried)
    _assert_close("the outputs", np.concatenate([first, second]), whole)
    _assert_close("the last state", cell.last_state(tape_2), cell.last_state(tape))
    _assert_close("dx", np.concatenate([dx_1, dx_2]), dx)
    _assert_close("dstate0", dstate0_1, dstate0)
    for name, total in leaves_of(dp).items():
        _assert_close(f"dp {name}", leaves_of(dp_1)[name] + leaves_of(dp_2)[name], total)


def _assert_close(what, split, whole):
    if split.shape != whole.shape or not np.allclose(split, whole, rtol=1e-10, atol=1e-12):
        raise AssertionError(f"{what} of a sequence split in two, with the state handed on, is not that of one run.")


def _assert_pure(cell, rng):
    leaves = random_leaves(cell, rng, 5, 2)
    dh, dlast = rng.standard_normal((5, 2, cell.outputs)), rng.standard_normal((2, cell.state_size))
    for array in (*leaves_of(leaves).values(), dh, dlast):
        array.flags.writeable = False                         # a write raises at its own line
    h, tape = cell.forward(leaves["p"], leaves["x"], leaves["state"])
    before = h.copy()
    once, again = (leaves_of(cell.backward(dh, tape, dlast)) for _ in range(2))
    if not all((once[name] == again[name]).all() for name in once):
        raise AssertionError("two backward calls on one tape differ: backward must not keep or change anything.")
    if not (h == before).all() or not (cell.forward(leaves["p"], leaves["x"], leaves["state"])[0] == before).all():
        raise AssertionError("the outputs changed after backward: the cell must write only into arrays of its own.")
    fresh, zeros = (cell.forward(leaves["p"], leaves["x"], state)[0] for state in (None, 0 * leaves["state"]))
    if not (fresh == zeros).all():
        raise AssertionError("the outputs without a state are not those with a state of zeros.")


def _assert_dtypes(cell, rng):
    p = cell.init(rng)
    shapes = {name: leaf.shape for name, leaf in leaves_of(p).items()}
    if getattr(cell, "shapes", shapes) != shapes:
        raise AssertionError(f"init gives the shapes {shapes}: expected {cell.shapes}.")
    if any(leaf.dtype != np.float32 for leaf in leaves_of(p).values()):
        raise AssertionError("init gives leaves of another dtype than float32.")
    x, dh = rng.standard_normal((4, 3, 2 * cell.inputs)), rng.standard_normal((4, 2 * cell.outputs, 2))
    for dtype in ("float32", "float64"):
        _assert_dtype(cell, dtype, p, x, dh)


def _assert_dtype(cell, dtype, p, x, dh):
    p = map_leaves(lambda leaf: leaf.astype(dtype), p)
    x, dh = x.astype(dtype)[:, ::2, ::2], dh.astype(dtype).transpose(0, 2, 1)[..., ::2]     # with gaps between entries
    h, tape = cell.forward(p, x)
    results = leaves_of({"h": h, "last state": cell.last_state(tape), "gradient": cell.backward(dh, tape)})
    for name, array in results.items():
        if array.dtype != dtype:
            raise AssertionError(f"{name} has dtype {array.dtype} for inputs of {dtype}: a cell must not change the dtype.")
    packed, packed_tape = cell.forward(p, np.ascontiguousarray(x))
    if not np.allclose(packed, h) or not np.allclose(cell.backward(np.ascontiguousarray(dh), packed_tape)[0], results["gradient/0"]):
        raise AssertionError("an array with gaps between its entries gives other results than its packed copy.")


def _assert_projection(cell, rng):
    far = map_leaves(lambda a: a + 3 * rng.standard_normal(a.shape).astype(a.dtype), cell.init(rng))
    before = leaves_of(far)
    for array in before.values():
        array.flags.writeable = False                         # a write raises at its own line
    once = cell.project(far)
    if any(array is not before[path] for path, array in leaves_of(far).items()):
        raise AssertionError("project exchanged arrays in the dictionary that it was given: expected a new one.")
    if cell.project(once) is not once:
        raise AssertionError("project changes parameters that it has projected before: expected p itself back.")


def _like(array, other):
    """`array` (NumPy) in the library of `other`."""
    if isinstance(other, np.ndarray):
        return array
    from .arrays.backend import namespace
    return namespace(other).asarray(array)


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
            raise AssertionError(f"the gradient of leaf {name} has shape {gradient.shape}: expected {leaves[name].shape}.")
    return gradients
