"""Two LSTM layers whose matrices are made of fewer numbers: how many bits does a character cost?"""

from ..networks.lines import COMPACT
from . import characters
from .experiment import Experiment, setting

ALL = 120_359                                                 # trained numbers of two LSTM layers of 96 units
COMMON = {                                                    # 25 steps: the paper cuts its sequences after 20
    "length": 25, "seeds": (0, 1, 2), "batch": 20, "updates": 250, "pilot": 30, "rates": (3e-3, 1e-2)}

EXPERIMENT = Experiment(
    name="compact",
    question="How many bits does the next character cost with a half, a quarter, a tenth of an LSTM's numbers?",
    task=characters.task,
    quick=setting(length=25, models=("lstm-two", "lstm-two-hybrid"), parameters=ALL // 4, batch=20, updates=60,
                  rates=(1e-2,)),
    full=(
        setting(**COMMON, models=("lstm-two",), parameters=ALL),
        *(setting(**COMMON, models=tuple(COMPACT), parameters=ALL // part) for part in (4, 10, 2)),
    ),
    solved=2.5, rule=characters.EXPERIMENT.rule,
)
