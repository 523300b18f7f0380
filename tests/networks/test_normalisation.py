"""Batch norm over time: its statistics, its gradient, what it keeps running, and whom it does not see."""

import numpy as np
import pytest
from support import B, T, assert_same, refuses, rng

from minidurnn import RNN, Chain, Chunked, Linear, Network, to_numpy
from minidurnn.arrays.trees import leaves, map_leaves, merge, trained
from minidurnn.gradcheck import assert_gradient
from minidurnn.networks import BatchNorm, Dense, Residual

POOLED, STEPWISE = BatchNorm(4), BatchNorm(4, steps=T + 2)
LENGTHS = np.array([7, 3, 5])
both = pytest.mark.parametrize("norm", [POOLED, STEPWISE], ids=["pooled", "per step"])


def case(norm, seed=0):
    """p in float64 around its start, x (T, B, 4)."""
    draw = rng(seed)
    p = map_leaves(lambda a: a + 0.3 * draw.uniform(-1, 1, a.shape), norm.init(draw))
    return p, 2.0 + 3.0 * draw.standard_normal((T, B, 4))


def test_pooled_statistics_are_those_of_all_steps_of_all_sequences():
    p, x = case(POOLED)
    y, _ = POOLED.forward(p, x, noise=True)
    assert_same(y, p["scale"] * (x - x.mean((0, 1))) / np.sqrt(x.var((0, 1)) + 1e-5) + p["shift"], 1e-12)


def test_statistics_per_step_are_those_of_the_batch():
    p, x = case(STEPWISE)
    y, _ = STEPWISE.forward(p, x, noise=True)
    assert_same(
        y, np.stack([p["scale"] * (x_t - x_t.mean(0)) / np.sqrt(x_t.var(0) + 1e-5) + p["shift"] for x_t in x]), 1e-12
    )


def test_the_padding_counts_in_no_statistic_and_gets_no_gradient():
    p, x = case(POOLED)
    valid = np.arange(T)[:, None] < LENGTHS
    (y, tape), (z, _) = POOLED.forward(p, x, None, True, LENGTHS), POOLED.forward(
        p, np.where(valid[..., None], x, 1e6), None, True, LENGTHS
    )
    assert np.allclose(y[valid], z[valid], rtol=1e-12)
    assert np.allclose(
        y[valid], p["scale"] * (x[valid] - x[valid].mean(0)) / np.sqrt(x[valid].var(0) + 1e-5) + p["shift"], rtol=1e-12
    )
    assert not POOLED.backward(rng(1).standard_normal(x.shape), tape)[0][~valid].any()


@pytest.mark.parametrize("noise", [True, None], ids=["training", "evaluation"])
@both
def test_backward_is_the_gradient_of_forward(norm, noise, xp):
    p, x = map_leaves(xp.asarray, case(norm))

    def backward(dy):
        dx, _, dp = norm.backward(dy, norm.forward(p, x, noise=noise)[1])
        return {"p": dp, "x": dx}

    assert_gradient(
        lambda leaves: norm.forward(merge(p, leaves["p"]), leaves["x"], noise=noise)[0], backward,
        {"p": trained(p, norm.statistics), "x": x}, rng=rng(1),
    )


def test_backward_is_the_gradient_of_forward_with_lengths():
    p, x = case(POOLED)
    valid = 1.0 * (np.arange(T)[:, None, None] < LENGTHS[:, None])

    def backward(dy):
        dx, _, dp = POOLED.backward(dy * valid, POOLED.forward(p, x, None, True, LENGTHS)[1])
        return {"p": dp, "x": dx}

    assert_gradient(
        lambda leaves: valid * POOLED.forward(merge(p, leaves["p"]), leaves["x"], None, True, LENGTHS)[0], backward,
        {"p": trained(p, POOLED.statistics), "x": x}, rng=rng(1),
    )


@both
def test_running_statistics_move_towards_the_batch_by_the_momentum(norm):
    p, x = case(norm)
    _, tape = norm.forward(p, x, noise=True)
    q = norm.updated(p, tape)
    axes, n = ((0, 1), T * B) if norm is POOLED else (1, B)
    for name, value in (("running_mean", x.mean(axes)), ("running_variance", x.var(axes) * n / (n - 1))):
        expected = p[name].copy()
        expected[
            ... if norm is POOLED else slice(0, T)
        ] = 0.9 * p[name][... if norm is POOLED else slice(0, T)] + 0.1 * value
        assert np.allclose(q[name], expected, rtol=1e-12)
    assert q["scale"] is p["scale"] and (p["running_mean"] != q["running_mean"]).any()


