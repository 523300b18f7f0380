"""Batches of data: what is looked at once, on the CPU, before it goes to a device, where nothing reads it."""

import numpy as np

from .backend import namespace
from .checks import check_classes, check_library
from .lengths import before_end, check_lengths


def check_data(x, target, lengths, network, dtype="float32"):
    """Check a batch of NumPy arrays as a task gives it. What stands in the padding is not looked at.

    network  its body.inputs, outputs and reads say what x and target hold
    returns  the lengths as check_lengths does
    Raises   TypeError for what is no NumPy array, ValueError for numbers that are not finite in `dtype`, class numbers
             out of range and impossible lengths.
    """
    for name, array in (("x", x), ("target", target)):
        check_library(name, array, like=np.float32(0))
        if array.dtype.kind not in "fiu":
            raise TypeError(f"{name} is an array of {array.dtype}: expected numbers; convert with {name}.astype first.")
    if x.ndim < 2 or 0 in x.shape[:2]:
        raise ValueError(
            f"x has shape {x.shape}: expected (T, B, {network.body.inputs}), time first, "
            "with at least one step and one sequence.")
    T, B = x.shape[:2]
    lengths = check_lengths(lengths, T, B)
    inside = None if lengths is None else before_end(lengths, T, x)
    per_step = network.reads == "every" and target.shape[:2] == (T, B)
    for name, array, classes, valid in (
        ("x", x, network.body.inputs, inside), ("target", target, network.outputs, inside if per_step else None),
    ):
        if array.dtype.kind in "iu":
            check_classes(name, array, array.shape, classes, valid=valid)
        elif array.dtype.kind == "f":
            _check_finite(name, array, dtype, valid)
    return lengths


def _check_finite(name, array, dtype, valid):
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(array.astype(dtype, copy=False))
    if valid is not None:
        wrong &= valid.reshape(*valid.shape, *(1,) * (array.ndim - 2))
    if wrong.any():
        where = tuple(int(axis) for axis in np.argwhere(wrong)[0])
        raise ValueError(
            f"{name}[{', '.join(map(str, where))}] is {array[where]}: expected numbers that are finite in {dtype}; "
            "mend or leave out this sequence.")


def known(rows, classes, count):
    """Rows (..., H), one for each class number (...); NaN on a GPU where the number is none from 0 to count - 1.

    There an index beyond the end is one from the beginning, and `check_classes` does not read what is there: training
    on such numbers must not look like training.
    """
    xp = namespace(rows)
    if xp is np:
        return rows
    return xp.where(((classes >= 0) & (classes < count))[..., None], rows, rows.dtype.type(np.nan))
