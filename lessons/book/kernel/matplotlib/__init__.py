"""A stand-in for matplotlib in the browser, where no build of it exists: the calls of the lessons, drawn as SVG.

It is packed into the site of `lessons/book/browser.py` and never beside the real one. Lengths are in points, as there.
"""

__version__ = "0 (stand-in of minidurnn)"


def lacks(what):
    """The sentence for a call or an option that the stand-in has not."""
    return (f"{what} is not among the calls that figures have in the browser, where a small stand-in draws instead of "
            "matplotlib; on your own machine the lesson uses matplotlib itself.")


def refuse(where, options):
    """Raise TypeError where options are left that nothing here knows."""
    if options:
        raise TypeError(lacks(f"{where}({', '.join(f'{name}=' for name in options)})"))


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise AttributeError(lacks(f"matplotlib.{name}"))
