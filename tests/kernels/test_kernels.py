"""Every kernel equals the plain loop that it replaces, whatever the sizes and the order of the threads."""

import fake_cupy
import numpy as np
import pytest
from support import assert_same, on_a_device, rng

from minidurnn import kernels, scans
from minidurnn.arrays.activations import NAMES
from minidurnn.kernels import columns, emulated, loading, matrices
from minidurnn.scans import gru, lstm, plain

TOLERANCE = {"float32": 2e-5, "float64": 1e-12}
SIZES = [(1, 1, 1), (2, 1, 3), (13, 5, 7), (9, 11, 37), (3, 2, 131)]      # (T, B, H): 1, primes, several blocks
both = pytest.mark.parametrize("dtype", ["float32", "float64"])
LOOPS = {name: getattr(module, name) for module, names in (
    (plain, ("diagonal_scan", "gated_scan", "matrix_scan")), (lstm, ("lstm_scan",)), (gru, ("gru_scan",)),
) for stem in names for name in (stem, f"{stem}_backward")}


@pytest.fixture(autouse=True)
def compiles(request):
    """Skip where the stand-in cannot compile: the plain loops would be compared with themselves."""
    if "xp" in request.fixturenames:
        xp = request.getfixturevalue("xp")
        if xp.__name__ == "cupy" and loading.module(xp, "float32") is None:
            pytest.skip("no g++: the stand-in for CuPy compiles its kernels with it")


def draw(dtype, *shapes, seed=0):
    """Random arrays of these shapes."""
    generator = rng(seed)
    return [(0.5 * generator.standard_normal(shape)).astype(dtype) for shape in shapes]


def case(scan, T, B, H, dtype, activation="tanh"):
    """Arguments of a scan  ->  those of forward, and those of backward from (results, dh, carry, carry of c)."""
    if scan == "diagonal_scan":
        a, u, h0 = draw(dtype, (T, B, H), (H,), (B, H))
        return [a, u, h0, activation], lambda h, dh, carry, _: [dh, h, u, h0, activation, carry]
    if scan == "matrix_scan":
        a, U, h0 = draw(dtype, (T, B, H), (H, H), (B, H))
        U /= H**0.5
        return [a, U, h0, activation], lambda h, dh, carry, _: [dh, h, U, h0, activation, carry]
    if scan == "gated_scan":
        f, v, h0 = draw(dtype, (T, B, H), (T, B, H), (B, H))
        return [f, v, h0], lambda h, dh, carry, _: [dh, h, f, h0, carry]
    if scan == "lstm_scan":
        a, U, h0, c0 = draw(dtype, (T, B, 4 * H), (H, 4 * H), (B, H), (B, H))
        U /= H**0.5
        return [a, U, h0, c0], lambda results, dh, carry, other: [dh, *results, U, h0, c0, carry, other]
    a, U, c, h0 = draw(dtype, (T, B, 3 * H), (H, 3 * H), (H,), (B, H))
    U /= H**0.5
    return [a, U, c, h0], lambda results, dh, carry, _: [dh, *results, U, h0, carry]


def there(xp, arguments):
    """The same arguments with every array on the device."""
    return [xp.asarray(argument) if isinstance(argument, np.ndarray) else argument for argument in arguments]


def assert_twins(xp, scan, T, B, H, dtype, activation="tanh", given=(True, True)):
    """A kernel and its loop agree, forward and backward, with dh and the carries or without (None)."""
    forward, back = case(scan, T, B, H, dtype, activation)
    h = LOOPS[scan](*forward)
    assert_same(getattr(kernels, scan)(*there(xp, forward)), h, TOLERANCE[dtype])
    dh, carry, other = draw(dtype, (T, B, H), (B, H), (B, H), seed=1)
    backward = back(h, dh if given[0] else None, *((carry, other) if given[1] else (None, None)))
    ours = getattr(kernels, f"{scan}_backward")(*there(xp, backward))
    assert_same(ours, LOOPS[f"{scan}_backward"](*backward), TOLERANCE[dtype])


@on_a_device
@both
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("scan", [name for name in LOOPS if "backward" not in name])
def test_a_kernel_is_its_loop(xp, scan, sizes, dtype):
    assert_twins(xp, scan, *sizes, dtype)


@on_a_device
@pytest.mark.parametrize("activation", NAMES)
@pytest.mark.parametrize("scan", ["diagonal_scan", "matrix_scan"])
def test_a_kernel_is_its_loop_with_every_activation(xp, scan, activation):
    assert_twins(xp, scan, 9, 5, 7, "float64", activation)


