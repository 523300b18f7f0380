"""What lesson 17 does beside its idea: starts in float64, changed weights, short trainings and tables."""

import numpy as np

from ...analysis import decay
from ...arrays.trees import map_leaves
from ...experiments.claims import ledger
from ...networks import Network
from ...optim import Adam
from ...tasks import Adding
from ...training import fit

TASKS = {"adding": "adding, T = {}: error", "characters": "next character, T = {}: bits",
         "co2": "next month's carbon dioxide: error", "sunspots": "next year's sunspots: error",
         "pixels": "digit from {} pixels: accuracy", "skeletons": "movement from {} poses: accuracy"}
LONGER = "a longer time scale than that of existing RNNs helps with real data: "


# Data and weights.

def float64_batch(task, sequences, seed):
    """Some sequences of a task in float64  ->  x (T, B, D), target."""
    x, target = task.batch(np.random.default_rng(seed), sequences)[:2]
    return x.astype("float64"), target.astype("float64")


def float64_network(cell, seed, change=None):
    """A network with one answer and its weights at the start, in float64  ->  network, p; p["body"] are the cell's.

    change   a function: the cell's weights, a dict of arrays  ->  the changed ones; None changes nothing
    """
    network = Network(cell, 1)
    p = map_leaves(lambda leaf: leaf.astype("float64"), network.init(np.random.default_rng(seed)))
    return network, p if change is None else {**p, "body": change(p["body"])}


def random_case(cell, steps, seed=4):
    """Random weights of a cell, biases too, and one random sequence  ->  p, x (T, 1, D)."""
    rng = np.random.default_rng(seed)
    p = {name: rng.normal(size=shape) for name, shape in cell.shapes.items()}
    return p, rng.normal(size=(steps, 1, cell.inputs))


def deaf(p):
    """The weights of a cell that hears no input: W is 0  ->  p."""
    return {**p, "W": np.zeros_like(p["W"])}


def evenly(count):
    """Numbers spread evenly over 0 to 1: the middles of `count` equal parts  ->  (count,)."""
    return (np.arange(count) + 0.5) / count


def constant_forget(gates, second_way):
    """A change of an LSTM's weights  ->  a function of them: the forget gates become the constants `gates` (H,).

    second_way   1: the other columns of U stay; 0: U is 0
    """
    def change(p):
        H = len(gates)
        forget = slice(H, 2 * H)
        W, U, b = p["W"].copy(), second_way * p["U"], p["b"].copy()
        W[:, forget] = 0
        U[:, forget] = 0
        b[forget] = -np.log(1 / gates - 1)                    # σ of this is the gate
        return {"W": W, "U": U, "b": b}

    return change


def corner_start(p, long, shut):
    """The weights of an LSTM with the chrono start, whole or in part  ->  p.

    long     1: b_f of the chrono start; 0: 1, as in the default LSTM
    shut     1: b_i of the chrono start; 0: 0, so that the input gate is half open, as there
    """
    H, b = len(p["U"]), p["b"].copy()
    if not shut:
        b[:H] = 0                                             # H each for i, f, z and o
    if not long:
        b[H:2 * H] = 1
    return {**p, "b": b}


# Curves.

def ends(curves):
    """The mean of the first ten lags, and that of the last ten, of one curve (K,) or of several (N, K)  ->  two."""
    curves = np.asarray(curves)
    return np.array([curves[..., :10].mean(-1), curves[..., -10:].mean(-1)]).round(3)


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


def least_kept(cell, x):
    """The gates (T, B, H) of a floor gate whose bias is -50, so that σ(a) is 0: the least it can keep."""
    p = cell.init(np.random.default_rng(0))
    p["b"][cell.units:2 * cell.units] = -50
    return cell.kept(cell.forward(p, x)[1])


