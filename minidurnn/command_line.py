"""The commands of minidurnn: replicate, list, ledger, lessons, bench."""

import argparse
import subprocess
import sys
from itertools import groupby
from pathlib import Path

from tqdm import tqdm

from . import __version__, bench, course
from .experiments import EXPERIMENTS, FIRST, run_trials
from .experiments.claims import as_text, ledger
from .experiments.sweep import default_workers
from .networks import MODELS, TRANSLATORS
from .records import chosen_run, read_records, table
from .training.files import check_writable

SPEED = "speed"                                               # not trained but timed, by bench
CODES = ("exit codes: 0 done, 1 a trial diverged (all others were finished), 2 wrong input, or a file that cannot be "
         "read or written, 3 anything else went wrong, such as too little memory, 130 stopped by Ctrl-C (continue with "
         "--resume), 141 nobody read the output to its end")
EXAMPLES = """examples:
  minidurnn replicate --quick                                 the first experiments in small, in some minutes
  minidurnn replicate adding --lengths 500 --models durnn     one model at one of the papers' lengths
  minidurnn replicate adding --lengths 500 --models durnn --resume      go on after Ctrl-C or a power cut

A finished trial is never trained again: its record in --out is read. Nothing is overwritten: a trial with other
options gets a file of its own.

"""
BENCH = ("Time and weigh the cells beside PyTorch and JAX, where installed, in one thread; "
         "every implementation is first checked against the others.")


def parser():
    """The manual, as argparse prints it."""
    top = argparse.ArgumentParser(
        prog="minidurnn", description="Train the course's recurrent networks and replicate its experiments.",
        epilog=f"minidurnn COMMAND --help explains the options of a command; {CODES}",
    )
    version = f"minidurnn {__version__}"
    top.add_argument("--version", action="version", version=version, help="print the version and end")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_replicate(commands.add_parser(
        "replicate", help="train models on experiments and print a table for each",
        formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES + CODES,
        description="Train models on experiments; print a table for each, and write records (JSON) and, "
                    "where matplotlib is, figures.",
    ))
    listed = "the experiments, their questions, lengths and models"
    commands.add_parser("list", help=f"name {listed}", description=f"Name {listed}.")
    recorded = commands.add_parser(
        "ledger", help="print the papers' claims with verdicts, and the tables of recorded runs",
        description="Print what the records in a folder show of the papers' claims, with a verdict by rule, and their "
                    "tables: all experiments, lengths, models and seeds.",
    )
    where = "the folder (default: the course's own records; `replicate` writes to minidurnn-results unless told)"
    recorded.add_argument("--records", type=Path, metavar="DIR", help=where)
    copied = "copy the lessons of this version, with the records that they show, to a folder"
    commands.add_parser("lessons", help=copied, description=f"{copied.capitalize()}.").add_argument(
        "folder", type=Path, metavar="DIR", help="a new or an empty one; nothing is overwritten")
    bench.add_arguments(commands.add_parser(
        "bench", help="time and weigh the cells beside PyTorch and JAX", description=BENCH,
        epilog="exit codes: 0 measured, 1 two implementations disagree, 2 wrong input",
    ))
    return top


def _add_replicate(parser):
    """The options of `minidurnn replicate`."""
    def add(name, **options):
        parser.add_argument(name, **options)
    add("experiments", nargs="*", metavar="EXPERIMENT",
        help=f"which ones ({', '.join(EXPERIMENTS)}; or {SPEED}, alone); unless given, all but {SPEED}, and with "
             f"--quick {', '.join(FIRST)}")
    add("--quick", action="store_true", help="short sequences and few updates: minutes, no network, shipped data")
    add("--models", type=_words, metavar="A,B",
        help=f"which models ({', '.join((*MODELS, *TRANSLATORS))}); the experiment's own unless given")
    add("--seeds", type=_numbers, metavar="0,1", help="which seeds; the experiment's own unless given")
    add("--lengths", type=_numbers, metavar="100,500",
        help="which sequence lengths, in steps, of those that the experiment has (minidurnn list); all unless given")
    add("--backend", choices=("numpy", "cupy"), default="numpy",
        help="where to compute: on the processor, or on an NVIDIA GPU (default: %(default)s)")
    add("--workers", type=_count, metavar="N",
        help="trials that train at the same time, each in one thread, with the same numbers "
             "(default: one for each core, at most 2; on a GPU 1)")
    add("--resume", action="store_true",
        help="continue unfinished runs from their checkpoints, bit for bit on the same machine")
    add("--out", type=Path, default=Path("minidurnn-results"), metavar="DIR",
        help="folder for records, figures and checkpoints (default: %(default)s)")


