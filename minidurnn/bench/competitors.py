"""Implementations in processes of their own, as users run them: none finds another's allocator, threads or caches."""

import json
import subprocess
import sys
from time import perf_counter, process_time

from .implementations import ready
from .workloads import Workload

TURN = 0.1                                                    # seconds that a turn lasts at least
COMMAND = "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "      # Ctrl-C ends it without a word
COMMAND += "from minidurnn.bench.competitors import compete; compete(*sys.argv[1:])"


class Competitor:
    """An implementation that is ready, and computes only when it has its turn. Use it in a `with` statement."""

    def __init__(self, name, cell, workload, chunk):
        self.who, self.words = f"{name} of {cell}", (name, cell, json.dumps(workload), str(chunk))

    def __enter__(self):
        command = [sys.executable, "-c", COMMAND, *self.words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()                                        # it is ready
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def turn(self):
        """CPU and wall seconds of one run, the mean of a turn."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        said = json.loads(line) if line else {"stopped": "it was killed, often for want of memory"}
        if isinstance(said, dict):
            raise RuntimeError(f"the process that runs {self.who} ended: {said['stopped']}.")
        return said


def compete(*words):
    """The other end of a Competitor, which is told of an error in one line."""
    try:
        _compete(*words)
    except Exception as error:                                # whatever a library may raise
        print(json.dumps({"stopped": f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]}), flush=True)


def _compete(name, cell, workload, chunk):
    step = ready(name, cell, Workload(*json.loads(workload)), int(chunk))
    step()                                                    # compilers do their work here
    begin = perf_counter()
    step()
    runs = max(1, round(TURN / (perf_counter() - begin)))
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn(step, runs)), flush=True)


def turn(step, runs):
    """CPU and wall seconds of one run, the mean of these runs after one that does not count."""
    step()
    cpu, wall = process_time(), perf_counter()
    for _ in range(runs):
        step()
    return (process_time() - cpu) / runs, (perf_counter() - wall) / runs
