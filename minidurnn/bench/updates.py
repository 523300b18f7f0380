"""Whole training updates, and the length of a chunk: what else a user's time depends on."""

import subprocess
import sys
from itertools import islice
from statistics import median
from time import process_time

from ..networks.chunked import Chunked
from ..networks.network import Network
from ..optim import Adam, Constant
from ..tasks import Adding
from ..training.batches import batches
from ..training.run import begin
from ..training.update import PARTS as UPDATE
from ..training.update import update
from .competitors import Competitor
from .speed import race
from .workloads import body, chunk_of, wide

PARTS = ("data", *UPDATE)
CORE = ("forward and loss", "backward")
REST_LIMIT = 0.15                                             # of an update at W1
IMPORT_LIMIT = 0.25                                           # seconds
CHUNKS = (8, 16, 32, 50)


def measure(workloads, cells):
    """Updates of a network on the adding problem, as `fit` makes them, split by part  ->  rows of plain data."""
    print("an update of adding in ms of CPU time, and what is not forward or backward")
    parts = " ".join(f"{part:>16}" for part in PARTS)
    print(f"{'':4} {'cell':<{wide(cells)}} {'total':>9} {parts}    rest", flush=True)
    rows = []
    for name, workload in workloads.items():
        for cell in cells:
            parts = split(cell, workload)
            total = sum(parts.values())
            rest = 1.0 - sum(parts[part] for part in CORE) / total
            judged = "" if name != "W1" else f"  target {REST_LIMIT:.0%} {'met' if rest < REST_LIMIT else 'MISSED'}"
            each = " ".join(f"{parts[part] * 1e3:>16.3f}" for part in PARTS)
            print(f"{name:4} {cell:<{wide(cells)}} {total * 1e3:>9.2f} {each}  {rest:>6.1%}{judged}", flush=True)
            chunk = chunk_of(cell, workload)
            rows.append({"workload": name, "cell": cell, "chunk": chunk, "seconds": parts, "rest": rest})
    return rows


def measure_import(times=7):
    """CPU seconds of `import minidurnn` in fresh processes  ->  a row for each, after a line."""
    command = "from time import process_time; begin = process_time(); import minidurnn; print(process_time() - begin)"
    fresh = [sys.executable, "-c", command]
    seconds = [float(subprocess.run(fresh, capture_output=True, text=True, check=True).stdout) for _ in range(times)]
    judged = f"target {IMPORT_LIMIT} {'met' if median(seconds) <= IMPORT_LIMIT else 'MISSED'}"
    print(f"import minidurnn: {median(seconds):.3f} s of CPU time, median of {times}  {judged}", flush=True)
    return [round(second, 4) for second in seconds]


def split(cell, workload):
    """CPU seconds of every part of an update, medians over three updates for each round  ->  {part: seconds}."""
    task, seconds, since = Adding(workload.T), {part: [] for part in PARTS}, process_time()
    model = body(cell, workload._replace(D=task.inputs))
    network = Network(Chunked(model, chunk_of(cell, workload)), task.outputs)

    def lap(part):
        nonlocal since
        seconds[part].append(process_time() - since)
        since = process_time()

    for _ in islice(training(network, task, workload.B, lap), 3 * workload.rounds + 2):
        since = process_time()
    return {part: median(times[2:]) for part, times in seconds.items()}         # the first two do not count


def training(network, task, B, lap=lambda part: None):
    """The updates of `fit` with seed 0, without end; lap(part) after every part, p after every update."""
    optimizer = Adam()
    run = begin(network, optimizer, Constant(), seed=0)
    for batch in batches(network, task, run, B):
        lap("data")
        run, _ = update(network, optimizer, run, batch, lap=lap)
        yield run.p


def measure_chunks(workloads, cells):
    """Ours with chunks of several lengths, and the whole sequence in one  ->  rows of plain data."""
    print("ms of CPU time by steps in a chunk")
    print(f"{'':4} {'cell':<{wide(cells)}} " + " ".join(f"{length:>9}" for length in (*CHUNKS, "whole")), flush=True)
    rows = []
    for name, workload in workloads.items():
        for cell in cells:
            lengths = {str(length): Competitor("ours", cell, workload, length) for length in (*CHUNKS, workload.T)}
            seconds = race(lengths, workload.rounds)
            medians = " ".join(f"{median(clocks['cpu']) * 1e3:>9.2f}" for clocks in seconds.values())
            print(f"{name:4} {cell:<{wide(cells)}} {medians}", flush=True)
            rows.append({"workload": name, "cell": cell, "seconds": seconds})
    return rows
