"""Input checks: one clear sentence with what was given, what was expected and what to do."""

from numbers import Real

import numpy as np

from .backend import LIBRARIES, namespace

FLOATS = ("float32", "float64")


def check_array(name, array, axes, like=None):
    """Raise unless `array` is a float array with these axes and with the dtype and library of `like`.

    axes     the expected shape; a word ("T", "B") stands for any size of at least 1
    Raises   TypeError for library and dtype, ValueError for rank and sizes.
    """
    check_library(name, array, like)
    if array.dtype not in FLOATS:                             # by dtype: its name as a string takes 2 µs
        raise TypeError(f"{name} has dtype {array.dtype}: expected float32 or float64; convert with {name}.astype(\"float32\").")
    if like is not None and array.dtype != like.dtype:
        raise TypeError(f"{name} has dtype {array.dtype} beside {like.dtype}: expected one dtype for inputs, state and parameters; convert one side with astype.")
    if array.ndim != len(axes) or any(size != axis for size, axis in zip(array.shape, axes) if not isinstance(axis, str)):
        raise ValueError(f"{name} has shape {array.shape}: expected ({', '.join(map(str, axes))}{',' * (len(axes) == 1)}){_hint(array.shape, axes)}.")
    if any(size == 0 for size, axis in zip(array.shape, axes) if isinstance(axis, str)):
        raise ValueError(f"{name} has shape {array.shape}: expected at least one step and one sequence; leave empty batches out.")


def check_sequence(name, x, inputs):
    """check_array for x (T, B, inputs); integers (T, B) pass, for an embedding checks them itself and a cell refuses them."""
    check_library(name, x)
    if x.dtype.kind not in "iu" or x.ndim != 2:
        check_array(name, x, ("T", "B", inputs))


def check_library(name, array, like=None):
    """Raise TypeError unless `array` is a NumPy or CuPy array, of the same library as `like`."""
    if type(array).__module__.partition(".")[0] not in LIBRARIES:
        raise TypeError(f"{name} is a {type(array).__name__}: expected a NumPy or CuPy array; convert with numpy.asarray first.")
    namespace(array, like)


def check_classes(name, array, shape, classes, like=None):
    """Raise unless `array` holds integers of this shape in the library of `like`, and, where reading is cheap, 0 ... classes - 1.

    An array on a GPU is not read, which would wait for the device at every update: `training.draw` checks it before.
    """
    check_integers(name, array, shape, like)
    if namespace(array) is np and array.size and (array.min() < 0 or array.max() >= classes):
        raise ValueError(f"{name} holds class numbers from {array.min()} to {array.max()}: expected 0 to {classes - 1}.")


def check_integers(name, array, shape, like=None):
    """Raise unless `array` holds integers of this shape in the library of `like`."""
    check_library(name, array, like)
    if array.dtype.kind not in "iu" or array.shape != tuple(shape):
        raise ValueError(
            f"{name} has shape {array.shape} and dtype {array.dtype}: expected integer class numbers of shape "
            f"{tuple(shape)}."
        )


def _hint(shape, axes):
    if axes[:2] == ("T", "B") and len(shape) == 2:
        return ", time first; give a single sequence a batch axis with x[:, None]"
    if axes[:2] == ("T", "B"):
        return ", time first"
    return ""


def check_parameters(p, shapes, like):
    """Raise unless p is a dictionary with exactly the leaves of `shapes`, of the dtype and library of `like`."""
    check_names(p, shapes)
    for name, shape in shapes.items():
        array = p[name]
        if getattr(array, "shape", None) != shape or array.dtype != like.dtype or type(array) is not type(like):
            check_array(f"p[{name!r}]", array, shape, like)


def check_names(p, names):
    """Raise unless p is a dictionary with exactly these keys."""
    if not isinstance(p, dict) or set(p) != set(names):
        given = ", ".join(map(str, p)) or "empty" if isinstance(p, dict) else f"a {type(p).__name__}"
        raise ValueError(f"the parameters are {given}: expected {', '.join(names)}; make them with init(rng) of the same model.")


def initial_state(cell, p, x, state):
    """The checked state (B, state_size) before the first step, zeros for None.    Checks p, x and state together."""
    check_array("x", x, ("T", "B", cell.inputs))
    check_parameters(p, cell.shapes, x)
    if state is None:
        return namespace(x).zeros((x.shape[1], cell.state_size), x.dtype)
    check_array("state", state, (x.shape[1], cell.state_size), x)
    return state


def check_gradients(cell, dh, dstate, x):
    """Raise unless dh (T, B, outputs) and dstate (B, state_size), each possibly None, fit the forward run on x."""
    if dh is not None:
        check_array("dh", dh, (*x.shape[:2], cell.outputs), x)
    if dstate is not None:
        check_array("dstate", dstate, (x.shape[1], cell.state_size), x)


def check_positive(**sizes):
    """Raise unless every size is an int of at least 1."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} is {size!r}: expected an int of at least 1.")


def check_width(cell, width):
    """Raise ValueError where a cell takes its pre-activation as it is (project_input=False) and `inputs` is another width."""
    if not cell.project_input and cell.inputs != width:
        raise ValueError(f"inputs is {cell.inputs} with project_input=False: expected {width}, the width of the pre-activation, for the cell has no W of its own.")


def is_number(value):
    """Whether value is a real number: NumPy's scalars are, True and "1" are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_choice(name, given, choices):
    """Raise unless `given` is one of the choices."""
    if given not in choices:
        raise ValueError(f"{name} is {given!r}: expected one of {', '.join(map(repr, choices))}.")
