"""Digits as sequences of pixels: shapes, splits, the one permutation, and the shipped sample against the full set."""

import os
from pathlib import Path

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import Pixels
from minidurnn.tasks.pixels import FILES, load, shrink
from minidurnn.tasks.store import FOLDER, find, read_idx, read_npz, shipped

folder = os.environ.get(FOLDER)
full = pytest.mark.skipif(
    not folder or not all(Path(folder, name).is_file() for names in FILES.values() for name in names),
    reason=f"needs the four files of MNIST in a folder named by {FOLDER}")


def rows(data):
    """The sequences as bytes, one by one."""
    return [data[0][:, b].tobytes() for b in range(data[0].shape[1])]


def test_shapes_and_values():
    task = Pixels()
    for (x, target, lengths), B in ((task.batch(rng(), 7), 7), (task.validation(), 600), (task.test(), 1000)):
        assert x.shape == (196, B, 1) and x.dtype == np.float32 and x.flags.c_contiguous and lengths is None
        assert x.min() >= 0 and 0.9 < x.max() <= 1 and target.shape == (B,) and target.dtype == np.int64
        assert target.min() >= 0 and target.max() <= 9
    assert task.length == 196 and Pixels(28, source="full").length == 784


def test_a_sequence_is_the_image_row_by_row():
    images, labels = load("sample", 14)["test"]
    x, target, _ = Pixels().test()
    for b in (0, 17, 999):
        assert (x[:, b, 0] == images[b].ravel() / np.float32(255)).all() and target[b] == labels[b]


def test_training_validation_and_test_are_disjoint():
    images, labels = load("sample", 14)["train"]
    x, target, _ = Pixels().validation()
    assert (images[5400:].reshape(600, -1) == x[..., 0].T * 255).all() and (target == labels[5400:]).all()
    held_out, tested = set(rows(Pixels().validation())), set(rows(Pixels().test()))
    draw, seen = rng(1), set()
    for _ in range(40):
        seen |= set(rows(Pixels().batch(draw, 500)))
    assert not seen & held_out and not seen & tested and not held_out & tested
    assert 5200 < len(seen) <= 5400                           # 20,000 draws reach nearly all of them, and no other


def test_the_permutation_is_one_fixed_order_of_all_pixels():
    straight, permuted = Pixels(), Pixels(permuted=True)
    order = np.random.default_rng(14).permutation(196)
    assert sorted(order) == list(range(196)) and (order != np.arange(196)).mean() > 0.9
    for give in (Pixels.test, Pixels.validation, lambda task: task.batch(rng(2), 5)):
        ours, theirs = give(permuted), give(straight)
        assert (ours[0] == theirs[0][order]).all() and (ours[1] == theirs[1]).all()


def test_the_baseline_is_the_most_frequent_digit_of_the_training_images():
    name, share = Pixels().baseline()
    train, tested = load("sample", 14)["train"][1], load("sample", 14)["test"][1]
    assert name == "most frequent class" and share == np.mean(tested == np.bincount(train).argmax())
    assert 0.1 < share < 0.13


def test_shrinking_is_the_rounded_mean_of_blocks():
    images = rng(3).integers(0, 256, (3, 28, 28), np.uint8)
    small = shrink(images)
    assert small.shape == (3, 14, 14) and small.dtype == np.uint8
    for n, row, column in np.ndindex(3, 14, 14):
        block = images[n, 2 * row:2 * row + 2, 2 * column:2 * column + 2]
        assert small[n, row, column] == round(int(block.sum()) / 4)       # both round halves to even


@full
def test_the_sample_is_every_tenth_image_of_the_full_set_reduced():
    arrays = read_npz(shipped("pixels.npz"))
    for part, (images, labels) in FILES.items():
        assert (arrays[f"{part}_images"] == shrink(read_idx(find(images)))[::10]).all()
        assert (arrays[f"{part}_labels"] == read_idx(find(labels))[::10]).all()


@full
def test_the_full_set_has_its_sizes_and_its_majority_class():
    large, small = Pixels(28, source="full"), Pixels(source="full")
    assert large.test()[0].shape == (784, 10_000, 1) and small.validation()[0].shape == (196, 6000, 1)
    assert large.baseline() == small.baseline() == ("most frequent class", 0.1135)


@pytest.mark.parametrize("make, words", [
    (lambda: Pixels(7), ("size is 7:", "14, 28")),
    (lambda: Pixels(14.0), ("size is 14.0:", "14, 28")),
    (lambda: Pixels(14, "no"), ("permuted is 'no':", "expected True or False")),
    (lambda: Pixels(14, 1), ("permuted is 1:", "expected True or False")),
    (lambda: Pixels(source="web"), ("source is 'web':", "'sample', 'full'")),
    (lambda: Pixels(28), ("14 × 14", "size=28", FOLDER, 'source="full"')),
])
def test_an_impossible_option_is_refused_by_its_name(make, words):
    with refuses(ValueError, *words):
        make()
