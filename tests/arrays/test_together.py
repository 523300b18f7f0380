"""All leaves at once on a GPU, leaf by leaf with NumPy: the same numbers at the same places."""

import numpy as np
from support import assert_same, on_a_device, rng

from minidurnn import to, to_numpy
from minidurnn.arrays.together import together


def trees(dtype="float32"):
    draw = rng().standard_normal
    one = {"W": draw((3, 2)), "part": {"b": draw(4), "scale": draw(())}}
    other = {"part": {"scale": draw(()), "b": draw(4)}, "more": draw(5), "W": draw((3, 2))}
    return [to("numpy", {"W": t["W"].astype(dtype), "part": {k: np.asarray(v, dtype) for k, v in t["part"].items()},
                         **({"more": t["more"]} if "more" in t else {})}) for t in (one, other)]


def both(one, other):
    rows, back = together(one, other)
    return len(rows), back([a + a - b for a, b in rows])    # 2 * a is float64 in NumPy 1.25 where a has no axis


def test_with_numpy_every_leaf_is_for_itself():
    one, other = trees()
    count, found = both(one, other)
    expected = {"W": one["W"] + one["W"] - other["W"], "part": {
        name: one["part"][name] + one["part"][name] - other["part"][name] for name in ("b", "scale")}}
    assert count == 3
    assert_same(found, to("numpy", expected), 0)


@on_a_device
def test_on_a_gpu_all_leaves_are_one_array_and_come_back_in_their_shapes(xp):
    here, there = trees(), [to("cupy", tree) for tree in trees()]
    count, found = both(*there)
    assert count == 1 and found["part"]["scale"].shape == ()
    assert_same(to_numpy(found), both(*here)[1], 1e-7)


@on_a_device
def test_leaves_of_different_dtypes_stay_apart(xp):
    one, other = (to("cupy", tree) for tree in (trees()[0], trees("float64")[1]))
    count, found = both(one, other)
    assert count == 3 and {leaf.dtype.name for leaf in (found["W"], found["part"]["b"])} == {"float64"}
