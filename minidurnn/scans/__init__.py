"""Every loop over time. NumPy and CuPy arrays take the same plain loops, which are the specification."""

from .gru import gru_scan, gru_scan_backward
from .lstm import lstm_scan, lstm_scan_backward
from .plain import (
    diagonal_scan,
    diagonal_scan_backward,
    gated_scan,
    gated_scan_backward,
    matrix_scan,
    matrix_scan_backward,
)

__all__ = [
    "diagonal_scan",
    "diagonal_scan_backward",
    "gated_scan",
    "gated_scan_backward",
    "gru_scan",
    "gru_scan_backward",
    "lstm_scan",
    "lstm_scan_backward",
    "matrix_scan",
    "matrix_scan_backward",
]
