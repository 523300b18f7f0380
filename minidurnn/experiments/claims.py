"""The ledger: what the papers claim, what our records show of it, and a verdict by a rule that was written before."""

from collections import namedtuple
from dataclasses import dataclass

from .rules import VERDICTS, Beats, Fails, Falls, Foresees, Ordered, Reads, Scores, Solves, span
from .shares import Keeps, Leads

__all__ = [
    "CLAIMS", "HEAD", "VERDICTS", "Beats", "Claim", "Fails", "Falls", "Foresees", "Keeps", "Leads", "Ordered", "Reads",
    "Row", "Scores", "Solves",
    "as_markdown", "as_text", "asked", "ledger",
]


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
FSMN = "FSMN (2015)"
SIZES = "tiny Shakespeare, 50 steps with no state carried, 300 updates"
SCALES = "Gates as time scales (2021), abstract"
QUEUES = "Queueing networks (2020), abstract"
READING = "our reading of the architecture"
COMPACT = "Compact recurrent networks (2016)"
PLAYS = "100,000 characters of tiny Shakespeare, two LSTM layers, 250 updates"
GILR = "Parallel linear recurrences (2018)"
RECURRENT = "Recurrent attention (2016), abstract"
BRIEF = "17,000 numbers, one epoch"
WORDWISE = ("attention-memory", "attention")
SMALL = "one layer of 8 units where theirs are two of 64 to 512, their first vector as symbols"
CLAIMS = (
    Claim(INDRNN, "two layers solve adding at T = 1000", "MSE near 0", Solves("adding", 1000, ("indrnn-2",))),
    Claim(INDRNN, "two layers solve adding at T = 5000", "MSE near 0 after about 20,000 updates (read off the plot)",
          Solves("adding", 5000, ("indrnn-2",))),
    Claim(INDRNN, "LSTM stays at the baseline at T = 1000", "MSE 0.167",
          Fails("adding", 1000, ("lstm", "lstm-chrono"))),
    Claim(INDRNN, "IRNN stays at the baseline at T = 1000", "MSE 0.167", Fails("adding", 1000, ("irnn",))),
    Claim(DEEP, "six layers read digits better than LSTM and IRNN, T = 784", "errors 1.0, 1.8, 5.0 %",
          Beats("pixels", 784, ("indrnn-6", "lstm", "irnn"), within=1 - 1.2 * 0.010), own=BRIEF),
    Claim(DEEP, "and with permuted pixels", "errors 4.0, 12, 18 %",
          Beats("permuted-pixels", 784, ("indrnn-6", "lstm", "irnn"), within=1 - 1.2 * 0.040), own=BRIEF),
    Claim(DEEP, "the same order at T = 196", "errors 1.0, 1.8, 5.0 % at T = 784",
          Beats("pixels", 196, ("indrnn-6", "lstm", "irnn")), own="14 x 14 pixels, five epochs"),
    Claim(DEEP, "a character costs fewer bits than with RNN and LSTM", "1.23, 1.55, 1.36 bits, Penn Treebank",
          Beats("characters", 500, ("indrnn-2", "rnn", "lstm")), own="tiny Shakespeare, two layers, 50,000 numbers"),
    Claim(DEEP, "perplexity of words", "56.37, Penn Treebank", note="its text may not be passed on"),
    Claim(DEEP, "six layers beat the LSTM at skeletons", "81.8, 59.1 %, NTU RGB+D",
          Beats("skeletons", 20, ("indrnn-6", "lstm")), own="UI-PRMD, ten movements, split by person"),
    Claim(DEEP, "one layer is faster than an LSTM", "4.3, 7.6, 12.9 times at T = 256, 512, 1024, on a GPU",
          note="needs a GPU; on a processor: bench-lengths.json"),
    Claim(DEEP, "better than the Transformer: characters", "no number",
          Beats("characters", 50, ("indrnn-2-any", "transformer")), own=f"{SIZES}, two layers, 20,000 numbers"),
    Claim(DEEP, "better than the Transformer: words", "no number",
          Beats("words", 50, ("indrnn-2-any", "transformer")), own=f"{SIZES}, 500 words, two layers, 50,000 numbers"),
    *(Claim(DEEP, f"better than the Transformer: {what}", "no number", Beats(experiment, length, (ours, "transformer")),
            own=f"17,000 numbers, {done}")
      for what, experiment, length, ours, done in (
          ("pixels", "pixels", 196, "indrnn-6", "14 x 14 pixels, five epochs"),
          ("permuted pixels", "permuted-pixels", 196, "indrnn-6", "14 x 14 pixels, five epochs"),
          ("adding", "adding", 100, "indrnn-2", "our task for it, at most 6,000 updates"))),
    Claim(FSMN, "words: ahead of LSTM, RNN and feed-forward network, in this order",
          "perplexity 101 to 102, 105, 123, 131, Penn Treebank",
          Ordered("words", 50, ("fsmn", "lstm", "rnn", "window-2")),
          own=f"{SIZES}, 500 words, 50,000 numbers; the feed-forward network reads two words"),
    Claim(FSMN, "the same order where it is not claimed: characters", "no number",
          Ordered("characters", 50, ("fsmn", "lstm", "rnn", "window-2")),
          own=f"our task: {SIZES}, 20,000 numbers; the feed-forward network reads two characters"),
    Claim(FSMN, "three times faster than a bidirectional LSTM", "about 3 times per epoch",
          note="no bidirectional LSTM here"),
    Claim(DURNN, "more than 5,000 steps: adding", "no number", Solves("adding", 5000, ("durnn",)), own=READING),
    Claim(DURNN, "more than 5,000 steps: delayed XOR", "no number",
          Solves("delayed-xor", 5000, ("durnn",), staged=True), own=f"{READING}; our task; by a curriculum"),
    Claim(DURNN, "short sequences too: delayed XOR at T = 30", "no number",
          Solves("delayed-xor", 30, ("durnn",)), own=f"{READING}; our task"),
    Claim(DURNN, "short sequences too: pixels, against RNN and LSTM", "no number",
          Beats("pixels", 196, ("durnn", "rnn", "lstm")), own=f"{READING}; 14 x 14 pixels, five epochs"),
    Claim(SCALES, "at the start the gradient on the state of existing RNNs falls exponentially", "no number",
          Falls("time-scales", 50, ("lstm", "gru")), own="our measure of it; adding, T = 50"),
    Claim(SCALES, "then the forget gate is the state's time scale", "no number",
          Reads("time-scales", 50, ("lstm", "gru")), own="our derivation: the mean of log f; adding, T = 50"),
    *(Claim(SCALES, f"a longer time scale than that of existing RNNs helps with real data: {what}", "no number",
            Beats(experiment, length, ("lstm-floor", "lstm", "gru")), own="our construction, data and sizes")
      for what, experiment, length in (
          ("sunspots", "time-scales-sunspots", 48), ("carbon dioxide", "time-scales-co2", 48),
          ("pixels", "time-scales-pixels", 196), ("characters", "time-scales-characters", 50),
          ("skeletons", "time-scales-skeletons", 20))),
    Claim(GILR, "a GILR-LSTM learns a dependency of 1,048,576 steps", "14,000 updates, 9.7 hours on a K80",
          Solves("first-vector", 1_048_576, ("gilr-lstm-chrono",), staged=True),
          own=f"{SMALL}; by a curriculum from 64 steps, with the chrono start"),
    Claim(GILR, "an LSTM does not at that length", "no convergence after several days",
          note="by our loop an update would take minutes; at shorter lengths: lesson 18"),
    Claim(GILR, "a GILR-LSTM learns 1,024 steps from scratch", "550 updates",
          Solves("first-vector", 1024, ("gilr-lstm-chrono",)), own=f"{SMALL}; the chrono start"),
    Claim(GILR, "so does an LSTM", "1,000 updates",
          Solves("first-vector", 1024, ("lstm-chrono",)), own=f"{SMALL}; the chrono start"),
    Claim(GILR, "the parallel kernel is faster than the serial one", "up to 41.8 times at 65,536 steps, on a GPU",
          note="needs a GPU; three phases against the loop on a processor: lesson 18"),
    Claim(GILR, "a GILR-LSTM is faster than the cuDNN LSTM", "9.0 times by wall time at 1,024 steps, on a GPU",
          note="needs a GPU; on a processor: the seconds in our records, lesson 18"),
    Claim(COMPACT, "75 % fewer numbers at little loss: Toeplitz-like at the bottom, projections above",
          "word error 33.1 to 33.4 %, five LSTM layers, voice search",
          Keeps("compact", 25, ("lstm-two-hybrid", "lstm-two"), 0.25, 1.02),
          own=f"{PLAYS}; at most 2 % more bits is our mark, twice their 0.9 %"),
    Claim(COMPACT, "74 % fewer numbers by shared projections alone", "word error 33.1 to 33.6 %",
          Keeps("compact", 25, ("lstm-two-projection", "lstm-two"), 0.25, 1.03),
          own=f"{PLAYS}; at most 3 % more bits is our mark, twice their 1.5 %"),
    Claim(COMPACT, "of equal size Toeplitz-like is better than low rank", "word error 48.4 to 54.6 %, three RNN layers",
          Leads("compact", 25, ("lstm-two-toeplitz", "lstm-two-low-rank", "lstm-two"), (0.5, 0.25, 0.1)),
          own=f"{PLAYS}, where theirs are RNNs; at a half, a quarter and a tenth of the numbers"),
    Claim(QUEUES, "what-if questions are answered by a model learned from traces: five stations",
          "\"high predictive power\", no number read",
          Foresees("queues", 100, ("queueing",), within=5.0), own="random networks, simulated; 5 % is our mark"),
    Claim(RECURRENT, "a recurrent network for each source word captures fertility", "no number",
          Scores("translation-copies", 8, WORDWISE, lower=("repeated 1", "dropped 1")),
          own=f"{READING}; our task and count of words; 6,000 numbers, 500 updates"),
    Claim(RECURRENT, "and relative distortion", "no number",
          Scores("translation-copies", 8, WORDWISE, lower=("misaligned",)),
          own=f"{READING}; our task and measure; 6,000 numbers, 500 updates"),
    Claim(RECURRENT, "and translation improves", "no number",
          Scores("translation", 8, WORDWISE, higher=("BLEU 5", "chrF 5")),
          own=f"{READING}; English to Swedish, 5,374 short pairs; 120,000 numbers, 800 updates"),
    Claim(QUEUES, "the same: three stations", "\"high predictive power\", no number read",
          Foresees("queues-3", 100, ("queueing",), within=5.0), own="random networks, simulated; 5 % is our mark"),
)
Row = namedtuple("Row", "paper says theirs ours numbers hardware verdict own")    # texts, "-" where there is none
HEAD = ("paper", "claim", "the paper's", "ours", "trained numbers", "hardware", "verdict", "ours in it")


