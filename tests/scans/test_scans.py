"""Every loop over time equals its definition, and its backward loop is its gradient."""

import numpy as np
import pytest
from support import B, T, assert_same, on_a_device, rng

from minidurnn import scans, to_numpy
from minidurnn.arrays.activations import NAMES, slope
from minidurnn.gradcheck import NotSmooth, assert_gradient
from minidurnn.scans import (
    diagonal_scan,
    diagonal_scan_backward,
    gated_scan,
    gated_scan_backward,
    matrix_scan,
    matrix_scan_backward,
)

H = 4
SIZES = [(T, B), (1, B), (2, 1), (1, 1)]
φ = {"relu": lambda a: max(a, 0.0), "tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "identity": lambda a: a}


def draw(xp, *shapes, seed=0, scale=1.0):
    """Random arrays of these shapes."""
    generator = rng(seed)
    return [xp.asarray(scale * generator.standard_normal(shape)) for shape in shapes]


class Matrix:
    """matrix_scan over the leaves a, w (= U), h0."""

    def __init__(self, activation):
        self.activation = activation

    def leaves(self, xp, T=T, B=B, seed=0):
        return dict(zip(("a", "w", "h0"), draw(xp, (T, B, H), (H, H), (B, H), seed=seed)))

    def forward(self, a, w, h0):
        return matrix_scan(a, w, h0, self.activation)

    def backward(self, dh, h, a, w, h0, carry):
        return dict(zip(("a", "w", "h0"), matrix_scan_backward(dh, h, w, h0, self.activation, carry)))

    def step(self, a, w, before, n):
        return φ[self.activation](a[n] + sum(before[m] * w[m, n] for m in range(H)))


class Diagonal(Matrix):
    """diagonal_scan over the leaves a, w (= u), h0."""

    def leaves(self, xp, T=T, B=B, seed=0):
        return dict(zip(("a", "w", "h0"), draw(xp, (T, B, H), (H,), (B, H), seed=seed)))

    def forward(self, a, w, h0):
        return diagonal_scan(a, w, h0, self.activation)

    def backward(self, dh, h, a, w, h0, carry):
        return dict(zip(("a", "w", "h0"), diagonal_scan_backward(dh, h, w, h0, self.activation, carry)))

    def step(self, a, w, before, n):
        return φ[self.activation](a[n] + w[n] * before[n])


class Gated:
    """gated_scan over the leaves f, v, h0."""

    def leaves(self, xp, T=T, B=B, seed=0):
        return dict(zip(("f", "v", "h0"), draw(xp, (T, B, H), (T, B, H), (B, H), seed=seed)))

    def forward(self, f, v, h0):
        return gated_scan(f, v, h0)

    def backward(self, dh, h, f, v, h0, carry):
        return dict(zip(("f", "v", "h0"), gated_scan_backward(dh, h, f, h0, carry)))


SCANS = {
    **{f"matrix {name}": Matrix(name) for name in NAMES}, **{f"diagonal {name}": Diagonal(name) for name in NAMES},
    "gated": Gated(),
}
every_scan = pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS.keys())


