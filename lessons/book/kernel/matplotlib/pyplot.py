"""Figures of a cell: made by `subplots`, shown by `show` or when the cell ends."""

from . import lacks
from .figure import Figure
from .shapes import Rectangle

__all__ = ["Rectangle", "close", "show", "subplots"]
_open = []                                                    # the figures of this cell that were not shown yet


def subplots(rows=1, columns=1, *, figsize=(6.4, 4.8), dpi=100, layout=None):
    """A figure with one row of axes  ->  figure, axes (an array of them for columns > 1)."""
    if rows != 1:
        raise ValueError(lacks(f"subplots with {rows} rows"))
    figure = Figure(columns, figsize, dpi)
    _open.append(figure)
    return figure, figure.axes[0] if columns == 1 else figure.axes


def show():
    """Show the figures that are open, and close them."""
    from IPython.display import display

    while _open:
        figure = _open.pop(0)
        display({"image/svg+xml": figure.svg(), "text/plain": figure.words()}, raw=True)


def close(figure=None):
    """Close a figure unseen: the latest, one that is given, or "all"."""
    if figure == "all":
        _open.clear()
    elif _open:
        _open.remove(figure or _open[-1])


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(lacks(f"plt.{name}"))


def _at_the_end_of_cells():
    """Let every cell show what it drew, as notebooks do."""
    from IPython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.events.register("post_execute", show)


_at_the_end_of_cells()