def print_cut(name, logs, whole, gates):
    """A row of three seeds: the mean of ln f, the slope of the whole gradient by it, and that of gates only by it."""
    shown = [" ".join(f"{one:5.2f}" for one in numbers) for numbers in (logs, whole, gates)]
    print(f"{name} ln f {shown[0]}; divided by it: whole {shown[1]}, gates only {shown[2]}")


# Recorded runs.

def task_and_length(record):
    """The data of a time-scale experiment and its length, such as ("co2", 48); None for another experiment."""
    if record.trial["experiment"].startswith("time-scales"):
        data = record.trial["experiment"].removeprefix("time-scales").lstrip("-") or "adding"
        return data, record.trial["length"]
    return None


def gate_readings(records, tasks, models):
    """What the gradient on the (cell) state does, and what the gates say, before and after training.

    tasks    keys such as ("co2", 48)
      ->  dict: (key, "start" or "trained") -> array (models, 3), medians over the seeds: the slope of the whole
          gradient (`analysis.decay`); that of gates only; mean of ln f over units and steps
    """
    seen = {}
    for one in records:
        for when in ("start", "trained"):
            if task_and_length(one) in tasks and one.trial["model"] in models:
                curve = one.seen[when]
                numbers = [decay(curve["norm"])[0], decay(curve["direct"])[0], np.mean(curve["log_kept"])]
                place = (task_and_length(one), when), one.trial["model"]
                seen.setdefault(place, []).append(numbers)
    keys = [(key, when) for key in tasks for when in ("start", "trained")]
    return {key: np.array([np.median(seen[key, model], axis=0) for model in models]) for key in keys}


def print_readings(readings, models):
    """A row for each task at the start and one trained: of every model the slopes, whole and gates only; mean ln f."""
    print(f"{'whole, gates only, mean ln f':36}", *(f"{model:>21}" for model in models))
    for ((data, T), when), numbers in readings.items():
        said = f"{TASKS[data].format(T).split(':')[0]}, {when}"
        print(f"{said:36}", *(f"  {whole:+.3f} {gates:+.3f} {log:+.2f}" for whole, gates, log in numbers))
    print()


def scale_runs(records):
    """The recorded runs of the time-scale experiments  ->  two dicts with the keys (data, T), such as ("co2", 48).

    runs     key -> model -> the test score of every seed        simple   key -> the score of the simple answer
    """
    runs, simple = {}, {}
    for one in records:
        if key := task_and_length(one):
            runs.setdefault(key, {}).setdefault(one.trial["model"], []).append(one.test)
            simple[key] = one.baseline["value"]
    return runs, simple


def print_runs(runs, simple, models):
    """A row for each data and length: the simple answer, and the median of every model over its seeds."""
    names = [model.removeprefix("lstm-") for model in models]
    print(f"{'':36}{'simple':>7}", *(f"{name:>7}" for name in names))
    for key in sorted(runs):
        data, T = key
        medians = [np.median(runs[key][model]) for model in models]
        print(f"{TASKS[data].format(T):36}{simple[key]:7.3f}", *(f"{median:7.3f}" for median in medians))
    print()


def print_ledger(records):
    """A row for each sentence of the abstract that was judged: its words, the verdict; of the first two what they show.

    Below them R² of every record that the first row judges.
    """
    shares = {"lstm": [], "gru": []}
    for one in records:
        if task_and_length(one) == ("adding", 50) and one.trial["model"] in shares:
            shares[one.trial["model"]].append(decay(one.seen["start"]["norm"])[1])
    for row in ledger(records):
        if row.paper.startswith("Gates as time scales") and row.verdict != "not attempted":
            said = row.says.replace(LONGER, "longer scales help: ").replace(" on the state of existing RNNs", "")
            ours = {"at": row.ours.split(", ")[0], "then": row.ours.split(", ")[-1]}.get(said.split()[0], "")
            print(f"{said.replace('skeletons', 'movement'):47} {row.verdict:14}  {ours}".rstrip())
    for model, of_seeds in shares.items():
        print(f"R² of a line, {model}, seed by seed:", *(f"{share:.3f}" for share in of_seeds))
