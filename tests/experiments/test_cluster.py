"""Trials on a dask scheduler: each recorded once, with the serial numbers, whoever dies meanwhile; and its refusals.

One file, in order: its system tests share a cluster in a process of its own, and the last of them kills that.
"""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from logging.handlers import BufferingHandler
from pathlib import Path
from time import monotonic, sleep
from types import SimpleNamespace

import pytest
from support import refuses
from test_command_line import SHORTENED, UNDRAWN, environment, heard, sentence
from test_run import without_time
from test_trials import TINY

import minidurnn
from minidurnn.__main__ import main
from minidurnn.experiments import adding, cluster, run_trials
from minidurnn.records import read_records

distributed = pytest.importorskip("distributed", reason="trials on many machines need minidurnn[sweep]")

LONG = replace(TINY, updates=240)                             # with a checkpoint after 100 of 480 updates
TRIALS = [LONG, *(replace(TINY, seed=seed, updates=40) for seed in (2, 1))]
CLUSTER = """
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    made = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50)
    print(made.scheduler_address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """A scheduler with two workers, in processes of their own  ->  the process of the scheduler, its address."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "started.py").write_text(CLUSTER)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    process = subprocess.Popen([sys.executable, "started.py"], cwd=folder, env=environment(folder), **pipes)
    yield process, process.stdout.readline().strip()
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def address(machines):
    return machines[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the records of TRIALS, trained one after the other."""
    folder = tmp_path_factory.mktemp("serial")
    list(run_trials(TRIALS, folder, progress=False))
    return folder


@pytest.fixture(scope="module")
def serial(folder):
    """What of these records does not differ from run to run."""
    return [without_time(record) for record in run_trials(TRIALS, folder)]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """On a busy machine an answer may take long; where none is to come, a test is less patient."""
    monkeypatch.setattr(cluster, "WAIT", 60)


@contextmanager
def here(workers=1, threads=1):
    """A scheduler and its workers in this very process  ->  the address."""
    options = {"processes": False, "protocol": "tcp", "dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(n_workers=workers, threads_per_worker=threads, **options) as made:
        yield made.scheduler_address


def begun(out):
    """Wait until the long trial has a checkpoint."""
    for _ in range(12_000):                                   # two minutes
        if list(Path(out, "runs").glob(f"{LONG.name}-rate*.npz")):
            return
        sleep(0.01)
    raise AssertionError("the long trial has no checkpoint after two minutes")


def kill_the_worker_of(trial, address, out, told):
    """Kill -9 the worker that trains a trial, once it has a checkpoint; `told` gets whether it had no record then."""
    with distributed.Client(address, set_as_default=False) as client:
        processes = client.run(os.getpid)
        begun(out)
        worker, = (name for name, keys in client.processing().items() if any(trial.name in key for key in keys))
        os.kill(processes[worker], signal.SIGKILL)
        told.append(not Path(out, f"{trial.name}.json").exists())


@pytest.mark.system
def test_of_two_workers_one_is_killed_and_nothing_is_lost_or_done_twice(address, serial, tmp_path, capsys):
    told = []
    killer = threading.Thread(target=kill_the_worker_of, args=(LONG, address, tmp_path, told))
    killer.start()
    records = list(run_trials(TRIALS, tmp_path, scheduler=address))
    killer.join()
    assert told == [True]                                     # it was in the middle of the trial
    assert [without_time(record) for record in records] == serial
    assert {record.machine["threads"] for record in records} <= {1, None}
    assert sorted(path.stem for path in tmp_path.glob("*.json")) == sorted(trial.name for trial in TRIALS)
    said = capsys.readouterr()
    assert "3/3" in said.err and "Traceback" not in said.err + said.out
    assert not [path for path in tmp_path.rglob(".*") if path.name.startswith(".shared")]


def test_what_is_finished_is_read_and_asks_no_scheduler(folder, serial):
    again = run_trials(TRIALS, folder, scheduler="tcp://nobody.invalid:8786")
    assert [without_time(record) for record in again] == serial


@pytest.mark.system
def test_an_error_at_a_worker_is_told_as_it_is_here(address, tmp_path):
    checkpoint = tmp_path / "runs" / f"{TRIALS[1].name}-rate0.001.npz"
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"no checkpoint")
    with refuses(FileExistsError, str(checkpoint), "--resume"):
        run_trials(TRIALS, tmp_path, scheduler=address)
    with refuses(ValueError, str(checkpoint)):
        list(run_trials(TRIALS[1:2], tmp_path, resume=True, scheduler=address, progress=False))


@pytest.mark.system
def test_ctrl_c_leaves_whole_records_and_says_how_to_go_on(address, tmp_path):
    words = ["replicate", "adding", "--quick", "--models", "indrnn-1", "--seeds", "0,1,2,3,4,5,6,7"]
    words += ["--out", str(tmp_path / "out"), "--dask", address]
    env = environment(tmp_path, sitecustomize=UNDRAWN + SHORTENED)
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "env": env}
    with subprocess.Popen([sys.executable, "-m", "minidurnn", *words], preexec_fn=heard, **pipes) as process:
        said = ""
        while not re.search(r"[1-7]/8", said):
            assert process.poll() is None, said
            said += process.stderr.read(1)
        process.send_signal(signal.SIGINT)
        said += process.stderr.read()
    assert process.returncode == 130 and "--resume continues" in said and "Traceback" not in said
    assert 1 <= len(read_records(tmp_path / "out")) < 8       # each of them whole, or it could not be read


class Interrupted(threading.Event):
    def wait(self, timeout=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize("filtered", [True, False])
def test_ctrl_c_before_dask_has_begun_a_call_prints_no_traceback(filtered, monkeypatch):
    def wrong():
        raise OSError("not of dask")

    told = BufferingHandler(9)
    with here() as address, monkeypatch.context() as patch:
        patch.setattr(logging.getLogger("tornado.application"), "handlers", [told])
        client = cluster._connected(address)
        if not filtered:
            patch.setattr(logging.getLogger("tornado.application"), "filters", [])
        client.loop.add_callback(sleep, 0.2)                  # so that the call's cancel stands right behind it
        with monkeypatch.context() as brief:
            brief.setattr(distributed.utils, "threading", SimpleNamespace(**vars(threading) | {"Event": Interrupted}))
            with pytest.raises(KeyboardInterrupt):
                client.nthreads()
        client.loop.add_callback(wrong)
        client.close()
    assert [record.exc_info[0] for record in told.buffer] == [NameError, OSError][filtered:]


@pytest.mark.parametrize("text", [
    "host:8786", "tcp://host", "http://host:8786", "tcp://host:99999", "tcp://:8786", "tcp://host:8786/x", "",
])
def test_what_is_no_address_is_refused(text, tmp_path):
    with refuses(ValueError, repr(text), "tcp://host:8786"):
        run_trials(TRIALS, tmp_path, scheduler=text)


def test_where_no_scheduler_listens_the_command_says_so_at_once(tmp_path, capsys):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        asked = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        before = monotonic()
        words = ["replicate", "adding", "--quick", "--dask", asked, "--out", str(tmp_path)]
        assert main(words) == 2 and monotonic() - before < 5
    said = sentence(capsys.readouterr())
    assert f"no dask scheduler answers at {asked}" in said and "start one with `dask scheduler`" in said


@pytest.mark.system
def test_who_only_listens_or_is_a_worker_is_no_scheduler(address, tmp_path, monkeypatch):
    with distributed.Client(address, set_as_default=False) as client:
        worker = min(client.nthreads())
    with refuses(OSError, f"no dask scheduler answers at {worker} (a worker of dask does)"):
        run_trials(TRIALS, tmp_path, scheduler=worker)
    monkeypatch.setattr(cluster, "WAIT", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with refuses(OSError, "no dask scheduler answers"):
            run_trials(TRIALS, tmp_path, scheduler=f"tcp://127.0.0.1:{silent.getsockname()[1]}")


def test_a_scheduler_without_workers_and_a_worker_with_threads_are_refused(tmp_path, monkeypatch):
    with here(workers=0) as alone, monkeypatch.context() as patch:
        client = cluster._connected(alone)
        patch.setattr(cluster, "WAIT", 0.1)
        with refuses(OSError, alone, "no workers", f"dask worker {alone} --nthreads 1"):
            cluster._check(client, alone, TRIALS, tmp_path)
        client.close()
    with here(threads=3) as many, refuses(ValueError, "has 3 threads: expected 1", "--nworkers 3"):
        run_trials(TRIALS, tmp_path, scheduler=many)


CHANGES = {                                                   # what is another at one worker, words of the refusal
    "version": (minidurnn, "__version__", "0.0.9", ("has minidurnn 0.0.9, here is", minidurnn.__version__)),
    "locks": (cluster, "owner", nullcontext, ("does not share the locks of the output folder",)),
    "data": (adding, "Adding", None, ("cannot begin (TypeError",)),
}


@pytest.mark.system
@pytest.mark.parametrize("thing, name, other, words", CHANGES.values(), ids=CHANGES)
def test_the_one_worker_that_cannot_do_the_work_is_named(thing, name, other, words, address, tmp_path):
    with distributed.Client(address, set_as_default=False) as client:
        worker = max(client.nthreads())
        client.run(setattr, thing, name, other, workers=[worker])
        try:
            with refuses(ValueError, f"the worker {worker} ", *words):
                run_trials(TRIALS, tmp_path, scheduler=address)
        finally:
            client.run(setattr, thing, name, getattr(thing, name), workers=[worker])
    assert not list(tmp_path.rglob("*.npz"))


@pytest.mark.system
def test_a_worker_without_the_package_is_named(address, tmp_path):
    with distributed.Client(address, set_as_default=False) as client:
        worker = max(client.nthreads())
        client.run(exec, "import sys; sys.modules['minidurnn'] = None", workers=[worker])
        try:
            with refuses(ValueError, f"the worker {worker} has no minidurnn", "install version"):
                run_trials(TRIALS, tmp_path, scheduler=address)
        finally:
            client.run(exec, "import sys; sys.modules.pop('minidurnn')", workers=[worker])


@pytest.mark.system
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="a path of which every process has its own needs /proc")
def test_the_worker_that_does_not_share_the_output_folder_is_named(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with distributed.Client(address, set_as_default=False) as client:
        first, second = sorted(client.nthreads())
        before = client.run(os.getcwd)[first]
        client.run(os.chdir, str(tmp_path), workers=[first])
        with refuses(ValueError, f"the worker {second} does not share the output folder /proc/self/cwd", "--out"):
            run_trials(TRIALS, "/proc/self/cwd", scheduler=address)
        client.run(os.chdir, before, workers=[first])


@pytest.mark.system
def test_a_worker_of_another_version_that_joins_later_trains_nothing(address, tmp_path):
    with distributed.Client(address, set_as_default=False) as client:
        future = client.submit(cluster._trained, TRIALS[1], tmp_path, "0.0.9")
        with refuses(ValueError, "the worker tcp://", f"has minidurnn {minidurnn.__version__}", "here is 0.0.9"):
            future.result()
    assert not list(tmp_path.iterdir())


class Asked:
    """A client whose workers have left, and a future that is done when it has been asked twice for workers."""

    def __init__(self, error):
        self.error, self.times = error, 0

    def nthreads(self):
        self.times += 1
        if self.times == 2:
            self.tell(self)
        return {}

    def add_done_callback(self, tell):
        self.tell = tell

    def result(self):
        raise self.error

    def close(self, timeout):
        self.closed = True


@pytest.mark.parametrize("error, expected, words", [
    (distributed.CancelledError("lost"), ConnectionError, ("the scheduler at tcp://a:1 went away", "--resume")),
    (distributed.KilledWorker("task", None, 3), MemoryError, (TINY.name, "ended every worker", "--resume")),
], ids=["scheduler", "workers"])
def test_a_wait_for_workers_is_told_once_and_an_end_is_explained(error, expected, words, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "LOOK", 0.01)
    asked = Asked(error)
    with refuses(expected, *words):
        list(cluster._arriving(asked, "tcp://a:1", {asked: TINY}))
    said = capsys.readouterr().err
    assert said.count("has no worker left; waiting") == 1 and asked.closed


def test_without_dask_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with refuses(RuntimeError, "dask is not installed", "minidurnn[sweep]"):
        run_trials(TRIALS, tmp_path, scheduler="tcp://127.0.0.1:8786")


@pytest.mark.system
def test_a_scheduler_that_dies_is_told_and_resume_finishes(machines, serial, tmp_path, capsys):
    process, address = machines
    threading.Thread(target=lambda: (begun(tmp_path), process.kill())).start()
    with refuses(ConnectionError, f"the scheduler at {address} went away", "--resume"):
        list(run_trials(TRIALS, tmp_path, scheduler=address))
    assert not (tmp_path / f"{LONG.name}.json").exists()
    assert "Traceback" not in capsys.readouterr().err
    with here() as another:
        records = list(run_trials(TRIALS, tmp_path, resume=True, scheduler=another, progress=False))
    assert [without_time(record) for record in records] == serial
    assert len(list(tmp_path.glob("*.json"))) == len(TRIALS)
