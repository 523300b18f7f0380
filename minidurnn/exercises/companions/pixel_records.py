"""The recorded runs of lesson 11 on pixels: the DuRNN's parts, both orders, a row of the ledger."""

from statistics import median

import numpy as np

from ...plots import BLUE, ORANGE, panels
from ...records import chosen_run

TASKS = {"pixels": "in order", "permuted-pixels": "permuted"}
COLOURS = {"in order": BLUE, "permuted": ORANGE}
MODELS = "rnn", "lstm", "gru", "durnn", "durnn-2", "durnn-open-free", "durnn-unbounded-short"
PARTS = {                                                     # what is left out, or how it starts
    "durnn": "durnn",
    "short-term": "short-term memory alone",
    "durnn-ungated": "no gates",
    "durnn-gate-from-state": "gates read s alone",
    "durnn-gate-from-input": "gates read x alone",
    "durnn-gate-before": "gates before W_l",
    "durnn-no-recurrence": "no U_s",
    "durnn-unbounded-short": "free norm of U_s",
    "durnn-unbounded-long": "free u",
    "durnn-long-output": "read-out reads l alone",
    "durnn-open": "gates half open",
    "durnn-any-memory": "u starts from 0 to 1",
    "durnn-clip": "norm held by clipping",
    "durnn-open-clip": "half open, clipping",
}


def runs_by_order(records, pixels=196):
    """Records  ->  (order, model): its records on so many pixels that have a test result, one for each seed.

    Only the models that the lesson discusses are taken.
    """
    found = {}
    for record in records:
        order = TASKS.get(record.trial["experiment"])
        discussed = record.trial["model"] in MODELS
        if order and discussed and record.trial["length"] == pixels and record.test is not None:
            found.setdefault((order, record.trial["model"]), []).append(record)
    return found


def medians(found):
    """The runs of `runs_by_order`  ->  (order, model): the median test accuracy of its seeds."""
    return {run: median(record.test for record in records) for run, records in found.items()}


def by_seed(found, order, model):
    """The runs of `runs_by_order`  ->  seed: test accuracy, of one model in one order."""
    return {record.trial["seed"]: record.test for record in found[order, model]}


def print_runs(found):
    """A row for every model in both orders, the best median test accuracy first, with each run and its rate."""
    test = medians(found)
    print("order     model                 numbers  median  each seed's test accuracy (rate)")
    for run in sorted(found, key=lambda run: (run[0] != "in order", -test[run])):
        each = [f"{one.test:.3f} ({one.chosen_rate})" for one in sorted(found[run], key=seed)]
        print(f"{run[0]:10}{run[1]:22}{found[run][0].parameters:7,}  {test[run]:6.3f} ", ", ".join(each))


def seed(record):
    """The seed of a record."""
    return record.trial["seed"]


def parts(records):
    """Records  ->  {the words of PARTS: test accuracies of an ablation on digits, by seed}, the best median first."""
    found = {}
    chosen = [one for one in records if one.trial["experiment"] == "ablations-pixels" and one.test is not None]
    for record in sorted(chosen, key=seed):
        found.setdefault(PARTS[record.trial["model"]], []).append(record.test)
    return dict(sorted(found.items(), key=lambda one: -median(one[1])))


def print_parts(tests):
    """A row for each part of `parts`: the median and the runs; is every run above, or below, every one of durnn?"""
    whole = tests["durnn"]
    print("what is changed           median  each seed's test accuracy, beside all of durnn's")
    for words, each in tests.items():
        aside = "above" if min(each) > max(whole) else "below" if max(each) < min(whole) else ""
        print(f"{words:26}{median(each):.3f}   ", *[f"{one:.3f}" for one in each], f"  {aside}")


def draw_parts(title, tests):
    """The test accuracies of `parts` as dots, a row for each, over the range of the whole durnn."""
    _, axes = panels(title, width=7.6, height=4.4)
    axes.axvspan(min(tests["durnn"]), max(tests["durnn"]), color="#dddddd", label="the runs of durnn")
    for row, each in enumerate(tests.values()):
        axes.plot(each, np.full(len(each), row), "o", color=BLUE, markersize=5, alpha=0.8)
    axes.set_yticks(range(len(tests)), tests, fontsize=9)
    axes.set_xlabel("test accuracy of each run")
    axes.invert_yaxis()
    axes.legend(fontsize=8, loc="lower right")


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
    runs = sorted(found["in order", "durnn-open-free"], key=seed)
    for record, style in zip(runs, ("-", "--", ":")):
        curve = chosen_run(record).curve
        label = f"seed {record.trial['seed']}, rate {record.chosen_rate}"
        right.plot(curve["update"], curve["validation"], style, color=BLUE, label=label)
    right.set(xlabel="updates", ylabel="validation accuracy of durnn-open-free")
    right.legend(fontsize=8, loc="lower left")


def print_verdict(rows):
    """The ledger's row on our question, printed  ->  its verdict."""
    row = next(row for row in rows if row.says.endswith("pixels, against RNN and LSTM"))
    print(f"{row.paper}: {row.says}\n    {row.ours}\n    {row.verdict.upper()}; {row.own}")
    return row.verdict
