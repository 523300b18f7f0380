"""Bad input is refused with one sentence: what was given, what was expected, and where it helps what to do."""

import sys

import fake_cupy
import numpy as np
import pytest
from support import B, T, rng

from minidurnn import GRU, LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN, fit, to
from minidurnn.arrays.checks import check_choice, check_classes, check_positive, is_number
from minidurnn.tasks import Adding, DelayedXOR

SOLO = [RNN(2, 4), ShortTermRNN(2, 4), IndRNN(2, 4), DuRNN(2, 4, 5, horizon=9), LSTM(2, 4), GRU(2, 4), Linear(2, 3)]
MODELS = [*SOLO, Chain((RNN(2, 4), IndRNN(4, 3))), Chunked(LSTM(2, 4), 3), Chunked(Chain((RNN(2, 4), DuRNN(4, 3, 5, horizon=9))), 3, "boundaries")]
every_model = pytest.mark.parametrize("model", MODELS, ids=repr)
every_cell = pytest.mark.parametrize("cell", SOLO, ids=repr)


def sentence(error, call):
    """The message of the error, which is one sentence."""
    with pytest.raises(error) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error and message.endswith(".") and "\n" not in message and len(message) < 400, message
    return message


def refused(error, call, *words):
    """`call` raises `error`, and its one sentence holds all the words."""
    message = sentence(error, call)
    assert all(word in message for word in words), message


def case(model, dtype="float32"):
    """p, x, state, dh, dstate."""
    x, state = np.ones((T, B, model.inputs), dtype), np.zeros((B, model.state_size), dtype)
    return model.init(rng()), x, state, np.ones((T, B, model.outputs), dtype), state + 1


# x

WRONG_X = {
    "two axes": (lambda x: x[:, 0], ValueError, (f"x has shape ({T}, 2)", "expected (T, B, 2)", "time first", "x[:, None]")),
    "four axes": (lambda x: x[None], ValueError, (f"x has shape (1, {T}, {B}, 2)", "expected (T, B, 2)", "time first")),
    "too wide": (lambda x: np.ones((T, B, 5), np.float32), ValueError, (f"x has shape ({T}, {B}, 5)", "expected (T, B, 2)")),
    "no steps": (lambda x: x[:0], ValueError, (f"x has shape (0, {B}, 2)", "at least one step and one sequence")),
    "no sequences": (lambda x: x[:, :0], ValueError, (f"x has shape ({T}, 0, 2)", "at least one step and one sequence")),
    "integers": (lambda x: x.astype(np.int64), TypeError, ("x has dtype int64", "expected float32 or float64", 'x.astype("float32")')),
    "booleans": (lambda x: x.astype(bool), TypeError, ("x has dtype bool", "expected float32 or float64")),
    "half precision": (lambda x: x.astype(np.float16), TypeError, ("x has dtype float16", "expected float32 or float64")),
    "complex": (lambda x: x.astype(complex), TypeError, ("x has dtype complex128", "expected float32 or float64")),
    "objects": (lambda x: x.astype(object), TypeError, ("x has dtype object", "expected float32 or float64")),
    "a list": (lambda x: x.tolist(), TypeError, ("x is a list", "expected a NumPy or CuPy array", "numpy.asarray")),
    "a number": (lambda x: 1.0, TypeError, ("x is a float", "expected a NumPy or CuPy array")),
    "nothing": (lambda x: None, TypeError, ("x is a NoneType", "expected a NumPy or CuPy array")),
}


@every_model
@pytest.mark.parametrize("wrong", WRONG_X)
def test_a_wrong_x_is_refused(model, wrong):
    change, error, words = WRONG_X[wrong]
    p, x, state, _, _ = case(model)
    refused(error, lambda: model.forward(p, change(x), state), *words)


@every_model
def test_double_x_beside_single_parameters_is_refused_and_not_promoted(model):
    p, x, _, _, _ = case(model)
    refused(TypeError, lambda: model.forward(p, x.astype(np.float64)), "has dtype float32 beside float64", "expected one dtype", "astype")


@every_model
def test_a_torch_tensor_is_refused(model):
    torch = pytest.importorskip("torch", reason="no PyTorch: an oracle of these tests, nothing that the package needs")
    p, x, state, dh, dstate = case(model)
    refused(TypeError, lambda: model.forward(p, torch.tensor(x)), "x is a Tensor", "expected a NumPy or CuPy array")
    refused(TypeError, lambda: model.forward(p, x, torch.tensor(state)), "state is a Tensor")
    tape = model.forward(p, x, state)[1]
    refused(TypeError, lambda: model.backward(torch.tensor(dh), tape), "is a Tensor")


