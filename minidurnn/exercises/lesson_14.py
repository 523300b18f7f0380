"""The checkers of lesson 14, going deep: plain, residual and dense stacks."""

from itertools import zip_longest

import numpy as np

from ..arrays.trees import leaves, map_leaves
from ..cells import IndRNN
from ..gradcheck import random_leaves
from ..networks.deep import dense, residual
from ..networks.layers import Linear
from ..networks.network import Network, count_parameters
from ..networks.normalisation import BatchNorm
from ..networks.stacks import Chain, Residual
from ..records import read_record
from . import UNTOUCHED, called, choose, compare, fail, judge, kind, numbers


def check_1(answer):
    """Whose first layer is left with next to no gradient, at the start and without norms."""
    choose("14.1", answer, "b", {
        "a": "slopes are below 1, but U starts orthogonal and keeps lengths, and what later steps send back is added.",
        "b": "",
        "c": "a silent neuron passes nothing on, but an active one adds up what later steps send back.",
        "d": "through steps and through layers are two directions: what stands between a memory and what is handed up?",
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
        for said, wrong in MISTAKES_3.items():
            if _same(yours, wrong(*case)):
                fail("14.3", f"{said}{where}.")
        right = residual(*case, _neurons)
        pairs = zip_longest(_shapes(yours).items(), _shapes(right).items(), fillvalue=("nothing", "no further array"))
        for (path, shape), (_, expected) in pairs:
            if shape != expected:
                given = "the arrays end here" if path == "nothing" else f"the array {path!r} has shape {shape}"
                fail("14.3", f"{given}{where}, expected {expected}: list the parts from the bottom to the top.")
        compare("14.3", called("14.3", _numbers, (yours,)), _numbers(right), ("h", "dx"), where=where)
    print("exercise 14.3: correct")


def check_4(attempt):
    """The trained numbers of a dense stack, against a count of its arrays."""
    cases = [(2, 3, (2, 1), 4), (1, 16, (8, 6, 4), 10), (3, 5, (1,), 2)]
    judge("14.4", attempt, _counted, cases, ("the number of parameters",), mistakes=MISTAKES_4)


def check_5(answer):
    """Which of two stacks of 21 layers learns."""
    choose("14.5", answer, "b", {
        "a": "stacks of equal size need not be equally easy to train: one of the two stays above 0.1 in all five runs.",
        "b": "",
        "c": "its gradient is longer, but Adam divides by the gradient's own size: longer does not mean better.",
        "d": "a plain stack of 5 layers learns in so many updates, and one of the two deep stacks does as well.",
    })


def _neurons(units):
    return IndRNN(units, units, project_input=False)


def _shapes(model):
    return {path: leaf.shape for path, leaf in leaves(model.init(np.random.default_rng(2))).items()}


def _same(yours, other):
    """Whether two stacks have arrays of the same shapes in the same order and compute the same."""
    same = list(_shapes(yours).values()) == list(_shapes(other).values())
    return same and all(map(np.allclose, called("14.3", _numbers, (yours,)), _numbers(other)))


def _numbers(model, T=5, B=3):
    """Outputs and input gradient of a stack in training, at parameters around its start."""
    p, x, _ = random_leaves(model, np.random.default_rng(3), T, B).values()
    h, tape = model.forward(p, x, None, model.draw(np.random.default_rng(4), B))
    return h, model.backward(np.cos(np.arange(h.size)).reshape(h.shape), tape)[0]


def _counted(inputs, growth, blocks, classes):
    return count_parameters(Network(dense(inputs, growth, _neurons, blocks=blocks), classes))


# What the lesson computes with.

def both_passes(model, p, x, c):
    """Forward from x, backward from c  ->  y, dx."""
    y, tape = model.forward(p, x)
    return y, model.backward(c, tape)[0]


def derivative(model, p, x):
    """dy/dx of a model whose y is as large as x, all numbers of each in one row  ->  a row for each number of x."""
    return np.stack([both_passes(model, p, x, c.reshape(x.shape))[1].ravel() for c in np.eye(x.size)], axis=1)


def scaled(p, factor):
    """p with every Weight times a factor; biases and recurrent numbers stay."""
    times = {name: leaf * (factor if name == "W" else 1.0) for name, leaf in p.items() if not isinstance(leaf, dict)}
    return {name: times[name] if name in times else scaled(leaf, factor) for name, leaf in p.items()}


def walk(stack, p, x):
    """The parts of a chain from the bottom to the top, each with its parameters and its input."""
    for part, own in zip(stack.parts, p.values()):
        yield part, own, x
        x, _ = part.forward(own, x)


def start_values(model, rng):
    """The start values of a model's parameters, in float64."""
    return map_leaves(np.float64, model.init(rng))


def first_gradient(stack, seed, T=20, B=16):
    """A gradient of length 1 goes into the last output of a stack at its start  ->  its length on the first W."""
    rng = np.random.default_rng(seed)
    h, tape = stack.forward(start_values(stack, rng), rng.standard_normal((T, B, stack.inputs)))
    c = np.zeros_like(h)
    c[-1] = rng.standard_normal(h[-1].shape)
    _, _, dp = stack.backward(c / np.linalg.norm(c), tape)
    return np.linalg.norm(dp["0"]["W"])


def slower(path, who):
    """How many times as long as our IndRNN an LSTM takes, forward and backward, at every T of a record of the bench."""
    record = read_record(path)
    seconds = {(row["workload"], row["cell"]): row["seconds"] for row in record["speed"]}
    wall = {key: np.median(times[who if "lstm" in key else "ours"]["wall"]) for key, times in seconds.items()}
    return [round(wall[work, "lstm"] / wall[work, "indrnn"]) for work in record["workloads"]]


# The reference solutions: the folded cells of the lesson hold the same text.

def cancel():
    """u and W of a residual layer of one neuron that lets no gradient through."""
    u = 0.0                                                   # the branch at step t hears step t alone
    W = -1.0                                                  # and takes away exactly what the straight path brings
    return u, W


def residual_stack(inputs, units, blocks):
    """A Weight, residual blocks of twice {neurons, norm} → Weight, a last {neurons, norm}  ->  Chain."""
    braces = [IndRNN(units, units, project_input=False), BatchNorm(units)]
    branch = Chain([*braces, Linear(units, units), *braces, Linear(units, units)])
    return Chain([Linear(inputs, units), *[Residual(branch)] * blocks, *braces])


def dense_parameters(inputs, growth, blocks, classes):
    """Trained numbers of a dense stack of neurons with norms, and its classifier  ->  int."""
    width = 6 * growth
    total = width * (inputs + 4)
    for layers in blocks:
        for _ in range(layers):
            total += 4 * growth * (width + 4) + growth * (4 * growth + 4)
            width += growth
        total += width // 2 * (width + 4)
        width //= 2
    return total + classes * (width + 1)


def _a_skip_round_every_layer(inputs, units, blocks):
    half = Residual(Chain([_neurons(units), BatchNorm(units), Linear(units, units)]))
    return Chain([Linear(inputs, units), *[half] * (2 * blocks), _neurons(units), BatchNorm(units)])


def _norm_first(inputs, units, blocks):
    braces = [BatchNorm(units), _neurons(units)]
    branch = Chain([*braces, Linear(units, units), *braces, Linear(units, units)])
    return Chain([Linear(inputs, units), *[Residual(branch)] * blocks, *braces])


def _width_never_grows(inputs, growth, blocks, classes):
    none = dense_parameters(inputs, growth, (0,) * len(blocks), classes)
    return none + sum(blocks) * 4 * growth * (7 * growth + 8)


def _one_number_per_norm(inputs, growth, blocks, classes):
    units = [6 * growth]
    for layers in blocks:
        units += layers * [4 * growth, growth] + [(units[-1] + layers * growth) // 2]
    return dense_parameters(inputs, growth, blocks, classes) - sum(units)


MISTAKES_3 = {
    "each skip goes round one recurrence, expected round two recurrences and two Weights": _a_skip_round_every_layer,
    "the last {recurrence, norm} is missing": lambda *sizes: Chain(residual_stack(*sizes).parts[:-2]),
    "the norm stands before the recurrence, expected after it": _norm_first,
    "nothing is added: put each branch into Residual(...)":
        lambda *sizes: Chain([getattr(part, "model", part) for part in residual_stack(*sizes).parts]),
}
MISTAKES_4 = {
    "the width has to grow by `growth` after every dense layer": _width_never_grows,
    "a norm has two numbers per unit, a scale and a shift": _one_number_per_norm,
    "the classifier has a bias": lambda *sizes: dense_parameters(*sizes) - sizes[-1],
}
CHECKS = {"14.1": check_1, "14.2": check_2, "14.3": check_3, "14.4": check_4, "14.5": check_5}
REFERENCE = {"14.1": "b", "14.2": cancel, "14.3": residual_stack, "14.4": dense_parameters, "14.5": "b"}
WRONG = {
    "14.1": ["a", "(c)", "D"],
    "14.2": [lambda: (0.0, 1.0), lambda: (1.0, -1.0), lambda: (0.0, -0.5), lambda: (0.5, float("inf"))],
    "14.3": [*MISTAKES_3.values()], "14.4": [*MISTAKES_4.values()],
    "14.5": ["a", "c", "(d)"],
}
ILL_TYPED = {
    "14.1": [None, 2, "LSTM", ["b"]], "14.5": [None, 21, "residual", b"b"],
    "14.2": [None, lambda: None, lambda: -1.0, lambda: ("zero", -1), lambda: ([0.0], [[-1.0]]), lambda u: (u, -1)],
    "14.3": ["Chain", lambda *sizes: None, lambda *sizes: [Linear(2, 4)], lambda *sizes: Chain([Linear(1, 1)]),
             lambda *sizes: Chain([Linear(2, 4), Linear(5, 4)]), lambda inputs: Chain([Linear(inputs, 1)])],
    "14.4": [256_514, lambda *sizes: None, lambda *sizes: "many", lambda *sizes: [1, 2], lambda inputs: inputs],
}
