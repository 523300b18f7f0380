"""First vector: keep one sign for n steps of noise, from scratch and through a curriculum to a million steps."""

from ..tasks import FirstVector
from .experiment import Experiment, setting

OPTIONS = {"parameters": 1720, "embedding": 8, "stop": 0.999}
STAGES = tuple(4**k for k in range(3, 10))                    # 64, 256, ..., 262,144
SCRATCH = ("rnn", "indrnn-2", "durnn", "lstm", "lstm-chrono", "gilr-lstm", "gilr-lstm-chrono")


def task(length, source):
    """The task at a length; it has one source."""
    return FirstVector(length)


def _staged(length, models, **options):
    """Trained first on 64 steps and on lengths each four times the one before; in memory, 8,192 steps at once."""
    stages = tuple(stage for stage in STAGES if stage < length)
    return setting(length=length, models=models, seeds=(0, 1, 2), stages=stages, boundaries=8192, steady=True,
                   rates=(1e-2,), batch=2, **options, **OPTIONS)


EXPERIMENT = Experiment(
    name="first-vector",
    question="Who can keep the sign of the first step for n steps of noise?",
    task=task,
    quick=setting(length=64, models=("lstm", "gilr-lstm", "gilr-lstm-chrono"), updates=400, rates=(1e-2,), **OPTIONS),
    full=(
        *(setting(length=length, models=SCRATCH, seeds=(0, 1, 2), updates=400, rates=(1e-2,), batch=8, **OPTIONS)
          for length in (64, 256, 1024)),
        _staged(4096, ("lstm", "lstm-chrono", "gilr-lstm", "gilr-lstm-chrono", "durnn", "indrnn-2"), updates=300),
        _staged(1_048_576, ("gilr-lstm-chrono",), updates=1000),
    ),
    solved=0.99,
    rule="solved: test accuracy at least 99 %; learning: more than 5 points above who always says the same; else "
         "baseline",
)
