"""The DuRNN less each of its parts, and with other starts, on three tasks."""

from dataclasses import replace

from ..networks.models import ABLATIONS
from . import adding, delayed_xor, pixels
from .experiment import setting

MODELS = ("durnn", "short-term", *(f"durnn-{name}" for name in ABLATIONS))
SEEDS = (0, 1, 2)


def less(experiment, length, **full):
    """An experiment's task at one length, put to the DuRNN and its ablations."""
    options = {"length": length, "models": MODELS}
    return replace(
        experiment, name=f"ablations-{experiment.name}",
        question=f"What does each part of the DuRNN do for {experiment.name}?",
        quick=setting(**options, updates=100, rates=(3e-3,)), full=(setting(**options, seeds=SEEDS, **full),))


EXPERIMENTS = (
    less(adding.EXPERIMENT, 400, parameters=17000, updates=2000, stop=0.002),
    less(delayed_xor.EXPERIMENT, 100, updates=2000, stop=0.999),
    less(pixels.EXPERIMENT, 196, parameters=17000, updates=2160, pilot=540, source="full"),      # two epochs
)
