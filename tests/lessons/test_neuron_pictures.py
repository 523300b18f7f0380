"""What lesson 16 counts beside its figures."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def pictures():
    """The module draws: imported where a test runs, so that tests are collected without matplotlib too."""
    pytest.importorskip("matplotlib", reason="the companion draws with matplotlib")
    from minidurnn.exercises.companions import neuron_pictures
    return neuron_pictures


def test_the_ablations_of_two_tasks_are_found_and_nothing_else(pictures):
    named = (("ablations-adding", "durnn-open"), ("ablations-adding", "durnn-open"), ("adding", "durnn-open"),
             ("ablations-pixels", "durnn"), ("ablations-delayed-xor", "short-term"))
    records = [SimpleNamespace(trial={"experiment": experiment, "model": model}) for experiment, model in named]
    found = pictures.recorded_ablations(records)
    assert {place: group for place, group in found.items() if group} == {
        ("adding", "durnn-open"): records[:2], ("delayed-xor", "short-term"): records[4:]}
    assert len(found) == 2 * 14


def test_without_records_no_claim_is_attempted_and_each_has_its_rule(pictures):
    claims = pictures.judged_claims([])
    assert {claim.verdict for claim in claims} == {"not attempted"}
    assert {claim.paper.split()[0] for claim in claims} == {"IndRNN", "Deep", "DuRNN"}
    assert [claim.rule for claim in claims if "word" in claim.says] == ["none", "is ahead"]
    assert all(claim.own != "-" for claim in claims if claim.paper.startswith("DuRNN"))


def test_the_largest_contributions_are_told_with_their_u_and_who_was_silent_before(pictures, capsys):
    u, before = np.array([0.9, 1.0, 1.0]), np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    pictures.print_paths("trained 7", u, np.array([[0.0, 1.0, 0.05], [0.0, 2.0, 0.05]]), before)
    assert capsys.readouterr().out == (
        "trained 7: square 1.55; neurons with a path 2, of half-life at least 100: 2; the largest:\n"
        "   u 1.0000 contributes 1.50, 0 at step 29: 2 of 2\n")


def test_a_table_of_neurons_has_those_with_a_path_or_a_u_near_1(pictures, capsys):
    u, path = np.array([0.9, 1.0, 0.95]), np.array([0.0, 0.0, 0.5])
    pictures.print_neurons("trained", 7, u, path, np.zeros(3), np.ones(3))
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[:2] for row in rows] == [["0.9500", "0.50"], ["1.0000", "0.00"]]
