"""What is built of cells: layers, normalisation, stacks, chunks, deep stacks, and the network that trains."""

from .chunked import Chunked
from .deep import dense, plain, residual
from .direct import Direct, Through
from .generate import generate
from .layers import Dropout, Embedding, Linear
from .models import MODELS, Model
from .network import Network, count_parameters, width_for
from .normalisation import BatchNorm
from .stacks import Chain, Dense, Residual

__all__ = [
    "MODELS",
    "BatchNorm",
    "Chain",
    "Chunked",
    "Dense",
    "Direct",
    "Dropout",
    "Embedding",
    "Linear",
    "Model",
    "Network",
    "Residual",
    "Through",
    "count_parameters",
    "dense",
    "generate",
    "plain",
    "residual",
    "width_for",
]
