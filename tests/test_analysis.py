"""Jacobians written out by hand, central differences and closed forms against the walks back through time."""

from functools import reduce

import numpy as np
import pytest
from support import CELLS, STACKS, B, T, assert_same, refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN, to, to_numpy
from minidurnn import analysis as a
from minidurnn.arrays.activations import slope
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.cells.constraints import spectral_norm
from minidurnn.cells.durnn import SELECTIONS
from minidurnn.gradcheck import random_leaves

DURNN = DuRNN(2, 4, 5, horizon=9, gate=0.0)
SHORT, LONG = slice(0, 4), slice(4, 9)
CHAIN = Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0), Chunked(RNN(7, 5), 2)))
KINDS = {type(cell): cell for cell in reversed(CELLS)}       # the first of every class
RECURRENT = [model for model in [*KINDS.values(), *STACKS] if model.state_size]
FINITE = [model for model in RECURRENT if "FSMN" in repr(model) or "Window" in repr(model)]      # less than T steps


def case(model, seed=0):
    """A random point  ->  p, x (T, B, inputs), state (B, state_size)."""
    return tuple(random_leaves(model, rng(seed), T, B).values())


def diag(rows):
    """Rows (B, H)  ->  diagonal matrices (B, H, H)."""
    return rows[:, :, None] * np.eye(rows.shape[1])


def product(matrices, size):
    """The product of (B, H, H) matrices from left to right."""
    return reduce(np.matmul, matrices, np.broadcast_to(np.eye(size), (B, size, size)))


def differences(function, at, step=1e-6):
    """Central differences of function: (B, n) -> (B, m)  ->  (B, n, m), entry (i, j) = d out_j / d in_i."""
    moves = step * np.eye(at.shape[1])
    return np.stack([(function(at + move) - function(at - move)) / (2 * step) for move in moves], axis=1)


def last_state(model, p, x, state):
    """The state after the last step."""
    return model.last_state(model.forward(p, x, state)[1])


def state_at(model, p, x, state, t):
    """The state of step t."""
    return state if t == 0 else last_state(model, p, x[:t], state)


# Jacobians

@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_jacobian_of_a_vanilla_cell_is_the_product_of_u_times_slopes_from_left_to_right(activation):
    cell = RNN(2, 4, activation=activation)
    p, x, state = case(cell)
    h = cell.forward(p, x, state)[0]
    steps = [p["U"] @ diag(slope(activation, h_k)) for h_k in h]
    for t in range(T + 1):
        assert_same(a.jacobian(cell, p, x, t, state), product(steps[t:], 4))
    wrong = product(steps[::-1], 4)
    assert np.abs(wrong - a.jacobian(cell, p, x, 0, state)).max() > 0.1 * np.abs(wrong).max()


def test_the_jacobian_of_independent_neurons_is_diagonal_with_powers_of_u_times_slopes():
    cell = IndRNN(2, 4, activation="tanh")
    p, x, state = case(cell)
    h = cell.forward(p, x, state)[0]
    for t in range(T + 1):
        assert_same(a.jacobian(cell, p, x, t, state), diag(p["u"] ** (T - t) * (1 - h[t:] ** 2).prod(0)))


def durnn_steps(p, x, state):
    """∂[s_t, l_t]/∂[s_{t-1}, l_{t-1}] by hand, block by block, and ∂l_t/∂s_t  ->  two lists over t."""
    s, l = state[:, SHORT], state[:, LONG]
    steps, selections = [], []
    for x_t in x:
        s = np.maximum(x_t @ p["W_s"] + s @ p["U_s"] + p["b_s"], 0)
        g = 1 / (1 + np.exp(-(s @ p["W_g"] + x_t @ p["V_g"] + p["b_g"])))
        c = s @ p["W_l"] + p["b_l"]
        l = np.maximum(g * c + p["u"] * l, 0)
        active_s, active_l = diag(1.0 * (s > 0)), diag(1.0 * (l > 0))
        selections.append((p["W_l"] @ diag(g) + p["W_g"] @ diag(c * g * (1 - g))) @ active_l)
        short = p["U_s"] @ active_s
        steps.append(np.block([[short, short @ selections[-1]], [np.zeros((B, 5, 4)), np.diag(p["u"]) @ active_l]]))
    return steps, selections