@both
def test_evaluation_uses_the_running_statistics_and_moves_nothing(norm):
    p, x = case(norm)
    y, tape = norm.forward(p, x)
    mean, variance = (p[name] if norm is POOLED else p[name][:T, None] for name in ("running_mean", "running_variance"))
    assert_same(y, p["scale"] * (x - mean) / np.sqrt(variance + 1e-5) + p["shift"], 1e-12)
    assert norm.updated(p, tape) is p


@both
def test_running_statistics_have_no_gradient_and_are_no_trained_numbers(norm):
    p, x = case(norm)
    dp = norm.backward(x, norm.forward(p, x, noise=True)[1])[2]
    assert dp.keys() == {"scale", "shift"} == trained(p, norm.statistics).keys()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@both
def test_the_dtype_stays_and_nothing_is_written(norm, dtype, xp):
    p, x = map_leaves(lambda a: xp.asarray(a.astype(dtype)), case(norm))
    if xp is np:
        for array in (x, *p.values()):
            array.flags.writeable = False
    for noise in (True, None):
        y, tape = norm.forward(p, x, noise=noise)
        results = {"y": y, "back": norm.backward(x, tape), "again": norm.backward(x, tape), "p": norm.updated(p, tape)}
        assert {leaf.dtype for leaf in leaves(results).values()} == {np.dtype(dtype)}
        assert_same(results["back"], results["again"], 0)


def test_one_value_has_no_variance():
    with refuses(ValueError, "batch norm in training has 1 value per statistic", "expected at least 2", "noise=None"):
        POOLED.forward(case(POOLED)[0], np.ones((1, 1, 4)), noise=True)
    with refuses(ValueError, "batch norm in training has 1 value per statistic"):
        STEPWISE.forward(case(STEPWISE)[0], np.ones((T, 1, 4)), noise=True)


def test_more_steps_than_statistics_and_lengths_per_step_are_refused():
    with refuses(ValueError, "x has 10 steps", "expected at most steps=9"):
        STEPWISE.forward(case(STEPWISE)[0], np.ones((T + 3, B, 4)))
    with refuses(ValueError, "and lengths", "no lengths", "use steps=None"):
        STEPWISE.forward(case(STEPWISE)[0], np.ones((T, B, 4)), None, True, LENGTHS)


@pytest.mark.parametrize(
    "model", [POOLED, Chain((Linear(4, 4), POOLED)), Residual(Chain((Chunked(RNN(4, 4), 2), POOLED))), Dense(POOLED)],
    ids=repr,
)
def test_no_chunk_sees_a_whole_sequence(model):
    with refuses(
        ValueError, "needs the whole sequence, for statistics over it",
        "put Chunked around the cells between its batch norms",
    ):
        Chunked(model, 3)


@pytest.mark.parametrize(
    "body",
    [
        Chain((Chunked(RNN(2, 4), 3), POOLED, RNN(4, 3))),
        Chain((Linear(2, 4), Residual(Chain((POOLED, RNN(4, 4)))), Dense(POOLED))),
    ],
    ids=repr,
)
def test_networks_with_batch_norm_train_with_noise_and_keep_their_statistics(body, xp):
    network = Network(body, 1)
    p = map_leaves(lambda a: xp.asarray(a.astype(np.float64)), network.init(rng()))
    x, target = xp.asarray(rng(1).standard_normal((T, B, 2))), xp.asarray(rng(2).standard_normal((B, 1)))
    noise = network.draw(rng(3), B)

    def backward(d):
        return {"p": map_leaves(lambda leaf: d * leaf, network.gradient(network.loss(p, x, target, noise=noise)[2])[0])}

    assert_gradient(
        lambda leaves: network.loss(merge(p, leaves["p"]), x, target, noise=noise)[0], backward,
        {"p": trained(p, network.statistics)}, rng=rng(4),
    )
    q = network.updated(p, network.loss(p, x, target, noise=noise)[2])
    moved = {path for path, leaf in leaves(to_numpy(q)).items() if (leaf != leaves(to_numpy(p))[path]).any()}
    assert moved
    assert moved == set(network.statistics) == {path for path in leaves(p) if "running_" in path}
