"""Every cell keeps its contract, equals its equations written out by hand, and computes alike with either library."""

from dataclasses import replace
from math import tanh

import numpy as np
import pytest
from support import BARE, CELLS, SQUARE, B, T, assert_same, on_a_device, refuses, rng

from minidurnn import GILR, GILRLSTM, GRU, JANET, LSTM, RNN, DuRNN, IndRNN, ShortTermRNN, to
from minidurnn.arrays.trees import map_leaves
from minidurnn.gradcheck import assert_cell, assert_cell_gradient, random_leaves

every_cell = pytest.mark.parametrize("cell", CELLS, ids=repr)


def σ(a):
    return 1 / (1 + np.exp(-a))


PHI = {"relu": lambda a: np.maximum(a, 0.0), "tanh": np.tanh, "sigmoid": σ, "identity": lambda a: a}
SLOPE = {
    "relu": lambda h: 1.0 * (h > 0), "tanh": lambda h: 1 - h**2, "sigmoid": lambda h: h * (1 - h),
    "identity": lambda h: 1.0,
}


@pytest.mark.parametrize("cell", CELLS + SQUARE + BARE, ids=repr)
def test_the_cell_keeps_the_whole_contract(cell):
    assert_cell(cell, rng())


@on_a_device
def test_backward_is_the_gradient_of_forward_there_too(xp):   # of all others: the numbers are those of NumPy, below
    assert_cell_gradient(LSTM(2, 4), rng(1), T, B, like=xp.zeros(1))


@every_cell
@on_a_device
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-4), ("float64", 1e-11)])
def test_both_libraries_give_the_same_numbers(cell, dtype, tolerance, xp):
    leaves = map_leaves(lambda leaf: leaf.astype(dtype), random_leaves(cell, rng(2), T, B))
    shapes = (T, B, cell.outputs), (B, cell.state_size)
    cotangents = [rng(3 + place).standard_normal(shape).astype(dtype) for place, shape in enumerate(shapes)]

    def run(leaves, dh, dstate):
        h, tape = cell.forward(leaves["p"], leaves["x"], leaves["state"])
        return h, cell.last_state(tape), cell.backward(dh, tape, dstate), cell.project(leaves["p"])

    there = map_leaves(xp.asarray, leaves)
    assert_same(run(there, *map(xp.asarray, cotangents)), run(leaves, *cotangents), tolerance)


# One step of every cell by hand: from (p, x (B, D), state, dh on the output, dstate on the state behind the step)
# to (output, state behind the step, dx, dstate in front of the step, dp).

def one_matrix(cell, p, x, h0, dh, dstate):
    """RNN and ShortTermRNN."""
    h = PHI[cell.activation](x @ p["W"] + h0 @ p["U"] + p["b"])
    da = SLOPE[cell.activation](h) * (dh + dstate)
    return h, h, da @ p["W"].T, da @ p["U"].T, {"W": x.T @ da, "U": h0.T @ da, "b": da.sum(0)}


def one_diagonal(cell, p, x, h0, dh, dstate):
    """IndRNN."""
    h = PHI[cell.activation](x @ p["W"] + p["u"] * h0 + p["b"])
    da = SLOPE[cell.activation](h) * (dh + dstate)
    return h, h, da @ p["W"].T, p["u"] * da, {"W": x.T @ da, "u": (h0 * da).sum(0), "b": da.sum(0)}


