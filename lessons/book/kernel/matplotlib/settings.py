"""What is said of a panel: limits, scales, ticks, names."""

from . import lacks
from .scales import Scale


class Settings:
    """The settings of a panel, before anything is drawn on it."""

    def __init__(self):
        self.x, self.y = Scale(), Scale()
        self.title, self.title_size, self.xlabel, self.ylabel = "", 12, "", ""
        self.shown, self.aspect, self.lines = True, None, None
        self.spines = Spines()

    def set(self, **settings):
        """Limits, scales, ticks and names: set(xlim=(0, 1), yscale="log", title="...")."""
        for name, value in settings.items():
            getattr(self, f"set_{name}")(value)

    def set_title(self, title, fontsize=12):
        """The name of the panel, above it."""
        self.title, self.title_size = title, fontsize

    def set_xlabel(self, label):
        """What the axis below is."""
        self.xlabel = label

    def set_ylabel(self, label):
        """What the axis at the left is."""
        self.ylabel = label

    def set_aspect(self, aspect):
        """"equal": a unit of x is as long as a unit of y."""
        self.aspect = aspect

    def set_xlim(self, low, high=None):
        """The ends of the axis below."""
        self.x.limits = (low, high) if high is not None else tuple(low)

    def set_ylim(self, low, high=None):
        """The ends of the axis at the left."""
        self.y.limits = (low, high) if high is not None else tuple(low)

    def set_xscale(self, kind):
        """"linear" or "log"."""
        self.x.log = kind == "log"

    def set_yscale(self, kind):
        """"linear" or "log"."""
        self.y.log = kind == "log"

    def set_xticks(self, ticks, labels=None):
        """Where the axis below has ticks, and what they are called."""
        self.x.ticks, self.x.labels = list(ticks), labels
        self.x.see(self.x.ticks, margin=False)

    def set_yticks(self, ticks, labels=None):
        """Where the axis at the left has ticks, and what they are called."""
        self.y.ticks, self.y.labels = list(ticks), labels
        self.y.see(self.y.ticks, margin=False)

    def set_xticklabels(self, labels):
        """What the ticks below are called."""
        self.x.labels = [str(label) for label in labels]

    def set_yticklabels(self, labels):
        """What the ticks at the left are called."""
        self.y.labels = [str(label) for label in labels]

    def loglog(self):
        """Both axes are logarithmic."""
        self.set(xscale="log", yscale="log")

    def grid(self, alpha=0.25, linewidth=0.6):
        """Thin lines at the ticks."""
        self.lines = (alpha, linewidth)

    def axis(self, which):
        """"off": neither axes nor ticks."""
        if which != "off":
            raise ValueError(lacks(f'axis("{which}")'))
        self.shown = False

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(lacks(f"axes.{name}"))


class Spines:
    """The four lines around a panel: spines[["top", "right"]].set_visible(False)."""

    def __init__(self):
        self.hidden, self.asked = set(), ()

    def __getitem__(self, sides):
        self.asked = [sides] if isinstance(sides, str) else sides
        return self

    def set_visible(self, seen):
        """Show or hide the lines that were named."""
        self.hidden = self.hidden.difference(self.asked) if seen else self.hidden.union(self.asked)
