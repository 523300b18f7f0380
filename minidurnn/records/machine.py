"""What a measurement ran on: hardware, BLAS kernel, versions, date. For records; nothing computes with it."""

import ctypes
import datetime
import os
import platform
from pathlib import Path

import numpy as np


def surroundings(backend="numpy"):
    """Date, hardware, BLAS kernel and versions of this run, as plain data."""
    from .. import __version__

    versions = {"minidurnn": __version__, "python": platform.python_version(), "numpy": np.__version__}
    facts = {"date": datetime.date.today().isoformat(), "hardware": f"{processor()}, {os.cpu_count()} cores", "blas": blas_kernel()}
    if backend == "cupy":
        from ..arrays.backend import import_cupy

        cupy = import_cupy()
        versions["cupy"] = cupy.__version__
        facts["gpu"] = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return {**facts, "threads": os.environ.get("OMP_NUM_THREADS", "1"), "versions": versions}


def processor():
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def blas_kernel():
    """The kernel that NumPy's OpenBLAS chose for this processor ("SkylakeX", "Haswell", ...), "unknown" where it cannot be asked."""
    ask = _openblas("get_corename")
    if ask is None:
        return "unknown"
    ask.restype = ctypes.c_char_p
    return f"OpenBLAS {ask().decode()}"


def one_thread():
    """Let NumPy's OpenBLAS compute in one thread, unless OMP_NUM_THREADS says how many.

    The products of a recurrent step are too small to share: threads that wait for each other cost more than they help.
    """
    limit = _openblas("set_num_threads")
    if limit is not None and "OMP_NUM_THREADS" not in os.environ:
        limit(1)


def _openblas(name):
    """A function of the OpenBLAS that NumPy brings along, or None."""
    folder = Path(np.__file__).parent
    for library in [*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]:
        loaded = ctypes.CDLL(str(library))
        for symbol in (f"{prefix}openblas_{name}{suffix}" for prefix in ("scipy_", "") for suffix in ("64_", "")):
            if hasattr(loaded, symbol):
                return getattr(loaded, symbol)
    return None
