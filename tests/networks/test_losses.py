"""Losses: their values by definition, their gradients, and how the losses of chunks add up."""

import numpy as np
import pytest
from support import on_a_device, refuses, rng

from minidurnn import to_numpy
from minidurnn.gradcheck import assert_gradient
from minidurnn.networks.losses import (
    LOSSES,
    cross_entropy,
    cross_entropy_backward,
    mean_squared_error,
    mean_squared_error_backward,
)


def scores(shape=(5, 3), seed=0):
    """y (..., 4) and classes (...)."""
    return 3 * rng(seed).standard_normal((*shape, 4)), rng(seed + 1).integers(0, 4, shape)


def test_the_squared_error_is_the_mean_over_all_numbers(xp):
    y, target = rng().standard_normal((2, 5, 3))
    value, metric, _ = mean_squared_error(xp.asarray(y), xp.asarray(target), y.size)
    assert float(value) == float(metric) == pytest.approx(((y - target) ** 2).mean(), rel=1e-14)


def test_the_cross_entropy_is_minus_the_mean_log_of_the_softmax(xp):
    y, target = scores()
    value, accuracy, _ = cross_entropy(xp.asarray(y), xp.asarray(target), target.size)
    softmax = np.exp(y) / np.exp(y).sum(-1, keepdims=True)
    by_hand = -np.mean([np.log(softmax[place][target[place]]) for place in np.ndindex(*target.shape)])
    assert float(value) == pytest.approx(by_hand, rel=1e-13)
    assert float(accuracy) == pytest.approx(
        np.mean([softmax[place].argmax() == target[place] for place in np.ndindex(*target.shape)]), rel=1e-13
    )


def test_bits_are_the_cross_entropy_over_ln_2_with_the_same_gradient(xp):
    y, target = (xp.asarray(array) for array in scores())
    (value, bits, tape), nats = LOSSES["bits"].forward(y, target, 15), cross_entropy(y, target, 15)
    assert float(value) == float(nats[0]) and float(bits) == pytest.approx(float(value) / np.log(2), rel=1e-14)
    assert (LOSSES["bits"].backward(tape) == cross_entropy_backward(nats[2])).all() and LOSSES["bits"].better == "lower"


def test_two_scores_by_hand():
    value, accuracy, tape = cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([0]), 1)
    assert value == pytest.approx(np.log(4.0), rel=1e-15) and accuracy == 0.0
    assert np.allclose(cross_entropy_backward(tape), [[-0.75, 0.75]], rtol=1e-15)


def test_the_gradient_of_the_squared_error(xp):
    target = xp.asarray(rng(1).standard_normal((5, 3)))
    leaves = {"y": xp.asarray(rng().standard_normal((5, 3)))}

    def backward(d):
        return {"y": d * mean_squared_error_backward(mean_squared_error(leaves["y"], target, 7)[2])}

    assert_gradient(lambda leaves: mean_squared_error(leaves["y"], target, 7)[0], backward, leaves, rng=rng(2))


@pytest.mark.parametrize("shape", [(6,), (5, 3)])
def test_the_gradient_of_the_cross_entropy(shape, xp):
    y, target = map(xp.asarray, scores(shape))
    leaves = {"y": y}

    def backward(d):
        return {"y": d * cross_entropy_backward(cross_entropy(y, target, 7)[2])}

    assert_gradient(lambda leaves: cross_entropy(leaves["y"], target, 7)[0], backward, leaves, rng=rng(2))


@pytest.mark.parametrize("name", LOSSES)
def test_the_losses_of_pieces_add_up(name):
    y, target = scores((6, 3)) if name != "mse" else rng().standard_normal((2, 6, 3, 4))
    count, loss = target.size, LOSSES[name]
    value, metric, tape = loss.forward(y, target, count)
    pieces = [loss.forward(y[piece], target[piece], count) for piece in (slice(0, 1), slice(1, 4), slice(4, 6))]
    assert value == pytest.approx(sum(piece[0] for piece in pieces), rel=1e-13)
    assert metric == pytest.approx(sum(piece[1] for piece in pieces), rel=1e-13)
    assert np.allclose(loss.backward(tape), np.concatenate([loss.backward(piece[2]) for piece in pieces]), rtol=1e-13)