def one_dual(cell, p, x, state, dh, dstate):
    """DuRNN; what a selection leaves out counts as zero."""
    S, G, before, none = cell.short, cell.gates, cell.selection == "before", cell.selection == "none"
    missing = {"U_s": (S, S), "W_g": (S, G), "V_g": (cell.inputs, G), "b_g": (G,)}
    q = {**{name: np.zeros(shape) for name, shape in missing.items()}, **p}
    s0, l0 = state[:, :S], state[:, S:]
    s = PHI["relu"](x @ q["W_s"] + s0 @ q["U_s"] + q["b_s"])
    g = np.ones((len(x), cell.long)) if none else σ(s @ q["W_g"] + x @ q["V_g"] + q["b_g"])
    c = s @ q["W_l"] + q["b_l"]
    l = PHI["relu"]((g * s) @ q["W_l"] + q["b_l"] + q["u"] * l0 if before else g * c + q["u"] * l0)
    both = np.hstack([s, l])
    ds, dl = (dh[:, :S], dh[:, S:]) if cell.output == "both" else (0.0, dh)
    de = (l > 0) * (dl + dstate[:, S:])                       # at the sum inside relu
    selected, mixed = (de @ q["W_l"].T, s) if before else (de, c)
    dv = np.zeros((len(x), 0)) if none else selected * mixed * g * (1 - g)        # at the gate's pre-activation
    dc = de if before else de * g                             # at what W_l makes
    ds = ds + dstate[:, :S] + dv @ q["W_g"].T + (selected * g if before else dc @ q["W_l"].T)
    da = (s > 0) * ds
    dp = {
        "W_s": x.T @ da, "U_s": s0.T @ da, "b_s": da.sum(0), "W_g": s.T @ dv, "V_g": x.T @ dv, "b_g": dv.sum(0),
        "W_l": (g * s if before else s).T @ dc, "b_l": dc.sum(0), "u": (l0 * de).sum(0),
    }
    dx, dstate0 = da @ q["W_s"].T + dv @ q["V_g"].T, np.hstack([da @ q["U_s"].T, q["u"] * de])
    return both if cell.output == "both" else l, both, dx, dstate0, {name: dp[name] for name in p}


def forgotten(cell, a, r):
    """The forget gate  ->  f, ∂f/∂a, ∂f/∂r."""
    s, g = σ(a), None if r is None else σ(r)
    if cell.forget == "fast":
        return σ(np.sinh(a)), σ(np.sinh(a)) * σ(-np.sinh(a)) * np.cosh(a), None
    if cell.forget == "refine":                               # between s² (g = 0) and 1 - (1 - s)² (g = 1)
        most, least = 1 - (1 - s) ** 2, s**2
        d_s = g * 2 * (1 - s) + (1 - g) * 2 * s
        return g * most + (1 - g) * least, d_s * s * (1 - s), (most - least) * g * (1 - g)
    slower = cell.scales if cell.forget == "floor" else 1.0
    return 1 - (1 - s) / slower, s * (1 - s) / slower, None


def one_lstm(cell, p, x, state, dh, dstate):
    """LSTM; gates i, f, z, o, and r."""
    H = cell.units
    h0, c0 = state[:, :H], state[:, H:]
    i, a_f, z, o, *a_r = np.split(x @ p["W"] + h0 @ p["U"] + p["b"], cell.gates, axis=1)
    i, z, o = σ(i), np.tanh(z), σ(o)
    f, by_f, by_r = forgotten(cell, a_f, a_r[0] if a_r else None)
    c = f * c0 + i * z
    h = o * np.tanh(c)
    dh = dh + dstate[:, :H]
    dc = dstate[:, H:] + dh * o * (1 - np.tanh(c) ** 2)
    da = [dc * z * i * (1 - i), dc * c0 * by_f, dc * i * (1 - z**2), dh * np.tanh(c) * o * (1 - o)]
    da = np.hstack(da if by_r is None else [*da, dc * c0 * by_r])
    dp = {"W": x.T @ da, "U": h0.T @ da, "b": da.sum(0)}
    return h, np.hstack([h, c]), da @ p["W"].T, np.hstack([da @ p["U"].T, dc * f]), dp


def one_janet(cell, p, x, c0, dh, dstate):
    """JANET; f, z."""
    s, a = np.split(x @ p["W"] + c0 @ p["U"] + p["b"], 2, axis=1)
    f, k, z = σ(s), σ(s - cell.beta), np.tanh(a)
    c = f * c0 + (1 - k) * z
    dc = dh + dstate
    da = np.hstack([dc * (c0 * f * (1 - f) - z * k * (1 - k)), dc * (1 - k) * (1 - z**2)])
    dp = {"W": x.T @ da, "U": c0.T @ da, "b": da.sum(0)}
    return c, c, da @ p["W"].T, dc * f + da @ p["U"].T, dp


