"""The adding problem, at the lengths and sizes of Li et al. 2018 and 2019."""

from ..tasks import Adding
from .experiment import Experiment, setting

PAPERS = {"size": "width", "parameters": 128}                 # of Li et al. 2018 and 2019
EQUAL = {"size": "equal", "parameters": 17000}                # as many trained numbers as an RNN of 128 units
WAYS = (                                                      # with the papers' own rates: IndRNN's 2e-4, IRNN's 1e-5
    {"models": ("rnn", "short-term", "durnn")},
    {"models": ("indrnn-1", "indrnn-2"), "rates": (2e-4, 1e-3, 3e-3)},
    {"models": ("irnn",), "rates": (1e-5, 1e-4), "patience": None},
    {"models": ("durnn",), **EQUAL},
    {"models": ("lstm", "lstm-chrono", "gru", "gru-chrono"), **EQUAL},
)
SHORTER = {"seeds": (0, 1, 2), "updates": 6000, "stop": 0.002, "patience": 2000, **PAPERS}
LONGEST = {"length": 5000, "rates": (1e-3,), "updates": 1000, **PAPERS}


def task(length, source):
    """The task at a length; it has one source."""
    return Adding(length)


EXPERIMENT = Experiment(
    name="adding",
    question="Who can add two numbers that stand up to T steps back?",
    task=task,
    quick=setting(length=100, updates=800, stop=0.002, patience=300),
    full=(
        *(setting(**{**SHORTER, "length": length, **way}) for length in (100, 500, 1000) for way in WAYS),
        setting(**{**SHORTER, **EQUAL}, length=100, models=("transformer",)),
        setting(**LONGEST, models=("rnn", "short-term", "indrnn-1")),
        setting(**{**LONGEST, **EQUAL, "updates": 4000}, models=("durnn",), decay=2000),
        setting(**{**LONGEST, "updates": 8000}, models=("indrnn-2",), decay=4000),
        setting(**{**LONGEST, "rates": (1e-5,)}, models=("irnn",)),
    ),
    solved=0.01,
    rule="solved: test MSE at most 0.01; learning: below 0.15, nine tenths of 1/6, the error of always answering 1; "
         "else baseline",
)
