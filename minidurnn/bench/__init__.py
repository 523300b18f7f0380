"""minidurnn bench: ours beside its own floor and beside what a user would pick instead, on this machine.

One file for each concern: `workloads` what is timed, `ours` and the `*_peers` the implementations, `implementations`
the proof that all of them compute the same, `floors` what is unavoidable, `speed` the race, `memory` peak memory,
`updates` whole training updates and the length of a chunk, `process` the environment of it all, `gpu` the race on a
GPU.
"""

import argparse
import sys
from importlib import metadata
from pathlib import Path

from ..networks.models import MODELS
from ..records.machine import surroundings
from ..records.record import write_json
from ..training.files import check_writable
from . import floors, gpu, memory, process, speed, updates
from .implementations import NEEDS, absent
from .workloads import PEERS, WORKLOADS

SCHEMA = 2                                                    # 2: the times of the parts of the floor too
FEWEST = 7                                                    # rounds; the median of fewer says little
PARTS = ("speed", "memory", "update", "chunks", "long", "import")


def add_arguments(parser):
    """The options of `minidurnn bench`, on an argparse parser."""
    add = parser.add_argument
    sizes = "; ".join(f"{name} T={w.T} B={w.B} D={w.D} H={w.H}" for name, w in WORKLOADS.items())
    peers = "; ".join(f"{name}: {what}" for name, what in PEERS.items())
    on_gpu = ", ".join(gpu.PEERS)
    add("--workloads", metavar="W1,W2", default=",".join(WORKLOADS), help=f"which sizes ({sizes}); all unless given")
    add("--lengths", type=_lengths, metavar="256,1024",
        help="instead of the workloads: W3's sizes at these numbers of steps, for time and memory against the length")
    add("--cells", metavar="A,B", default=",".join(floors.STEPS), help="which models (default: %(default)s)")
    add("--peers", metavar="A,B",
        help=f"which peers ({peers}; on a GPU: {on_gpu}); all that are installed unless given")
    add("--rounds", type=int, metavar="N",
        help=f"rounds of the race, at least {FEWEST}; each workload's own number unless given")
    add("--chunk", type=int, metavar="STEPS", help="steps in a chunk; each cell's own number unless given")
    add("--kernel", metavar="NAME",
        help="OpenBLAS's kernel, such as Haswell; the one that it chooses for this processor unless given")
    add("--json", type=Path, metavar="FILE",
        help="write a record: hardware, versions, BLAS kernel, the time of every round; FILE must be new")
    add("--backend", choices=("numpy", "cupy"), default="numpy",
        help="race on the processor, or on an NVIDIA GPU, whole updates too (default: %(default)s)")
    instead = "instead of the race: "
    add("--memory", action="store_true",
        help=f"{instead}peak memory at W4, or at --lengths, each implementation in its own process")
    add("--update", action="store_true", help=f"{instead}whole training updates, split by part")
    add("--chunks", action="store_true", help=f"{instead}ours by the length of a chunk")
    add("--long", action="store_true", help=f"{instead}memory of one update at 100,000 steps; with --lengths, "
        "of first-vector at these")
    add("--import", action="store_true", help=f"{instead}what importing the package takes")
    add("--all", action="store_true", help="the race and all the others")


def main(args):
    """Run the benchmark in an environment of its own.

    returns  the exit code: 0 measured, 1 two implementations disagree (then nothing is timed)
    Raises   ValueError for wrong options; FileExistsError where the record's file appeared meanwhile.
    """
    workloads, cells, asked_peers, asked = _asked(args)
    if args.backend == "cupy":
        return _on_gpu(args, workloads, cells, asked_peers)
    process.settle(args.kernel)
    record = {"schema": SCHEMA, "kind": "bench", **surroundings(), "core": process.pin()}
    record["skipped"] = {peer: absent(peer) for peer in asked_peers if absent(peer)}
    peers = tuple(peer for peer in asked_peers if peer not in record["skipped"])
    record["versions"] |= {NEEDS[peer]: metadata.version(NEEDS[peer]) for peer in peers}
    record["workloads"] = {name: workload._asdict() for name, workload in workloads.items()}
    _introduce(record)
    chosen = PARTS if args.all else tuple(part for part in PARTS[1:] if getattr(args, part)) or PARTS[:1]
    sizes = workloads if args.lengths is not None else {"W4": WORKLOADS["W4"]._replace(**asked)}
    run = {
        "memory": lambda: [row for name, workload in sizes.items()
                           for row in memory.measure(cells, peers, workload, name)],
        "long": lambda: memory.measure_lengths(cells, args.lengths) if args.lengths else memory.measure_long(cells),
        "import": updates.measure_import,
        "update": lambda: updates.measure(workloads, cells),
        "chunks": lambda: updates.measure_chunks(workloads, cells),
        "speed": lambda: speed.measure(workloads, cells, peers),
    }
    try:
        for part in (name for name in run if name in chosen):
            print(flush=True)
            record[part] = run[part]()
    except AssertionError as error:
        print(f"minidurnn: {error}", file=sys.stderr)
        return 1
    if args.json is not None:
        write_json(args.json, record)
    return 0