def one_gru(cell, p, x, h0, dh, dstate):
    """GRU; order r, z, n, the reset gate after the product."""
    (W_r, W_z, W_n), (U_r, U_z, U_n), (b_r, b_z, b_n) = (np.split(p[name], 3, axis=-1) for name in "WUb")
    r, z = σ(x @ W_r + h0 @ U_r + b_r), σ(x @ W_z + h0 @ U_z + b_z)
    m = h0 @ U_n + p["c"]
    n = np.tanh(x @ W_n + b_n + r * m)
    h = (1 - z) * n + z * h0
    dh = dh + dstate
    dn = dh * (1 - z) * (1 - n**2)
    dr, dz, dm = dn * m * r * (1 - r), dh * (h0 - n) * z * (1 - z), dn * r
    dx = dr @ W_r.T + dz @ W_z.T + dn @ W_n.T
    dh0 = dh * z + dr @ U_r.T + dz @ U_z.T + dm @ U_n.T
    at_x, at_h = np.hstack([dr, dz, dn]), np.hstack([dr, dz, dm])
    return h, h, dx, dh0, {"W": x.T @ at_x, "U": h0.T @ at_h, "b": at_x.sum(0), "c": dm.sum(0)}


def one_gilr(cell, p, x, h0, dh, dstate):
    """GILR; gate, input."""
    g, i = np.split(x @ p["W"] + p["b"], 2, axis=1)
    g, i = σ(g), np.tanh(i)
    h = g * h0 + (1 - g) * i
    dh = dh + dstate
    da = np.hstack([dh * (h0 - i) * g * (1 - g), dh * (1 - g) * (1 - i**2)])
    return h, h, da @ p["W"].T, dh * g, {"W": x.T @ da, "b": da.sum(0)}


def one_gilr_lstm(cell, p, x, state, dh, dstate):
    """GILRLSTM; gates g, j and i, f, z, o."""
    H, before = cell.units, cell.reads == "before"
    s0, c0 = state[:, :H], state[:, H:]
    g, j = np.split(x @ p["W_s"] + p["b_s"], 2, axis=1)
    g, j = σ(g), np.tanh(j)
    s = g * s0 + (1 - g) * j
    read = s0 if before else s
    i, f, z, o = np.split(x @ p["W"] + read @ p["U"] + p["b"], 4, axis=1)
    i, f, z, o = σ(i), σ(f), np.tanh(z), σ(o)
    c = f * c0 + i * z
    dc = dh * o + dstate[:, H:]
    da = np.hstack([dc * z * i * (1 - i), dc * c0 * f * (1 - f), dc * i * (1 - z**2), dh * c * o * (1 - o)])
    ds, dread = dstate[:, :H], da @ p["U"].T
    ds = ds if before else ds + dread
    da_s = np.hstack([ds * (s0 - j) * g * (1 - g), ds * (1 - g) * (1 - j**2)])
    ds0 = ds * g + (dread if before else 0)
    dp = {"W_s": x.T @ da_s, "b_s": da_s.sum(0), "W": x.T @ da, "U": read.T @ da, "b": da.sum(0)}
    return o * c, np.hstack([s, c]), da_s @ p["W_s"].T + da @ p["W"].T, np.hstack([ds0, dc * f]), dp


ONE_STEP = {
    RNN: one_matrix, ShortTermRNN: one_matrix, IndRNN: one_diagonal, DuRNN: one_dual, LSTM: one_lstm, GRU: one_gru,
    JANET: one_janet,
    GILR: one_gilr, GILRLSTM: one_gilr_lstm,
}
BY_HAND = [cell for cell in CELLS + SQUARE if type(cell) in ONE_STEP]


def case(cell, T, seed):
    """p, x, state, dh, dstate."""
    dh = rng(seed + 1).standard_normal((T, B, cell.outputs))
    dstate = rng(seed + 2).standard_normal((B, cell.state_size))
    return *random_leaves(cell, rng(seed), T, B).values(), dh, dstate


def results(cell, p, x, state, dh, dstate):
    """What the cell gives, in the order of the functions above."""
    h, tape = cell.forward(p, x, state)
    return h, cell.last_state(tape), *cell.backward(dh, tape, dstate)


@pytest.mark.parametrize("cell", BY_HAND, ids=repr)
def test_one_step_is_the_equations_by_hand(cell):
    p, x, state, dh, dstate = case(cell, 1, seed=10)
    h, last, dx, dstate0, dp = ONE_STEP[type(cell)](cell, p, x[0], state, dh[0], dstate)
    assert_same(results(cell, p, x, state, dh, dstate), (h[None], last, dx[None], dstate0, dp))


