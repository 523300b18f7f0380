"""The CUDA twins of the scans: the same names, arguments and results to rounding, in a few launches.

`loading` compiles recurrences.cu, `columns` and `matrices` launch its kernels. `scans` decides when they are used.
"""

from .columns import diagonal_scan, diagonal_scan_backward, gated_scan, gated_scan_backward
from .loading import serve
from .matrices import (
    fits,
    gru_scan,
    gru_scan_backward,
    lstm_scan,
    lstm_scan_backward,
    matrix_scan,
    matrix_scan_backward,
)

__all__ = [
    "diagonal_scan",
    "diagonal_scan_backward",
    "fits",
    "gated_scan",
    "gated_scan_backward",
    "gru_scan",
    "gru_scan_backward",
    "lstm_scan",
    "lstm_scan_backward",
    "matrix_scan",
    "matrix_scan_backward",
    "serve",
]
