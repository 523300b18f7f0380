"""The process that measures: its environment, its core."""

import os
import sys

SETTLED = "MINIDURNN_BENCH_SETTLED"                           # set in a process whose environment is the one below
FOREIGN = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")           # choices that OpenBLAS shall make by itself
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def settle(kernel=None):
    """Run this very command again, once, with one thread and the BLAS kernel that OpenBLAS chooses for the processor.

    Both are decided when NumPy is imported, so a program that has imported it must start anew to decide them.
    kernel   OpenBLAS's name of the kernel to use instead, such as "Haswell"
    """
    if SETTLED in os.environ:
        return
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment |= {SETTLED: "1", **dict.fromkeys(THREADS, "1"), "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
    if kernel is not None:
        environment["OPENBLAS_CORETYPE"] = kernel
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def pin():
    """Keep this process and its children on one core  ->  that core, or None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core
