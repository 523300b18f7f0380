"""Sequences of different lengths in one batch: each counts as if it were alone, and its padding not at all."""

import numpy as np
import pytest
from support import B, T, assert_same, refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, to_numpy
from minidurnn.arrays.lengths import before_end, check_lengths, put, taken, without_padding
from minidurnn.arrays.trees import add, map_leaves
from minidurnn.gradcheck import random_leaves
from minidurnn.networks import BatchNorm
from minidurnn.networks.chunked import joined, part_of, pieces_of

LENGTHS = np.array([7, 1, 4])
CHAIN = Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0), Linear(7, 5), IndRNN(5, 3)))
BODIES = [CHAIN, Chunked(Chunked(CHAIN, 2), 4, "boundaries"), Chunked(RNN(2, 4), 1, "boundaries")]


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
    y, last = network.predict(there[0], there[1], there[3], LENGTHS)
    total = {"value": 0.0, "metric": 0.0, "dp": None}
    for b, length in enumerate(LENGTHS):
        own, part = slice(b, b + 1), (target[b:b + 1] if reads == "last" else target[:length, b:b + 1])
        v, m, alone = network.loss(p, x[:length, own], part, state[own])
        share = (1 if reads == "last" else length) / count
        d, d0 = network.gradient(alone)
        total = {
            "value": total["value"] + share * v, "metric": total["metric"] + share * m,
            "dp": add(total["dp"], map_leaves(lambda leaf, share=share: share * leaf, d)),
        }
        assert_same(dstate0[own], share * d0, 1e-10)
        assert_same(network.last_state(tape)[own], network.last_state(alone), 1e-10)
        y_alone, last_alone = network.predict(p, x[:length, own], state[own])
        assert_same((y[own] if reads == "last" else y[:length, own], last[own]), (y_alone, last_alone), 1e-10)
    assert float(value) == pytest.approx(float(total["value"]), rel=1e-12)
    assert float(metric) == pytest.approx(float(total["metric"]), rel=1e-12)
    assert_same(dp, total["dp"], 1e-10)


def test_full_lengths_are_no_lengths():
    network = Network(CHAIN, 2, reads="every")
    p, (x, target) = network.init(rng()), rng(1).standard_normal((2, T, B, 2)).astype("float32")
    whole = network.loss(p, x, target)[0]
    assert network.loss(p, x, target, lengths=np.full(B, T))[0] == pytest.approx(whole, rel=1e-6)


def test_steps_before_the_end_belong_to_their_sequence(xp):
    expected = np.array([[t < length for length in LENGTHS] for t in range(T)])
    assert (to_numpy(before_end(LENGTHS, T, xp.zeros(1))) == expected).all()


def test_the_padding_becomes_zero_whatever_stood_there(xp):
    x = rng().standard_normal((T, B, 2))
    x[LENGTHS[1]:, 1] = np.nan
    clean = to_numpy(without_padding(xp.asarray(x), LENGTHS))
    assert (clean[:, 0] == x[:, 0]).all() and (clean[:4, 2] == x[:4, 2]).all()
    assert not clean[1:, 1].any() and not clean[4:, 2].any()
    assert_same(without_padding(xp.full((T, B), -1), LENGTHS), np.where(np.arange(T)[:, None] < LENGTHS, -1, 0), 0)


@pytest.mark.parametrize("length", [1, 2, 3, 7, 9])
def test_every_step_of_every_sequence_is_in_one_piece_and_nothing_behind_its_end(length, xp):
    seen = np.zeros((T, B), int)
    pieces = pieces_of(Chunked(RNN(2, 4), length).chunks(T), LENGTHS)
    for steps, rows in pieces:
        seen[steps, slice(None) if rows is None else rows] += 1
    assert (seen == (np.arange(T)[:, None] < LENGTHS)).all()
    x = xp.asarray(rng().standard_normal((T, B, 2)))
    again = joined([part_of(x, piece) for piece in pieces], pieces, (T, B))
    assert_same(again, to_numpy(without_padding(x, LENGTHS)), 0)


def test_rows_are_taken_and_put_back(xp):
    old, new = xp.zeros((3, 2)), xp.ones((2, 2))
    assert_same(put(old, np.array([0, 2]), new), np.array([[1.0, 1], [0, 0], [1, 1]]), 0)
    assert not to_numpy(old).any()                            # nothing was written into it
    assert_same(taken(put(old, np.array([0, 2]), new), np.array([2])), np.ones((1, 2)), 0)
    assert put(old, None, new) is new and taken(old, None) is old and taken(None, np.array([0])) is None


IGNORED = [
    CHAIN, Chunked(Chunked(CHAIN, 2), 4, "boundaries"),
    Chain((Linear(2, 4), Chunked(RNN(4, 4), 3), BatchNorm(4), Chunked(IndRNN(4, 3), 2))),
]


@pytest.mark.parametrize("reads", ["last", "every"])
@pytest.mark.parametrize("objective", ["mse", "cross_entropy"])
@pytest.mark.parametrize("body", IGNORED, ids=repr)
def test_whatever_stands_in_the_padding_changes_nothing(body, objective, reads, xp):
    network, draw, padding = Network(body, 2, objective, reads), rng(), np.arange(T)[:, None] >= LENGTHS
    p, noise = map_leaves(xp.asarray, network.init(draw)), network.draw(draw, B)
    x, steps = draw.standard_normal((T, B, 2)).astype("float32"), (B,) if reads == "last" else (T, B)
    target = draw.standard_normal((*steps, 2)).astype("float32") if objective == "mse" else draw.integers(0, 2, steps)
    results = []
    for dirt, strange in ((0.0, 0), (np.nan, -100), (1e30, 99)):
        x[padding] = dirt
        if reads == "every":
            target[padding] = dirt if objective == "mse" else strange
        value, metric, tape = network.loss(p, xp.asarray(x), xp.asarray(target), None, noise, LENGTHS)
        y, state = network.predict(p, xp.asarray(x), None, LENGTHS)
        results.append((value, metric, network.gradient(tape)[0], network.last_state(tape), y, state))
    for found in results[1:]:
        assert_same(found, to_numpy(results[0]), 0)


