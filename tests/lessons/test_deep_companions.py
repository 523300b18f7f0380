"""What lesson 14 takes from beside its checker: lengths of gradients, shapes of Weights, rows of numbers, a title."""

import numpy as np
import pytest

from minidurnn.arrays.trees import leaves


@pytest.fixture(scope="module", autouse=True)
def companion():
    """The module draws: imported where these tests run, so that they are collected without matplotlib too."""
    global deep_stacks, plt
    pytest.importorskip("matplotlib", reason="the companion draws with matplotlib")
    from minidurnn.exercises.companions import deep_stacks
    from minidurnn.plots import plt


def test_a_length_is_the_root_of_all_squares():
    assert np.allclose(deep_stacks.lengths([np.array([[3.0, 0.0], [0.0, 4.0]]), np.full((2, 2, 2), -1.0)]), [5, 8**0.5])


def test_the_outputs_are_those_of_training():
    from minidurnn.exercises import lesson_14

    network = lesson_14.deep_network(skips=False, norms=True, K=1, flat=True)
    p = lesson_14.start_values(network, np.random.default_rng(3))
    found = deep_stacks.outputs(network, p, np.random.default_rng(4).uniform(size=(20, 5, 2)))
    assert len(found) == len(network.body.parts) == 8
    variance = found[1].var(axis=(0, 1))
    assert variance.any(), "some unit hears its input"
    assert np.allclose(found[2].mean(axis=(0, 1)), 0, atol=1e-9), "the norm takes the mean of this batch away"
    assert np.allclose(found[2].var(axis=(0, 1)), variance / (variance + 1e-5)), "and divides by its deviation"


def test_silence_tells_the_silent_units_from_those_that_fire():
    h, behind, below = np.zeros((2, 2, 2)), np.full((2, 2, 2), 3.0), np.zeros((2, 2, 2))
    h[0, 0, 1] = 4.0                                          # unit 0 is silent at all steps, unit 1 at three of four
    below[0, 0, 1] = 1.0
    said = deep_stacks.silence(h, behind, below)
    assert said == ("lower recurrence, silent units: 1; their share of the squared gradient: 0.50 above it, 0 below\n"
                    "   others: smallest deviation 1.7321; largest share below 1.00, by a unit of deviation 1.7321")


def test_the_gradient_on_the_first_weight_is_clipped_as_in_a_training():
    from minidurnn.exercises import lesson_14

    network = lesson_14.deep_network(skips=True, norms=False, K=2)
    p = lesson_14.start_values(network, np.random.default_rng(3))
    x, target = np.random.default_rng(4).uniform(size=(20, 5, 2)), np.full((5, 1), 1e6)
    dp, _ = network.gradient(network.loss(p, x, target)[2])
    length = np.sqrt(sum((leaf**2).sum() for leaf in leaves(dp).values()))
    own = np.sqrt(np.mean(dp["body"]["0"]["W"] ** 2))
    assert length > 5
    assert np.isclose(deep_stacks.first_weight(network, p, x, target), own * 5 / length)


def test_the_size_at_the_top_is_that_below_the_last_recurrence():
    from minidurnn.exercises import lesson_14

    network = lesson_14.deep_network(skips=True, norms=False, K=2)
    p = lesson_14.smaller(lesson_14.start_values(network, np.random.default_rng(3)), 0.0)
    assert deep_stacks.top_size(network, p, np.ones((20, 5, 2))) == 0, "with Weights of 0 nothing comes up"


def test_the_weights_of_a_stack_come_from_the_bottom_up():
    from minidurnn.networks.models import MODELS

    stack = MODELS["indrnn-5"].make(2, 3, 9)
    assert deep_stacks.weight_shapes(stack) == [(2, 3), (3, 3), (3, 3), (3, 3), (3, 3)]


def test_numbers_stand_in_columns():
    assert deep_stacks.spaced([1, 22.25, 3.14159]) == "    1.0   22.2    3.1"


def test_the_title_counts_the_low_runs(monkeypatch):
    titles = []
    panels = deep_stacks.panels
    monkeypatch.setattr(deep_stacks, "panels", lambda title, *size: titles.append(title) or panels(title, *size))
    deep_stacks.draw_rates([0.1, 0.2], {"plain": np.full((2, 3), 0.1), "residual": np.array([[0.05, 0.2, 0.3]] * 2)})
    plt.close("all")
    assert [title.splitlines()[0] for title in titles] == ["Below 0.1 after 160 updates: plain 0 of 6; residual 2 of 6"]
