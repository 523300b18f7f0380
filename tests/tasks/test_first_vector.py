"""First vector: what its sequences hold, how large its sets are, and what a sign always the same is worth."""

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import FirstVector


def test_the_class_is_the_first_symbol_and_nothing_that_follows():
    x, target, lengths = FirstVector(50).batch(rng(), 2000)
    assert x.shape == (51, 2000) and x.dtype == np.uint8 and lengths is None
    assert np.array_equal(x[0], np.where(target == 1, 128, 0))
    assert x[1:].max() == 127 and x[1:].min() == 0            # -e₁ comes first only, e₁ anywhere
    counts = np.bincount(x[1:].ravel(), minlength=128)
    assert abs(counts / counts.mean() - 1).max() < 0.25       # uniform: deviation 0.035
    assert abs(target.mean() - 0.5) < 0.05
    share = np.array([x[1:][:, target == sign].mean() for sign in (0, 1)])
    assert abs(share[0] - share[1]) < 1


@pytest.mark.parametrize("length, validation, test", [
    (1, 250, 1000), (4_194, 250, 1000), (65_536, 32, 64), (2**20, 8, 16),
])
def test_of_long_sequences_there_are_fewer(length, validation, test, monkeypatch):
    sizes = []
    monkeypatch.setattr(FirstVector, "batch", lambda self, generator, B: sizes.append(B))
    FirstVector(length).validation(), FirstVector(length).test()
    assert sizes == [validation, test]


def test_the_sets_are_the_same_at_every_call_and_the_baseline_is_that_of_the_test_set():
    task = FirstVector(9)
    for draw in (task.validation, task.test):
        assert all(np.array_equal(one, other) for one, other in zip(draw()[:2], draw()[:2]))
    share = task.test()[1].mean()
    assert task.baseline() == ("one sign always", max(share, 1 - share))
    with refuses(ValueError, "length is 0:", "at least 1"):
        FirstVector(0)
