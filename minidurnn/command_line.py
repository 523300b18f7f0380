"""The commands of minidurnn: replicate, list, ledger, lessons, bench."""

import subprocess
import sys
from itertools import groupby

from tqdm import tqdm

from . import bench, course
from .experiments import EXPERIMENTS, FIRST, run_trials
from .experiments.claims import as_text, ledger
from .experiments.sweep import default_workers
from .manual import SPEED, parser
from .networks import MODELS, TRANSLATORS
from .records import chosen_run, read_records, table
from .training.files import check_writable


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
    if chosen.dask is not None and chosen.workers is not None:
        raise ValueError("--workers and --dask were both given: expected one, for with a scheduler as many trials "
                         "train as it has workers.")
    if chosen.backend == "cupy" and chosen.dask is None:      # the workers may have a GPU where this machine has none
        from .arrays.backend import import_cupy

        import_cupy()
    asked = chosen.quick, chosen.models, chosen.seeds, chosen.lengths, chosen.backend
    trials = [trial for name in names for trial in EXPERIMENTS[name].trials(*asked)]
    _offered(chosen, names)
    tasks = {trial: EXPERIMENTS[trial.experiment].task(trial.length, trial.source) for trial in trials}
    if chosen.experiments:
        for trial in trials:
            trial.check_fits(tasks[trial])
    else:                                                     # of all experiments, those of these models' kind
        trials = [trial for trial in trials if trial.fits(tasks[trial])]
    for task in {tasks[trial] for trial in trials}:
        task.baseline()                                       # missing data are found before any training
    for folder in (chosen.out, chosen.out / "runs"):
        check_writable(folder, f"the output folder {folder}", "give another one with --out")
    workers = chosen.workers or (1 if chosen.backend == "cupy" else default_workers())
    records, code = run_trials(trials, chosen.out, chosen.resume, workers, chosen.dask), 0
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
    told = [chosen.models, chosen.seeds, chosen.lengths, chosen.workers, chosen.dask, chosen.backend == "cupy"]
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
