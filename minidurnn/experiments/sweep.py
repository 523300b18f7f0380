"""Many trials, one after the other, some at once or on many machines: the numbers are the same, bit for bit."""

import os
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from tqdm import tqdm

from ..records.machine import missing
from ..records.record import read_records
from .cluster import run_on
from .run import train


def run_trials(trials, out, resume=False, workers=1, scheduler=None, progress=True):
    """Train trials and write their records  ->  their records in order, each as soon as it is there (a generator).

    workers    processes that train at the same time, each in one thread. With one, the bar counts the updates of a run,
               with several one bar counts the trials. Without joblib trials run one after the other, with a warning
    scheduler  the address of a dask scheduler, whose workers train instead (experiments.cluster)
    Raises     as run_trial; MemoryError where the system ended a process; with a scheduler, before any is trained and
               from the generator, as cluster.run_on.
    """
    trials, known = list(trials), read_records(out)
    found = {trial: record for trial in trials for record in known if record.trial == trial.plain}
    todo = [trial for trial in dict.fromkeys(trials) if trial not in found]
    run = partial(run_on, scheduler) if scheduler is not None and todo else _parallel(min(workers, len(todo)))
    if run is None:
        return _in_order(trials, found, ((trial, train(trial, out, resume, progress)) for trial in todo))
    bar = {"total": len(todo), "disable": not progress, "desc": "training", "unit": "trial"}
    return _in_order(trials, found, iter(tqdm(run(todo, out, resume), **bar)))


def _in_order(trials, found, arriving):
    """The records of trials in order, from those that were found and from pairs (trial, record) as they arrive."""
    try:
        for trial in trials:
            while trial not in found:
                done, record = next(arriving)
                found[done] = record
            yield found[trial]
        next(arriving, None)                                  # the bar comes to its end
    except BrokenProcessPool as error:
        raise MemoryError("the system ended a process that trained, often for want of memory; "
                          "go on with --resume and --workers 1") from error


def default_workers():
    """Processes that train at once unless told otherwise: one for each core, at most two."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(2, cores)


def _parallel(workers):
    """A function that trains trials in so many processes; None where one is enough or joblib is not installed."""
    if workers < 2:
        return None
    try:
        from joblib import Parallel, delayed, parallel_config
    except ImportError:
        missing("joblib", "trials run one after the other, in one process")
        return None

    def run(trials, out, resume):
        with parallel_config(backend="loky", inner_max_num_threads=1):
            pool = Parallel(n_jobs=workers, return_as="generator", batch_size=1, pre_dispatch=workers)
        records = pool(delayed(train)(trial, out, resume, False) for trial in trials)
        return ((trial, record) for record, trial in zip(records, trials))       # records first: they are all taken
    return run