# state, dh, dstate

WRONG_STATE = {
    "one axis": (lambda s: s[0], ValueError, ("has shape", "expected (")),
    "another batch": (lambda s: s[1:], ValueError, (f"has shape ({B - 1}, ", f"expected ({B}, ")),
    "too wide": (lambda s: np.ones((B, s.shape[1] + 1), np.float32), ValueError, ("has shape", "expected (")),
    "another precision": (lambda s: s.astype(np.float64), TypeError, ("has dtype float64 beside float32", "expected one dtype")),
    "integers": (lambda s: s.astype(int), TypeError, ("has dtype int64", "expected float32 or float64")),
    "a list": (lambda s: s.tolist(), TypeError, ("is a list", "expected a NumPy or CuPy array")),
}


@every_model
@pytest.mark.parametrize("wrong", WRONG_STATE)
def test_a_wrong_state_is_refused(model, wrong):
    change, error, words = WRONG_STATE[wrong]
    p, x, state, dh, dstate = case(model)
    refused(error, lambda: model.forward(p, x, change(state)), "state ", *words)
    tape = model.forward(p, x, state)[1]
    refused(error, lambda: model.backward(dh, tape, change(dstate)), "dstate ", *words)


WRONG_DH = {
    "too short": (lambda dh: dh[1:], ValueError, (f"has shape ({T - 1}, {B}, ", f"expected ({T}, {B}, ")),
    "too long": (lambda dh: np.concatenate([dh, dh]), ValueError, (f"has shape ({2 * T}, {B}, ", f"expected ({T}, {B}, ")),
    "two axes": (lambda dh: dh[0], ValueError, ("has shape", f"expected ({T}, {B}, ")),
    "too narrow": (lambda dh: dh[..., 1:], ValueError, ("has shape", f"expected ({T}, {B}, ")),
    "another batch": (lambda dh: dh[:, 1:], ValueError, ("has shape", f"expected ({T}, {B}, ")),
    "another precision": (lambda dh: dh.astype(np.float64), TypeError, ("has dtype float64 beside float32", "expected one dtype")),
    "integers": (lambda dh: dh.astype(int), TypeError, ("has dtype int64", "expected float32 or float64")),
    "a list": (lambda dh: dh.tolist(), TypeError, ("is a list", "expected a NumPy or CuPy array")),
    "a number": (lambda dh: 1.0, TypeError, ("is a float", "expected a NumPy or CuPy array")),
}


@every_model
@pytest.mark.parametrize("wrong", WRONG_DH)
def test_a_wrong_gradient_from_above_is_refused(model, wrong):
    change, error, words = WRONG_DH[wrong]
    p, x, state, dh, _ = case(model)
    tape = model.forward(p, x, state)[1]
    refused(error, lambda: model.backward(change(dh), tape), "dh ", *words)


# Parameters

@every_cell
def test_wrong_parameters_are_refused_by_their_names(cell):
    p, x, _, _, _ = case(cell)
    first, rest = next(iter(p)), {name: p[name] for name in list(p)[1:]}
    names = ", ".join(p)
    for wrong, given in ((rest, ", ".join(rest)), ({**p, "extra": x}, f"{names}, extra"), ({}, "empty"), (None, "a NoneType"), (list(p.values()), "a list"), ({"body": p}, "body")):
        refused(ValueError, lambda wrong=wrong: cell.forward(wrong, x), f"the parameters are {given}:", f"expected {names};", "init(rng) of the same model")
    for wrong, error, words in (
        (np.zeros((9, 9), np.float32), ValueError, ("has shape (9, 9)", f"expected {p[first].shape}")),
        (p[first].astype(np.float64), TypeError, ("has dtype float64 beside float32", "expected one dtype")),
        (p[first].astype(int), TypeError, ("has dtype int64", "expected float32 or float64")),
        (p[first].tolist(), TypeError, ("is a list", "expected a NumPy or CuPy array")),
        (None, TypeError, ("is a NoneType", "expected a NumPy or CuPy array")),
    ):
        refused(error, lambda wrong=wrong: cell.forward({**p, first: wrong}, x), f"p['{first}'] ", *words)


