"""Lines, markers, boxes and arrows as SVG; points from the upper left corner of the sheet."""

import numpy as np

NAMES = {"k": "#000000", "black": "#000000", "w": "#ffffff", "white": "#ffffff", "r": "#ff0000", "red": "#ff0000",
         "g": "#008000", "green": "#008000", "b": "#0000ff", "blue": "#0000ff", "grey": "#808080", "gray": "#808080"}
CYCLE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
DASHES = {"-": (), "--": (3.7, 1.6), "-.": (6.4, 1.6, 1, 1.6), ":": (1, 1.65)}
MARKERS = "o.x_|s^+"


class Rectangle:
    """A box with one corner at xy."""

    def __init__(self, xy, width, height, facecolor="#1f77b4", edgecolor="none", linewidth=1.0):
        self.xy, self.width, self.height = xy, width, height
        self.facecolor, self.edgecolor, self.linewidth = facecolor, edgecolor, linewidth

    def get_center(self):
        """The point in its middle."""
        return self.xy[0] + self.width / 2, self.xy[1] + self.height / 2


def colour(given):
    """A colour as matplotlib takes it: a name, a letter, "C0", "#0072B2", (red, green, blue), (colour, alpha)."""
    if isinstance(given, str):
        if len(given) == 2 and given[0] == "C" and given[1].isdigit():
            return CYCLE[int(given[1])]
        return NAMES.get(given, given)
    if len(given) == 2:
        return f"{colour(given[0])}{round(255 * given[1]):02x}"          # the hexadecimal form takes an alpha
    return "#" + "".join(f"{round(255 * part):02x}" for part in given[:3])


def pen(stroke, wide, style="-", alpha=None):
    """The attributes of a line."""
    offset, pattern = (0, DASHES[style]) if isinstance(style, str) else style
    dashes = f' stroke-dasharray="{" ".join(f"{wide * part:.2f}" for part in pattern)}"' if pattern else ""
    faint = f' stroke-opacity="{alpha:g}"' if alpha is not None else ""
    return f'fill="none" stroke="{stroke}" stroke-width="{wide:g}" stroke-linejoin="round"{dashes}{faint}'


def path(x, y):
    """The points of a line as a path; a number that has no place interrupts it."""
    said, down = [], False
    for a, b in zip(np.clip(x, -9e4, 9e4), np.clip(y, -9e4, 9e4)):
        if np.isfinite(a) and np.isfinite(b):
            said.append(f"{'L' if down else 'M'}{a:.1f} {b:.1f}")
            down = True
        else:
            down = False
    return "".join(said)


def marks(x, y, kind, size, paint):
    """A marker at every point; one colour for all, or one for each."""
    r, said = (size + 1) / 2 if kind == "o" else size / 4 + 0.5 if kind == "." else size / 2, []    # with its edge
    paints = [paint] * len(x) if isinstance(paint, str) else paint
    for a, b, one in zip(x, y, paints):
        if not (np.isfinite(a) and np.isfinite(b)):
            continue
        if kind in "o.":
            said.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r:.2f}" fill="{one}"/>')
            continue
        strokes = {
            "x": [(-r, -r, r, r), (-r, r, r, -r)], "+": [(-r, 0, r, 0), (0, -r, 0, r)], "_": [(-r, 0, r, 0)],
            "|": [(0, -r, 0, r)], "s": [(-r, -r, r, -r), (r, -r, r, r), (r, r, -r, r), (-r, r, -r, -r)],
            "^": [(-r, r, r, r), (r, r, 0, -r), (0, -r, -r, r)],
        }[kind]
        line = "".join(f"M{a + p:.1f} {b + q:.1f}L{a + s:.1f} {b + t:.1f}" for p, q, s, t in strokes)
        said.append(f'<path d="{line}" stroke="{one}" stroke-width="1" fill="none"/>')
    return "".join(said)


def arrow(start, end, boxes, *, bend, stroke, wide, style, shrink):
    """An arrow from start to end that leaves the first box, ends at the second, and stands off by `shrink`.

    boxes    (left, top, right, bottom) or None, of the start and of the end
    bend     of a quadratic curve, as matplotlib's arc3
    """
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2 - bend * (y1 - y0), (y0 + y1) / 2 + bend * (x1 - x0)
    t = np.linspace(0, 1, 401)[:, None]
    curve = (1 - t) ** 2 * np.array(start) + 2 * t * (1 - t) * np.array(middle) + t ** 2 * np.array(end)
    keep = ~_inside(curve, boxes[0]) & ~_inside(curve, boxes[1])
    curve = curve[keep] if keep.sum() > 1 else curve
    for place, off in ((0, shrink[0]), (-1, shrink[1])):
        away = np.hypot(*(curve - curve[place]).T) >= off
        curve = curve[away] if away.sum() > 1 else curve
    tip, before = curve[-1], curve[np.hypot(*(curve - curve[-1]).T) >= min(4, np.hypot(*(curve[0] - curve[-1])))][-1]
    along = (tip - before) / max(np.hypot(*(tip - before)), 1e-9)
    back, aside = tip - 4.5 * along, 2.3 * np.array([-along[1], along[0]])
    head = [tip, back + aside, back - aside]
    line = curve[::20] if bend else curve[[0, -1]]
    line = np.vstack([line[np.hypot(*(line - tip).T) > 4.5], back])
    corners = "L".join(f"{a:.1f} {b:.1f}" for a, b in head)
    return (f'<path d="{path(*line.T)}" {pen(stroke, wide, style)}/>'
            f'<path d="M{corners}Z" fill="{stroke}" stroke="{stroke}" stroke-width="0.8" stroke-linejoin="miter"/>')


def _inside(points, box):
    """Which points a box holds."""
    if box is None:
        return np.zeros(len(points), bool)
    left, top, right, bottom = box
    x, y = points.T
    return (x > left) & (x < right) & (y > top) & (y < bottom)
