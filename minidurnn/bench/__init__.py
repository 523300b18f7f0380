"""minidurnn bench: ours beside what a user would pick instead, on this machine.

One file for each concern: `workloads` what is timed and how fast it shall be, `ours` and the `*_peers` the
implementations, `implementations` the proof that all of them compute the same, `speed` the race, `memory` peak memory,
`updates` whole training updates and the length of a chunk, `process` the environment of it all.
"""

import sys
from importlib import metadata
from pathlib import Path

from ..records.machine import surroundings
from ..records.record import write_json
from . import memory, process, speed, updates
from .implementations import NEEDS, absent
from .workloads import CELLS, PEERS, WORKLOADS

SCHEMA = 1
FEWEST = 7                                                    # rounds; the median of fewer says little
PARTS = ("speed", "memory", "update", "chunks", "long", "import")


def add_arguments(parser):
    """The options of `minidurnn bench`, on an argparse parser."""
    sizes = "; ".join(f"{name} T={w.T} B={w.B} D={w.D} H={w.H}" for name, w in WORKLOADS.items())
    peers = "; ".join(f"{name}: {what}" for name, what in PEERS.items())
    parser.add_argument("--workloads", metavar="W1,W2", default=",".join(WORKLOADS), help=f"which sizes ({sizes}); all unless given")
    parser.add_argument("--lengths", metavar="256,1024", help="instead of the workloads: W3's sizes at these numbers of steps, for the time against the length")
    parser.add_argument("--cells", metavar="A,B", default=",".join(CELLS), help="which cells (default: %(default)s)")
    parser.add_argument("--peers", metavar="A,B", default=",".join(PEERS), help=f"which peers ({peers}); all that are installed unless given")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"rounds of the race, at least {FEWEST}; each workload's own number unless given")
    parser.add_argument("--chunk", type=int, metavar="STEPS", help="steps in a chunk; each cell's own number unless given")
    parser.add_argument("--kernel", metavar="NAME", help="OpenBLAS's kernel, such as Haswell; the one that it chooses for this processor unless given")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a record: hardware, versions, BLAS kernel, the time of every round; FILE must be new")
    parser.add_argument("--memory", action="store_true", help="instead of the race: peak memory at W4, each implementation in its own process")
    parser.add_argument("--update", action="store_true", help="instead of the race: whole training updates, split by part")
    parser.add_argument("--chunks", action="store_true", help="instead of the race: ours by the length of a chunk")
    parser.add_argument("--long", action="store_true", help="instead of the race: memory of one update at 100,000 steps")
    parser.add_argument("--import", action="store_true", help="instead of the race: what importing the package takes")
    parser.add_argument("--all", action="store_true", help="the race and all the others")


def main(args):
    """Run the benchmark in an environment of its own  ->  exit code: 0 measured, 1 two implementations disagree (then nothing is timed).

    Raises ValueError for wrong options.
    """
    cells, asked_peers = _names("cell", args.cells, CELLS), _names("peer", args.peers, PEERS)
    asked = {name: value for name, value in (("rounds", args.rounds), ("chunk", args.chunk)) if value is not None}
    workloads = {name: WORKLOADS[name]._replace(**asked) for name in _names("workload", args.workloads, WORKLOADS)}
    if args.lengths is not None:
        workloads = {f"T{T}": WORKLOADS["W3"]._replace(T=T, **asked) for T in _lengths(args.lengths)}
    if args.rounds is not None and args.rounds < FEWEST:
        raise ValueError(f"rounds is {args.rounds}: expected at least {FEWEST}, or none for each workload's own number.")
    if args.chunk is not None and args.chunk < 1:
        raise ValueError(f"chunk is {args.chunk}: expected at least 1 step.")
    if args.json is not None and (args.json.exists() or not args.json.parent.is_dir()):
        raise ValueError(f"{args.json} exists, or its folder does not: give a new file in a folder that exists; records are not overwritten.")
    process.settle(args.kernel)
    record = {"schema": SCHEMA, "kind": "bench", **surroundings(), "core": process.pin()}
    record["skipped"] = {peer: absent(peer) for peer in asked_peers if absent(peer)}
    peers = tuple(peer for peer in asked_peers if peer not in record["skipped"])
    record["versions"] |= {NEEDS[peer]: metadata.version(NEEDS[peer]) for peer in peers}
    record["workloads"] = {name: workload._asdict() for name, workload in workloads.items()}
    core = "not pinned" if record["core"] is None else f"core {record['core']}"
    print(", ".join((record["hardware"], str(record["blas"]), "1 thread", core, *(f"{name} {version}" for name, version in record["versions"].items()))))
    for peer, reason in record["skipped"].items():
        print(f"skipped: {peer} ({PEERS[peer]}), {reason}")
    chosen = PARTS if args.all else tuple(part for part in PARTS[1:] if getattr(args, part)) or PARTS[:1]
    run = {
        "memory": lambda: memory.measure(cells, peers, WORKLOADS["W4"]._replace(**asked)),
        "long": lambda: memory.measure_long(cells),
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


def _lengths(given):
    words = given.split(",")
    if not all(word.strip().isdecimal() and int(word) for word in words):
        raise ValueError(f"lengths is {given!r}: expected numbers of steps such as 256,1024.")
    return [int(word) for word in words]


def _names(what, given, known):
    names = tuple(dict.fromkeys(word.strip() for word in given.split(",")))
    for name in names:
        if name not in known:
            raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(known)}.")
    return names
