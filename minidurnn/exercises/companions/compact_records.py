"""The recorded runs of lesson 20: grouped by network and size, their ranks, their medians, and who is ahead."""

import numpy as np

from ...experiments.claims import ledger
from ...experiments.compact import WHOLE
from ...networks.lines import WIDTH
from ...records import chosen_run

PARTS = 1, 2, 4, 10                                           # all, a half, a quarter, a tenth of the numbers
NAMES = {                                                     # a model of the catalogue -> what the lesson calls it
    "lstm-two": "fewer units", "lstm-two-low-rank": "low rank", "lstm-two-toeplitz": "Toeplitz-like",
    "lstm-two-projection": "projection", "lstm-two-hybrid": "hybrid",
}
FEWER = NAMES["lstm-two"]


def grouped(records, task):
    """The recorded runs of one task  ->  dict (network, part) -> its records, one for each seed there is, in order.

    network   a name of NAMES; "fewer units" is an LSTM, and the whole network where part is 1
    part      1: all numbers of the whole network; 2, 4, 10: a half, a quarter, a tenth of them
    Any subset of the runs will do; what was not run has no key.
    """
    runs, names = {}, list(NAMES.values())
    for one in sorted(records, key=lambda one: one.trial["seed"]):
        if one.trial["experiment"] == task and one.trial["model"] in NAMES:
            key = NAMES[one.trial["model"]], WHOLE[task] // one.trial["parameters"]
            runs.setdefault(key, []).append(one)
    return dict(sorted(runs.items(), key=lambda item: (item[0][1], names.index(item[0][0]))))


def tested(runs):
    """dict (network, part) -> its test results by seed, an array."""
    return {key: np.array([one.test for one in own]) for key, own in runs.items()}


def trained_to(runs):
    """dict (network, part) -> the results at the end of training by seed, an array: the last row of their reports."""
    return {key: np.array([chosen_run(one).curve["metric"][-1] for one in own]) for key, own in runs.items()}


def ranks(record):
    """The ranks of a recorded network's matrices, from the input up  ->  list; none for an LSTM with fewer units.

    In a hybrid the plain matrix that hands numbers up counts as well, with the numbers that it hands up.
    """
    body = record.network["options"]["body"]["options"]
    body = body["model"]["options"] if "model" in body else body
    found = []
    for part in body["parts"]:
        options = part["options"]
        if part["class"] == "Compact":
            weights = options["weights"]
            kinds = [weights] if isinstance(weights, dict) else [kind for letter, kind in weights]
            found += [kind["options"]["rank"] for kind in kinds]
        elif part["class"] == "Linear" and options["inputs"] == WIDTH:
            found.append(options["outputs"])
    return found


def print_sizes(runs):
    """A line for each kind of network: at 1/1, 1/2, 1/4, 1/10 how many numbers, and in brackets the ranks."""
    def size(own):
        between = " ".join(map(str, ranks(own[0])))
        return f"{own[0].parameters:,}" + (f" ({between})" if between else "")

    _print_table({key: size(own) for key, own in runs.items()}, 17)


def print_medians(runs, digits):
    """A line for each kind of network: at each size the median test result (at the end of training), over the seeds."""
    tests, ends, seeds = tested(runs), trained_to(runs), sorted({len(own) for own in runs.values()})
    print("seeds of each network:", " or ".join(map(str, seeds)) or "no runs")
    middle = {key: (np.median(tests[key]), np.median(ends[key])) for key in runs}
    _print_table({key: f"{test:.{digits}f} ({end:.{digits}f})" for key, (test, end) in middle.items()}, 13)
    if runs:
        name, part = max(tests, key=lambda key: np.ptp(tests[key]))
        apart = np.ptp(tests[name, part])
        print(f"seeds of one network lie up to {apart:.{digits}f} apart ({name}, {_size(part)})")


def print_ranges(runs, digits):
    """A line for each kind of network: at each size the lowest and the highest test result of its seeds."""
    print("lowest to highest of the seeds")
    ends = {key: (own.min(), own.max()) for key, own in tested(runs).items()}
    _print_table({key: f"{low:.{digits}f} to {high:.{digits}f}" for key, (low, high) in ends.items()}, 13)


def print_means(tests, digits):
    """A line for each kind of network: at each size the mean test result of its seeds."""
    print("means")
    _print_table({key: f"{own.mean():.{digits}f}" for key, own in tests.items()}, 13)


def print_above(tests, mark):
    """Which networks have a median test result above `mark`: in bits per character those that cost more."""
    above = [f"{name} {_size(part)}" for (name, part), own in tests.items() if np.median(own) > mark]
    print(f"median above {mark:.3f}:", ", ".join(above))


def print_training(ends, names):
    """Of each of the names: how many training bits more a half of the numbers costs than a quarter, seed by seed."""
    for name in names:
        more = ends[name, 2] - ends[name, 4]
        print(f"{name}: training bits at 1/2 less those at 1/4, by seed:", more.round(2))


def above_by_median(tests, one, two):
    """Is the median test result of network `one` above that of `two`, at a half, a quarter, a tenth?  ->  list."""
    return [bool(np.median(tests[one, part]) > np.median(tests[two, part])) for part in (2, 4, 10)]


def _size(part):
    """What the lesson calls a part: all, 1/2, 1/4, 1/10."""
    return "all" if part == 1 else f"1/{part}"


def _print_table(cells, width):
    """Print cells, dict (network, part) -> text, with a row for each network and a column for each part."""
    names = list(dict.fromkeys(name for name, part in cells))
    print(" " * 13, *(f"{_size(part):{width}}" for part in PARTS))
    for name in names:
        print(f"{name:13}", *(f"{cells.get((name, part), ''):{width}}" for part in PARTS))


def ahead(tests, one, two):
    """In how many seeds network `one` costs less than `two` with the same seed, at a half, a quarter, a tenth."""
    return [int((tests[one, part] < tests[two, part]).sum()) for part in (2, 4, 10)]


def losses(tests, name):
    """What a quarter of the numbers costs more than all of them, in percent, seed by seed (3,)."""
    return 100 * (tests[name, 4] / tests[FEWER, 1] - 1)


def print_verdicts(records):
    """What the ledger says of the paper's three claims: its number, ours, the verdict."""
    for row in ledger(records):
        if row.paper.startswith("Compact"):
            print(f"{row.says}\n    paper: {row.theirs}\n    ours: {row.ours}\n    {row.verdict.upper()}")
