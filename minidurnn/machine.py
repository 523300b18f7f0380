"""What a measurement ran on: hardware, BLAS kernel, versions, date. For records; nothing computes with it."""

import ctypes
import datetime
import os
import platform
from pathlib import Path

import numpy as np


def surroundings(backend="numpy"):
    """Date, hardware, BLAS kernel and versions of this run, as plain data."""
    from . import __version__

    versions = {"minidurnn": __version__, "python": platform.python_version(), "numpy": np.__version__}
    facts = {"date": datetime.date.today().isoformat(), "hardware": f"{processor()}, {os.cpu_count()} cores", "blas": blas_kernel()}
    if backend == "cupy":
        from .backend import import_cupy

        cupy = import_cupy()
        versions["cupy"] = cupy.__version__
        facts["gpu"] = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return {**facts, "threads": os.environ.get("OMP_NUM_THREADS", "default"), "versions": versions}


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
    folder = Path(np.__file__).parent
    for library in [*folder.parent.glob("numpy.libs/*openblas*"), *folder.glob(".dylibs/*openblas*")]:
        loaded = ctypes.CDLL(str(library))
        for name in ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename64_", "openblas_get_corename"):
            if hasattr(loaded, name):
                ask = getattr(loaded, name)
                ask.restype = ctypes.c_char_p
                return f"OpenBLAS {ask().decode()}"
    return "unknown"
