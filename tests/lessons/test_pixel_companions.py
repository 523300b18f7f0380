"""What lesson 11 takes from beside its checker: the task in any order, the nearest neighbour, the recorded runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from support import rng

from minidurnn import RNN
from minidurnn.exercises.companions import pixel_records
from minidurnn.exercises.companions.pixel_trials import DigitsInOrder, nearest_neighbour, train
from minidurnn.records import read_records
from minidurnn.tasks.pixels import Pixels

RESULTS = Path(__file__).parents[2] / "lessons" / "results"


def test_digits_are_read_in_the_order_that_is_asked():
    order = rng().permutation(196)
    for mine, rows in (
        (DigitsInOrder(order).batch(rng(), 3), Pixels(14).batch(rng(), 3)),
        (DigitsInOrder(order).validation(), Pixels(14).validation()),
    ):
        assert np.array_equal(mine[0], rows[0][order])
        assert np.array_equal(mine[1], rows[1])


def test_the_nearest_neighbour_is_the_one_at_the_smallest_distance():
    train, test, label = rng().random((30, 5)), rng().random((7, 5)) + 0.1, np.arange(30) % 10
    distance = ((test[:, None] - train) ** 2).sum(axis=2)
    assert np.array_equal(nearest_neighbour(train, label, test), label[distance.argmin(axis=1)])


def test_a_training_starts_from_its_seed():
    order = np.arange(196)[-3:]                               # three steps: quick
    losses = [train(RNN(1, 2), order, seed)[0] for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_recorded_runs_are_sorted_by_order_and_model(capsys):
    records = [
        record for record in read_records(RESULTS) if record.trial["experiment"] == "permuted-pixels"
        and record.trial["model"] == "durnn"
    ]
    found = pixel_records.runs_by_order([*records, replace(records[0], test=None)])
    assert list(found) == [("permuted", "durnn")]
    accuracies = [record.test for record in records]
    assert pixel_records.medians(found) == {("permuted", "durnn"): np.median(accuracies)}
    assert list(pixel_records.by_seed(found, "permuted", "durnn").values()) == accuracies
    pixel_records.print_runs(found)
    assert f"{len(records)}   16,979" in capsys.readouterr().out


def test_single_runs_are_printed_by_seed(capsys):
    found = pixel_records.runs_by_order(read_records(RESULTS))
    pixel_records.print_seeds(found, "lstm")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(",")[0] for line in lines] == ["lstm in order", "lstm permuted"]
    best = max(found["in order", "lstm"], key=lambda record: record.test)
    assert f"{best.test:.3f} ({best.chosen_rate})" in lines[0]
