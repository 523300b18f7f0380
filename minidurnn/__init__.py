"""minidurnn: recurrent memory from scratch, with every gradient written by hand."""

from .backend import namespace, to, to_numpy
from .cells import GRU, LSTM, RNN, DuRNN, IndRNN, ShortTermRNN
from .chunked import Chunked
from .layers import Linear
from .networks import Network
from .stacks import Chain
from .storage import load, save
from .torch_weights import from_torch
from .training import evaluate, fit

__version__ = "0.1.0"
__all__ = ["RNN", "ShortTermRNN", "IndRNN", "DuRNN", "LSTM", "GRU", "Linear", "Chain", "Chunked", "Network", "fit", "evaluate", "save", "load", "from_torch", "namespace", "to", "to_numpy"]