def test_a_step_of_durnn_is_the_block_matrix_of_its_equations():
    p, x, state = case(DURNN)
    steps, selections = durnn_steps(p, x, state)
    tape = DURNN.forward(p, x, state)[1]
    assert_same(a.step_jacobians(DURNN, p, x, state), np.stack(steps))
    assert_same(np.stack([a.selection_jacobian(tape, k) for k in range(1, T + 1)]), np.stack(selections))
    assert min(np.abs(selection).max() for selection in selections) > 0.1


@pytest.mark.parametrize("model", RECURRENT, ids=repr)
def test_the_product_of_the_step_jacobians_in_order_is_the_jacobian(model):
    p, x, state = case(model)
    for start, ends in ((state, (0, 3, T)), (None, (0,))):
        steps = a.step_jacobians(model, p, x, start)
        assert steps.shape == (T, B, model.state_size, model.state_size)
        for t in ends:
            assert_same(a.jacobian(model, p, x, t, start), product(steps[t:], model.state_size))


@pytest.mark.parametrize("model", RECURRENT, ids=repr)
def test_every_jacobian_is_what_central_differences_give(model):
    p, x, state = case(model)
    for t in (0, T - 1):
        before = state_at(model, p, x, state, t)
        rest = differences(lambda h, t=t: last_state(model, p, x[t:], h), before)
        assert_same(a.jacobian(model, p, x, t, state), rest, 1e-7)
    assert_same(a.jacobian(model, p, x, T, state), product([], model.state_size))
    for t in (1, T):
        before = state_at(model, p, x, state, t - 1)
        moved = differences(
            lambda x_t, t=t, before=before: last_state(model, p, np.concatenate([x_t[None], x[t:]]), before), x[t - 1]
        )
        assert np.abs(moved).max() > 1e-6 or t == 1 and model in FINITE
        assert_same(a.jacobian(model, p, x, t, state, wrt="x"), moved, 1e-7)


def test_parts_of_the_state_are_blocks_of_the_jacobian():
    p, x, state = case(DURNN)
    whole = a.jacobian(DURNN, p, x, 2, state)
    for of, columns in {"state": slice(None), "short": SHORT, "long": LONG}.items():
        for wrt, rows in {"state": slice(None), "short": SHORT, "long": LONG}.items():
            assert_same(a.jacobian(DURNN, p, x, 2, state, of=of, wrt=wrt), whole[:, rows, columns])
    assert_same(a.jacobian(DURNN, p, x, 2, state, of=slice(5, 8), wrt=slice(-2, None)), whole[:, -2:, 5:8])
    assert_same(
        a.jacobian(DURNN, p, x, 2, state, of="long", wrt="x"), a.jacobian(DURNN, p, x, 2, state, wrt="x")[:, :, LONG]
    )


def test_the_parts_of_a_state_have_names():
    assert a.state_slices(RNN(2, 4)) == {"state": slice(0, 4)}
    assert a.state_slices(Chunked(DURNN, 3)) == {"state": slice(0, 9), "short": SHORT, "long": LONG}
    assert a.state_slices(CHAIN) == {
        "state": slice(0, 12), "0": slice(0, 7), "0/short": slice(0, 3), "0/long": slice(3, 7), "1": slice(7, 12)
    }
    p, x, state = case(CHAIN)
    durnn_tape, rnn_tape = CHAIN.forward(p, x, state)[1].parts
    last, slices = last_state(CHAIN, p, x, state), a.state_slices(CHAIN)
    assert (last[:, slices["0/long"]] == durnn_tape.l[-1]).all() and (last[:, slices["1"]] == rnn_tape.walk.last).all()


