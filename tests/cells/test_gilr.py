"""GILR-LSTM beside autograd, and a long run of it beside the step that is repeated."""

import numpy as np
import pytest
from support import B, T, assert_same, rng

from minidurnn import GILRLSTM, Chunked, Network, evaluate
from minidurnn.arrays.trees import map_leaves
from minidurnn.cells.gilr_lstm import step
from minidurnn.gradcheck import random_leaves
from minidurnn.networks import Chain, Embedding
from minidurnn.tasks import FirstVector
from minidurnn.training import looking


@pytest.mark.parametrize("reads", ["before", "same"])
def test_autograd_finds_the_same_gradients(reads):
    torch = pytest.importorskip("torch", reason="autograd is PyTorch's")
    cell = GILRLSTM(2, 4, reads=reads)
    given = random_leaves(cell, rng(3), T, B)
    dh, dstate = rng(4).standard_normal((T, B, 4)), rng(5).standard_normal((B, 8))
    leaves = map_leaves(lambda leaf: torch.tensor(leaf, requires_grad=True), given)
    p, (s, c), hs = leaves["p"], leaves["state"].split(4, dim=1), []
    for x in leaves["x"]:
        g, j = (x @ p["W_s"] + p["b_s"]).split(4, dim=1)
        before, s = s, torch.sigmoid(g) * s + (1 - torch.sigmoid(g)) * torch.tanh(j)
        i, f, z, o = (x @ p["W"] + (before if reads == "before" else s) @ p["U"] + p["b"]).split(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        hs.append(torch.sigmoid(o) * c)
    last = torch.cat([s, c], dim=1)
    (torch.stack(hs) * torch.tensor(dh)).sum().add((last * torch.tensor(dstate)).sum()).backward()
    h, tape = cell.forward(*given.values())
    assert_same((h, cell.last_state(tape)), (torch.stack(hs).detach().numpy(), last.detach().numpy()))
    dx, dstate0, dp = cell.backward(dh, tape, dstate)
    theirs = map_leaves(lambda leaf: leaf.grad.numpy(), leaves)
    assert_same({"p": dp, "x": dx, "state": dstate0}, theirs)


def test_a_run_that_is_long_enough_for_pieces_is_the_step_repeated():
    cell = GILRLSTM(2, 4)
    p, x, state = random_leaves(cell, rng(), 300, 2).values()
    h, _ = cell.forward(p, x, state)
    for h_t, x_t in zip(h, x):
        output, state = step(cell, p, x_t, state)
        assert np.allclose(h_t, output, rtol=0, atol=1e-12)


def long_network(keep):
    """A network on symbols that keeps tapes, or states at boundaries alone."""
    body = Chain((Embedding(129, 5), GILRLSTM(5, 4)))
    return Network(Chunked(body, 300, keep), 2, "cross_entropy", "last")


def test_with_boundaries_alone_gradients_and_looks_are_the_same():
    x, target, _ = FirstVector(700).batch(rng(), 3)
    found, p = {}, map_leaves(np.float64, long_network("tapes").init(rng()))
    for keep in ("tapes", "boundaries"):
        network = long_network(keep)
        value, metric, tape = network.loss(p, x, target)
        found[keep] = value, metric, network.gradient(tape)
        assert evaluate(network, p, (x, target, None)) == pytest.approx((value, metric), rel=1e-12)
    assert_same(found["boundaries"], found["tapes"], 1e-12)


@pytest.mark.parametrize("limit, number, keep", [
    ("TAPES", 700, "boundaries"), ("STEPS", 1500, "boundaries"), ("STEPS", 1500, "tapes"),
])
def test_a_look_at_long_sequences_takes_few_at_once(limit, number, keep, monkeypatch):
    monkeypatch.setattr(looking, limit, number)               # two stretches of 300 steps; two sequences of 701
    sizes, loss = [], Network.loss
    monkeypatch.setattr(Network, "loss", lambda self, p, x, *rest, **more: (
        sizes.append(x.shape[1]), loss(self, p, x, *rest, **more))[1])
    x, target, _ = FirstVector(700).batch(rng(), 5)
    network = long_network(keep)
    evaluate(network, network.init(rng()), (x, target, None))
    assert sizes == [2, 2, 1]
