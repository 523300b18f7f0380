"""Trials on the workers of a dask scheduler, which write their records to a folder that all of them share."""

import asyncio
import logging
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from queue import Empty, Queue
from secrets import token_hex
from time import sleep
from traceback import walk_tb
from urllib.parse import urlsplit

from tqdm import tqdm

from .. import __version__
from ..training.files import owner
from .catalogue import EXPERIMENTS
from .run import check_new, train

WAIT = 5                                                      # seconds for an answer; then nobody is there
LOOK = 10                                                     # seconds without a record, then: are workers left?
ASKED = "__import__('minidurnn').__version__"                 # as text: another version may lack what we would name
OTHER = "has minidurnn {}, here is {}: expected one version."
GO_ON = "what was finished is kept, and the same command with --resume goes on"


def run_on(scheduler, trials, out, resume=False):
    """Hand trials out to the workers of a scheduler  ->  (trial, record) as they arrive, a generator.

    Here the scheduler is asked, every worker is checked, and the trials are handed out. A worker trains one at a time,
    from its checkpoints where there are some, and writes checkpoints and record to `out` itself. So a trial whose
    worker is killed goes on at another worker, and a record is there whatever becomes of this process.
    Raises   ValueError for an address that is none and for a worker that cannot do the work; FileExistsError for an
             unfinished trial without `resume`; OSError where no scheduler answers or it has no workers; RuntimeError
             without dask; and from the generator ConnectionError where the scheduler goes away, MemoryError for a
             trial that ends its workers, and what `train` raises at a worker.
    """
    out = Path(out).absolute()
    for trial in () if resume else trials:
        check_new(trial, out)
    client = _connected(scheduler)
    try:
        _check(client, scheduler, trials, out)
        group = f"minidurnn-{sha256(f'{__version__} {out}'.encode()).hexdigest()[:16]}"
        futures = {client.submit(_trained, trial, out, __version__, key=(group, trial.name)): trial for trial in trials}
    except BaseException:
        client.close()
        raise
    return _arriving(client, scheduler, futures)


def _arriving(client, scheduler, futures):
    """The trials of some futures with their records, as they arrive; what is not begun by then is withdrawn at the end.

    A trial that a worker is at when this ends goes on there, and its record is written.
    """
    from distributed import CancelledError, KilledWorker

    done, alone = Queue(), False
    try:
        for future in futures:
            future.add_done_callback(done.put)
        for _ in futures:
            while True:
                try:
                    future = done.get(timeout=LOOK)
                    break
                except Empty:
                    alone = _said_alone(client, scheduler, alone)
            try:
                yield futures[future], future.result()
            except CancelledError as error:
                raise ConnectionError(f"the scheduler at {scheduler} went away: {GO_ON}.") from error
            except KilledWorker as error:
                raise MemoryError(f"{futures[future].name} ended every worker that trained it, often for want of "
                                  f"memory; {GO_ON}") from error
    finally:
        client.close(timeout=WAIT)


def _said_alone(client, scheduler, before):
    """Whether no worker is left, said once on stderr; a new one may still come."""
    try:
        alone = not client.nthreads()
    except OSError:                                           # the futures say so themselves
        return before
    if alone and not before:
        tqdm.write(f"minidurnn: the scheduler at {scheduler} has no worker left; waiting for one to join.", sys.stderr)
    return alone


def _trained(trial, out, version):
    """At a worker: train a trial, or go on with it  ->  its record."""
    from distributed import get_worker

    worker = get_worker()
    if fault := _unfit(version, worker.state.nthreads):          # it may have joined since the others were checked
        raise ValueError(f"the worker {worker.address} {fault}")
    return train(trial, out, resume=True, progress=False)


