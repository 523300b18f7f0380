"""Tasks: batches of sequences with targets, a validation set and a test set.

Every task has `batch(rng, B) -> (x (T, B, inputs), target, lengths or None)`, `validation()`, `test()` and
`baseline() -> (name, value)`, and the fields inputs, outputs, loss, metric, chance and reads.
"""

from .adding import Adding
from .characters import Characters
from .copies import Copies
from .copy_memory import CopyMemory
from .delayed_xor import DelayedXOR, count_ceiling
from .first_vector import FirstVector
from .ntu import NTU
from .pairs import Pairs
from .pixels import Pixels
from .queueing import Queues, Truth
from .series import Series
from .skeletons import Skeletons
from .vocabulary import Vocabulary
from .words import Words

__all__ = [
    "NTU",
    "Adding",
    "Characters",
    "Copies",
    "CopyMemory",
    "DelayedXOR",
    "FirstVector",
    "Pairs",
    "Pixels",
    "Queues",
    "Series",
    "Skeletons",
    "Words",
    "Truth",
    "Vocabulary",
    "count_ceiling",
]