def test_in_durnn_the_long_memory_of_a_long_state_is_exactly_diagonal():
    cell = DuRNN(2, 4, 5, horizon=9, gate=0.0)
    p, x, state = case(cell, seed=2)
    l = cell.forward(p, x, state)[1].l
    for t in range(T + 1):
        J = a.jacobian(cell, p, x, t, state, of="long", wrt="long")
        assert (J[:, ~np.eye(5, dtype=bool)] == 0).all()
        assert_same(J, diag(p["u"] ** (T - t) * (l[t:] > 0).prod(0)))
        assert (a.jacobian(cell, p, x, t, state, of="short", wrt="long") == 0).all()
    assert J.any() and a.jacobian(cell, p, x, T - 1, state, of="long", wrt="long").any()


def test_the_long_memory_of_a_short_state_is_a_sum_over_the_steps_of_the_selection():
    p, x, state = case(DURNN)
    tape = DURNN.forward(p, x, state)[1]
    _, selections = durnn_steps(p, x, state)
    shorts = [p["U_s"] @ diag(1.0 * (s > 0)) for s in tape.s]                  # ds_t/ds_{t-1}
    for t in range(1, T + 1):
        paths = [
            product(shorts[t:k], 4) @ selections[k - 1] @ diag(
                p["u"] ** (T - k) * (tape.l[k:] > 0).prod(0)
            ) for k in range(t, T + 1)
        ]
        held, direct = (a.jacobian(DURNN, p, x, t, state, of="long", wrt=part) for part in ("short", "long"))
        assert_same(held + a.selection_jacobian(tape, t) @ direct, sum(paths))
        assert_same(held, sum(paths[1:], np.zeros((B, 4, 5))))


# Vector-Jacobian products

@pytest.mark.parametrize("model", RECURRENT, ids=repr)
def test_the_gradient_at_every_step_is_the_jacobian_times_the_cotangent(model):
    p, x, state = case(model)
    c = rng(1).standard_normal((B, model.state_size))
    dstate, dx = a.gradients_by_step(model, p, x, c, state)
    assert dstate.shape == (T + 1, B, model.state_size) and dx.shape == x.shape
    for t in (0, 3, T):
        assert_same(dstate[t], (a.jacobian(model, p, x, t, state) @ c[:, :, None])[..., 0])
    for t in (1, T):
        assert_same(dx[t - 1], (a.jacobian(model, p, x, t, state, wrt="x") @ c[:, :, None])[..., 0])


@pytest.mark.parametrize("on", ["state", "output"])
@pytest.mark.parametrize("model", RECURRENT, ids=repr)
def test_the_gradient_at_every_step_is_what_backward_over_the_rest_gives(model, on):
    p, x, state = case(model)
    c = rng(1).standard_normal((B, model.state_size if on == "state" else model.outputs))
    for start, steps in ((state, (0, 3, T - 1)), (None, [0])):
        dstate, dx = a.gradients_by_step(model, p, x, c, start, on=on)
        for t in steps:
            h, tape = model.forward(p, x[t:], state_at(model, p, x, start, t))
            dh = np.zeros_like(h)
            dh[-1] = c if on == "output" else 0
            dx_rest, dstate_t, _ = model.backward(dh, tape, c if on == "state" else None)
            assert_same(dstate[t], dstate_t)
            assert_same(dx[t:], dx_rest)
        assert_same(dstate[T], c if on == "state" else np.zeros((B, model.state_size)))


@pytest.mark.parametrize("reads", ["last", "every"])
@pytest.mark.parametrize(
    "body", [RNN(2, 4), DURNN, CHAIN, Chunked(DURNN, 3), Chunked(Chunked(CHAIN, 2), 4, keep="boundaries")], ids=repr
)
def test_the_gradient_of_a_loss_at_every_step_is_that_of_the_loss_of_the_rest(body, reads):
    network = Network(body, 3, reads=reads)
    p = {"body": case(body)[0], "readout": case(network.readout)[0]}
    _, x, state = case(body)
    target = rng(1).standard_normal((T, B, 3))
    whole = target if reads == "every" else target[-1]
    dstate = a.loss_gradients_by_step(network, p, x, whole, state)
    assert dstate.shape == (T + 1, B, body.state_size)
    assert (dstate[T] == 0).all()
    assert np.abs(dstate[:T]).max((1, 2)).all()
    for t in range(T):
        rest = target[t:] if reads == "every" else target[-1]
        _, _, tape = network.loss(p, x[t:], rest, state_at(body, p["body"], x, state, t))
        assert_same(dstate[t], network.gradient(tape)[1] * rest.size / whole.size)      # the mean of fewer targets


