"""Bad input is refused with one sentence: what was given, what was expected, and where it helps what to do."""

import sys
from functools import partial

import fake_cupy
import numpy as np
import pytest
from support import B, T, rng

from minidurnn import GRU, JANET, LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN, fit, to
from minidurnn.arrays.checks import check_classes
from minidurnn.arrays.data import check_data
from minidurnn.networks import Embedding
from minidurnn.networks.losses import LOSSES
from minidurnn.tasks import Adding

SOLO = [
    RNN(2, 4), ShortTermRNN(2, 4), IndRNN(2, 4), DuRNN(2, 4, 5, horizon=9), LSTM(2, 4), GRU(2, 4), JANET(2, 4),
    Linear(2, 3),
]
MODELS = [
    *SOLO, Chain((RNN(2, 4), IndRNN(4, 3))), Chunked(LSTM(2, 4), 3),
    Chunked(Chain((RNN(2, 4), DuRNN(4, 3, 5, horizon=9))), 3, "boundaries"),
]
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

floats = "expected float32 or float64"
WRONG_X = {
    "two axes": (
        lambda x: x[:, 0], ValueError, (f"x has shape ({T}, 2)", "expected (T, B, 2)", "time first", "x[:, None]")),
    "four axes": (lambda x: x[None], ValueError, (f"x has shape (1, {T}, {B}, 2)", "expected (T, B, 2)", "time first")),
    "too wide": (lambda x: x.repeat(3, -1), ValueError, (f"x has shape ({T}, {B}, 6)", "expected (T, B, 2)")),
    "no steps": (lambda x: x[:0], ValueError, (f"x has shape (0, {B}, 2)", "at least one step and one sequence")),
    "no sequences": (lambda x: x[:, :0], ValueError, (f"x has shape ({T}, 0, 2)", "at least one step", "one sequence")),
    "integers": (lambda x: x.astype(np.int64), TypeError, ("x has dtype int64", floats, 'x.astype("float32")')),
    "booleans": (lambda x: x.astype(bool), TypeError, ("x has dtype bool", floats)),
    "half precision": (lambda x: x.astype(np.float16), TypeError, ("x has dtype float16", floats)),
    "complex": (lambda x: x.astype(complex), TypeError, ("x has dtype complex128", floats)),
    "objects": (lambda x: x.astype(object), TypeError, ("x has dtype object", floats)),
    "a masked array": (np.ma.asarray, TypeError, ("x is a MaskedArray", "no mask is read", "lengths")),
    "records": (lambda x: x.view(np.recarray), TypeError, ("x is a recarray", "numpy.asarray")),
    "a list": (lambda x: x.tolist(), TypeError, ("x is a list", "expected a NumPy or CuPy array", "numpy.asarray")),
    "a number": (lambda x: 1.0, TypeError, ("x is a float", "expected a NumPy or CuPy array")),
    "nothing": (lambda x: None, TypeError, ("x is a NoneType", "expected a NumPy or CuPy array")),
}


@pytest.mark.parametrize("change, error, words", WRONG_X.values(), ids=WRONG_X)
def test_a_wrong_x_is_refused_by_every_model(change, error, words):
    for model in MODELS:
        p, x, state, _, _ = case(model)
        refused(error, partial(model.forward, p, change(x), state), *words)


@every_model
def test_double_x_beside_single_parameters_is_refused_and_not_promoted(model):
    p, x, _, _, _ = case(model)
    words = "has dtype float32 beside float64", "expected one dtype", "astype"
    refused(TypeError, lambda: model.forward(p, x.astype(np.float64)), *words)


# state, dh, dstate

