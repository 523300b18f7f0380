"""Tasks: batches of sequences with targets, a validation set and a test set.

Every task has `batch(rng, B) -> (x (T, B, inputs), target, lengths or None)`, `validation()`, `test()` and
`baseline() -> (name, value)`, and the fields inputs, outputs, loss, metric, chance and reads.
"""

from .adding import Adding
from .delayed_xor import DelayedXOR, count_ceiling
from .pixels import Pixels

__all__ = ["Adding", "DelayedXOR", "Pixels", "count_ceiling"]
