"""Lesson 10: the recorded runs of delayed XOR as tables and figures, the pairs of a set, and bits in other codings."""

from dataclasses import dataclass

import numpy as np

from ...plots import ORANGE, line, panels
from ...records import chosen_run
from ...tasks import DelayedXOR, count_ceiling

PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))                      # the bit before, the marked bit
DIRECT = (30, 100, 500, 1000)                                 # the lengths of the direct trainings
ASKED = (50, 100, 200, 400)                                   # the lengths that a small network is asked at


@dataclass(frozen=True)
class CodedXOR(DelayedXOR):
    """Delayed XOR whose bits are heard as other numbers; markers and answers stay."""

    zero: float = 0.0                                         # what is heard for a 0
    one: float = 1.0

    def batch(self, rng, B):
        """B fresh sequences  ->  x (T, B, 2), class (B,), None (no lengths)."""
        x, classes, lengths = super().batch(rng, B)
        x[:, :, 0] = np.where(x[:, :, 0] == 1, self.one, self.zero)
        return x, classes, lengths


def grouped(records):
    """All records  ->  those of this task: (experiment, T, model, stages before the last) -> list of records."""
    found = {}
    for record in records:
        trial = record.trial
        if trial["experiment"] in ("delayed-xor", "ablations-delayed-xor"):
            key = (trial["experiment"], trial["length"], trial["model"], len(trial["stages"]))
            found.setdefault(key, []).append(record)
    return found


def print_direct(direct, models):
    """A row for each model: its numbers, and for each T the median test accuracy and how many seeds solved the task.

    direct   (T, model) -> list of records, one for each seed
    """
    print("model       numbers         T = 30        T = 100        T = 500       T = 1000")
    for model in models:
        row = f"{model:11}{direct(30, model)[0].parameters:8,}"
        for T in DIRECT:
            tests = [record.test for record in direct(T, model)]
            solved = [record.verdict for record in direct(T, model)].count("solved")
            row += f"{np.median(tests):9.3f} ({solved}/{len(tests)})" if tests else f"{'-':>15}"
        print(row)
    always_1 = [DelayedXOR(T).test()[1].mean() for T in DIRECT]
    for name, shares in (("ceiling of the count", [count_ceiling(T) for T in DIRECT]), ("answer 1", always_1)):
        print(f"{name:20}", *[f"{share:8.4f}      " for share in shares])


def steps(run):
    """Thousands of time steps of each sequence of a batch, over all stages."""
    return sum(stage.length * stage.updates for stage in run.stages) / 1000


def shares_right(network, p):
    """For each length of ASKED the share of right answers on 100 sequences, the same at each call  ->  four numbers."""
    shares = []
    for T in ASKED:
        x, classes, _ = DelayedXOR(T).batch(np.random.default_rng(3), 100)
        scores, _ = network.predict(p, x.astype(float))       # (100, 2), one for each answer
        shares.append((scores.argmax(axis=1) == classes).mean())
    return shares


def draw_carried(claim, carried, names):
    """A panel for each seed, a line for each training: carried (seeds, trainings, 4), shares right at the four T."""
    _, axes = panels(claim, len(carried), 9, 3)
    for seed, side in enumerate(axes):
        for place, name in enumerate(names):
            line(side, ASKED, carried[seed, place], name, place, marker="o")
        side.set(title=f"seed {seed}", xscale="log", xlabel="asked at T", ylim=(0.38, 1.03))
        side.set(xticks=ASKED, xticklabels=ASKED)
        side.minorticks_off()
    axes[0].set_ylabel("share of right answers")
    axes[0].legend(fontsize=8, loc="center left")
    return axes


def pair_shares(data):
    """A set x (T, B, 2), classes (B,), lengths  ->  the share of each pair, (2, 2), row: bit before."""
    x, classes, _ = data
    place, every = x[:, :, 1].argmax(axis=0), np.arange(len(classes))
    before, marked = x[place - 1, every, 0], x[place, every, 0]
    return np.array([((before == i) & (marked == j)).mean() for i, j in PAIRS]).reshape(2, 2)


def direct_runs(found, T):
    """The runs of the DuRNN and its variants at T, two rates each; the plain one of the ablations repeats."""
    runs = []
    for (experiment, length, model, _), records in found.items():
        copy = (experiment, model) == ("ablations-delayed-xor", "durnn")
        if length == T and model.startswith("durnn") and not copy:
            for record in records:
                runs.extend(record.runs)
    return runs


def looks(run):
    """The accuracies of a run on the validation set, in order."""
    return [look for look in run.curve["validation"] if look is not None]


def runs_at(runs, accuracies):
    """How many runs had a look at each accuracy, and how many of these ended with at least 0.99  ->  two (n,)."""
    heights, solved = np.zeros((2, len(accuracies)), int)
    for run in runs:
        had = np.isclose(np.array(looks(run))[:, None], accuracies, atol=0.0005).any(axis=0)
        heights += had
        solved += had & (looks(run)[-1] >= 0.99)
    return heights, solved


def print_lost(record, validation, test, lost_pair):
    """Of a direct record the accuracies on both sets, and the pair that lost_pair reads off the sets' shares."""
    look = looks(chosen_run(record))[-1]
    for name, shares, accuracy in (("validation", validation, look), ("test", test, record.test)):
        print(f"{record.trial['model'].removeprefix('durnn-')}: {name} {accuracy:.3f}", lost_pair(shares, accuracy))


def draw_heights(claim, accuracies, heights, shares):
    """Bars: how many runs had a look at each accuracy; thin lines: 1 - share (2, 2), only this pair is wrong."""
    _, axes = panels(claim, 1, 7.5, 3)
    axes.bar(accuracies, heights, width=0.0014)
    axes.set(xlabel="accuracy of a look", ylabel="runs with such a look", ylim=(0, 45))
    for i, j in PAIRS:
        mark = axes.vlines(1 - shares[i, j], 0, 34 + 5 * j, ORANGE, linewidth=1)
        axes.annotate(f"{i} {j}", (1 - shares[i, j], 35 + 5 * j), ha="center")
    axes.legend([mark], ["number if only this pair is wrong"], fontsize=8)
    return axes


def print_ablation(model, records):
    """A row: the test accuracies of the seeds, how many solved the task, the updates at the chosen rate."""
    tests = " ".join(f"{record.test:.3f}" for record in records)
    solved = [record.verdict for record in records].count("solved")
    updates = [chosen_run(record).updates for record in records]
    print(f"{model:22} {tests} {solved:6}/{len(records)}   {updates}")