def ledger(records, claims=CLAIMS):
    """What records show of claims  ->  a Row for every claim."""
    return [_row(claim, asked(records, claim.by)) for claim in claims]


def asked(records, by):
    """The records that a rule speaks of; none where there is no rule."""
    return [] if by is None else [
        record for record in records
        if (record.trial["experiment"], record.trial["length"]) == (by.experiment, by.length)
        and record.trial["model"] in by.models and bool(record.trial["stages"]) == by.staged]


def as_markdown(rows):
    """The rows of a ledger as a table in Markdown."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (HEAD, ("---",) * len(HEAD), *rows))


def as_text(rows):
    """The rows of a ledger, three lines each, for a terminal."""
    lines = []
    for row in rows:
        where = "" if row.numbers == "-" else f" ({row.numbers} trained numbers; {row.hardware})"
        lines += [f"{row.paper}: {row.says}", f"    paper: {row.theirs}; ours: {row.ours}{where}"]
        lines += [f"    {row.verdict}" + ("" if row.own == "-" else f"; {row.own}")]
    return "\n".join(lines)


def _row(claim, found):
    ours, verdict = claim.by.judge(found) if found else ("-", "not attempted")
    if claim.own and verdict == "replicated":
        verdict = "trend only"
    hardware = "; ".join(sorted({record.machine["hardware"] for record in found}))
    numbers = span([record.parameters for record in found]) if found else "-"
    own = claim.own or claim.note or "-"
    return Row(claim.paper, claim.says, claim.theirs, ours, numbers, hardware or "-", verdict, own)