doubled = "has dtype float64 beside float32", "expected one dtype"
WRONG_STATE = {
    "one axis": (lambda s: s[0], ValueError, ("has shape", "expected (")),
    "another batch": (lambda s: s[1:], ValueError, (f"has shape ({B - 1}, ", f"expected ({B}, ")),
    "too wide": (lambda s: np.ones((B, s.shape[1] + 1), np.float32), ValueError, ("has shape", "expected (")),
    "another precision": (lambda s: s.astype(np.float64), TypeError, doubled),
    "integers": (lambda s: s.astype(int), TypeError, ("has dtype int64", floats)),
    "a masked array": (np.ma.asarray, TypeError, ("is a MaskedArray", "no mask is read")),
    "a list": (lambda s: s.tolist(), TypeError, ("is a list", "expected a NumPy or CuPy array")),
}


@pytest.mark.parametrize("change, error, words", WRONG_STATE.values(), ids=WRONG_STATE)
def test_a_wrong_state_is_refused_by_every_model(change, error, words):
    for model in MODELS:
        p, x, state, dh, dstate = case(model)
        refused(error, partial(model.forward, p, x, change(state)), "state ", *words)
        tape = model.forward(p, x, state)[1]
        refused(error, partial(model.backward, dh, tape, change(dstate)), "dstate ", *words)


WRONG_DH = {
    "too short": (lambda dh: dh[1:], ValueError, (f"has shape ({T - 1}, {B}, ", f"expected ({T}, {B}, ")),
    "too long": (lambda dh: dh.repeat(2, 0), ValueError, (f"has shape ({2 * T}, {B}, ", f"expected ({T}, {B}, ")),
    "two axes": (lambda dh: dh[0], ValueError, ("has shape", f"expected ({T}, {B}, ")),
    "too narrow": (lambda dh: dh[..., 1:], ValueError, ("has shape", f"expected ({T}, {B}, ")),
    "another batch": (lambda dh: dh[:, 1:], ValueError, ("has shape", f"expected ({T}, {B}, ")),
    "another precision": (lambda dh: dh.astype(np.float64), TypeError, doubled),
    "integers": (lambda dh: dh.astype(int), TypeError, ("has dtype int64", floats)),
    "a masked array": (np.ma.asarray, TypeError, ("is a MaskedArray", "no mask is read")),
    "a list": (lambda dh: dh.tolist(), TypeError, ("is a list", "expected a NumPy or CuPy array")),
    "a number": (lambda dh: 1.0, TypeError, ("is a float", "expected a NumPy or CuPy array")),
}


@pytest.mark.parametrize("change, error, words", WRONG_DH.values(), ids=WRONG_DH)
def test_a_wrong_gradient_from_above_is_refused_by_every_model(change, error, words):
    for model in MODELS:
        p, x, state, dh, _ = case(model)
        refused(error, partial(model.backward, change(dh), model.forward(p, x, state)[1]), "dh ", *words)


# Parameters

@every_cell
def test_wrong_parameters_are_refused_by_their_names(cell):
    p, x, _, _, _ = case(cell)
    first, rest = next(iter(p)), {name: p[name] for name in list(p)[1:]}
    names = ", ".join(p)
    for wrong, given in (
        (rest, ", ".join(rest)), ({**p, "extra": x}, f"{names}, extra"), ({}, "empty"), (None, "a NoneType"),
        (list(p.values()), "a list"), ({"body": p}, "body"),
    ):
        words = f"the parameters are {given}:", f"expected {names};", "init(rng) of the same model"
        refused(ValueError, lambda wrong=wrong: cell.forward(wrong, x), *words)
    for wrong, error, words in (
        (np.zeros((9, 9), np.float32), ValueError, ("has shape (9, 9)", f"expected {p[first].shape}")),
        (p[first].astype(np.float64), TypeError, doubled),
        (p[first].astype(int), TypeError, ("has dtype int64", floats)),
        (np.ma.asarray(p[first]), TypeError, ("is a MaskedArray", "no mask is read")),
        (p[first].tolist(), TypeError, ("is a list", "expected a NumPy or CuPy array")),
        (None, TypeError, ("is a NoneType", "expected a NumPy or CuPy array")),
    ):
        refused(error, lambda wrong=wrong: cell.forward({**p, first: wrong}, x), f"p['{first}'] ", *words)


