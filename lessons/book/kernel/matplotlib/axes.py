"""One panel: what is drawn on it, in the order of its calls, and how it becomes SVG."""

import numpy as np

from . import lacks, refuse, shapes, words
from .legend import draw as draw_legend
from .panel import frame
from .settings import Settings
from .shapes import colour

SHORT = {"c": "color", "ls": "linestyle", "lw": "linewidth", "ms": "markersize"}


class Axes(Settings):
    """A panel of a figure."""

    def __init__(self, figure):
        super().__init__()
        self.figure, self.legends = figure, None
        self.drawn, self.named, self.cycle = [], [], 0        # (height above the sheet, function of the box), labels

    def plot(self, *data, **options):
        """A line: plot(y), plot(x, y), each with a format such as "o--"; columns of y are lines of their own."""
        *data, form = data if isinstance(data[-1], str) else (*data, "")
        y = np.asarray(data[-1], float)
        x = np.asarray(data[0], float) if len(data) > 1 else np.arange(len(y))
        look = _look(form, options)
        paint = look["color"]
        if paint is None:
            paint, self.cycle = f"C{self.cycle % 10}", self.cycle + 1
        paint = colour(paint)
        x, y = np.atleast_1d(x), np.atleast_1d(y)
        self.x.see(x)
        self.y.see(y)

        def at(box):
            said = ""
            for column in y.T if y.ndim == 2 else [y]:
                a, b = box.points(x, column)
                if look["linestyle"] not in ("", "None", "none", None):
                    said += f'<path d="{shapes.path(a, b)}" '
                    said += f'{shapes.pen(paint, look["linewidth"], look["linestyle"], look["alpha"])}/>'
                if look["marker"]:
                    said += shapes.marks(a, b, look["marker"], look["markersize"], paint)
            return said

        self._draw(2, at, True)
        for column in y.T if y.ndim == 2 else [y]:
            self.named.append((look["label"], paint, look, (x, column)))

    def step(self, x, y, form="", where="pre", **options):
        """A line in steps; each level stands before ("pre"), around ("mid") or after ("post") its x."""
        x, y = np.asarray(x, float), np.asarray(y, float)
        middle = (x[1:] + x[:-1]) / 2
        edges = {"pre": x[:-1], "mid": middle, "post": x[1:]}[where]
        self.plot(np.hstack([x[:1], np.repeat(edges, 2), x[-1:]]), np.repeat(y, 2), form, **options)

    def scatter(self, x, y, s=36, c=None, **options):
        """A dot at every point, in one colour or one for each."""
        refuse("scatter", options)
        x, y = np.ravel(x).astype(float), np.ravel(y).astype(float)
        paint = [colour(one) for one in c] if c is not None and not isinstance(c, str) else colour(c or "C0")
        self.x.see(x)
        self.y.see(y)
        self._draw(1, lambda box: shapes.marks(*box.points(x, y), "o", s ** 0.5, paint), True)

    def bar(self, x, height, width=0.8, color="C0", **options):
        """Bars that stand on 0 around every x."""
        refuse("bar", options)
        x, height = np.broadcast_arrays(np.asarray(x, float), np.asarray(height, float))
        self.x.see([x - width / 2, x + width / 2])
        self.y.see(height)
        self.y.see([0], margin=False)

        def at(box):
            (left, top), (right, bottom) = box.points(x - width / 2, height), box.points(x + width / 2, 0 * height)
            bottom = np.where(np.isfinite(bottom), bottom, box.bottom)
            return "".join(_filled(a, b, c, d, color) for a, b, c, d in zip(left, top, right, bottom))

        self._draw(1, at, True)

    def fill_between(self, x, low, high=0, color="C0", alpha=None, **options):
        """The area between two lines."""
        refuse("fill_between", options)
        x, low, high = np.broadcast_arrays(np.asarray(x, float), low, high)
        self.x.see(x)
        self.y.see([low, high])

        def at(box):
            a, b = box.points(np.hstack([x, x[::-1]]), np.hstack([low, high[::-1]]))
            return f'<path d="{shapes.path(a, b)}Z" fill="{colour(color)}" fill-opacity="{alpha or 1:g}"/>'

        self._draw(1, at, True)

    def axhline(self, y=0, **options):
        """A line across the panel."""
        self._across(y, "axhline", options, self.y, lambda box: [(box.left, box.right), (box.y(y),) * 2])

    def axvline(self, x=0, **options):
        """A line from the panel's bottom to its top."""
        self._across(x, "axvline", options, self.x, lambda box: [(box.x(x),) * 2, (box.bottom, box.top)])

    def _across(self, value, name, options, scale, ends):
        look = _look("", options)
        paint = colour(look["color"] or "C0")
        scale.see([value])
        pen = shapes.pen(paint, look["linewidth"], look["linestyle"], look["alpha"])
        self._draw(2, lambda box: f'<path d="{shapes.path(*ends(box))}" {pen}/>', True)
        self.named.append((look["label"], paint, look, None))

    def axvspan(self, start, end, color="C0", alpha=None, **options):
        """A stripe from the panel's bottom to its top."""
        refuse("axvspan", options)
        self.x.see([start, end])
        self._draw(1, lambda box: _filled(box.x(start), box.top, box.x(end), box.bottom, color, alpha), True)

    def add_patch(self, patch):
        """A box."""
        def at(box):
            (left, top, right, bottom) = box.of(patch)
            edge = f'stroke="{colour(patch.edgecolor)}" stroke-width="{patch.linewidth:g}"'
            return (f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
                    f'fill="{colour(patch.facecolor)}" {edge}/>')

        self._draw(1, at, True)

    def text(self, x, y, said, *, ha="left", va="baseline", fontsize=10, color="black", backgroundcolor=None,
             **options):
        """Words at a point."""
        refuse("text", options)
        behind = colour(backgroundcolor) if backgroundcolor else None
        self._draw(3, lambda box: words.draw(box.x(x), box.y(y), said, fontsize, colour(color), ha, va, False, behind))

    def annotate(self, text, xy, xytext=None, *, xycoords="data", textcoords=None, ha="left", va="baseline",
                 fontsize=10, color="black", arrowprops=None, **options):
        """Words at a point, or off it, or an arrow from xytext to xy."""
        refuse("annotate", options)
        if xycoords not in ("data", ("axes fraction", "data")) or textcoords not in (None, "data", "offset points"):
            raise ValueError(lacks(f"annotate with the coordinates {xycoords}, {textcoords}"))

        def at(box):
            x = box.x(xy[0]) if xycoords == "data" else box.left + xy[0] * (box.right - box.left)
            y, said = box.y(xy[1]), ""
            start = (x, y)
            if xytext is not None:
                off = textcoords == "offset points"
                start = (x + xytext[0], y - xytext[1]) if off else (box.x(xytext[0]), box.y(xytext[1]))
            if arrowprops is not None:
                said = _arrow(start, (x, y), box, **arrowprops)
            return said + (words.draw(*start, text, fontsize, colour(color), ha, va) if str(text) else "")

        self._draw(3, at)

    def legend(self, labels=None, *, loc="best", fontsize=10, **options):
        """The names of the lines: their labels, or those that are given, in the order of the lines."""
        refuse("legend", options)
        named = [entry for entry in self.named if str(entry[0] or "_")[0] != "_"]
        if labels is not None:
            named = [(str(label), *entry[1:]) for label, entry in zip(labels, self.named)]
        self.legends = (named, loc, fontsize)

    def svg(self, box):
        """The panel in its box."""
        ordered = sorted(self.drawn, key=lambda entry: entry[0])
        inside = [(clip, at(box)) for _, at, clip in ordered]
        return frame(self, box, inside) + (draw_legend(self, box, *self.legends) if self.legends else "")

    def _draw(self, height, at, clip=False):
        self.drawn.append((height, at, clip))


