"""One figure style: a claim in the title, units on the axes, colours that the colour-blind can tell apart."""

import matplotlib.pyplot as plt
import numpy as np

from .records.record import chosen_run

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PINK = "#0072B2", "#D55E00", "#CC79A7"
PALETTE = (BLUE, ORANGE, GREEN, PINK, RED, SKY, BLACK)       # Okabe and Ito's palette; yellow is too light for lines
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))    # a second channel beside colour


def panels(claim, columns=1, width=6.4, height=3.4):
    """A figure with one row of axes under a title that states its claim  ->  figure, axes (a list for columns > 1)."""
    figure, axes = plt.subplots(1, columns, figsize=(width, height), dpi=90, layout="constrained")
    figure.suptitle(claim, fontsize=11)
    for one in [axes] if columns == 1 else axes:
        one.grid(alpha=0.25, linewidth=0.6)
        one.spines[["top", "right"]].set_visible(False)
    return figure, axes if columns == 1 else list(axes)


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
    """Validation metric against updates, one curve per model and size (its first seed, its chosen rate), saved as a PNG."""
    first = records[0]
    figure, axes = panels(f"{first['trial']['experiment']}, T = {first['trial']['length']}: validation {first['metric']} in training", width=7.6)
    reference(axes, first["baseline"]["value"], first["baseline"]["name"])
    firsts = {(record["trial"]["model"], record["parameters"], len(record["trial"]["stages"])): record for record in reversed(records)}
    for place, ((model, _, stages), record) in enumerate(reversed(firsts.items())):
        run = chosen_run(record)
        curve, ended = run["curve"], run.get("ended_at_length") or record["trial"]["length"]
        points = [(update, metric) for update, metric in zip(curve["update"], curve["validation"]) if metric is not None]
        said = "" if not stages else f", after {stages} stages" if ended == record["trial"]["length"] else f", ended at T = {ended}"
        said += ", diverged" if record["verdict"] == "diverged" else ""
        line(axes, [update for update, _ in points], [metric for _, metric in points], f"{model} ({record['parameters']:,}){said}", place, marker=".")
    axes.set(xlabel="updates", ylabel=first["metric"], yscale="log" if first["metric"] == "mse" else "linear")
    axes.legend(fontsize=8, title="model (trained numbers)", title_fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path)
    plt.close(figure)
