"""What is built of cells: layers, normalisation, stacks, chunks, deep stacks, and the network that trains."""

from .attention import Attention
from .chunked import Chunked
from .deep import dense, plain, residual
from .direct import Direct
from .generate import generate
from .layers import Dropout, Embedding, Linear
from .models import MODELS, Model
from .network import Network, count_parameters, width_for
from .normalisation import BatchNorm, LayerNorm
from .stacks import Chain, Dense, Residual
from .structured import StructuredLinear
from .transformer import FeedForward, Positions, transformer

__all__ = [
    "MODELS",
    "Attention",
    "BatchNorm",
    "Chain",
    "Chunked",
    "Dense",
    "Direct",
    "Dropout",
    "Embedding",
    "FeedForward",
    "LayerNorm",
    "Linear",
    "Model",
    "Network",
    "Positions",
    "Residual",
    "StructuredLinear",
    "count_parameters",
    "dense",
    "generate",
    "plain",
    "residual",
    "transformer",
    "width_for",
]
