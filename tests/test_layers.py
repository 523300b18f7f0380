"""Linear keeps the cells' contract, with nothing to remember."""

import numpy as np
from support import B, T, assert_same, rng

from minidurnn import Linear
from minidurnn.gradcheck import assert_cell, assert_cell_gradient, random_leaves

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
    assert dx.tolist() == [[[-2.0, -1.0]]] and dp["W"].tolist() == [[2.0, 0.0, -2.0], [4.0, 0.0, -4.0]] and dp["b"].tolist() == [1.0, 0.0, -1.0]
    assert dstate0.shape == (1, 0)


def test_no_gradient_from_above_is_zero(xp):
    p, x, _ = (xp.asarray(leaf) if name != "p" else {key: xp.asarray(part) for key, part in leaf.items()} for name, leaf in random_leaves(LAYER, rng(), T, B).items())
    dx, dstate0, dp = LAYER.backward(None, LAYER.forward(p, x)[1])
    assert_same((dx, dstate0, dp), (np.zeros((T, B, 2)), np.zeros((B, 0)), {"W": np.zeros((2, 3)), "b": np.zeros(3)}), 0)
