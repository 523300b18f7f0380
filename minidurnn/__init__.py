"""minidurnn: recurrent memory from scratch, with every gradient written by hand."""

from .arrays.backend import namespace, to, to_numpy
from .cells import FSMN, GILR, GILRLSTM, GRU, JANET, LSTM, RNN, DuRNN, IndRNN, ShortTermRNN
from .networks import Chain, Chunked, Linear, Network
from .training import evaluate, fit, from_torch, load, save

__version__ = "0.1.0"
__all__ = [
    "GILR",
    "GILRLSTM",
    "FSMN",
    "GRU",
    "JANET",
    "LSTM",
    "RNN",
    "Chain",
    "Chunked",
    "DuRNN",
    "IndRNN",
    "Linear",
    "Network",
    "ShortTermRNN",
    "evaluate",
    "fit",
    "from_torch",
    "load",
    "namespace",
    "save",
    "to",
    "to_numpy",
]
