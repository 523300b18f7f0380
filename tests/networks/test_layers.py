"""Layers keep the cells' contract, with nothing to remember."""

import numpy as np
import pytest
from support import B, T, assert_same, on_a_device, refuses, rng

from minidurnn import Chain, Chunked, Linear, Network, to_numpy
from minidurnn.cells import RNN
from minidurnn.gradcheck import assert_cell, assert_cell_gradient, assert_gradient, random_leaves
from minidurnn.networks import Dropout, Embedding

LAYER = Linear(2, 3)


def test_the_layer_keeps_the_whole_contract_of_a_cell():
    assert_cell(LAYER, rng())


def test_backward_is_the_gradient_of_forward(xp):
    assert_cell_gradient(LAYER, rng(1), T, B, like=xp.zeros(1))


def test_every_step_is_multiplied_by_itself():
    p, x, _ = random_leaves(LAYER, rng(), T, B).values()
    y, _ = LAYER.forward(p, x)
    assert_same(y, np.stack([np.stack([x[t, b] @ p["W"] + p["b"] for b in range(B)]) for t in range(T)]))


def test_one_row_by_hand():
    p = {"W": np.array([[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]]), "b": np.array([0.1, 0.2, 0.3])}
    y, tape = LAYER.forward(p, np.array([[[2.0, 4.0]]]))
    assert np.allclose(y, [[[-1.9, 6.2, 6.3]]], rtol=1e-15)
    dx, dstate0, dp = LAYER.backward(np.array([[[1.0, 0.0, -1.0]]]), tape)
    assert dx.tolist() == [[[-2.0, -1.0]]]
    assert dp["W"].tolist() == [[2.0, 0.0, -2.0], [4.0, 0.0, -4.0]]
    assert dp["b"].tolist() == [1.0, 0.0, -1.0]
    assert dstate0.shape == (1, 0)


def test_no_gradient_from_above_is_zero(xp):
    p, x, _ = (
        xp.asarray(leaf) if name != "p" else {
            key: xp.asarray(part) for key, part in leaf.items()
        } for name, leaf in random_leaves(LAYER, rng(), T, B).items()
    )
    dx, dstate0, dp = LAYER.backward(None, LAYER.forward(p, x)[1])
    assert_same(
        (dx, dstate0, dp), (np.zeros((T, B, 2)), np.zeros((B, 0)), {"W": np.zeros((2, 3)), "b": np.zeros(3)}), 0
    )


# Embedding

SYMBOLS = Embedding(6, 3)


def test_an_embedding_gives_every_symbol_its_row(xp):
    W, x = rng().standard_normal((6, 3)), rng(1).integers(0, 6, (T, B))
    y, tape = SYMBOLS.forward({"W": xp.asarray(W)}, xp.asarray(x))
    assert_same(y, np.stack([np.stack([W[x[t, b]] for b in range(B)]) for t in range(T)]), 0)
    assert SYMBOLS.last_state(tape).shape == (B, 0)


def test_a_symbol_that_comes_twice_collects_twice(xp):
    x = np.array([[0, 5], [5, 5]])
    dy = rng().standard_normal((2, 2, 3))
    dx, dstate0, dp = SYMBOLS.backward(xp.asarray(dy), SYMBOLS.forward({"W": xp.zeros((6, 3))}, xp.asarray(x))[1])
    expected = np.zeros((6, 3))
    expected[0], expected[5] = dy[0, 0], dy[0, 1] + dy[1, 0] + dy[1, 1]
    assert dx is None and dstate0.shape == (2, 0)
    assert_same(dp, {"W": expected}, 1e-14)


def test_the_gradient_of_an_embedding_under_a_cell(xp):
    model, x = Chain((SYMBOLS, RNN(3, 4))), xp.asarray(rng(1).integers(0, 6, (T, B)))
    p = {
        place: {
            name: xp.asarray(leaf.astype(np.float64)) for name, leaf in part.items()
        } for place, part in model.init(rng(2)).items()
    }
    assert_gradient(
        lambda leaves: model.forward(leaves["p"], x)[0],
        lambda dh: {"p": model.backward(dh, model.forward(p, x)[1])[2]}, {"p": p}, rng=rng(3),
    )


