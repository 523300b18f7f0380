"""A scan in pieces that are walked at the same time, and one by composition alone, are the loop."""

import warnings

import numpy as np
import pytest
from support import assert_same, refuses, rng

from minidurnn import scans
from minidurnn.scans import associative, maps, parallel, plain

PIECES = [None, 1, 2, 5, 23, 40]                              # 23: pieces of one step; 5: some steps are left over
WAYS = {
    **{f"{pieces} pieces": (lambda *given, pieces=pieces, **more: parallel.gated_scan(*given, pieces=pieces, **more),
                            lambda *given, pieces=pieces: parallel.relu_scan(*given, pieces=pieces))
       for pieces in PIECES},
    "associative": (associative.gated_scan, associative.relu_scan),
}
every_way = pytest.mark.parametrize("gated, relu", WAYS.values(), ids=WAYS)


def drawn(T, dtype="float64", B=3, H=5):
    """f, v, h0, u with some zeros."""
    f, v, h0, u = (rng(T).standard_normal(shape).astype(dtype) for shape in ((T, B, H), (T, B, H), (B, H), (H,)))
    f[::4], u[0] = 0.0, 0.0
    return f, v, h0, u


@every_way
@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("T", [1, 2, 3, 23])
def test_every_way_is_the_loop(gated, relu, T, dtype, tolerance):
    f, v, h0, u = drawn(T, dtype)
    assert_same(gated(f, v, h0), plain.gated_scan(f, v, h0), tolerance)
    assert_same(gated(f, v, h0, reverse=True), plain.gated_scan(f, v, h0, reverse=True), tolerance)
    assert_same(relu(v, u, h0), plain.diagonal_scan(v, u, h0, "relu"), tolerance)


@every_way
def test_no_steps_have_no_states(gated, relu):
    f, v, h0, u = drawn(0)
    assert gated(f, v, h0).shape == relu(v, u, h0).shape == (0, 3, 5)


@every_way
def test_where_a_map_overflows_the_states_are_those_of_the_loop(gated, relu):
    T = 200
    v, h0 = -np.ones((T, 2, 1), np.float32), np.zeros((2, 1), np.float32)
    f = np.full((T, 2, 1), 1e3, np.float32)                   # 1000**200 is no float32, and relu keeps the state at 0
    assert (relu(v, f[0, 0], h0) == 0.0).all()
    assert (gated(f, 0 * v, h0) == 0.0).all()                 # 0 times infinity is NaN, in a map and not in the loop
    v[:, 1] = 1.0
    with np.errstate(over="ignore"):
        assert_equal(gated(f, v, h0), plain.gated_scan(f, v, h0))


@every_way
def test_a_number_that_is_not_finite_spoils_what_it_spoils_in_the_loop(gated, relu):
    f, v, h0, u = drawn(40)
    f[17, 1, 2], v[23, 0, 4] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        assert_equal(gated(f, v, h0), plain.gated_scan(f, v, h0))
        assert_equal(relu(v, u, h0), plain.diagonal_scan(v, u, h0, "relu"))


def assert_equal(ours, theirs):
    """Equal bit for bit, NaN and infinity included."""
    assert np.array_equal(ours, theirs, equal_nan=True)


def test_pieces_are_a_whole_number_of_at_least_one():
    f, v, h0, u = drawn(4)
    for pieces in (0, -1, 1.5, True):
        with refuses(ValueError, f"pieces is {pieces}:", "at least 1"):
            parallel.gated_scan(f, v, h0, pieces=pieces)
        with refuses(ValueError, f"pieces is {pieces}:", "at least 1"):
            parallel.relu_scan(v, u, h0, pieces=pieces)


@pytest.mark.parametrize("none", [(), ("dh",), ("carry",), ("dh", "carry")])
@pytest.mark.parametrize("T", [1, 2, 23])
def test_backward_in_pieces_is_the_loops(T, none):
    f, v, h0, _ = drawn(T)
    dh, carry = rng(7).standard_normal(v.shape), rng(8).standard_normal(h0.shape)
    dh, carry = None if "dh" in none else dh, None if "carry" in none else carry
    h = plain.gated_scan(f, v, h0)
    given = [array.copy() for array in (f, h, h0)]
    ours = parallel.gated_scan_backward(dh, h, f, h0, carry=carry)
    assert_same(ours, plain.gated_scan_backward(dh, h, f, h0, carry=carry), 1e-12)
    assert_same([f, h, h0], given, 0)


def test_long_scans_of_few_columns_are_run_in_pieces_and_all_others_step_by_step(monkeypatch):
    asked = []
    for name in ("gated_scan", "gated_scan_backward"):
        loop, phases = getattr(plain, name), getattr(parallel, name)

        def counted(*given, phases=phases, **more):
            asked.append(len(given[1]))
            return phases(*given, **more)

        way = scans.by_length(loop, counted)
        for T, columns, pays in ((255, 1, 0), (256, 128, 1), (256, 129, 0)):
            f, v, h0, _ = drawn(T, B=1, H=columns)
            f *= 0.3
            asked.clear()
            given = (f, v, h0) if name == "gated_scan" else (v, plain.gated_scan(f, v, h0), f, h0)
            assert_same(way(*given), loop(*given), 1e-11)
            assert len(asked) == pays, (name, T, columns)
    assert scans.gated_scan.__wrapped__.__wrapped__ is plain.gated_scan


def test_in_pieces_no_warning_is_given_of_what_the_loop_does_not_warn_of():
    f, v, h0 = np.full((300, 1, 1), 1e3, np.float32), np.zeros((300, 1, 1), np.float32), np.zeros((1, 1), np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel.gated_scan(f, v, h0)
        associative.gated_scan(f, v, h0)


def random_maps(number):
    """Clipped maps (a, b, low, high) of every sign, some flat, some without an end."""
    draw = rng().standard_normal
    for _ in range(number):
        a, b, low = draw((3, 2000))
        yield (np.where(np.abs(a) < 0.2, 0.0, a), b, np.where(low < -1, -np.inf, low),
               np.where(low > 1, np.inf, low + 1.0))


@pytest.mark.parametrize("then, after, parts", [
    (maps.affine_then, maps.affine_after, 2), (maps.clipped_then, maps.clipped_after, 4),
])
def test_two_maps_one_after_the_other_are_their_composition_and_brackets_do_not_matter(then, after, parts):
    first, second, third = (map_[:parts] for map_ in random_maps(3))
    h = rng(1).standard_normal(2000)
    both = then(first, second)
    assert np.allclose(after(h, both), after(after(h, first), second), rtol=1e-13, atol=1e-13)
    one, other = then(both, third), then(first, then(second, third))
    for mine, theirs in zip(one, other):
        assert np.allclose(mine, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("T", range(1, 18))
def test_joined_maps_are_those_of_all_steps_up_to_each(T):
    a, b = rng(T).standard_normal((2, T, 3))
    found, whole = associative.joined(maps.affine_then, (a, b)), (a[0], b[0])
    for t in range(T):
        whole = whole if t == 0 else maps.affine_then(whole, (a[t], b[t]))
        assert_same([part[t] for part in found], list(whole), 1e-12)
