"""One figure style: a claim in the title, units on the axes, colours that the colour-blind can tell apart."""

import matplotlib.pyplot as plt
import numpy as np

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
    around, colour = divmod(place, len(PALETTE))              # once around, every colour has another style
    colour, style = PALETTE[colour], LINES[(place + around) % len(LINES)]
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


def sketch(title, xlim, ylim, scale=0.9):
    """An empty sheet for a drawing, one unit `scale` inches  ->  axes without ticks, equal in both directions."""
    width, height = (abs(high - low) for low, high in (xlim, ylim))
    figure, axes = plt.subplots(figsize=(scale * width, scale * height + 0.35), dpi=90, layout="constrained")
    figure.suptitle(title, fontsize=11)
    axes.set(xlim=xlim, ylim=ylim, aspect="equal")
    axes.axis("off")
    return axes


def box(axes, x, y, text, width=0.9, height=0.6, colour=BLACK, filled=False):
    """A box around a text, centred at (x, y)  ->  the box, for arrows."""
    face = (colour, 0.15) if filled else "white"
    shape = plt.Rectangle(
        (x - width / 2, y - height / 2), width, height, facecolor=face, edgecolor=colour, linewidth=1.3
    )
    axes.add_patch(shape)
    axes.annotate(text, (x, y), ha="center", va="center", fontsize=10)
    return shape


def arrow(axes, start, end, text="", colour=BLACK, bend=0.0, dashed=False, side=0.16):
    """An arrow between two boxes or points (x, y), with a text beside its middle.

    bend     0 is straight; 0.3 bends to one side, -0.3 to the other       side    how far the text stands off, in units
    """
    (x0, y0), (x1, y1) = (one.get_center() if isinstance(one, plt.Rectangle) else one for one in (start, end))
    boxes = {name: one for name, one in (("patchA", start), ("patchB", end)) if isinstance(one, plt.Rectangle)}
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.3, "shrinkA": 2, "shrinkB": 2, **boxes}
    style |= {"connectionstyle": f"arc3,rad={bend}", "linestyle": (0, (4, 2)) if dashed else "-"}
    axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
    length = np.hypot(x1 - x0, y1 - y0)
    normal = np.array([-(y1 - y0), x1 - x0]) / length         # to the left of the way from start to end
    middle = np.array([x0 + x1, y0 + y1]) / 2 + normal * (side - bend * length / 2)
    axes.annotate(text, middle, ha="center", va="center", fontsize=9, color=colour)


def timeline(axes, y, values, name, marked=(), colour=ORANGE, start=0.0, size=0.6):
    """One sequence as a row of cells, a step each, at height y; the steps in `marked` (from 0) are coloured."""
    axes.annotate(name, (start - 0.2, y), ha="right", va="center", fontsize=10)
    for step, value in enumerate(values):
        box(
            axes, start + size * (step + 0.5), y, value, size, size, colour if step in marked else BLACK,
            step in marked,
        )


def explore(draw, **sliders):
    """A figure that sliders move. Where no kernel runs, a reader sees the picture of the first setting.

    draw       a function of the sliders' values that draws one figure
    sliders    name -> (low, high, step, first value)
    """
    from base64 import b64encode
    from io import BytesIO

    from IPython.display import display

    draw(**{name: first for name, (*_, first) in sliders.items()})
    try:
        from ipywidgets import FloatSlider, interactive
    except ImportError:
        plt.show()
        print(f"No sliders without ipywidgets: to move {', '.join(sliders)}, call the function with other values.")
        return
    file = BytesIO()
    plt.savefig(file, format="png")
    plt.close()
    made = {
        name: FloatSlider(min=low, max=high, step=step, value=first, continuous_update=False)
        for name, (low, high, step, first) in sliders.items()
    }

    def show(**values):
        draw(**values)
        plt.show()

    moving = interactive(show, **made)
    picture = {"image/png": b64encode(file.getvalue()).decode(), "text/plain": "a figure with sliders: run the cell"}
    display({**moving._repr_mimebundle_(), **picture}, raw=True)


def training_curves(records, path):
    """Validation metric against updates, saved as a PNG: a curve per set of options (its first seed, its chosen rate).

    A curriculum is drawn at the length where it ended. The figure is made for the file, whatever shows figures here.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

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
