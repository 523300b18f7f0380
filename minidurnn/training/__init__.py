"""Training: one update, the loop around it, files of models and checkpoints, weights from PyTorch."""

from .loop import evaluate, fit, streams
from .storage import load, save
from .torch_weights import from_torch

__all__ = ["evaluate", "fit", "from_torch", "load", "save", "streams"]
