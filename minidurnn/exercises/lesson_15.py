"""The checkers of lesson 15, norms and noise over time."""

import numpy as np

from ..arrays.trees import map_leaves
from ..cells import IndRNN
from ..networks.layers import Linear
from ..networks.network import Network
from ..networks.stacks import Chain
from ..optim import Adam
from . import choose, judge
from .lesson_01 import _complex_steps


def check_1(answer):
    """What is left of a climb that all sequences share."""
    choose("15.1", answer, "b", {
        "a": "a norm per step takes the mean of each step from that step: what is the mean of the values at step t?",
        "b": "",
        "c": "the pooled norm takes one number from all steps, the mean over all of them: a line stays a line.",
        "d": "only one of the two does: which one takes the same mean from every step?",
    })


def check_2(attempt):
    """The backward of pooled batch norm, against complex steps: no derivation in the referee."""
    rng, cases = np.random.default_rng(4), []
    for T, B, H in ((5, 3, 4), (1, 2, 3), (4, 1, 2)):
        x, scale = 2 + 3 * rng.standard_normal((T, B, H)), rng.uniform(0.5, 1.5, H)
        normal, deviation = _normal(x)
        cases.append((rng.standard_normal(x.shape), normal, deviation, scale))
    judge("15.2", attempt, _norm_gradients, cases, ("dx", "dscale", "dshift"), mistakes=MISTAKES_2)


def check_3(attempt):
    """How many ones are still to come, from the first output of a pooled norm."""
    cases = []
    for bits in map(np.array, ([1, 0, 0, 1, 0, 0], [0, 1, 0, 0], [0, 1, 1, 1, 1, 0, 1], [1, 0, 0], [1, 1, 1, 0])):
        cases.append((float((bits[0] - bits.mean()) / bits.std()), len(bits)))
    judge("15.3", attempt, ones_to_come, cases, ("the number of ones to come",), mistakes=MISTAKES_3)


def check_4(attempt):
    """Mean and variance over the valid steps alone, with NaN or a number behind the ends."""
    rng, cases = np.random.default_rng(5), []
    for lengths, H, filler in (([2, 1], 1, np.nan), ([5, 2, 4], 3, 9.0), ([3, 3], 2, np.nan)):
        x = rng.standard_normal((max(lengths), len(lengths), H)).round(2)
        x[np.arange(len(x))[:, None] >= lengths] = filler
        cases.append((x, np.array(lengths)))
    judge("15.4", attempt, valid_statistics, cases, ("mean", "variance"), mistakes=MISTAKES_4)


def check_5(answer):
    """What a gentle decay leaves of a memory over 1000 steps."""
    choose("15.5", answer, "c", {
        "a": "0.99 is what is left of the number u itself; a memory over 1000 steps multiplies by u 1000 times.",
        "b": "0.99 is left of u after all updates: 0.37 is its power of 100, but the memory is over 1000 steps.",
        "c": "",
    })


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

    return tuple(
        _complex_steps(lambda leaf, name=name: loss(**{**leaves, name: leaf}), leaf) for name, leaf in leaves.items()
    )


# What the lesson computes with.

def both_passes(norm, p, x, dy, noise=True):
    """Forward, in training, from x, and backward from dy  ->  y, dx."""
    y, tape = norm.forward(p, x, noise=noise)
    return y, norm.backward(dy, tape)[0]


def predict_flips(norm, B, T, updates, seeds):
    """Train two layers of neurons, `norm` (a list of no or one layer) behind the first, to predict fair coin flips.

    Every update brings B fresh sequences of T flips; each flip is to be predicted from those before it.
    returns  losses in bits: in training, a mean for each tenth of the updates, (seeds, 10); in evaluation, (seeds,)
    """
    layers, adam = Chain([Linear(1, 16), _neurons(16), *norm, Linear(16, 16), _neurons(16)]), Adam(0.01)
    network, losses, tests = Network(layers, 2, "cross_entropy", "every"), [], []
    for draw in map(np.random.default_rng, range(seeds)):
        p = map_leaves(lambda leaf: leaf.astype(np.float64), network.init(draw))
        state = adam.start(p)
        for flips in [draw.integers(0, 2, (T + 1, B)) for _ in range(updates)]:
            loss, _, tape = network.loss(p, flips[:-1, :, None].astype(float), flips[1:], noise=network.draw(draw, B))
            p, state = adam.update(network.updated(p, tape), network.gradient(tape)[0], state)
            p, losses = network.project(p), [*losses, loss / np.log(2)]
        flips = draw.integers(0, 2, (T + 1, 1000))
        tests.append(network.loss(p, flips[:-1, :, None].astype(float), flips[1:])[0] / np.log(2))
    return np.reshape(losses, (seeds, 10, -1)).mean(2), np.array(tests)


def _neurons(units):
    return IndRNN(units, units, 20, project_input=False)


# The reference solutions: the folded cells of the lesson hold the same text.

def norm_backward(dy, normal, deviation, scale):
    """Pooled batch norm: dy, normal (T, B, H), deviation, scale (H,)  ->  dx (T, B, H), dscale, dshift (H,)."""
    d_normal = scale * dy
    dx = (d_normal - d_normal.mean((0, 1)) - normal * (normal * d_normal).mean((0, 1))) / deviation
    return dx, (dy * normal).sum((0, 1)), dy.sum((0, 1))


