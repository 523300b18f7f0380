"""Handwritten digits, one pixel a step."""

from ..tasks import Pixels
from .experiment import Experiment, setting


def task(length, source):
    """The images of so many pixels, from the shipped sample or from all of MNIST."""
    return Pixels(round(length**0.5), source=source)


EXPERIMENT = Experiment(
    name="pixels",
    question="Who can read a digit pixel by pixel?",
    task=task,
    quick=setting(length=196, updates=200),
    full=(setting(length=196, source="full", parameters=17000, seeds=(0, 1, 2), updates=3000),),
    solved=0.9,
    rule="solved: test accuracy at least 90 %; learning: more than 5 points above the most frequent class; "
         "else baseline",
)
