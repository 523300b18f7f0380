"""Compact cells: matrices as their definitions say, exact gradients, and what does not fit is refused."""

import numpy as np
import pytest
from support import B, T, assert_same, refuses, rng

from minidurnn import GILR, GRU, LSTM, RNN, Chain, DuRNN, IndRNN, ShortTermRNN, load, save
from minidurnn.arrays import toeplitz
from minidurnn.arrays.trees import map_leaves
from minidurnn.cells import Compact, LowRank, Projection, ToeplitzLike, structures
from minidurnn.cells.constraints import spectral_norm
from minidurnn.gradcheck import assert_cell, assert_gradient, random_leaves
from minidurnn.networks import StructuredLinear

SIZES = [(1, 1, 1), (2, 2, 1), (5, 2, 3), (7, 3, 2), (8, 2, 1), (13, 2, 1)]        # side, rank, squares: primes and 8


def draw(side, rank, squares):
    """g, h."""
    return rng(side).standard_normal((2, squares, rank, side))


# The matrices

def test_a_toeplitz_like_matrix_in_plain_numbers():
    g, h = np.array([[[1.0, 2.0]]]), np.array([[[3.0, 4.0]]])
    circulant, skewed = np.array([[1, 2], [2, 1]]), np.array([[4, -3], [3, 4]])    # of (1, 2), of (4, 3)
    assert np.array_equal(toeplitz.as_defined(g, h), circulant @ skewed / 2)
    assert np.allclose(toeplitz.whole(g, h), [[5, 2.5], [5.5, -1]], rtol=1e-15)


@pytest.mark.parametrize("size", SIZES)
def test_the_product_and_the_whole_matrix_are_those_of_the_definition(size, xp):
    g, h = draw(*size)
    x, defined = rng(1).standard_normal((T, B, size[0])), toeplitz.as_defined(g, h)
    there = [xp.asarray(array) for array in (g, h)]
    assert_same(toeplitz.whole(*there), defined)
    if has_fourier(xp):
        assert_same(toeplitz.product(xp.asarray(x), *there), x @ defined)


def has_fourier(xp):
    """Whether a CuPy can transform: one whose kernels g++ compiles has no complex numbers."""
    try:
        xp.fft.fft(xp.zeros(2))
        return True
    except Exception as error:
        assert "g++" in str(error), error
        return False


@pytest.mark.parametrize("size", SIZES)
def test_both_backward_passes_are_gradients(size):
    g, h = draw(*size)
    leaves = {"x": rng(1).standard_normal((2, 3, size[0])), "g": g, "s": h}
    assert_gradient(
        lambda at: toeplitz.product(**at), lambda dy: dict(zip("xgs", toeplitz.product_backward(dy, **leaves))), leaves,
        rng=rng(2))
    assert_gradient(
        lambda at: toeplitz.whole(**at), lambda dM: dict(zip("gs", toeplitz.whole_backward(dM, g, h))),
        {"g": g, "s": h}, rng=rng(3))


def test_single_precision_stays_single():
    x, (g, h) = np.ones((2, 5), np.float32), draw(5, 2, 3).astype(np.float32)
    made = toeplitz.product(x, g, h), toeplitz.whole(g, h), *toeplitz.whole_backward(np.ones((5, 15), np.float32), g, h)
    for array in (*made, *toeplitz.product_backward(np.ones((2, 15), np.float32), x, g, h)):
        assert array.dtype == np.float32
    assert np.allclose(made[0], x @ toeplitz.as_defined(g, h), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [5, 8])
def test_displacement_rank_two_holds_every_toeplitz_matrix(n):
    M = rng().standard_normal(2 * n)[np.subtract.outer(np.arange(n), np.arange(n)) + n]
    down, right = np.roll(M, 1, axis=0), np.roll(M, -1, axis=1)
    right[:, -1] *= -1                                        # columns begin anew with their sign changed
    left, values, lines = np.linalg.svd(down - right)
    assert values[2] < 1e-12 * values[0]
    g, h = (left[:, :2] * values[:2]).T[None], lines[None, :2]
    assert_same(toeplitz.whole(g, h), M)


# The cells

def test_a_rank_as_large_as_the_matrix_is_the_cell_itself():
    cell, compact = LSTM(2, 4), Compact(LSTM(2, 4), LowRank(4))
    p, x, state = random_leaves(cell, rng(), T, B).values()
    own = {"W": p["W"], "U_a": np.eye(4), "U_b": p["U"], "b": p["b"]}
    dh, dstate = rng(1).standard_normal((T, B, 4)), rng(2).standard_normal((B, 8))
    (h, tape), (ours, our_tape) = cell.forward(p, x, state), compact.forward(own, x, state)
    dx, dstate0, dp = compact.backward(dh, our_tape, dstate)
    expected = cell.backward(dh, tape, dstate)
    assert_same((ours, dx, dstate0, dp["U_b"]), (h, *expected[:2], expected[2]["U"]))


