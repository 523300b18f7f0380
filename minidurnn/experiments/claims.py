"""The ledger: what the papers claim, what our records show of it, and a verdict by a rule that was written before."""

from dataclasses import dataclass
from statistics import median

from ..networks.losses import BETTER
from ..records.record import chosen_run

VERDICTS = ("replicated", "trend only", "not replicated", "not attempted")         # the last: no record, or too few


@dataclass(frozen=True)
class Solves:
    """A model solves a task. replicated: with every seed of two or more; trend only: with some, or all are learning."""

    experiment: str
    length: int
    models: tuple
    staged: bool = False                                      # by a curriculum

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        verdicts = [record.verdict for record in records]
        solved = verdicts.count("solved")
        said = f"{solved} of {len(records)} runs solved it in {_updates(records)}"
        if solved == len(records) > 1:
            return said, "replicated"
        return said, "trend only" if solved or set(verdicts) == {"learning"} else "not replicated"


@dataclass(frozen=True)
class Fails:
    """A model stays at the baseline. replicated: with every seed of two or more; trend only: with none it solves it."""

    experiment: str
    length: int
    models: tuple
    staged: bool = False

    def judge(self, records):
        """Records of these models  ->  ours in words, verdict."""
        verdicts = [record.verdict for record in records]
        low = sum(verdict in ("baseline", "diverged") for verdict in verdicts)
        said = f"{low} of {len(records)} runs stayed at the baseline or diverged in {_updates(records)}"
        if low == len(records) > 1:
            return said, "replicated"
        return said, "not replicated" if "solved" in verdicts else "trend only"


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
        results = {model: [] for model in self.models}
        for record in records:
            if record.test is not None:
                results[record.trial["model"]].append(record.test)
        middles = [median(tests) if tests else None for tests in results.values()]
        said = ", ".join(f"{model} {median(tests):.4f} ({len(tests)})" for model, tests in results.items() if tests)
        if None in middles:
            return said, "not attempted"
        sign = 1 if BETTER[records[0].metric] == "higher" else -1
        own, *others = (sign * middle for middle in middles)
        if own <= max(others):
            return said, "not replicated"
        return said, "replicated" if self.within is not None and own >= sign * self.within else "trend only"


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
class Claim:
    """A sentence of a paper that can be tried.

    theirs   the paper's number
    by       how we judge; None: we do not, for the reason in `note`
    own      what of it is ours, so that the verdict is "trend only" at best: the task, the data, the architecture
    """

    paper: str
    says: str
    theirs: str
    by: object = None
    own: str = ""
    note: str = ""


