"""Input checks: one clear sentence with what was given, what was expected and what to do.

Arrays are checked where they enter a model, options where it is made. A check of an option is a function
(name, given) -> the value as Python has it: NumPy's integers, floats and bools become int, float and bool. So models
that were given equal options are equal, hash alike and are written to files alike.
"""

import operator
from math import inf
from numbers import Integral, Real

import numpy as np

from .backend import library, namespace, way_in

FLOATS = ("float32", "float64")
LARGEST = float(np.finfo(np.float32).max)                     # what is beyond is infinite where it meets an array


# options

def check_options(model, /, **checks):
    """Check options of a frozen dataclass, in its __post_init__, and store each as its check returns it.

    checks   option -> check, as in check_options(self, units=at_least(1), project_input=flag)
    """
    for name, check in checks.items():
        object.__setattr__(model, name, check(name, getattr(model, name)))


def at_least(least, why=""):
    """The check of an integer from `least` on, NumPy's included; True, 14.0 and "14" are none.    Raises ValueError."""
    def check(name, given):
        try:
            value = least - 1 if isinstance(given, (bool, np.bool_)) else operator.index(given)
        except TypeError:
            value = least - 1
        if value < least:
            raise ValueError(f"{name} is {shown(given)}: expected an int of at least {least}{why}.")
        return value
    return check


def number(expected, fits=lambda value: True):
    """The check of a real number that float32 holds and that `fits`  ->  int or float.    Raises ValueError."""
    def check(name, given):
        value = plain_number(given)
        if value is None or not abs(value) <= LARGEST or not fits(value):
            raise ValueError(f"{name} is {shown(given)}: expected {expected}.")
        return value
    return check


def flag(name, given):
    """The check of a bool, NumPy's included: 1, "no" and None are none.    Raises ValueError."""
    if not isinstance(given, (bool, np.bool_)):
        raise ValueError(f"{name} is {shown(given)}: expected True or False.")
    return bool(given)


def one_of(choices):
    """The check of one of these strings or integers: 14.0 is not 14.    Raises ValueError."""
    def check(name, given):
        plain = given.item() if isinstance(given, np.generic) else given
        for choice in choices:
            if isinstance(plain, type(choice)) and plain == choice:
                return choice
        raise ValueError(f"{name} is {shown(given)}: expected one of {', '.join(map(repr, choices))}.")
    return check


def optional(check):
    """The check that lets None pass and holds everything else to `check`."""
    return lambda name, given: None if given is None else check(name, given)


def each(check):
    """The check of several, in a tuple or an array, each held to `check`  ->  tuple.    Raises ValueError."""
    def check_all(name, given):
        if isinstance(given, str) or not hasattr(given, "__iter__"):
            raise ValueError(f"{name} is {shown(given)}: expected a tuple.")
        return tuple(check(f"{name}[{place}]", one) for place, one in enumerate(given))
    return check_all


def plain_number(given):
    """A real number, NumPy's too, as Python's int or float, infinite beyond float's range; None for True and "1"."""
    if isinstance(given, bool) or not isinstance(given, Real):
        return None
    try:
        return operator.index(given) if isinstance(given, Integral) else float(given)
    except OverflowError:
        return inf


def shown(given):
    """What was given, in one line that is not too long for a sentence."""
    try:
        text = " ".join(repr(given).split())
    except Exception:                                         # Python writes no ints of more than 4300 digits
        text = f"an int of {given.bit_length()} bits" if isinstance(given, int) else f"a {type(given).__name__}"
    return text if len(text) <= 80 else f"{text[:60]} ..."


def check_positive(**sizes):
    """Raise unless every size is an integer of at least 1."""
    for name, size in sizes.items():
        at_least(1)(name, size)


# arrays

def check_array(name, array, axes, like=None):
    """Raise unless `array` is a float array with these axes and with the dtype and library of `like`.

    axes     the expected shape; a word ("T", "B") stands for any size of at least 1
    Raises   TypeError for library and dtype, ValueError for rank and sizes.
    """
    check_library(name, array, like)
    if array.dtype not in FLOATS:                             # by dtype: its name as a string takes 2 µs
        raise TypeError(
            f"{name} has dtype {array.dtype}: expected float32 or float64; convert with {name}.astype(\"float32\").")
    if like is not None and array.dtype != like.dtype:
        raise TypeError(
            f"{name} has dtype {array.dtype} beside {like.dtype}: expected one dtype for inputs, state and parameters; "
            "convert one side with astype.")
    if _fits(array.shape, axes):
        return
    given = f"{name} has shape {array.shape}: expected"
    if _is_empty(array.shape, axes):
        raise ValueError(f"{given} at least one step and one sequence; leave empty batches out.")
    raise ValueError(f"{given} {_spelled(axes)}{_hint(array.shape, axes)}.")


def _fits(shape, axes):
    fits = (size == axis or isinstance(axis, str) and size > 0 for size, axis in zip(shape, axes))
    return len(shape) == len(axes) and (shape == axes or all(fits))