def _connected(scheduler):
    """The client of a scheduler.    Raises ValueError, OSError, RuntimeError."""
    try:
        split = urlsplit(scheduler)
        host, port = split.hostname, split.port
    except ValueError:                                        # a port that is none
        host = port = None
    if not host or not port or scheduler != f"{split.scheme}://{split.netloc}" or split.scheme not in ("tcp", "tls"):
        raise ValueError(f"the scheduler's address is {scheduler!r}: expected one such as tcp://host:8786, as "
                         "`dask scheduler` prints it.")
    try:
        from distributed import Client
    except ImportError as error:
        raise RuntimeError("dask is not installed: trials on many machines need minidurnn[sweep], here and at every "
                           "worker.") from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)      # its traceback of a lost scheduler
    logging.getLogger("tornado.application").addFilter(_worth_telling)       # and one of its own after Ctrl-C
    try:
        socket.create_connection((host, port), WAIT).close()  # refused at once; the others would try again and again
        with ThreadPoolExecutor(1) as thread:                 # a notebook has a loop of its own
            thread.submit(asyncio.run, asyncio.wait_for(_greeted(scheduler), WAIT)).result()
        return Client(scheduler, timeout=WAIT, set_as_default=False)
    except Exception as error:                                # whatever else listens there may say anything
        said = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
        raise OSError(f"no dask scheduler answers at {scheduler} ({said}): start one with `dask scheduler`, and give "
                      "the address that it prints.") from error


def _worth_telling(record):
    """Whether a log record tells of anything else than a NameError that was raised inside dask.

    An interrupted call of dask cancels what it may not have begun, and that has no name yet.
    """
    kind, _, trace = record.exc_info or (None, None, None)
    frames = [frame for frame, _ in walk_tb(trace)] if kind is NameError else []
    return not frames or not frames[-1].f_globals.get("__name__", "").startswith("distributed.")


async def _greeted(scheduler):
    """Raise where no scheduler speaks; Client would wait for ever at a port where somebody only listens."""
    from distributed import Security
    from distributed.comm import connect

    comm = await connect(scheduler, **Security().get_connection_args("client"))
    try:
        await comm.write({"op": "identity", "reply": True})
        kind = (await comm.read())["type"]
    finally:
        comm.abort()
    if kind != "Scheduler":
        raise ValueError(f"a {kind.lower()} of dask does")


def _check(client, scheduler, trials, out):
    """Raise where there are no workers, or one that cannot do the work or does not share the folder."""
    for _ in range(round(10 * WAIT)):
        if threads := client.nthreads():
            break
        sleep(0.1)
    else:
        raise OSError(f"the scheduler at {scheduler} has no workers: start some, on any machine, with "
                      f"`dask worker {scheduler} --nthreads 1`.")
    for worker, said in client.run(eval, ASKED, on_error="return").items():
        if isinstance(said, ImportError):
            raise ValueError(f"the worker {worker} has no minidurnn ({said}): install version {__version__} there.")
        if said != __version__:
            raise ValueError(f"the worker {worker} {OTHER.format(said, __version__)}")
    shared = out / "runs" / f".shared-{token_hex(8)}"
    needed = {(trial.experiment, trial.length, trial.source, trial.backend) for trial in trials}
    try:
        with owner(shared):
            shared.touch()
            found = client.run(_unready, threads, shared, needed, on_error="return")
    finally:
        for file in (shared, shared.with_name(f"{shared.name}.lock")):
            file.unlink(missing_ok=True)
    for worker, fault in found.items():
        if isinstance(fault, Exception):
            fault = f"cannot begin ({type(fault).__name__}: {fault})"
        if fault:
            raise ValueError(f"the worker {worker} {fault}")


def _unfit(version, threads):
    """Why this process must not train beside the others, or None."""
    if version != __version__:
        return OTHER.format(__version__, version)
    if threads != 1:
        return (f"has {threads} threads: expected 1, for the threads of a process share its BLAS; start it with "
                f"--nthreads 1 (and --nworkers {threads}).")
    return None


def _unready(threads, shared, needed, dask_worker):
    """At a worker, before anything is trained: why it cannot train these trials, or None."""
    if fault := _unfit(__version__, threads.get(dask_worker.address, 1)):
        return fault
    folder = shared.parents[1]
    if not shared.exists():
        return f"does not share the output folder {folder}: give one with --out that is the same on every machine."
    try:
        with owner(shared):
            return f"does not share the locks of the output folder {folder}: give one on a file system that has them."
    except BlockingIOError:
        pass
    for experiment, length, source, backend in needed:        # missing data, a missing GPU
        if backend == "cupy":
            from ..arrays.backend import import_cupy

            import_cupy()
        EXPERIMENTS[experiment].task(length, source).baseline()
    return None
