"""Sequences of different lengths in one batch: each counts as if it were alone, and its padding not at all."""

import numpy as np
import pytest
from support import B, T, assert_same, refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network
from minidurnn.arrays.lengths import check_lengths, choose, ends_in, last_step, valid_steps
from minidurnn.arrays.trees import map_leaves
from minidurnn.gradcheck import random_leaves

LENGTHS = np.array([7, 1, 4])
CHAIN = Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0), Linear(7, 5), IndRNN(5, 3)))
BODIES = [RNN(2, 4), CHAIN, Chunked(CHAIN, 3), Chunked(Chunked(CHAIN, 2), 4, "boundaries"), Chunked(RNN(2, 4), 1, "boundaries")]


@pytest.mark.parametrize("reads", ["last", "every"])
@pytest.mark.parametrize("objective", ["mse", "cross_entropy"])
@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_a_padded_batch_is_its_sequences_one_by_one(body, objective, reads, xp):
    network, draw = Network(body, 2, objective, reads), rng()
    given = random_leaves(body, draw, T, B)
    p = {"body": given["p"], "readout": map_leaves(lambda a: a.astype(np.float64), network.readout.init(draw))}
    x, state, steps = given["x"], given["state"], (B,) if reads == "last" else (T, B)
    target = draw.standard_normal((*steps, 2)) if objective == "mse" else draw.integers(0, 2, steps)
    there, count = map_leaves(xp.asarray, (p, x, target, state)), (B if reads == "last" else LENGTHS.sum())
    value, metric, tape = network.loss(*there, None, LENGTHS)
    dp, dstate0 = network.gradient(tape)
    total = {"value": 0.0, "metric": 0.0, "dp": None}
    for b, length in enumerate(LENGTHS):
        own, part = slice(b, b + 1), (target[b:b + 1] if reads == "last" else target[:length, b:b + 1])
        v, m, alone = network.loss(p, x[:length, own], part, state[own])
        share = (1 if reads == "last" else length) / count
        d, d0 = network.gradient(alone)
        total = {"value": total["value"] + share * v, "metric": total["metric"] + share * m,
                 "dp": map_leaves(lambda leaf, share=share: share * leaf, d) if total["dp"] is None else map_leaves(lambda a, c, share=share: a + share * c, total["dp"], d)}
        assert_same(dstate0[own], share * d0, 1e-10)
        assert_same(network.last_state(tape)[own], network.last_state(alone), 1e-10)
        y, last = network.predict(there[0], there[1], there[3], LENGTHS)
        y_alone, last_alone = network.predict(p, x[:length, own], state[own])
        assert_same((y[own] if reads == "last" else y[:length, own], last[own]), (y_alone, last_alone), 1e-10)
    assert float(value) == pytest.approx(float(total["value"]), rel=1e-12) and float(metric) == pytest.approx(float(total["metric"]), rel=1e-12)
    assert_same(dp, total["dp"], 1e-10)


def test_full_lengths_are_no_lengths():
    network = Network(CHAIN, 2, reads="every")
    p, x, target = network.init(rng()), rng(1).standard_normal((T, B, 2)).astype("float32"), rng(2).standard_normal((T, B, 2)).astype("float32")
    assert network.loss(p, x, target, lengths=np.full(B, T))[0] == pytest.approx(network.loss(p, x, target)[0], rel=1e-6)


def test_the_last_step_is_each_sequences_own(xp):
    h = rng().standard_normal((T, B, 4))
    assert_same(last_step(xp.asarray(h), LENGTHS), np.stack([h[6, 0], h[0, 1], h[3, 2]]), 0)
    assert_same(last_step(xp.asarray(h)), h[-1], 0)


def test_valid_steps_come_before_the_end(xp):
    assert_same(valid_steps(LENGTHS, T, xp.zeros(1, "float32"))[..., 0], np.array([[t < length for length in LENGTHS] for t in range(T)], np.float32), 0)


def test_every_sequence_ends_in_one_piece():
    for length in (1, 2, 3, 7, 9):
        pieces = Chunked(RNN(2, 4), length).chunks(T)
        found = [ends_in(piece, T, B, LENGTHS) for piece in pieces]
        assert (np.sum([here for _, here in found], 0) == 1).all()
        for piece, (steps, here) in zip(pieces, found):
            assert (piece.start + steps[here] == LENGTHS[here]).all()


def test_rows_are_chosen_one_by_one(xp):
    new, old = xp.ones((3, 2)), xp.zeros((3, 2))
    assert_same(choose(np.array([True, False, True]), new, old), np.array([[1.0, 1], [0, 0], [1, 1]]), 0)
    assert choose(np.array([True, False, True]), new, None) is new


@pytest.mark.parametrize("lengths, words", [
    ([7, 1, 4], ("lengths is list", f"expected NumPy integers of shape ({B},)")), (np.array([7.0, 1, 4]), ("lengths is float64 of shape (3,)", "NumPy integers")),
    (np.array([7, 1]), ("of shape (2,)", f"of shape ({B},)")), (np.array([7, 0, 4]), ("lengths go from 0 to 7", "expected 1 to 7")), (np.array([8, 1, 4]), ("lengths go from 1 to 8", "expected 1 to 7"))])
def test_impossible_lengths_are_refused(lengths, words):
    with refuses(ValueError, *words):
        check_lengths(lengths, T, B)
    network = Network(RNN(2, 4), 1)
    with refuses(ValueError, *words):
        network.loss(network.init(rng()), np.zeros((T, B, 2), np.float32), np.zeros((B, 1), np.float32), lengths=lengths)


def test_a_gradient_behind_different_ends_is_refused():
    network = Network(RNN(2, 4), 1)
    tape = network.loss(network.init(rng()), np.zeros((T, B, 2), np.float32), np.zeros((B, 1), np.float32), lengths=LENGTHS)[2]
    with refuses(ValueError, "dstate was given for sequences of different lengths", "expected None"):
        network.gradient(tape, np.zeros((B, 4), np.float32))
