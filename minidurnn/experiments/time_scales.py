"""Do gates with longer time scales remember longer? And is a gate's time scale that of the gradient on its state?"""

from dataclasses import replace

import numpy as np

from ..analysis import loss_gradients_by_step
from ..arrays.trees import map_leaves
from ..tasks import Series
from . import adding, characters, pixels, skeletons
from .experiment import Experiment, setting
from .gradients import plain

MODELS = (
    "lstm", "lstm-chrono", "lstm-uniform", "lstm-refine", "lstm-fast", "lstm-floor", "janet", "gru", "durnn")
SEQUENCES, NEAR = 20, 40                                      # of the look; lags that its curves have, at most
COMMON = {"models": MODELS, "seeds": (0, 1, 2), "batch": 20, "rates": (3e-3, 1e-2)}


def by_gates(network, p, task):
    """The gradient of the loss at the last step on the cell state of k steps before it, and what the gates say of it.

    The cell state: c of an LSTM, l of a DuRNN, the whole state elsewhere. In float64; the mean over 20 sequences.
    returns  {"lag": 1..K,
              "norm":   the norm of the whole gradient,
              "direct": the same of the gradient at lag 1 times the gates between, so without the way through what the
                        gates read; None where a number is not finite,
              "log_kept": the mean of log f of every unit over those steps, smallest first}
    """
    network = replace(network, reads="last")
    x, target, _ = task.batch(np.random.default_rng([17, task.length]), SEQUENCES)
    target = target[-1] if task.reads == "every" else target
    x, target = (array.astype(np.float64) if array.dtype.kind == "f" else array for array in (x, target))
    p, cell = map_leaves(lambda leaf: leaf.astype(np.float64), p), network.body.model
    part = cell.state_slices.get("c", cell.state_slices.get("long", slice(None)))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        whole = loss_gradients_by_step(network, p, x, target)[-2::-1, :, part][:NEAR]           # (K, B, H), lag 1 first
        kept = cell.kept(cell.forward(p["body"], x)[1])[-2::-1][:len(whole)]
        direct = whole[0] * np.cumprod(np.concatenate([np.ones_like(kept[:1]), kept[:len(whole) - 1]]), axis=0)
        logs = np.sort(np.log(kept).mean((0, 1)))
    curves = {name: np.linalg.norm(curve, axis=-1).mean(1) for name, curve in (("norm", whole), ("direct", direct))}
    return {
        "lag": list(range(1, len(whole) + 1)), **{name: plain(curve) for name, curve in curves.items()},
        "log_kept": plain(logs)}


def series(name):
    """A task of next values, at a length."""
    return lambda length, source: Series(name, length)


def next_value(name, said, baseline):
    """The experiment with a series."""
    options = {"length": 48, "updates": 200, "pilot": 40, **COMMON}
    short = {"models": ("lstm", "lstm-floor"), "seeds": (0,), "updates": 100}
    return Experiment(
        name=f"time-scales-{name}", question=f"Do longer time scales help to tell the next value of {said}?",
        task=series(name), quick=setting(**{**options, **short}),
        full=(setting(**options),), solved=baseline, look=by_gates,
        rule=f"solved: test MSE at most {baseline}, that of answering the present value; learning: below nine tenths "
             "of that of always answering the training mean; else baseline")


def of_task(name, said, task, length, solved, rule, **full):
    """The experiment with another experiment's task, at one length."""
    return Experiment(
        name=f"time-scales-{name}", question=f"Do longer time scales help to {said}?", task=task,
        quick=setting(length=length, models=("lstm", "lstm-chrono"), updates=100, rates=(1e-2,)),
        full=(setting(length=length, **full, **COMMON),), solved=solved, rule=rule, look=by_gates)


SUM = Experiment(
    name="time-scales", question="Do longer time scales help to add two numbers that stand up to T steps back?",
    task=adding.task, quick=setting(length=50, models=("lstm", "lstm-chrono"), updates=200, rates=(1e-2,)),
    full=(setting(length=50, updates=400, pilot=80, stop=0.005, **COMMON),
          setting(length=100, updates=1200, pilot=200, stop=0.005, **COMMON)), solved=0.01,
    rule=adding.EXPERIMENT.rule, look=by_gates)
EXPERIMENTS = (
    SUM, next_value("sunspots", "the sunspots of a year", 0.9055),
    next_value("co2", "the carbon dioxide of a month", 0.0074),
    of_task("pixels", "read a digit pixel by pixel", pixels.task, 196, 0.9, pixels.RULE, updates=400, pilot=100),
    of_task("characters", "predict the next character", characters.task, 50, 2.5, characters.RULE,
            source="full", parameters=20_000, updates=300, pilot=75),
    of_task("skeletons", "tell movements apart", skeletons.task, 20, 0.95, skeletons.RULE.format(0.95),
            source="full", parameters=17_000, updates=500, pilot=50))
