"""Tiny Shakespeare, one word a step: who predicts the next one with the same number of trained numbers?"""

from ..tasks import Words
from .characters import REACH
from .experiment import Experiment, setting


def task(length, source):
    """Stretches of so many words of the shipped text, or of the whole; 500 words are known."""
    return Words(length, source=source)


EXPERIMENT = Experiment(
    name="words",
    question="How many bits does the next word of a play cost?",
    task=task,
    quick=setting(
        length=50, models=("fsmn", "lstm", "rnn", "window-2"), updates=60, batch=20, parameters=50_000, rates=(3e-3,)),
    full=(
        setting(                                              # 260 updates see as many words as the training text has
            length=50, models=REACH, source="full", batch=20, parameters=50_000, seeds=(0, 1, 2), updates=300,
            pilot=75, rates=(1e-3, 3e-3, 1e-2)),
    ),
    solved=4.5,
    rule="solved (our mark): at most 4.5 bits per test word; learning: below nine tenths of the unigram entropy; "
         "else baseline",
)