def test_a_state_that_would_overflow_behind_the_end_leaves_no_trace(xp):
    cell = IndRNN(1, 4, horizon=10)
    p = {"W": np.ones((1, 4)), "u": np.full(4, 2**0.1), "b": np.zeros(4)}
    network = Network(cell, 1)
    p = map_leaves(lambda a: xp.asarray(a.astype("float32")), {"body": p, "readout": network.readout.init(rng(1))})
    x, target = xp.ones((1500, 1, 1), "float32"), xp.zeros((1, 1), "float32")
    long = network.gradient(network.loss(p, x, target, lengths=np.array([10]))[2])[0]
    short = network.gradient(network.loss(p, x[:10], target)[2])[0]
    assert_same(long, to_numpy(short), 0)


DTYPES = [np.int8, np.uint8, np.uint16, np.uint32, np.int64, np.uint64]


@pytest.mark.parametrize("reads", ["last", "every"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_lengths_of_any_integer_type_are_the_same_lengths(dtype, reads):
    given = np.array([100, 1, 60], dtype)
    assert check_lengths(given, 300, 3).dtype == np.int64 and check_lengths(given, 300, 3).tolist() == [100, 1, 60]
    x, target = np.ones((300, 3, 2), np.float32), np.ones((300, 3, 1) if reads == "every" else (3, 1), np.float32)
    for body in (Chunked(RNN(2, 4), 50), Chain((Chunked(RNN(2, 4), 250), BatchNorm(4)))):
        network, results = Network(body, 1, reads=reads), []
        p, noise = network.init(rng()), network.draw(rng(), 3)
        for lengths in (given, given.astype(np.int64)):
            value, _, tape = network.loss(p, x, target, None, noise, lengths)
            results.append([value, network.gradient(tape), network.last_state(tape)])
            h, own = body.forward(p["body"], x, None, noise, lengths)
            results[-1] += [h, body.last_state(own), network.predict(p, x, None, lengths)]
        assert_same(*results, 0)


def test_lengths_are_copied_and_none_stays_none():
    given = LENGTHS.copy()
    kept = check_lengths(given, T, B)
    given[:] = 1
    assert kept.tolist() == LENGTHS.tolist() and check_lengths(None, T, B) is None


@pytest.mark.parametrize("lengths, words", [
    ([7, 1, 4], ("lengths is list", f"expected NumPy integers of shape ({B},)")),
    (np.array([7.0, 1, 4]), ("lengths is float64 of shape (3,)", "NumPy integers")),
    (np.ma.array([7, 1, 4], mask=[0, 1, 0]), ("lengths is MaskedArray of shape (3,)", "NumPy integers")),
    (np.array([True] * 3), ("lengths is bool of shape (3,)", "NumPy integers")),
    (np.array([7, 1]), ("of shape (2,)", f"of shape ({B},)")),
    (np.array([7, 0, 4]), ("lengths go from 0 to 7", "expected 1 to 7")),
    (np.array([8, 1, 4]), ("lengths go from 1 to 8", "expected 1 to 7")),
    (np.array([2**64 - 1, 1, 4], np.uint64), ("lengths go from 1 to 18446744073709551615", "expected 1 to 7")),
])
def test_impossible_lengths_are_refused(lengths, words):
    with refuses(ValueError, *words):
        check_lengths(lengths, T, B)
    network = Network(RNN(2, 4), 1)
    x, target = np.zeros((T, B, 2), np.float32), np.zeros((B, 1), np.float32)
    with refuses(ValueError, *words):
        network.loss(network.init(rng()), x, target, lengths=lengths)


@pytest.mark.parametrize("body", [CHAIN, Chunked(CHAIN, 3, "boundaries")], ids=repr)
def test_a_gradient_on_states_at_different_ends_goes_back_from_each_end(body):
    network, draw = Network(body, 2), rng()
    given = random_leaves(body, draw, T, B)
    p = {"body": given["p"], "readout": map_leaves(lambda a: a.astype(np.float64), network.readout.init(draw))}
    target, dstate = draw.standard_normal((B, 2)), draw.standard_normal((B, body.state_size))
    _, dstate0 = network.gradient(network.loss(p, given["x"], target, given["state"], lengths=LENGTHS)[2], dstate)
    for b, length in enumerate(LENGTHS):
        own = slice(b, b + 1)
        tape = network.loss(p, given["x"][:length, own], target[own], given["state"][own])[2]
        alone = network.gradient(tape, B * dstate[own])[1]    # its loss has a count of 1 instead of B
        assert_same(dstate0[own], alone / B, 1e-10)


def test_a_cell_that_would_run_on_behind_the_ends_is_refused():
    network = Network(Chain((RNN(2, 4), BatchNorm(4))), 1)
    x, target = np.zeros((T, B, 2), np.float32), np.zeros((B, 1), np.float32)
    with refuses(ValueError, "RNN would run on behind the ends", "put Chunked(..., 50) around it"):
        network.loss(network.init(rng()), x, target, lengths=LENGTHS)
