"""What lesson 14 takes from beside its checker: lengths of gradients, shapes of Weights, rows of numbers, a title."""

import numpy as np
import pytest


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


def test_silence_counts_units_without_any_output_and_the_gradient_on_zeros():
    outputs = [np.zeros((2, 2, 2)), np.ones((2, 2, 2))]
    outputs[0][0, 0, 1] = 4.0                                 # unit 0 is silent at all steps, unit 1 at three of four
    said = deep_stacks.silence(outputs, [np.full((2, 2, 2), 3.0), None], recurrences=(1, 0))
    assert said == "silent units: upper recurrence 0, lower 1; smallest deviation 0, 0; " \
                   "lower, squared gradient on zeros: 0.88"


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
