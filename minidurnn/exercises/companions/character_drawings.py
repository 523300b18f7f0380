"""Two figures of lesson 12, drawn into given axes: costs after a reset, and the states of units below characters."""

import numpy as np

from ...plots import BLUE, ORANGE

COLOURS, STYLES = (BLUE, ORANGE), ("-", "--")


def draw_costs(axes, costs, marks):
    """Bits (2 seeds, 21) against characters read, 1 to 20, then never reset; marks: name -> bits, a dotted line."""
    for seed, (row, colour, style) in enumerate(zip(costs, COLOURS, STYLES)):
        axes.plot(np.arange(1, 21), row[:20], style, color=colour, marker=".", linewidth=1.8, label=f"seed {seed}")
        axes.hlines(row[20], 21, 23, colour)
    axes.annotate("never reset", (22, costs[:, 20].max() + 0.03), ha="center", fontsize=8)
    for name, bits in marks.items():
        axes.axhline(bits, color="#666666", linewidth=1.0, linestyle=":")
        axes.annotate(name, (27, bits + 0.01), ha="right", fontsize=8, color="#444444")
    axes.set(
        xlabel="characters read since the reset", ylabel="bits per test character", xlim=(0, 27), ylim=(2.7, 4),
        xticks=[1, 2, 5, 10, 20],
    )
    axes.legend(fontsize=8)


def draw_states(axes, title, labels, texts, values, each=False):
    """Texts of equal length as rows of cells, each named by its label: a character, its value below.

    values    (texts, characters); a cell is the darker the higher its value
    each      True: dark is the highest value of the row, so that rows of two units can stand together; else of all
    """
    top = np.max(values, axis=1, keepdims=True) if each else np.max(values)
    axes.set_title(title, fontsize=10)
    axes.imshow(values / top, aspect="auto", cmap="Blues", vmin=0, vmax=2)        # pale enough to read on
    for (row, column), value in np.ndenumerate(values):
        shown = {"\n": "↵", " ": "␣"}.get(texts[row][column], texts[row][column])
        axes.text(column, row, f"{shown}\n{value:.1f}", ha="center", va="center", fontsize=9)
    for row, label in enumerate(labels):
        axes.text(-0.6, row, label, ha="right", va="center", fontsize=9)
    axes.set_axis_off()
