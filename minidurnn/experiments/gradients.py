"""How long a gradient lasts on its way back, before and after training, on the adding problem."""

from math import isfinite

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
    """The norm of the loss's gradient on the state of k steps before the end, k = 1..T; in float64: 1e-300 is not 0.

    The state is all that a body hands on, of an LSTM h and c. Lag 0 has none: what the read-out reads comes first.
    returns  {"lag": 1..T, "norm": the median over 20 sequences, None where it is not finite}, as lists
    """
    x, target, _ = task.batch(np.random.default_rng([3, task.length]), SEQUENCES)        # (T, 20, 2), (20, 1)
    x, target = x.astype(np.float64), target.astype(np.float64)
    p = map_leaves(lambda leaf: leaf.astype(np.float64), p)
    with np.errstate(over="ignore", invalid="ignore"):
        gradients = loss_gradients_by_step(network, p, x, target)                        # (T+1, 20, state_size)
        norms = np.median(np.linalg.norm(gradients, axis=-1), axis=-1)[-2::-1]
    return {"lag": list(range(1, len(norms) + 1)), "norm": plain(norms)}


def plain(numbers):
    """Numbers as a record keeps them: four digits, None where one is not finite."""
    return [float(f"{number:.4g}") if isfinite(number) else None for number in numbers]


def as_text(records):
    """Two lines for every record: the norms at some lags as shares of the largest, at the start and trained."""
    lines = ["norm of the gradient on the state so many steps before the end, as a share of the largest"]
    for record in records:
        trial = record.trial
        who = f"  {trial['model']:<12} T = {trial['length']}, seed {trial['seed']}"
        if record.seen is None:
            lines.append(f"{who}  diverged: not looked at")
        for when, curve in (record.seen or {}).items():
            most, last = max((norm for norm in curve["norm"] if norm), default=1.0), curve["lag"][-1]
            lags = sorted({1, max(1, last // 10), max(1, last // 2), last})
            norms = [curve["norm"][lag - 1] for lag in lags]
            shares = ["not finite" if norm is None else f"{norm / most:.1e}" for norm in norms]
            lines.append(f"{who}  {when:<8} " + ", ".join(f"{lag}: {share}" for lag, share in zip(lags, shares)))
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