@pytest.mark.parametrize("cell", BY_HAND, ids=repr)
def test_two_steps_are_the_equations_by_hand(cell):
    p, x, state, dh, dstate = case(cell, 2, seed=20)
    step = ONE_STEP[type(cell)]
    _, between, _, _, _ = step(cell, p, x[0], state, dh[0], 0 * dstate)
    h_2, last, dx_2, carried, dp_2 = step(cell, p, x[1], between, dh[1], dstate)
    h_1, _, dx_1, dstate0, dp_1 = step(cell, p, x[0], state, dh[0], carried)
    dp = {name: dp_1[name] + dp_2[name] for name in dp_1}
    expected = np.stack([h_1, h_2]), last, np.stack([dx_1, dx_2]), dstate0, dp
    assert_same(results(cell, p, x, state, dh, dstate), expected)


PAIRS = {DuRNN: [("W_s", "b_s"), ("V_g", "b_g")], GILRLSTM: [("W_s", "b_s"), ("W", "b")]}


@pytest.mark.parametrize("bare", BARE, ids=repr)
def test_a_cell_that_is_given_its_pre_activation_is_the_cell_with_weights_behind_them(bare):
    cell = replace(bare, inputs=2, project_input=True)
    p, x, state, dh, dstate = case(cell, T, seed=30)
    letters = PAIRS.get(type(cell), [("W", "b")])
    letters = [pair for pair in letters if set(pair) <= set(p)]
    W, b = (np.concatenate([p[pair[place]] for pair in letters], axis=-1) for place in (0, 1))
    own = {name: p[name] for name in bare.shapes}
    h, last, da, dstate0, dp = results(bare, own, x @ W + b, state, dh, dstate)
    dW, db = np.tensordot(x, da, ((0, 1), (0, 1))), da.sum((0, 1))
    cuts = np.cumsum([p[pair[1]].size for pair in letters])[:-1]
    for (weight, bias), dweight, dbias in zip(letters, np.split(dW, cuts, axis=-1), np.split(db, cuts)):
        dp = {**dp, weight: dweight, bias: dbias}
    assert_same((h, last, da @ W.T, dstate0, dp), results(cell, p, x, state, dh, dstate))


@pytest.mark.parametrize("bare", BARE, ids=repr)
def test_a_pre_activation_has_the_width_of_the_cell(bare):
    words = "inputs is 3 with project_input=False", f"expected {bare.inputs}", "the width of the pre-activation"
    with refuses(ValueError, *words):
        replace(bare, inputs=3)


# What a model says of itself

def test_a_vanilla_step_in_plain_numbers():
    cell = RNN(1, 1)
    p = {name: np.full(shape, value) for (name, shape), value in zip(cell.shapes.items(), (2.0, -0.5, 0.1))}
    h, _ = cell.forward(p, np.array([[[0.3]], [[-0.2]]]))
    assert np.allclose(h.ravel(), [tanh(0.7), tanh(-0.4 - 0.5 * tanh(0.7) + 0.1)], rtol=1e-15)


def test_an_independent_neuron_keeps_u_to_the_k_of_what_it_saw():
    cell = IndRNN(1, 3, activation="identity")
    p = {"W": np.ones((1, 3)), "u": np.array([0.5, 0.9, 1.0]), "b": np.zeros(3)}
    x = np.zeros((6, 1, 1))
    x[0] = 2.0
    assert np.allclose(cell.forward(p, x)[0][:, 0], 2.0 * p["u"] ** np.arange(6)[:, None], rtol=1e-14)


def test_without_an_activation_a_short_term_state_shrinks_by_its_bound_at_every_step():
    cell = ShortTermRNN(2, 5, activation="identity")
    p = {**map_leaves(lambda a: a.astype(np.float64), cell.init(rng())), "b": np.zeros(5)}
    state = rng(1).standard_normal((B, 5))
    norms = np.linalg.norm(cell.forward(p, np.zeros((T, B, 2)), state)[0], axis=-1)
    shrunk = np.linalg.norm(state, axis=-1) * 0.9 ** np.arange(1, T + 1)[:, None]             # U starts at 0.9 Q
    assert np.allclose(norms, shrunk, rtol=1e-5)


