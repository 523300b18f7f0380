"""Deep stacks: the layers of the papers, counted, and trained with their norms and masks."""

from functools import partial

import numpy as np
import pytest
from support import rng

from minidurnn import IndRNN, Network, fit
from minidurnn.arrays.trees import leaves
from minidurnn.gradcheck import assert_cell_gradient
from minidurnn.networks import count_parameters, dense, plain, residual
from minidurnn.tasks import Adding


def neurons(units, **options):
    """Independent neurons behind a Weight."""
    return IndRNN(units, units, project_input=False, **options)


@pytest.mark.parametrize("body, parameters", [
    (plain(1, 128, 6, neurons, norm="after"), 86_410), (plain(1, 128, 12, neurons, norm="after"), 187_786),
    (residual(1, 128, 5, neurons), 170_890), (dense(1, 16, neurons), 256_514)], ids=["plain 6", "plain 12",
    "residual 5", "dense 16"])
def test_the_stacks_of_the_paper_have_their_numbers_of_parameters(body, parameters):
    # one number per recurrence, two per norm, every Weight with a bias
    assert count_parameters(Network(body, 10, "cross_entropy")) == parameters


def recurrences(body):
    """How many recurrent layers a stack has."""
    return sum(path.endswith("/u") for path in leaves(body.init(rng())))


def test_depth_is_counted_in_recurrent_layers():
    assert recurrences(plain(2, 4, 6, neurons)) == 6
    assert recurrences(residual(2, 4, 5, neurons)) == 11
    assert recurrences(dense(2, 2, neurons)) == 40


def test_the_last_layer_may_start_otherwise():
    last = partial(neurons, horizon=50, memory="long")
    for body in (
        plain(2, 64, 3, neurons, last=last), residual(2, 64, 2, neurons, last=last),
        dense(2, 16, neurons, blocks=(2, 1), last=last),
    ):
        starts = [leaf for path, leaf in leaves(body.init(rng())).items() if path.endswith("/u")]
        assert starts[-1].min() > 0.98 and all(start.min() < 0.5 for start in starts[:-1])


@pytest.mark.parametrize("body", [
    plain(2, 4, 3, neurons), plain(2, 4, 2, neurons, norm="after"), plain(2, 4, 2, neurons, norm="before"),
    residual(2, 4, 1, neurons), dense(2, 1, neurons, blocks=(1, 1)),
], ids=["plain", "after", "before", "residual", "dense"])
def test_backward_is_the_gradient_of_forward(body):
    assert_cell_gradient(body, rng(), 5, 3)


@pytest.mark.parametrize(
    "make",
    [
        partial(plain, layers=2, norm="after"), partial(plain, layers=2, norm="before"), partial(residual, blocks=1),
        partial(dense, blocks=(1,)),
    ],
)
def test_norms_have_statistics_for_every_step_where_asked(make):
    body = make(2, 4, cell=neurons, steps=7)
    running = [leaf for path, leaf in leaves(body.init(rng())).items() if "running_mean" in path]
    assert len(running) >= 2 and all(leaf.shape[0] == 7 for leaf in running)
    pooled = make(2, 4, cell=neurons)
    x = rng().standard_normal((7, 5, 2)).astype("float32")
    other = x.copy()
    other[6] += 1.0  # the last step: with pooled statistics, and only then, the first hears of it
    for model, heard in ((body, False), (pooled, True)):
        p, noise = model.init(rng()), model.draw(rng(), 5)
        assert np.array_equal(
            model.forward(p, x, noise=noise)[0][0], model.forward(p, other, noise=noise)[0][0]
        ) != heard


@pytest.mark.parametrize("make", [partial(plain, layers=2, norm="before"), partial(residual, blocks=1)])
def test_a_deep_network_trains_with_norms_and_masks_and_repeats_itself(make):
    network = Network(make(2, 8, cell=neurons, dropout=0.2), 1)
    settings = {"batch": 5, "log_every": 10, "validate_every": 20, "checkpoint_every": 20, "progress": False}
    (p, history), (q, again) = (fit(network, Adding(10), 20, **settings) for _ in range(2))
    assert history["loss"] == again["loss"] and np.isfinite(history["validation"][-1])
    assert all((leaf == leaves(q)[path]).all() for path, leaf in leaves(p).items())
    running = [path for path in leaves(p) if "running_mean" in path]
    assert running and all(leaves(p)[path].any() for path in running)
