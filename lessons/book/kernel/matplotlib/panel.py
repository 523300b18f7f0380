"""A panel's place on the sheet, and what stands around it: lines, ticks, names."""

import numpy as np

from . import words
from .shapes import pen

TICK = 9


class Box:
    """Where a panel is, in points from the sheet's upper left corner, and where its numbers are."""

    def __init__(self, axes, left, top, right, bottom):
        if axes.aspect == "equal":
            (x0, x1), (y0, y1) = axes.x.range(), axes.y.range()
            unit = min((right - left) / abs(x1 - x0), (bottom - top) / abs(y1 - y0))
            spare = right - left - unit * abs(x1 - x0), bottom - top - unit * abs(y1 - y0)
            left, right = left + spare[0] / 2, right - spare[0] / 2
            top, bottom = top + spare[1] / 2, bottom - spare[1] / 2
        self.axes, self.left, self.top, self.right, self.bottom = axes, left, top, right, bottom

    def x(self, number):
        """Where a number of the axis below is."""
        return self.left + float(self.axes.x.place(number)) * (self.right - self.left)

    def y(self, number):
        """Where a number of the axis at the left is."""
        return self.bottom - float(self.axes.y.place(number)) * (self.bottom - self.top)

    def points(self, x, y):
        """Where many points are  ->  x, y, arrays."""
        return (self.left + self.axes.x.place(x) * (self.right - self.left),
                self.bottom - self.axes.y.place(y) * (self.bottom - self.top))

    def of(self, patch):
        """Where a rectangle is  ->  left, top, right, bottom."""
        x, y = self.points(np.array([patch.xy[0], patch.xy[0] + patch.width]),
                           np.array([patch.xy[1], patch.xy[1] + patch.height]))
        return x.min(), y.min(), x.max(), y.max()


def margins(axes, wide, high):
    """What a panel needs around it for ticks and names  ->  left, top, right, bottom."""
    above = words.height(axes.title, axes.title_size) + 4 if axes.title else 4
    if not axes.shown:
        return 2, above, 2, 2
    left = 8 + max((words.width(text, TICK) for _, text in axes.y.named(high)[0]), default=0)
    below = 8 + max((words.height(text, TICK) for _, text in axes.x.named(wide)[0]), default=0)
    right = max((words.width(text, TICK) / 2 for _, text in axes.x.named(wide)[0][-1:]), default=0)
    left += words.height(axes.ylabel, 10) + 2 if axes.ylabel else 0
    below += words.height(axes.xlabel, 10) + 2 if axes.xlabel else 0
    return left, above, max(6, right), below


def frame(axes, box, inside):
    """The panel with its lines, ticks and names around what is drawn inside  ->  SVG."""
    said, wide, high = [], box.right - box.left, box.bottom - box.top
    xs, small_x = axes.x.named(wide)
    ys, small_y = axes.y.named(high)
    if axes.shown:
        if axes.lines:
            said.append(f'<path d="{_lines(box, xs, ys)}" {pen("#b0b0b0", axes.lines[1], "-", axes.lines[0])}/>')
        ticks = [f"M{box.x(tick):.1f} {box.bottom:.1f}v{size}" for some, size in ((xs, 3.5), (small_x, 2))
                 for tick in (one[0] if size > 3 else one for one in some)]
        ticks += [f"M{box.left:.1f} {box.y(tick):.1f}h{-size}" for some, size in ((ys, 3.5), (small_y, 2))
                  for tick in (one[0] if size > 3 else one for one in some)]
        corners = {"left": (box.left, box.top, box.left, box.bottom), "top": (box.left, box.top, box.right, box.top),
                   "right": (box.right, box.top, box.right, box.bottom),
                   "bottom": (box.left, box.bottom, box.right, box.bottom)}
        ticks += ["M{:.1f} {:.1f}L{:.1f} {:.1f}".format(*ends) for side, ends in corners.items()
                  if side not in axes.spines.hidden]
    clipped = "".join(drawn for clip, drawn in inside if clip)
    said.append(f'<svg x="{box.left:.1f}" y="{box.top:.1f}" width="{wide:.1f}" height="{high:.1f}" '
                f'viewBox="{box.left:.1f} {box.top:.1f} {wide:.1f} {high:.1f}">{clipped}</svg>'
                if axes.shown else clipped)
    if axes.shown:
        said.append(f'<path d="{"".join(ticks)}" {pen("#000000", 0.8)}/>')
        said += [words.draw(box.x(tick), box.bottom + 5, text, TICK, ha="center", va="top") for tick, text in xs]
        said += [words.draw(box.left - 5, box.y(tick), text, TICK, ha="right", va="center") for tick, text in ys]
        said.append(_names(axes, box, xs, ys))
    if axes.title:
        said.append(words.draw((box.left + box.right) / 2, box.top - 4, axes.title, axes.title_size, ha="center",
                               va="bottom"))
    return "".join([*said, *(drawn for clip, drawn in inside if not clip)])


def _lines(box, xs, ys):
    """The thin lines at the ticks."""
    return "".join([f"M{box.x(tick):.1f} {box.bottom:.1f}V{box.top:.1f}" for tick, _ in xs]
                   + [f"M{box.left:.1f} {box.y(tick):.1f}H{box.right:.1f}" for tick, _ in ys])


def _names(axes, box, xs, ys):
    """What the axes are, below and at the left."""
    below = box.bottom + 8 + max((words.height(text, TICK) for _, text in xs), default=0)
    left = box.left - 10 - max((words.width(text, TICK) for _, text in ys), default=0)
    middle = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    said = words.draw(middle[0], below, axes.xlabel, ha="center", va="top") if axes.xlabel else ""
    if axes.ylabel:
        said += words.draw(left, middle[1], axes.ylabel, ha="center", turned=True)
    return said
