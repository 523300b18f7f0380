"""Figures of lesson 12, drawn into given axes: windows, costs after a reset, the states of units below characters."""

import numpy as np

from ...plots import BLUE, ORANGE, RED, arrow, box, panels, plt

COLOURS, STYLES = (BLUE, ORANGE), ("-", "--")


def draw_windows(axes, states, slopes):
    """Four states in two windows of 2: arrows for the state, dashed ones for the slope, from the second to the first.

    axes      a sketch from (-1.2, -1.4) to (9.2, 1.5)
    states    of the four steps                       slopes    of the loss along the two states of a window
    """
    boxes = [box(axes, 2.6 * t + 0.3, 0, f"$h_{t + 1}$ = {states[t]:g}", 1.2, filled=True) for t in range(4)]
    for before, after in zip(boxes, boxes[1:]):
        arrow(axes, before, after, "state · u", side=0.25)
    for left in (0.5, 5.7):                                   # within window 1 and within window 2
        says = f"slope {slopes[0]:g} ← {slopes[1]:g}"
        arrow(axes, (left + 2, -0.4), (left, -0.4), says, RED, -0.35, True, -0.2)
    axes.vlines([4.2, 4.2], [-1.3, 0.5], [-0.1, 1.3], "black", "dotted")
    for words, x, y in (("window 1", 1, 1.15), ("cut", 4.3, -1.2), ("window 2", 6.2, 1.15)):
        axes.annotate(words, (x, y))


def show_costs(costs, never, scored, marks):
    """Print some costs after a reset, and draw all of them into a figure of their own.

    costs     bits (2 seeds, 20) after 1 to 20 characters read     never     bits of 2 seeds without a reset
    scored    how many characters were scored                      marks     name -> bits, a dotted line each
    """
    shown = 1, 2, 3, 4, 10
    print(f"bits of {scored:,} characters\nn        ", *[f"{n:5}" for n in shown], " never reset")
    for seed, row in enumerate(costs):
        print(f"seed {seed}   ", *[f"{row[n - 1]:5.3f}" for n in shown], f" {never[seed]:.3f}")
    figure, axes = panels("Bits after a reset, by characters read")
    for seed, (row, colour, style) in enumerate(zip(costs, COLOURS, STYLES)):
        axes.plot(np.arange(1, 21), row, style, color=colour, marker=".", linewidth=1.8, label=f"seed {seed}")
        axes.hlines(never[seed], 21, 23, colour)
        axes.axhspan(never[seed] - 0.05, never[seed] + 0.05, color=colour, alpha=0.12, linewidth=0)
    axes.annotate("never reset\n(band: ± 0.05)", (24, max(never) + 0.06), ha="center", fontsize=8)
    for name, bits in marks.items():
        axes.axhline(bits, color="#666666", linewidth=1.0, linestyle=":")
        axes.annotate(name, (27, bits + 0.01), ha="right", fontsize=8, color="#444444")
    axes.set(
        xlabel="characters read since the reset", ylabel="bits per test character", xlim=(0, 27), ylim=(2.7, 4),
        xticks=[1, 2, 3, 4, 10, 20],
    )
    axes.legend(fontsize=8)
    plt.show()


def visible(string):
    """A text in which every character can be seen: ↵ is a line end, ␣ a blank."""
    return string.replace("\n", "↵").replace(" ", "␣")


def print_pushes(label, string, push, state):
    """Print a text, one column a character, above what was pushed into a unit there and the state after it."""
    print(f"{label:7}", *[f"{character:>5}" for character in visible(string)])
    print("   push", *[f"{number:5.2f}" for number in push])
    print("  state", *[f"{number:5.2f}" for number in state])


def draw_states(axes, title, labels, texts, values, each=False):
    """Texts of equal length as rows of cells, each named by its label: a character, its value below.

    values    (texts, characters); a cell is the darker the higher its value
    each      True: dark is the highest value of the row, so that rows of two units can stand together; else of all
    """
    top = np.max(values, axis=1, keepdims=True) if each else np.max(values)
    axes.set_title(title, fontsize=10)
    axes.imshow(values / top, aspect="auto", cmap="Blues", vmin=0, vmax=2)        # pale enough to read on
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{visible(texts[row])[column]}\n{value:.1f}", ha="center", va="center", fontsize=9)
    for row, label in enumerate(labels):
        axes.text(-0.6, row, label, ha="right", va="center", fontsize=9)
    axes.set_axis_off()
