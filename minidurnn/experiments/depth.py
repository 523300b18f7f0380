"""Twenty-one layers, with and without skip connections: lesson 14's trainings on a short adding problem."""

from .adding import task
from .experiment import Experiment, setting

SMALL = {"length": 20, "size": "width", "parameters": 16, "batch": 20, "updates": 160}
SKIPS = ("indrnn-residual-21", "indrnn-21")                   # equal counts: an addition has no parameters
WITHOUT_NORMS = tuple(f"{name}-no-norm" for name in SKIPS)

EXPERIMENT = Experiment(
    name="depth",
    question="What do skip connections change when 21 layers are trained?",
    task=task,
    quick=setting(**SMALL, models=SKIPS, rates=(1e-2,)),
    full=(
        setting(**SMALL, models=(*SKIPS, "indrnn-5"), seeds=range(5), rates=(3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)),
        setting(**SMALL, models=WITHOUT_NORMS, seeds=range(3), rates=(1e-3, 3e-3, 1e-2)),
        setting(**{**SMALL, "updates": 1000}, models=("indrnn-21",), seeds=range(3), rates=(3e-3, 1e-2)),
    ),
    solved=0.1,
    rule="solved: test MSE at most 0.1; learning: below 0.15, nine tenths of 1/6, the error of always answering 1; "
         "else baseline",
)