def ones_to_come(first, T):
    """The ones among bits 2 to T of one sequence, from the first output of a pooled norm  ->  int."""
    if first > 0:                                             # bit 1 is 1: first² = (T - k) / k for k ones in all
        return round(T / (1 + first**2)) - 1
    return round(T * first**2 / (1 + first**2))               # bit 1 is 0: first² = k / (T - k)


def valid_statistics(x, lengths):
    """x (T, B, H) with anything behind each sequence's end, lengths (B,)  ->  mean, variance (H,) of valid steps."""
    valid = x[np.arange(len(x))[:, None] < lengths]           # (sum of lengths, H)
    return valid.mean(0), valid.var(0)


def _fixed_statistics(dy, normal, deviation, scale):
    return scale * dy / deviation, *norm_backward(dy, normal, deviation, scale)[1:]


def _fixed_deviation(dy, normal, deviation, scale):
    d_normal = scale * dy
    return (d_normal - d_normal.mean((0, 1))) / deviation, *norm_backward(dy, normal, deviation, scale)[1:]


def _per_step(dy, normal, deviation, scale):
    d_normal = scale * dy
    dx = (d_normal - d_normal.mean(1, keepdims=True) - normal * (normal * d_normal).mean(1, keepdims=True)) / deviation
    return dx, *norm_backward(dy, normal, deviation, scale)[1:]


def _spoils_dy(dy, normal, deviation, scale):
    dy *= scale
    return norm_backward(dy, normal, deviation, np.ones_like(scale))


def _padding_as_zero(x, lengths):
    filled = np.where((np.arange(len(x))[:, None] < lengths)[..., None], x, 0)
    return filled.mean((0, 1)), filled.var((0, 1))


def _means_of_means(x, lengths):
    ends = [x[:length, n] for n, length in enumerate(lengths)]
    return np.mean([one.mean(0) for one in ends], 0), np.mean([one.var(0) for one in ends], 0)


def _one_less(x, lengths):
    return valid_statistics(x, lengths)[0], x[np.arange(len(x))[:, None] < lengths].var(0, ddof=1)


def _times_zero(x, lengths):
    mask = (np.arange(len(x))[:, None] < lengths)[..., None]
    mean = (x * mask).sum((0, 1)) / lengths.sum()
    return mean, ((x - mean) ** 2 * mask).sum((0, 1)) / lengths.sum()


MISTAKES_2 = {
    "mean and deviation depend on x too: this is the gradient with both held fixed": _fixed_statistics,
    "the deviation depends on x too: its term is missing": _fixed_deviation,
    "these means run over the batch of each step, expected over time and batch": _per_step,
    "the gradient on normal is scale ⊙ dy":
        lambda dy, normal, deviation, scale: norm_backward(dy, normal, deviation, np.ones_like(scale)),
}
MISTAKES_3 = {
    "the first bit is a one itself and is not still to come":
        lambda first, T: ones_to_come(first, T) + (first > 0),
    "a negative first output belongs to a first bit of 0: solve the other equation":
        lambda first, T: round(T / (1 + first**2)) - 1,
    "these are the zeros to come": lambda first, T: T - 1 - ones_to_come(first, T),
}
MISTAKES_4 = {
    "the padding is counted as zeros": _padding_as_zero,
    "a mean of the sequences' means gives short sequences too much weight": _means_of_means,
    "the variance of a batch divides by N, not by N - 1": _one_less,
    "0 times NaN is NaN: choose the valid entries instead of multiplying": _times_zero,
    "the padding may hold numbers too: `lengths` says which entries are valid":
        lambda x, lengths: (np.nanmean(x, (0, 1)), np.nanvar(x, (0, 1))),
}
CHECKS = {"15.1": check_1, "15.2": check_2, "15.3": check_3, "15.4": check_4, "15.5": check_5}
REFERENCE = {"15.1": "b", "15.2": norm_backward, "15.3": ones_to_come, "15.4": valid_statistics, "15.5": "c"}
WRONG = {
    "15.1": ["a", "(c)", "D"],
    "15.2": [*MISTAKES_2.values()],
    "15.3": [*MISTAKES_3.values()],
    "15.4": [*MISTAKES_4.values()],
    "15.5": ["a", "(b)", "A"],
}
ILL_TYPED = {
    "15.1": [None, 2, "pooled", ["b"]],
    "15.2": [None, lambda *given: None, lambda dy, *rest: dy, lambda *given: ("dx", "dscale", "dshift"), _spoils_dy,
             lambda dy, normal, deviation, scale: norm_backward(dy.T, normal, deviation, scale)],
    "15.3": [3, lambda first, T: None, lambda first, T: "three", lambda first, T: [1, 2], lambda first: first],
    "15.4": [None, lambda x, lengths: None, lambda x, lengths: x, lambda x, lengths: (x, x), lambda x, lengths: 1 / 0,
             lambda x, lengths: x.nanmean()],
    "15.5": [None, 0.99, "0.01 %", ["c"]],
}
