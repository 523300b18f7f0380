"""The one table of experiments: a new one is its file and a line here."""

from . import adding, delayed_xor, depth, pixels

EXPERIMENTS = {part.EXPERIMENT.name: part.EXPERIMENT for part in (adding, delayed_xor, pixels, depth)}
FIRST = ("adding", "delayed-xor", "pixels")                   # what `replicate --quick` runs unless told which
