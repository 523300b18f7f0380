"""The constraints hold exactly after every projection, which changes nothing that satisfies them."""

from itertools import product

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN, fit, to_numpy
from minidurnn.cells.constraints import project_range, project_spectral, range_limit, spectral_norm
from minidurnn.optim import Adam
from minidurnn.tasks import Adding

both = pytest.mark.parametrize("projection", ["rescale", "clip"])
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def largest(U):
    """‖U‖₂ by the singular values, in float64."""
    return np.linalg.svd(np.asarray(to_numpy(U), np.float64), compute_uv=False)[0]


@pytest.mark.parametrize("units", [1, 2, 7, 64])
def test_the_spectral_norm_is_the_largest_singular_value(units, xp):
    U = rng(units).standard_normal((units, units))
    assert abs(spectral_norm(xp.asarray(U)) / largest(U) - 1) < 1e-12
    assert type(spectral_norm(xp.asarray(U))) is float


def test_the_spectral_norm_of_zero_is_zero_and_of_nan_is_nan(xp):
    assert spectral_norm(xp.zeros((3, 3))) == 0.0
    assert np.isnan(spectral_norm(xp.asarray(np.full((3, 3), np.nan))))       # NumPy and cuSOLVER raise, each its own


def test_no_other_error_of_a_gpu_counts_as_nan(cupy, monkeypatch):
    def broken(array):
        raise RuntimeError("cudaErrorIllegalAddress")
    monkeypatch.setattr(cupy.linalg, "eigvalsh", broken)
    with pytest.raises(RuntimeError, match="cudaErrorIllegalAddress"):
        spectral_norm(cupy.zeros((3, 3)))


@both
@dtypes
def test_the_bound_holds_exactly_and_to_a_hair(projection, dtype, xp):
    for units, bound, size in product((1, 2, 7, 64), (0.01, 0.5, 0.9, 0.999999), (0.1, 1.0, 1e4)):
        U = xp.asarray((size * rng(units).standard_normal((units, units))).astype(dtype))
        before = largest(U)
        inside = project_spectral(U, bound, projection)
        assert inside.dtype == dtype and inside.shape == U.shape
        if before <= bound:
            assert inside is U
        else:
            assert bound * (1 - 2e-6) <= largest(inside) <= bound


@both
@dtypes
def test_a_second_projection_returns_the_same_array(projection, dtype, xp):
    for seed in range(50):
        U = xp.asarray((3 * rng(seed).standard_normal((6, 6))).astype(dtype))
        once = project_spectral(U, 0.9, projection)
        assert once is not U and project_spectral(once, 0.9, projection) is once


@both
def test_a_matrix_on_the_bound_stays(projection):
    U = np.diag([0.5, 0.5, 0.25])
    assert project_spectral(U, 0.5, projection) is U


def test_rescaling_keeps_the_direction_and_clipping_the_small_values():
    U = rng().standard_normal((5, 5))
    rescaled, clipped = project_spectral(U, 0.9, "rescale"), project_spectral(U, 0.9, "clip")
    assert np.allclose(rescaled / largest(rescaled), U / largest(U), rtol=1e-12)
    values = np.linalg.svd(U, compute_uv=False)
    assert values[-1] < 0.9 < values[0]
    assert np.allclose(np.linalg.svd(clipped, compute_uv=False), np.minimum(values, 0.9), rtol=2e-6)


def test_clipping_gives_the_nearest_matrix_of_all_that_were_tried():
    draw = rng(1)
    for _ in range(20):
        U = draw.standard_normal((5, 5))
        clipped = project_spectral(U, 0.9, "clip")
        distance = np.linalg.norm(U - clipped)
        tried = [project_spectral(U, 0.9, "rescale"), np.zeros((5, 5))]
        for size, way in product((1e-3, 0.1, 1.0), ("rescale", "clip")):
            near = [clipped + size * draw.standard_normal((5, 5)) for _ in range(10)]
            tried += [project_spectral(one, 0.9, way) for one in near]
        tried += [(1 - part) * clipped + part * project_spectral(U, 0.9, "rescale") for part in (0.01, 0.5)]
        assert all(distance <= np.linalg.norm(U - other) + 1e-5 for other in tried)
        assert distance < np.linalg.norm(U - tried[0])        # rescaling is farther in this norm ...
        assert abs(largest(U - clipped) - largest(U - tried[0])) < 1e-5     # ... and just as near in the spectral one


@both
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_matrix_that_is_not_finite_comes_back_for_the_training_loop_to_report(projection, bad):
    U = np.eye(3, dtype=np.float32)
    U[0, 1] = bad
    with np.errstate(invalid="ignore"):
        assert project_spectral(U, 0.9, projection) is U


@dtypes
@pytest.mark.parametrize("growth, horizon", [(2.0, 9), (2.0, 5000), (5.0, 100), (1.0, 9), (2.0, None), (1.5, 1)])
def test_the_range_holds_exactly_in_the_weights_own_dtype(dtype, growth, horizon, xp):
    limit = range_limit(growth, horizon)
    u = np.array([-3.0, -limit, -0.5, 0.0, limit * (1 - 1e-9), 1.0 + 1e-3, 7.0]).astype(dtype)
    given = xp.asarray(u)
    inside = project_range(given, limit)
    ours = to_numpy(inside)
    assert ours.dtype == dtype and all(abs(float(value)) <= limit for value in ours)
    kept = np.abs(u.astype(np.float64)) <= limit * (1 - 1e-6)
    assert (ours[kept] == u[kept]).all() and (np.sign(ours) == np.sign(u)).all()
    assert (np.abs(ours[~kept]) >= limit * (1 - 1e-6)).all()
    assert project_range(inside, limit) is inside


