"""The checkers of lesson 14, going deep."""

from itertools import zip_longest

import numpy as np

from ..arrays.trees import leaves
from ..cells import IndRNN
from ..gradcheck import random_leaves
from ..networks.deep import dense, residual
from ..networks.layers import Linear
from ..networks.network import Network, count_parameters
from ..networks.normalisation import BatchNorm
from ..networks.stacks import Chain, Residual
from . import UNTOUCHED, choose, compare, judge
from .lesson_01 import _complex_steps


def check_1(answer):
    """Whose first layer is left with next to no gradient, at the start and without norms."""
    choose("14.1", answer, "b", {
        "a": "tanh's slopes lie below 1, but near 0 they are close to 1, and an orthogonal U loses no length.",
        "b": "", "c": "what a layer forgets over time it has handed up before.",
        "d": "one of the three multiplies by two gates of about 1/2 in every layer.",
    })


def check_2(attempt):
    """A residual stack, by its start values, its outputs and its gradient, against the library's."""
    for inputs, units, blocks in ((2, 4, 3), (3, 5, 1)):
        yours, right = attempt(inputs, units, blocks), residual(inputs, units, blocks, _neurons)
        if yours is ...:
            print(f"exercise 14.2: {UNTOUCHED}")
            return
        if not isinstance(yours, Chain):
            raise AssertionError(f"exercise 14.2: got {type(yours).__name__}, expected a Chain.")
        mine, wanted = ([leaf.shape for leaf in leaves(model.init(np.random.default_rng(2))).values()] for model in (yours, right))
        for place, (shape, expected) in enumerate(zip_longest(mine, wanted, fillvalue="nothing")):
            if shape != expected:
                raise AssertionError(f"exercise 14.2: with {inputs} inputs, {units} units and {blocks} blocks, array {place} of the parameters is {shape}, expected {expected}.")
        compare("14.2", _numbers(yours), _numbers(right), ("h", "dx"))
    print("exercise 14.2: correct")


def check_3(attempt):
    """The trained numbers of a dense stack, against a count of its arrays."""
    judge("14.3", attempt, _counted, [(2, 3, (2, 1), 4), (1, 16, (8, 6, 4), 10), (3, 5, (1,), 2)], ("the number of parameters",))


def check_4(attempt):
    """The backward of pooled batch norm, against complex steps: no derivation in the referee."""
    rng, cases = np.random.default_rng(4), []
    for T, B, H in ((5, 3, 4), (1, 2, 3), (4, 1, 2)):
        x, scale = 2 + 3 * rng.standard_normal((T, B, H)), rng.uniform(0.5, 1.5, H)
        normal, deviation = _normal(x)
        cases.append((rng.standard_normal(x.shape), normal, deviation, scale))
    judge("14.4", attempt, _norm_gradients, cases, ("dx", "dscale", "dshift"))


def _neurons(units):
    return IndRNN(units, units, project_input=False)


def _numbers(model, T=5, B=3):
    """Outputs and input gradient of a stack in training, at parameters around its start."""
    p, x, _ = random_leaves(model, np.random.default_rng(3), T, B).values()
    h, tape = model.forward(p, x, None, model.draw(np.random.default_rng(4), B))
    return h, model.backward(np.cos(np.arange(h.size)).reshape(h.shape), tape)[0]


def _counted(inputs, growth, blocks, classes):
    return count_parameters(Network(dense(inputs, growth, _neurons, blocks=blocks), classes))


def _normal(x):
    """x (T, B, H), complex entries pass  ->  normal (T, B, H), deviation (H,)."""
    off = x - x.mean((0, 1))
    deviation = np.sqrt((off * off).mean((0, 1)) + 1e-5)
    return off / deviation, deviation


def _norm_gradients(dy, normal, deviation, scale):
    """The gradient of ⟨dy, scale ⊙ normal(x) + shift⟩ at an x that has this normal and this deviation."""
    leaves = {"x": normal * deviation, "scale": scale, "shift": np.zeros_like(scale)}

    def loss(x, scale, shift):
        return (dy * (_normal(x)[0] * scale + shift)).sum()

    return tuple(_complex_steps(lambda leaf, name=name: loss(**{**leaves, name: leaf}), leaf) for name, leaf in leaves.items())


