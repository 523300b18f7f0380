"""The adding problem: what it asks, recomputed by hand from what it gives."""

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import Adding

LENGTHS = [2, 3, 10, 101]


@pytest.mark.parametrize("length", LENGTHS)
def test_the_target_is_the_sum_of_the_marked_values(length):
    x, target, lengths = Adding(length).batch(rng(), 200)
    assert x.shape == (length, 200, 2) and target.shape == (200, 1) and lengths is None
    assert x.dtype == target.dtype == np.float32
    for b in range(200):
        first, second = np.flatnonzero(x[:, b, 1])
        assert target[b, 0] == x[first, b, 0] + x[second, b, 0]


@pytest.mark.parametrize("length", LENGTHS)
def test_each_half_has_one_marker_anywhere_in_it(length):
    x, _, _ = Adding(length).batch(rng(1), 4000)
    markers, half = x[..., 1], length // 2
    assert set(np.unique(markers)) <= {0.0, 1.0}
    assert (markers[:half].sum(0) == 1).all() and (markers[half:].sum(0) == 1).all()
    for part in (markers[:half], markers[half:]):             # uniform over the half: within five standard errors
        share = 1 / len(part)
        assert np.abs(part.mean(1) - share).max() <= 5 * (share * (1 - share) / 4000) ** 0.5


def test_the_values_are_uniform_and_independent_of_the_markers():
    x, _, _ = Adding(50).batch(rng(2), 4000)
    values, marked = x[..., 0], x[..., 1] == 1
    assert values.min() >= 0 and values.max() < 1
    assert values.mean() == pytest.approx(0.5, abs=0.004) and values.var() == pytest.approx(1 / 12, abs=0.002)
    assert values[marked].mean() == pytest.approx(0.5, abs=0.02)
    assert abs(np.corrcoef(values[:-1].ravel(), values[1:].ravel())[0, 1]) < 0.012


def test_chance_is_the_error_of_always_answering_one():
    task = Adding(20)
    _, target, _ = task.batch(rng(3), 100_000)
    assert task.chance == pytest.approx(1 / 6) and ((target - 1) ** 2).mean() == pytest.approx(1 / 6, rel=0.02)
    name, error = task.baseline()
    assert name == "always 1" and error == pytest.approx(((task.test()[1] - 1) ** 2).mean(), rel=1e-6)
    assert error == pytest.approx(1 / 6, rel=0.1)


def test_the_evaluation_sets_are_fixed_and_share_nothing_with_each_other_or_the_training():
    task = Adding(10)
    sets = [task.validation(), task.test(), task.batch(rng(0), 500)]
    assert [x.shape[1] for x, _, _ in sets[:2]] == [500, 1000]
    for fixed, again in zip(sets, (Adding(10).validation(), Adding(10).test())):
        assert (fixed[0] == again[0]).all() and (fixed[1] == again[1]).all()
    columns = [{x[:, b].tobytes() for b in range(x.shape[1])} for x, _, _ in sets]
    assert [len(some) for some in columns] == [500, 1000, 500]
    assert not columns[0] & columns[1] and not columns[2] & (columns[0] | columns[1])


def test_the_generator_alone_decides_the_batch():
    for array, again in zip(Adding(10).batch(rng(4), 6)[:2], Adding(10).batch(rng(4), 6)[:2]):
        assert (array == again).all()
    assert (Adding(10).batch(rng(4), 6)[0] != Adding(10).batch(rng(5), 6)[0]).any()


@pytest.mark.parametrize("length", [1, 0, -3, 2.5, "20", None, True])
def test_an_impossible_length_is_refused(length):
    with refuses(ValueError, f"length is {length!r}:", "at least 2 steps", "one for each marker"):
        Adding(length)