def test_a_projection_is_what_the_recurrence_and_the_next_layer_read():
    lower, upper = Compact(RNN(2, 6), Projection(3)), Compact(RNN(3, 4), Projection(2))
    chain = Chain((lower, upper))
    p, x, _ = random_leaves(chain, rng(), T, B).values()
    m = [np.zeros((B, 3)), np.zeros((B, 2))]
    for x_t, output in zip(x, chain.forward(p, x)[0]):
        read = x_t
        for layer in (0, 1):                                  # no h of the step before: m alone is read
            own = p[str(layer)]
            h = np.tanh(read @ own["W"] + m[layer] @ own["U_b"] + own["b"])
            read = m[layer] = h @ own["P"]
        assert np.allclose(output, m[1], rtol=1e-12)
    assert (chain.outputs, lower.outputs, lower.state_size) == (2, 3, 6)


def test_every_reader_of_a_dual_cell_reads_the_projection():
    compact = Compact(DuRNN(2, 4, 5, horizon=9, gate=0.0), Projection(2))
    p = random_leaves(compact, rng(), T, B)["p"]
    q = compact.expanded(p)
    assert all(np.allclose(q[letter], p["P"] @ p[f"{letter}_b"]) for letter in ("U_s", "W_g", "W_l"))
    assert compact.outputs == 2 + 5


@pytest.mark.parametrize("weights", [LowRank(2), ToeplitzLike(2), Projection(3)], ids=repr)
def test_autograd_finds_the_same_gradients_through_an_lstm(weights):
    torch = pytest.importorskip("torch", reason="autograd is PyTorch's")
    compact, n = Compact(LSTM(2, 5), weights), 5
    given = random_leaves(compact, rng(3), T, B)
    dh, dstate = rng(4).standard_normal((T, B, compact.outputs)), rng(5).standard_normal((B, 10))
    leaves = map_leaves(lambda leaf: torch.tensor(leaf, requires_grad=True), given)
    p, (h, c), outputs = leaves["p"], leaves["state"].split(n, dim=1), []
    if "U_g" in p:
        place = torch.tensor([[(i - j) % n for j in range(n)] for i in range(n)])
        sign = torch.ones(n, n).tril() - torch.ones(n, n).triu(1)
        U = torch.cat([sum(g[place] @ (k.flip(0)[place] * sign.double()) for g, k in zip(*both))
                       for both in zip(p["U_g"], p["U_s"])], dim=1) / (n * 2**0.5)
    else:
        U = (p["P"] if "P" in p else p["U_a"]) @ p["U_b"]
    for x in leaves["x"]:
        i, f, z, o = (x @ p["W"] + h @ U + p["b"]).split(n, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h @ p["P"] if "P" in p else h)
    last = torch.cat([h, c], dim=1)
    (torch.stack(outputs) * torch.tensor(dh)).sum().add((last * torch.tensor(dstate)).sum()).backward()
    ours, tape = compact.forward(*given.values())
    assert_same((ours, compact.last_state(tape)), (torch.stack(outputs).detach().numpy(), last.detach().numpy()))
    dx, dstate0, dp = compact.backward(dh, tape, dstate)
    assert_same({"p": dp, "x": dx, "state": dstate0}, map_leaves(lambda leaf: leaf.grad.numpy(), leaves))


OTHERS = [
    Compact(GRU(2, 4), Projection(2)), Compact(ShortTermRNN(3, 4), LowRank(2)),
    Compact(LSTM(16, 4, project_input=False), ToeplitzLike(3)),
    Compact(DuRNN(2, 4, 5, 9, gate=0.0, output="long"), (("W_l", ToeplitzLike(2)),)),
    StructuredLinear(3, 7, ToeplitzLike(2)), StructuredLinear(3, 5, LowRank(2)),
]


@pytest.mark.parametrize("model", OTHERS, ids=repr)
def test_any_cell_with_matrices_keeps_the_whole_contract(model):
    assert_cell(model, rng())


@pytest.mark.parametrize(
    "weights, shape", [(LowRank(2), (5, 13)), (ToeplitzLike(2), (5, 13)), (ToeplitzLike(2), (7, 3))])