# Norms by lag

@pytest.mark.parametrize("norm, order", [("frobenius", "fro"), ("spectral", 2)])
@pytest.mark.parametrize("of, wrt", [("state", "state"), ("long", "short"), ("short", "x"), (slice(3, 6), "long")])
def test_the_norms_by_lag_are_the_norms_of_the_jacobians_backwards(of, wrt, norm, order):
    p, x, state = case(DURNN)
    norms = a.gradient_norm_by_lag(DURNN, p, x, state, of=of, wrt=wrt, norm=norm)
    assert norms.shape == (T if wrt == "x" else T + 1, B)
    for k, at_lag in enumerate(norms):
        assert_same(at_lag, np.linalg.norm(a.jacobian(DURNN, p, x, T - k, state, of=of, wrt=wrt), order, axis=(1, 2)))


@pytest.mark.parametrize(
    "model, of, wrt", [(RNN(2, 4), "state", "state"), (DURNN, "long", "state"), (DURNN, slice(2, 7), "x")], ids=repr
)
def test_random_cotangents_estimate_the_frobenius_norm(model, of, wrt):
    p, x, state = case(model)
    exact = a.gradient_norm_by_lag(model, p, x, state, of=of, wrt=wrt)
    draws = 4000
    estimate = a.gradient_norm_by_lag(model, p, x, state, of=of, wrt=wrt, rng=rng(), draws=draws)
    off = estimate**2 / np.where(exact > 0, exact, 1) ** 2 - (exact > 0)
    assert np.abs(off).max() < 4 * (2 / draws) ** 0.5
    assert np.abs(off).max() > 0.1 * (2 / draws) ** 0.5       # an estimate, not the exact answer


def test_the_relative_error_of_the_estimated_square_stays_below_its_stated_bound():
    units, draws, runs = 6, 5, 3000                           # one active neuron: rank one, the worst case
    cell = IndRNN(1, units, activation="identity")
    p = {"W": np.zeros((1, units)), "u": np.eye(units)[2], "b": np.zeros(units)}
    squares = a.gradient_norm_by_lag(cell, p, np.zeros((1, runs, 1)), rng=rng(), draws=draws)[1] ** 2
    assert abs(squares.mean() - 1) < 4 * (2 / draws / runs) ** 0.5
    assert squares.std() == pytest.approx((2 * (units - 1) / (units + 2) / draws) ** 0.5, rel=0.1)
    assert squares.std() < (2 / draws) ** 0.5


def test_one_entry_leaves_nothing_to_chance():
    p, x, state = case(DURNN)
    sure = a.gradient_norm_by_lag(DURNN, p, x, state, of=slice(6, 7), rng=rng(), draws=1)
    assert_same(sure, a.gradient_norm_by_lag(DURNN, p, x, state, of=slice(6, 7)))


@pytest.mark.parametrize("norm", ["frobenius", "spectral"])
def test_a_norm_survives_where_the_squares_underflow(norm):
    cell, steps = IndRNN(1, 1, activation="identity"), 100
    p = {"W": np.zeros((1, 1), "f"), "u": np.full(1, 0.5, "f"), "b": np.zeros(1, "f")}
    norms = a.gradient_norm_by_lag(cell, p, np.zeros((steps, 1, 1), "f"), norm=norm)
    # ** 2 would be float64 under NumPy 1
    assert (norms[:, 0] == np.float32(0.5) ** np.arange(steps + 1)).all() and norms[-1, 0] * norms[-1, 0] == 0
    p["u"][:] = 0
    assert (a.gradient_norm_by_lag(cell, p, np.zeros((2, 1, 1), "f"), norm=norm)[:, 0] == [1, 0, 0]).all()


