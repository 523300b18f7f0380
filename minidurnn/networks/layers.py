"""Layers: forward/backward pairs without a memory. They keep the cells' contract with a state of size 0."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.affine import affine, affine_backward, rows, rows_back, rows_product
from ..arrays.backend import library, namespace
from ..arrays.checks import (
    at_least,
    check_array,
    check_classes,
    check_generator,
    check_gradients,
    check_names,
    check_options,
    flag,
    initial_state,
    number,
    opened,
    shown,
)
from ..arrays.data import known
from ..arrays.starts import glorot, normal, zeros
from ..cells.contract import Layer

LinearTape = namedtuple("LinearTape", "p x")
EmbeddingTape = namedtuple("EmbeddingTape", "p x")
DropoutTape = namedtuple("DropoutTape", "mask x")


@dataclass(frozen=True)
class Linear(Layer):
    """y[t] = x[t] W + b, the same at every step.

    bias     False: no b. In front of a batch norm, which takes it off again, its gradient would be rounding noise alone
    """

    inputs: int                                               # D
    outputs: int                                              # O
    bias: bool = True

    decayed = ("W",)

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        W = {"W": (self.inputs, self.outputs)}
        return {**W, "b": (self.outputs,)} if self.bias else W

    def __post_init__(self):
        check_options(self, inputs=at_least(1), outputs=at_least(1), bias=flag)

    def init(self, rng):
        """Glorot W, zero b  ->  dict of float32 NumPy arrays W (D, O), b (O,)."""
        W = {"W": glorot(rng, self.inputs, self.outputs)}
        return {**W, "b": zeros(self.outputs)} if self.bias else W

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, 0) or None  ->  y (T, B, O), tape."""
        initial_state(self, p, x, state)
        return affine(x, p["W"], p["b"]) if self.bias else rows(x, p["W"]), LinearTape(p, x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, O)  ->  dx, dstate0 (B, 0), dp like p."""
        p, x = opened(LinearTape, tape)
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros((*x.shape[:2], self.outputs), x.dtype) if dy is None else dy
        if not self.bias:
            return rows_back(dy, p["W"]), self.last_state(tape), {"W": rows_product(x, dy)}
        dx, dW, db = affine_backward(dy, x, p["W"])
        return dx, self.last_state(tape), {"W": dW, "b": db}


@dataclass(frozen=True)
class Embedding(Layer):
    """y[t] = W[x[t]]: a row of its own for each of `inputs` symbols. The first part of a chain that reads numbers."""

    inputs: int                                               # symbols
    outputs: int                                              # E

    chunk = 1024                                              # nothing is computed: the model behind it decides
    decayed = ("W",)
    shapes = property(lambda self: {"W": (self.inputs, self.outputs)})

    def __post_init__(self):
        check_options(self, inputs=at_least(1), outputs=at_least(1))

    def init(self, rng):
        """Normal with deviation 0.1  ->  dict of a float32 NumPy array W (inputs, E)."""
        return {"W": normal(rng, self.inputs, self.outputs, deviation=0.1)}

    def forward(self, p, x, state=None):
        """x (T, B) integers from 0 to inputs - 1, state (B, 0) or None  ->  y (T, B, E), tape."""
        check_names(p, self.shapes)
        check_array("p['W']", p["W"], self.shapes["W"])
        check_classes("x", x, ("T", "B"), self.inputs, like=p["W"])
        if state is not None:
            check_array("state", state, (x.shape[1], 0), p["W"])
        return known(p["W"][x], x, self.inputs), EmbeddingTape(p, x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, E)  ->  None (symbols have no gradient), dstate0 (B, 0), dp like p."""
        p, x = opened(EmbeddingTape, tape)
        check_gradients(self, dy, dstate, x, like=p["W"])
        xp, dW = namespace(x), namespace(x).zeros_like(p["W"])
        if dy is not None and xp is np:
            np.add.at(dW, x, dy)                              # a symbol that comes twice collects twice
        elif dy is not None:                                  # a GPU's add.at adds in an order of the moment's
            dW = rows_product((x[..., None] == xp.arange(self.inputs)).astype(dy.dtype), dy)
        return None, self.last_state(tape), {"W": dW}

    def last_state(self, tape):
        """Nothing to hand on, (B, 0)."""
        return namespace(tape.x).zeros((tape.x.shape[1], 0), tape.p["W"].dtype)


@dataclass(frozen=True)
class Dropout(Layer):
    """y[t] = x[t] ⊙ mask, one mask per sequence for all its steps.

    rate     the probability that an entry of the mask is 0; the others are 1/(1 - rate)
    Source   the shared mask: Gal, Ghahramani 2016; as Li et al. 2019, section 5.1, use it.
    """

    units: int                                                # H
    rate: float

    inputs = outputs = property(lambda self: self.units)
    needs_noise, shapes = True, {}

    def __post_init__(self):
        share = number("the share of units to drop, at least 0 and below 1", lambda rate: 0 <= rate < 1)
        check_options(self, units=at_least(1), rate=share)

    def init(self, rng):
        """No parameters  ->  {}."""
        return {}

    def draw(self, rng, B):
        """A mask for every sequence  ->  (B, H) float32."""
        kept = check_generator(rng).random((B, self.units)) >= self.rate
        return (kept / (1.0 - self.rate)).astype("float32")

    def forward(self, p, x, state=None, noise=None):
        """x (T, B, H), state (B, 0) or None, noise a mask (B, H) or None for evaluation  ->  y (T, B, H), tape."""
        initial_state(self, p, x, state)
        if noise is None:
            return x, DropoutTape(None, x)
        if library(type(noise)) is None:
            raise TypeError(f"noise is {shown(noise)}: expected a mask as `draw` gives it, or None (evaluation).")
        check_array("noise", noise, (x.shape[1], self.units))
        namespace(noise, x)
        mask = noise.astype(x.dtype, copy=False)
        return x * mask, DropoutTape(mask, x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, H)  ->  dx, dstate0 (B, 0), {}."""
        mask, x = opened(DropoutTape, tape)
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros(x.shape, x.dtype) if dy is None else dy
        return (dy if mask is None else dy * mask), self.last_state(tape), {}
