"""From a trial to its record: train every rate through every stage, choose by validation, read the test set once."""

from dataclasses import replace
from math import isfinite
from pathlib import Path

from ..arrays.backend import to_numpy
from ..arrays.checks import one_of
from ..networks.sizes import count_parameters
from ..optim import Adam, Constant, Steps
from ..records.machine import one_thread, resident, surroundings
from ..records.record import Record, Run, Stage, read_record, read_records, thin, write_record
from ..training.files import clear, owner, whole
from ..training.looking import evaluate, reached
from ..training.loop import fit
from ..training.run import begin
from ..training.storage import describe, read
from .catalogue import EXPERIMENTS

ROW, LOOK = 20, 100                                           # updates between two rows, between two validations
SPLIT = "the validation set chose the rate{}; the test set was read once"


def run_trial(trial, out, resume=False, progress=True):
    """Train one trial, in one thread, and write its record, `out`/NAME.json  ->  Record, as the file gives it back.

    A finished record of the same trial is returned as it is, whatever its file's name. With `resume` an unfinished
    trial goes on from its checkpoints in `out`/runs. Of two processes that want one trial, the second waits and reads.
    A rate with which the run diverges is out of the choice, and its curve ends at the last finite row.
    With a pilot every rate is trained for so many updates, and only the one that validation chooses goes on.
    The verdict is "diverged" where every rate diverges (no rate is chosen), where the chosen one does after its pilot
    (it stays the chosen one), and where the loss or the metric on the test set is not finite. In the first two cases
    the test set is not read (None).
    Raises   FileExistsError for an unfinished trial without `resume`, ValueError for an unknown experiment and for a
             damaged record that was read on the way.
    """
    return finished(trial, out) or train(trial, out, resume, progress)


def finished(trial, folder):
    """The record of this very trial in a folder, under the trial's own name or, where that is not taken, any; or None.

    Raises   ValueError for a damaged record.
    """
    own = _recorded(trial, folder)
    return own or next((record for record in read_records(folder) if record.trial == trial.plain), None)


def train(trial, out, resume=False, progress=True):
    """run_trial for a trial of which the folder is known to hold no record under another name."""
    one_of(tuple(EXPERIMENTS))("experiment", trial.experiment)
    folder = Path(out)
    with owner(folder / "runs" / trial.name, wait=True):
        clear(folder / f"{trial.name}.json")
        if (found := _recorded(trial, folder)) is not None:   # by the process that we waited for
            return found
        if not resume:
            check_new(trial, folder)
        with one_thread():
            record = _measure(trial, _checkpoints(trial, folder), progress)
        return write_record(folder / f"{trial.name}.json", record)


def check_new(trial, folder):
    """Raise FileExistsError where a folder holds checkpoints of this trial."""
    checkpoints = _checkpoints(trial, folder)
    stages = (stage for checkpoint in checkpoints for stage in _files(trial, checkpoint).values())
    for place in (*map(_pilot, checkpoints), *stages):
        if place.exists():
            raise FileExistsError(f"{place} holds this trial unfinished: continue it with --resume (resume=True), "
                                  "or delete the file to begin again.")


def _checkpoints(trial, folder):
    """The checkpoint of every rate."""
    return [Path(folder) / "runs" / f"{trial.name}-rate{rate!r}.npz" for rate in trial.rates]


def _recorded(trial, folder):
    """The record of this very trial under its own name, or None."""
    path = Path(folder) / f"{trial.name}.json"
    record = read_record(path) if path.exists() else None
    return record if isinstance(record, Record) and record.trial == trial.plain else None


def _measure(trial, checkpoints, progress):
    """Train every rate and judge the one that validation chooses  ->  Record."""
    experiment, machine = EXPERIMENTS[trial.experiment], surroundings(trial.backend)
    task = experiment.task_of(trial)
    network, runs, trained, most = trial.network(task), [], [], trial.pilot or trial.updates
    for rate, checkpoint in zip(trial.rates, checkpoints):
        file = checkpoint if trial.pilot is None else _pilot(checkpoint)
        run, p = _train(replace(trial, updates=most, pilot=None), network, rate, file, progress)
        if not run.diverged:
            trained.append((run.validation_loss, len(runs), p))
        if reached(run.validation, trial.stop, network.better) and not trial.stages:
            most = run.updates
        runs.append(run)
    baseline, value = task.baseline()
    chosen, loss, test, verdict, p = None, None, None, "diverged", None
    if trained:
        _, place, p = min(trained, key=lambda candidate: candidate[:2])
        chosen = trial.rates[place]
        if trial.pilot is not None:
            _copied(_pilot(checkpoints[place]), checkpoints[place])
            runs[place], p = _train(trial, network, chosen, checkpoints[place], progress)
        if p is not None:
            loss, test = (found if isfinite(found) else None for found in evaluate(network, p, task.test()))    # once
        if None not in (loss, test):
            verdict = experiment.verdict(test, task)
    machine["peak_MiB"] = round(resident()[1])                # of the process, whatever else it did before
    return Record(
        trial=trial.plain, network=describe(network), parameters=count_parameters(network), metric=task.metric,
        chance=task.chance, baseline={"name": baseline, "value": value}, runs=tuple(runs), chosen_rate=chosen,
        split=SPLIT.format("" if trial.pilot is None else f" after {trial.pilot} updates"), test=test, test_loss=loss,
        verdict=verdict, rule=experiment.rule, machine=machine, seen=_seen(experiment, network, trial, p, task),
    )


