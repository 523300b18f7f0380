"""What a measurement ran on: hardware, BLAS, threads, commit, versions, date. All is asked for; None is not known."""

import datetime
import os
import platform
import subprocess
import sys
import warnings
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

NAMES = {"openblas": "OpenBLAS", "mkl": "MKL", "blis": "BLIS"}


def surroundings(backend="numpy"):
    """Date, hardware, BLAS kernel, threads that it computes in now, commit and versions of this run, as plain data."""
    from .. import __version__

    versions = {"minidurnn": __version__, "python": platform.python_version(), "numpy": np.__version__}
    facts = {
        "date": datetime.date.today().isoformat(), "hardware": f"{processor()}, {os.cpu_count()} cores",
        "blas": blas_kernel(), "threads": threads(), **commit(),
    }
    if backend == "cupy":
        from ..arrays.backend import import_cupy

        cupy = import_cupy()
        versions["cupy"] = cupy.__version__
        facts["gpu"] = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return {**facts, "versions": versions}


def resident():
    """This process's memory now and at its peak, in MiB.

    Linux tells both. Its getrusage would begin with the peak of the process that started this one, so it serves
    elsewhere only, where it knows the peak alone.
    """
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return tuple(int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    except (OSError, KeyError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)
        return peak, peak


def processor():
    """The processor's name as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def blas_kernel():
    """The kernel that NumPy's BLAS chose for this processor ("OpenBLAS SkylakeX"); None where it cannot be asked."""
    for pool in _pools():
        return f"{NAMES.get(pool['internal_api'], pool['internal_api'])} {pool.get('architecture', pool['version'])}"
    return None


def threads():
    """The threads in which NumPy's BLAS computes at this moment; None where it cannot be asked."""
    for pool in _pools():
        return pool["num_threads"]
    return None


@contextmanager
def one_thread():
    """Let BLAS compute in one thread inside the block; without threadpoolctl, which tells it so, warn and go on.

    The products of a recurrent step are too small to share: threads that wait for each other cost more than they help.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        missing("threadpoolctl", "BLAS computes in its own number of threads, which no record can say; "
                                 "set OMP_NUM_THREADS=1 before Python starts")
        yield
        return
    with threadpool_limits(1):
        yield


@cache
def missing(library, so):
    """Warn, once in a process, that a library of the package's own list is not installed, and what follows from it."""
    warnings.warn(f"{library} is not installed: {so} (pip install {library})", RuntimeWarning, stacklevel=3)


@cache
def commit():
    """The commit of this package and whether its files are as committed; None for both outside a git checkout."""
    found = _git("ls-files", "--error-unmatch", Path(__file__).name) is not None      # else it lies in somebody else's
    head = _git("rev-parse", "HEAD") if found else None
    changed = _git("status", "--porcelain", "--", "..") if head else None
    return {"commit": head, "clean": None if changed is None else changed == ""}


def _git(*words):
    """What git says about this folder, or None."""
    try:
        asked = {"cwd": Path(__file__).parent, "capture_output": True, "text": True, "timeout": 30, "check": False}
        said = subprocess.run(["git", *words], **asked)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() if said.returncode == 0 else None


def _pools():
    """The thread pools of BLAS, NumPy's own first."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return sorted(pools, key=lambda pool: "numpy" not in pool["filepath"])