def test_the_short_term_cell_forgets_at_least_as_fast_as_its_bound():
    cell = ShortTermRNN(2, 4, bound=0.7)
    p, x, state = case(cell)
    p = cell.project({**p, "U": 2 * p["U"]})
    norms = a.gradient_norm_by_lag(cell, p, x, state, norm="spectral")
    assert (norms <= 0.7 ** np.arange(T + 1)[:, None] * (1 + 1e-12)).all() and norms.any(1).all()


# Selection and smear bound

@pytest.mark.parametrize("selection", SELECTIONS)
def test_every_selection_has_its_jacobian_and_its_bound(selection):
    cell = DuRNN(2, 4, 4, horizon=9, gate=0.0, selection=selection)
    p, x, state = random_leaves(cell, rng(), T, B).values()
    tape = cell.forward(p, x, state)[1]
    short = a.jacobian(cell, p, x, T - 1, state, of="short", wrt="short")
    long = a.jacobian(cell, p, x, T - 1, state, of="long", wrt="short")
    assert_same(short @ a.selection_jacobian(tape, T), long)
    assert abs(long).max() > 0.01 and (a.selection_strength(tape) <= a.selection_bound(tape) * (1 + 1e-12)).all()


def test_the_strength_of_the_selection_is_its_largest_norm_and_stays_below_its_bound():
    for seed in range(5):
        p, x, state = case(DURNN, seed)
        tape = DURNN.forward(p, x, state)[1]
        strength = a.selection_strength(tape)
        assert_same(
            strength,
            np.max([np.linalg.norm(a.selection_jacobian(tape, k), 2, axis=(1, 2)) for k in range(1, T + 1)], axis=0),
        )
        bound = np.linalg.norm(p["W_l"], 2) + np.linalg.norm(p["W_g"], 2) / 4 * np.abs(
            tape.s @ p["W_l"] + p["b_l"]
        ).max((0, 2))
        assert_same(a.selection_bound(tape), bound)
        assert (strength <= bound).all() and strength.min() > 0


def test_the_smear_bound_holds_in_12_random_cases_and_is_not_idle():
    tightness, steps = [], 12
    for seed in range(12):
        draw = rng(seed)
        S, L = draw.integers(2, 7, 2).tolist()
        cell = DuRNN(2, S, L, horizon=20, bound=draw.uniform(0.3, 0.99), gate=draw.uniform(-2, 1))
        p, x, state = random_leaves(cell, draw, steps, 1).values()
        p = cell.project(p)
        tape = cell.forward(p, x, state)[1]
        c, rho, u_max = a.selection_strength(tape)[0], spectral_norm(p["U_s"]), np.abs(p["u"]).max()
        norms = a.gradient_norm_by_lag(cell, p, x, state, of="long", wrt="short", norm="spectral")[:, 0]
        for lag in (0, 2, 11):
            held, direct = (
                a.jacobian(cell, p, x, steps - lag, state, of="long", wrt=part)[0] for part in ("short", "long")
            )
            following = np.linalg.norm(held + a.selection_jacobian(tape, steps - lag)[0] @ direct, 2)
            bound = a.smear_bound(c, rho, u_max, lag)
            assert max(following, norms[lag]) <= bound * (1 + 1e-12)
            assert bound <= a.smear_bound(c, rho, u_max, lag, form="closed") * (1 + 1e-12)
        tightness.append(following / bound)                   # at lag 11, the longest
    print(f"tightness of the smear bound at lag {lag}: median {np.median(tightness):.3f}, best {max(tightness):.3f}")
    assert np.median(tightness) > 0.01 and max(tightness) > 0.3


