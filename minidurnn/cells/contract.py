"""What a model, a layer, a task, an optimiser and a schedule are, in types.

`gradcheck.assert_cell` holds a model to its part of this.

A class of your own inherits Cell or Layer, says its sizes and writes the methods that are abstract here. What it leaves
out has the value that stands here, which is right for most models.
"""

from abc import abstractmethod
from collections.abc import Mapping
from math import prod
from types import MappingProxyType
from typing import Protocol

import numpy as np

from ..arrays.backend import namespace
from ..arrays.trees import count, trained


class Cell(Protocol):
    """A model: sequences x (T, B, inputs) become outputs h (T, B, outputs), with a state (B, state_size) to hand on.

    needs_noise     forward takes `noise`: what `draw` gave for a training pass, None for evaluation
    needs_lengths   forward takes `lengths` (B,), the steps of each sequence: what stands behind them is padding. A cell
                    needs none: it is run up to each sequence's end and no further
    whole           it needs the whole sequence at once, so that no Chunked can stand around it
    chunk           steps in a chunk that keep its work in a processor's cache
    keep, inner     what a walk over `chunks` keeps of each, "tapes" or "boundaries", and the model that runs over one
    state_slices    the parts of the state by name, {"short": slice(0, 4), "long": slice(4, 9)}; {} where it has none
    decayed         the paths of the parameters that weight decay touches, ("W", "U"); it spares all others
    readers         the names of the matrices that read the model's own units, those with which its outputs begin:
                    ("U",) of an LSTM; () where it has none, or where the outputs begin with something else
    statistics      the paths of the leaves of p that `updated` moves and no gradient: `dp` lacks them
    p               a nested dictionary of float arrays
    """

    inputs: int
    outputs: int
    state_size: int
    needs_noise: bool = False
    needs_lengths: bool = False
    whole: bool = False
    chunk: int = 16
    keep: str = "tapes"
    inner = property(lambda self: self)
    state_slices: Mapping = MappingProxyType({})
    decayed: tuple = ()
    readers: tuple = ()
    statistics: tuple = ()

    @abstractmethod
    def init(self, rng):
        """Start values, drawn from the generator  ->  p, float32 NumPy arrays."""

    @abstractmethod
    def forward(self, p, x, state=None):
        """x (T, B, inputs), state (B, state_size) or None for zeros  ->  h (T, B, outputs), tape."""

    @abstractmethod
    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs), dstate (B, state_size) on the last state, each None for zero  ->  dx, dstate0, dp."""

    @abstractmethod
    def last_state(self, tape):
        """The state after the last step, each sequence's own where forward had lengths  ->  (B, state_size)."""

    def chunks(self, T, like=None):
        """The stretches in which a sequence of T steps, an array like `like` (None: NumPy's), is run. Here: one."""
        return [slice(0, T)]

    def project(self, p):
        """p within the constraints, p itself where it is. Here: no constraint."""
        return p

    def draw(self, rng, B):
        """What a training pass over B sequences needs beside p, drawn once (NumPy). Here: nothing."""
        return

    def updated(self, p, tape):
        """p with the running statistics that a training pass has moved. Here: none."""
        return p


class Layer(Cell, Protocol):
    """A model without memory: its state has size 0, every step is for itself. Its tape has the input as `tape.x`."""

    state_size: int = 0
    chunk: int = 64

    def last_state(self, tape):
        """Nothing to hand on, (B, 0)."""
        return namespace(tape.x).zeros((tape.x.shape[1], 0), tape.x.dtype)


class Task(Protocol):
    """Batches of sequences with targets. The fields of a task, a frozen dataclass, say which task it is.

    loss      "mse", "cross_entropy" or "bits", of the network's outputs and the target
    metric    "mse", "accuracy" or "bits", what validation and test are judged by
    reads     "last": one target per sequence; "every": one per step
    chance    the metric of a network that has learned nothing
    """

    inputs: int
    outputs: int
    loss: str
    metric: str
    reads: str
    chance: float

    def batch(self, rng, B):
        """B training sequences  ->  x (T, B, inputs), target, lengths (B,) or None."""

    def validation(self):
        """All validation sequences, the same at every call  ->  x, target, lengths or None."""

    def test(self):
        """All test sequences, the same at every call  ->  x, target, lengths or None."""

    def baseline(self):
        """The honest baseline on the test set  ->  its name, its metric."""


class Optimizer(Protocol):
    """One update of parameters, pure."""

    rate: float

    def start(self, p):
        """The state before the first update of p, without statistics: a tree of arrays and numbers."""

    def update(self, p, dp, state, scale=1.0, decayed=None):
        """One update at scale · rate; weight decay touches the leaves whose paths are in `decayed`  ->  p, state."""


class Schedule(Protocol):
    """The factor on the rate. Its state is a dictionary of plain numbers."""

    def start(self):
        """The state before the first update."""

    def scale(self, state, update):
        """The factor on the rate at an update, counted from 0."""

    def observe(self, state, validation, better):
        """The state after a look at the validation metric (None: no look); better: "lower" or "higher"."""


MEMBERS = (
    *Cell.__annotations__, "inner",
    "init", "forward", "backward", "last_state", "chunks", "project", "draw", "updated",
)


def check_model(name, model):
    """Raise TypeError unless `model` has what the contract asks for."""
    kind = type(model).__name__
    if isinstance(model, type):
        raise TypeError(f"{name} is the class {model.__name__}: expected a model made of it, {model.__name__}(...).")
    if missing := [member for member in MEMBERS if not hasattr(model, member)]:
        hint = f"; inherit the rest: class {kind}(Cell)" if len(missing) < len(MEMBERS) // 2 else ""
        raise TypeError(
            f"{name} is a {kind} without {', '.join(missing)}: expected a cell, a layer or a stack (of a network, its "
            f".body){hint}."
        )


def count_trained(model):
    """How many trained numbers a model has, by the `shapes` that it tells; only one that tells none draws its init."""
    shapes = getattr(model, "shapes", None)
    if shapes is None:
        return count(trained(model.init(np.random.default_rng(0)), model.statistics))
    return sum(prod(shape) for path, shape in shapes.items() if path not in model.statistics)
