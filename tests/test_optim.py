"""Optimisers by hand, clipping, schedules."""

import numpy as np
import pytest
from support import assert_same, refuses, rng

from minidurnn import to
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.optim import SGD, Adam, Constant, Plateau, Steps, clip_by_global_norm, global_norm

P = {"a": np.array([1.0, -2.0]), "b": {"c": np.array([[3.0]])}}
D = {"a": np.array([0.5, 0.25]), "b": {"c": np.array([[-1.0]])}}
OPTIMIZERS = [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.1)]
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)


def test_gradient_descent_by_hand():
    p, state = SGD(0.1).update(P, D, SGD(0.1).start(P))
    assert_same(p, {"a": np.array([0.95, -2.025]), "b": {"c": np.array([[3.1]])}}, 1e-15)
    assert_same(SGD(0.1).update(p, D, state)[0], {"a": np.array([0.9, -2.05]), "b": {"c": np.array([[3.2]])}}, 1e-15)


def test_momentum_by_hand():
    optimizer = SGD(0.1, momentum=0.5)
    p, state = optimizer.update(P, D, optimizer.start(P))
    p, _ = optimizer.update(p, D, state)
    assert_same(p["a"], P["a"] - 0.1 * D["a"] - 0.1 * (0.5 * D["a"] + D["a"]), 1e-15)


def test_adam_by_hand():
    optimizer = Adam(0.1, beta1=0.9, beta2=0.99, epsilon=1e-3)
    p, state, m, v, expected = P, optimizer.start(P), 0.0, 0.0, P["a"]
    for t in range(1, 6):
        p, state = optimizer.update(p, map_leaves(lambda d, t=t: d * t, D), state)
        d = D["a"] * t
        m, v = 0.9 * m + 0.1 * d, 0.99 * v + 0.01 * d**2
        expected = expected - 0.1 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-3)
        assert_same(p["a"], expected, 1e-14)


def test_the_first_step_of_adam_is_the_rate_against_the_sign():
    p, _ = Adam(0.1).update(P, D, Adam(0.1).start(P))
    assert_same(map_leaves(lambda new, old: new - old, p, P), map_leaves(lambda d: -0.1 * np.sign(d), D), 1e-6)


@every_optimizer
def test_a_scale_is_a_factor_on_the_rate(optimizer):
    half, state = optimizer.update(P, D, optimizer.start(P), 0.5)
    whole, twin = optimizer.update(P, D, optimizer.start(P))
    assert_same(map_leaves(lambda a, b: a - b, half, P), map_leaves(lambda a, b: 0.5 * (a - b), whole, P), 1e-12)
    assert_same(state, twin, 0) if "updates" not in state else assert_same(state["m"], twin["m"], 0)


@every_optimizer
def test_an_optimiser_writes_nothing_and_keeps_nothing(optimizer):
    p, d = map_leaves(np.copy, P), map_leaves(np.copy, D)
    state = optimizer.start(p)
    for leaf in leaves((p, d, {name: tree for name, tree in state.items() if name != "updates"})).values():
        leaf.flags.writeable = False
    assert_same(optimizer.update(p, d, state)[0], optimizer.update(p, d, state)[0], 0)


@every_optimizer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(optimizer, dtype, xp):
    p, d = (map_leaves(lambda leaf: xp.asarray(leaf.astype(dtype)), tree) for tree in (P, D))
    state = optimizer.start(p)
    for update in range(3):
        d, _ = clip_by_global_norm(d, 0.5)
        p, state = optimizer.update(p, d, state, Steps(2).scale({}, update))
    kept = {name: tree for name, tree in state.items() if name != "updates"}
    assert {leaf.dtype for leaf in leaves((p, d, kept)).values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam()])
def test_a_tree_without_leaves_stays_one(optimizer):
    assert optimizer.update({}, {}, optimizer.start({}))[0] == {}