def test_the_smear_bound_is_its_sum_and_below_its_closed_form():
    for rho, u_max in ((0.5, 0.9), (0.9, 0.5), (0.9, 0.9), (0.0, 0.9), (0.9, 0.0), (0.99, 1.01)):
        for lag in (0, 1, 2, 40):
            s, l = 1.0, 0.0
            for _ in range(lag + 1):
                s, l = rho * s, u_max * l + 1.3 * s
            assert a.smear_bound(1.3, rho, u_max, lag) == pytest.approx(l, rel=1e-12)
            assert l <= a.smear_bound(1.3, rho, u_max, lag, form="closed") * (1 + 1e-12)
    assert a.smear_bound(2.0, 0.5, 0.9, 3, form="closed") == pytest.approx(2.0 * 0.729 / (1 - 5 / 9))
    assert a.smear_bound(2.0, 0.9, 0.5, 3, form="closed") == pytest.approx(2.0 * 4 * 0.729)
    assert isinstance(a.smear_bound(np.float32(1), np.float32(0.9), np.float32(1), 3), float)


# Time scales

def test_time_scales_have_their_closed_forms():
    u = np.array([0.5, -0.5, 0.9, 0.25, 0.0, 1.0, -1.0, 1.5, 0.999999])
    expected = np.array([2, 2, np.log(0.25) / np.log(0.9), 1, 0, 50, 50, 50, 50])
    assert np.allclose(a.memory_length(u, 50, tolerance=0.25), expected, rtol=1e-13, atol=0)
    assert np.allclose(0.9 ** a.memory_length(0.9, 1000), 0.01) and np.allclose(0.9 ** a.half_life(0.9), 0.5)
    assert [round(float(a.memory_length(0.9, 100, tolerance)), 1) for tolerance in (0.1, 0.01)] == [21.9, 43.7]
    assert round(float(a.half_life(0.9)), 1) == 6.6 and np.isinf(a.half_life(np.array([1.0, -2.0]))).all()


def test_a_bound_for_a_horizon_and_the_memory_length_are_inverse():
    assert a.bound_for(22, 0.1) == pytest.approx(0.9, abs=1e-3) and a.bound_for(1, 0.3) == 0.3
    for horizon, tolerance in ((5, 0.5), (44, 0.01), (5000, 0.1)):
        assert float(
            a.memory_length(a.bound_for(horizon, tolerance), 10_000, tolerance)
        ) == pytest.approx(horizon, rel=1e-9)
        assert a.bound_for(horizon, tolerance) ** horizon == pytest.approx(tolerance, rel=1e-9)


def test_the_spectral_radius_is_the_growth_of_powers_and_at_most_the_norm():
    c, s = np.cos(0.3), np.sin(0.3)
    assert a.spectral_radius(0.8 * np.array([[c, -s], [s, c]])) == pytest.approx(0.8, rel=1e-12)
    shear = np.array([[0.5, 100.0], [0.0, -0.7]])
    assert a.spectral_radius(shear) == pytest.approx(0.7, rel=1e-12) and spectral_norm(shear) > 100
    U = rng().standard_normal((4, 4))
    assert np.linalg.norm(
        np.linalg.matrix_power(U, 400), 2
    ) ** (1 / 400) == pytest.approx(a.spectral_radius(U), rel=0.02)


# Arrays, purity, wrong input

def everything(p, x, state, target):
    """Every function that takes arrays, once  ->  a tree of results."""
    network, body = Network(DURNN, 3), p["body"]
    tape, cotangent = DURNN.forward(body, x, state)[1], state
    return {
        "by step": a.gradients_by_step(DURNN, body, x, cotangent, state),
        "output": a.gradients_by_step(DURNN, body, x, cotangent, on="output"),
        "loss": a.loss_gradients_by_step(network, p, x, target, state),
        "jacobian": a.jacobian(DURNN, body, x, 2, state, of="long"),
        "x": a.jacobian(DURNN, body, x, 2, wrt="x"), "steps": a.step_jacobians(DURNN, body, x),
        "exact": a.gradient_norm_by_lag(DURNN, body, x, norm="spectral"),
        "estimate": a.gradient_norm_by_lag(DURNN, body, x, state, wrt="short", rng=rng()),
        "selection": a.selection_jacobian(tape, 2),
        "strength": a.selection_strength(tape), "bound": a.selection_bound(tape),
        "memory": a.memory_length(body["u"], 50), "half": a.half_life(body["u"] / 2),
    }