INDRNN, DEEP, DURNN = "IndRNN (2018)", "Deep IndRNN (2019)", "DuRNN (2020), abstract"
QUEUES = "Queueing networks (2020), abstract"
READING = "our reading of the architecture"
CLAIMS = (
    Claim(INDRNN, "two layers solve adding at T = 1000", "MSE near 0", Solves("adding", 1000, ("indrnn-2",))),
    Claim(INDRNN, "two layers solve adding at T = 5000", "MSE near 0 after about 20,000 updates (read off the plot)",
          Solves("adding", 5000, ("indrnn-2",))),
    Claim(INDRNN, "LSTM stays at the baseline at T = 1000", "MSE 0.167",
          Fails("adding", 1000, ("lstm", "lstm-chrono"))),
    Claim(INDRNN, "IRNN stays at the baseline at T = 1000", "MSE 0.167", Fails("adding", 1000, ("irnn",))),
    Claim(DEEP, "six layers read digits better than LSTM and IRNN, T = 784", "errors 1.0, 1.8, 5.0 %",
          Beats("pixels", 784, ("indrnn-6", "lstm", "irnn"), within=1 - 1.2 * 0.010)),
    Claim(DEEP, "and with permuted pixels", "errors 4.0, 12, 18 %",
          Beats("permuted-pixels", 784, ("indrnn-6", "lstm", "irnn"), within=1 - 1.2 * 0.040)),
    Claim(DEEP, "the same order at T = 196", "errors 1.0, 1.8, 5.0 % at T = 784",
          Beats("pixels", 196, ("indrnn-6", "lstm", "irnn")), own="14 x 14 pixels, five epochs"),
    Claim(DEEP, "a character costs fewer bits than with RNN and LSTM", "1.23, 1.55, 1.36 bits, Penn Treebank",
          Beats("characters", 500, ("indrnn-2", "rnn", "lstm")), own="tiny Shakespeare, two layers, 50,000 numbers"),
    Claim(DEEP, "perplexity of words", "56.37, Penn Treebank", note="its text may not be passed on"),
    Claim(DEEP, "six layers beat the LSTM at skeletons", "81.8, 59.1 %, NTU RGB+D",
          Beats("skeletons", 20, ("indrnn-6", "lstm")), own="UI-PRMD, ten movements, split by person"),
    Claim(DEEP, "one layer is faster than an LSTM", "4.3, 7.6, 12.9 times at T = 256, 512, 1024, on a GPU",
          note="needs a GPU; on a processor: bench-lengths.json"),
    Claim(DURNN, "more than 5,000 steps: adding", "no number", Solves("adding", 5000, ("durnn",)), own=READING),
    Claim(DURNN, "more than 5,000 steps: delayed XOR", "no number",
          Solves("delayed-xor", 5000, ("durnn",), staged=True), own=f"{READING}; our task; by a curriculum"),
    Claim(DURNN, "short sequences too: delayed XOR at T = 30", "no number",
          Solves("delayed-xor", 30, ("durnn",)), own=f"{READING}; our task"),
    Claim(DURNN, "short sequences too: pixels, against RNN and LSTM", "no number",
          Beats("pixels", 196, ("durnn", "rnn", "lstm")), own=f"{READING}; 14 x 14 pixels, five epochs"),
    Claim(QUEUES, "what-if questions are answered by a model learned from traces: five stations",
          "\"high predictive power\", no number read",
          Foresees("queues", 100, ("queueing",), within=5.0), own="random networks, simulated; 5 % is our mark"),
    Claim(QUEUES, "the same: three stations", "\"high predictive power\", no number read",
          Foresees("queues-3", 100, ("queueing",), within=5.0), own="random networks, simulated; 5 % is our mark"),
)
HEAD = ("paper", "claim", "the paper's", "ours", "trained numbers", "hardware", "verdict", "ours in it")


def ledger(records, claims=CLAIMS):
    """What records show of claims  ->  a row of texts for every claim, as HEAD names them."""
    return [_row(claim, _asked(records, claim.by)) for claim in claims]


def as_markdown(rows):
    """The rows of a ledger as a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ("---",) * len(HEAD), *rows))


def as_text(rows):
    """The rows of a ledger, three lines each, for a terminal."""
    lines = []
    for paper, says, theirs, ours, sizes, hardware, verdict, own in rows:
        where = "" if sizes == "-" else f" ({sizes} trained numbers; {hardware})"
        lines += [f"{paper}: {says}", f"    paper: {theirs}; ours: {ours}{where}"]
        lines += [f"    {verdict}" + ("" if own == "-" else f"; {own}")]
    return "\n".join(lines)


def _row(claim, found):
    ours, verdict = claim.by.judge(found) if found else ("-", "not attempted")
    if claim.own and verdict == "replicated":
        verdict = "trend only"
    hardware = "; ".join(sorted({record.machine["hardware"] for record in found}))
    sizes = _span([record.parameters for record in found]) if found else "-"
    return claim.paper, claim.says, claim.theirs, ours, sizes, hardware or "-", verdict, claim.own or claim.note or "-"


def _asked(records, by):
    """The records that a rule speaks of."""
    return [] if by is None else [
        record for record in records
        if (record.trial["experiment"], record.trial["length"]) == (by.experiment, by.length)
        and record.trial["model"] in by.models and bool(record.trial["stages"]) == by.staged]


def _updates(records):
    """How many updates the chosen rates took, in words."""
    return f"{_span([chosen_run(record).updates for record in records])} updates"


def _span(counts):
    """The least and the greatest of some counts, in words; one number where they are equal."""
    return " to ".join(dict.fromkeys(f"{count:,}" for count in (min(counts), max(counts))))
