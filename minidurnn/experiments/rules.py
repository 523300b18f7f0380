"""How a claim is judged: each rule reads records and says what they show, and a verdict. Written before the runs."""

from dataclasses import dataclass
from statistics import mean, median

from ..analysis import decay
from ..networks.losses import BETTER
from ..records.record import chosen_run

VERDICTS = ("replicated", "trend only", "not replicated", "not attempted")         # the last: no record, or too few
STRAIGHT = 0.98


@dataclass(frozen=True)
class Solves:
    """A model solves a task. replicated: with every seed of two or more; trend only: with some, or all are learning."""

    experiment: str
    length: int
    models: tuple
    staged: bool = False                                      # by a curriculum

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        solved = [record for record in records if record.verdict == "solved"]
        said = f"{len(solved)} of {len(records)} runs solved it in {_updates(solved or records)}"
        if len(solved) == len(records) > 1:
            return said, "replicated"
        learning = {record.verdict for record in records} == {"learning"}
        return said, "trend only" if solved or learning else "not replicated"


@dataclass(frozen=True)
class Fails:
    """A model stays at the baseline. replicated: with every seed of two or more; trend only: with none it solves it."""

    experiment: str
    length: int
    models: tuple
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        low = [record for record in records if record.verdict in ("baseline", "diverged")]
        said = f"{len(low)} of {len(records)} runs stayed at the baseline or diverged in {_updates(low or records)}"
        if len(low) == len(records) > 1:
            return said, "replicated"
        return said, "not replicated" if any(record.verdict == "solved" for record in records) else "trend only"


@dataclass(frozen=True)
class Beats:
    """The first model is ahead of the others by the median of its seeds' test results.

    replicated   ahead of all of them, and at least as good as `within`, a fifth above the paper's error
    trend only   ahead of all of them; not attempted where one of them has no record
    """

    experiment: str
    length: int
    models: tuple
    within: float | None = None                               # None: data or sizes are ours
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        said, middles = _middles(self.models, records)
        if None in middles:
            return said, "not attempted"
        sign = upwards(records)
        own, *others = (sign * middle for middle in middles)
        if own <= max(others):
            return said, "not replicated"
        return said, "replicated" if self.within is not None and own >= sign * self.within else "trend only"


@dataclass(frozen=True)
class Ordered:
    """Each model is ahead of the next one by the median of its seeds' test results.

    trend only       in exactly this order: data and sizes are ours; not attempted where one of them has no record
    not replicated   any two neighbours are equal or the other way round
    """

    experiment: str
    length: int
    models: tuple
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        said, middles = _middles(self.models, records)
        if None in middles:
            return said, "not attempted"
        sign = upwards(records)
        ahead = all(sign * first > sign * second for first, second in zip(middles, middles[1:]))
        return said, "trend only" if ahead else "not replicated"


@dataclass(frozen=True)
class Falls:
    """At the start of training the gradient on the cell state falls exponentially going back.

    A record's curve does so where a straight line through its logarithms falls and explains at least `STRAIGHT` of
    their variance, over the lags that the record has.
    replicated: in every record of two or more; trend only: in at least half of them
    """

    experiment: str
    length: int
    models: tuple
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        lines = [decay(record.seen["start"]["norm"]) for record in records]
        straight = sum(slope < 0 and share >= STRAIGHT for slope, share in lines)
        least = min(share for _, share in lines)
        said = f"{straight} of {len(lines)} curves straight, R² of all at least {least:.3f}"
        return said, _of_all(straight, len(lines))


@dataclass(frozen=True)
class Reads:
    """At the start of training the gates' mean log f is the slope of the gradient on the cell state, within a fifth.

    replicated: in every record of two or more; trend only: in at least half of them
    """

    experiment: str
    length: int
    models: tuple
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        starts = [record.seen["start"] for record in records]
        ratios = [decay(start["norm"])[0] / mean(start["log_kept"]) for start in starts]
        near = sum(abs(ratio - 1) <= 0.2 for ratio in ratios)
        said = f"slope {min(ratios):.2f} to {max(ratios):.2f} of the mean log f, {near} of {len(ratios)} within a fifth"
        return said, _of_all(near, len(ratios))


@dataclass(frozen=True)
class Foresees:
    """A model of a queueing network answers questions on which it was not trained.

    replicated   with every seed of two or more, all errors are at most `within` percent of the jobs
    trend only   by the median of its seeds they are
    """

    experiment: str
    length: int
    models: tuple
    within: float
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        seen = [record.seen["trained"]["errors"] for record in records if record.seen is not None]
        if not seen:
            return "every run diverged", "not replicated"
        errors = {name: [one[name] for one in seen] for name in ("population", "servers", "routing") if name in seen[0]}
        middles = [median(found) for found in errors.values()]
        said = ", ".join(f"{name} {median(found):.1f} %" for name, found in errors.items()) + f" ({len(seen)})"
        if len(errors) == 3 and len(seen) == len(records) > 1 and max(map(max, errors.values())) <= self.within:
            return said, "replicated"
        return said, "trend only" if len(errors) == 3 and max(middles) <= self.within else "not replicated"


@dataclass(frozen=True)
class Scores:
    """The first model is ahead of the second in every one of these scores that its experiment looks at.

    replicated   in each, every seed of two or more is ahead of every seed of the other, and no run diverged
    trend only   in each it is so by the median of the seeds; not attempted where a model or a score has no record
    """

    experiment: str
    length: int
    models: tuple
    higher: tuple = ()                                        # scores of which higher ones are better
    lower: tuple = ()
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        said, ahead = [], True
        clear = all(record.seen is not None for record in records if record.trial["model"] in self.models)
        for name, sign in (*((name, 1) for name in self.higher), *((name, -1) for name in self.lower)):
            own, other = ([record.seen["trained"]["scores"].get(name) for record in records
                           if record.trial["model"] == model and record.seen is not None] for model in self.models)
            if not own or not other or None in (*own, *other):
                return f"{name}: not of both", "not attempted"
            said.append(f"{name} {median(own):.4g} ({len(own)}) against {median(other):.4g} ({len(other)})")
            clear &= min(len(own), len(other)) > 1 and min(sign * one for one in own) > max(sign * one for one in other)
            ahead &= sign * median(own) > sign * median(other)
        return ", ".join(said), "replicated" if clear else "trend only" if ahead else "not replicated"


def _of_all(right, count):
    return "replicated" if right == count > 1 else "trend only" if 2 * right >= count else "not replicated"


def upwards(records):
    """1 where higher results are better, -1 where lower ones are: what makes higher ones better."""
    return 1 if BETTER[records[0].metric] == "higher" else -1


def _middles(models, records):
    """Each model's median test result  ->  in words, with the count of its records; a list, None where none is."""
    results = {model: [] for model in models}
    for record in records:
        if record.test is not None:
            results[record.trial["model"]].append(record.test)
    said = ", ".join(f"{model} {median(tests):.4f} ({len(tests)})" for model, tests in results.items() if tests)
    return said, [median(tests) if tests else None for tests in results.values()]


def _updates(records):
    """How many updates the chosen rates of these records took, in words: of those that the sentence counts."""
    return f"{span([chosen_run(record).updates for record in records])} updates"


def span(counts):
    """The least and the greatest of some counts, in words; one number where they are equal."""
    return " to ".join(dict.fromkeys(f"{count:,}" for count in (min(counts), max(counts))))