def test_the_long_output_is_the_second_half_of_both():
    both, long = DuRNN(2, 4, 5, horizon=9, gate=0.0), DuRNN(2, 4, 5, horizon=9, gate=0.0, output="long")
    p, x, state = random_leaves(both, rng(3), T, B).values()
    (h, tape), (l, long_tape) = both.forward(p, x, state), long.forward(p, x, state)
    assert (h[..., 4:] == l).all() and (both.last_state(tape) == long.last_state(long_tape)).all()


def test_a_dual_cell_with_a_closed_selection_only_decays():
    cell = DuRNN(2, 4, 5, horizon=9)
    p, x, state = random_leaves(cell, rng(4), T, B).values()
    p = {**p, "b_g": np.full(5, -1e9), "u": np.abs(p["u"])}
    state[:, 4:] = np.abs(state[:, 4:])
    l = cell.forward(p, x, state)[0][..., 4:]
    assert np.allclose(l, state[:, 4:] * p["u"] ** np.arange(1, T + 1)[:, None, None], rtol=1e-12)


def test_the_states_of_a_dual_cell_are_not_its_outputs():
    cell = DuRNN(2, 4, 5, horizon=9, output="long")
    assert (cell.outputs, cell.state_size) == (5, 9) and LSTM(2, 4).state_size == 8


def test_a_cell_is_its_options():
    assert RNN(2, 4) == RNN(2, 4) and RNN(2, 4) != RNN(2, 5)
    assert hash(DuRNN(2, 4, 5, horizon=9)) == hash(DuRNN(2, 4, 5, horizon=9))
    with pytest.raises(AttributeError):
        RNN(2, 4).units = 5


def test_parameters_move_and_stay_parameters(cupy):
    cell = RNN(2, 4)
    p = to("cupy", cell.init(rng()))
    assert cell.project(p) is p and cell.forward(p, cupy.zeros((T, B, 2), "float32"))[0].dtype == np.float32


@pytest.mark.parametrize("kind, keeps", [
    (LSTM, slice(200, 400)), (GRU, slice(200, 400)), (GILRLSTM, slice(200, 400)),
])
def test_the_chrono_start_keeps_for_up_to_its_horizon_and_changes_nothing_else(kind, keeps):
    usual, chrono = kind(2, 200).init(rng()), kind(2, 200, horizon=101).init(rng())
    assert all(np.array_equal(usual[letter], chrono[letter]) for letter in usual if letter != "b")
    spans = np.exp(chrono["b"][keeps])                        # uniform in [1, 100]
    assert spans.min() >= 1 and spans.max() <= 100 and abs(spans.mean() - 50.5) < 3 * 99 / 12**0.5 / 200**0.5
    others = np.delete(chrono["b"], np.r_[keeps])
    assert np.array_equal(others[:200], np.zeros(200) if kind is GRU else -chrono["b"][keeps])
    assert not others[200:].any()
    with refuses(ValueError, "horizon is 1:", "at least 2"):
        kind(2, 3, horizon=1)
    with refuses(ValueError, "horizon is 9 with project_input=False", "expected None"):
        bare = next(bare for bare in BARE if isinstance(bare, kind))
        replace(bare, horizon=9)


def test_a_smoothing_gate_that_is_open_keeps_and_one_that_is_closed_forgets():
    cell = GILR(1, 2)
    p = {"W": np.zeros((1, 4)), "b": np.array([1e3, -1e3, 0.0, 0.5])}
    h, _ = cell.forward(p, np.zeros((5, 1, 1)), np.array([[0.3, 0.9]]))
    assert np.allclose(h[:, 0], [0.3, tanh(0.5)], rtol=1e-15)


def test_in_the_papers_variant_the_first_gates_read_the_state_that_was_handed_in_and_in_the_codes_they_do_not():
    x, state = rng(1).standard_normal((1, B, 2)), rng(2).standard_normal((B, 8))
    for reads in ("before", "same"):
        cell = GILRLSTM(2, 4, reads=reads)
        p = map_leaves(np.float64, cell.init(rng()))
        p = {**p, "W_s": 0 * p["W_s"], "b_s": np.r_[np.full(4, -1e3), np.zeros(4)]}           # s forgets at once
        other = np.hstack([state[:, :4] + 1, state[:, 4:]])
        same = np.allclose(*(cell.forward(p, x, one)[0] for one in (state, other)), rtol=0, atol=1e-14)
        assert same == (reads == "same")
