"""Peak memory, each implementation in a process of its own."""

import json
import subprocess
import sys
from time import process_time

from ..networks.chunked import Chunked
from ..networks.layers import Embedding
from ..networks.network import Network
from ..networks.stacks import Chain
from ..records.machine import resident
from ..tasks import Adding, FirstVector
from .implementations import field, ready
from .updates import training
from .workloads import MEMORY_TARGETS, Workload, body, chunk_of, wide

LONG = Workload(100_000, 16, 2, 64, rounds=1, chunk=16)
LONG_CELL = "Chunked(Chunked(cell, 16), 1000, 'boundaries')"
SYMBOLS = Workload(0, 4, 16, 16, rounds=1, chunk=8192)        # at lengths that are asked for
LONG_LIMIT = 200                                              # MiB above what the imports take


def measure(cells, peers, workload, title="W4"):
    """Two steps of a workload, W4 unless `title` says another, by ours and each peer, each in a fresh process.

    returns  rows of plain data, after a line for each
    """
    column = wide(cells)
    print(f"{'':3} {'cell':<{column}} {'':8} {'start MiB':>10} {'peak MiB':>9}   of eager's peak", flush=True)
    rows = []
    for cell in cells:
        chunk = chunk_of(cell, workload)
        MiB = {name: fresh("two_steps", name, cell, json.dumps(workload), chunk) for name in field(cell, peers)}
        eager = MiB.get("eager", {}).get("peak")
        for name, taken in MiB.items():
            share = "" if eager is None else f"{taken['peak'] / eager:>8.2f}"
            goal = MEMORY_TARGETS.get(cell) if (name, title) == ("ours", "W4") and eager is not None else None
            met = goal is not None and taken["peak"] <= goal * eager
            judged = "" if goal is None else f"  target {goal:.2f} {'met' if met else 'MISSED'}"
            MiBs = f"{taken['start']:>10.0f} {taken['peak']:>9.0f}"
            print(f"{title:3} {cell:<{column}} {name:<8} {MiBs} {share}{judged}", flush=True)
        rows.append({"workload": title, "cell": cell, "chunk": chunk, "MiB": MiB})
    return rows


def measure_long(cells):
    """One whole update at T = 100,000 in a fresh process, and a line for each cell  ->  rows of plain data."""
    print(f"one update of adding, T = {LONG.T:,}, B = {LONG.B}, H = {LONG.H}, {LONG_CELL}")
    column = wide(cells)
    print(f"    {'cell':<{column}} {'imports MiB':>12} {'peak above':>11} {'seconds':>8}", flush=True)
    rows = []
    for cell in cells:
        row = {"cell": cell, **fresh("long_update", cell)}
        above = row["peak"] - row["imports"]
        judged = f"target {LONG_LIMIT} {'met' if above < LONG_LIMIT else 'MISSED'}"
        MiBs = f"{row['imports']:>12.0f} {above:>11.0f}"
        print(f"    {cell:<{column}} {MiBs} {row['seconds']:>8.1f}  {judged}", flush=True)
        rows.append(row)
    return rows


def measure_lengths(cells, lengths):
    """One whole update of first-vector at these lengths, each in a fresh process, and a line for each  ->  rows."""
    print(f"one update of first-vector, B = {SYMBOLS.B}, H = {SYMBOLS.H}, boundaries every {SYMBOLS.chunk:,} steps")
    column, rows = wide(cells), []
    print(f"    {'cell':<{column}} {'steps':>10} {'imports MiB':>12} {'peak MiB':>9} {'seconds':>8}", flush=True)
    for cell in cells:
        for T in lengths:
            row = {"cell": cell, "T": T, **fresh("symbols_update", cell, T)}
            MiBs = f"{row['imports']:>12.0f} {row['peak']:>9.0f}"
            print(f"    {cell:<{column}} {T:>10,} {MiBs} {row['seconds']:>8.2f}", flush=True)
            rows.append(row)
    return rows


def fresh(job, *words):
    """What a function of this module returns when a new process calls it with these words."""
    command = "import sys; from minidurnn.bench import memory; memory.answer(*sys.argv[1:])"
    words = [job, *map(str, words)]
    done = subprocess.run([sys.executable, "-c", command, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        said = f"the process that measures {job} of {' '.join(words[1:])} ended with code {done.returncode}: {last}"
        raise RuntimeError(said)
    return json.loads(done.stdout)


def answer(job, *words):
    """The other end of `fresh`."""
    jobs = {"two_steps": two_steps, "long_update": long_update, "symbols_update": symbols_update}
    print(json.dumps(jobs[job](*words)))


def two_steps(name, cell, workload, chunk):
    """Memory before the first step, with inputs and libraries there, and at the peak of two steps."""
    step = ready(name, cell, Workload(*json.loads(workload)), int(chunk))
    start = resident()[0]
    for _ in range(2):
        step()
    return {"start": round(start, 1), "peak": round(resident()[1], 1)}


def long_update(cell, workload=LONG):
    """Memory of the imports, peak of a whole update, its CPU seconds."""
    imports, begin = resident()[0], process_time()
    task = Adding(workload.T)
    network = Network(Chunked(Chunked(body(cell, workload), 16), 1000, "boundaries"), task.outputs)
    return first_update(network, task, workload.B, imports, begin)


def symbols_update(cell, T):
    """The same of first-vector with n = T."""
    imports, begin, task, workload = resident()[0], process_time(), FirstVector(int(T)), SYMBOLS._replace(T=int(T))
    chain = Chain((Embedding(task.inputs, workload.D), body(cell, workload)))
    body_ = Chunked(Chunked(chain), workload.chunk, "boundaries")
    network = Network(body_, task.outputs, task.loss, task.reads)
    return first_update(network, task, workload.B, imports, begin)


def first_update(network, task, B, imports, begin):
    """Memory of the imports, the peak after one update, CPU seconds since `begin`."""
    next(training(network, task, B))
    return {"imports": round(imports, 1), "peak": round(resident()[1], 1), "seconds": round(process_time() - begin, 2)}
