"""The recorded runs of lesson 09: their looks as a figure, runs by their rates, and numbers in a row."""

import numpy as np

from ...plots import BLUE, GREEN, PINK, RED, panels
from ...records import chosen_run

GREY, DARK = "silver", "#00432F"
COLOURS = {
    "rnn": GREY, "short-term": GREY, "indrnn-1": GREY, "irnn": RED, "indrnn-2": GREEN, "durnn": PINK, "lstm": BLUE,
}


def listed(numbers):
    """Whole numbers, or inf, in words: 3000.0, inf  ->  "3000, inf"."""
    return ", ".join(f"{number:.0f}" for number in numbers)


def by_rate(found, kinds, lengths):
    """The runs of all records of these kinds, seed by seed  ->  {(model, T, rate): runs}.    found: as below"""
    runs = {}
    for model, size in kinds:
        for T in lengths:
            for record in found.get((T, model, size), []):
                for run in record.runs:
                    runs.setdefault((model, T, run.rate), []).append(run)
    return runs


def draw_looks(title, found, kinds, lengths=(100, 1000, 5000), darker=None):
    """A panel for each T: the validation error of every seed's chosen run against its updates, both logarithmic.

    found    (T, model, size) -> list of records, one for each seed        kinds    the (model, size) that are drawn
    darker   the (T, model, seed) of a run in a darker colour, or None
    """
    _, axes = panels(title, len(lengths), 10.5, 4.2)
    for side, T in zip(axes, lengths):
        for model, size in kinds:
            for record in found.get((T, model, size), []):
                dark = (T, model, record.trial["seed"]) == darker
                _draw_run(side, chosen_run(record), DARK if dark else COLOURS[model])
        for level, name in ((0.01, "0.01"), (1 / 6, "1/6")):
            side.axhline(level, color="black", linewidth=1, linestyle=":")
            side.annotate(name, (1.01, level), xycoords=("axes fraction", "data"), va="center", fontsize=8)
        side.set(title=f"T = {T}", xlabel="updates", ylabel="error of looks", ylim=(2e-4, 1))
        side.loglog()
    _name_lines(axes[-1], [model for model, _ in kinds], darker)
    return axes


def _draw_run(side, run, colour):
    """The looks of one run; updates without a look, None, are left out."""
    looks = np.array(run.curve["validation"], float)          # None becomes NaN
    there = looks > 0                                         # False for NaN
    side.plot(np.array(run.curve["update"])[there], looks[there], color=colour, linewidth=1)


def _name_lines(side, models, darker):
    """A legend with one entry for each colour."""
    for colour in dict.fromkeys(COLOURS[model] for model in models):
        names = [model for model in models if COLOURS[model] == colour]
        side.plot([], [], color=colour, label=", ".join(names))
    if darker is not None:
        T, model, seed = darker
        side.plot([], [], color=DARK, label=f"{model}, seed {seed}, T = {T}")
    side.legend(loc="lower left", fontsize=8)