def arguments(dtype):
    """p of a network, x, state, target."""
    p, x, state = case(DURNN)
    given = ({"body": p, "readout": case(Linear(9, 3))[0]}, x, state, rng(1).standard_normal((B, 3)))
    return map_leaves(lambda leaf: leaf.astype(dtype), given)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_library_and_dtype_gives_the_same_numbers_in_its_own_arrays(xp, dtype):
    given = arguments(dtype)
    exact = everything(*map_leaves(lambda leaf: leaf.astype("float64"), given))
    found = everything(*to("numpy" if xp is np else "cupy", given))
    for name, result in found.items():
        for ours, theirs in zip(result, exact[name]) if isinstance(result, tuple) else [(result, exact[name])]:
            assert type(ours) is xp.ndarray and ours.dtype == dtype, name
            assert_same(to_numpy(ours).astype("float64"), theirs, 1e-12 if dtype == "float64" else 1e-5)
    assert a.spectral_radius(xp.asarray(given[0]["body"]["U_s"])) == a.spectral_radius(given[0]["body"]["U_s"])


def test_nothing_is_written_into_arguments():
    given = arguments("float64")
    for leaf in leaves(given).values():
        leaf.flags.writeable = False                          # a write raises at its own line
    everything(*given)


def test_wrong_input_gets_one_clear_sentence():
    p, x, state = case(DURNN)
    tape = DURNN.forward(p, x, state)[1]
    for attempt, error, words in [
        (lambda: a.gradients_by_step(Network(DURNN, 3), p, x, state), TypeError, ["Network", ".body"]),
        (lambda: a.gradients_by_step(DURNN, p, x[:, 0], state), ValueError, ["x has shape (7, 2)", "time first"]),
        (lambda: a.gradients_by_step(DURNN, p, x, state[:, :4]), ValueError, ["cotangent has shape (3, 4)", "(3, 9)"]),
        (lambda: a.gradients_by_step(DURNN, p, x, state.astype("f")), TypeError, ["cotangent has dtype float32"]),
        (lambda: a.gradients_by_step(DURNN, p, x, state, on="outputs"), ValueError, ["on is 'outputs'", "'output'"]),
        (lambda: a.jacobian(DURNN, p, x, T + 1), ValueError, ["step is 8", "0", "to 7"]),
        (lambda: a.jacobian(DURNN, p, x, -1), ValueError, ["step is -1"]),
        (lambda: a.jacobian(DURNN, p, x, 0, wrt="x"), ValueError, ["step is 0", "1 for"]),
        (lambda: a.jacobian(DURNN, p, x, 1, of="cell"), ValueError, ["'cell'", "'short'", "'long'"]),
        (lambda: a.jacobian(DURNN, p, x, 1, of=slice(9, None)), ValueError, ["slice(9, None, None)", "9 numbers"]),
        (lambda: a.gradient_norm_by_lag(DURNN, p, x, norm="nuclear"), ValueError, ["'nuclear'", "'spectral'"]),
        (
            lambda: a.gradient_norm_by_lag(DURNN, p, x, norm="spectral", rng=rng()), ValueError,
            ["'spectral'", "expected one of 'frobenius'"],
        ),
        (lambda: a.gradient_norm_by_lag(DURNN, p, x, rng=rng(), draws=0), ValueError, ["draws is 0"]),
        (lambda: a.selection_jacobian(tape, 0), ValueError, ["step is 0", "1 to 7"]),
        (lambda: a.memory_length(0.9, 100, tolerance=1.0), ValueError, ["tolerance is 1.0", "between 0 and 1"]),
        (lambda: a.memory_length([0.9], 100), TypeError, ["got list"]),
        (lambda: a.bound_for(0, 0.1), ValueError, ["0, 0.1", "above 0"]),
        (lambda: a.bound_for(9, 2), ValueError, ["9, 2", "between 0 and 1"]),
        (lambda: a.smear_bound(1, 0.9, 1, -1), ValueError, ["-1", "none below 0"]),
        (lambda: a.smear_bound(1, 0.9, 1, 2, form="open"), ValueError, ["form is 'open'", "'closed'"]),
    ]:
        with refuses(error, *words):
            attempt()
