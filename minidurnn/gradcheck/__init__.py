"""Whether a gradient is right, and whether a model keeps the contract of `cells/contract.py`."""

from .contract import assert_cell, assert_cell_gradient
from .points import random_leaves
from .slopes import REDRAWS, STEP, NotSmooth, assert_gradient

__all__ = [
    "REDRAWS",
    "STEP",
    "NotSmooth",
    "assert_cell",
    "assert_cell_gradient",
    "assert_gradient",
    "random_leaves",
]
