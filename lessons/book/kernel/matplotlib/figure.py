"""A sheet: a title, a row of panels, a legend under them."""

from html import escape

import numpy as np

from . import lacks, legend, refuse, words
from .axes import Axes
from .panel import Box, margins

INCH = 72                                                     # points


class Figure:
    """A figure with one row of panels."""

    def __init__(self, columns=1, figsize=(6.4, 4.8), dpi=100):
        self.size, self.dpi, self.title, self.title_size, self.legends = figsize, dpi, "", 12, None
        self.axes = np.empty(columns, object)
        self.axes[:] = [Axes(self) for _ in range(columns)]

    def suptitle(self, title, fontsize=12):
        """The title above all panels."""
        self.title, self.title_size = title, fontsize

    def legend(self, *, loc, fontsize=10, **options):
        """The labels of all panels' lines, under the panels."""
        refuse("figure.legend", options)
        if loc != "outside lower center":
            raise ValueError(lacks(f"figure.legend at {loc!r}"))
        self.legends = [entry for one in self.axes for entry in one.named if str(entry[0] or "_")[0] != "_"], fontsize

    def words(self):
        """What a reader without pictures gets."""
        return f"a figure: {self.title}" if self.title else "a figure"

    def svg(self):
        """The figure as a picture that stands on its own."""
        wide, high = (INCH * length for length in self.size)
        top, bottom, said = 4.0, high - 4, []
        if self.title:
            said.append(words.draw(wide / 2, top, self.title, self.title_size, ha="center", va="top"))
            top += words.height(self.title, self.title_size) + 4
        if self.legends:
            legend_wide, legend_high = legend.size(*self.legends)
            bottom -= legend_high + 6
            said.append(legend.at((wide - legend_wide) / 2, bottom + 6, *self.legends))
        said += [one.svg(box) for one, box in zip(self.axes, self._boxes(wide, top, bottom))]
        pixels = [round(length * self.dpi) for length in self.size]
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{pixels[0]}" height="{pixels[1]}" '
            f'viewBox="0 0 {wide:.1f} {high:.1f}" role="img" font-family="{words.FONT}"><title>{escape(self.words())}'
            f'</title><rect width="100%" height="100%" fill="#ffffff"/>{"".join(said)}</svg>')

    def _boxes(self, wide, top, bottom):
        """The panels' places: equally wide, with room for what stands around each."""
        count = len(self.axes)
        each = [margins(one, 0.8 * wide / count, 0.8 * (bottom - top)) for one in self.axes]
        above, below = max(one[1] for one in each), max(one[3] for one in each)
        panel = (wide - 8 - sum(one[0] + one[2] for one in each) - 6 * (count - 1)) / count
        left = 4
        for axes, (before, _, after, _) in zip(self.axes, each):
            yield Box(axes, left + before, top + above, left + before + panel, bottom - below)
            left += before + panel + after + 6

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(lacks(f"figure.{name}"))
