"""What lesson 09 takes from beside its checker: the looks of the recorded runs as a figure, numbers in a row."""

from dataclasses import replace

import numpy as np
import pytest
from made_records import RECORD, with_trial


@pytest.fixture(scope="module", autouse=True)
def companion():
    """The module draws: imported where these tests run, so that they are collected without matplotlib too."""
    global adding_looks
    pytest.importorskip("matplotlib", reason="the companions draw with matplotlib")
    from minidurnn.exercises.companions import adding_looks


def recorded(model, seed, updates, looks):
    """A record of one run with these looks, by hand."""
    run = RECORD.runs[0]
    curve = {**run.stages[-1].curve, "update": updates, "validation": looks}
    one = with_trial(RECORD, model=model, seed=seed)
    return replace(one, runs=(replace(run, stages=(replace(run.stages[-1], curve=curve),)),), chosen_rate=run.rate)


def test_numbers_are_whole_in_a_row():
    assert adding_looks.listed([3000.0, np.inf, 200]) == "3000, inf, 200" and adding_looks.listed([]) == ""


def test_a_panel_has_a_line_for_each_seed_and_the_legend_one_entry_for_all_greys():
    found = {
        (100, "rnn", "width"): [recorded("rnn", 0, [20, 40], [0.2, 0.17]), recorded("rnn", 1, [20], [0.3])],
        (100, "durnn", "equal"): [recorded("durnn", 0, [20, 40, 60], [0.1, None, 0.002])],
        (5000, "durnn", "equal"): [recorded("durnn", 0, [40.0], [0.05])],
        (5000, "lstm", "equal"): [recorded("lstm", 0, [40], [0.05])],                 # not asked for
    }
    kinds = [("rnn", "width"), ("short-term", "width"), ("durnn", "equal")]
    first, last = adding_looks.draw_looks("A claim", found, kinds, (100, 5000))
    assert [text.get_text() for text in first.texts] == ["0.01", "1/6"]
    drawn = [[list(part) for part in line.get_data()] for line in first.get_lines()]
    assert drawn[:3] == [[[20, 40], [0.2, 0.17]], [[20], [0.3]], [[20, 60], [0.1, 0.002]]]
    assert [line[1][0] for line in drawn[3:]] == [0.01, 1 / 6]
    assert [list(line.get_ydata()) for line in last.get_lines()][0] == [0.05]
    assert (first.get_title(), last.get_title()) == ("T = 100", "T = 5000") and first.get_legend() is None
    assert [text.get_text() for text in last.get_legend().get_texts()] == ["rnn, short-term", "durnn"]


def test_one_seed_can_be_darker_and_is_named():
    found = {(100, "rnn", "width"): [recorded("rnn", 0, [20], [0.2]), recorded("rnn", 1, [20], [0.3])]}
    kinds = [("rnn", "width")]
    first, last = adding_looks.draw_looks("A claim", found, kinds, (100, 5000), darker=(100, "rnn", 1))
    assert [line.get_color() for line in first.get_lines()][:2] == ["silver", adding_looks.DARK]
    assert [text.get_text() for text in last.get_legend().get_texts()] == ["rnn", "rnn, seed 1, T = 100"]


def test_runs_stand_by_their_rates_seed_by_seed():
    one, two = recorded("rnn", 0, [20], [0.2]), recorded("rnn", 1, [20], [0.3])
    runs = adding_looks.by_rate({(100, "rnn", "width"): [one, two]}, [("rnn", "width"), ("lstm", "equal")], (100, 500))
    assert runs == {("rnn", 100, one.runs[0].rate): [one.runs[0], two.runs[0]]}