@pytest.mark.parametrize("x, words", [
    (np.full((T, B), 6), ("x holds class numbers from 6 to 6", "expected 0 to 5")),
    (np.full((T, B), -1), ("x holds class numbers from -1", "expected 0 to 5")),
    (np.zeros((T, B)), ("x has shape (7, 3) and dtype float64", "expected integer class numbers")),
    (np.zeros((T, B, 2), int), ("x has shape (7, 3, 2)", "shape (T, B)")),
    (np.zeros(T, int), ("x has shape (7,)", "shape (T, B)")),
    (np.zeros((T, B), bool), ("x has shape (7, 3) and dtype bool", "expected integer class numbers")),
    (np.zeros((0, B), int), ("x has shape (0, 3)", "shape (T, B), at least one step", "leave empty batches out"))])
def test_what_is_no_symbol_is_refused(x, words):
    with refuses(ValueError, *words):
        SYMBOLS.forward(SYMBOLS.init(rng()), x)
    if x.ndim == 3 or x.dtype.kind == "f" or x.size and abs(x).max():
        return                                                # features for a cell, or no row of the table
    network, chunked = Network(Chain((SYMBOLS, RNN(3, 4))), 6, "cross_entropy", "every"), Chunked(SYMBOLS, 2)
    p = network.init(rng())
    for ask in (lambda: network.predict(p, x), lambda: chunked.forward(p["body"]["0"], x)):
        with refuses(ValueError, *words):
            ask()


def test_parameters_for_a_layer_that_has_none_are_refused():
    with refuses(ValueError, "the parameters are W: expected none; make them with init(rng)"):
        Dropout(4, 0.5).forward({"W": np.ones(4)}, np.zeros((T, B, 4), np.float32))


def test_a_network_reads_symbols():
    network = Network(Chain((SYMBOLS, RNN(3, 4))), 6, "cross_entropy", "every")
    x = rng().integers(0, 6, (T, B))
    value, _, tape = network.loss(network.init(rng()), x, x)
    assert np.isfinite(value) and network.gradient(tape)[0]["body"]["0"]["W"].any()
    with refuses(TypeError, "x has dtype int64", "expected float32 or float64"):
        Network(RNN(3, 4), 6, "cross_entropy", "every").loss(
            Network(RNN(3, 4), 6).init(rng()), rng().integers(0, 6, (T, B, 3)), x
        )


# Dropout

HALF = Dropout(4, 0.25)


def test_evaluation_drops_nothing():
    x = rng().standard_normal((T, B, 4))
    y, tape = HALF.forward({}, x)
    assert (y == x).all() and HALF.backward(x, tape)[0] is x and HALF.backward(x, tape)[2] == {}


def test_a_mask_is_shared_by_all_steps_of_a_sequence_and_keeps_the_mean():
    mask = HALF.draw(rng(), 5000)
    assert mask.shape == (5000, 4)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.75)}
    assert mask.mean() == pytest.approx(1, abs=0.03) and (mask == 0).mean() == pytest.approx(0.25, abs=0.02)
    y, _ = HALF.forward({}, np.ones((T, B, 4)), noise=mask[:B])
    assert all((y[t] == mask[:B].astype(np.float64)).all() for t in range(T))
    assert (HALF.draw(rng(1), 7) == HALF.draw(rng(1), 7)).all() and (HALF.draw(rng(1), 7) != HALF.draw(rng(2), 7)).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_passes_where_the_unit_was_kept(dtype, xp):
    mask = HALF.draw(rng(3), B)
    x, dy = (rng(seed).standard_normal((T, B, 4)).astype(dtype) for seed in (1, 2))
    y, tape = HALF.forward({}, xp.asarray(x), noise=xp.asarray(mask))
    dx, _, _ = HALF.backward(xp.asarray(dy), tape)
    assert y.dtype == dx.dtype == dtype
    assert_same((y, dx), (x * mask, dy * mask), 1e-6)
    assert not to_numpy(HALF.backward(None, tape)[0]).any()


@pytest.mark.parametrize("rate", [1.0, -0.1, 2, "half", None, float("nan")])
def test_an_impossible_share_is_refused(rate):
    with refuses(ValueError, f"rate is {rate!r}:", "at least 0 and below 1"):
        Dropout(4, rate)


