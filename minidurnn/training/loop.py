"""The training loop: update after update, and at the rows of its history a look at what happens and a checkpoint."""

from dataclasses import replace
from time import perf_counter

from ..optim import Adam, Constant
from .batches import batches
from .looking import ended, look, noted, reached
from .options import check_options, check_parts
from .progress import Screen, tell
from .run import begin, shown
from .saving import identity, kept
from .update import update

HINT = "use a smaller rate, clip the gradient, or keep the constraints on"


def fit(network, task, updates, *, optimizer=None, schedule=None, clip=5.0, batch=50, window=None, seed=0, start=None,
        dtype="float32", backend="numpy", log_every=20, validate_every=100, stop=None, time_limit=None,
        checkpoint=None, checkpoint_every=100, resume=False, progress=True):
    """Train a network on a task  ->  p (on the backend), history.

    updates            optimiser steps at most              batch   sequences in one
    optimizer          Adam() unless given                  schedule   of the rate: Constant() unless given
    clip               limit on the gradient's global norm, or None
    window             truncated backpropagation: a batch is cut into stretches of so many steps, each one update, with
                       the state (not its gradient) handed on; None takes whole sequences
    start              parameters to begin with instead of the network's own start values
    log_every          updates between two rows of the history; only there are numbers read off the device
    validate_every     updates between two looks at task.validation(), a multiple of log_every, or None for never
    stop               training ends at the first validation metric at least as good as this
    time_limit         seconds of this call after which training ends at the next row
    checkpoint         a file that is written at the start, every `checkpoint_every` updates, at the end and on Ctrl-C;
                       `resume` continues from it, bit for bit on the same machine, or begins where there is none yet.
                       Everything that decides the numbers must be as before; `updates`, `stop`, `time_limit` and the
                       backend may differ (the other backend rounds otherwise). One process at a time can have the file
    history            dict of equally long lists: update; since the row before, the mean loss, metric and gradient norm
                       before clipping; the validation metric (None: none was taken); the rate; seconds of training.
                       The last update has a row and a look in any case. A run that is continued forgets those that are
                       no multiples of log_every and validate_every: it equals one that was asked for more at once
    Raises             ValueError for an impossible option, data that are not finite, a checkpoint that is damaged or of
                       another run; TypeError for what is no network, task, optimiser or schedule, or what a checkpoint
                       could not tell from others; FileExistsError for a checkpoint that would be overwritten,
                       BlockingIOError for one that another process has; OSError for one that cannot be written;
                       FloatingPointError when a number is not finite any more
    """
    optimizer, schedule = Adam() if optimizer is None else optimizer, Constant() if schedule is None else schedule
    check_parts(network, task, optimizer, schedule, validate_every is not None)
    o = check_options(
        network, updates=updates, clip=clip, batch=batch, window=window, seed=seed, dtype=dtype, log_every=log_every,
        validate_every=validate_every, stop=stop, time_limit=time_limit, checkpoint=checkpoint,
        checkpoint_every=checkpoint_every, resume=resume, progress=progress, backend=backend)
    run = begin(network, optimizer, schedule, o.seed, start, o.dtype, o.backend)
    own_start = None if start is None else run.p
    setting = None if checkpoint is None else identity(network, task, optimizer, schedule, own_start, o)
    with kept(o.checkpoint, run, setting, o.resume, o.backend) as (run, save), _bar(run, o) as bar:
        earlier, begun = run.seconds, perf_counter()

        def clock():
            return earlier + perf_counter() - begun

        try:
            trained = rows(network, task, optimizer, schedule, run, o, clock, bar.update)
            for run in trained:
                seen = shown(run)
                latest = f"loss {seen['loss'][-1]:.4f}, {network.metric} {seen['metric'][-1]:.4f}"
                bar.set_postfix_str(latest, refresh=False)
                if run.update % o.checkpoint_every == 0:
                    save(run)
                if o.time_limit is not None and run.seconds - earlier >= o.time_limit and run.update < o.updates:
                    break
            save(run)
        except KeyboardInterrupt:
            save(run)
            if o.checkpoint is not None:
                where = f"update {run.update} is saved in {checkpoint}"
                tell(bar, f"stopped; {where}: continue with resume=True (--resume)")
            raise
        except FloatingPointError as error:
            save(run)
            where = "" if o.checkpoint is None else f" (saved in {checkpoint})"
            raise FloatingPointError(f"{error}, the last finite row is update {run.update}{where}: {HINT}.") from error
    return run.p, shown(run)


def rows(network, task, optimizer, schedule, run, o, clock, tick):
    """Train  ->  the run at every row of its history and at its end, as a generator.

    o        fit's options          clock    () -> seconds of training so far          tick   called after every update
    """
    data = batches(network, task, run, o.batch, o.window, o.dtype, o.backend)
    while run.update < o.updates and not reached(_last_look(run), o.stop, network.better):
        scale = schedule.scale(run.schedule, run.update)
        run, seen = update(network, optimizer, run, next(data), scale, o.clip)
        run = replace(run, recent=(*run.recent, seen), end=None)
        tick()
        if run.update % o.log_every == 0:
            row = look(network, task, run, optimizer.rate * scale, _looks(run, o), clock)
            run = noted(run, row, schedule, network.better)
            yield run
    lacks = run.recent or (o.validate_every is not None and not _looks(run, o))
    if run.update == o.updates and run.end is None and lacks:
        scale = schedule.scale(run.schedule, run.update - 1)
        yield ended(run, look(network, task, run, optimizer.rate * scale, o.validate_every is not None, clock))


def _last_look(run):
    return (run.history["validation"] or [None])[-1]


def _looks(run, o):
    """Whether every run looks at the validation set after so many updates."""
    return o.validate_every is not None and run.update % o.validate_every == 0


def _bar(run, o):
    from tqdm import tqdm  # here, for it takes a seventh of the time in which the package is imported

    screen = Screen()
    return tqdm(
        total=o.updates, initial=min(run.update, o.updates), disable=not o.progress, desc="training", unit="update",
        file=screen, mininterval=screen.pause)