def _on_gpu(args, workloads, cells, asked):
    """The race on a GPU, of the peers that can compute there  ->  exit code."""
    record = {"schema": SCHEMA, "kind": "bench-gpu", **surroundings("cupy")}
    record["skipped"] = {peer: reason for peer in asked if (reason := gpu.absent(peer))}
    peers = [peer for peer in asked if peer not in record["skipped"]]
    record["versions"] |= {gpu.PEERS[peer]: metadata.version(gpu.PEERS[peer]) for peer in peers}
    record["workloads"] = {name: workload._asdict() for name, workload in workloads.items()}
    skipped = [f"skipped: {peer}, {reason}" for peer, reason in record["skipped"].items()]
    print(f"{record['gpu']}, CuPy {record['versions']['cupy']}", *skipped, "", sep="\n")
    try:
        record["gpu-speed"] = gpu.measure(workloads, cells, peers)
    except AssertionError as error:
        print(f"minidurnn: {error}", file=sys.stderr)
        return 1
    if args.json is not None:
        write_json(args.json, record)
    return 0


def _asked(args):
    """What the options ask for  ->  workloads, cells, peers, and the numbers that every workload takes over."""
    known = gpu.PEERS if args.backend == "cupy" else PEERS
    cells, peers = _names("model", args.cells, MODELS), _names("peer", args.peers or ",".join(known), known)
    others = (args.all, args.chunk, args.kernel, *(getattr(args, part) for part in PARTS[1:]))
    if args.backend == "cupy" and any(others):
        parts = ", ".join(f"--{part}" for part in PARTS[1:])
        raise ValueError(f"--backend cupy has the race alone: expected none of --chunk, --kernel, --all, {parts}.")
    if args.rounds is not None and args.rounds < FEWEST:
        said = f"rounds is {args.rounds}: expected at least {FEWEST}, or none for each workload's own number."
        raise ValueError(said)
    if args.chunk is not None and args.chunk < 1:
        raise ValueError(f"chunk is {args.chunk}: expected at least 1 step.")
    if args.json is not None and args.json.exists():
        raise ValueError(f"the record {args.json} exists: expected a new name; nothing is overwritten.")
    if args.json is not None and not args.json.parent.is_dir():
        raise ValueError(f"the record {args.json} cannot be written: {args.json.parent} is no folder; make it first.")
    if args.json is not None:
        check_writable(args.json.parent, f"the record {args.json}", "give a folder that can be written")
    asked = {name: value for name, value in (("rounds", args.rounds), ("chunk", args.chunk)) if value is not None}
    names = _names("workload", args.workloads, WORKLOADS)
    workloads = {name: WORKLOADS[name] for name in names}
    if args.lengths is not None:
        workloads = {f"T{T}": WORKLOADS["W3"]._replace(T=T) for T in args.lengths}
    return {name: workload._replace(**asked) for name, workload in workloads.items()}, cells, peers, asked


def _introduce(record):
    """Print what is measured with, and what is not there."""
    core = "not pinned" if record["core"] is None else f"core {record['core']}"
    versions = [f"{name} {version}" for name, version in record["versions"].items()]
    print(", ".join((record["hardware"], record["blas"] or "BLAS unknown", "1 thread", core, *versions)))
    for peer, reason in record["skipped"].items():
        print(f"skipped: {peer} ({PEERS[peer]}), {reason}")


def _lengths(text):
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and len(word) < 10 and int(word) for word in words):
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no list of whole numbers from 1 such as 256,1024")
    return tuple(dict.fromkeys(int(word) for word in words))


def _names(what, given, known):
    names = tuple(dict.fromkeys(word.strip() for word in given.split(",")))
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}.")
    return names
