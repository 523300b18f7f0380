"""FSMN: taps on the past and the future, what they hand on, and that no padding reaches them."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from planted import LOOPS
from support import B, T, assert_same, on_a_device, refuses, rng

from minidurnn import Chain, Chunked, Network, fit
from minidurnn.arrays.trees import map_leaves
from minidurnn.cells import FSMN, Window
from minidurnn.gradcheck import assert_cell, random_leaves
from minidurnn.networks import MODELS
from minidurnn.scans.taps import tapped_sum
from minidurnn.tasks import Skeletons

AHEAD = [FSMN(2, 4, 3, 2), FSMN(2, 4, 0, 9, "scalar", "tanh"), FSMN(2, 4, 9, 1, activation="sigmoid")]
LENGTHS = np.array([4, 7, 1])


@pytest.mark.parametrize("layer", AHEAD, ids=repr)
def test_a_layer_that_looks_ahead_keeps_the_whole_contract_padding_included(layer):
    assert_cell(layer, rng())


def test_the_memory_is_a_weighted_sum_of_the_steps_around():
    layer = FSMN(1, 1, past=2, future=1, activation="identity")
    p = {"W": np.ones((1, 1)), "b": np.zeros(1), "alpha": np.array([[1.0], [10], [100]]), "beta": np.array([[1000.0]])}
    y, _ = layer.forward(p, np.arange(1.0, 5)[:, None, None])
    assert y[:, 0, 0].tolist() == [1, 2, 3, 4]
    assert y[:, 0, 1].tolist() == [2001, 3012, 4123, 234]     # 1 + 2000; 2 + 10 + 3000; ...


def test_a_layer_forgets_what_is_further_back_than_its_taps_and_sees_what_is_not():
    window = MODELS["window-2"].make(2, 4, 9)
    for layer, reach in ((FSMN(2, 4, 3), (0, 3)), (FSMN(2, 4, 2, 1), (1, 2)), (window, (0, 1))):
        p, x, _ = random_leaves(layer, rng(), 15, 1).values()
        moved = x.copy()
        moved[7] += 10.0
        changed = (layer.forward(p, x)[0] != layer.forward(p, moved)[0]).any((1, 2))
        assert np.flatnonzero(changed).tolist() == list(range(7 - reach[0], 8 + reach[1]))


def test_two_layers_reach_twice_as_far():
    chain = Chain((FSMN(2, 3, 3, activation="tanh"), FSMN(6, 3, 4, activation="tanh")))
    p, x, _ = random_leaves(chain, rng(), 15, 1).values()
    moved = x + 10.0 * (np.arange(15) == 2)[:, None, None]
    changed = (chain.forward(p, x)[0] != chain.forward(p, moved)[0]).any((1, 2))
    assert np.flatnonzero(changed).tolist() == list(range(2, 10))


def test_the_state_is_the_last_steps_of_the_units_the_oldest_first():
    layer = FSMN(2, 4, 3)
    p, x, state = random_leaves(layer, rng(), T, B).values()
    y, tape = layer.forward(p, x, state)
    assert np.array_equal(layer.last_state(tape), np.hstack(list(y[-3:, :, :4])))
    _, tape = layer.forward(p, x[:2], state)                  # shorter than the look-back: the rest is older
    assert np.array_equal(layer.last_state(tape), np.hstack([state[:, 8:], *y[:2, :, :4]]))


def test_a_look_back_longer_than_the_sequence_reads_zeros():
    long, short = FSMN(2, 4, 30), FSMN(2, 4, T - 1)
    p, x, _ = random_leaves(long, rng(), T, B).values()
    assert_same(long.forward(p, x)[0], short.forward({**p, "alpha": p["alpha"][:T]}, x)[0])


@pytest.mark.parametrize("layer", [FSMN(2, 4, 3, 2), Chain((FSMN(2, 3, 2, 2), FSMN(6, 4, 1, 3)))], ids=repr)
def test_what_stands_in_the_padding_reaches_no_output_no_state_and_no_gradient(layer):
    p, x, state = random_leaves(layer, rng(), T, B).values()
    behind = np.arange(T)[:, None] >= LENGTHS
    dy, dstate = rng(1).standard_normal((T, B, layer.outputs)), rng(2).standard_normal(state.shape)
    found = []
    for fill in (0.0, 1e6, np.nan):
        y, tape = layer.forward(p, np.where(behind[..., None], fill, x), state, lengths=LENGTHS)
        found.append((y, layer.last_state(tape), layer.backward(np.where(behind[..., None], fill, dy), tape, dstate)))
    for one, other in pairwise(found):
        assert_same(one, other, 0)
    alone, tape = layer.forward(p, x[:4, :1], state[:1])      # sequence 0 has 4 steps
    assert_same((found[0][0][:4, :1], found[0][1][:1]), (alone, layer.last_state(tape)))


def test_without_lengths_padding_would_leak_back():       # what the test above would miss if it could not fail
    layer = FSMN(2, 4, 3, 2)
    p, x, _ = random_leaves(layer, rng(), T, B).values()
    other = np.where((np.arange(T)[:, None] >= LENGTHS)[..., None], 5.0, x)
    before = np.arange(T)[:, None] < LENGTHS
    assert (layer.forward(p, x)[0] != layer.forward(p, other)[0])[before].any()


@pytest.mark.parametrize("forgotten", ["x", "h", "dy"])
def test_a_layer_that_forgets_a_mask_is_caught(forgotten, monkeypatch):
    module, masks, order = sys.modules[FSMN.__module__], [], ("x", "h", "m", "dy", "dh")
    masked = module.without_padding

    def without_one(array, lengths):
        masks.append(array)
        return array if order[(len(masks) - 1) % 5] == forgotten else masked(array, lengths)

    monkeypatch.setattr(module, "without_padding", without_one)
    with pytest.raises(AssertionError):
        test_what_stands_in_the_padding_reaches_no_output_no_state_and_no_gradient(FSMN(2, 4, 3, 2))


@pytest.mark.parametrize("bug", LOOPS["tapped_sum_backward"])
def test_a_bug_in_the_taps_is_caught_in_a_layer_that_looks_ahead(bug, monkeypatch):
    module = sys.modules[FSMN.__module__]
    monkeypatch.setattr(module, "tapped_sum_backward", LOOPS["tapped_sum_backward"][bug](module.tapped_sum_backward))
    with pytest.raises(AssertionError):
        assert_cell(AHEAD[0], rng())


@on_a_device
def test_looking_ahead_gives_the_same_numbers_with_either_library(xp):
    layer = AHEAD[0]
    leaves = random_leaves(layer, rng(2), T, B)
    dy, dstate = rng(3).standard_normal((T, B, layer.outputs)), rng(4).standard_normal((B, layer.state_size))

    def run(leaves, dy, dstate):
        y, tape = layer.forward(*leaves.values(), lengths=LENGTHS)
        return y, layer.last_state(tape), layer.backward(dy, tape, dstate)

    assert_same(run(map_leaves(xp.asarray, leaves), xp.asarray(dy), xp.asarray(dstate)), run(leaves, dy, dstate), 1e-11)


def test_the_sum_goes_once_around_per_tap_and_not_per_step(monkeypatch):
    turns = []

    def counted(*given, **options):
        turns.append(given)
        return multiply(*given, **options)

    multiply = np.multiply
    monkeypatch.setattr(np, "multiply", counted)
    for steps in (50, 500):
        turns.clear()
        tapped_sum(np.ones((steps + 6, 2, 3)), np.ones((7, 3)))
        assert len(turns) <= 7


def test_a_layer_that_looks_ahead_is_whole_and_trains_on_sequences_of_different_lengths():
    task = Skeletons(None)
    body = Chain((FSMN(task.inputs, 4, 2, 2), FSMN(8, 3, 1, 1)))
    assert body.whole and body.needs_lengths and not FSMN(2, 3).whole
    network = Network(body, task.outputs, task.loss, task.reads)
    _, history = fit(network, task, 2, batch=4, progress=False)
    assert np.isfinite(history["loss"]).all()
    with refuses(ValueError, "expected a model that can be split"):
        Chunked(body)


def test_options_that_cannot_be_are_refused_in_one_sentence():
    with refuses(ValueError, "past is -1", "at least 0"):
        FSMN(2, 3, past=-1)
    with refuses(ValueError, "future is 1.5", "an int of at least 0"):
        FSMN(2, 3, future=1.5)
    with refuses(ValueError, "taps is 'matrix'", "'vector', 'scalar', 'none'"):
        FSMN(2, 3, taps="matrix")
    with refuses(ValueError, "past is 20", "taps=\"none\"", "expected 0"):
        FSMN(2, 3, taps="none")
    with refuses(ValueError, "past is True", "at least 0"):
        Window(2, past=True)
    layer = FSMN(2, 3, 4)
    with refuses(ValueError, "state has shape (3, 3)", "expected (3, 12)"):
        layer.forward(layer.init(rng()), np.zeros((T, B, 2), "float32"), np.zeros((B, 3), "float32"))
    with refuses(ValueError, "lengths go from 0 to 9", "1 to 7"):
        ahead = FSMN(2, 3, 1, 1)
        ahead.forward(ahead.init(rng()), np.zeros((T, 2, 2), "float32"), lengths=np.array([0, 9]))
