"""Start values: the distributions that the docstrings name, in float32, from the generator alone."""

from math import log

import numpy as np
import pytest
from support import BARE, CELLS, SQUARE, STACKS, rng

from minidurnn import GRU, LSTM, RNN, DuRNN, IndRNN, ShortTermRNN
from minidurnn.arrays import starts
from minidurnn.arrays.trees import leaves
from minidurnn.cells.constraints import spectral_norm

DRAWS = {
    "glorot": lambda rng: starts.glorot(rng, 30, 50),
    "normal": lambda rng: starts.normal(rng, 30, 50, 0.001),
    "orthogonal": lambda rng: starts.orthogonal(rng, 40),
    "uniform": lambda rng: starts.uniform(rng, 0.25, 0.5, 400),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS.keys())
def test_a_start_is_float32_and_the_seed_decides_it(draw):
    assert draw(rng(1)).dtype == np.float32
    assert (draw(rng(1)) == draw(rng(1))).all() and (draw(rng(1)) != draw(rng(2))).any()


def test_glorot_is_uniform_with_variance_two_over_the_sum_of_sizes():
    W = starts.glorot(rng(), 300, 500)
    assert W.shape == (300, 500) and np.abs(W).max() <= np.float32((6 / 800) ** 0.5)
    assert abs(W.astype(float).var() / (2 / 800) - 1) < 0.01 and abs(W.mean()) < 1e-3
    assert abs(np.mean(np.abs(W) < 0.5 * (6 / 800) ** 0.5) - 0.5) < 0.01                     # uniform, not normal


def test_normal_has_its_deviation():
    assert abs(starts.normal(rng(), 300, 500, 0.001).astype(float).std() / 0.001 - 1) < 0.01


def test_orthogonal_rows_are_orthonormal_to_rounding():
    Q = starts.orthogonal(rng(), 64).astype(float)
    assert np.abs(Q @ Q.T - np.eye(64)).max() < 1e-6


def test_orthogonal_matrices_are_spread_evenly():
    many = np.stack([starts.orthogonal(rng(seed), 3) for seed in range(3000)]).astype(float)
    assert np.abs(many.mean(0)).max() < 0.04                  # standard error 0.0105; the sign correction keeps it at 0
    assert np.abs((many**2).mean(0) - 1 / 3).max() < 0.03
    assert abs(np.mean(np.linalg.det(many) > 0) - 0.5) < 0.04


def test_uniform_fills_its_range():
    u = starts.uniform(rng(), 0.25, 0.5, 4000)
    assert u.min() >= 0.25 and u.max() <= 0.5 and abs(u.mean() - 0.375) < 0.005


def test_fixed_starts():
    assert (starts.identity(3) == np.eye(3)).all() and (starts.zeros(3) == 0).all()
    assert (starts.constant(-2.5, 3) == -2.5).all()
    assert {starts.identity(3).dtype, starts.zeros(3).dtype, starts.constant(-2.5, 3).dtype} == {np.dtype("float32")}


@pytest.mark.parametrize("model", CELLS + SQUARE + BARE + STACKS, ids=repr)
def test_every_model_starts_inside_its_own_constraints_and_finite(model):
    p = model.init(rng(3))
    assert model.project(p) is p
    assert all(leaf.dtype == np.float32 and np.isfinite(leaf).all() for leaf in leaves(p).values())


def test_a_model_starts_from_the_generator_alone():
    for model in CELLS + STACKS:
        ours, again = leaves(model.init(rng(1))), leaves(model.init(rng(1)))
        assert all((ours[path] == again[path]).all() for path in ours)


def test_irnn_starts_with_the_identity_and_small_inputs():
    p = RNN(50, 40, activation="relu", start="identity").init(rng())
    assert (p["U"] == np.eye(40)).all() and (p["b"] == 0).all() and abs(p["W"].astype(float).std() / 0.001 - 1) < 0.1


@pytest.mark.parametrize("bound", [0.5, 0.9, None])
def test_a_short_term_matrix_starts_as_the_bound_times_an_orthogonal_one(bound):
    ρ = 1.0 if bound is None else bound
    short, dual = ShortTermRNN(2, 30, bound=bound), DuRNN(2, 30, 4, horizon=9, bound=bound)
    for U in (short.init(rng())["U"], dual.init(rng())["U_s"]):
        assert np.abs(U.astype(float) @ U.T.astype(float) - ρ**2 * np.eye(30)).max() < 5e-6
        assert bound is None or spectral_norm(U) <= bound


@pytest.mark.parametrize("make", [
    lambda **options: IndRNN(2, 4000, **options), lambda **options: DuRNN(2, 2, 4000, **options),
])
@pytest.mark.parametrize("horizon, growth", [(9, 2.0), (1000, 2.0), (100, 5.0), (9, None), (1, 2.0)])
def test_independent_weights_start_in_the_range_of_their_memory(make, horizon, growth):
    γ = 1.0 if growth is None else growth
    high = γ ** (1 / horizon)
    for memory, low in (("any", 0.0), ("long", 1 / high)):
        u = make(horizon=horizon, growth=growth, memory=memory).init(rng())["u"].astype(float)
        assert low * (1 - 1e-6) <= u.min() and u.max() <= high * (1 + 1e-6 * (growth is None))
        assert abs(u.mean() - (low + high) / 2) <= 0.02 * (high - low) + 1e-6


def test_without_a_horizon_independent_weights_start_between_zero_and_one():
    u = IndRNN(2, 4000).init(rng())["u"]
    assert u.min() >= 0 and u.max() <= 1 and abs(u.mean() - 0.5) < 0.02


@pytest.mark.parametrize("horizon", [1, 100, 5000])
def test_the_selection_starts_closed_by_the_logarithm_of_the_horizon(horizon):
    assert np.allclose(DuRNN(2, 4, 5, horizon=horizon).init(rng())["b_g"], -0.7 * log(horizon), rtol=1e-6)
    assert (DuRNN(2, 4, 5, horizon=horizon, gate=0.25).init(rng())["b_g"] == 0.25).all()


def test_gates_start_with_orthogonal_blocks_and_an_open_forget_gate():
    p = LSTM(3, 6).init(rng())
    assert p["b"].tolist() == 6 * [0] + 6 * [1] + 12 * [0]
    for U, gates in ((p["U"], 4), (GRU(3, 6).init(rng())["U"], 3)):
        blocks = np.split(U.astype(float), gates, axis=1)
        assert all(np.abs(block @ block.T - np.eye(6)).max() < 1e-6 for block in blocks)
        assert np.abs(blocks[0] - blocks[1]).max() > 0.1
