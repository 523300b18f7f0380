"""The checkers of lesson 14, going deep: plain, residual and dense stacks."""

from itertools import zip_longest

import numpy as np

from ..arrays.trees import leaves, map_leaves
from ..cells import IndRNN
from ..gradcheck import random_leaves
from ..networks.deep import residual
from ..networks.layers import Linear
from ..networks.network import Network
from ..networks.normalisation import BatchNorm
from ..networks.stacks import Chain, Dense, Residual
from . import UNTOUCHED, called, choose, compare, fail, judge, kind, numbers, tried
from .companions.stack_passes import both_passes, passes_in_training, scaled, walk


def check_1(answer):
    """How long the gradient is at the bottom of 21 layers, at the usual start and without norms."""
    choose("14.1", answer, "b", {
        "a": "look at the gradients (1, 1), (2, 1), (3, 1): nothing shrinks there, although nothing is added.",
        "b": "",
        "c": "look at the gradients (1, 1), (2, 1), (3, 1): what do later steps do to a neuron that remembers?",
        "d": "a straight path brings the gradient down once, and the branch adds to it: why should the sum stay at 1?",
    })


def check_2(attempt):
    """u and W of a residual layer of one neuron whose branch cancels the straight path."""
    answer = called("14.2", attempt, ())
    if answer is ...:
        print(f"exercise 14.2: {UNTOUCHED}")
        return
    if not isinstance(answer, tuple) or len(answer) != 2:
        fail("14.2", f"got {kind(answer)}, expected two results separated by commas: return u, W.")
    u, W = (float(numbers("14.2", name, value, ())) for name, value in zip(("u", "W"), answer))
    if not np.isfinite([u, W]).all():
        fail("14.2", f"u is {u:.4g} and W is {W:.4g}, expected finite numbers.")
    layer, rng = Residual(Chain([_neurons(1), Linear(1, 1)])), np.random.default_rng(2)
    p = {"0": {"u": np.array([u])}, "1": {"W": np.array([[W]]), "b": np.zeros(1)}}
    x, dy = rng.uniform(0.5, 1.5, (4, 2, 1)), rng.standard_normal((4, 2, 1))
    dx = layer.backward(dy, layer.forward(p, x)[1])[0]
    if abs(dx[-1]).max() > 1e-12:
        part = (dx / dy)[-1, abs(dx[-1, :, 0]).argmax(), 0]
        fail("14.2", f"at the last step the straight path gives 1 and the branch gives {part - 1:.4g} for u = {u:.4g}, "
                     f"W = {W:.4g}: together {part:.4g}, expected 0.")
    if abs(dx).max() > 1e-12:
        step = int(abs(dx[:, 0, 0]).argmax())
        fail("14.2", f"dx is 0 at the last step, but {dx[step, 0, 0]:.4g} at step {step + 1} of 4, expected 0: with "
                     f"u = {u:.4g} later outputs of the branch also hear this input.")
    print("exercise 14.2: correct")


def check_3(attempt):
    """A residual stack, by its start values, its outputs and its gradient, against the library's."""
    for case in ((2, 4, 3), (3, 5, 1)):
        where = " for inputs = {}, units = {}, blocks = {}".format(*case)
        yours = called("14.3", attempt, case, where)
        if yours is ...:
            print(f"exercise 14.3: {UNTOUCHED}")
            return
        if not isinstance(yours, Chain):
            fail("14.3", f"got {kind(yours)}{where}, expected a Chain: return Chain([...]).")
        right, shapes = residual(*case, _neurons), tried("14.3", f"init of your stack stopped{where}", _shapes, yours)
        for said, wrong in MISTAKES_3.items():
            alike = list(shapes.values()) == list(_shapes(wrong(*case)).values())
            if alike and _same(_passed(yours, where), _numbers(wrong(*case))):
                fail("14.3", f"{said}{where}.")
        pairs = zip_longest(shapes.items(), _shapes(right).items(), fillvalue=("nothing", "no further array"))
        for (path, shape), (_, expected) in pairs:
            if shape != expected:
                given = "the arrays end here" if path == "nothing" else f"the array {path!r} has shape {shape}"
                fail("14.3", f"{given}{where}, expected {expected}: list the parts from the bottom to the top.")
        compare("14.3", _passed(yours, where), _numbers(right), ("h", "dx"), where=where)
    print("exercise 14.3: correct")


