"""One recurrent model per file, all with the same skeleton."""

from .compact import Compact
from .contract import Cell, Layer
from .durnn import DuRNN
from .fsmn import FSMN
from .gilr import GILR
from .gilr_lstm import GILRLSTM
from .gru import GRU
from .indrnn import IndRNN
from .janet import JANET
from .lstm import LSTM
from .queueing import QueueingNetwork
from .rnn import RNN
from .short_term import ShortTermRNN
from .structures import LowRank, Projection, ToeplitzLike
from .window import Window

__all__ = [
    "RNN", "ShortTermRNN", "IndRNN", "DuRNN", "LSTM", "GRU", "JANET", "GILR", "GILRLSTM", "FSMN", "Window",
    "QueueingNetwork", "Compact", "LowRank", "ToeplitzLike", "Projection", "Cell", "Layer",
]
