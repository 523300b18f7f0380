"""The recorded runs of lesson 13: a table of medians, pairs at two lengths, and how far two models are apart."""

from statistics import median

FULL_LENGTH = 179                                             # frames of the longest recording
TEST = 800                                                    # recordings in the test
COLUMNS = {
    "10 classes, 20 frames": ("skeletons", 20), "10 classes, full length": ("skeletons", FULL_LENGTH),
    "20 classes, 20 frames": ("skeletons-20", 20),
}


def by_seed(records):
    """Records  ->  (experiment, T, model): {seed: record}, those of the three columns only."""
    found = {}
    for record in records:
        experiment, length = record.trial["experiment"], record.trial["length"]
        if (experiment, length) in COLUMNS.values():
            found.setdefault((experiment, length, record.trial["model"]), {})[record.trial["seed"]] = record
    return found


def print_medians(found):
    """When and where the runs were made; then a row for each model, a dash where it has no record."""
    every = [record for seeds in found.values() for record in seeds.values()]
    dates = sorted(record.machine["date"] for record in every)
    print(f"recorded {dates[0]} to {dates[-1]}:", *sorted({record.machine["hardware"] for record in every}))
    print("median test accuracy (how many seeds solved it / seeds)")
    print("model      ", *(f"{name:>24}" for name in COLUMNS))
    for model in sorted({model for _, _, model in found}):
        print(f"{model:11}", *(f"{_entry(found.get((*column, model), {})):>24}" for column in COLUMNS.values()))


def _entry(seeds):
    if not seeds:
        return "-"
    solved = sum(record.verdict == "solved" for record in seeds.values())
    return f"{median(record.test for record in seeds.values()):.4f} ({solved}/{len(seeds)})"


def gains(found):
    """How many more test recordings are named rightly at full length than with 20 frames, for each model and seed."""
    result = []
    for (experiment, length, model), seeds in found.items():
        if (experiment, length) == ("skeletons", FULL_LENGTH):
            for seed, record in seeds.items():
                sampled = found["skeletons", 20, model][seed]
                result.append(round(TEST * record.test) - round(TEST * sampled.test))
    return result


def compare(found, experiment, one, other):
    """Two models with 20 frames  ->  gap, span, ahead, also printed; the first two in test recordings.

    gap     how far the median of `one` is ahead of the other's       span   from the worst seed of `one` to its best
    ahead   in how many pairs, a seed of each, `one` is ahead: in equal ones it is not
    """
    first, second = ([TEST * record.test for record in found[experiment, 20, model].values()] for model in (one, other))
    gap, span = median(first) - median(second), max(first) - min(first)
    ahead = sum(mine > theirs for mine in first for theirs in second)
    pairs = len(first) * len(second)
    print(f"    {one} against {other}: median {gap:+.0f}, seeds span {span:.0f}, ahead in {ahead} of {pairs} pairs")
    return gap, span, ahead


def print_row(rows, words):
    """The ledger's rows whose claim has these words."""
    for row in rows:
        if words in row.says:
            print(f"{row.paper}: {row.says}\n    paper: {row.theirs}\n    ours: {row.ours}")
            print(f"    {row.verdict.upper()}; {row.own}")