def _look(form, options):
    """A format such as "k--" or "o" and the options of a line  ->  all of them by name."""
    look = {"color": None, "linestyle": "-", "linewidth": 1.5, "marker": None, "markersize": 6, "alpha": None}
    look["label"] = ""
    rest = form
    for dash in ("--", "-.", "-", ":"):
        if dash in rest:
            look["linestyle"], rest = dash, rest.replace(dash, "", 1)
            break
    else:
        look["linestyle"] = "" if any(mark in rest for mark in shapes.MARKERS) else "-"
    for letter in rest:
        look["marker" if letter in shapes.MARKERS else "color"] = letter
    given = {SHORT.get(name, name): value for name, value in options.items()}
    refuse("plot", set(given) - set(look))
    look |= given
    return look


def _filled(left, top, right, bottom, paint, alpha=None):
    """A rectangle without an edge; nothing where it has no place."""
    left, right, top, bottom = min(left, right), max(left, right), min(top, bottom), max(top, bottom)
    if not all(abs(one) < 1e5 for one in (left, right, top, bottom)):
        return ""
    return (f'<rect x="{left:.2f}" y="{top:.2f}" width="{right - left:.2f}" height="{bottom - top:.2f}" '
            f'fill="{colour(paint)}" fill-opacity="{1 if alpha is None else alpha:g}"/>')


def _arrow(start, end, box, *, arrowstyle="-|>", color="C0", linewidth=1.0, linestyle="-", shrinkA=2, shrinkB=2,
           patchA=None, patchB=None, connectionstyle="arc3,rad=0", **options):
    """An arrow with the properties that matplotlib gives it."""
    refuse("arrowprops", options)
    if not connectionstyle.startswith("arc3") or arrowstyle not in ("-|>", "->"):
        raise ValueError(lacks(f"the arrow {arrowstyle}, {connectionstyle}"))
    boxes = [box.of(patch) if patch is not None else None for patch in (patchA, patchB)]
    bend = float(connectionstyle.partition("rad=")[2] or 0)
    return shapes.arrow(start, end, boxes, bend=bend, stroke=colour(color), wide=linewidth, style=linestyle,
                        shrink=(shrinkA, shrinkB))