def test_a_linear_layer_of_a_structure_is_the_product_with_the_whole_matrix_which_it_never_makes(
        weights, shape, monkeypatch, xp):
    if not has_fourier(xp):
        pytest.skip("this CuPy transforms nothing")
    layer = StructuredLinear(*shape, weights)
    p, x, _ = random_leaves(layer, rng(), T, B).values()
    M, dy = weights.whole(p, shape[1]), rng(1).standard_normal((T, B, shape[1]))
    expected = weights.whole_backward(x.reshape(-1, shape[0]).T @ dy.reshape(-1, shape[1]), p)
    monkeypatch.setattr(toeplitz, "whole", None)
    there = map_leaves(xp.asarray, p)
    y, tape = layer.forward(there, xp.asarray(x))
    dx, _, dp = layer.backward(xp.asarray(dy), tape)
    assert_same((y, dx, dp), (x @ M + p["bias"], dy @ M.T, {**expected, "bias": dy.sum((0, 1))}), 1e-11)


BUGS = {
    "the sign of dg": lambda dM, g, h: (-toeplitz_backward(dM, g, h)[0], toeplitz_backward(dM, g, h)[1]),
    "dh zero": lambda dM, g, h: (toeplitz_backward(dM, g, h)[0], 0 * h),
    "g and h swapped": lambda dM, g, h: toeplitz_backward(dM, h, g),
    "M transposed": lambda dM, g, h: toeplitz_backward(
        np.hstack([block.T for block in np.split(dM, len(g), axis=1)]), g, h),
    "squares swapped": lambda dM, g, h: toeplitz_backward(np.roll(dM, g.shape[-1], axis=1), g, h),
    "the half forgotten": lambda dM, g, h: tuple(2 * part for part in toeplitz_backward(dM, g, h)),
    "no sign above the diagonal": lambda dM, g, h: (g @ dM[:, :g.shape[-1]], toeplitz_backward(dM, g, h)[1]),
}
toeplitz_backward = toeplitz.whole_backward


@pytest.mark.parametrize("bug", BUGS)
def test_a_wrong_gradient_on_toeplitz_like_numbers_is_caught(bug, monkeypatch):
    monkeypatch.setattr(toeplitz, "whole_backward", BUGS[bug])
    with pytest.raises(AssertionError):
        assert_cell(Compact(LSTM(2, 4), ToeplitzLike(2)), rng())


FACTORS = {
    "a zero": lambda dM, n: {"a": 0 * n["a"], "b": n["a"].T @ dM},
    "a transposed": lambda dM, n: {"a": (dM @ n["b"].T).T, "b": n["a"].T @ dM},
    "the sign of b": lambda dM, n: {"a": dM @ n["b"].T, "b": -n["a"].T @ dM},
    "b from a itself": lambda dM, n: {"a": dM @ n["b"].T, "b": n["a"][:len(n["b"])] @ dM},
}


@pytest.mark.parametrize("weights", [LowRank(4), Projection(4)], ids=repr)
@pytest.mark.parametrize("bug", FACTORS)
def test_a_wrong_gradient_on_factors_is_caught(bug, weights, monkeypatch):
    monkeypatch.setattr(structures.LowRank, "whole_backward", lambda self, dM, numbers: FACTORS[bug](dM, numbers))
    with pytest.raises(AssertionError):
        assert_cell(Compact(LSTM(2, 4), weights), rng())


@pytest.mark.parametrize("cell", [LSTM(2, 4), DuRNN(2, 4, 5, horizon=9, gate=0.0)], ids=repr)
def test_a_projection_without_the_outputs_gradient_is_caught(cell, monkeypatch):
    sound = Compact._projected_backward
    monkeypatch.setattr(Compact, "_projected_backward", lambda *given: (sound(*given)[0], {}))
    with pytest.raises(AssertionError):
        assert_cell(Compact(cell, Projection(3)), rng())


# Start values, constraints, files

@pytest.mark.parametrize("weights", [LowRank(20), ToeplitzLike(20), Projection(20)], ids=repr)
def test_a_matrix_starts_with_the_mean_square_of_the_cells_own(weights):
    compact = Compact(LSTM(3, 64), weights)
    made = compact.expanded(compact.init(rng()))["U"]
    assert np.square(made).mean() == pytest.approx(1 / 64, rel=0.15)
    usual = LSTM(3, 64).init(rng())
    assert all(np.array_equal(usual[letter], compact.init(rng())[letter]) for letter in ("W", "b"))


def test_a_projection_starts_with_the_mean_square_of_the_units():
    P = Compact(LSTM(3, 64), Projection(20)).init(rng())["P"]
    h = rng(1).standard_normal((500, 64))
    assert np.square(h @ P).mean() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("cell", [
    Compact(ShortTermRNN(2, 9), ToeplitzLike(3)), Compact(DuRNN(2, 9, 5, horizon=9), Projection(3)),
    Compact(DuRNN(2, 9, 5, horizon=9), LowRank(2)),
], ids=repr)
def test_a_bound_holds_for_the_whole_matrix_in_single_precision(cell):
    letter = cell.cell.readers[0]
    p = cell.init(rng())
    assert spectral_norm(cell.expanded(p)[letter]) <= 0.9
    far = cell.project(map_leaves(lambda leaf: 3 * leaf, p))
    assert 0.8999 < spectral_norm(cell.expanded(far)[letter]) <= 0.9 and cell.project(far) is far


