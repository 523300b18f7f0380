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
    assert titles == ["Below 0.1 after 160 updates: plain 0 of 6; residual 2 of 6"]