# The reference solutions: the folded cells of the lesson hold the same text.

def residual_stack(inputs, units, blocks):
    """A Weight, residual blocks of twice {neurons, norm} → Weight, a last {neurons, norm}  ->  Chain."""
    braces = [IndRNN(units, units, project_input=False), BatchNorm(units)]
    branch = Chain([*braces, Linear(units, units), *braces, Linear(units, units)])
    return Chain([Linear(inputs, units), *[Residual(branch)] * blocks, *braces])


def dense_parameters(inputs, growth, blocks, classes):
    """Trained numbers of a dense stack of independent neurons, norms after them, and its classifier  ->  int."""
    width = 6 * growth
    total = width * (inputs + 4)
    for layers in blocks:
        for _ in range(layers):
            total += 4 * growth * (width + 4) + growth * (4 * growth + 4)
            width += growth
        total += width // 2 * (width + 4)
        width //= 2
    return total + classes * (width + 1)


def norm_backward(dy, normal, deviation, scale):
    """Pooled batch norm: dy, normal (T, B, H), deviation, scale (H,)  ->  dx (T, B, H), dscale, dshift (H,)."""
    d_normal = scale * dy
    dx = (d_normal - d_normal.mean((0, 1)) - normal * (normal * d_normal).mean((0, 1))) / deviation
    return dx, (dy * normal).sum((0, 1)), dy.sum((0, 1))


def _a_skip_round_every_layer(inputs, units, blocks):
    half = Residual(Chain([IndRNN(units, units, project_input=False), BatchNorm(units), Linear(units, units)]))
    return Chain([Linear(inputs, units), *[half] * (2 * blocks), IndRNN(units, units, project_input=False), BatchNorm(units)])


def _no_last_braces(inputs, units, blocks):
    return Chain(residual_stack(inputs, units, blocks).parts[:-2])


def _norm_first(inputs, units, blocks):
    braces = [BatchNorm(units), IndRNN(units, units, project_input=False)]
    branch = Chain([*braces, Linear(units, units), *braces, Linear(units, units)])
    return Chain([Linear(inputs, units), *[Residual(branch)] * blocks, *braces])


def _no_skip(inputs, units, blocks):
    return Chain([Linear(inputs, units), *[part.model for part in residual_stack(inputs, units, blocks).parts[1:-2]], *residual_stack(inputs, units, blocks).parts[-2:]])


def _width_never_grows(inputs, growth, blocks, classes):
    return dense_parameters(inputs, growth, (0,) * len(blocks), classes) + sum(blocks) * 4 * growth * (7 * growth + 8)


def _without_the_last_halving(inputs, growth, blocks, classes):
    return dense_parameters(inputs, growth, blocks, classes) + classes


def _one_number_per_norm(inputs, growth, blocks, classes):
    units = [6 * growth]
    for layers in blocks:
        units += layers * [4 * growth, growth] + [(units[-1] + layers * growth) // 2]
    return dense_parameters(inputs, growth, blocks, classes) - sum(units)


def _fixed_statistics(dy, normal, deviation, scale):
    return scale * dy / deviation, *norm_backward(dy, normal, deviation, scale)[1:]


def _fixed_deviation(dy, normal, deviation, scale):
    d_normal = scale * dy
    return (d_normal - d_normal.mean((0, 1))) / deviation, *norm_backward(dy, normal, deviation, scale)[1:]


def _per_step(dy, normal, deviation, scale):
    d_normal = scale * dy
    dx = (d_normal - d_normal.mean(1, keepdims=True) - normal * (normal * d_normal).mean(1, keepdims=True)) / deviation
    return dx, *norm_backward(dy, normal, deviation, scale)[1:]


CHECKS = {"14.1": check_1, "14.2": check_2, "14.3": check_3, "14.4": check_4}
REFERENCE = {"14.1": "b", "14.2": residual_stack, "14.3": dense_parameters, "14.4": norm_backward}
WRONG = {
    "14.1": ["a", "c", "d"],
    "14.2": [_a_skip_round_every_layer, _no_last_braces, _norm_first, _no_skip],
    "14.3": [_width_never_grows, _without_the_last_halving, _one_number_per_norm],
    "14.4": [_fixed_statistics, _fixed_deviation, _per_step],
}