def test_huge_scores_overflow_nowhere():
    with np.errstate(all="raise", under="ignore"):
        value, accuracy, tape = cross_entropy(np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]]), np.array([0, 0]), 2)
        assert value == 1e4 and accuracy == 0.5 and np.isfinite(cross_entropy_backward(tape)).all()


def test_scores_shifted_together_lose_the_same():
    y, target = scores()
    assert cross_entropy(y + 100.0, target, 15)[0] == pytest.approx(cross_entropy(y, target, 15)[0], rel=1e-12)
    assert np.abs(cross_entropy_backward(cross_entropy(y, target, 15)[2]).sum(-1)).max() < 1e-16


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(dtype, xp):
    y, target = scores()
    y = xp.asarray(y.astype(dtype))
    assert cross_entropy_backward(cross_entropy(y, xp.asarray(target), 15)[2]).dtype == dtype
    # of the values, NumPy 1 makes double
    assert mean_squared_error_backward(mean_squared_error(y, y + 1, 60)[2]).dtype == dtype


def test_nothing_is_written_into_scores_and_targets():
    y, target = scores()
    y.flags.writeable = target.flags.writeable = False
    tape = cross_entropy(y, target, 15)[2]
    once, again = cross_entropy_backward(tape), cross_entropy_backward(tape)
    assert (once == again).all()
    tape = mean_squared_error(y, y, 15)[2]
    assert (mean_squared_error_backward(tape) == mean_squared_error_backward(tape)).all()


def test_numbers_stay_on_the_device(cupy):
    y, target = map(cupy.asarray, scores())
    for value, metric, _ in (cross_entropy(y, target, 15), mean_squared_error(y, y, 60)):
        assert type(value) is type(metric) is cupy.ndarray
    assert type(y).syncs == 0


@pytest.mark.parametrize("target, words", [
    (np.zeros((5, 3)), ("target has shape (5, 3) and dtype float64", "integer class numbers of shape (5, 3)")),
    (np.zeros((5, 3, 4), int), ("target has shape (5, 3, 4)", "integer class numbers of shape (5, 3)")),
    (np.full((5, 3), 4), ("class numbers from 4 to 4", "expected 0 to 3")),
    (np.full((5, 3), -1), ("class numbers from -1 to -1", "expected 0 to 3")),
])
def test_classes_of_another_shape_dtype_or_range_are_refused(target, words):
    with refuses(ValueError, *words):
        cross_entropy(scores()[0], target, 15)


def test_targets_of_another_shape_or_dtype_are_refused():
    y = np.zeros((5, 3))
    with refuses(ValueError, "target has shape (5, 1)", "expected (5, 3)"):
        mean_squared_error(y, y[:, :1], 15)
    with refuses(TypeError, "target has dtype float32 beside float64", "one dtype"):
        mean_squared_error(y, y.astype(np.float32), 15)


def test_lower_errors_and_higher_accuracies_are_better():
    assert {
        name: (loss.metric, loss.better) for name, loss in LOSSES.items()
    } == {"mse": ("mse", "lower"), "cross_entropy": ("accuracy", "higher"), "bits": ("bits", "lower")}
    assert to_numpy(cross_entropy(np.eye(4), np.arange(4), 4)[1]) == 1.0


def test_the_cross_entropy_takes_every_exponential_once(monkeypatch):
    y, target = scores()
    taken, true = [], np.exp
    monkeypatch.setattr(np, "exp", lambda a: (taken.append(a.shape), true(a))[1])
    cross_entropy(y, target, 15)
    assert taken == [(15, 4)]


@on_a_device
def test_on_a_gpu_a_class_number_out_of_range_makes_the_loss_and_its_gradient_not_a_number(xp):
    y = xp.asarray(rng().standard_normal((3, 4)))
    for wrong in (-1, 4):
        target = xp.asarray(np.array([0, wrong, 3]))
        value, _, tape = LOSSES["cross_entropy"].forward(y, target, 3)
        assert np.isnan(float(value))
        assert np.isnan(LOSSES["cross_entropy"].backward(tape).get()).any(axis=1).tolist() == [False, True, False]