def test_options_given_as_numpy_numbers_change_no_dtype():
    p, d = (map_leaves(lambda leaf: leaf.astype(np.float32), tree) for tree in (P, D))
    for optimizer in (SGD(*np.array([0.1, 0.9])), Adam(*np.array([0.1, 0.9, 0.99, 1e-8]))):
        clipped, _ = clip_by_global_norm(d, np.float64(0.1))
        new, state = optimizer.update(p, clipped, optimizer.start(p), np.float64(0.5))
        new, state = optimizer.update(new, d, state, np.float64(0.5))
        assert {leaf.dtype for leaf in leaves((new, state["m"])).values()} == {np.dtype("float32")}


@every_optimizer
def test_both_libraries_give_the_same_numbers_without_a_sync(optimizer, cupy):
    p, d = to("cupy", P), to("cupy", D)
    state = optimizer.start(p)
    cupy.ndarray.syncs = 0
    for _ in range(3):
        clipped, _ = clip_by_global_norm(d, 0.5)
        p, state = optimizer.update(p, clipped, state)
    assert cupy.ndarray.syncs == 0
    ours, ours_state = P, optimizer.start(P)
    for _ in range(3):
        ours, ours_state = optimizer.update(ours, clip_by_global_norm(D, 0.5)[0], ours_state)
    assert_same(p, ours, 1e-14)


every_decaying = pytest.mark.parametrize("make", [
    lambda decay: SGD(0.1, 0.5, weight_decay=decay), lambda decay: Adam(0.1, weight_decay=decay)])


@every_decaying
def test_weight_decay_adds_its_share_of_the_leaves_that_are_named_and_spares_the_rest(make):
    names = ("W", "U", "Q", "u", "b")
    p = {"0": dict(zip(names, rng().standard_normal((5, 3)))), "readout": {"W": np.ones((2, 2))}}
    d = map_leaves(lambda leaf: np.sin(7 * leaf), p)
    decaying = ("0/W", "0/Q", "readout/W")                    # not U, though its letter is that of a matrix
    by_hand = {
        part: {name: leaf + 0.01 * p[part][name] * (f"{part}/{name}" in decaying) for name, leaf in branch.items()}
        for part, branch in d.items()}
    decayed, plain = make(0.01), make(0.0)
    assert_same(decayed.update(p, d, decayed.start(p), decayed=decaying), plain.update(p, by_hand, plain.start(p)), 0)
    assert_same(decayed.update(p, d, decayed.start(p), decayed=()), plain.update(p, d, plain.start(p)), 0)


@every_decaying
def test_weight_decay_without_the_leaves_that_decay_or_with_foreign_ones_is_refused(make):
    with refuses(ValueError, "weight_decay is 0.01", "decayed is None", "decayed=network.decayed"):
        make(0.01).update(P, D, make(0.01).start(P))
    with refuses(ValueError, "decayed names body/W", "a, b/c"):
        make(0.01).update(P, D, make(0.01).start(P), decayed=("a", "body/W"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-15, 1.0, 1e15, 1e25, 1e38])
def test_a_norm_does_not_overflow_where_its_square_would(size, xp):
    tree = {"a": np.array([0.3, -0.4], np.float32), "b": {"c": np.full((2, 2), 0.6, np.float32)}}
    tree = map_leaves(lambda leaf: xp.asarray(leaf * np.float32(size)), tree)
    assert float(global_norm(tree)) == pytest.approx(size * 1.3, rel=1e-6)
    clipped, before = clip_by_global_norm(tree, 1.0)
    assert float(before) == float(global_norm(tree)) and before.dtype == np.float32
    if size >= 1:
        assert_same(clipped["a"], xp.asarray(np.array([0.3, -0.4], np.float32) / np.float32(1.3)), 1e-5)


def test_a_norm_is_to_the_last_bit_the_root_of_the_sum_of_squares_where_that_does_not_overflow():
    for seed, size in enumerate((1e-15, 1e-3, 1.0, 7.0, 1e12)):
        arrays = [(size * rng(place + 9 * seed).standard_normal((17, 3))).astype(np.float32) for place in range(3)]
        assert global_norm(dict(enumerate(arrays))) == np.sqrt(np.add.reduce([(a * a).sum() for a in arrays]))


@pytest.mark.filterwarnings("ignore:invalid")
def test_a_norm_of_numbers_that_are_not_finite_is_none():
    for bad in (np.inf, -np.inf, np.nan):
        assert not np.isfinite(global_norm({"a": np.array([1.0, bad], np.float32), "b": np.ones(2, np.float32)}))