@pytest.mark.parametrize("name", [name for name in SCANS if name != "gated"])
@pytest.mark.parametrize("T, B", SIZES)
def test_every_step_is_the_definition_number_by_number(name, T, B):
    scan = SCANS[name]
    a, w, h0 = scan.leaves(np, T, B).values()
    h = scan.forward(a, w, h0)
    for t in range(T):
        for b in range(B):
            before = h[t - 1, b] if t else h0[b]
            assert np.allclose(h[t, b], [scan.step(a[t, b], w, before, n) for n in range(H)], rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("T, B", SIZES)
def test_every_step_of_the_gated_scan_is_the_definition(T, B):
    f, v, h0 = Gated().leaves(np, T, B).values()
    ahead, back = gated_scan(f, v, h0), gated_scan(f, v, h0, reverse=True)
    for t in range(T):
        assert np.allclose(ahead[t], f[t] * (ahead[t - 1] if t else h0) + v[t], rtol=1e-14)
        assert np.allclose(back[t], f[t] * (back[t + 1] if t < T - 1 else h0) + v[t], rtol=1e-14)


@every_scan
@pytest.mark.parametrize("T, B", SIZES)
def test_backward_is_the_gradient_of_forward(scan, T, B):    # with NumPy: the numbers of a device are these, below
    for seed in range(5):                                     # another point where one stands at a kink of relu
        leaves = scan.leaves(np, T, B, seed)

        def forward(leaves):
            h = scan.forward(**leaves)
            return {"h": h, "last": h[-1]}

        def backward(d, leaves=leaves):
            return scan.backward(d["h"], scan.forward(**leaves), *leaves.values(), carry=d["last"])

        try:
            assert_gradient(forward, backward, leaves, rng=rng(1))
            return
        except NotSmooth:
            continue
    raise AssertionError("a kink at five random points")


def test_the_reversed_gated_scan_has_the_gradient_of_the_flipped_one(xp):
    leaves = Gated().leaves(xp)

    def backward(dh):
        flipped = gated_scan(leaves["f"][::-1], leaves["v"][::-1], leaves["h0"])
        df, dv, dh0 = gated_scan_backward(dh[::-1], flipped, leaves["f"][::-1], leaves["h0"])
        return {"f": df[::-1], "v": dv[::-1], "h0": dh0}

    assert_gradient(lambda leaves: gated_scan(**leaves, reverse=True), backward, leaves, rng=rng(1))


@every_scan
def test_no_gradient_from_above_or_from_later_counts_as_zero(scan, xp):
    leaves = scan.leaves(xp)
    h = scan.forward(**leaves)
    dh, carry = draw(xp, h.shape, (B, H), seed=1)
    zero, nothing = xp.zeros_like(h), xp.zeros_like(carry)

    def back(dh, carry):
        return scan.backward(dh, h, *leaves.values(), carry=carry)

    assert_same(back(None, carry), back(zero, carry), 0)
    assert_same(back(dh, None), back(dh, nothing), 0)


@every_scan
@on_a_device
@pytest.mark.parametrize("T, B", SIZES)
def test_both_libraries_give_the_same_numbers(scan, T, B, xp):
    here, there = scan.leaves(np, T, B), scan.leaves(xp, T, B)
    h, h_there = scan.forward(**here), scan.forward(**there)
    assert_same(h_there, h)
    (dh, carry), (dh_there, carry_there) = (draw(library, h.shape, (B, H), seed=1) for library in (np, xp))
    back_there = scan.backward(dh_there, h_there, *there.values(), carry=carry_there)
    assert_same(back_there, scan.backward(dh, h, *here.values(), carry=carry))


@every_scan
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(scan, dtype, xp):
    leaves = {name: leaf.astype(dtype) for name, leaf in scan.leaves(xp).items()}
    h = scan.forward(**leaves)
    both = scan.backward(h, h, *leaves.values(), carry=h[-1]), scan.backward(None, h, *leaves.values(), carry=None)
    results = [h, *both[0].values(), *both[1].values()]
    assert {array.dtype for array in results} == {np.dtype(dtype)}


@every_scan
def test_nothing_is_written_into_the_arguments(scan):
    leaves = scan.leaves(np)
    for leaf in leaves.values():
        leaf.flags.writeable = False
    h = scan.forward(**leaves)
    dh, carry = draw(np, h.shape, (B, H), seed=1)
    for array in (h, dh, carry):
        array.flags.writeable = False
    once, again = (scan.backward(dh, h, *leaves.values(), carry=carry) for _ in range(2))
    assert_same(once, again, 0)


@every_scan
def test_arguments_with_gaps_give_the_same(scan, xp):
    packed = scan.leaves(xp)
    gaps = {name: xp.asarray(np.repeat(leaf, 2, axis=-1))[..., ::2] for name, leaf in scan.leaves(np).items()}
    h = scan.forward(**packed)
    dh, carry = draw(np, h.shape, (B, H), seed=1)
    assert_same(scan.forward(**gaps), h)
    spread = [xp.asarray(np.repeat(array, 2, axis=-1))[..., ::2] for array in (to_numpy(h), dh, carry)]
    ours = scan.backward(spread[1], spread[0], *gaps.values(), carry=spread[2])
    assert_same(ours, scan.backward(xp.asarray(dh), h, *packed.values(), carry=xp.asarray(carry)))


@pytest.mark.parametrize("activation", NAMES)
def test_the_backward_of_the_diagonal_scan_is_a_gated_scan_in_reverse(activation, xp):
    a, u, h0 = Diagonal(activation).leaves(xp).values()
    h = diagonal_scan(a, u, h0, activation)
    dh, = draw(xp, h.shape, seed=1)
    da, du, dh0 = diagonal_scan_backward(dh, h, u, h0, activation)
    φ_slope = slope(activation, h)                            # gates u ⊙ φ', values φ' ⊙ dh, start value zero
    by_gates = gated_scan(u * φ_slope, φ_slope * dh, xp.zeros_like(h0), reverse=True)
    before = xp.concatenate([h0[None], h[:-1]])
    assert_same((by_gates, (by_gates * before).sum((0, 1)), u * by_gates[0]), (da, du, dh0))


def test_a_linear_diagonal_scan_forgets_geometrically():
    u = np.array([0.5, -0.9, 1.0, 0.0])
    h = diagonal_scan(np.zeros((6, 1, 4)), u, np.ones((1, 4)), "identity")
    assert np.allclose(h[:, 0], [u**k for k in range(1, 7)], rtol=1e-15)


def test_a_matrix_scan_with_a_diagonal_matrix_is_a_diagonal_scan():
    a, u, h0 = Diagonal("tanh").leaves(np).values()
    assert_same(matrix_scan(a, np.diag(u), h0, "tanh"), diagonal_scan(a, u, h0, "tanh"))
    dh, = draw(np, a.shape, seed=1)
    h = diagonal_scan(a, u, h0, "tanh")
    da, dU, dh0 = matrix_scan_backward(dh, h, np.diag(u), h0, "tanh")
    assert_same((da, np.diag(dU), dh0), diagonal_scan_backward(dh, h, u, h0, "tanh"))


def test_a_diagonal_scan_with_constant_gates_is_a_gated_scan():
    a, u, h0 = Diagonal("identity").leaves(np).values()
    assert_same(gated_scan(np.broadcast_to(u, a.shape), a, h0), diagonal_scan(a, u, h0, "identity"))


def test_the_package_offers_every_loop_that_it_lists():
    assert all(callable(getattr(scans, name)) for name in scans.__all__)
