"""Handwritten digits, one pixel a step."""

from ..tasks import Pixels
from .experiment import Experiment, setting


def task(length, source):
    """The images of so many pixels, from the shipped sample or from all of MNIST."""
    return Pixels(round(length**0.5), source=source)


def permuted(length, source):
    """The same under one fixed random order of the pixels."""
    return Pixels(round(length**0.5), permuted=True, source=source)


QUICK = setting(length=196, updates=200)
EPOCHS = {                                                    # five of the 54,000 training images
    "length": 196, "source": "full", "parameters": 17000, "updates": 5400, "pilot": 540, "rates": (3e-4, 1e-3, 3e-3),
}
LONGER = {**EPOCHS, "length": 784, "updates": 1080, "pilot": 108}                # 28 x 28, one epoch
FULL = (
    setting(**EPOCHS, models=("rnn", "indrnn-2", "indrnn-6", "durnn", "durnn-2", "lstm"), seeds=(0, 1, 2)),
    setting(**EPOCHS, models=("irnn", "short-term", "indrnn-residual", "gru", "durnn-open-clip", "transformer")),
    setting(**LONGER, models=("rnn", "durnn", "lstm"), seeds=(0, 1, 2)),
    setting(**LONGER, models=("indrnn-6", "irnn")),
)
RECIPES = setting(                                            # of lesson 11, and each half alone
    **EPOCHS, models=("durnn-open-free", "durnn-unbounded-short", "durnn-open"), seeds=(0, 1, 2))
RULE = ("solved: test accuracy at least 90 %; learning: more than 5 points above the most frequent class; "
        "else baseline")
EXPERIMENT = Experiment(
    "pixels", "Who can read a digit pixel by pixel?", task, QUICK, (*FULL, RECIPES), solved=0.9, rule=RULE)
PERMUTED = Experiment(
    "permuted-pixels", "Who can read a digit whose pixels come in a fixed random order?", permuted, QUICK, FULL,
    solved=0.9, rule=RULE)
