"""Looking at a run: the rows of its history, its validation, whether its numbers are finite."""

from dataclasses import replace

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import check_positive
from ..arrays.trees import leaves, some_leaf
from ..networks.chunked import Chunked, longest
from ..optim import half_range
from .batches import check, moved
from .run import COLUMNS

STEPS = 2**22                                                 # of all sequences that are looked at together
TAPES = 2**15                                                 # of these, those whose tapes stand in memory at once


def evaluate(network, p, data, sequences=None):
    """Loss and metric of a network on (x, target, lengths)  ->  floats.

    sequences   at once at most. None: 250, in chunks whose tapes are dropped, of long sequences fewer, for four million
                steps in all; 50 where the body is `whole`, for its tape of all steps stands in memory then, nearly as
                much as an update on so many sequences takes
    The data are converted to the dtype of p and moved to its library.
    Raises      ValueError for another p than the network's, and where there is no sequence.
    """
    network.check(p)
    whole = network.body.whole
    sequences = (50 if whole else 250) if sequences is None else sequences
    check_positive(sequences=sequences)
    leaf, per_step = some_leaf(p), network.reads == "every"
    lengths = check(network, data, leaf.dtype)
    x, target, B = *data[:2], data[0].shape[1]
    if not whole:
        stretch = min(len(x), network.body.chunk) if network.body.keep == "boundaries" else 1
        sequences = max(1, min(sequences, STEPS // len(x), TAPES // stretch))
    if target.shape[per_step:per_step + 1] != (B,):
        raise ValueError(f"target has shape {target.shape} beside x of {B} sequences: expected one for each.")
    totals, answers = np.zeros(2), network.answers(x, target, lengths)
    for first in range(0, B, sequences):
        rows = slice(first, first + sequences)
        part = (x[:, rows], target[:, rows] if per_step else target[rows], None if lengths is None else lengths[rows])
        part_x, part_target, part_lengths = moved(part, leaf.dtype, namespace(leaf).__name__)
        lean = network                                        # as it is where it drops its tapes by itself
        if not whole and network.body.keep == "tapes":
            length = longest(network.body, 16, part_x)
            lean = replace(network, body=Chunked(network.body, length, keep="boundaries"))
        found = lean.loss(p, part_x, part_target, lengths=part_lengths)[:2]                # its tape is dropped here
        share = network.answers(part[0], part[1], part[2]) / answers
        totals += np.array([float(number) for number in found]) * share
    return float(totals[0]), float(totals[1])


def look(network, task, run, rate, validates, clock):
    """A row of the history  ->  {column: entry}. Here, and only here, numbers leave the device.

    rate         that of the run's last update                 validates   whether to look at task.validation()
    clock        () -> seconds of training so far
    Raises       FloatingPointError that says which number of the run is not finite, at which update.
    """
    validation_loss, validation = evaluate(network, run.p, task.validation()) if validates else (None, None)
    means = _means(run.recent) if run.recent else [run.history[name][-1] for name in COLUMNS[1:4]]
    row = dict(zip(COLUMNS, (run.update, *means, validation, rate, clock())))
    numbers = {"loss": row["loss"], "gradient's norm": row["gradient_norm"]}
    looks = {"validation loss": validation_loss, "validation metric": validation}
    problem = (
        _not_finite(numbers)
        or ("" if _all_finite(run.p) else "a parameter is not finite")
        or ("" if _all_below(run.optimizer) else "the optimiser's state has overflowed")
        or _not_finite(looks))
    if problem:
        raise FloatingPointError(f"{problem} at update {run.update}")
    return row


def noted(run, row, schedule, better):
    """The run with one more row in its history, which its schedule has observed."""
    history = {name: [*column, row[name]] for name, column in run.history.items()}
    state = schedule.observe(run.schedule, row["validation"], better)
    return replace(run, history=history, schedule=state, recent=(), seconds=row["seconds"])


def ended(run, row):
    """The run with the row of an end that no longer run has: its schedule has not seen it."""
    return replace(run, end=row, seconds=row["seconds"])


def reached(metric, stop, better):
    """Whether a metric is as good as `stop` asks for; not where one of them is None. better: "lower" or "higher"."""
    return None not in (metric, stop) and (metric <= stop if better == "lower" else metric >= stop)


def _means(recent):
    """Mean loss, metric and gradient norm of some updates; None for a norm that was not taken."""
    columns = [[float(entry) for entry in column if entry is not None] for column in zip(*recent)]
    return [sum(column) / len(column) if column else None for column in columns]


def _not_finite(numbers):
    return next((f"the {name} is {n}" for name, n in numbers.items() if n is not None and not np.isfinite(n)), "")


def _all_finite(tree):
    return all(bool(namespace(leaf).isfinite(leaf).all()) for leaf in leaves(tree).values())


def _all_below(state):
    """Whether an optimiser's state is far from overflowing: with a v of 2**100, Adam stands still for very long."""
    arrays = [leaf for leaf in leaves(state).values() if hasattr(leaf, "dtype")]           # a count is none
    return all(bool((abs(array) < 2.0 ** (2 * half_range(array.dtype) - 28)).all()) for array in arrays)
