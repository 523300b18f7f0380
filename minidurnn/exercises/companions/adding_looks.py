"""The looks of the recorded runs of lesson 09: a figure, and numbers in a row."""

import numpy as np

from ...plots import BLUE, GREEN, PINK, RED, panels
from ...records import chosen_run

GREY = "silver"
COLOURS = {
    "rnn": GREY, "short-term": GREY, "indrnn-1": GREY, "irnn": RED, "indrnn-2": GREEN, "durnn": PINK, "lstm": BLUE,
}


def listed(numbers):
    """Whole numbers, or inf, in words: 3000.0, inf  ->  "3000, inf"."""
    return ", ".join(f"{number:.0f}" for number in numbers)


def draw_looks(title, found, kinds, lengths=(100, 1000, 5000)):
    """A panel for each T: the validation error of every seed's chosen run against its updates, both logarithmic.

    found    (T, model, size) -> list of records, one for each seed        kinds    the (model, size) that are drawn
    """
    _, axes = panels(title, len(lengths), 10.5, 4.2)
    for side, T in zip(axes, lengths):
        for model, size in kinds:
            for record in found.get((T, model, size), []):
                _draw_run(side, chosen_run(record), COLOURS[model])
        for level in (0.01, 1 / 6):
            side.axhline(level, color="black", linewidth=1, linestyle=":")
        side.set(title=f"T = {T}", xlabel="updates", ylabel="error of looks", ylim=(2e-4, 1))
        side.loglog()
    _name_lines(axes[-1], [model for model, _ in kinds])
    return axes


def _draw_run(side, run, colour):
    """The looks of one run; updates without a look, None, are left out."""
    looks = np.array(run.curve["validation"], float)          # None becomes NaN
    there = looks > 0                                         # False for NaN
    side.plot(np.array(run.curve["update"])[there], looks[there], color=colour, linewidth=1)


def _name_lines(side, models):
    """A legend with one entry for each colour, and one for the two dotted lines."""
    for colour in dict.fromkeys(COLOURS[model] for model in models):
        names = [model for model in models if COLOURS[model] == colour]
        side.plot([], [], color=colour, label=", ".join(names))
    side.plot([], [], color="black", linewidth=1, linestyle=":", label="0.01 and 1/6")
    side.legend(loc="lower left", fontsize=8)
