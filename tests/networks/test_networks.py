"""A network is body, read-out and loss; its gradient is the loss's, however its body is walked."""

import numpy as np
import pytest
from support import B, T, assert_same, on_a_device, refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, evaluate
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.gradcheck import NotSmooth, assert_gradient, random_leaves
from minidurnn.networks.losses import cross_entropy, mean_squared_error

DUAL = DuRNN(2, 4, 5, horizon=9, gate=0.0)
CHAIN = Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0, output="long"), RNN(4, 5)))
BODIES = {
    "cell": RNN(2, 4), "independent": IndRNN(2, 4), "dual": DUAL, "chain": CHAIN, "chunked": Chunked(DUAL, 3),
    "boundaries": Chunked(CHAIN, 2, "boundaries"),
    "one step": Chunked(RNN(2, 4), 1), "longer than the sequence": Chunked(RNN(2, 4), 99),
    "nested": Chunked(Chunked(DUAL, 2), 4, "boundaries"),
    "chain of chunked": Chain((Chunked(RNN(2, 4), 3), IndRNN(4, 5))),
}
every_body = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
every_kind = pytest.mark.parametrize(
    "objective, reads", [(objective, reads) for objective in ("mse", "cross_entropy") for reads in ("last", "every")]
)


def case(network, seed=0, T=T):
    """{"p", "state"} in float64, x, target, dstate."""
    draw = rng(seed)
    body = random_leaves(network.body, draw, T, B)
    p = {
        "body": body["p"],
        "readout": map_leaves(lambda a: a + 0.3 * draw.standard_normal(a.shape), network.readout.init(draw)),
    }
    steps = (B,) if network.reads == "last" else (T, B)
    target = draw.standard_normal(
        (*steps, network.outputs)
    ) if network.objective == "mse" else draw.integers(0, network.outputs, steps)
    return {"p": p, "state": body["state"]}, body["x"], target, draw.standard_normal((B, network.state_size))


def everything(network, leaves, x, target, dstate):
    """Loss, metric, last state and gradients."""
    value, metric, tape = network.loss(leaves["p"], x, target, leaves["state"])
    return value, metric, network.last_state(tape), *network.gradient(tape, dstate)


@pytest.mark.parametrize("objective, reads", [("mse", "last"), ("cross_entropy", "every")])
@every_body
def test_the_gradient_is_that_of_the_loss_in_parameters_and_state(body, objective, reads):
    assert_network_gradient(Network(body, 3, objective, reads), np)


@on_a_device
def test_the_gradient_is_that_of_the_loss_on_the_device(xp):  # of all others: the numbers are those of NumPy, below
    assert_network_gradient(Network(Chunked(DUAL, 3, "boundaries"), 3, "cross_entropy", "every"), xp)


def assert_network_gradient(network, xp):
    """assert_gradient for parameters and state, with the loss and the state handed on as outputs."""
    for seed in range(5):                                     # another point where one stands at a kink of relu
        here, x, target, _ = case(network, seed)
        there, x, target = map_leaves(xp.asarray, here), xp.asarray(x), xp.asarray(target)

        def forward(leaves, x=x, target=target):
            value, _, tape = network.loss(leaves["p"], x, target, leaves["state"])
            return {"loss": value, "last": network.last_state(tape)}

        def backward(d, there=there, x=x, target=target):     # the gradient is linear in d["loss"]: scale it in
            tape = network.loss(there["p"], x, target, there["state"])[2]
            dp, dstate0 = network.gradient(tape, d["last"] / d["loss"])
            return map_leaves(lambda leaf: d["loss"] * leaf, {"p": dp, "state": dstate0})

        try:
            assert_gradient(forward, backward, there, rng=rng(1))
            return
        except NotSmooth:
            continue
    raise AssertionError("a kink at five random points")


@every_kind
def test_the_loss_is_that_of_the_read_outs(objective, reads):
    network = Network(DUAL, 3, objective, reads)
    leaves, x, target, _ = case(network)
    h, _ = DUAL.forward(leaves["p"]["body"], x, leaves["state"])
    y = (h if reads == "every" else h[-1]) @ leaves["p"]["readout"]["W"] + leaves["p"]["readout"]["b"]
    value, metric, _ = network.loss(leaves["p"], x, target, leaves["state"])
    expected = (mean_squared_error if objective == "mse" else cross_entropy)(y, target, target.size)
    assert float(value) == pytest.approx(float(expected[0]), rel=1e-13)
    assert float(metric) == pytest.approx(float(expected[1]), rel=1e-13)
    y_2, state = network.predict(leaves["p"], x, leaves["state"])
    assert_same((y_2, state), (y, DUAL.last_state(DUAL.forward(leaves["p"]["body"], x, leaves["state"])[1])))


