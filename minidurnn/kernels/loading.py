"""recurrences.cu, compiled when it is first needed, by CuPy, for the GPU at hand."""

import sys
import warnings
from functools import cache
from pathlib import Path

from ..arrays.backend import library

SOURCE = Path(__file__).with_name("recurrences.cu")
REALS = {"float32": "float", "float64": "double"}             # dtypes that have kernels, and their names in the source


def serve(*arrays):
    """Whether there are kernels for these arrays: all CuPy's, of one dtype that has kernels, and the GPU takes them.

    None and what is no array is passed over.
    """
    arrays = [array for array in arrays if hasattr(array, "dtype")]
    if not all(library(type(array)) == "cupy" for array in arrays):
        return False                                          # the plain loop knows what to say of mixed ones
    dtypes = {array.dtype.name for array in arrays}
    return len(dtypes) == 1 and dtypes <= REALS.keys() and module(sys.modules["cupy"], *dtypes) is not None


@cache
def module(cupy, dtype):
    """The kernels for a dtype, compiled, or None after a warning where this machine cannot compile them."""
    options = ("--std=c++17", f"-DREAL={REALS[dtype]}")
    try:
        compiled = cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=options)
        compiled.compile()
    except Exception as error:                                # no NVRTC, an old GPU or driver: of many classes
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        said = f"the CUDA kernels cannot be compiled, the loops over time take thousands of launches instead: {reason}"
        warnings.warn(said, RuntimeWarning, stacklevel=4)
        return None
    return compiled


def kernel(like, name):
    """A kernel by its name, for the dtype of an array."""
    return module(sys.modules["cupy"], like.dtype.name).get_function(name)


def pointer(array):
    """An array as a kernel takes it; None is the null pointer."""
    return 0 if array is None else array


def packed(xp, array, *shape):
    """The array without gaps, itself where it has none; None for None.

    Raises   ValueError for a shape that cannot be broadcast to this one.
    """
    return None if array is None else xp.ascontiguousarray(xp.broadcast_to(array, shape))


@cache
def attribute(cupy, name):
    """A number that describes the GPU at hand, by its name in CUDA."""
    return cupy.cuda.Device().attributes[name]