def test_weights_within_their_range_come_back_themselves(xp):
    u = xp.asarray(np.array([-1.0, 0.5, 1.0], np.float32))
    assert project_range(u, 1.0) is u


def test_the_limit_is_growth_to_the_one_over_horizon():
    assert range_limit(2.0, 1000) ** 1000 == pytest.approx(2.0, rel=1e-12)
    assert range_limit(2.0, None) == range_limit(None, None) == range_limit(1.0, 7) == 1.0


CONSTRAINED = {
    "short": ShortTermRNN(2, 8), "short by clipping": ShortTermRNN(2, 8, bound=0.5, projection="clip"),
    "independent": IndRNN(2, 8, horizon=10, memory="long"),
    "independent without growth": IndRNN(2, 8, horizon=10, growth=1.0, memory="long"),
    "dual": DuRNN(2, 6, 8, horizon=10, gate=0.0),
    "dual by clipping": DuRNN(2, 6, 8, horizon=10, gate=0.0, projection="clip"),
}


class Watched(Network):
    """A network that keeps what its projection returned after every update."""

    seen = []

    def project(self, p):
        self.seen.append((p["body"], super().project(p)["body"]))
        return {**p, "body": self.seen[-1][1]}


def assert_constraints(cell, p):
    for name in ("U", "U_s"):
        if name in p:
            assert largest(p[name]) <= cell.bound * (1 + 1e-6)
    if "u" in p:
        assert np.abs(to_numpy(p["u"]).astype(float)).max() <= range_limit(cell.growth, cell.horizon)


@dtypes
@pytest.mark.parametrize("cell", CONSTRAINED.values(), ids=CONSTRAINED.keys())
def test_the_constraints_hold_after_every_update_of_a_real_training(cell, dtype):
    Watched.seen = []
    options = {"optimizer": Adam(0.1), "batch": 20, "dtype": dtype, "validate_every": None, "progress": False}
    p, _ = fit(Watched(cell, 1), Adding(10), 20, **options)
    assert len(Watched.seen) == 20
    for _, after in Watched.seen:
        assert_constraints(cell, after)
        assert cell.project(after) is after
    assert any(before is not after for before, after in Watched.seen)      # the constraints were at work
    assert_constraints(cell, p["body"])


def test_none_switches_a_constraint_off():
    draw = rng(2)
    dual = DuRNN(2, 4, 5, horizon=9, bound=None, growth=None)
    for cell in (ShortTermRNN(2, 4, bound=None), IndRNN(2, 4, growth=None), dual, RNN(2, 4), Linear(2, 4)):
        p = {name: 100 * draw.standard_normal(shape) for name, shape in cell.shapes.items()}
        assert cell.project(p) is p


def test_each_constraint_of_a_dual_cell_works_alone():
    draw = rng(3)
    for options, changed in (({"bound": None}, {"u"}), ({"growth": None}, {"U_s"}), ({}, {"u", "U_s"})):
        cell = DuRNN(2, 4, 5, horizon=9, **options)
        p = {name: 100 * draw.standard_normal(shape) for name, shape in cell.shapes.items()}
        projected = cell.project(p)
        assert {name for name in p if projected[name] is not p[name]} == changed


@pytest.mark.parametrize("wrap", [lambda chain: chain, lambda chain: Chunked(chain, 4), lambda body: Network(body, 1)])
def test_stacks_pass_the_constraints_on_and_return_p_itself_where_they_hold(wrap):
    model = wrap(Chain((Linear(3, 2), ShortTermRNN(2, 4))))
    p = model.init(rng())
    assert model.project(p) is p
    cell = p.get("body", p)["1"]
    cell["U"] = 5 * cell["U"]
    projected = model.project(p)
    inside = projected.get("body", projected)["1"]
    assert largest(inside["U"]) <= 0.9 and inside["W"] is cell["W"] and model.project(projected) is projected


@pytest.mark.parametrize("number", [np.float64, np.float32, float])
def test_options_given_as_numpy_numbers_change_no_dtype(number):
    horizon, bound, growth = np.int64(9), number(0.5), number(2.0)
    dual = DuRNN(2, 4, 5, horizon, bound, growth, gate=number(-1.0))
    for cell in (ShortTermRNN(2, 4, bound), dual, IndRNN(2, 4, horizon, growth)):
        p = cell.init(rng())
        far = {name: leaf * np.float32(50) for name, leaf in p.items()}
        assert {leaf.dtype for leaf in (*p.values(), *cell.project(far).values())} == {np.dtype("float32")}


def test_without_growth_a_long_memory_starts_at_exactly_one_and_any_memory_below():
    assert (IndRNN(2, 8, horizon=10, growth=None, memory="long").init(rng())["u"] == 1).all()
    assert (DuRNN(2, 4, 5, horizon=10, growth=None).init(rng())["u"] == 1).all()
    u = IndRNN(2, 500, horizon=10, growth=None).init(rng())["u"]
    assert 0 <= u.min() < 0.1 < 0.9 < u.max() <= 1


@pytest.mark.parametrize("cell, bounded", [
    (ShortTermRNN(2, 4), "U"), (IndRNN(2, 4, horizon=9), "u"),
    (DuRNN(2, 3, 4, horizon=9), "U_s"), (DuRNN(2, 3, 4, horizon=9), "u"),
], ids=repr)
def test_a_projection_names_what_its_parameters_lack(cell, bounded):
    p = cell.init(rng())
    with refuses(ValueError, "the parameters are ", "expected ", f"(missing: {bounded})"):
        cell.project({name: leaf for name, leaf in p.items() if name != bounded})
    with refuses(ValueError, "the parameters are a NoneType"):
        cell.project(None)
    with refuses(TypeError, f"p['{bounded}'] is a list"):
        cell.project({**p, bounded: p[bounded].tolist()})
