"""What is timed: sizes, and the models of the one table at these sizes."""

from collections import namedtuple

import numpy as np

from ..arrays.trees import map_leaves
from ..networks.models import MODELS

Workload = namedtuple("Workload", "T B D H rounds chunk", defaults=(None,))
WORKLOADS = {
    "W1": Workload(100, 50, 2, 128, 21),                      # the adding problem, as most lessons run it
    "W2": Workload(784, 32, 1, 128, 11),                      # an image, pixel by pixel
    "W3": Workload(1000, 50, 2, 128, 9),
    "W4": Workload(5000, 50, 2, 128, 7),                      # the longest sequences of the papers
    "W5": Workload(150, 128, 128, 512, 7),                    # a wide layer in the middle of a stack
}
PEERS = {
    "eager": "PyTorch, a loop over unbind",
    "hoisted": "PyTorch, only what recurs in the loop",
    "nn": "torch.nn",
    "jax": "jax.jit of lax.scan",
}
MEMORY_TARGETS = {"rnn": 0.45, "indrnn": 0.45, "durnn": 0.65, "lstm": 0.45}     # of the eager loop's peak at W4


def body(cell, workload):
    """The model called `cell` in MODELS, at the sizes of a workload."""
    return MODELS[cell].make(workload.D, workload.H, workload.T)


def wide(cells):
    """The width of a column of these cells' names."""
    return max(10, *map(len, cells))


def chunk_of(cell, workload):
    """Steps in a chunk: the workload's own, or what is good for the cell."""
    return workload.chunk or body(cell, workload).chunk


def inputs(model, workload, dtype="float32"):
    """The model's start values and random inputs, the same for every implementation  ->  p, x (T, B, D)."""
    rng = np.random.default_rng(0)
    p = map_leaves(lambda leaf: leaf.astype(dtype), model.init(rng))
    return p, rng.standard_normal((workload.T, workload.B, workload.D)).astype(dtype)
