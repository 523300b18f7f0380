"""Gates as time scales: what a gated cell keeps, and where the starts and forms of its forget gate put it."""

import numpy as np
import pytest
from support import B, T, refuses, rng

from minidurnn import GRU, JANET, LSTM, DuRNN
from minidurnn.analysis import decay, jacobian, time_scale
from minidurnn.arrays.trees import map_leaves
from minidurnn.gradcheck import random_leaves
from minidurnn.training.storage import build, describe

GATED = [
    LSTM(2, 4), GRU(2, 4), JANET(2, 4), DuRNN(2, 4, 5, horizon=9, gate=0.0),
    *(LSTM(2, 4, forget=form) for form in ("fast", "refine")), LSTM(2, 4, horizon=9, forget="floor"),
]


def first_gates(cell, seed=0):
    """The forget gates of a cell as it starts, with no input and no state  ->  (H,)."""
    p = map_leaves(lambda leaf: leaf.astype(np.float64), cell.init(rng(seed)))
    return cell.kept(cell.forward(p, np.zeros((1, 1, cell.inputs)))[1])[0, 0]


@pytest.mark.parametrize("cell", GATED, ids=repr)
def test_a_cell_whose_gates_do_not_read_its_state_keeps_the_product_of_its_gates(cell):
    p, x, state = random_leaves(cell, rng(1), T, B).values()
    p = {name: 0 * leaf if name in ("U", "U_s") else leaf for name, leaf in p.items()}
    part = {LSTM: "c", DuRNN: "long"}.get(type(cell), "state")
    J = jacobian(cell, p, x, 0, state, of=part, wrt=part)     # (B, H, H), from before the first step to the last
    kept = cell.kept(cell.forward(p, x, state)[1]).prod(0)
    assert kept.shape == J.shape[:2]
    assert np.allclose(J, kept[:, :, None] * np.eye(J.shape[1]), rtol=1e-10, atol=1e-14)


def test_a_uniform_start_spreads_the_gates_evenly_and_closes_the_input_as_much():
    cell = LSTM(2, 300, start="uniform")
    gates, b = first_gates(cell), cell.init(rng())["b"]
    assert gates.min() >= 1 / 300 and gates.max() <= 1 - 1 / 300
    assert np.abs(np.sort(gates) - np.linspace(0, 1, 300)).max() < 0.09       # Kolmogorov's distance, 1.6 / sqrt(300)
    assert np.array_equal(b[:300], -b[300:600]) and not b[600:].any()


def test_a_refined_gate_starts_at_2v_minus_3v2_plus_2v3():
    cell = LSTM(2, 50, start="uniform", forget="refine")
    own, refined = cell.init(rng())["b"], first_gates(cell)
    v = 1 / (1 + np.exp(-own[50:100].astype(np.float64)))
    assert np.allclose(refined, 2 * v - 3 * v**2 + 2 * v**3, rtol=1e-6)
    assert np.array_equal(own[200:], -own[50:100])


@pytest.mark.parametrize("options", [{}, {"horizon": 50}, {"start": "uniform"}])
def test_a_fast_gate_starts_where_the_usual_one_does(options):
    usual, fast = LSTM(2, 30, **options), LSTM(2, 30, forget="fast", **options)
    assert np.allclose(first_gates(usual), first_gates(fast), rtol=1e-5)
    assert np.array_equal(usual.init(rng())["b"][:30], fast.init(rng())["b"][:30])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fast_gate_is_finite_and_shut_or_open_however_large_its_pre_activation(dtype):
    cell, x = LSTM(12, 3, project_input=False, forget="fast"), np.zeros((2, 2, 12), dtype)
    x[:, 0, 3:6], x[:, 1, 3:6] = 1e6, -1e6
    h, tape = cell.forward({"U": np.zeros((3, 12), dtype)}, x)
    dx, dstate0, dp = cell.backward(np.ones_like(h), tape)
    assert cell.kept(tape).tolist() == [[[1.0] * 3, [0.0] * 3]] * 2
    assert all(np.isfinite(array).all() for array in (h, dx, dstate0, dp["U"])) and not dx[..., 3:6].any()


def test_no_input_can_take_a_gate_below_its_floor():
    cell = LSTM(2, 5, horizon=16, forget="floor")
    assert np.allclose(cell.scales, [1, 2, 4, 8, 16])
    shut = {**cell.init(rng()), "b": np.full(20, -1e4, np.float32)}
    kept = cell.kept(cell.forward(shut, np.zeros((3, 2, 2), np.float32))[1])
    assert np.allclose(kept, 1 - 1 / cell.scales, rtol=1e-6)
    p = cell.init(rng())
    assert np.allclose(1 / (1 + np.exp(-p["b"][:5])), 1 - first_gates(cell), rtol=1e-5)       # i = 1 - f
    assert LSTM(2, 1, horizon=16, forget="floor").scales.tolist() == [16.0]


def test_janet_starts_by_its_horizon_and_a_larger_beta_writes_more():
    gates = first_gates(JANET(2, 200, horizon=101))
    spans = gates / (1 - gates)
    assert spans.min() >= 1 - 1e-5 and spans.max() <= 100 and abs(spans.mean() - 50.5) < 3 * 99 / 12**0.5 / 200**0.5
    assert np.allclose(first_gates(JANET(2, 3)), 1 / (1 + np.exp(-1)))
    p, x, state = random_leaves(JANET(2, 4), rng(2), 1, B).values()
    shut = np.full((B, 4), 0.0)
    less, most = (np.abs(JANET(2, 4, beta=beta).forward(p, x, shut)[0]) for beta in (-3.0, 0.0))
    assert (less < most).all()


def test_options_that_came_later_leave_older_descriptions_as_they_are():
    old = {"inputs": 2, "units": 4, "project_input": True, "horizon": None}
    assert describe(LSTM(2, 4)) == {"class": "LSTM", "options": old}
    assert build(describe(LSTM(2, 4)), {"LSTM": LSTM}) == LSTM(2, 4)
    for later in (LSTM(2, 4, forget="fast"), LSTM(2, 4, start="uniform")):
        assert build(describe(later), {"LSTM": LSTM}) == later != LSTM(2, 4)


# How fast what is kept falls

def test_a_power_is_a_straight_line_and_a_mixture_of_all_powers_is_not():
    lag = np.arange(1, 41)
    slope, share = decay(0.5 * 0.9**lag)
    assert slope == pytest.approx(np.log(0.9)) and share == pytest.approx(1)
    slopes, shares = decay(np.stack([0.9**lag, 0.5**lag, 1.0**lag], axis=1))
    assert np.allclose(slopes, np.log([0.9, 0.5, 1.0])) and np.allclose(shares, 1)
    assert decay(1 / (lag + 1))[1] < 0.95
    for wrong in ([1.0, 0.5], [1.0, 0.0, 0.0], [1.0, None, 0.2]):
        with refuses(ValueError, "norms are", "expected at least 3, all of them finite and above 0"):
            decay(wrong)


def test_the_time_scale_of_a_gate_is_that_of_its_geometric_mean():
    kept = np.array([0.9, 0.4, 0.0, 1.0]) * np.ones((5, 2, 1))
    kept[::2, :, 1] = 0.9                                     # three of five
    scales = time_scale(kept)
    mean_log = (3 * np.log(0.9) + 2 * np.log(0.4)) / 5
    assert np.allclose(scales, [-1 / np.log(0.9), -1 / mean_log, 0, np.inf])
