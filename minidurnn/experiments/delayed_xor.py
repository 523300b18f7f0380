"""Delayed XOR: from scratch, and after a curriculum of shorter lengths."""

from ..tasks import DelayedXOR
from .experiment import Experiment, setting

GATED = "lstm", "lstm-chrono", "gru"
DIRECT = {"updates": 3000, "stop": 0.999, "patience": 1500}


def task(length, source):
    """The task at a length; it has one source."""
    return DelayedXOR(length)


def _staged(length, factor, models):
    """Trained first on T = 50 and on lengths each `factor` times the one before."""
    stages = tuple(round(50 * factor**k) for k in range(14) if 50 * factor**k < length)
    options = {"seeds": (0, 1, 2), "updates": 1000, "stop": 0.999, "rates": (3e-3,)}
    return setting(length=length, models=models, stages=stages, **options)


EXPERIMENT = Experiment(
    name="delayed-xor",
    question="Who can combine two neighbouring bits and keep the result for T steps?",
    task=task,
    quick=setting(length=100, updates=800, stop=0.999, patience=300),
    full=(
        *(setting(length=length, seeds=tuple(range(seeds)), **DIRECT)
          for length, seeds in ((30, 5), (100, 5), (500, 3), (1000, 3))),
        *(setting(length=length, models=GATED, seeds=(0, 1, 2), **DIRECT) for length in (30, 100, 500, 1000)),
        _staged(1000, 2, ("indrnn-2", "durnn", *GATED)),
        _staged(5000, 2, ("indrnn-2", "durnn")),
        _staged(5000, 1.4, ("durnn",)),
    ),
    solved=0.99,
    rule="solved: test accuracy at least 99 %; learning: more than 5 points above the count ceiling, "
         "some three standard errors of 1,000 answers; else baseline",
)