def run(arguments=None):
    """Run one command  ->  exit code.    Raises ValueError, OSError for wrong input."""
    chosen = parser().parse_args(arguments)
    commands = {
        "replicate": replicate, "list": list_experiments, "ledger": print_ledger, "bench": bench.main,
        "lessons": lambda chosen: _say(course.copy(chosen.folder)) or 0,
    }
    return commands[chosen.command](chosen)


def replicate(chosen):
    """Train what was asked for, print a table and write records and a figure per experiment."""
    if SPEED in chosen.experiments:
        return _race(chosen)
    names = list(dict.fromkeys(chosen.experiments)) or list(FIRST if chosen.quick else EXPERIMENTS)
    _known("experiment", names, EXPERIMENTS)
    _known("model", chosen.models or (), (*MODELS, *TRANSLATORS))
    if chosen.backend == "cupy":
        from .arrays.backend import import_cupy

        import_cupy()
    asked = chosen.quick, chosen.models, chosen.seeds, chosen.lengths, chosen.backend
    trials = [trial for name in names for trial in EXPERIMENTS[name].trials(*asked)]
    _offered(chosen, names)
    for experiment, length, source in {(trial.experiment, trial.length, trial.source) for trial in trials}:
        EXPERIMENTS[experiment].task(length, source).baseline()       # missing data are found before any training
    for folder in (chosen.out, chosen.out / "runs"):
        check_writable(folder, f"the output folder {folder}", "give another one with --out")
    workers = chosen.workers or (1 if chosen.backend == "cupy" else default_workers())
    records, code = run_trials(trials, chosen.out, chosen.resume, workers), 0
    for name, group in groupby(trials, lambda trial: trial.experiment):
        _say(f"{name}: {EXPERIMENTS[name].question}")
        done = []
        for trial in group:
            _say(f"  {trial.model}, T = {trial.length}, seed {trial.seed}")
            done.append(next(records))
            if done[-1].verdict == "diverged":
                _say(f"minidurnn: {trial.name} diverged: {_divergence(done[-1])}.", sys.stderr)
                code = 1
        _say(f"\n{table(done)}")
        if EXPERIMENTS[name].report is not None:
            _say(EXPERIMENTS[name].report(done))
        for length in sorted({record.trial["length"] for record in done}):
            _say(_draw(name, length, chosen.out))
    next(records, None)                                       # the bar ends
    return code


def _race(chosen):
    """How long one IndRNN layer takes beside an LSTM, at the lengths of the deep IndRNN paper (quick: at its first)."""
    told = [chosen.models, chosen.seeds, chosen.lengths, chosen.workers, chosen.backend == "cupy"]
    if set(chosen.experiments) != {SPEED} or any(told):
        raise ValueError("speed was asked for with other experiments or options: expected it alone, or with --quick "
                         "and --out, for it needs the processor for itself; `minidurnn bench` has options.")
    record = chosen.out / ("speed-quick.json" if chosen.quick else "speed.json")
    if record.exists():
        bench.speed.show_record(record)
        _say(f"speed: measured before, in {record}; delete it to measure again.")
        return 0
    check_writable(chosen.out, f"the output folder {chosen.out}", "give another one with --out")
    lengths = "256" if chosen.quick else "256,512,1024"
    asked = ["bench", "--cells", "indrnn,lstm", "--lengths", lengths, "--rounds", "7", "--json", str(record)]
    return subprocess.run([sys.executable, "-m", "minidurnn", *asked]).returncode      # bench starts its process anew


