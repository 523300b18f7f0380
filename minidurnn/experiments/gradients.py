"""How long a gradient lasts on its way back, before and after training, on the adding problem."""

import numpy as np

from ..analysis import loss_gradients_by_step
from ..arrays.trees import map_leaves
from ..tasks import Adding
from .experiment import Experiment, setting

MODELS = ("rnn", "irnn", "short-term", "indrnn-2", "durnn", "lstm", "lstm-chrono", "gru")
SEQUENCES = 20


def task(length, source):
    """The task at a length; it has one source."""
    return Adding(length)


def by_lag(network, p, task):
    """How long the gradient of the loss on the state of k steps before the end is, k = 0..T.

    In float64, where a gradient of 1e-300 is not yet 0.
    returns  {"lag": 0..T, "length": the median over 20 sequences}, as lists
    """
    x, target, _ = task.batch(np.random.default_rng([3, task.length]), SEQUENCES)
    x, target, p = x.astype(np.float64), target.astype(np.float64), map_leaves(np.float64, p)
    gradients = loss_gradients_by_step(network, p, x, target)
    lengths = np.median(np.linalg.norm(gradients, axis=-1), axis=-1)
    return {"lag": list(range(len(lengths))), "length": [float(f"{length:.4g}") for length in lengths[::-1]]}


def as_text(records):
    """A line for every record: the lengths at some lags as shares of the longest, at the start and trained."""
    lines = ["length of the gradient on the state so many steps before the end, as a share of the longest"]
    for record in records:
        for when, curve in (record.seen or {}).items():
            most, last = max(curve["length"]) or 1.0, curve["lag"][-1]
            lags = dict.fromkeys((1, last // 10, last // 2, last))
            said = ", ".join(f"{lag}: {curve['length'][lag] / most:.1e}" for lag in lags)
            lines.append(f"  {record.trial['model']:<12} seed {record.trial['seed']}  {when:<8} {said}")
    return "\n".join(lines)


EXPERIMENT = Experiment(
    name="gradients",
    question="How long does a gradient last on its way back, before and after training?",
    task=task,
    quick=setting(length=100, models=("rnn", "indrnn-2", "durnn"), updates=100, rates=(3e-3,)),
    full=tuple(
        setting(length=length, models=MODELS, updates=1000, pilot=100, seeds=(0, 1, 2), rates=(1e-3, 3e-3, 1e-2))
        for length in (100, 400)),
    solved=0.01,
    rule="solved: test MSE at most 0.01; learning: below 0.15, nine tenths of 1/6, the error of always answering 1; "
         "else baseline",
    look=by_lag,
    report=as_text,
)
