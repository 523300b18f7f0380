"""Training: one update, the loop around it, files of models and checkpoints, weights from PyTorch."""

from .batches import batches, draw
from .looking import evaluate
from .loop import fit
from .run import begin, streams
from .storage import load, save
from .torch_weights import from_torch

__all__ = ["batches", "begin", "draw", "evaluate", "fit", "from_torch", "load", "save", "streams"]