def _seen(experiment, network, trial, p, task):
    """What the experiment looks at, of the parameters before and after training; None where it does not look."""
    if experiment.look is None or p is None:
        return None
    start = begin(network, Adam(), Constant(), trial.seed).p  # as fit begins; the optimiser is of no matter to it
    return {when: experiment.look(network, seen, task) for when, seen in (("start", start), ("trained", to_numpy(p)))}


def _train(trial, network, rate, checkpoint, progress):
    """One rate of a trial through its stages, from its checkpoints if there are any  ->  Run, p (None: it diverged)."""
    experiment, p, stages = EXPERIMENTS[trial.experiment], None, []
    for length, file in _files(trial, checkpoint).items():
        task = experiment.task_of(trial, length)
        falls = (trial.stages[0] / length) ** 0.5 if trial.stages and not trial.steady else 1
        options = _options(trial, rate * falls, file, progress)
        try:
            if length == trial.length:
                p, history = _patiently(trial, network, task, {"start": p, **options})
            else:
                p, history = fit(network, task, trial.updates, start=p, **options)
        except FloatingPointError:                            # the checkpoint holds the last finite row
            stages.append(_stage(length, read(file, "checkpoint")[1]["run"]["history"]))
            return Run(rate, tuple(stages), None, None), None
        stages.append(_stage(length, history))
        if length != trial.length and experiment.verdict(history["validation"][-1], task) != "solved":
            break
    loss, metric = evaluate(network, p, experiment.task_of(trial).validation())
    finite = isfinite(loss) and isfinite(metric)              # what ended at a short stage may overflow at full length
    return Run(rate, tuple(stages), *((loss, metric) if finite else (None, None))), p


def _files(trial, checkpoint):
    """The checkpoint of every stage, by its length, the trial's own last."""
    shorter = {length: checkpoint.with_name(f"{checkpoint.stem}-T{length}.npz") for length in trial.stages}
    return {**shorter, trial.length: checkpoint}


def _pilot(checkpoint):
    """The checkpoint of a rate's pilot: a file of its own, so that a resumed trial chooses by the pilots alone."""
    return checkpoint.with_name(f"{checkpoint.stem}-pilot.npz")


def _copied(pilot, checkpoint):
    """Begin a checkpoint where its pilot ended, unless it has begun."""
    if not checkpoint.exists():
        with whole(checkpoint, "checkpoint") as file:
            file.write(pilot.read_bytes())


def _stage(length, history):
    updates, seconds = ((history[name] or [0])[-1] for name in ("update", "seconds"))
    return Stage(length, updates, round(seconds, 1), thin(history))


def _patiently(trial, network, task, options):
    """fit, which ends after `patience` updates where none of the last three looks had left the baseline."""
    updates = trial.updates if trial.patience is None else min(trial.patience, trial.updates)
    p, history = fit(network, task, updates, **options)
    seen = [metric for metric in history["validation"] if metric is not None][-3:]
    done, verdict = history["update"][-1], EXPERIMENTS[trial.experiment].verdict
    left = done > updates or any(verdict(metric, task) != "baseline" for metric in seen)      # past it: it had left
    if updates <= done < trial.updates and left:
        p, history = fit(network, task, trial.updates, **options)
    return p, history


def _options(trial, rate, checkpoint, progress):
    """What fit is told beside network, task and updates."""
    every = ROW if trial.stages else LOOK
    return {
        "optimizer": Adam(rate), "schedule": Constant() if trial.decay is None else Steps(trial.decay),
        "batch": trial.batch, "window": trial.window, "seed": trial.seed, "backend": trial.backend, "stop": trial.stop,
        "progress": progress,
        "log_every": ROW, "validate_every": every,
        "checkpoint": checkpoint, "checkpoint_every": every, "resume": True,
    }
