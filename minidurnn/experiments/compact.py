"""Two LSTM layers whose matrices are made of fewer numbers, on characters, skeletons and pixels."""

from ..networks.lines import COMPACT
from . import characters, pixels, skeletons
from .experiment import Experiment, setting

SHARES = 4, 10, 2                                             # a quarter, a tenth, a half of the numbers


def _settings(whole, **common):
    """All numbers of two LSTM layers of 96 units, `whole` of them; then each share of them, in every way."""
    yield setting(**common, models=("lstm-two",), parameters=whole)
    for part in SHARES:
        yield setting(**common, models=tuple(COMPACT), parameters=whole // part)


def _quick(length, whole):
    return setting(length=length, models=("lstm-two", "lstm-two-hybrid"), parameters=whole // 4, batch=20, updates=60,
                   rates=(1e-2,))


EXPERIMENTS = (
    Experiment(                                               # 25 steps: the paper cuts its sequences after 20
        name="compact",
        question="How many bits does the next character cost with a half, a quarter, a tenth of an LSTM's numbers?",
        task=characters.task, quick=_quick(25, 120_359),
        full=tuple(_settings(120_359, length=25, seeds=(0, 1, 2), batch=20, updates=250, pilot=30,
                             rates=(3e-3, 1e-2))),
        solved=2.5, rule=characters.RULE),
    Experiment(
        name="compact-skeletons",
        question="Which of ten movements was it, with a half, a quarter, a tenth of an LSTM's numbers?",
        task=skeletons.task, quick=_quick(20, 115_030),
        full=tuple(_settings(115_030, length=20, source="full", seeds=(0, 1, 2), updates=500, pilot=50,
                             rates=(1e-3, 3e-3, 1e-2))),
        solved=0.95, rule=skeletons.RULE.format(0.95)),
    Experiment(
        name="compact-pixels",
        question="Which digit was read pixel by pixel, with a half, a quarter, a tenth of an LSTM's numbers?",
        task=pixels.task, quick=_quick(196, 112_714),
        full=tuple(_settings(112_714, length=196, source="full", seeds=(0, 1, 2), batch=20, updates=540,
                             pilot=54, rates=(3e-3, 1e-2))),
        solved=0.9, rule=pixels.RULE),
)
