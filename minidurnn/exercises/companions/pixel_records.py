"""The recorded runs of lesson 11 on 196 pixels, in order and permuted: a table, a figure, rows of the ledger."""

from statistics import median

import numpy as np

from ...plots import BLUE, ORANGE, panels
from ...records import chosen_run

TASKS = {"pixels": "in order", "permuted-pixels": "permuted"}
COLOURS = {"in order": BLUE, "permuted": ORANGE}
MODELS = (
    "rnn", "lstm", "gru", "irnn", "indrnn-6",
    "durnn", "durnn-open", "durnn-open-clip", "durnn-open-free", "durnn-unbounded-short",
)


def runs_by_order(records):
    """Records  ->  (order, model): its records on 196 pixels that have a test result, one for each seed.

    Only the models that the lesson discusses are taken.
    """
    found = {}
    for record in records:
        order = TASKS.get(record.trial["experiment"])
        discussed = record.trial["model"] in MODELS
        if order and discussed and record.trial["length"] == 196 and record.test is not None:
            found.setdefault((order, record.trial["model"]), []).append(record)
    return found


def medians(found):
    """The runs of `runs_by_order`  ->  (order, model): the median test accuracy of its seeds."""
    return {run: median(record.test for record in records) for run, records in found.items()}


def by_seed(found, order, model):
    """The runs of `runs_by_order`  ->  seed: test accuracy, of one model in one order."""
    return {record.trial["seed"]: record.test for record in found[order, model]}


def print_runs(found):
    """A row for every model in both orders, the best median test accuracy first."""
    test = medians(found)
    print("order     model                  seeds  numbers   test  rates")
    for run in sorted(found, key=lambda run: (run[0] != "in order", -test[run])):
        rates = sorted({record.chosen_rate for record in found[run]})
        seeds, numbers = len(found[run]), found[run][0].parameters
        print(f"{run[0]:10}{run[1]:22}{seeds:6}{numbers:9,}{test[run]:7.3f} ", *rates)


def print_seeds(found, *models):
    """A row for each model in each order: the test accuracy and the rate of every run."""
    for model in models:
        for order in COLOURS:
            runs = sorted(found.get((order, model), []), key=lambda record: record.trial["seed"])
            if runs:
                said = [f"{record.test:.3f} ({record.chosen_rate})" for record in runs]
                print(f"{model} {order}, from seed 0 on, with their rates:", ", ".join(said))


def draw_runs(title, found):
    """Left: the test accuracy of every run, a row for each model. Right: the curves of durnn-open-free in order."""
    test = medians(found)
    _, (left, right) = panels(title, 2, 9, 4)
    models = sorted({model for _, model in found}, key=lambda model: test.get(("in order", model), 0))
    for (order, colour), side, sign in zip(COLOURS.items(), (0.17, -0.17), "oD"):
        for row, model in enumerate(models):                  # permuted runs lie a little below those in order
            dots = [record.test for record in found.get((order, model), [])]
            left.plot(dots, np.full(len(dots), row + side), sign, color=colour, markersize=4.5, alpha=0.85)
        left.plot([], [], sign, color=colour, label=order)
    left.set_yticks(range(len(models)), models)
    left.set_xlabel("test accuracy of each run")
    left.legend(fontsize=8, loc="upper left")
    runs = sorted(found["in order", "durnn-open-free"], key=lambda record: record.trial["seed"])
    for record, style in zip(runs, ("-", "--", ":")):
        curve = chosen_run(record).curve
        label = f"seed {record.trial['seed']}, rate {record.chosen_rate}"
        right.plot(curve["update"], curve["validation"], style, color=BLUE, label=label)
    right.set(xlabel="updates", ylabel="validation accuracy of durnn-open-free")
    right.legend(fontsize=8, loc="lower left")


def print_verdicts(rows):
    """The ledger's two rows on 196 pixels, printed  ->  their claim: its verdict."""
    verdicts = {}
    for paper, says, _, ours, _, _, verdict, own in rows:
        if says.endswith(("pixels, against RNN and LSTM", "order at T = 196")):
            print(f"{paper}: {says}\n    {ours}\n    {verdict.upper()}; {own}")
            verdicts[says.split(": ")[-1]] = verdict
    return verdicts
