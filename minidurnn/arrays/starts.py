"""Start values of parameters: float32 NumPy arrays, drawn from the generator that the caller passes."""

import numpy as np

from .checks import check_generator


def glorot(rng, inputs, outputs):
    """Uniform in ±sqrt(6 / (inputs + outputs))  ->  (inputs, outputs)."""
    limit = (6.0 / (inputs + outputs)) ** 0.5
    return check_generator(rng).uniform(-limit, limit, (inputs, outputs)).astype(np.float32)


def normal(rng, inputs, outputs, deviation):
    """Normal with mean 0 and this standard deviation  ->  (inputs, outputs)."""
    return check_generator(rng).normal(0.0, deviation, (inputs, outputs)).astype(np.float32)


def orthogonal(rng, units):
    """A random orthogonal matrix, uniform over all of them  ->  (units, units)."""
    Q, R = np.linalg.qr(check_generator(rng).standard_normal((units, units)))
    return (Q * np.sign(np.diag(R))).astype(np.float32)


def identity(units):
    """The identity matrix  ->  (units, units)."""
    return np.eye(units, dtype=np.float32)


def uniform(rng, low, high, units):
    """Uniform in [low, high)  ->  (units,)."""
    return check_generator(rng).uniform(low, high, units).astype(np.float32)


def chrono(rng, units, horizon):
    """Biases of gates that keep for 2 to T steps: log of U[1, T-1]  ->  (units,).    Tallec, Ollivier 2018."""
    return np.log(uniform(rng, 1.0, max(1.0, horizon - 1.0), units))


def spread(rng, units):
    """Biases of gates that are uniform: -log(1/v - 1), v of U[1/H, 1 - 1/H]  ->  (units,).    Gu et al. 2020."""
    v = uniform(rng, 1.0 / units, 1.0 - 1.0 / units, units)
    return -np.log(1.0 / v - 1.0)


def side_by_side(gates, start, *arguments):
    """One draw of start(*arguments) for every gate, joined along the last axis."""
    return np.concatenate([start(*arguments) for _ in range(gates)], axis=-1)


def zeros(units):
    """Zeros  ->  (units,)."""
    return np.zeros(units, np.float32)


def constant(value, units):
    """One value everywhere  ->  (units,)."""
    return np.full(units, value, np.float32)
