"""minidurnn: recurrent memory from scratch, with every gradient written by hand."""

import os
import sys

try:
    from .arrays.backend import namespace, to, to_numpy
    from .cells import GRU, LSTM, RNN, DuRNN, IndRNN, ShortTermRNN
    from .networks import Chain, Chunked, Linear, Network
    from .training import evaluate, fit, from_torch, load, save
except KeyboardInterrupt:                                     # loading NumPy takes most of the command line's start
    if os.path.basename("".join(sys.argv[:1])).partition(".")[0] in ("-m", "minidurnn"):
        raise SystemExit(130) from None
    raise

__version__ = "0.1.0"
__all__ = [
    "GRU",
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
