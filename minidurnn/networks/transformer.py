"""A small causal Transformer: every step looks back over all steps before it, and no state is handed on.

    Linear → `layers` times [x + attention(norm(x)) → x + feed-forward(norm(x))] → norm

Sources   Vaswani et al. 2017; the norm inside the residual branch (pre-norm): Xiong et al. 2020.
"""

from collections import namedtuple
from dataclasses import dataclass

from ..arrays.affine import affine, affine_backward
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_gradients, check_options, check_positive, initial_state, one_of, opened
from ..arrays.starts import glorot, normal, zeros
from ..cells.contract import Layer
from .attention import Attention, check_heads
from .layers import Linear
from .normalisation import LayerNorm
from .stacks import Chain, Residual

POSITIONS = ("rotary", "learned", "none")

ForwardTape = namedtuple("ForwardTape", "p x inner")
PositionsTape = namedtuple("PositionsTape", "p x")


@dataclass(frozen=True)
class FeedForward(Layer):
    """y[t] = relu(x[t] W_1 + b_1) W_2 + b_2, every step for itself."""

    units: int                                                # E
    hidden: int                                               # F

    inputs = outputs = property(lambda self: self.units)
    decayed = ("W_1", "W_2")

    @property
    def shapes(self):
        """The shape of every parameter, by its letter."""
        E, F = self.units, self.hidden
        return {"W_1": (E, F), "b_1": (F,), "W_2": (F, E), "b_2": (E,)}

    def __post_init__(self):
        check_options(self, units=at_least(1), hidden=at_least(1))

    def init(self, rng):
        """Glorot matrices, zero biases  ->  dict of float32 NumPy arrays."""
        return {name: glorot(rng, *shape) if len(shape) == 2 else zeros(shape) for name, shape in self.shapes.items()}

    def forward(self, p, x, state=None):
        """x (T, B, E), state (B, 0) or None  ->  y (T, B, E), tape."""
        initial_state(self, p, x, state)
        inner = affine(x, p["W_1"], p["b_1"])
        inner *= inner > 0
        return affine(inner, p["W_2"], p["b_2"]), ForwardTape(p, x, inner)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, E)  ->  dx, dstate0 (B, 0), dp like p."""
        p, x, inner = opened(ForwardTape, tape)
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros(x.shape, x.dtype) if dy is None else dy
        d_inner, dW_2, db_2 = affine_backward(dy, inner, p["W_2"])
        d_inner *= inner > 0
        dx, dW_1, db_1 = affine_backward(d_inner, x, p["W_1"])
        return dx, self.last_state(tape), {"W_1": dW_1, "b_1": db_1, "W_2": dW_2, "b_2": db_2}


@dataclass(frozen=True)
class Positions(Layer):
    """y[t] = x[t] + W[t]: a learned row for each of `steps` steps.    Raises ValueError for a longer sequence."""

    units: int                                                # E
    steps: int

    inputs = outputs = property(lambda self: self.units)
    shapes = property(lambda self: {"W": (self.steps, self.units)})
    whole = True                                              # the first step of a piece would be taken for step 0

    def __post_init__(self):
        check_options(self, units=at_least(1), steps=at_least(1))

    def init(self, rng):
        """Normal with deviation 0.02  ->  dict of a float32 NumPy array W (steps, E)."""
        return {"W": normal(rng, self.steps, self.units, deviation=0.02)}

    def forward(self, p, x, state=None):
        """x (T, B, E) with T up to `steps`, state (B, 0) or None  ->  y (T, B, E), tape."""
        initial_state(self, p, x, state)
        if len(x) > self.steps:
            raise ValueError(
                f"x has {len(x)} steps: expected at most {self.steps}, for so many positions are learned; give more "
                "with steps=, or take rotary positions, which have no end.")
        return x + p["W"][:len(x), None], PositionsTape(p, x)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, E)  ->  dx, dstate0 (B, 0), dp like p."""
        p, x = opened(PositionsTape, tape)
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros(x.shape, x.dtype) if dy is None else dy
        dW = namespace(x).zeros_like(p["W"])
        dW[:len(x)] = dy.sum(1)
        return dy, self.last_state(tape), {"W": dW}


def transformer(inputs, units, layers=2, *, heads=2, hidden=None, positions="rotary", steps=None):
    """Linear, `layers` times attention and feed-forward block, a last norm  ->  Chain.

    hidden      units inside the feed-forward blocks; None: 4 · units
    positions   "rotary", "learned" (then `steps` says how many) or "none": only the mask tells steps apart
    Raises      ValueError unless heads divide units, and for learned positions without steps.
    """
    check_positive(inputs=inputs, units=units, layers=layers, heads=heads)
    check_heads(units, heads)
    one_of(POSITIONS)("positions", positions)
    if (positions == "learned") != (steps is not None):
        raise ValueError(
            f"positions is {positions!r} with steps={steps!r}: expected steps, the longest sequence, with learned "
            "positions and only there.")
    parts = [Linear(inputs, units), *([Positions(units, steps)] if positions == "learned" else [])]
    for _ in range(layers):
        looking = Attention(units, heads, positions == "rotary")
        thinking = FeedForward(units, 4 * units if hidden is None else hidden)
        parts += [Residual(Chain([LayerNorm(units), part])) for part in (looking, thinking)]
    return Chain([*parts, LayerNorm(units)])


def sized(inputs, units, layers=2, heads=2):
    """A transformer whose count grows smoothly with `units`, so that equal counts can be met  ->  Chain.

    The width has to be a multiple of `heads`: it is the one nearest to units / 4, and the feed-forward blocks, of about
    `units` units, have as many as bring a layer to the 12 (units / 4)² numbers that it would have with hidden = units.
    """
    width = heads * max(1, round(units / (4 * heads)))
    return transformer(inputs, width, layers, heads=heads, hidden=max(1, round(3 * units**2 / (8 * width) - 2 * width)))
