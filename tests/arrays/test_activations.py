"""An activation overwrites its argument with its definition; its slope is the derivative in terms of the output."""

import numpy as np
import pytest
from support import assert_same, refuses, rng

from minidurnn.arrays.activations import NAMES, activation, sigmoid, slope
from minidurnn.gradcheck import assert_gradient

DEFINITIONS = {
    "relu": lambda a: np.where(a > 0, a, 0.0),
    "tanh": lambda a: (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)),
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "identity": lambda a: a,
}


def apply(name, a):
    """φ of a copy."""
    return activation(name, a)(a.copy())


@pytest.mark.parametrize("name", NAMES)
def test_the_value_is_the_definition(name, xp):
    a = rng().standard_normal((5, 3))
    assert_same(apply(name, xp.asarray(a)), DEFINITIONS[name](a), 1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_argument_is_overwritten_and_returned(name, xp):
    a = xp.asarray(rng().standard_normal(7))
    assert activation(name, a)(a) is a


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_is_the_derivative(name, xp):
    leaves = {"a": xp.asarray(rng(1).standard_normal((5, 3)))}

    def backward(dh):
        return {"a": dh * slope(name, apply(name, leaves["a"]))}

    assert_gradient(lambda leaves: apply(name, leaves["a"]), backward, leaves, rng=rng(2))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_slope_keep_the_dtype(name, dtype, xp):
    a = xp.asarray(rng().standard_normal(4).astype(dtype))
    h = apply(name, a)
    assert h.dtype == dtype and slope(name, h).dtype == dtype


def test_the_slope_of_relu_at_zero_is_zero():
    assert slope("relu", apply("relu", np.array([-1.0, -0.0, 0.0, 1e-300]))).tolist() == [0, 0, 0, 1]


def test_the_slope_is_a_new_array():
    h = np.ones(3)
    for name in NAMES:
        slope(name, h)[...] = 7.0
    assert (h == 1.0).all()


def test_sigmoid_overflows_for_no_argument():
    with np.errstate(all="raise"):
        assert sigmoid(np.array([-1e308, -1000.0, 0.0, 1000.0, 1e308])).tolist() == [0, 0, 0.5, 1, 1]


def test_an_unknown_name_is_refused():
    for ask in (lambda: activation("gelu", np.ones(1)), lambda: slope("gelu", np.ones(1))):
        with refuses(ValueError, "unknown activation 'gelu'", "relu, tanh, sigmoid, identity"):
            ask()
