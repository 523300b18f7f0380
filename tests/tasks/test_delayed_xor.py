"""Delayed XOR: its class recomputed, what leaks and what does not, and the ceiling of counting against brute force."""

from itertools import product
from math import comb

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import DelayedXOR, count_ceiling

LENGTHS = [20, 29, 30, 50, 200]
SIGMAS = 5                                                    # of the standard error: a leak of more would show


@pytest.mark.parametrize("length", LENGTHS)
def test_the_class_is_the_exclusive_or_at_the_marker(length):
    x, target, lengths = DelayedXOR(length).batch(rng(), 300)
    assert x.shape == (length, 300, 2) and target.shape == (300,) and lengths is None
    assert x.dtype == np.float32 and target.dtype.kind == "i"
    for b in range(300):
        m, = np.flatnonzero(x[:, b, 1])
        assert target[b] == (x[m, b, 0] != x[m - 1, b, 0])


@pytest.mark.parametrize("length", LENGTHS)
def test_the_marker_is_uniform_from_the_second_step_to_the_end_of_the_first_tenth(length):
    task = DelayedXOR(length)
    x, _, _ = task.batch(rng(1), 20_000)
    steps, counts = np.unique(x[..., 1].argmax(0) + 1, return_counts=True)
    assert task.latest == max(2, length // 10) and steps.tolist() == list(range(2, task.latest + 1))
    assert (x[..., 1].sum(0) == 1).all()
    share = 1 / len(steps)
    assert np.abs(counts / 20_000 - share).max() <= SIGMAS * (share * (1 - share) / 20_000) ** 0.5 + 1e-12


@pytest.mark.parametrize("length", [20, 30, 50])
def test_no_single_bit_and_no_position_tells_the_class(length):
    sequences = 40_000
    x, target, _ = DelayedXOR(length).batch(rng(2), sequences)
    bits, sign, error = 2 * x[..., 0] - 1, 2 * target - 1, 1 / sequences**0.5
    assert abs(sign.mean()) <= SIGMAS * error
    assert np.abs((bits * sign).mean(1)).max() <= SIGMAS * error          # the bit at every step
    m, every = x[..., 1].argmax(0), np.arange(sequences)
    for behind in (0, 1, -1):                                 # the bit at the marker, before it, behind it
        assert abs((bits[m - behind, every] * sign).mean()) <= SIGMAS * error
    for place in np.unique(m):                                # the position of the marker
        here = m == place
        assert abs(sign[here].mean()) <= SIGMAS / here.sum() ** 0.5


@pytest.mark.parametrize("length", [20, 30, 50, 500])
def test_the_count_of_all_ones_tells_hardly_any_of_the_class(length):
    def share(n):                                             # of class 1 where there are n ones: two places differ
        return 2 * n * (length - n) / (length * (length - 1))

    best = sum(comb(length, n) * max(share(n), 1 - share(n)) for n in range(length + 1)) / 2**length
    assert best == pytest.approx(0.5 + 0.484 / (length - 1), abs=2e-4)
    sequences = 1_000_000 // length
    x, target, _ = DelayedXOR(length).batch(rng(3), sequences)
    ones = x[..., 0].sum(0)
    guess = [share(int(n)) > 0.5 for n in ones]
    assert np.mean(guess == target) == pytest.approx(best, abs=SIGMAS * 0.5 / sequences**0.5)


def brute_force(length):
    """The best accuracy from the count of ones up to the marker, over all sequences of bits."""
    latest = DelayedXOR(length).latest
    joint = {}
    for m in range(2, latest + 1):
        for bits in product((0, 1), repeat=m):
            key = sum(bits), bits[-1] ^ bits[-2]
            joint[key] = joint.get(key, 0.0) + 0.5**m / (latest - 1)
    return sum(max(joint.get((count, 0), 0.0), joint.get((count, 1), 0.0)) for count in range(latest + 1))


@pytest.mark.parametrize("length", [20, 25, 30, 40, 50, 75, 100, 130])
def test_the_ceiling_of_counting_is_that_of_all_sequences(length):
    assert count_ceiling(length) == pytest.approx(brute_force(length), rel=1e-12)


@pytest.mark.parametrize("length, percent", [(30, 81.25), (50, 66.4), (100, 56.9), (500, 51.1), (1000, 50.5)])
def test_the_ceiling_of_counting_in_figures(length, percent):
    assert 100 * count_ceiling(length) == pytest.approx(percent, abs=0.05)


def test_the_best_use_of_the_count_reaches_its_ceiling():
    sequences, length = 40_000, 50
    x, target, _ = DelayedXOR(length).batch(rng(4), sequences)
    count = np.where(np.cumsum(x[..., 1], 0) - x[..., 1] == 0, x[..., 0], 0).sum(0)       # ones up to the marker, at it
    best = {ones: target[count == ones].mean() > 0.5 for ones in range(6)}
    found = np.mean([best[ones] for ones in count] == target)
    assert found == pytest.approx(count_ceiling(length), abs=SIGMAS * 0.5 / sequences**0.5)


def test_chance_is_a_coin_and_the_baseline_counts():
    task = DelayedXOR(50)
    assert task.chance == 0.5 and task.baseline() == ("count of ones", count_ceiling(50))


def test_the_evaluation_sets_are_fixed_and_share_nothing_with_each_other():
    task = DelayedXOR(50)
    sets = [task.validation(), task.test()]
    assert [x.shape[1] for x, _, _ in sets] == [500, 1000]
    for fixed, again in zip(sets, (DelayedXOR(50).validation(), DelayedXOR(50).test())):
        assert (fixed[0] == again[0]).all() and (fixed[1] == again[1]).all()
    columns = [{x[:, b].tobytes() for b in range(x.shape[1])} for x, _, _ in sets]
    assert not columns[0] & columns[1]


@pytest.mark.parametrize("length", [19, 2, 0, -50, 20.5, "50", None, True])
def test_an_impossible_length_is_refused(length):
    with refuses(ValueError, f"length is {length!r}:", "at least 20 steps", "first tenth"):
        DelayedXOR(length)