def check_4(answer):
    """Which of two stacks of 21 layers learns."""
    choose("14.4", answer, "b", {
        "a": "stacks of equal size need not be equally easy to train: one of the two stays above 0.1 in all five runs.",
        "b": "",
        "c": "Adam divides by the gradient's own size: a gradient that is twice as long does not train better.",
        "d": "a plain stack of 5 layers learns in so many updates, and one of the two deep stacks does as well.",
    })


def check_5(attempt):
    """The largest factor on all Weights at which the floor keeps a share of the gradient."""
    judge("14.5", attempt, largest_factor, [(0.5, 1, 2.0), (0.5, 2, 4.0), (0.9, 10, 75.0)], mistakes=MISTAKES_5)


def _neurons(units, horizon=None):
    return IndRNN(units, units, horizon, project_input=False)


def _shapes(model):
    return {path: leaf.shape for path, leaf in leaves(model.init(np.random.default_rng(2))).items()}


def _passed(stack, where):
    """_numbers of a student's stack."""
    return tried("14.3", f"a pass of your stack stopped{where}", _numbers, stack)


def _same(results, others):
    return all(np.shape(mine) == one.shape and np.allclose(mine, one) for mine, one in zip(results, others))


def _numbers(model, T=5, B=3):
    """Outputs and input gradient of a stack in training, at parameters around its start."""
    p, x, _ = random_leaves(model, np.random.default_rng(3), T, B).values()
    h, tape = model.forward(p, x, None, model.draw(np.random.default_rng(4), B))
    return h, model.backward(np.cos(np.arange(h.size)).reshape(h.shape), tape)[0]


def smaller(p, ζ):
    """A network's p with every Weight of its stack times ζ; the read-out stays."""
    return {"body": scaled(p["body"], ζ), "readout": p["readout"]}


def start_values(model, rng):
    """The start values of a model's parameters, in float64."""
    return map_leaves(lambda leaf: leaf.astype(np.float64), model.init(rng))


def deep_network(skips, norms, K):
    """The trainings' network: the first Weight, K blocks, the last recurrence; a linear read-out."""
    norm = [BatchNorm(16)] if norms else []
    branch = Chain([_neurons(16, 20), *norm, Linear(16, 16)] * 2)
    last = Chain([IndRNN(16, 16, horizon=20, memory="long", project_input=False), *norm])
    block = Residual(branch) if skips else branch
    return Network(Chain([Linear(2, 16), *[block] * K, last]), 1)


def gradients(network, p, x, target):
    """dL/dx^0, ..., dL/dx^K in training: behind the first Weight and behind each block of a deep_network  ->  list."""
    outputs, tapes = zip(*passes_in_training(network, p, x))
    y, tape = network.readout.forward(p["readout"], outputs[-1][-1:])
    dh, found = np.zeros_like(outputs[-1]), []
    dh[-1:] = network.readout.backward(2 * (y - target) / target.size, tape)[0]
    for part, tape in zip(network.body.parts[:0:-1], tapes[:0:-1]):
        dh = part.backward(dh, tape)[0]
        found.insert(0, dh)
    return found


def branch_stretch(stack, p, x):
    """How far each residual branch of a stack without norms can stretch a gradient, for one sequence (T, 1, H)."""
    found = []
    for part, own, below in walk(stack, p, x):
        if isinstance(part, Residual):
            c = np.eye(below.size).reshape(below.size, len(below), -1).transpose(1, 0, 2)     # one column per gradient
            dx = both_passes(part.model, own, np.repeat(below, below.size, axis=1), c)[1]
            found.append(np.linalg.norm(dx.transpose(1, 0, 2).reshape(below.size, -1), 2))
    return np.array(found)


# The reference solutions: the folded cells of the lesson hold the same text.

def cancel():
    """u and W of a residual layer of one neuron that lets no gradient through."""
    u = 0.0                                                   # the branch at step t hears step t alone
    W = -1.0                                                  # and takes away exactly what the straight path brings
    return u, W


