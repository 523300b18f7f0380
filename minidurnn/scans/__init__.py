"""Every loop over time. The plain loops are the specification; faster ways take their place where they can.

On a GPU those are kernels. On a processor a gated scan of many steps and few columns is run in three phases: its loop
costs a call of NumPy a step, however little there is to do in it.
"""

import sys
from functools import wraps
from inspect import signature

from .. import kernels
from . import gru, lstm, parallel, plain
from .attention import attention_scan, attention_scan_backward, attention_step
from .forget import forget_scan, forget_scan_backward
from .janet import janet_scan, janet_scan_backward
from .queueing import queueing_scan, queueing_scan_backward

LONG, FEW = 256, 128                                          # steps and columns (B · H); measured, lesson 18


def chosen(loop, kernel):
    """The loop as one calls it: NumPy's arrays go to the loop; CuPy's to its twin, the kernel, where that serves them.

    No kernel serves other dtypes than float32 and float64, and matrices that are too large for it (`kernels.fits`).
    """
    named, with_matrix = signature(loop), "U" in signature(loop).parameters

    @wraps(loop)
    def scan(*arguments, **options):
        if "cupy" not in sys.modules or not kernels.serve(*arguments, *options.values()):
            return loop(*arguments, **options)
        given = named.bind(*arguments, **options).arguments
        served = not with_matrix or kernels.fits(given["U"], given["h0"])
        return (kernel if served else loop)(*arguments, **options)

    return scan


def by_length(loop, phases):
    """A gated loop as one calls it: in `phases` where there are at least LONG steps and at most FEW columns."""
    named = signature(loop)

    @wraps(loop)
    def scan(*arguments, **options):
        given = named.bind(*arguments, **options).arguments
        pays = len(given["f"]) >= LONG and given["h0"].size <= FEW
        return (phases if pays else loop)(*arguments, **options)

    return scan


diagonal_scan = chosen(plain.diagonal_scan, kernels.diagonal_scan)
diagonal_scan_backward = chosen(plain.diagonal_scan_backward, kernels.diagonal_scan_backward)
gated_scan = chosen(by_length(plain.gated_scan, parallel.gated_scan), kernels.gated_scan)
gated_scan_backward = chosen(
    by_length(plain.gated_scan_backward, parallel.gated_scan_backward), kernels.gated_scan_backward)
matrix_scan = chosen(plain.matrix_scan, kernels.matrix_scan)
matrix_scan_backward = chosen(plain.matrix_scan_backward, kernels.matrix_scan_backward)
lstm_scan = chosen(lstm.lstm_scan, kernels.lstm_scan)
lstm_scan_backward = chosen(lstm.lstm_scan_backward, kernels.lstm_scan_backward)
gru_scan = chosen(gru.gru_scan, kernels.gru_scan)
gru_scan_backward = chosen(gru.gru_scan_backward, kernels.gru_scan_backward)

__all__ = [
    "attention_scan",
    "attention_scan_backward",
    "attention_step",
    "diagonal_scan",
    "diagonal_scan_backward",
    "forget_scan",
    "forget_scan_backward",
    "gated_scan",
    "gated_scan_backward",
    "gru_scan",
    "gru_scan_backward",
    "janet_scan",
    "janet_scan_backward",
    "lstm_scan",
    "lstm_scan_backward",
    "matrix_scan",
    "matrix_scan_backward",
    "queueing_scan",
    "queueing_scan_backward",
]
