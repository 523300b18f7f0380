"""Two array libraries, one code: the arrays decide where a function computes."""

import sys
from functools import cache

import numpy as np

from .trees import map_leaves

LIBRARIES = {"numpy": "NumPy", "cupy": "CuPy"}


def namespace(*arrays):
    """The module (numpy or cupy) to which all these arrays belong; None among them is passed over.

    Raises   TypeError for arrays of both libraries, for anything that is no array of either, and for None alone.
    """
    roots = {type(array).__module__.partition(".")[0] for array in arrays if array is not None}
    if roots == {"numpy"}:
        return np
    if not roots <= set(LIBRARIES) or not roots:
        kinds = sorted({type(array).__name__ for array in arrays if type(array).__module__.partition(".")[0] not in LIBRARIES})
        raise TypeError(f"got {' and '.join(kinds) or 'nothing'}: expected NumPy or CuPy arrays; convert with numpy.asarray first.")
    if len(roots) > 1:
        raise TypeError("NumPy and CuPy arrays are mixed in one call: expected all of one library; move one side with minidurnn.to(\"cupy\", ...) or to(\"numpy\", ...).")
    return sys.modules[roots.pop()]


def to(backend, tree):
    """The same tree with every array in the memory of `backend`, "numpy" or "cupy"; True and False stay what they are.

    Raises   ValueError for another name, RuntimeError where CuPy or its GPU is missing.
    """
    if backend == "numpy":
        return to_numpy(tree)
    cupy = import_cupy() if backend == "cupy" else None
    if cupy is None:
        raise ValueError(f"unknown backend {backend!r}: expected \"numpy\" or \"cupy\".")
    return map_leaves(lambda leaf: leaf if isinstance(leaf, bool) else cupy.asarray(leaf), tree)


def to_numpy(tree):
    """The same tree with every array in the computer's own memory."""
    return map_leaves(_home, tree)


def _home(leaf):
    return leaf if isinstance(leaf, bool) else leaf.get() if hasattr(leaf, "get") else np.asarray(leaf)


def import_cupy():
    """CuPy, imported on this first need.    Raises RuntimeError with what to do where it, or a GPU, is missing."""
    try:
        import cupy
    except ImportError as error:
        raise RuntimeError("CuPy is not installed: install minidurnn[cuda12] or minidurnn[cuda13] on a machine with an NVIDIA GPU, or stay with NumPy.") from error
    if not cupy.cuda.is_available():
        raise RuntimeError("CuPy is installed but finds no GPU: check the driver (nvidia-smi), or stay with NumPy.")
    return cupy


@cache
def keep_freed_memory():
    """Once per process, free an untouched array of 32 MB.

    From the largest block that was freed (counted up to 32 MB) the C library of Linux learns to keep twice as much for
    later use. Otherwise it gives the memory of each step back to the system and asks for it anew, page by page: an
    IndRNN of 128 units on 100 steps in one piece then takes three times as long. Elsewhere this does nothing.
    """
    np.empty(2**25 - 2**16, np.uint8)
