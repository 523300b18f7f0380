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

    network = lesson_14.deep_network(skips=False, norms=True, K=1)
    p = lesson_14.start_values(network, np.random.default_rng(3))
    found = deep_stacks.outputs(network, p, np.random.default_rng(4).uniform(size=(20, 5, 2)))
    assert [one.shape for one in found] == [(20, 5, 16)] * 3
    assert found[-1].any()
    assert np.allclose(found[-1].mean(axis=(0, 1)), 0, atol=1e-9), "the last norm takes the mean of this batch away"


def test_sizes_are_of_the_clipped_gradient_on_the_first_and_last_weight_and_below_the_last_recurrence():
    from minidurnn.exercises import lesson_14

    network = lesson_14.deep_network(skips=True, norms=False, K=2)
    p = lesson_14.start_values(network, np.random.default_rng(3))
    x, target = np.random.default_rng(4).uniform(size=(20, 5, 2)), np.full((5, 1), 1e6)
    dp, _ = network.gradient(network.loss(p, x, target)[2])
    length = np.sqrt(sum((leaf**2).sum() for leaf in leaves(dp).values()))
    assert length > 5
    body = dp["body"]
    arrays = body["0"]["W"] * 5 / length, body["2"]["3"]["W"] * 5 / length, deep_stacks.outputs(network, p, x)[2]
    assert np.allclose(deep_stacks.sizes(network, p, x, target), [np.sqrt(np.mean(one**2)) for one in arrays])
    nothing = deep_stacks.sizes(network, lesson_14.smaller(p, 0.0), x, target)
    assert nothing[2] == 0, "with Weights of 0 nothing comes up"


def test_every_factor_and_seed_has_a_row(capsys):
    twice = np.array([[0.5, 2.0]])
    deep_stacks.print_floors([0.1], twice, twice, twice, {False: twice, True: 2 * twice})
    rows = capsys.readouterr().out.splitlines()
    assert rows[1:] == [" 0.1     0    0.50   0.50      0.5             1  5e-01",
                        " 0.1     1    2.00   2.00        2             4  2e+00"]
    deep_stacks.print_sizes([0.1], {False: np.ones((1, 1, 3)), True: np.full((1, 1, 3), 1e-9)})
    rows = capsys.readouterr().out.splitlines()
    assert rows[-1] == " 0.1     0     1e-09    1e-09    1e-09     1e+00    1e+00    1e+00"


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
