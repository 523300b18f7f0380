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
    """When, where and how large; then a row for each model, a dash where it has no record, with its gains."""
    every = [record for seeds in found.values() for record in seeds.values()]
    dates = sorted(record.machine["date"] for record in every)
    sizes = sorted(record.parameters for record in every)
    print(f"recorded {dates[0]} to {dates[-1]}:", *sorted({record.machine["hardware"] for record in every}))
    print(f"{sizes[0]:,} to {sizes[-1]:,} trained numbers")
    print("median test accuracy (how many seeds solved it / seeds); gain: recordings more at full length, seed by seed")
    _print_line("model", list(COLUMNS), "gain")
    gained = gains(found)
    for model in sorted({model for _, _, model in found}):
        medians = [_entry(found.get((*column, model), {})) for column in COLUMNS.values()]
        _print_line(model, medians, " ".join(f"{gain:+}" for gain in gained.get(model, ())))
    _print_durnn(found)


def _print_line(first, entries, gain):
    """A line of the table: the gain stands beside the full length."""
    sampled, full, twenty = entries
    print(f"{first:10} {sampled:>21} {full:>24} {gain:>8} {twenty:>23}")


def _entry(seeds):
    if not seeds:
        return "-"
    solved = sum(record.verdict == "solved" for record in seeds.values())
    return f"{median(record.test for record in seeds.values()):.4f} ({solved}/{len(seeds)})"


def _print_durnn(found):
    """The units and the horizon of the DuRNN in the runs of each column."""
    for name, column in COLUMNS.items():
        lines = set()                                         # one, if all seeds have the same
        for record in found.get((*column, "durnn"), {}).values():
            cell = record.network["options"]["body"]["options"]["model"]["options"]
            lines.add(f"durnn, {name}: {cell['short']} + {cell['long']} units, horizon {cell['horizon']}")
        for one in sorted(lines):
            print(one)


def ranked(found, experiment):
    """The models of an experiment, by their median with 20 frames, the lowest first."""
    medians = {
        model: median(record.test for record in seeds.values())
        for (name, length, model), seeds in found.items() if (name, length) == (experiment, 20)
    }
    return sorted(sorted(medians), key=medians.get)


def gains(found):
    """Model  ->  how many more test recordings are named rightly at full length than with 20 frames, seed by seed."""
    result = {}
    for (experiment, length, model), seeds in found.items():
        if (experiment, length) == ("skeletons", FULL_LENGTH):
            sampled = found["skeletons", 20, model]
            result[model] = [
                round(TEST * seeds[seed].test) - round(TEST * sampled[seed].test) for seed in sorted(seeds)
            ]
    return result


def count_pairs(gained, kind, models):
    """Gains of some models, called `kind`  ->  better, worse, pairs, also printed."""
    every = [gain for model in models for gain in gained[model]]
    better, worse = sum(gain > 0 for gain in every), sum(gain < 0 for gain in every)
    print(f"{kind}: full length is better in {better}, worse in {worse} of {len(every)} pairs")
    return better, worse, len(every)


def compare(found, experiment, one, other):
    """Two models with 20 frames  ->  gap, span, ahead, also printed; the first two in test recordings.

    gap     how far the median of `one` is ahead of the other's
    span    from a model's worst seed to its best: the larger of the two
    ahead   in how many pairs, a seed of each, `one` is ahead: in equal ones it is not
    """
    first, second = ([TEST * record.test for record in found[experiment, 20, model].values()] for model in (one, other))
    gap, span = median(first) - median(second), max(max(values) - min(values) for values in (first, second))
    ahead = sum(mine > theirs for mine in first for theirs in second)
    pairs = len(first) * len(second)
    print(f"    {one} against {other}: gap {gap:+.0f}, larger span {span:.0f}, ahead in {ahead} of {pairs} pairs")
    return gap, span, ahead


def print_row(rows, words):
    """The ledger's rows whose claim has these words."""
    for row in rows:
        if words in row.says:
            print(f"{row.paper}: {row.says}\n    paper: {row.theirs}\n    ours: {row.ours}")
            print(f"    {row.verdict.upper()}; {row.own}")
