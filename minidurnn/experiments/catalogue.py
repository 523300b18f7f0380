"""The one table of experiments: a new one is its file and a line here."""

from . import adding, delayed_xor, pixels

EXPERIMENTS = {one.name: one for one in (adding.EXPERIMENT, delayed_xor.EXPERIMENT, pixels.EXPERIMENT)}
