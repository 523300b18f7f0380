"""The figures of lesson 16, its records of the ablations, and the claims that it counts."""

from collections import Counter, namedtuple

import numpy as np

from ...analysis import half_life
from ...experiments.ablations import MODELS
from ...experiments.claims import CLAIMS, asked, ledger
from ...plots import BLUE, GREEN, ORANGE, arrow, box, panels, plt, reference
from ...records import chosen_run

RULES = {"Solves": "solves", "Fails": "stays", "Beats": "is ahead", "NoneType": "none"}
Judged = namedtuple("Judged", "paper says rule ours verdict own runs")
STYLES = {3: "-", 4: "--", 5: ":"}                            # of the seeds
DISCUSSED = ("durnn", "durnn-ungated", "durnn-no-recurrence", "short-term", "durnn-any-memory")
GREY = "#999999"


def draw_surgery(axes):
    """Five long-term neurons over the short-term memory: one is kept, with its gate and a new read-out."""
    x_t = box(axes, 2.8, 0, "input $x_t$", 1.6)
    s_t = box(axes, 2.8, 1.4, "short-term memory $s_t$, as trained", 6.6, 0.6, BLUE, filled=True)
    gate = box(axes, 7.4, 1.4, "gate $g_5$", 1.2, 0.6, GREEN)
    answer = box(axes, 5.6, 4.5, "answer", 1.6)
    arrow(axes, x_t, s_t)
    for place, x in enumerate((0, 1.4, 2.8, 4.2, 5.6)):
        kept = place == 4
        colour = ORANGE if kept else GREY
        neuron = box(axes, x, 2.7, f"$l_{place + 1}$", 0.8, 0.7, colour, kept)
        arrow(axes, (x, 1.7), neuron, "", colour, dashed=not kept)
        arrow(axes, (x + 0.4, 2.9), (x + 0.4, 2.5), "$u$", colour, bend=-1.2, side=0.12)
    for start, end in ((x_t, gate), (s_t, gate), (gate, (5.85, 2.33))):
        arrow(axes, start, end, "", GREEN)
    arrow(axes, (5.6, 3.05), answer, "a new weight\nand a new bias", ORANGE, side=-1)
    plt.show()