@pytest.mark.filterwarnings("error")
def test_adam_outlives_a_gradient_whose_square_overflows(xp):
    p = {"a": xp.asarray(np.array([1.0, 1.0, 1.0], np.float32))}
    q, state = Adam(0.1).update(p, {"a": xp.asarray(np.array([1e25, -1e25, 1e-3], np.float32))}, Adam(0.1).start(p))
    assert_same(q["a"], xp.asarray(np.array([0.9, 1.1, 0.9], np.float32)), 1e-4)      # the rate against the sign
    assert bool(xp.isfinite(state["v"]["a"]).all())
    for _ in range(200):
        q, state = Adam(0.1, 0.5, 0.6).update(q, {"a": xp.asarray(np.ones(3, np.float32))}, state)
    assert float(q["a"].max()) < -2                           # v has forgotten it


@pytest.mark.filterwarnings("ignore:invalid")
def test_adam_does_not_hide_a_gradient_that_is_not_a_number():
    p = {"a": np.ones(2, np.float32)}
    q, _ = Adam(0.1).update(p, {"a": np.array([np.nan, 1.0], np.float32)}, Adam(0.1).start(p))
    assert np.isnan(q["a"]).tolist() == [True, False]


def test_leaves_without_a_gradient_are_left_alone(xp):
    p = map_leaves(xp.asarray, {"norm": {"scale": np.ones(3), "running_mean": np.ones(3)}})
    d = map_leaves(xp.asarray, {"norm": {"scale": np.ones(3)}})
    for optimizer in OPTIMIZERS:
        for start in (optimizer.start(p), optimizer.start(d)):
            q, state = optimizer.update(p, d, start)
            assert q["norm"]["running_mean"] is p["norm"]["running_mean"]
            assert float((q["norm"]["scale"] - p["norm"]["scale"]).max()) < 0
            assert "running_mean" not in state["m"]["norm"]


def test_the_global_norm_is_that_of_all_numbers_together(xp):
    tree = map_leaves(xp.asarray, {"a": rng(1).standard_normal((3, 4)), "b": {"c": rng(2).standard_normal(5)}})
    together = np.concatenate([rng(1).standard_normal((3, 4)).ravel(), rng(2).standard_normal(5)])
    assert float(global_norm(tree)) == pytest.approx(np.linalg.norm(together), rel=1e-14)


def test_clipping_scales_to_the_limit_and_leaves_small_gradients_alone(xp):
    d = map_leaves(xp.asarray, D)
    norm = (0.5**2 + 0.25**2 + 1.0) ** 0.5
    clipped, before = clip_by_global_norm(d, 0.5)
    assert float(before) == pytest.approx(norm, rel=1e-15)
    assert float(global_norm(clipped)) == pytest.approx(0.5, rel=1e-11)
    assert_same(clipped, map_leaves(lambda leaf: leaf * 0.5 / norm, D), 1e-11)
    assert_same(clip_by_global_norm(d, 2.0)[0], D, 0)


def test_a_gradient_of_zero_stays_zero():
    zero = map_leaves(np.zeros_like, D)
    clipped, norm = clip_by_global_norm(zero, 1.0)
    assert norm == 0.0 and not any(leaf.any() for leaf in leaves(clipped).values())


def test_a_constant_rate_stays():
    schedule = Constant()
    state = schedule.observe(schedule.start(), 0.5, "lower")
    assert [schedule.scale(state, update) for update in (0, 10, 10**6)] == [1.0, 1.0, 1.0]


def test_steps_cut_the_rate_after_every_so_many_updates():
    schedule = Steps(every=3, factor=0.5)
    assert [schedule.scale(schedule.start(), update) for update in range(8)] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize("better, metrics", [
    ("lower", [5.0, 4.0, 4.0, 4.5, 3.9, 4.0, 4.0, 4.0, 4.0]),
    ("higher", [0.1, 0.2, 0.2, 0.1, 0.3, 0.2, 0.3, 0.1, 0.0]),
])
def test_a_plateau_cuts_the_rate_when_patience_runs_out(better, metrics):
    schedule = Plateau(patience=2, factor=0.5)
    state, scales = schedule.start(), []
    for metric in metrics:
        state = schedule.observe(schedule.observe(state, metric, better), None, better)      # None: no look
        scales.append(schedule.scale(state, 0))
    assert scales == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125]


