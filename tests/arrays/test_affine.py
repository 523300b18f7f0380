"""x W + b over all rows, and its gradient."""

import numpy as np
import pytest
from support import assert_same, rng

from minidurnn.arrays.affine import affine, affine_backward, rows, rows_back, rows_product
from minidurnn.gradcheck import assert_gradient


def arrays(lead=(5, 4), seed=0, D=2, H=3):
    """x (*lead, D), W (D, H), b (H,)."""
    draw = rng(seed).standard_normal
    return {"x": draw((*lead, D)), "W": draw((D, H)), "b": draw(H)}


@pytest.mark.parametrize(("D", "H"), [(2, 3), (3, 3), (4, 3), (4, 1), (1, 1), (1, 3)])      # the bias goes two ways
@pytest.mark.parametrize("lead", [(5, 4), (1, 1), (6,), (2, 3, 4)])
def test_every_row_is_multiplied_by_itself(lead, D, H):
    x, W, b = arrays(lead, D=D, H=H).values()
    y = affine(x, W, b)
    assert y.shape == (*lead, H)
    for place in np.ndindex(*lead):
        expected = [sum(x[place][d] * W[d, h] for d in range(D)) + b[h] for h in range(H)]
        assert np.allclose(y[place], expected, rtol=1e-13)


@pytest.mark.parametrize(("D", "H"), [(2, 3), (4, 1)])
def test_backward_is_the_gradient_of_forward(xp, D, H):
    leaves = {name: xp.asarray(leaf) for name, leaf in arrays(D=D, H=H).items()}

    def backward(dy):
        dx, dW, db = affine_backward(dy, leaves["x"], leaves["W"])
        return {"x": dx, "W": dW, "b": db}

    assert_gradient(lambda leaves: affine(**leaves), backward, leaves, rng=rng(1))


def test_the_products_are_each_others_transposes():
    x, W, _ = arrays().values()
    dy = rng(2).standard_normal((5, 4, 3))
    once, back, weights = (rows(x, W) * dy).sum(), (rows_back(dy, W) * x).sum(), (rows_product(x, dy) * W).sum()
    assert np.allclose([back, weights], once, rtol=1e-12)


@pytest.mark.parametrize(("D", "H"), [(2, 3), (4, 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(dtype, xp, D, H):
    x, W, b = (xp.asarray(leaf.astype(dtype)) for leaf in arrays(D=D, H=H).values())
    y = affine(x, W, b)
    assert {array.dtype for array in (y, *affine_backward(y, x, W))} == {np.dtype(dtype)}


def test_arguments_with_gaps_and_in_other_orders_give_the_same(xp):
    x, W, b = (xp.asarray(leaf) for leaf in arrays().values())
    gaps = xp.asarray(np.repeat(arrays()["x"], 2, axis=1))[:, ::2]
    columns = xp.asarray(np.ascontiguousarray(arrays()["W"].T)).T
    assert_same(affine(gaps, columns, b), affine(x, W, b))
    assert_same(affine_backward(affine(x, W, b), gaps, columns), affine_backward(affine(x, W, b), x, W))


@pytest.mark.parametrize(("D", "H"), [(2, 3), (4, 1)])
def test_nothing_is_written_into_the_arguments(D, H):
    x, W, b = arrays(D=D, H=H).values()
    for array in (x, W, b):
        array.flags.writeable = False
    y = affine(x, W, b)
    y.flags.writeable = False
    affine_backward(y, x, W)