@on_a_device
@pytest.mark.parametrize("given", [(True, False), (False, True), (False, False)], ids=str)
@pytest.mark.parametrize("scan", [name for name in LOOPS if "backward" not in name])
def test_nothing_from_above_or_from_later_is_zero_to_a_kernel(xp, scan, given):
    assert_twins(xp, scan, 7, 3, 5, "float64", given=given)


@on_a_device
@pytest.mark.parametrize("cut", [2, 5, 40])                   # 40: more pieces than steps, some are empty
@pytest.mark.parametrize(("scan", "activation"), [
    ("diagonal_scan", "relu"), ("diagonal_scan", "identity"), ("diagonal_scan", "tanh"), ("gated_scan", None)])
def test_time_in_pieces_gives_what_one_walk_gives(xp, scan, activation, cut, monkeypatch):
    monkeypatch.setattr(columns, "pieces", lambda T, C: cut)
    assert_twins(xp, scan, 37, 3, 5, "float64", activation)
    forward, _ = case("gated_scan", 37, 3, 5, "float64")
    ours = kernels.gated_scan(*there(xp, forward), reverse=True)
    assert_same(ours, plain.gated_scan(*forward, reverse=True))


@on_a_device
@both
def test_pieces_whose_map_overflows_are_walked(xp, dtype, monkeypatch):
    monkeypatch.setattr(columns, "pieces", lambda T, C: 4)
    a, h0 = draw(dtype, (1200, 2, 5), (2, 5))
    u = np.array([3.0, -3.0, 1.2, -1.2, 1.0], dtype)          # 3**300 is beyond float32, and 3**1200 beyond float64
    a[:, :, :2] = -np.abs(a[:, :, :2]) if dtype == "float32" else a[:, :, :2]
    with np.errstate(all="ignore"):
        h = plain.diagonal_scan(a, u, h0, "relu")
    ours = kernels.diagonal_scan(*there(xp, [a, u, h0]), "relu").get()
    assert np.allclose(ours, h, rtol=1e-4, atol=1e-6, equal_nan=True) and (np.isfinite(ours) == np.isfinite(h)).all()


@on_a_device
@pytest.mark.parametrize(("R", "kept"), [(1, 0), (2, 3), (4, 7), (4, 0)])
@pytest.mark.parametrize("scan", ["matrix_scan", "lstm_scan", "gru_scan"])
def test_tiles_of_several_sequences_and_a_matrix_half_on_the_chip_give_the_same(xp, scan, R, kept, monkeypatch):
    monkeypatch.setattr(matrices, "plan", lambda M, like, held: (R, kept))
    assert_twins(xp, scan, 6, 7, 37, "float64")               # 7 sequences: the last tile sticks out


@on_a_device
def test_more_units_than_a_block_has_threads(xp):
    assert_twins(xp, "matrix_scan", 2, 1, matrices.THREADS + 3, "float64")


@on_a_device
@pytest.mark.parametrize("scan", [name for name in LOOPS if "backward" not in name])
def test_arguments_with_gaps_are_copied(xp, scan):
    def gapped(argument):
        return xp.asarray(np.repeat(argument, 2, -1))[..., ::2] if isinstance(argument, np.ndarray) else argument
    forward, back = case(scan, 5, 3, 4, "float64")
    h = LOOPS[scan](*forward)
    assert_same(getattr(kernels, scan)(*map(gapped, forward)), h)
    backward = back(h, *draw("float64", (5, 3, 4), (3, 4), (3, 4), seed=1))
    assert_same(getattr(kernels, f"{scan}_backward")(*map(gapped, backward)), LOOPS[f"{scan}_backward"](*backward))


@pytest.mark.parametrize("scan", [name for name in LOOPS if "backward" not in name])
def test_the_order_of_the_threads_changes_no_bit(cupy, scan, monkeypatch):
    if loading.module(cupy, "float32") is None:
        pytest.skip("no g++: the stand-in for CuPy compiles its kernels with it")
    monkeypatch.setattr(columns, "pieces", lambda T, C: 3)
    forward, back = case(scan, 11, 5, 37, "float32", "relu")
    h = LOOPS[scan](*forward)
    backward = back(h, *draw("float32", (11, 5, 37), (5, 37), (5, 37), seed=1))
    found = []
    for order in emulated.ORDERS:
        monkeypatch.setattr(emulated.RawModule, "order", order)
        h = getattr(kernels, scan)(*there(cupy, forward))
        found.append((h, getattr(kernels, f"{scan}_backward")(*there(cupy, backward))))
    assert_same(found[1], found[0], 0)
    assert_same(found[2], found[0], 0)


