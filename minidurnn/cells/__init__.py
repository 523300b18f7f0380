"""One recurrent model per file, all with the same skeleton."""

from .contract import Cell, Layer
from .durnn import DuRNN
from .gru import GRU
from .indrnn import IndRNN
from .lstm import LSTM
from .queueing import QueueingNetwork
from .rnn import RNN
from .short_term import ShortTermRNN

__all__ = ["RNN", "ShortTermRNN", "IndRNN", "DuRNN", "LSTM", "GRU", "QueueingNetwork", "Cell", "Layer"]