def test_wrong_parameters_of_a_chain_are_refused_by_place():
    chain = MODELS[len(SOLO)]
    p, x, _, _, _ = case(chain)
    for wrong, given in (
        ({"0": p["0"]}, "0"), ({**p, "2": p["1"]}, "0, 1, 2"), (None, "a NoneType"), (p["0"], "W, U, b"),
    ):
        words = f"the parameters are {given}:", "expected 0, 1;"
        refused(ValueError, lambda wrong=wrong: chain.forward(wrong, x), *words)
    swapped = {"0": p["1"], "1": p["0"]}
    refused(ValueError, lambda: chain.forward(swapped, x), "the parameters are W, u, b:", "expected W, U, b;")


# Masks

def test_the_mask_of_a_target_is_not_lost_without_a_word():
    y = np.array([[0.1], [0.2], [0.3], [0.4]])
    target = np.ma.array([[1.0], [1.0], [1.0], [0.0]], mask=[[0], [0], [0], [1]])
    mse, entropy = LOSSES["mse"].forward, LOSSES["cross_entropy"].forward
    refused(TypeError, lambda: mse(y, target, 4), "target is a MaskedArray", "no mask is read")
    refused(TypeError, lambda: mse(np.ma.asarray(y), target.data, 4), "MaskedArray", "no mask is read")
    scores, classes = np.ones((4, 2)), np.ma.array([0, 1, 1, 7], mask=[0, 0, 0, 1])
    refused(TypeError, lambda: entropy(scores, classes, 4), "got MaskedArray", "no mask is read")


def test_masked_data_of_a_task_do_not_reach_training():
    class Masked(Adding):
        def batch(self, rng, B):
            x, target, _ = super().batch(rng, B)
            return x, np.ma.array(target, mask=target > 1), None

    network = Network(RNN(2, 4), 1)
    refused(TypeError, lambda: fit(network, Masked(10), 1, progress=False), "target is a MaskedArray")


# Two libraries

@every_model
def test_numpy_beside_cupy_is_refused_wherever_it_stands(model, cupy):
    p, x, state, dh, dstate = case(model)
    there = to("cupy", {"p": p, "x": x, "state": state, "dh": dh, "dstate": dstate})
    tape = model.forward(p, x, state)[1]
    calls = [
        lambda: model.forward(there["p"], x), lambda: model.forward(p, there["x"]),
        lambda: model.forward(p, x, there["state"]), lambda: model.forward(there["p"], there["x"], state),
        lambda: model.backward(there["dh"], tape), lambda: model.backward(dh, tape, there["dstate"]),
    ]
    for call in calls:
        refused(TypeError, call, "NumPy and CuPy arrays are mixed", "all of one library", 'minidurnn.to("cupy"')


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


# Class numbers and batches

def test_classes_on_the_device_are_not_read(cupy):
    check_classes("target", cupy.full((3,), 9), (3,), 4, valid=cupy.ones(3))
    assert cupy.ndarray.syncs == 0


@pytest.mark.parametrize("padded", [-1, -100, 7])
@pytest.mark.parametrize("dtype", [np.int64, np.int8])
@pytest.mark.parametrize("mask", [bool, np.float32])
def test_only_valid_class_numbers_are_looked_at(padded, dtype, mask):
    array, valid = np.array([[0, 3], [2, padded]], dtype), np.array([[1, 1], [1, 0]], mask)
    check_classes("target", array, (2, 2), 4, valid=valid)
    words = f"from {min(padded, 0)} to {max(padded, 3)}", "expected 0 to 3"
    refused(ValueError, lambda: check_classes("target", array, (2, 2), 4), *words)
    words = "from 0 to 3", "expected 0 to 2"
    refused(ValueError, lambda: check_classes("target", array, (2, 2), 3, valid=valid), *words)
    check_classes("target", array, (2, 2), 4, valid=valid * 0 + [[1, 0], [0, 0]])
    check_classes("target", array, (2, 2), 1, valid=valid * 0)


