"""Ours beside the floor and the peers: one forward and backward, interleaved, in CPU time."""

import json
from contextlib import ExitStack
from statistics import median

from . import floors
from .competitors import Competitor
from .implementations import assert_agreement, field
from .workloads import chunk_of, wide

HEADER = f"{'beside':<8} {'ours ms':>9} {'its ms':>9} {'ratio':>6} {'fastest':>8}"
VERDICTS = {                                                  # the most that ours / theirs shall be, and what is said
    "floor": (floors.LIMIT, f"within {floors.LIMIT} x floor", f"ABOVE {floors.LIMIT} x floor"),
    "peer": (1.0, "ahead", "BEHIND"),
}


def measure(workloads, cells, peers):
    """Time every cell on every workload beside its floor and these peers  ->  rows of plain data, printed one by one.

    One forward and backward of a layer: gradients of every parameter and of the input; the loss is the sum of squares
    of the last state plus the mean over all states. Each implementation, and each part of the floor, has a process of
    its own on the same core. They take turns, in an order that rotates from round to round, so that a busy neighbour
    slows all of them; in its turn one runs back to back, as in training, and the first run, which finds cold caches,
    does not count. Times are CPU seconds of that process, on an idle machine those of the wall; the record has both.
    A ratio is the median over rounds of ours / theirs, "fastest" the ratio of the fastest rounds: where the two
    differ, it was noisy, and where they say different things, the verdict is "unclear".
    """
    for cell in cells:
        assert_agreement(cell, peers)
    column = wide(cells)
    agreed = "all implementations agree in float64: losses and gradients to 1e-10"
    print(f"{agreed if peers else 'no peer: ours beside its floor alone'}\n", flush=True)
    print(f"{'':4} {'cell':<{column}} {HEADER}", flush=True)
    rows = []
    for name, workload in workloads.items():
        for cell in cells:
            chunk, parts = chunk_of(cell, workload), floors.PARTS if cell in floors.STEPS else ()
            competitors = {who: Competitor(who, cell, workload, chunk) for who in (*field(cell, peers), *parts)}
            seconds = race(competitors, workload.rounds)
            rows.append({"workload": name, "cell": cell, "chunk": chunk, "seconds": seconds})
            show(rows[-1], column)
    return rows


def race(competitors, rounds):
    """Give these competitors their turns  ->  {name: {"cpu": seconds of one run in each round, "wall": the same}}."""
    seconds, names = {name: {"cpu": [], "wall": []} for name in competitors}, list(competitors)
    with ExitStack() as stack:
        ready = {name: stack.enter_context(competitor) for name, competitor in competitors.items()}
        for number in range(rounds):
            first = number % len(names)
            for name in names[first:] + names[:first]:
                for clock, value in zip(("cpu", "wall"), ready[name].turn()):
                    seconds[name][clock].append(float(f"{value:.4g}"))
    return seconds


def times(row, name):
    """CPU seconds of every round: of ours, of a peer, or of the "floor", which is the sum of its parts."""
    if name == "floor":
        return [sum(parts) for parts in zip(*(row["seconds"][part]["cpu"] for part in floors.PARTS))]
    return row["seconds"][name]["cpu"]


def ratios(row, name):
    """Ours / theirs in CPU time  ->  median over the rounds, ratio of the fastest rounds."""
    own, theirs = times(row, "ours"), times(row, name)
    return median(a / b for a, b in zip(own, theirs)), min(own) / min(theirs)


def verdict(pair, name):
    """What two ratios to the "floor" or to a peer say; where the two disagree, they say nothing."""
    limit, yes, no = VERDICTS.get(name, VERDICTS["peer"])
    return yes if max(pair) <= limit else no if min(pair) > limit else "unclear"


def show(row, column=10):
    """Print a row: a line for ours with the parts of its floor, then one for the floor and one for every peer.

    column   characters for the cell's name
    """
    seconds, who = row["seconds"], f"{row['workload']:4} {row['cell']:<{column}}"
    parts = ", ".join(f"{part} {median(seconds[part]['cpu']) * 1e3:.2f}" for part in floors.PARTS if part in seconds)
    own = f"{median(times(row, 'ours')) * 1e3:>9.2f}"
    print(f"{who} {'':<8} {own} {parts and f'  floor: {parts}'}".rstrip(), flush=True)
    for name in (["floor"] if parts else []) + [name for name in seconds if name not in ("ours", *floors.PARTS)]:
        pair, theirs = ratios(row, name), median(times(row, name)) * 1e3
        said = f"{pair[0]:>6.2f} {pair[1]:>8.2f}  {verdict(pair, name)}"
        print(f"{who} {name:<8} {own} {theirs:>9.2f} {said}", flush=True)


def show_record(path):
    """Print the rows of a record that `minidurnn bench --json` has written.    Raises ValueError for another file."""
    try:
        for row in json.loads(path.read_text())["speed"]:
            show(row)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is no record of this race: expected what `minidurnn bench --json` writes; move it away, or give "
            "another folder with --out.") from error
