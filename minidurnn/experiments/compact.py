"""Two LSTM layers whose matrices are made of fewer numbers, on characters, skeletons and pixels."""

from ..networks.lines import COMPACT
from . import characters, pixels, skeletons
from .experiment import Experiment, setting

WHOLE = {"compact": 120_359, "compact-skeletons": 115_030, "compact-pixels": 112_714}   # two LSTM layers of 96 units
SHARES = 4, 10, 2                                             # a quarter, a tenth, a half of the numbers


def _experiment(name, question, task, length, solved, rule, **full):
    """All numbers of the whole network, then each share of them, in every way, with three seeds."""
    whole, options = WHOLE[name], {"length": length, "seeds": (0, 1, 2), **full}
    shares = (setting(**options, models=tuple(COMPACT), parameters=whole // part) for part in SHARES)
    return Experiment(
        name, f"{question} with a half, a quarter, a tenth of an LSTM's numbers?", task,
        quick=setting(length=length, models=("lstm-two", "lstm-two-hybrid"), parameters=whole // 4, batch=20,
                      updates=60, rates=(1e-2,)),
        full=(setting(**options, models=("lstm-two",), parameters=whole), *shares), solved=solved, rule=rule)


EXPERIMENTS = (
    _experiment(                                              # 25 steps: the paper cuts its sequences after 20
        "compact", "How many bits does the next character cost", characters.task, 25, 2.5, characters.RULE,
        batch=20, updates=250, pilot=30, rates=(3e-3, 1e-2)),
    _experiment(
        "compact-skeletons", "Which of ten movements was it,", skeletons.task, 20, 0.95, skeletons.RULE.format(0.95),
        source="full", updates=500, pilot=50, rates=(1e-3, 3e-3, 1e-2)),
    _experiment(
        "compact-pixels", "Which digit was read pixel by pixel,", pixels.task, 196, 0.9, pixels.RULE,
        source="full", batch=20, updates=540, pilot=54, rates=(3e-3, 1e-2)),
)