@pytest.mark.parametrize("change, error, words", [
    (lambda dy: dy[:1], ValueError, ("has shape (1, 3, 3)", "expected (7, 3, 3)")),       # NumPy would broadcast it
    (lambda dy: dy[..., :1], ValueError, ("has shape (7, 3, 1)", "expected (7, 3, 3)")),
    (lambda dy: dy.astype(np.float64), TypeError, ("has dtype float64 beside float32",)),
    (lambda dy: dy.tolist(), TypeError, ("is a list",)),
])
def test_a_wrong_gradient_on_an_embedding_is_refused(change, error, words):
    tape = SYMBOLS.forward(SYMBOLS.init(rng()), np.zeros((T, B), int))[1]
    with refuses(error, *words):
        SYMBOLS.backward(change(np.ones((T, B, 3), np.float32)), tape)


def test_wrong_parameters_and_states_of_an_embedding_are_refused():
    x, p = np.zeros((T, B), int), SYMBOLS.init(rng())
    for W, error, words in (
        (p["W"][:5], ValueError, ("p['W'] has shape (5, 3)", "expected (6, 3)")),
        (p["W"].T, ValueError, ("p['W'] has shape (3, 6)", "expected (6, 3)")),
        (p["W"].astype(int), TypeError, ("p['W'] has dtype int64",)),
    ):
        with refuses(error, *words):
            SYMBOLS.forward({"W": W}, x)
    with refuses(ValueError, "state has shape (3, 4)", "expected (3, 0)"):
        SYMBOLS.forward(p, x, np.zeros((B, 4), np.float32))
    tape = SYMBOLS.forward(p, x, np.zeros((B, 0), np.float32))[1]
    with refuses(ValueError, "dstate has shape (2, 0)", "expected (3, 0)"):
        SYMBOLS.backward(None, tape, np.zeros((2, 0), np.float32))


@pytest.mark.parametrize("noise, error, words", [
    (np.ones(4, np.float32), ValueError, ("noise has shape (4,)", "expected (3, 4)")),
    (np.ones((T, B, 4), np.float32), ValueError, ("noise has shape (7, 3, 4)", "expected (3, 4)")),
    (np.ones((1, T, B, 4), np.float32), ValueError, ("noise has shape (1, 7, 3, 4)",)),
    (np.ones((B, 1), np.float32), ValueError, ("noise has shape (3, 1)",)),
    (np.ones((B, 4), bool), TypeError, ("noise has dtype bool", 'noise.astype("float32")',)),
    (True, TypeError, ("noise is True:", "a mask as `draw` gives it", "None")),
])
def test_a_mask_that_draw_does_not_give_is_refused(noise, error, words):
    with refuses(error, *words):
        HALF.forward({}, np.ones((T, B, 4), np.float32), noise=noise)


def test_every_layer_has_a_tape_of_its_own():
    x, symbols = np.ones((T, B, 2), np.float32), np.zeros((T, B), int)
    layers = {Linear(2, 3): x, Embedding(6, 3): symbols, Dropout(2, 0.5): x}
    for layer in layers:
        for other, given in layers.items():
            tape = other.forward(other.init(rng()), given)[1]
            if other is not layer:
                with refuses(TypeError, f"the tape is a {type(other).__name__}Tape", "the same kind of model"):
                    layer.backward(None, tape)


@on_a_device
def test_on_a_gpu_an_embedding_of_no_symbol_is_not_a_number_and_its_gradient_is_a_sum_in_one_order(xp):
    layer, W = Embedding(5, 3), rng().standard_normal((5, 3))
    y = layer.forward({"W": xp.asarray(W)}, xp.asarray(np.array([[0, 5], [-1, 4]])))[0].get()
    assert np.isnan(y[0, 1]).all() and np.isnan(y[1, 0]).all() and np.isfinite(y[[0, 1], [0, 1]]).all()
    x, dy = np.array([[0, 2, 2], [0, 2, 4]]), rng().standard_normal((2, 3, 3))
    found = []
    for library in (np, xp):
        tape = layer.forward({"W": library.asarray(W)}, library.asarray(x))[1]
        found.append(layer.backward(library.asarray(dy), tape)[2]["W"])
    assert_same(found[1], found[0])
