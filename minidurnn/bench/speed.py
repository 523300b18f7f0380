"""Ours beside the peers: one forward and backward, interleaved, in CPU time."""

from contextlib import ExitStack
from statistics import median

from .competitors import Competitor
from .implementations import assert_agreement, field
from .workloads import chunk_of, target

HEADER = f"{'':3} {'cell':<7} {'peer':<8} {'ours ms':>9} {'peer ms':>9} {'ratio':>6} {'fastest':>8}{'target':>8}{'stretch':>8}"


def measure(workloads, cells, peers):
    """Time every cell on every workload beside these peers, and print a line for each pair  ->  rows of plain data.

    One forward and backward of a layer: gradients of every parameter and of the input; the loss is the sum of squares
    of the last state plus the mean over all states. Each implementation has a process of its own on the same core. They
    take turns, in an order that rotates from round to round, so that a busy neighbour slows all of them; in its turn
    one runs back to back, as in training, and the first run, which finds cold caches, does not count.
    Times are CPU seconds of that process, on an idle machine those of the wall; the record has both. A ratio is the
    median over rounds of ours / theirs, "fastest" the ratio of the fastest rounds: where the two differ, it was noisy.
    """
    for cell in cells:
        assert_agreement(cell, peers)
    print("all implementations agree in float64: losses and gradients to 1e-10\n\n" + HEADER, flush=True)
    rows = []
    for name, workload in workloads.items():
        for cell in cells:
            chunk = chunk_of(cell, workload)
            competitors = {who: Competitor(who, cell, workload, chunk) for who in field(cell, peers)}
            rows.append({"workload": name, "cell": cell, "chunk": chunk, "seconds": race(competitors, workload.rounds)})
            show(rows[-1])
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


def ratios(row, peer):
    """Ours / theirs in CPU time  ->  median over the rounds, ratio of the fastest rounds."""
    own, theirs = row["seconds"]["ours"]["cpu"], row["seconds"][peer]["cpu"]
    return median(a / b for a, b in zip(own, theirs)), min(own) / min(theirs)


def verdict(pair, goals):
    """What two ratios say of target and stretch goal; where the two ratios disagree, they say nothing."""
    if goals is None:
        return "no target"
    goal, stretch = goals
    if max(pair) <= stretch:
        return "stretch"
    return "met" if max(pair) <= goal else "MISSED" if min(pair) > goal else "unclear"


def show(row):
    """Print a row: a line for every peer."""
    own = median(row["seconds"]["ours"]["cpu"])
    for peer in (name for name in row["seconds"] if name != "ours"):
        pair, goals = ratios(row, peer), target(row["cell"], peer, row["workload"])
        aims = "".join(f"{goal:>8.2f}" for goal in goals or ()) or f"{'-':>8}" * 2
        print(f"{row['workload']:3} {row['cell']:<7} {peer:<8} {own * 1e3:>9.2f} {median(row['seconds'][peer]['cpu']) * 1e3:>9.2f} {pair[0]:>6.2f} {pair[1]:>8.2f}{aims}  {verdict(pair, goals)}", flush=True)
