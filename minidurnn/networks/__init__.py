"""What is built of cells: layers, normalisation, stacks, chunks, deep stacks, and the network that trains."""

from .attention import Attention
from .beam import translate
from .chunked import Chunked
from .decoder import AttentionDecoder
from .deep import dense, plain, residual
from .direct import Direct
from .encoder import Encoder
from .generate import generate
from .layers import Dropout, Embedding, Linear
from .models import MODELS, Model
from .network import Network
from .normalisation import BatchNorm, LayerNorm
from .sizes import count_parameters, width_for
from .stacks import Chain, Dense, Residual
from .structured import StructuredLinear
from .transformer import FeedForward, Positions, transformer
from .translator import TRANSLATORS, Translator, translator_for

__all__ = [
    "MODELS",
    "TRANSLATORS",
    "Attention",
    "AttentionDecoder",
    "BatchNorm",
    "Chain",
    "Chunked",
    "Dense",
    "Direct",
    "Dropout",
    "Embedding",
    "Encoder",
    "FeedForward",
    "LayerNorm",
    "Linear",
    "Model",
    "Network",
    "Positions",
    "Residual",
    "StructuredLinear",
    "Translator",
    "count_parameters",
    "dense",
    "generate",
    "plain",
    "residual",
    "transformer",
    "translate",
    "translator_for",
    "width_for",
]
