"""Tiny Shakespeare, one character a step, its state carried from window to window."""

from ..tasks import Characters
from .experiment import Experiment, setting

MODELS = ("rnn", "indrnn-2", "durnn", "durnn-2", "lstm", "gru", "durnn-any-memory", "indrnn-2-any")
REACH = ("fsmn", "lstm", "rnn", "window-2", "feed-forward", "fsmn-2", "indrnn-2-any", "transformer")       # lesson 19
RULE = ("solved (our mark): at most 2.5 bits per test character; learning: below nine tenths of the unigram entropy; "
        "else baseline")


def task(length, source):
    """Stretches of so many characters of the shipped 100,000, or of the whole text."""
    return Characters(length, source)


EXPERIMENT = Experiment(
    name="characters",
    question="How many bits does the next character of a play cost?",
    task=task,
    quick=setting(length=100, models=("rnn", "indrnn-2", "durnn"), updates=150, rates=(3e-3,), window=50),
    full=(
        setting(                                              # ten windows of each stretch; 400 windows are an epoch
            length=500, models=MODELS, source="full", parameters=50_000, seeds=(0, 1), updates=4000, window=50,
            pilot=400, rates=(1e-3, 3e-3, 1e-2)),
        setting(                                              # no state is carried: a Transformer has none
            length=50, models=REACH, source="full", parameters=20_000, seeds=(0, 1, 2), updates=300, pilot=75,
            rates=(1e-3, 3e-3, 1e-2)),
    ),
    solved=2.5,
    rule=RULE,
)