def _is_empty(shape, axes):
    return len(shape) == len(axes) and any(size == 0 for size, axis in zip(shape, axes) if isinstance(axis, str))


def _spelled(axes):
    return f"({', '.join(map(str, axes))}{',' * (len(axes) == 1)})"


def _hint(shape, axes):
    single = "; give a single sequence a batch axis with x[:, None]" if len(shape) == 2 else ""
    return f", time first{single}" if axes[:2] == ("T", "B") else ""


def check_sequence(name, x, inputs):
    """check_array for x (T, B, inputs); integers (T, B) pass: an embedding reads them, a cell refuses them itself."""
    check_library(name, x)
    if x.dtype.kind in "iub" and x.ndim != 3:
        check_integers(name, x, ("T", "B"))
    else:
        check_array(name, x, ("T", "B", inputs))


def check_library(name, array, like=None):
    """Raise TypeError unless `array` is exactly a NumPy or CuPy array, no masked one, of the same library as `like`."""
    if library(type(array)) is None:
        raise TypeError(f"{name} is a {type(array).__name__}: expected a NumPy or CuPy array; {way_in(type(array))}.")
    namespace(array, like)


def check_classes(name, array, shape, classes, like=None, valid=None):
    """Raise unless `array` holds integers of this shape in the library of `like`, 0 ... classes - 1 where they count.

    valid    not 0 where an entry counts, in the shape of `array`; the others are padding, of any value. None: all count
    An array on a GPU is not read, which would wait for the device at every update: `data.check_data` does so before.
    """
    check_integers(name, array, shape, like)
    if namespace(array) is not np:
        return
    read = array if valid is None else array[valid != 0]
    if read.size and (read.min() < 0 or read.max() >= classes):
        raise ValueError(f"{name} holds class numbers from {read.min()} to {read.max()}: expected 0 to {classes - 1}.")


def check_integers(name, array, shape, like=None):
    """Raise unless `array` holds integers of this shape, as in check_array, in the library of `like`."""
    check_library(name, array, like)
    if array.dtype.kind not in "iu" or not _fits(array.shape, shape):
        more = ", at least one step and one sequence; leave empty batches out" if _is_empty(array.shape, shape) else ""
        given = f"{name} has shape {array.shape} and dtype {array.dtype}"
        raise ValueError(f"{given}: expected integer class numbers of shape {_spelled(shape)}{more}.")


# what a model is given

def check_parameters(p, shapes, like=None, what="the parameters are", at="p"):
    """Raise unless p is a dictionary with exactly the leaves of `shapes`, of the dtype and library of `like`.

    like     an array; None: the first of the leaves           what, at   what p is called in the message
    """
    check_names(p, shapes, what)
    for name, shape in shapes.items():
        array, fits = p[name], like is not None and type(p[name]) is type(like)
        if not fits or array.shape != shape or array.dtype != like.dtype:
            check_array(f"{at}[{name!r}]", array, shape, like)
        like = array if like is None else like


def check_names(p, names, what="the parameters are", way="make them with init(rng)"):
    """Raise unless p is a dictionary with exactly these keys."""
    if not isinstance(p, dict) or set(p) != set(names):
        given = ", ".join(map(str, p)) or "empty" if isinstance(p, dict) else f"a {type(p).__name__}"
        lacks = [name for name in names if name not in p] if isinstance(p, dict) else []
        more = f" (missing: {', '.join(lacks)})" if lacks else ""
        raise ValueError(f"{what} {given}: expected {', '.join(names) or 'none'}; {way} of the same model{more}.")


def initial_state(cell, p, x, state):
    """The checked state (B, state_size) before the first step, zeros for None.    Checks p, x and state together."""
    check_array("x", x, ("T", "B", cell.inputs))
    check_parameters(p, cell.shapes, x)
    if state is None:
        return namespace(x).zeros((x.shape[1], cell.state_size), x.dtype)
    check_array("state", state, (x.shape[1], cell.state_size), x)
    return state


def check_gradients(cell, dh, dstate, x, like=None):
    """Raise unless dh (T, B, outputs) and dstate (B, state_size), each possibly None, fit the forward run on x.

    like     an array of their dtype and library, where x holds symbols; x itself unless given
    """
    like = x if like is None else like
    if dh is not None:
        check_array("dh", dh, (*x.shape[:2], cell.outputs), like)
    if dstate is not None:
        check_array("dstate", dstate, (x.shape[1], cell.state_size), like)


def opened(kind, tape):
    """`tape` itself, as it is taken apart in backward.    Raises TypeError unless it is of this kind."""
    if type(tape) is not kind:
        given = f"{type(tape).__name__} of {type(tape).__module__}"
        raise TypeError(f"the tape is a {given}: expected what forward of the same kind of model gave.")
    return tape


def check_generator(rng):
    """`rng` itself.    Raises TypeError unless it is NumPy's generator of random numbers."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {rng!r}: expected a NumPy generator; make one with numpy.random.default_rng(0).")
    return rng
