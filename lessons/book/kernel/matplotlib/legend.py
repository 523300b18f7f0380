"""The names of lines beside a piece of each, in the emptiest corner of a panel or where they are put."""

import numpy as np

from . import words
from .shapes import marks, path, pen

PLACES = {
    "upper right": (1, 0), "upper left": (0, 0), "lower left": (0, 1), "lower right": (1, 1), "center left": (0, 0.5),
    "center right": (1, 0.5), "lower center": (0.5, 1), "upper center": (0.5, 0), "center": (0.5, 0.5),
}


def size(named, fontsize):
    """How wide and high the legend is, in points."""
    return (max((words.width(label, fontsize) for label, *_ in named), default=0) + 3.2 * fontsize,
            sum(words.height(label, fontsize) + 1 for label, *_ in named) + 0.6 * fontsize)


def draw(axes, box, named, loc, fontsize):
    """The legend within a panel  ->  SVG."""
    wide, high = size(named, fontsize)
    places = {
        name: (box.left + 5 + across * (box.right - box.left - wide - 10),
               box.top + 5 + down * (box.bottom - box.top - high - 10)) for name, (across, down) in PLACES.items()
    }
    if loc == "best":
        loc = min(places, key=lambda name: _covered(axes, box, *places[name], wide, high))
    return at(*places[loc], named, fontsize) if named else ""


def _covered(axes, box, left, top, wide, high):
    """How many points of the panel's lines a legend at this place would hide."""
    hidden = 0
    for *_, data in axes.named:
        if data is not None and len(data[0]):
            x, y = box.points(*data)
            if len(x) > 1:                                    # and points between them
                every = np.linspace(0, len(x) - 1, 400)
                x, y = np.interp(every, np.arange(len(x)), x), np.interp(every, np.arange(len(y)), y)
            hidden += np.sum((x > left) & (x < left + wide) & (y > top) & (y < top + high)) / len(x)
    return hidden


def at(left, top, named, fontsize):
    """The legend with its upper left corner at a point  ->  SVG."""
    wide, high = size(named, fontsize)
    said = [f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" height="{high:.1f}" rx="2" fill="#ffffff" '
            'fill-opacity="0.8" stroke="#cccccc" stroke-width="0.8"/>']
    down = top + 0.3 * fontsize
    for label, paint, look, _ in named:
        tall = words.height(label, fontsize) + 1
        ends, middle = np.array([left + 0.4, left + 2.4 * fontsize]) + (0.4 * fontsize, 0), down + tall / 2
        if look["linestyle"]:
            drawn = pen(paint, look["linewidth"], look["linestyle"], look["alpha"])
            said.append(f'<path d="{path(ends, [middle, middle])}" {drawn}/>')
        if look["marker"]:
            said.append(marks([ends.mean()], [middle], look["marker"], look["markersize"], paint))
        said.append(words.draw(left + 2.9 * fontsize, middle, label, fontsize, va="center"))
        down += tall
    return "".join(said)