@every_kind
@pytest.mark.parametrize("keep", ["tapes", "boundaries"])
def test_a_chunked_body_changes_no_number(objective, reads, keep, xp):
    network = Network(CHAIN, 3, objective, reads)
    arguments = map_leaves(xp.asarray, case(network, T=17))
    whole = everything(network, *arguments)
    for length in (1, 5, 16, 40) if xp is np else (5,):
        chunked = Network(Chunked(CHAIN, length, keep), 3, objective, reads)
        assert_same(everything(chunked, *arguments), whole, 1e-10)
        leaves, x, _, _ = arguments
        assert_same(
            chunked.predict(leaves["p"], x, leaves["state"]), network.predict(leaves["p"], x, leaves["state"]), 1e-10
        )


@every_kind
def test_both_libraries_give_the_same_numbers(objective, reads, xp):
    network = Network(Chunked(CHAIN, 3), 3, objective, reads)
    arguments = case(network)
    assert_same(everything(network, *map_leaves(xp.asarray, arguments)), everything(network, *arguments))


def test_the_state_handed_on_continues_the_sequence():
    network = Network(CHAIN, 3, reads="every")
    leaves, x, target, dstate = case(network, T=10)
    p, state = leaves["p"], leaves["state"]
    whole, _, _, dp, dstate0 = everything(network, leaves, x, target, dstate)
    first, _, tape_1 = network.loss(p, x[:4], target[:4], state)
    second, _, tape_2 = network.loss(p, x[4:], target[4:], network.last_state(tape_1))
    # each is a mean over its own targets
    assert (4 * first + 6 * second) / 10 == pytest.approx(float(whole), rel=1e-13)
    dp_2, carried = network.gradient(tape_2, dstate * 10 / 6)
    dp_1, first0 = network.gradient(tape_1, carried * 6 / 4)
    assert_same((map_leaves(lambda a, b: (4 * a + 6 * b) / 10, dp_1, dp_2), first0 * 4 / 10), (dp, dstate0), 1e-10)


def test_no_state_and_no_gradient_behind_it_count_as_zero():
    network = Network(CHAIN, 3)
    leaves, x, target, dstate = case(network)
    zero = {**leaves, "state": 0 * leaves["state"]}
    assert_same(
        everything(network, {**leaves, "state": None}, x, target, None),
        everything(network, zero, x, target, 0 * dstate), 1e-14,
    )


def test_gradients_have_the_names_and_shapes_of_the_parameters():
    network = Network(CHAIN, 3)
    given, x, target, dstate = case(network)
    dp, _ = network.gradient(network.loss(given["p"], x, target)[2])
    assert {path: leaf.shape for path, leaf in leaves(dp).items()} == {
        path: leaf.shape for path, leaf in leaves(given["p"]).items()
    }


