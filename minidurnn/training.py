"""The training loop: data, update, constraint, and at logging points a look at what happens."""

from dataclasses import replace
from time import perf_counter

import numpy as np
from tqdm import tqdm

from .backend import namespace, to
from .checks import FLOATS, check_choice, check_positive
from .chunked import Chunked
from .optim import Adam, clip_by_global_norm
from .trees import map_leaves

COLUMNS = ("update", "loss", "metric", "gradient_norm", "validation", "seconds")


def streams(seed):
    """Independent random streams of one seed, so that two models see the same data  ->  parameters, data."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2)]


def fit(network, task, updates, *, optimizer=None, schedule=None, clip=5.0, batch=50, seed=0, dtype="float32",
        backend="numpy", log_every=20, validate_every=100, stop=None, progress=True):
    """Train a network on a task  ->  p (on the backend), history.

    updates          optimiser steps at most                batch    sequences in one
    optimizer        Adam() unless given                    schedule an object with scale(update), or None
    clip             limit on the gradient's global norm, or None
    log_every        updates between two rows of the history; only there are numbers read off the device
    validate_every   updates between two looks at task.validation(), a multiple of log_every, or None for never
    stop             training ends at the first validation metric at least as good as this
    history          dict of equally long lists: update, and since the row before the mean loss, metric and gradient
                     norm before clipping; the validation metric (None where none was taken); seconds since the start
    Raises           ValueError for data that are not finite; FloatingPointError when the loss is not
    """
    check_positive(updates=updates, batch=batch, log_every=log_every)
    check_choice("dtype", dtype, FLOATS)
    if validate_every is not None and validate_every % log_every:
        raise ValueError(f"validate_every is {validate_every}: expected a multiple of log_every ({log_every}), where numbers are read.")
    optimizer = Adam() if optimizer is None else optimizer
    parameter_rng, data_rng = streams(seed)
    p = to(backend, map_leaves(lambda a: a.astype(dtype), network.init(parameter_rng)))
    state, history, recent, start = optimizer.start(p), {name: [] for name in COLUMNS}, [], perf_counter()
    bar = tqdm(total=updates, disable=not progress, desc="training", unit="update")
    for update in range(updates):
        x, target, _ = draw(task.batch(data_rng, batch), dtype, backend)
        value, metric, tape = network.loss(p, x, target)
        dp, _ = network.gradient(tape)
        norm = None
        if clip is not None:
            dp, norm = clip_by_global_norm(dp, clip)
        p, state = optimizer.update(p, dp, state, 1.0 if schedule is None else schedule.scale(update))
        p = network.project(p)                                # the constraints hold after every update
        recent.append((value, metric, norm))
        bar.update()
        if (update + 1) % log_every == 0 or update + 1 == updates:
            validation = None
            if validate_every is not None and ((update + 1) % validate_every == 0 or update + 1 == updates):
                validation = evaluate(network, p, task.validation())[1]
            row = (update + 1, *_means(recent), validation, perf_counter() - start)
            for name, entry in zip(COLUMNS, row):
                history[name].append(entry)
            recent = []
            bar.set_postfix_str(f"loss {row[1]:.4f}, {network.metric} {row[2]:.4f}")
            if not np.isfinite(row[1]):
                bar.close()
                raise FloatingPointError(f"the loss is {row[1]} at update {update + 1}: the run has diverged since the last finite row; use a smaller rate, clip the gradient, or keep the constraints on.")
            if stop is not None and validation is not None and _reached(network.better, validation, stop):
                break
    bar.close()
    return p, history


def evaluate(network, p, data, sequences=250):
    """Loss and metric of a network on (x, target, lengths), in batches and without tapes  ->  floats.

    The data are converted to the dtype of p and moved to its library.
    """
    leaf = p["readout"]["W"]
    backend = namespace(leaf).__name__
    lean = replace(network, body=Chunked(network.body, 16, keep="boundaries"))
    x, target, _ = data
    totals = np.zeros(2)
    for first in range(0, x.shape[1], sequences):
        rows = slice(first, first + sequences)
        part = (x[:, rows], target[rows] if network.reads == "last" else target[:, rows], None)
        part_x, part_target, _ = draw(part, leaf.dtype, backend)
        value, metric, _ = lean.loss(p, part_x, part_target)
        totals += np.array([float(value), float(metric)]) * part_x.shape[1] / x.shape[1]
    return float(totals[0]), float(totals[1])


def draw(data, dtype, backend):
    """Checked data (NumPy x, target, lengths) in a dtype on a backend.    Raises ValueError where they are not finite."""
    x, target, lengths = data
    for name, array in (("x", x), ("target", target)):
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = tuple(int(axis) for axis in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{name}[{', '.join(map(str, where))}] is {array[where]}: expected finite numbers; mend or leave out this sequence.")
    x = x.astype(dtype, copy=False)
    target = target.astype(dtype, copy=False) if target.dtype.kind == "f" else target
    return to(backend, x), to(backend, target), lengths


def _means(recent):
    """Mean loss, metric and gradient norm since the last row; here, and only here, numbers leave the device."""
    columns = [[float(entry) for entry in column if entry is not None] for column in zip(*recent)]
    return [sum(column) / len(column) if column else None for column in columns]


def _reached(better, metric, stop):
    return metric <= stop if better == "lower" else metric >= stop
