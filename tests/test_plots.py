"""Figures: what is drawn. That a file needs no screen, tests/test_command_line.py shows in a process of its own."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_records import RECORD, with_trial

sys.path.insert(0, str(Path(__file__).parent / "records"))

from test_table import staged  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def drawing():
    """minidurnn.plots, imported where these tests run: a second that every process would take to collect them."""
    global plots
    pytest.importorskip("matplotlib", reason="figures need matplotlib")
    from minidurnn import plots


def test_curves_of_one_label_share_colour_and_legend():
    rows = {"one": [3, 2, 1], "three runs": np.eye(3)}
    axes = plots.curves("a claim", [1, 2, 3], rows, "updates", "error", yscale="log", ylim=(0.1, 4))
    drawn = axes.get_lines()
    assert [list(line.get_ydata()) for line in drawn] == [[3, 2, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert len({(line.get_color(), line.get_linestyle()) for line in drawn[1:]}) == 1
    assert drawn[0].get_color() != drawn[1].get_color()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["one", "three runs"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("updates", "error")
    assert (axes.get_yscale(), axes.get_ylim()) == ("log", (0.1, 4))
    assert axes.figure.get_suptitle() == "a claim"
    plots.plt.close(axes.figure)


def test_no_two_of_many_curves_look_alike():
    axes = plots.panels("a claim")[1]
    for place in range(40):
        plots.line(axes, [0, 1], [0, 1], str(place), place)
    looks = {(line.get_color(), str(line._dash_pattern), line.get_linestyle()) for line in axes.get_lines()}
    assert len(looks) == 40
    plots.plt.close(axes.figure)


@pytest.fixture
def drawn(monkeypatch):
    """What is drawn: (label, y) of every curve."""
    curves, true = [], plots.line

    def line(axes, x, y, label, *more, **options):
        curves.append((label, y))
        true(axes, x, y, label, *more, **options)
    monkeypatch.setattr(plots, "line", line)
    return curves


@pytest.fixture
def unsaved(monkeypatch):
    """No pixels are made, where only the labels are looked at."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    monkeypatch.setattr(FigureCanvasAgg, "print_png", lambda canvas, file: None)


def test_a_record_is_drawn_to_its_file_and_leaves_no_figure_open(tmp_path, drawn):
    before = plots.plt.get_fignums()
    records = [RECORD, with_trial(RECORD, model="durnn"), with_trial(RECORD, seed=1)]
    plots.training_curves(records, tmp_path / "curves.png")
    raw = (tmp_path / "curves.png").read_bytes()
    assert raw.startswith(b"\x89PNG\r\n\x1a\n") and len(raw) > 5000
    assert drawn == [("rnn (61)", [0.2]), ("durnn (61)", [0.2])] and plots.plt.get_fignums() == before
    plots.training_curves([RECORD], tmp_path / "curves.png")        # a figure may be drawn again
    assert [file.name for file in tmp_path.iterdir()] == ["curves.png"]


@pytest.mark.parametrize("stages, words", [
    ([(4, 20, 1.0), (6, 20, 1.0), (10, 20, 1.0)], "after 2 stages"),
    ([(4, 20, 1.0)], "ended at T = 4"),
    ([(None, 20, 1.0)], "ended at T = ?"),
])
def test_a_curve_says_where_its_curriculum_ended(stages, words, tmp_path, drawn, unsaved):
    plots.training_curves([staged(*stages)], tmp_path / "curves.png")
    assert [label.endswith(words) for label, _ in drawn] == [True]


def test_what_diverged_is_drawn_and_said(tmp_path, drawn, unsaved):
    plots.training_curves([replace(RECORD, verdict="diverged", test=None)], tmp_path / "curves.png")
    assert drawn[0][0] == "rnn (61), diverged"


def test_a_figure_with_sliders_is_its_first_picture_where_there_are_none(monkeypatch, capsys):
    pytest.importorskip("IPython", reason="notebooks show figures through IPython")
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.setattr(plots.plt, "show", lambda: drawings.append("shown"))
    drawings = []
    plots.explore(lambda height: drawings.append(height), height=(0, 1, 0.1, 0.5))
    assert drawings == [0.5, "shown"]
    assert capsys.readouterr().out == (
        "No sliders without ipywidgets: to move height, call the function with other values.\n")