def test_the_gradient_may_be_asked_twice_and_writes_nothing():
    network = Network(Chunked(CHAIN, 3), 3, "cross_entropy")
    given, x, target, dstate = case(network)
    for array in (*leaves(given).values(), x, target, dstate):
        array.flags.writeable = False
    tape = network.loss(given["p"], x, target, given["state"])[2]
    assert_same(network.gradient(tape, dstate), network.gradient(tape, dstate), 0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@every_kind
def test_the_dtype_stays(objective, reads, dtype, xp):
    network = Network(Chunked(CHAIN, 3), 3, objective, reads)
    given = map_leaves(lambda a: xp.asarray(a if a.dtype.kind == "i" else a.astype(dtype)), case(network))
    _, _, last, dp, dstate0 = everything(network, *given)
    assert {leaf.dtype for leaf in (last, dstate0, *leaves(dp).values())} == {np.dtype(dtype)}


def test_reading_the_last_step_reads_no_other():
    network = Network(RNN(2, 4), 3, reads="last")
    given, x, target, _ = case(network)
    p = {**given["p"], "body": {**given["p"]["body"], "U": np.zeros((4, 4))}}      # nothing is remembered
    moved = x.copy()
    moved[:-1] += 1.0
    assert network.loss(p, x, target)[0] == network.loss(p, moved, target)[0]
    assert network.loss(p, x, target)[0] != network.loss(p, x + 1.0, target)[0]


def test_a_loss_and_its_gradient_read_nothing_off_the_device(cupy):
    for objective, reads in (("mse", "last"), ("cross_entropy", "every")):
        network = Network(Chunked(CHAIN, 3, "boundaries"), 3, objective, reads)
        arguments = map_leaves(cupy.asarray, case(network))
        cupy.ndarray.syncs = 0
        everything(network, *arguments)
        network.predict(arguments[0]["p"], arguments[1])
        assert cupy.ndarray.syncs == 0


@pytest.mark.parametrize("objective, reads, wrong, words", [
    ("mse", "last", np.zeros((B, 2)), (f"target has shape ({B}, 2)", f"expected ({B}, 3)")),
    ("mse", "every", np.zeros((B, 3)), (f"target has shape ({B}, 3)", f"expected ({T}, {B}, 3)")),
    (
        "cross_entropy", "last", np.zeros((B, 3), int),
        (f"target has shape ({B}, 3) and dtype int", f"class numbers of shape ({B},)"),
    ),
    ("cross_entropy", "every", np.zeros(B, int), (f"target has shape ({B},)", f"class numbers of shape ({T}, {B})")),
    ("cross_entropy", "last", np.zeros(B), ("dtype float64", "expected integer class numbers")),
    ("cross_entropy", "last", np.full(B, 3), ("class numbers from 3 to 3", "expected 0 to 2")),
    ("cross_entropy", "every", np.full((T, B), -1), ("class numbers from -1 to -1", "expected 0 to 2")),
])
def test_a_target_of_the_wrong_kind_is_refused(objective, reads, wrong, words):
    network = Network(Chunked(RNN(2, 4), 3), 3, objective, reads)
    leaves, x, _, _ = case(network)
    with refuses(ValueError, *words):
        network.loss(leaves["p"], x, wrong)


@pytest.mark.parametrize(
    "p, given",
    [
        (None, "a NoneType"), ({}, "empty"), ({"body": {}}, "body"),
        ({"body": {}, "readout": {}, "head": {}}, "body, readout, head"),
    ],
)
def test_parameters_of_something_else_are_refused(p, given):
    network = Network(RNN(2, 4), 3)
    for ask in (lambda x: network.loss(p, x, np.zeros((B, 3))), lambda x: network.predict(p, x)):
        with refuses(ValueError, f"the parameters are {given}:", "expected body, readout", "init(rng)"):
            ask(np.zeros((T, B, 2)))


@pytest.mark.parametrize("reads", ["last", "every"])
def test_a_loss_and_its_gradient_make_the_read_out_once(reads, monkeypatch):
    made, true = [], Linear.__post_init__
    network = Network(Chunked(RNN(2, 4), 2), 1, reads=reads)
    p, x = network.init(rng()), np.zeros((T, B, 2), np.float32)
    target = np.zeros((T, B, 1) if reads == "every" else (B, 1), np.float32)
    monkeypatch.setattr(Linear, "__post_init__", lambda self: (made.append(self), true(self))[1])
    network.gradient(network.loss(p, x, target)[2])
    assert len(made) == 1
    network.predict(p, x)
    assert len(made) == 2


def test_the_parameters_of_the_body_alone_are_refused_in_one_sentence():
    network = Network(RNN(2, 4), 1)
    p, x, target = network.init(rng()), np.zeros((T, B, 2), np.float32), np.zeros((B, 1), np.float32)
    _, _, tape = network.loss(p, x, target)
    for call in (
        lambda p: network.loss(p, x, target), lambda p: network.predict(p, x), network.project,
        lambda p: network.updated(p, tape), lambda p: evaluate(network, p, (x, target, None)),
    ):
        with refuses(ValueError, "the parameters are W, U, b", "expected body, readout"):
            call(p["body"])
        with refuses(ValueError, "the parameters of the read-out are W", "expected W, b"):
            call({**p, "readout": {"W": p["readout"]["W"]}})


@pytest.mark.parametrize("wrong, error, words", [
    ([[0.0]] * 4, TypeError, ("p['readout']['W'] is a list", "expected a NumPy or CuPy array")),
    (None, TypeError, ("p['readout']['W'] is a NoneType",)),
    (np.zeros((4, 2), np.float32), ValueError, ("p['readout']['W'] has shape (4, 2)", "expected (4, 1)")),
    (np.zeros((4, 1), int), TypeError, ("p['readout']['W'] has dtype int64", "expected float32 or float64")),
])
def test_a_read_out_of_a_wrong_type_or_shape_is_refused_by_its_place(wrong, error, words):
    network = Network(RNN(2, 4), 1)
    p, x, target = network.init(rng()), np.zeros((T, B, 2), np.float32), np.zeros((B, 1), np.float32)
    p["readout"] = {**p["readout"], "W": wrong}
    for call in (
        lambda: network.loss(p, x, target), lambda: network.predict(p, x), lambda: network.project(p),
        lambda: evaluate(network, p, (x, target, None)),
    ):
        with refuses(error, *words):
            call()
