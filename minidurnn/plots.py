"""One figure style: a claim in the title, units on the axes, colours that the colour-blind can tell apart."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .records.record import chosen_run, identity
from .training.files import whole

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PINK = "#0072B2", "#D55E00", "#CC79A7"
PALETTE = (BLUE, ORANGE, GREEN, PINK, RED, SKY, BLACK)       # Okabe and Ito's palette; yellow is too light for lines
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))    # a second channel beside colour


def panels(claim, columns=1, width=6.4, height=3.4):
    """A figure with one row of axes under a title that states its claim  ->  figure, axes (a list for columns > 1)."""
    figure, axes = plt.subplots(1, columns, figsize=(width, height), dpi=90, layout="constrained")
    _style(figure, [axes] if columns == 1 else axes, claim)
    return figure, axes if columns == 1 else list(axes)


def _style(figure, axes, claim):
    """Give a figure its title and its axes their grid."""
    figure.suptitle(claim, fontsize=11)
    for one in axes:
        one.grid(alpha=0.25, linewidth=0.6)
        one.spines[["top", "right"]].set_visible(False)


def line(axes, x, y, label, place=0, **options):
    """One curve in the colour and line style of its place in the palette."""
    colour, style = PALETTE[place % len(PALETTE)], LINES[place % len(LINES)]
    axes.plot(x, y, color=colour, linestyle=style, linewidth=1.8, label=label, **options)


def reference(axes, y, label):
    """A thin horizontal line with its name: a chance level, a bound."""
    axes.axhline(y, color="#666666", linewidth=1.0, linestyle=(0, (1, 2)))
    where = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
    axes.annotate(label, (1.0, y), fontsize=8, color="#444444", **where)


def curves(claim, x, rows, xlabel, ylabel, *, width=6.4, height=3.4, marker=None, legend="best", **settings):
    """A figure of one panel with a curve for every entry of `rows`  ->  axes.

    rows       label -> y (len(x),), or several y of one colour, (runs, len(x))
    settings   of the axes: yscale="log", ylim=(0, 1), ...
    """
    _, axes = panels(claim, width=width, height=height)
    for place, (label, ys) in enumerate(rows.items()):
        for number, y in enumerate(np.atleast_2d(ys)):
            line(axes, x, y, None if number else label, place, marker=marker, markersize=4)
    axes.set(xlabel=xlabel, ylabel=ylabel, **settings)
    axes.legend(fontsize=8, loc=legend)
    return axes


def training_curves(records, path):
    """Validation metric against updates, saved as a PNG: a curve per set of options (its first seed, its chosen rate).

    A curriculum is drawn at the length where it ended. The figure is made for the file, whatever shows figures here.
    """
    first = records[0]
    figure = Figure(figsize=(7.6, 3.4), dpi=90, layout="constrained")
    axes = figure.subplots()
    what = f"{first.trial['experiment']}, T = {first.trial['length']}"
    _style(figure, [axes], f"{what}: validation {first.metric} in training")
    reference(axes, first.baseline["value"], first.baseline["name"])
    firsts = {}
    for record in records:
        firsts.setdefault(identity(record), record)
    for place, record in enumerate(firsts.values()):
        curve = chosen_run(record).curve
        looks = [row for row, metric in enumerate(curve["validation"]) if metric is not None]
        x, y = ([curve[name][row] for row in looks] for name in ("update", "validation"))
        line(axes, x, y, _label(record), place, marker=".")
    axes.set(xlabel="updates", ylabel=first.metric, yscale="log" if first.metric == "mse" else "linear")
    title = "model (trained numbers)"
    axes.legend(fontsize=8, title=title, title_fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    with whole(path, "figure") as file:
        FigureCanvasAgg(figure).print_png(file)


def _label(record):
    """Model, trained numbers, and how a curriculum or a run ended."""
    stages, ended = len(record.trial["stages"]), chosen_run(record).ended_at
    said = f", after {stages} stages" if ended == record.trial["length"] else f", ended at T = {ended or '?'}"
    diverged = ", diverged" if record.verdict == "diverged" else ""
    return f"{record.trial['model']} ({record.parameters:,}){said if stages else ''}{diverged}"
