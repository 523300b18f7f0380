"""What lesson 16 counts beside its figures."""

from types import SimpleNamespace

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
