"""What lesson 16 counts beside its figures."""

from types import SimpleNamespace

import numpy as np
import pytest

from minidurnn.cells import DuRNN
from minidurnn.exercises import lesson_16
from minidurnn.experiments.claims import Fails


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
    tape = SimpleNamespace(g=np.zeros((4, 2, 3)), l=np.zeros((4, 2, 3)))
    tape.g[1, :, 2], tape.l[3, 0, 2] = 0.6, 1.0               # marks at places 1 and 2
    pictures.print_neurons("trained", 7, u, path, tape, np.array([1, 2]), np.ones(3))
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split() for row in rows] == [["0.9500", "0.50", "0.30", "0.00", "1", "1.0000"],
                                             ["1.0000", "0.00", "0.00", "0.00", "0", "1.0000"]]


def test_a_gate_is_held_at_a_level_after_the_marks_and_only_there():
    cell, rng = DuRNN(2, 5, 4, horizon=7), np.random.default_rng(16)
    p, x = cell.init(rng), rng.random((7, 3, 2), dtype="float32")
    x[..., 1] = 0.0
    x[6, :, 1] = 1.0                                          # marks at the last step: no later one
    h, tape = cell.forward(p, x)
    kept, gates = tape.l[-1], tape.g[:-1]
    always = x.copy()
    always[..., 1] = 1.0
    for neuron in range(4):
        assert np.allclose(lesson_16.gate_held(cell, p, neuron, x, 1, 0.0), kept[:, [neuron]], atol=1e-6)
        assert not lesson_16.gate_held(cell, p, neuron, always, 0, 0.0).any()
        usual = gates[..., neuron].mean()
        held = [lesson_16.gate_held(cell, p, neuron, x, 0, level) for level in (None, usual, 0.0)]
        assert np.allclose(held[0], held[1], atol=1e-6)
        assert np.allclose(held[2][:, 0], np.maximum(0, p["u"][neuron] * tape.l[-2][:, neuron]), atol=1e-6)


def test_the_runs_of_a_claim_are_those_that_its_rule_asks_for(pictures):
    place = {"experiment": "adding", "length": 1000, "model": "irnn", "stages": []}
    trials = (place, place, place, place | {"length": 100}, place | {"stages": [10, 1000]})
    ends = ("learning", "diverged", "diverged", "solved", "solved")
    records = [SimpleNamespace(trial=trial, verdict=end) for trial, end in zip(trials, ends)]
    assert pictures.asked_runs(records, Fails("adding", 1000, ("irnn",))) == "2 diverged, 1 learning"
    assert pictures.asked_runs([], None) == "-"
