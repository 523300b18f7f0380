"""Copy memory: ten symbols kept over T blank steps."""

from ..tasks import CopyMemory
from .experiment import Experiment, setting

MODELS = ("rnn", "indrnn-2", "durnn", "lstm")


def task(length, source):
    """The task at a length; it has one source."""
    return CopyMemory(length)


EXPERIMENT = Experiment(
    name="copy",
    question="Who can keep ten symbols in their order over T blank steps?",
    task=task,
    quick=setting(length=20, models=MODELS, updates=300),
    full=tuple(
        setting(length=length, models=MODELS, parameters=17000, seeds=(0, 1), updates=4000) for length in (100, 500)
    ),
    solved=0.99,
    rule="of the way from who remembers nothing but when to answer, to all right: solved: at least 99 %; learning: "
         "more than 5 %; else baseline",
    relative=True,
)
