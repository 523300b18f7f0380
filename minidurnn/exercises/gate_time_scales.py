"""What lesson 17 does beside its idea: starts in float64, changed weights, short trainings, drawings and tables."""

import numpy as np

from ..arrays.trees import map_leaves
from ..experiments.claims import ledger
from ..networks import Network
from ..optim import Adam
from ..plots import BLUE, ORANGE, arrow, box, panels, reference
from ..tasks import Adding
from ..training import fit

TASKS = {"adding": "adding, T = {}: error", "characters": "next character, T = {}: bits",
         "co2": "next month's carbon dioxide: error", "sunspots": "next year's sunspots: error",
         "pixels": "digit from {} pixels: accuracy", "skeletons": "movement from {} poses: accuracy"}
LONGER = "a longer time scale than that of existing RNNs helps with real data: "


# Data and weights.

def float64_batch(task, sequences, seed):
    """Some sequences of a task in float64  ->  x (T, B, D), target."""
    x, target = task.batch(np.random.default_rng(seed), sequences)[:2]
    return x.astype("float64"), target.astype("float64")


def float64_start(network, seed, change=None):
    """The weights of a network at the start, in float64  ->  p; p["body"] are the cell's.

    change   a function: the cell's weights, a dict of arrays  ->  the changed ones; None changes nothing
    """
    p = map_leaves(lambda leaf: leaf.astype("float64"), network.init(np.random.default_rng(seed)))
    return p if change is None else {**p, "body": change(p["body"])}


def random_case(cell, steps, seed=4):
    """Random weights of a cell, biases too, and one random sequence  ->  p, x (T, 1, D)."""
    rng = np.random.default_rng(seed)
    p = {name: rng.normal(size=shape) for name, shape in cell.shapes.items()}
    return p, rng.normal(size=(steps, 1, cell.inputs))


def cut(p, order, letters):
    """The weights of a cell whose gates `letters` no longer hear h: their columns of U are 0  ->  p.

    order    the blocks of columns in U, a letter each: "ifzo"        letters   such as "f" or "ifo"
    """
    U = p["U"].copy()
    H = len(U)
    for letter in letters:
        first = order.index(letter) * H
        U[:, first:first + H] = 0
    return {**p, "U": U}


def constant_forget(p, gates):
    """The weights of an LSTM whose forget gates are the constants `gates` (H,), whatever it reads  ->  p."""
    H = len(gates)
    forget = slice(H, 2 * H)
    W, U, b = p["W"].copy(), p["U"].copy(), p["b"].copy()
    W[:, forget] = 0
    U[:, forget] = 0
    b[forget] = -np.log(1 / gates - 1)                        # σ of this is the gate
    return {"W": W, "U": U, "b": b}


# Short trainings.

def frozen(kind, block, units=16, **options):
    """A cell with one constant gate: its columns of W and U are 0 after every update, its bias is trained.

    kind     LSTM or GRU          block   which block of columns: of an LSTM 0 is i and 1 is f, of a GRU 1 is f
    options  of the cell
    """
    def project(self, p):                                     # fit calls it after every update
        W, U = p["W"].copy(), p["U"].copy()
        columns = slice(block * units, (block + 1) * units)
        W[:, columns] = 0
        U[:, columns] = 0
        return {**p, "W": W, "U": U}

    return type("Frozen", (kind,), {"project": project})(2, units, **options)


def updates_needed(cell, change, seed, most=400):
    """Train on adding, T = 30: Adam, rate 0.02, 20 sequences an update; look at the validation error every 25.

    change   a function of the cell's weights at the start        most   updates after which it gives up
      ->  p, updates until the error was at most 0.01 (inf: not within `most`), the last error
    """
    network = Network(cell, 1)
    start = network.init(np.random.default_rng(seed))
    start["body"] = change(start["body"])
    p, seen = fit(
        network, Adding(30), most, optimizer=Adam(0.02), batch=20, seed=seed, start=start, stop=0.01, dtype="float64",
        log_every=25, validate_every=25, progress=False)
    error = seen["validation"][-1]
    return p, seen["update"][-1] if error <= 0.01 else np.inf, error


# Drawings.

def draw_two_ways(axes):
    """Three cell states in a row, the direct way between them in orange, the way through h dashed in blue."""
    cell_before = h_before = None
    for place, name in enumerate(("t-1", "t", "t+1")):
        cell_box = box(axes, 4 * place, 2, f"$c_{{{name}}}$", 1.0, 0.6, ORANGE, True)
        h_box = box(axes, 4 * place, 0.2, f"$h_{{{name}}}$", 0.9, 0.6, BLUE)
        arrow(axes, cell_box, h_box, "", BLUE, 0, True)
        if place:                                             # not at t-1, where nothing comes in
            arrow(axes, cell_before, cell_box, f"$\\times f_{{{name}}}$: the direct way", ORANGE)
            reads = box(axes, 4 * place - 2, 0.2, f"$i, f, o, z$ of step ${name}$", 2.2, 0.6, BLUE)
            arrow(axes, box(axes, 4 * place - 2, -1, f"$x_{{{name}}}$", 0.8, 0.6), reads)
            for start, end in ((h_before, reads), (reads, cell_box), (reads, h_box)):
                arrow(axes, start, end, "", BLUE, 0, True)
        cell_before, h_before = cell_box, h_box