def test_wrong_parameters_of_a_chain_are_refused_by_place():
    chain = MODELS[7]
    p, x, _, _, _ = case(chain)
    for wrong, given in (({"0": p["0"]}, "0"), ({**p, "2": p["1"]}, "0, 1, 2"), (None, "a NoneType"), (p["0"], "W, U, b")):
        refused(ValueError, lambda wrong=wrong: chain.forward(wrong, x), f"the parameters are {given}:", "expected 0, 1;")
    refused(ValueError, lambda: chain.forward({"0": p["1"], "1": p["0"]}, x), "the parameters are W, u, b:", "expected W, U, b;")


# Two libraries

@every_model
def test_numpy_beside_cupy_is_refused_wherever_it_stands(model, cupy):
    p, x, state, dh, dstate = case(model)
    there = {name: to("cupy", tree) for name, tree in {"p": p, "x": x, "state": state, "dh": dh, "dstate": dstate}.items()}
    tape = model.forward(p, x, state)[1]
    calls = [
        lambda: model.forward(there["p"], x), lambda: model.forward(p, there["x"]), lambda: model.forward(p, x, there["state"]),
        lambda: model.backward(there["dh"], tape), lambda: model.backward(dh, tape, there["dstate"]), lambda: model.forward(there["p"], there["x"], state),
    ]
    for call in calls:
        refused(TypeError, call, "NumPy and CuPy arrays are mixed", "expected all of one library", 'minidurnn.to("cupy"')


def test_numpy_targets_of_a_network_on_the_device_are_refused(cupy):
    network = Network(RNN(2, 4), 1)
    p, x = to("cupy", network.init(rng())), cupy.zeros((T, B, 2), "float32")
    refused(TypeError, lambda: network.loss(p, x, np.zeros((B, 1), np.float32)), "NumPy and CuPy arrays are mixed")


def test_training_without_cupy_or_without_a_gpu_says_what_to_do(monkeypatch):
    def train():
        fit(Network(RNN(2, 4), 1), Adding(10), 1, backend="cupy", progress=False)

    monkeypatch.setitem(sys.modules, "cupy", None)
    refused(RuntimeError, train, "CuPy is not installed", "minidurnn[cuda12]", "stay with NumPy")
    fake_cupy.install(monkeypatch, gpu=False)
    refused(RuntimeError, train, "finds no GPU", "nvidia-smi", "stay with NumPy")


# Options