def residual_stack(inputs, units, blocks):
    """A Weight, residual blocks of twice {neurons, norm} → Weight, a last {neurons, norm}  ->  Chain."""
    neurons, norm, weight = IndRNN(units, units, project_input=False), BatchNorm(units), Linear(units, units)
    parts = [Linear(inputs, units)]
    for _ in range(blocks):
        parts.append(Residual(Chain([neurons, norm, weight, neurons, norm, weight])))
    return Chain(parts + [neurons, norm])


def largest_factor(share, K, β_1):
    """The largest ζ with max(1 - ζ² β_1, 0)^K at least `share`; β_1: the β at ζ = 1."""
    return np.sqrt((1 - share ** (1 / K)) / β_1)


def _a_skip_round_every_layer(inputs, units, blocks):
    half = Residual(Chain([_neurons(units), BatchNorm(units), Linear(units, units)]))
    return Chain([Linear(inputs, units), *[half] * (2 * blocks), _neurons(units), BatchNorm(units)])


def _norm_first(inputs, units, blocks):
    braces = [BatchNorm(units), _neurons(units)]
    branch = Chain([*braces, Linear(units, units), *braces, Linear(units, units)])
    return Chain([Linear(inputs, units), *[Residual(branch)] * blocks, *braces])


def _spoilt(method, instead):
    return lambda *sizes: type("Mine", (Chain,), {method: instead})(residual_stack(*sizes).parts)


MISTAKES_3 = {
    "each skip goes round one recurrence, expected round two recurrences and two Weights": _a_skip_round_every_layer,
    "the last {recurrence, norm} is missing": lambda *sizes: Chain(residual_stack(*sizes).parts[:-2]),
    "the norm stands before the recurrence, expected after it": _norm_first,
    "nothing is added: put each branch into Residual(...)":
        lambda *sizes: Chain([getattr(part, "model", part) for part in residual_stack(*sizes).parts]),
}
MISTAKES_5 = {
    "a branch has two Weights, so its stretch is ζ² β_1": lambda share, K, β_1: (1 - share ** (1 / K)) / β_1,
    "the floor is a power of K, the number of blocks": lambda share, K, β_1: np.sqrt((1 - share) / β_1),
    "1 - K · ζ² β_1 is an estimate": lambda share, K, β_1: np.sqrt((1 - share) / (K * β_1)),
}
CHECKS = {"14.1": check_1, "14.2": check_2, "14.3": check_3, "14.4": check_4, "14.5": check_5}
REFERENCE = {"14.1": "b", "14.2": cancel, "14.3": residual_stack, "14.4": "b", "14.5": largest_factor}
WRONG = {
    "14.1": ["a", "(c)", "D"],
    "14.2": [lambda: (0.0, 1.0), lambda: (1.0, -1.0), lambda: (0.0, -0.5), lambda: (0.5, float("inf"))],
    "14.3": [*MISTAKES_3.values()], "14.4": ["a", "c", "(d)"],
    "14.5": [*MISTAKES_5.values(), lambda share, K, β_1: -largest_factor(share, K, β_1)],
}
ILL_TYPED = {
    "14.1": [None, 2, "LSTM", ["b"]], "14.4": [None, 21, "residual", b"b"],
    "14.2": [None, lambda: None, lambda: -1.0, lambda: ("zero", -1), lambda: ([0.0], [[-1.0]]), lambda u: (u, -1)],
    "14.3": [Chain, lambda *sizes: Chain([*residual_stack(*sizes).parts[:-1], Dense(BatchNorm(sizes[1]))]),
             lambda *sizes: Chain([Linear(2, 4), Linear(5, 4)]), lambda inputs: Chain([Linear(inputs, 1)]),
             _spoilt("init", lambda self, rng: {}["W"]), _spoilt("init", lambda self, rng: [0.0]),
             _spoilt("forward", lambda self, p, x, *more: x), _spoilt("backward", lambda self, *given: None),
             _spoilt("forward", lambda self, *given: (Chain.forward(self, *given)[0][::2], None))],
    "14.5": [0.03, lambda *given: None, lambda *given: "small", lambda *given: [1, 2], lambda share: share,
             lambda share, K, β_1: 1 / 0],
}
