"""Two array libraries, one code: the arrays decide where a function computes."""

import sys
from functools import cache

import numpy as np

from .trees import map_leaves


def namespace(*arrays):
    """The module (numpy or cupy) to which all these arrays belong; None among them is passed over.

    Raises   TypeError for arrays of both libraries, for anything that is no array of either, and for None alone.
    """
    given = False
    for array in arrays:                                      # the common case, without a set of types
        if type(array) is np.ndarray:
            given = True
        elif array is not None:
            break
    else:
        if given:
            return np
    found = {library(type(array)) for array in arrays if array is not None}
    if found == {"numpy"}:
        return np
    if found == {"cupy"}:
        return sys.modules["cupy"]
    if found == {"numpy", "cupy"}:
        raise TypeError(
            "NumPy and CuPy arrays are mixed in one call: expected all of one library; "
            "move one side with minidurnn.to(\"cupy\", ...) or to(\"numpy\", ...).")
    strangers = {type(array) for array in arrays if library(type(array)) is None and (array is not None or not found)}
    names = " and ".join(sorted(kind.__name__ for kind in strangers)) or "nothing"
    raise TypeError(f"got {names}: expected NumPy or CuPy arrays; {way_in(*strangers)}.")


@cache
def library(kind):
    """The library, "numpy" or "cupy", to which arrays of exactly this type belong, or None.

    A subclass of numpy.ndarray means something of its own (a mask, a matrix product), which computing would lose; only
    numpy.memmap is an array like any other. NumPy's scalars are what reductions give.
    """
    if kind in (np.ndarray, np.memmap) or issubclass(kind, np.generic):
        return "numpy"
    return "cupy" if kind.__name__ == "ndarray" and kind.__module__.partition(".")[0] == "cupy" else None


def way_in(*kinds):
    """What to do with values of types that are no arrays of either library, as the end of a sentence."""
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        return "no mask is read: leave out what is masked, or give lengths where it is padding"
    return "convert with numpy.asarray first"


def to(backend, tree):
    """The same tree with every array in the memory of `backend`, "numpy" or "cupy"; True and False stay what they are.

    Raises   ValueError for another name, RuntimeError where CuPy or its GPU is missing, TypeError as `namespace` does
             for subclasses of numpy.ndarray.
    """
    if backend == "numpy":
        return to_numpy(tree)
    cupy = import_cupy() if backend == "cupy" else None
    if cupy is None:
        raise ValueError(f"unknown backend {backend!r}: expected \"numpy\" or \"cupy\".")
    return map_leaves(lambda leaf: leaf if isinstance(leaf, bool) else cupy.asarray(_exact(leaf)), tree)


def to_numpy(tree):
    """The same tree with every array in the computer's own memory."""
    return map_leaves(_home, tree)


def _home(leaf):
    return leaf if isinstance(leaf, bool) else leaf.get() if hasattr(leaf, "get") else np.asarray(_exact(leaf))


def _exact(leaf):
    if isinstance(leaf, np.ndarray) and library(type(leaf)) is None:
        namespace(leaf)                                       # raises
    return leaf


def import_cupy():
    """CuPy, imported on this first need.    Raises RuntimeError with what to do where it, or a GPU, is missing."""
    try:
        import cupy
    except ImportError as error:
        raise RuntimeError(
            "CuPy is not installed: install minidurnn[cuda12] or minidurnn[cuda13] on a machine with an NVIDIA GPU, "
            "or stay with NumPy.") from error
    if not cupy.cuda.is_available():
        raise RuntimeError("CuPy is installed but finds no GPU: check the driver (nvidia-smi), or stay with NumPy.")
    return cupy


@cache
def device_memory(cupy):
    """Bytes of memory of the GPU at hand: all of it, so that equal runs are cut equally whoever else computes."""
    return cupy.cuda.Device().mem_info[1]


@cache
def keep_freed_memory():
    """Once per process, free an untouched array of 32 MB.

    From the largest block that was freed (counted up to 32 MB) the C library of Linux learns to keep twice as much for
    later use. Otherwise it gives the memory of each step back to the system and asks for it anew, page by page: an
    IndRNN of 128 units on 100 steps in one piece then takes three times as long. Elsewhere this does nothing.
    """
    np.empty(2**25 - 2**16, np.uint8)
