"""What is timed: sizes, cells, and the part of a peer's time that ours may take."""

from collections import namedtuple

import numpy as np

from ..arrays.trees import map_leaves
from ..cells import GRU, LSTM, RNN, DuRNN, IndRNN

Workload = namedtuple("Workload", "T B D H rounds chunk", defaults=(None,))
WORKLOADS = {
    "W1": Workload(100, 50, 2, 128, 21),                      # the adding problem, as most lessons run it
    "W2": Workload(784, 32, 1, 128, 11),                      # an image, pixel by pixel
    "W3": Workload(1000, 50, 2, 128, 9),
    "W4": Workload(5000, 50, 2, 128, 7),                      # the longest sequences of the papers
    "W5": Workload(150, 128, 128, 512, 7),                    # a wide layer in the middle of a stack
}

CELLS = {                                                     # name -> (workload) -> our cell
    "rnn": lambda w: RNN(w.D, w.H),
    "indrnn": lambda w: IndRNN(w.D, w.H, horizon=w.T),
    "durnn": lambda w: DuRNN(w.D, w.H, w.H, horizon=w.T),
    "lstm": lambda w: LSTM(w.D, w.H),
    "gru": lambda w: GRU(w.D, w.H),
}
CHUNKS = {"rnn": 50, "indrnn": 50, "durnn": 32, "lstm": 16, "gru": 16}              # good lengths by `bench --chunks`

PEERS = {
    "eager": "PyTorch, a loop over unbind",
    "hoisted": "PyTorch, only what recurs in the loop",
    "nn": "torch.nn",
    "jax": "jax.jit of lax.scan",
}

# (cell, peer): targets and stretch goals for W1 ... W5, set before this code was tuned; for a BLAS kernel that OpenBLAS chose by itself
TARGETS = {
    ("rnn", "eager"): ((0.40, 0.40, 0.40, 0.40, 0.50), (0.25, 0.25, 0.25, 0.25, 0.35)),
    ("rnn", "nn"): ((0.40, 0.40, 0.40, 0.40, 0.50), (0.25, 0.25, 0.25, 0.25, 0.35)),
    ("rnn", "jax"): ((0.75, 0.50, 0.50, 0.50, 0.75), (0.50, 0.30, 0.30, 0.30, 0.50)),
    ("indrnn", "eager"): ((0.30, 0.30, 0.25, 0.15, 0.45), (0.15, 0.15, 0.15, 0.08, 0.30)),
    ("indrnn", "jax"): ((0.85, 0.40, 0.40, 0.40, 0.50), (0.50, 0.20, 0.20, 0.20, 0.30)),
    ("durnn", "eager"): ((0.40, 0.40, 0.40, 0.40, 0.55), (0.25, 0.25, 0.25, 0.25, 0.38)),
    ("durnn", "hoisted"): ((0.60, 0.60, 0.60, 0.60, 0.50), (0.30, 0.30, 0.30, 0.30, 0.30)),
    ("durnn", "jax"): ((1.00, 0.60, 0.60, 0.60, 0.85), (0.65, 0.40, 0.40, 0.40, 0.60)),
    ("lstm", "eager"): ((0.50, 0.50, 0.50, 0.50, 0.55), (0.28, 0.28, 0.28, 0.28, 0.38)),
    ("lstm", "nn"): ((1.00, 1.00, 1.00, 1.00, 1.15), (0.60, 0.60, 0.60, 0.60, 0.85)),
    ("lstm", "jax"): ((0.65, 0.65, 0.65, 0.65, 0.85), (0.40, 0.40, 0.40, 0.40, 0.55)),
}
MEMORY_TARGETS = {"rnn": 0.45, "indrnn": 0.45, "durnn": 0.65, "lstm": 0.45}     # of the eager loop's peak at W4


def chunk_of(cell, workload):
    """Steps in a chunk: the workload's own, or what is good for the cell."""
    return workload.chunk or CHUNKS[cell]


def target(cell, peer, workload):
    """The most that ours / peer may be, and the stretch goal  ->  two floats, or None where none was set."""
    if (cell, peer) not in TARGETS or workload not in WORKLOADS:
        return None
    place = list(WORKLOADS).index(workload)
    return tuple(goals[place] for goals in TARGETS[cell, peer])


def inputs(cell, workload, dtype="float32"):
    """The cell's start values and random inputs, the same for every implementation  ->  p, x (T, B, D)."""
    rng = np.random.default_rng(0)
    p = map_leaves(lambda leaf: leaf.astype(dtype), cell.init(rng))
    return p, rng.standard_normal((workload.T, workload.B, workload.D)).astype(dtype)