number = "a number between 0 and 1, both excluded"
steps = "a finite number of time steps, at least 1"
growth = "a finite number of at least 1"
whole = "an int of at least 1"
OPTIONS = {
    **{f"bound {bound!r}": (lambda bound=bound: ShortTermRNN(2, 4, bound=bound), (f"bound is {bound!r}:", number, "None for no constraint")) for bound in (0, 1, 1.0, -0.5, 1.5, float("nan"), "0.9", True)},
    **{f"bound of a dual cell {bound!r}": (lambda bound=bound: DuRNN(2, 4, 5, horizon=9, bound=bound), (f"bound is {bound!r}:", number)) for bound in (0, 1.0, 2)},
    **{f"growth {γ!r}": (lambda γ=γ: IndRNN(2, 4, horizon=9, growth=γ), (f"growth is {γ!r}:", growth, "None for no constraint")) for γ in (0.99, 0, -2, float("nan"), float("inf"), "2")},
    **{f"horizon {τ!r}": (lambda τ=τ: IndRNN(2, 4, horizon=τ), (f"horizon is {τ!r}:", steps)) for τ in (0, 0.5, -9, float("nan"), float("inf"), "9", False)},
    **{f"horizon of a dual cell {τ!r}": (lambda τ=τ: DuRNN(2, 4, 5, horizon=τ), (f"horizon is {τ!r}:", "at least 1")) for τ in (0, 0.5, None, "9")},
    "growth of a dual cell": (lambda: DuRNN(2, 4, 5, horizon=9, growth=0.5), ("growth is 0.5:", growth)),
    "long memory without a horizon": (lambda: IndRNN(2, 4, memory="long"), ("memory is 'long' without a horizon", "expected the number of time steps to remember", "give horizon=T")),
    "memory": (lambda: IndRNN(2, 4, memory="short"), ("memory is 'short':", "'any', 'long'")),
    "gate": (lambda: DuRNN(2, 4, 5, horizon=9, gate="open"), ("gate is 'open':", "a finite number", "None for -0.7 ln(horizon)")),
    "endless gate": (lambda: DuRNN(2, 4, 5, horizon=9, gate=float("-inf")), ("gate is -inf:", "a finite number")),
    "output": (lambda: DuRNN(2, 4, 5, horizon=9, output="short"), ("output is 'short':", "'both', 'long'")),
    "projection": (lambda: ShortTermRNN(2, 4, projection="cut"), ("projection is 'cut':", "'rescale', 'clip'")),
    "projection of a dual cell": (lambda: DuRNN(2, 4, 5, horizon=9, projection=None), ("projection is None:", "'rescale', 'clip'")),
    "activation": (lambda: RNN(2, 4, activation="gelu"), ("activation is 'gelu':", "'relu', 'tanh', 'sigmoid', 'identity'")),
    "activation of an independent cell": (lambda: IndRNN(2, 4, activation=None), ("activation is None:", "'relu', 'tanh'")),
    "an activation that is no name": (lambda: ShortTermRNN(2, 4, activation=np.tanh), ("activation is <ufunc 'tanh'>:", "'relu', 'tanh'")),
    "start": (lambda: RNN(2, 4, start="zero"), ("start is 'zero':", "'orthogonal', 'identity'")),
    **{f"units {size!r}": (lambda size=size: RNN(2, size), (f"units is {size!r}:", whole)) for size in (0, -1, 4.0, "4", None, True)},
    **{f"inputs of {kind.__name__}": (lambda kind=kind: kind(0, 4), ("inputs is 0:", whole)) for kind in (RNN, ShortTermRNN, IndRNN, LSTM, GRU, Linear)},
    "short": (lambda: DuRNN(2, 0, 5, horizon=9), ("short is 0:", whole)),
    "long": (lambda: DuRNN(2, 4, -5, horizon=9), ("long is -5:", whole)),
    "outputs": (lambda: Linear(2, 0), ("outputs is 0:", whole)),
    "chain of unequal widths": (lambda: Chain((RNN(2, 4), RNN(3, 4))), ("gives 4 outputs", "takes 3 inputs", "expected equal numbers")),
    "empty chain": (lambda: Chain(()), ("parts is ():", "a tuple of at least one model")),
    **{f"chunk length {length!r}": (lambda length=length: Chunked(RNN(2, 4), length), (f"length is {length!r}:", whole)) for length in (0, -3, 2.5, "16")},
    "keep": (lambda: Chunked(RNN(2, 4), 3, "everything"), ("keep is 'everything':", "'tapes', 'boundaries'")),
    "objective": (lambda: Network(RNN(2, 4), 1, "mae"), ("objective is 'mae':", "'mse', 'cross_entropy'")),
    "reads": (lambda: Network(RNN(2, 4), 1, reads="first"), ("reads is 'first':", "'last', 'every'")),
    "outputs of a network": (lambda: Network(RNN(2, 4), 0), ("outputs is 0:", whole)),
    "length of the adding problem": (lambda: Adding(1), ("length is 1:", "at least 2 steps")),
    "length of delayed xor": (lambda: DelayedXOR(19), ("length is 19:", "at least 20 steps")),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_impossible_option_is_refused_by_its_name(option):
    make, words = OPTIONS[option]
    refused(ValueError, make, "expected", *words)


@pytest.mark.parametrize("make", [lambda: ShortTermRNN(2, 4, bound=None), lambda: IndRNN(2, 4, growth=None), lambda: DuRNN(2, 4, 5, horizon=1, bound=None, growth=None), lambda: IndRNN(2, 4, horizon=1, growth=1)])
def test_the_edges_of_what_is_possible_are_accepted(make):
    make()


# The checks themselves

def test_a_number_is_a_number():
    assert [is_number(value) for value in (1, 0.5, np.float32(1), np.int64(1), float("nan"))] == [True] * 5
    assert [is_number(value) for value in (True, "1", None, 1j, np.ones(1), [1])] == [False] * 6


def test_sizes_and_choices_pass_where_they_are_right():
    check_positive(inputs=1, units=10**6)
    check_choice("mode", "a", ("a", "b"))
    refused(ValueError, lambda: check_choice("mode", ["a"], ("a", "b")), "mode is ['a']:", "expected one of 'a', 'b'")


def test_classes_on_the_device_are_not_read(cupy):
    check_classes("target", cupy.full((3,), 9), (3,), 4)
    assert cupy.ndarray.syncs == 0