def list_experiments(chosen):
    """Print the experiments and the models."""
    wide = max(map(len, EXPERIMENTS))
    for name, experiment in EXPERIMENTS.items():
        lengths = ", ".join(map(str, sorted({options["length"] for options in experiment.full})))
        print(f"{name:<{wide}}  {experiment.question}  T = {lengths} (quick: {experiment.quick['length']})")
    print(f"{SPEED:<{wide}}  How much faster than an LSTM is an IndRNN layer?  T = 256, 512, 1024 (quick: 256)")
    print(f"\nmodels: {', '.join((*MODELS, *TRANSLATORS))}")
    return 0


def print_ledger(chosen):
    """Print what all records in a folder show of the papers' claims, and their tables."""
    folder = chosen.records or course.folder() / "results"
    records = read_records(folder)
    if not records:
        found = "holds no records" if folder.exists() else "is not there"
        raise ValueError(f"the folder {folder} {found}: give the folder of some with --records, "
                         "or make them with `minidurnn replicate`.")
    print(f"{as_text(ledger(records))}\n\n{table(records)}")
    return 0


def _divergence(record):
    """What of a diverged trial is not finite, in words: every rate's run, the one that a pilot chose, or the test."""
    if record.chosen_rate is None:
        rates = ", ".join(f"{run.rate:g}" for run in record.runs)
        return f"with every rate tried ({rates}) a loss, gradient or weight became not finite"
    rate, pilot = f"{record.chosen_rate:g}", record.trial["pilot"]
    if chosen_run(record).diverged:
        return f"after {pilot} updates validation chose the rate {rate}, with which a loss, gradient or weight later " \
               "became not finite"
    return f"with the rate {rate}, which validation chose, the loss or the metric on the test set is not finite"


def _say(text, stream=None):
    """Print a line above the progress bar, where there is one."""
    tqdm.write(text, stream or sys.stdout)
    (stream or sys.stdout).flush()


def _draw(name, length, out):
    """A figure of all records of an experiment and length in a folder  ->  where it is, or why there is none.

    What was trained is paid for, so nothing that goes wrong in drawing ends the run.
    """
    path = out / f"{name}-T{length}.png"
    try:
        from .plots import training_curves

        asked = {"experiment": name, "length": length}
        training_curves([record for record in read_records(out) if record.trial.items() >= asked.items()], path)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            return f"no figure {path}: {error}"
        return "no figure: matplotlib is not installed (it comes with minidurnn[lessons])"
    except Exception as error:                                # matplotlib's are of many classes
        return f"no figure {path}: {' '.join(str(error).split()) or type(error).__name__}"
    return f"figure: {path}"


def _known(what, names, choices):
    for name in names:
        if name not in choices:
            known = ", ".join(choices)
            raise ValueError(f"unknown {what} {name!r}: expected one of {known}; `minidurnn list` explains them.")


def _offered(chosen, names):
    """Raise where a length was named that no trial has."""
    known = sorted({trial.length for name in names for trial in EXPERIMENTS[name].trials(chosen.quick)})
    for length in chosen.lengths or ():
        if length not in known:
            quick = " with --quick" if chosen.quick else ""
            raise ValueError(f"no trial has the length {length}{quick}: expected some of {', '.join(map(str, known))}.")


def _words(text):
    return tuple(dict.fromkeys(word.strip() for word in text.split(",")))


def _numbers(text):
    words = _words(text)
    if not all(word.isdecimal() and len(word) <= 4000 for word in words):      # Python reads no longer ones
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no list of whole numbers such as 0,1,2")
    return tuple(dict.fromkeys(int(word) for word in words))


def _count(text):
    if not text.isdecimal() or not 1 <= int(text[:9]) < 1000:
        raise argparse.ArgumentTypeError(f"{text[:80]!r} is no whole number from 1 to 999")
    return int(text)