@on_a_device
def test_an_array_of_another_shape_is_refused_before_a_kernel_reads_beyond_it(xp):
    a, u, h0 = there(xp, draw("float32", (4, 3, 2), (5,), (3, 2)))
    with pytest.raises(ValueError):
        scans.diagonal_scan(a, u, h0, "relu")
    with pytest.raises(ValueError, match="unknown activation 'gelu': expected one of relu"):
        scans.diagonal_scan(a, u[:2], h0, "gelu")


# ------------------------------------------------------------------------------------------------- when kernels serve


def kernels_of(act):
    """The names of the kernels that something launches on the stand-in."""
    emulated.RawModule.launched.clear()
    act()
    return sorted(set(emulated.RawModule.launched))


@pytest.fixture
def device(cupy):
    """The stand-in, where it can compile."""
    if loading.module(cupy, "float32") is None:
        pytest.skip("no g++: the stand-in for CuPy compiles its kernels with it")
    return cupy


@pytest.mark.parametrize("scan", LOOPS)
def test_on_a_gpu_every_scan_is_its_kernel_and_on_numpy_the_loop(device, scan):
    stem = scan.removesuffix("_backward")
    arguments, back = case(stem, 3, 2, 4, "float32")
    if scan != stem:
        arguments = back(LOOPS[stem](*arguments), *draw("float32", (3, 2, 4), (2, 4), (2, 4), seed=1))
    assert kernels_of(lambda: getattr(scans, scan)(*there(device, arguments))) == [scan]
    assert kernels_of(lambda: getattr(scans, scan)(*arguments)) == []


def test_half_precision_mixed_dtypes_and_large_matrices_take_the_loop(device, monkeypatch):
    a, U, h0 = there(device, draw("float32", (3, 2, 4), (4, 4), (2, 4)))
    half = [array.astype("float16") for array in (a, U, h0)]
    assert kernels_of(lambda: scans.matrix_scan(*half, "tanh")) == []
    assert kernels_of(lambda: scans.matrix_scan(a, U.astype("float64"), h0, "tanh")) == []
    monkeypatch.setattr(matrices, "LARGEST", U.nbytes - 1)
    assert kernels_of(lambda: scans.matrix_scan(a, U, h0, "tanh")) == []
    monkeypatch.setattr(matrices, "LARGEST", U.nbytes)
    monkeypatch.setitem(emulated.ATTRIBUTES, "MaxSharedMemoryPerBlockOptin", 9 * 4 * 4 - 1)
    loading.attribute.cache_clear()
    assert kernels_of(lambda: scans.matrix_scan(a, U, h0, "tanh")) == []
    loading.attribute.cache_clear()


def test_where_the_kernels_cannot_be_compiled_one_warning_says_so_and_the_loops_serve(cupy, monkeypatch):
    def compile(self):
        raise RuntimeError("libnvrtc is missing")
    monkeypatch.setattr(emulated.RawModule, "compile", compile)
    a, u, h0 = there(cupy, draw("float32", (3, 2, 4), (4,), (2, 4)))
    with pytest.warns(RuntimeWarning, match="cannot be compiled.*libnvrtc is missing") as said:
        ours = [scans.diagonal_scan(a, u, h0, "tanh") for _ in range(2)]
    assert len(said) == 1
    assert_same(ours[1], plain.diagonal_scan(a.get(), u.get(), h0.get(), "tanh"), 1e-6)


@pytest.mark.parametrize(("T", "columns_", "expected"), [
    (1000, 16, 31), (1000, 6400, 10), (1000, 100_000, 1), (100, 16, 1), (128, 16, 4), (100_000, 1, 3125)])
def test_time_is_cut_where_columns_are_few_and_steps_are_many(device, T, columns_, expected):
    assert columns.pieces(T, columns_) == expected


@pytest.mark.parametrize(("B", "H", "rows", "width", "held", "expected"), [
    (50, 128, 128, 128, 2, (1, 128)), (132, 128, 128, 128, 2, (1, 128)), (133, 128, 128, 128, 2, (2, 128)),
    (10_000, 128, 128, 128, 2, (4, 128)), (50, 128, 128, 512, 3, (1, 112)), (50, 128, 512, 128, 9, (1, 445))])
def test_a_tile_is_as_small_as_the_gpu_allows_and_keeps_what_has_room(device, B, H, rows, width, held, expected):
    M, like = fake_cupy.ndarray(np.zeros((rows, width), "float32")), fake_cupy.ndarray(np.zeros((1, B, H), "float32"))
    assert matrices.plan(M, like, held) == expected