def draw_slopes(axes, name, seed, whole, gates):
    """The local slopes of one seed against the lags 1, 2, ...: of the whole gradient, and by gates only."""
    style = ("-", "--", ":")[seed]
    lags = np.arange(1, len(whole) + 1)
    axes.plot(lags, gates, style, color=ORANGE, label=f"gates only, seed {seed}")
    axes.plot(lags, whole, style, color=BLUE, label=f"whole, seed {seed}")
    axes.set(title=name, xlabel="lag k", ylabel="local slope", ylim=(-1, 0))
    if name == "LSTM":                                        # one legend for both panels
        axes.legend(fontsize=7, loc=8, ncols=2)


def draw_step(plane, side, name, eigenvalues, gate, without, with_inputs):
    """A cell's eigenvalues in the complex plane, and beside them its local slopes without and with inputs.

    gate     its logarithm is a cross at lag 1          without, with_inputs   local slopes at the lags 1, 2, ...
    """
    colour = {"LSTM": BLUE, "GRU": ORANGE}[name]
    if not plane.lines:
        angle = np.linspace(0, 2 * np.pi, 200)
        plane.plot(np.cos(angle), np.sin(angle), color="black", linewidth=0.8, label="size 1")
    plane.plot(eigenvalues.real, eigenvalues.imag, ".", color=colour, label=name)
    plane.set(xlabel="real part", ylabel="imaginary part", aspect=1)
    plane.legend(loc=2, fontsize=6)
    lags, largest = np.arange(1, len(without) + 1), abs(eigenvalues).max()
    side.plot(lags, without, "--", color=colour, label=f"{name}, no input")
    side.plot(lags, with_inputs, color=colour, label=f"{name}, with inputs")
    side.plot(1, np.log(gate), "x", color=colour, label=f"ln f of the {name}")
    reference(side, np.log(largest), f"ln {largest:.2f}")
    side.set(xlabel="lag k", ylabel="local slope", ylim=(-1.1, 0.1))
    side.legend(fontsize=7, ncols=2, loc=8)


def draw_scales(claim, scales, fixed):
    """A column of dashes for every way to start: name -> time scales (H,); dots beside the last, its `fixed` (H,)."""
    axes = panels(claim, 1, 7, 3.2)[1]
    for place, of_units in enumerate(scales.values()):
        axes.semilogy([place] * len(of_units), of_units, "_", color=ORANGE, ms=22)
    axes.plot(np.full(len(fixed), place + 0.3), fixed, "k.", markersize=3)
    axes.text(place + 0.22, 130, "numbers $s$")
    axes.set(xticks=range(len(scales)), xticklabels=list(scales), ylabel="time scale (steps)")


# Recorded runs.

def scale_runs(records):
    """The recorded runs of the time-scale experiments  ->  two dicts with the keys (data, T), such as ("co2", 48).

    runs     key -> model -> the test score of every seed        simple   key -> the score of the simple answer
    """
    runs, simple = {}, {}
    for one in records:
        if one.trial["experiment"].startswith("time-scales"):
            data = one.trial["experiment"].removeprefix("time-scales").lstrip("-") or "adding"
            key = data, one.trial["length"]
            runs.setdefault(key, {}).setdefault(one.trial["model"], []).append(one.test)
            simple[key] = one.baseline["value"]
    return runs, simple


def print_runs(runs, simple, models):
    """A row for each data and length: the simple answer, the median of every model, and how many seeds these have."""
    names = [model.removeprefix("lstm-") for model in models]
    print(f"{'':36}{'simple':>7}", *(f"{name:>7}" for name in names), "  seeds")
    for key in sorted(runs):
        data, T = key
        scores = [runs[key].get(model, []) for model in models]
        medians = [f"{np.median(one):7.3f}" if one else f"{'-':>7}" for one in scores]
        seeds = sorted({len(one) for one in scores})
        print(f"{TASKS[data].format(T):36}{simple[key]:7.3f}", *medians, f"{' or '.join(map(str, seeds)):>7}")


def print_ledger(records):
    """A row for each sentence of the abstract that was judged: its words, the verdict, what our records show."""
    for paper, says, _, ours, _, _, verdict, _ in ledger(records):
        if paper.startswith("Gates as time scales") and verdict != "not attempted":
            said = says.replace(LONGER, "longer scales help: ").replace(" on the state of existing RNNs", "")
            print(f"{said:47} {verdict:14}  {ours}")
