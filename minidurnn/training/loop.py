"""The training loop: data, update, constraint, and at logging points a look at what happens and a checkpoint."""

import json
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ..arrays.backend import namespace, to
from ..arrays.checks import FLOATS, check_choice, check_classes, check_positive
from ..arrays.trees import leaves, map_leaves
from ..networks.chunked import Chunked
from ..optim import Adam, Constant, clip_by_global_norm
from .storage import describe, fitted, plain, read, write

COLUMNS = ("update", "loss", "metric", "gradient_norm", "validation", "rate", "seconds")


def streams(seed):
    """Independent random streams of one seed, so that two models see the same data  ->  parameters, data, noise."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)]


def fit(network, task, updates, *, optimizer=None, schedule=None, clip=5.0, batch=50, window=None, seed=0, start=None,
        dtype="float32", backend="numpy", log_every=20, validate_every=100, stop=None, time_limit=None,
        checkpoint=None, checkpoint_every=100, resume=False, progress=True):
    """Train a network on a task  ->  p (on the backend), history.

    updates            optimiser steps at most              batch   sequences in one
    optimizer          Adam() unless given                  schedule   of the rate: Constant() unless given
    clip               limit on the gradient's global norm, or None
    window             truncated backpropagation: a batch is cut into stretches of so many steps, each one update, with
                       the state (not its gradient) handed on; None takes whole sequences
    start              parameters (NumPy) to begin with instead of the network's own start values
    log_every          updates between two rows of the history; only there are numbers read off the device
    validate_every     updates between two looks at task.validation(), a multiple of log_every, or None for never
    stop               training ends at the first validation metric at least as good as this
    time_limit         seconds of this call after which training ends at the next row
    checkpoint         a file that is written at the start, every `checkpoint_every` updates, at the end and on Ctrl-C;
                       `resume` continues from it, bit for bit on the same machine, or begins where there is none yet
    history            dict of equally long lists: update; since the row before, the mean loss, metric and gradient norm
                       before clipping; the validation metric (None where none was taken); the rate; seconds of training
    Raises             ValueError for data that are not finite or a checkpoint of another run, FileExistsError for one
                       that would be overwritten, FloatingPointError when a number is not finite any more
    """
    check_positive(updates=updates, batch=batch, log_every=log_every, checkpoint_every=checkpoint_every)
    check_positive(**{name: steps for name, steps in (("validate_every", validate_every), ("window", window)) if steps is not None})
    check_choice("dtype", dtype, FLOATS)
    for name, every in (("validate_every", validate_every), ("checkpoint_every", None if checkpoint is None else checkpoint_every)):
        if every is not None and every % log_every:
            raise ValueError(f"{name} is {every}: expected a multiple of log_every ({log_every}), where numbers are read.")
    if window is not None and network.reads != "every":
        raise ValueError(f"window is {window} for a network that reads the last step: expected reads=\"every\", for every window needs targets.")
    optimizer, schedule = optimizer or Adam(), schedule or Constant()
    setting = {
        "network": describe(network), "task": repr(task).partition(" at 0x")[0], "optimizer": describe(optimizer), "schedule": describe(schedule), "clip": clip, "batch": batch,
        "window": window, "seed": seed, "dtype": dtype, "log_every": log_every, "validate_every": validate_every,
    }
    run = _begin(network, start, optimizer, schedule, seed, dtype, backend)
    if checkpoint is not None and Path(checkpoint).exists():
        if not resume:
            raise FileExistsError(f"the checkpoint {checkpoint} exists and would be overwritten: give resume=True (--resume) to continue it, or another path.")
        run = _resume(checkpoint, setting, run, backend)
    elif checkpoint is not None:
        _save(checkpoint, run, setting)                       # what cannot be saved is found before it is trained
    earlier, begun = run["seconds"], perf_counter()
    batches = _batches(network, task, run, batch, window, dtype, backend)
    whole, recent = run, []                                   # the run at the last row, and what came since
    with tqdm(total=updates, initial=min(run["update"], updates), disable=not progress, desc="training", unit="update") as bar:
        try:
            while run["update"] < updates and not _reached(run, stop, network.better):
                x, target, lengths, noise, place = next(batches)
                rate = schedule.scale(run["schedule"], run["update"])
                value, metric, tape = network.loss(run["p"], x, target, run["carried"], noise, lengths)
                dp, _ = network.gradient(tape)
                norm = None
                if clip is not None:
                    dp, norm = clip_by_global_norm(dp, clip)
                p, state = optimizer.update(run["p"], dp, run["optimizer"], rate)
                p = network.project(network.updated(p, tape)) # the constraints hold after every update
                carried = None if place["offset"] == 0 else network.last_state(tape)
                run = {**run, "p": p, "optimizer": state, "carried": carried, **place, "update": run["update"] + 1}
                recent.append((value, metric, norm))
                bar.update()
                if run["update"] % log_every and run["update"] != updates:
                    continue
                means, validation, look = _means(recent), None, 0.0
                if validate_every is not None and (run["update"] % validate_every == 0 or run["update"] == updates):
                    look, validation = evaluate(network, p, task.validation())
                bar.set_postfix_str(f"loss {means[0]:.4f}, {network.metric} {means[1]:.4f}")
                row = (run["update"], *means, validation, optimizer.rate * rate, earlier + perf_counter() - begun)
                history = {name: [*run["history"][name], entry] for name, entry in zip(COLUMNS, row)}
                run = {**run, "history": history, "schedule": schedule.observe(run["schedule"], validation, network.better), "seconds": row[-1]}
                _check_finite(run, look, whole, checkpoint, setting)
                whole, recent = run, []
                late = time_limit is not None and row[-1] - earlier >= time_limit
                ends = late or run["update"] == updates or _reached(run, stop, network.better)
                if checkpoint is not None and (ends or run["update"] % checkpoint_every == 0):
                    _save(checkpoint, run, setting)
                if ends:
                    break
        except KeyboardInterrupt:
            if checkpoint is not None:
                _save(checkpoint, whole, setting)
                bar.write(f"stopped; update {whole['update']} is saved in {checkpoint}: continue with resume=True (--resume)")
            raise
    return run["p"], run["history"]


def evaluate(network, p, data, sequences=250):
    """Loss and metric of a network on (x, target, lengths), in batches and without tapes  ->  floats.

    The data are converted to the dtype of p and moved to its library.
    """
    leaf = p["readout"]["W"]
    lean = network if network.body.whole else replace(network, body=Chunked(network.body, 16, keep="boundaries"))
    x, target, lengths = data
    totals = np.zeros(2)
    for first in range(0, x.shape[1], sequences):
        rows = slice(first, first + sequences)
        part = (x[:, rows], target[rows] if network.reads == "last" else target[:, rows], None if lengths is None else lengths[rows])
        part_x, part_target, part_lengths = draw(network, part, leaf.dtype, namespace(leaf).__name__)
        value, metric, _ = lean.loss(p, part_x, part_target, lengths=part_lengths)
        share = part_x.shape[1] / x.shape[1] if lengths is None or network.reads == "last" else part_lengths.sum() / lengths.sum()
        totals += np.array([float(value), float(metric)]) * share
    return float(totals[0]), float(totals[1])


def draw(network, data, dtype, backend):
    """Checked data (NumPy x, target, lengths) in a dtype on a backend.

    Raises ValueError where they are not finite, or class numbers out of range: on a GPU nothing later reads them.
    """
    x, target, lengths = data
    for name, array, classes in (("x", x, network.body.inputs), ("target", target, network.outputs)):
        if array.dtype.kind in "iu":
            check_classes(name, array, array.shape, classes)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            where = tuple(int(axis) for axis in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(f"{name}[{', '.join(map(str, where))}] is {array[where]}: expected finite numbers; mend or leave out this sequence.")
    x, target = (array.astype(dtype, copy=False) if array.dtype.kind == "f" else array for array in (x, target))
    return to(backend, x), to(backend, target), lengths


def _begin(network, start, optimizer, schedule, seed, dtype, backend):
    """A run before its first update: everything that a checkpoint holds."""
    parameter_rng, data_rng, noise_rng = streams(seed)
    p = network.init(parameter_rng)
    p = p if start is None else fitted("start", start, p)
    p = to(backend, map_leaves(lambda a: a.astype(dtype), p))
    return {
        "p": p, "optimizer": optimizer.start(p), "carried": None,
        "update": 0, "data_rng": data_rng.bit_generator.state, "noise_rng": noise_rng.bit_generator.state, "offset": 0, "schedule": schedule.start(),
        "history": {name: [] for name in COLUMNS}, "seconds": 0.0,
    }


ARRAYS = ("p", "optimizer", "carried")                        # what of a run is a tree of arrays; the rest is plain


def _save(path, run, setting):
    facts = {name: part for name, part in run.items() if name not in ARRAYS}
    write(path, {name: run[name] for name in ARRAYS}, {"kind": "checkpoint", "setting": setting, "run": facts})


def _resume(path, setting, fresh, backend):
    arrays, facts = read(path, "checkpoint")
    expected, given = leaves(json.loads(json.dumps(setting, default=plain))), leaves(facts.get("setting", {}))
    for name in expected | given:
        if expected.get(name) != given.get(name):
            raise ValueError(f"the checkpoint {path} is of another run: its {name.replace('options/', '')} is {given.get(name)!r}, expected {expected.get(name)!r}; give the same options, or another path.")
    trained = {name: fresh[name] for name in ("p", "optimizer")}
    saved = fitted(path, {name: arrays.get(name) for name in trained}, trained)
    saved = map_leaves(lambda leaf: to(backend, leaf) if leaf.ndim else leaf.item(), saved)     # a count of updates is a number again
    return {**fresh, **saved, "carried": to(backend, arrays.get("carried")), **facts["run"]}


def reached(metric, stop, better):
    """Whether a metric is as good as `stop` asks for; not where one of them is None. better: "lower" or "higher"."""
    return None not in (metric, stop) and (metric <= stop if better == "lower" else metric >= stop)


def _reached(run, stop, better):
    """Whether the last row's validation metric is as good as `stop` asks for."""
    return reached((run["history"]["validation"] or [None])[-1], stop, better)


