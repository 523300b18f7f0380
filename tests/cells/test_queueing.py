"""The fluid model of a queueing network: by hand, its conservation, its constraints."""

import numpy as np
import pytest
from support import B, T, refuses, rng

from minidurnn.cells import QueueingNetwork
from minidurnn.cells.queueing import project_routing, rates_of_change
from minidurnn.networks import Direct, Network


def inputs(M, T, B, seed=0):
    """x (T, B, 1 + 2M) as a closed network has it: jobs arrive at the first step; and their number."""
    generator = rng(seed)
    x = np.zeros((T, B, 1 + 2 * M))
    x[..., 0] = generator.uniform(0.01, 0.5, (T, B))
    x[0, :, 1:1 + M] = generator.uniform(0, 20, (B, M))
    x[..., 1 + M:] = generator.integers(1, 9, (T, B, M))
    return x


def parameters(cell, seed=0):
    generator, M = rng(seed), cell.stations
    return cell.project({"mu": generator.uniform(0, 2, M), "P": generator.normal(0.3, 0.5, (M, M))})


def test_two_steps_in_plain_numbers():
    p = {"mu": np.array([1.0, 2.0]), "P": np.array([[0, 1.0], [1, 0]])}
    x = np.array([[[0.5, 6, 0, 2, 9]], [[0.5, 0, 0, 2, 9]]])
    q, _ = QueueingNetwork(2, 0.5).forward(p, x)
    assert np.allclose(q[:, 0], [[5, 1], [5, 1]])             # 0.5 · 1 · 2 jobs leave; then 1 leaves and 1 comes
    x[1, 0, 3] = 4                                            # two servers more: 2 leave, 1 comes
    assert np.allclose(QueueingNetwork(2, 0.5).forward(p, x)[0][1, 0], [4, 2])


def test_with_a_routing_the_rates_of_change_are_those_of_the_equation():
    p = parameters(QueueingNetwork(4))
    assert np.allclose(rates_of_change(p), np.diag(p["mu"]) @ (p["P"] - np.eye(4)), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jobs_are_kept_to_rounding_and_no_queue_gets_below_zero(dtype):
    cell = QueueingNetwork(4, longest=0.5)
    p = {name: leaf.astype(dtype) for name, leaf in parameters(cell).items()}
    p = cell.project({**p, "mu": np.full(4, 9, dtype)})       # at the limit, where a lone step empties a station
    x = inputs(4, 300, B).astype(dtype)
    q, _ = cell.forward(p, x)
    jobs, eps = x[0, :, 1:5].sum(-1), np.finfo(dtype).eps
    assert np.abs(q.sum(-1) / jobs - 1).max() < 300 * eps and q.min() >= -4 * eps * jobs.max()


def test_beyond_the_limit_a_queue_does_get_below_zero():
    cell = QueueingNetwork(4, longest=0.5)
    q, _ = cell.forward({**parameters(cell), "mu": np.full(4, 4.0)}, inputs(4, 300, B))
    assert q.min() < -0.1


def test_servers_and_jobs_in_shares_give_the_same_shares():
    cell = QueueingNetwork(3)
    p, x = parameters(cell), inputs(3, T, B)
    shares = x.copy()
    shares[..., 1:] /= 7
    assert np.allclose(cell.forward(p, shares)[0] * 7, cell.forward(p, x)[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_projected_is_a_routing_and_the_nearest(dtype):
    v = rng(1).normal(0, 2, (6, 6)).astype(dtype)
    P = project_routing(v)
    assert P.dtype == v.dtype and not np.diag(P).any() and P.min() >= 0 and (P > 0).sum() < 25
    assert np.abs(P.astype(float).sum(1) - 1).max() <= 6 * np.finfo(dtype).eps and project_routing(P) is P
    off = ~np.eye(6, dtype=bool)
    gap = np.where(off, v - P, 0).astype(float)               # the nearest: v - P is normal to the simplex at P
    highest = np.where(off, gap, -np.inf).max(1, keepdims=True)
    assert np.abs((gap - highest)[P > 0]).max() < 1e-5


def test_what_is_not_finite_is_left_for_the_training_to_report():
    cell = QueueingNetwork(3)
    p = {"mu": np.array([1.0, np.nan, 9]), "P": np.full((3, 3), np.nan)}
    assert cell.project(p) is p


def test_a_gradient_on_the_routing_tells_what_sending_elsewhere_would_change():
    cell = QueueingNetwork(3)
    p, x = parameters(cell), inputs(3, T, B)
    q, tape = cell.forward(p, x)
    _, _, dp = cell.backward(np.ones_like(q), tape)           # the jobs of all stations: no routing changes them
    assert np.abs(dp["P"]).max() < 1e-9 and np.abs(dp["mu"]).max() < 1e-9 and not np.diag(dp["P"]).any()


def test_options_that_are_none_are_refused_in_one_sentence():
    with refuses(ValueError, "stations is 1", "at least 2", "goes to another"):
        QueueingNetwork(1)
    for longest in (0, -1, np.nan, "0.1"):
        with refuses(ValueError, "longest is", "a finite time above 0"):
            QueueingNetwork(3, longest)


def test_a_direct_network_answers_with_its_body():
    cell = QueueingNetwork(3)
    network, x = Direct(cell, 3, "mse", "every"), inputs(3, T, B).astype(np.float32)
    p = network.init(rng())
    q, _ = cell.forward(p["body"], x)
    assert set(p) == {"body", "readout"} and p["readout"] == {} and np.array_equal(network.predict(p, x)[0], q)
    value, _, tape = network.loss(p, x, np.zeros_like(q))
    assert np.isclose(value, (q**2).mean()) and set(network.gradient(tape)[0]["body"]) == {"mu", "P"}
    with refuses(ValueError, "outputs is 2", "expected equal numbers", "a Network has one"):
        Direct(cell, 2)
    with refuses(ValueError, "the parameters are W, b"):
        network.check({"body": p["body"], "readout": Network(cell, 3).init(rng())["readout"]})
