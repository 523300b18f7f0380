"""Every loop over time. NumPy and CuPy arrays take the same plain loops, which are the specification."""

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
    "matrix_scan",
    "matrix_scan_backward",
]