def _batches(network, task, run, batch, window, dtype, backend):
    """Endless x, target, lengths, noise, and the place after them: the streams before the batch in use, the offset in it."""
    streams, offset = {name: np.random.default_rng() for name in ("data_rng", "noise_rng")}, run["offset"]
    for name, rng in streams.items():
        rng.bit_generator.state = run[name]
    while True:
        before = {name: rng.bit_generator.state for name, rng in streams.items()}
        x, target, lengths = draw(network, task.batch(streams["data_rng"], batch), dtype, backend)
        noise = to(backend, network.draw(streams["noise_rng"], batch))
        if window is not None and lengths is not None:
            raise ValueError("the task gives sequences of different lengths: expected window=None, for windows cut all sequences at the same steps.")
        behind = {name: rng.bit_generator.state for name, rng in streams.items()}
        length = len(x) if window is None else window
        for first in range(offset, len(x), length):
            ends = first + length >= len(x)
            place = {**behind, "offset": 0} if ends else {**before, "offset": first + length}
            yield x[first:first + length], target if window is None else target[first:first + length], lengths, noise, place
        offset = 0


def _means(recent):
    """Mean loss, metric and gradient norm since the last row; here, and only here, numbers leave the device."""
    columns = [[float(entry) for entry in column if entry is not None] for column in zip(*recent)]
    return [sum(column) / len(column) if column else None for column in columns]


def _check_finite(run, look, whole, checkpoint, setting):
    """Stop a run whose loss, parameters or validation (loss: look) are not finite, after saving it as it was at the row before."""
    loss, validation = run["history"]["loss"][-1], run["history"]["validation"][-1]
    if not np.isfinite(loss):
        what = f"the loss is {loss}"
    elif not all(bool(namespace(leaf).isfinite(leaf).all()) for leaf in leaves(run["p"]).values()):
        what = "a parameter is not finite"
    elif not np.isfinite([look, validation or 0.0]).all():
        what = f"the validation loss is {look}"
    else:
        return
    kept = ""
    if checkpoint is not None:
        _save(checkpoint, whole, setting)
        kept = f" (saved in {checkpoint})"
    raise FloatingPointError(f"{what} at update {run['update']}, the last finite row is update {whole['update']}{kept}: use a smaller rate, clip the gradient, or keep the constraints on.")