@pytest.mark.parametrize("make, words", [
    (lambda: SGD(0), ("rate is 0:", "a finite number above 0")),
    (lambda: SGD(-0.1), ("rate is -0.1:", "a finite number above 0")),
    (lambda: Adam(float("nan")), ("rate is nan:", "a finite number above 0")),
    (lambda: Adam("fast"), ("rate is 'fast':", "a finite number above 0")),
    (lambda: SGD(0.1, 1.0), ("momentum is 1.0:", "at least 0 and below 1")),
    (lambda: Adam(beta1=1), ("beta1 is 1:", "at least 0 and below 1")),
    (lambda: Adam(beta2=-0.1), ("beta2 is -0.1:", "at least 0 and below 1")),
    (lambda: Adam(epsilon=0.0), ("epsilon is 0.0:", "a finite number above 0")),
    (lambda: Adam(weight_decay=-1e-4), ("weight_decay is -0.0001:", "at least 0 and below 1")),
    (lambda: Steps(0), ("every is 0:", "an int of at least 1")),
    (lambda: Steps(5, 0.0), ("factor is 0.0:", "above 0 and of at most 1")),
    (lambda: Steps(5, 1.5), ("factor is 1.5:", "above 0 and of at most 1")),
    (lambda: Plateau(2, np.nextafter(1, 2)), ("factor is", "above 0 and of at most 1")),
    (lambda: Plateau(2.5), ("patience is 2.5:", "an int of at least 1")),
    (lambda: Plateau(2, float("inf")), ("factor is inf:", "above 0 and of at most 1")),
])
def test_an_impossible_option_is_refused_by_its_name(make, words):
    with refuses(ValueError, *words):
        make()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_is_its_formula_to_the_last_bit(dtype, xp):
    optimizer, limit = Adam(0.003, 0.87, 0.993, 1e-7), 2.0 ** (63 if dtype == "float32" else 511)
    p = {"a": rng(0).standard_normal((17, 5)).astype(dtype), "b": {"c": rng(1).standard_normal(7).astype(dtype)}}
    state, m, v = optimizer.start(map_leaves(xp.asarray, p)), map_leaves(np.zeros_like, p), map_leaves(np.zeros_like, p)
    given = map_leaves(xp.asarray, p)
    for t in range(1, 5):
        draw = rng(t)
        dp = {"a": draw.standard_normal((17, 5)).astype(dtype), "b": {"c": draw.standard_normal(7).astype(dtype)}}
        dp["b"]["c"][0] = 4 * limit * 0.5**t                  # beyond the limit, and below it
        given, state = optimizer.update(given, map_leaves(xp.asarray, dp), state)
        root = (1 - 0.993**t) ** 0.5
        rate, epsilon = 0.003 * 1.0 * root / (1 - 0.87**t), 1e-7 * root
        d = map_leaves(lambda d: np.minimum(np.maximum(d, -limit), limit), dp)
        m = map_leaves(lambda m, d: 0.87 * m + (1 - 0.87) * d, m, d)
        v = map_leaves(lambda v, d: 0.993 * v + (1 - 0.993) * (d * d), v, d)
        p = map_leaves(lambda m, v, a, rate=rate, epsilon=epsilon: a - rate * m / (np.sqrt(v) + epsilon), m, v, p)
        tolerance = 0 if xp.__name__ == "numpy" else 1e-6     # a GPU may contract a product and a sum
        assert_same((given, state["m"], state["v"]), (p, m, v), tolerance)
    assert list(state) == ["m", "v", "updates"] and state["updates"] == 4
    assert leaves(state["m"]).keys() == leaves(p).keys()


@every_optimizer
def test_an_optimiser_starts_at_zero_beside_parameters_that_are_not_finite(optimizer):
    start = optimizer.start({"a": np.array([np.inf, -np.inf, np.nan, 1.0])})
    assert not any(start[name]["a"].any() for name in start if name != "updates")
