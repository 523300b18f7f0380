"""Movements of people, split by person: sampled frames, whole recordings, and whether they were done correctly."""

from functools import partial

from ..tasks import Skeletons
from ..tasks.skeletons import LONGEST
from .experiment import Experiment, setting

MODELS = ("rnn", "irnn", "short-term", "indrnn-1", "indrnn-2", "indrnn-6", "durnn", "durnn-2", "lstm", "gru")
FULL = {
    "models": MODELS, "seeds": range(5), "source": "full", "parameters": 17000, "updates": 2000, "pilot": 200,
    "rates": (1e-3, 3e-3, 1e-2),
}
RULE = ("solved (our mark): test accuracy at least {:.0%}; learning: more than 5 points above the most frequent "
        "class; else baseline")


def task(length, source, classes=10):
    """The recordings at so many frames; at the length of the longest of all each keeps its own frames."""
    return Skeletons(None if length == LONGEST[source] else length, classes, source)


def _of(name, question, classes, solved, lengths):
    return Experiment(
        name, question, partial(task, classes=classes), quick=setting(length=20, updates=200),
        full=tuple(setting(length=length, **FULL) for length in lengths), solved=solved, rule=RULE.format(solved))


EXPERIMENTS = (
    _of("skeletons", "Which of ten movements did a person make whom the network has never seen?", 10, 0.95,
        (20, LONGEST["full"])),
    _of("skeletons-20", "Which of ten movements was it, and was it done correctly?", 20, 0.75, (20,)),
)