def test_a_compact_cell_comes_back_from_a_file(tmp_path):
    for weights in (Projection(2), (("W", LowRank(1)), ("U", ToeplitzLike(2)))):
        cell = Compact(LSTM(2, 4), weights)
        p = cell.init(rng())
        save(tmp_path / "model.npz", cell, p)
        again, found = load(tmp_path / "model.npz")
        assert again == cell and hash(again) == hash(cell)
        assert_same(found, p)


@pytest.mark.parametrize("weights, numbers", [
    (LowRank(5), 5 * 2500), (ToeplitzLike(5), 4 * 2 * 500 * 5), (Projection(5), 5 * 2500)])
def test_the_numbers_are_counted_as_the_paper_counts_them(weights, numbers):
    shapes = Compact(LSTM(3, 500), weights).shapes
    assert sum(np.prod(shape) for name, shape in shapes.items() if name not in ("W", "b")) == numbers


# What does not fit

@pytest.mark.parametrize("cell, weights, words", [
    (LSTM(2, 4), LowRank(5), ("the rank of U is 5", "at most 4", "the shorter side", "(4, 16)")),
    (LSTM(2, 4), ToeplitzLike(5), ("the rank of U is 5", "at most 4", "rows")),
    (LSTM(2, 4), Projection(5), ("the rank of U is 5", "at most 4", "units that are projected")),
    (LSTM(2, 4), (("W", LowRank(3)),), ("the rank of W is 3", "at most 2", "(2, 16)")),
    (LSTM(2, 4), (("Q", LowRank(1)),), ("weights names 'Q'", "W, U, the matrices of LSTM", "each once")),
    (LSTM(2, 4), (("b", LowRank(1)),), ("weights names 'b'", "W, U")),
    (LSTM(2, 4), (([], LowRank(1)),), ("weights names []",)),
    (LSTM(2, 4), (("U", LowRank(1)), ("U", LowRank(2))), ("weights names 'U'", "each once")),
    (LSTM(2, 4), "low-rank", ("weights is 'low-rank'", "LowRank(rank), ToeplitzLike(rank), Projection(rank)", "pairs")),
    (LSTM(2, 4), LowRank, ("weights is <class", "LowRank(rank)")),
    (LSTM(2, 4), (), ("weights is ()", "pairs")), (LSTM(2, 4), None, ("weights is None",)),
    (LSTM(2, 4), (("U", Projection(2)),), ("weights is", "pairs such as")),
    (LSTM(2, 4), {"U": LowRank(2)}, ("weights is {", "pairs such as")),
    (IndRNN(2, 4), LowRank(1), ("weights is LowRank(rank=1)", "there are none", "some of W")),
    (GILR(2, 4), Projection(1), ("weights is Projection(rank=1)", "there are none")),
    (DuRNN(2, 4, 5, 9, output="long"), Projection(2), ("there are none", "U_s")),
    (DuRNN(2, 4, 5, 9, projection="clip"), LowRank(2), ("projection='clip'", "expected projection='rescale'")),
    (Chain((RNN(2, 4),)), (("0/U", LowRank(2)),), ("the cell is Chain", "around the cells in it")),
])
def test_weights_that_do_not_fit_are_refused_in_one_sentence(cell, weights, words):
    with refuses(ValueError, *words):
        Compact(cell, weights)


@pytest.mark.parametrize("structure", [LowRank, ToeplitzLike, Projection])
@pytest.mark.parametrize("rank", [0, -1, 2.0, True, "2", None])
def test_a_rank_is_a_whole_number_from_one(structure, rank):
    with refuses(ValueError, f"rank is {rank!r}", "at least 1"):
        structure(rank)


def test_a_structured_layer_refuses_what_does_not_fit():
    with refuses(ValueError, "the rank is 4", "at most 3", "the shorter side"):
        StructuredLinear(3, 7, LowRank(4))
    for weights in (None, "toeplitz", Projection(2), (("W", LowRank(1)),)):
        with refuses(ValueError, "weights is", "expected LowRank(rank) or ToeplitzLike(rank)"):
            StructuredLinear(3, 7, weights)
    with refuses(TypeError, "cell is the class LSTM"):
        Compact(LSTM, LowRank(2))


def test_the_gradient_that_comes_back_has_the_width_of_the_projection():
    compact = Compact(LSTM(2, 4), Projection(3))
    p, x, state = random_leaves(compact, rng(), T, B).values()
    _, tape = compact.forward(p, x, state)
    with refuses(ValueError, "dh has shape", f"expected ({T}, {B}, 3)"):
        compact.backward(np.zeros((T, B, 4)), tape)