def draw_timeline(s, g, l):
    """One sequence (T, units): short-term memory, gates, long-term memory. White is 0; the gates' scale ends at 1."""
    figure, axes = panels("Seed 3, one sequence: one gate opens wide at both marks", 3, 11, 3)
    for side, name, rows in zip(axes, ("s", "gate g", "l"), (s / s.max(), g, l / l.max())):
        side.imshow(rows.T, aspect="auto", cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
        side.set(xlabel="step t", title=name)
        side.set_yticks([0, 4, 9, 17], [1, 5, 10, 18])
        side.set_xticks([29, 79, 99], [30, 80, 100])
        side.grid(False)
    axes[0].set_ylabel("row")
    plt.show()


def draw_shares(shares):
    """The explained share of every step; dict (stage, memory, seed) -> (T,)."""
    figure, axes = panels("Three seeds: how well the value of step 30 can be read", 2, 10, 3.2)
    for (stage, memory, seed), share in shares.items():
        side, colour = axes[stage == "trained"], BLUE if memory == "s" else ORANGE
        label = memory if seed == 3 else None
        side.plot(range(1, len(share) + 1), share, color=colour, label=label)
        side.set(title=stage, xlabel="step t", xticks=[30, 80, 100], ylim=(-0.15, 1.05))
    axes[0].set_ylabel("explained share")
    axes[0].legend(title="read from", fontsize=8)
    plt.show()


def draw_norms(middles):
    """The median norm of the gradient by lag; dict (part, stage, seed) -> (T + 1,). Each part has its own axis."""
    figure, axes = panels("Three seeds: the gradient's size by lag, before and after training", 2, 10, 3.4)
    for (part, stage, seed), middle in middles.items():
        side, colour = axes[part == "short"], BLUE if stage == "start" else ORANGE
        side.semilogy(middle, STYLES[seed], color=colour, label=f"{stage}, seed {seed}")
        side.set(title=f"of the {part}-term memory", xlabel="lag k")
    for seed, lag, aside in ((3, 55, 1.1), (4, 85, 0.85), (5, 50, 1.1)):
        height = aside * middles["long", "trained", seed][lag]
        axes[0].annotate(f"trained, seed {seed}", (lag, height), ha="center", va="center", fontsize=8)
    axes[0].annotate("start, all three", (30, 3.8), ha="center", va="center", fontsize=8)
    axes[0].set(ylim=(0.3, 5), yticks=[0.3, 0.5, 1, 2, 5], yticklabels=[0.3, 0.5, 1, 2, 5], ylabel="norm, median")
    axes[0].minorticks_off()
    axes[1].set_ylim(1e-8, 20)
    axes[1].legend(fontsize=8)
    plt.show()


def print_paths(label, u, parts, before):
    """The square of eq. 16.1 and its largest terms, at most four.

    u       (units,)                           parts   (sequences, units)  their contributions, 0 without a path
    before  (sequences, units)  l of the last step before the first mark
    """
    path, long = parts > 0, half_life(u) >= 100
    middle, silent = np.median(parts, axis=0), (before == 0).sum(axis=0)
    print(f"{label}: square {np.median(parts.sum(axis=1)):.2f}; neurons with a path {np.median(path.sum(axis=1)):g},",
          f"of half-life at least 100: {np.median((path & long).sum(axis=1)):g}; the largest:")
    for unit in np.argsort(-middle)[:4]:
        if middle[unit] > 0.1:
            print(f"   u {u[unit]:.4f} contributes {middle[unit]:.2f}, 0 at step 29: {silent[unit]} of {len(parts)}")


def print_neurons(stage, seed, u, path, tape, at, errors):
    """A table of the neurons with a path or a u near 1; at the start the extremes.

    u, path, errors  (units,)      tape  of all steps of a probe      at  the places of its marks
    """
    open_there, elsewhere = tape.g[at].mean(axis=(0, 1)), np.delete(tape.g, at, axis=0).mean(axis=(0, 1))
    awake = (tape.l[-1] > 0).sum(axis=0)
    if stage == "start":
        print(f"start {seed}: contributions up to {path.max():.2f}, gates at the marks up to {open_there.max():.2f}",
              f"and {(open_there / elsewhere).max():.2f} times as wide as elsewhere, errors from {errors.min():.3f}")
        return
    print(f"trained {seed}:      u   contribution   gate at marks   elsewhere   above 0 at the end   error alone")
    for unit in np.argsort(-path, kind="stable"):
        if path[unit] > 0.1 or u[unit] > 0.99:
            print(f"{u[unit]:17.4f} {path[unit]:14.2f} {open_there[unit]:15.2f} {elsewhere[unit]:11.2f}",
                  f"{awake[unit]:20d} {errors[unit]:13.4f}")


def print_five(label, errors):
    """Five test errors in a line, each with the neurons that the read-out hears."""
    heads = ("one", "two", "three", "all but best", "all")
    print(f"{label}:", ", ".join(f"{head} {error:.4f}" for head, error in zip(heads, errors)))


def draw_alone(alone, silent, start, trained):
    """The test error of every long-term neuron alone against its u; dicts (stage, seed) -> (18,), silent: bool."""
    figure, axes = panels("One neuron kept: low errors come after training, with u near 1", 3, 11, 3.4)
    for side, seed in zip(axes, trained):
        for stage, networks, mark, colour in (("start", start, "x", BLUE), ("trained", trained, "o", ORANGE)):
            look = {"color": colour, "label": stage, "markerfacecolor": "none"}           # open: none hides another
            u, errors, still = networks[seed]["body"]["u"], alone[stage, seed], silent[stage, seed]
            side.semilogy(u, errors, mark, **look)
            if stage == "trained":
                side.semilogy(u[still], errors[still], mark, color=colour, label="trained, silent")
        side.set(title=f"seed {seed}", xlabel="u", ylabel="test error", ylim=(1e-3, 0.5), xlim=(0.76, 1.02))
        reference(side, 0.01, "")
        side.annotate("solved", (0.765, 0.0105), va="bottom", fontsize=8)
        side.legend(loc="lower left")
    plt.show()


def recorded_ablations(records):
    """The records of the DuRNN less its parts; dict (task, model) -> a list, one for each seed."""
    found = {(task, model): [] for task in ("adding", "delayed-xor") for model in MODELS}
    for record in records:
        place = record.trial["experiment"].removeprefix("ablations-"), record.trial["model"]
        if record.trial["experiment"].startswith("ablations-") and place in found:
            found[place].append(record)
    return found


def print_facts(found):
    """A line for each task with its seeds and trained numbers, and one with hardware, batch and rates."""
    for task in ("adding", "delayed-xor"):
        seeds = sorted({len(found[task, model]) for model in MODELS})
        numbers = [record.parameters for model in MODELS for record in found[task, model]]
        said = " or ".join(map(str, seeds))
        print(f"{task}: {said} seeds per model; {min(numbers):,} to {max(numbers):,} parameters")
    records = [record for group in found.values() for record in group]
    facts = {"hardware": sorted({str(record.machine["hardware"]) for record in records})}
    facts |= {fact: sorted({str(record.trial[fact]) for record in records}) for fact in ("batch", "rates")}
    print("; ".join(f"{fact} {' and '.join(values)}" for fact, values in facts.items()))


def print_unsolved(found):
    """A line for each model with seeds that did not solve a task  ->  dict (task, model) -> how many."""
    unsolved = {}
    for (task, model), records in found.items():
        missing = sum(record.verdict != "solved" for record in records)
        if missing:
            unsolved[task, model] = missing
            print(f"{task}, {model}: {missing} of {len(records)} seeds did not solve it")
    return unsolved


def print_updates(found, task, models):
    """The updates and the chosen rate of each seed  ->  for each model a list of updates."""
    lists = []
    for model in models:
        runs = [chosen_run(record) for record in found[task, model]]
        lists.append([run.updates for run in runs])
        print(f"{task}, {model}: updates {lists[-1]} at the chosen rates {[run.rate for run in runs]}")
    return lists


def draw_ablations(found):
    """The updates of every seed, a row for each model discussed, the others in one: a dot is solved, a cross is not."""
    figure, axes = panels("no-recurrence: adding is solved, delayed XOR is not", 2, 10.5, 3)
    others = [model for model in MODELS if model not in DISCUSSED]
    names = (*DISCUSSED, f"{len(others)} others")
    for side, task in zip(axes, ("adding", "delayed-xor")):
        rows = [found[task, model] for model in DISCUSSED]
        rows.append([record for model in others for record in found[task, model]])
        for place, (name, row) in enumerate(zip(names, rows)):
            solved = [record.verdict == "solved" for record in row]
            wide = 0.2 if name in DISCUSSED else 0.3
            apart = np.linspace(-wide, wide, len(row))        # equal runs stay apart
            for height, record, done in zip(apart, row, solved):
                mark, colour = ("o", BLUE if name in DISCUSSED else GREY) if done else ("x", ORANGE)
                side.plot(chosen_run(record).updates, place + height, mark, color=colour, markersize=4)
            side.annotate(f"{sum(solved)}/{len(row)}", (2150, place), va="center")
        side.set(xlabel="updates", xlim=(0, 2400), title=f"{task}, T = {record.trial['length']}")
        side.set_yticks(range(len(names)), names if task == "adding" else [""] * len(names))
        side.invert_yaxis()
    plt.show()


def asked_runs(records, rule):
    """How the runs ended that a rule speaks of, in words; "-" without a rule."""
    ends = Counter(record.verdict for record in asked(records, rule))
    return ", ".join(f"{count} {end}" for end, count in ends.most_common()) or "-"


def judged_claims(records):
    """The claims of the IndRNN papers and of the DuRNN with their verdicts  ->  a list of texts, named as in Judged.

    ours    what our records show and, in a second line, what of the claim is ours, or why it was not tried: `own`
    runs    how the runs ended that the verdict rests on, such as "2 solved, 1 learning"
    """
    found = []
    for claim, row in zip(CLAIMS, ledger(records)):
        if row.paper.split()[0] in ("IndRNN", "Deep", "DuRNN"):
            ours = row.ours + ("" if row.own == "-" else f"\n   {row.own}")
            rule, runs = RULES[type(claim.by).__name__], asked_runs(records, claim.by)
            found.append(Judged(row.paper, row.says, rule, ours, row.verdict, row.own, runs))
    return found