LENGTHS = np.array([7, 1, 4], np.uint8)
inside = np.arange(T)[:, None] < LENGTHS.astype(int)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("reads", ["last", "every"])
def test_numbers_in_the_padding_are_not_looked_at_and_all_others_are(bad, reads):
    network = Network(RNN(2, 4), 1, reads=reads)
    x, target = np.ones((T, B, 2)), np.ones((T, B, 1) if reads == "every" else (B, 1))
    padded = [np.where(inside[..., None], array, bad) if array.ndim == 3 else array for array in (x, target)]
    assert check_data(*padded, LENGTHS, network).dtype == np.int64 and check_data(x, target, None, network) is None
    words = f"x[1, 1, 0] is {bad}:", "that are finite"
    refused(ValueError, lambda: check_data(padded[0], target, None, network), *words)
    x[3, 2, 1] = bad                                          # the last step of the third sequence
    refused(ValueError, lambda: check_data(x, target, LENGTHS, network), f"x[3, 2, 1] is {bad}:", "in float32", "mend")
    place = (3, 2, 0) if reads == "every" else (2, 0)
    target[place] = bad
    words = f"target[{', '.join(map(str, place))}] is {bad}:", "expected numbers that are finite in float32"
    refused(ValueError, lambda: check_data(padded[0], target, LENGTHS, network), *words)
    if bad == 1e300:
        check_data(x, target, LENGTHS, network, "float64")


@pytest.mark.parametrize("padded", [-1, -100])
def test_class_numbers_and_symbols_in_the_padding_are_not_looked_at(padded):
    network = Network(Chain((Embedding(5, 4), RNN(4, 3))), 3, "cross_entropy", "every")
    x, target = np.where(inside, 4, padded), np.where(inside, 2, padded)
    check_data(x, target, LENGTHS, network)
    refused(ValueError, lambda: check_data(x, target, None, network), f"x holds class numbers from {padded} to 4")
    full = np.where(inside, x, 0)
    words = f"target holds class numbers from {padded} to 2"
    refused(ValueError, lambda: check_data(full, target, None, network), words)
    full[3, 2] = 5
    refused(ValueError, lambda: check_data(full, target, LENGTHS, network), "x holds class numbers from 4 to 5")


@pytest.mark.parametrize("change, error, words", [
    (lambda x, y, n: (x.tolist(), y, n), TypeError, ("x is a list", "numpy.asarray")),
    (lambda x, y, n: (x, (y, y), n), TypeError, ("target is a tuple", "numpy.asarray")),
    (lambda x, y, n: (x, np.ma.asarray(y), n), TypeError, ("target is a MaskedArray", "no mask is read")),
    (lambda x, y, n: (x[0, 0], y, n), ValueError, ("x has shape (2,)", "expected (T, B, 2), time first")),
    (lambda x, y, n: (x[:, :0], y[:0], n[:0]), ValueError, ("x has shape (7, 0, 2)", "one sequence")),
    (lambda x, y, n: (x, y, n.tolist()), ValueError, ("lengths is list", "expected NumPy integers")),
    (lambda x, y, n: (x[:5], y, n), ValueError, ("lengths go from 1 to 7", "expected 1 to 5")),
], ids=["list", "pair", "mask", "one axis", "no sequence", "lengths", "too long"])
def test_what_is_no_batch_is_refused(change, error, words):
    batch = np.ones((T, B, 2), np.float32), np.ones((B, 1), np.float32), LENGTHS
    refused(error, lambda: check_data(*change(*batch), Network(RNN(2, 4), 1)), *words)


def test_a_batch_on_the_device_is_refused(cupy):
    x, target = np.ones((T, B, 2), np.float32), cupy.ones((B, 1), "float32")
    refused(TypeError, lambda: check_data(x, target, None, Network(RNN(2, 4), 1)), "NumPy and CuPy arrays are mixed")
