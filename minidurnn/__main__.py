"""The command line: minidurnn replicate, list, ledger, bench."""

import argparse
import os
import sys
from pathlib import Path

from . import __version__, bench
from .experiments import EXPERIMENTS, MODELS, run_trial
from .records.machine import one_thread
from .records.record import read_records, table

CODES = "exit codes: 0 done, 1 a trial diverged with every rate (all others were finished), 2 wrong input, 130 stopped by Ctrl-C (continue with --resume)"
EXAMPLES = """examples:
  minidurnn replicate --quick                                 every experiment in small, in some minutes
  minidurnn replicate adding --lengths 500 --models durnn     one model at one of the papers' lengths
  minidurnn replicate adding --lengths 500 --models durnn --resume      go on after Ctrl-C or a power cut

A finished trial is never trained again: its record in --out is read. Nothing is overwritten: a trial with other
options gets a file of its own.

"""


def parser():
    """The manual, as argparse prints it."""
    top = argparse.ArgumentParser(
        prog="minidurnn", description="Train the course's recurrent networks and replicate its experiments.",
        epilog=f"minidurnn COMMAND --help explains the options of a command; {CODES}",
    )
    top.add_argument("--version", action="version", version=f"minidurnn {__version__}", help="print the version and end")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    replicate = commands.add_parser(
        "replicate", help="train models on experiments and print a table for each", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train models on experiments; print a table for each, and write records (JSON) and, where matplotlib is, figures.", epilog=EXAMPLES + CODES,
    )
    replicate.add_argument("experiments", nargs="*", metavar="EXPERIMENT", help=f"which ones ({', '.join(EXPERIMENTS)}); all unless given")
    replicate.add_argument("--quick", action="store_true", help="short sequences and few updates: minutes, no network, shipped data")
    replicate.add_argument("--models", type=_words, metavar="A,B", help=f"which of an experiment's models ({', '.join(MODELS)}); all unless given")
    replicate.add_argument("--seeds", type=_numbers, metavar="0,1", help="which seeds; the experiment's own unless given")
    replicate.add_argument("--lengths", type=_numbers, metavar="100,500", help="which sequence lengths, in steps, of those that the experiment has (minidurnn list); all unless given")
    replicate.add_argument("--backend", choices=("numpy", "cupy"), default="numpy", help="where to compute: on the processor, or on an NVIDIA GPU (default: %(default)s)")
    replicate.add_argument("--resume", action="store_true", help="continue unfinished runs from their checkpoints, bit for bit on the same machine")
    replicate.add_argument("--out", type=Path, default=Path("minidurnn-results"), metavar="DIR", help="folder for records, figures and checkpoints (default: %(default)s)")
    commands.add_parser("list", help="name the experiments, their questions, lengths and models", description="Name the experiments, their questions, lengths and models.")
    ledger = commands.add_parser("ledger", help="print the tables of recorded runs", description="Print the tables of the records in a folder: all experiments, lengths, models and seeds.")
    ledger.add_argument("--records", type=Path, default=Path("lessons/results"), metavar="DIR", help="the folder (default: %(default)s, the course's own)")
    bench.add_arguments(commands.add_parser(
        "bench", help="time and weigh the cells beside PyTorch and JAX", description="Time and weigh the cells beside PyTorch and JAX, where installed, in one thread; every implementation is first checked against the others.",
        epilog="exit codes: 0 measured, 1 two implementations disagree, 2 wrong input",
    ))
    return top


def main(arguments=None):
    """Run one command  ->  exit code."""
    chosen = parser().parse_args(arguments)
    try:
        return {"replicate": replicate, "list": list_experiments, "ledger": print_ledger, "bench": bench.main}[chosen.command](chosen)
    except (ValueError, RuntimeError, OSError) as error:
        print(f"minidurnn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nminidurnn: stopped; what was finished is kept, the same command with --resume continues", file=sys.stderr)
        return 130


def replicate(chosen):
    """Train what was asked for, print a table and write records and a figure per experiment."""
    names = list(dict.fromkeys(chosen.experiments)) or list(EXPERIMENTS)
    _known("experiment", names, EXPERIMENTS)
    _known("model", chosen.models or (), MODELS)
    if chosen.backend == "cupy":
        from .arrays.backend import import_cupy

        import_cupy()
    trials = {name: EXPERIMENTS[name].trials(chosen.quick, chosen.models, chosen.seeds, chosen.lengths, chosen.backend) for name in names}
    _offered(chosen, names, trials)
    for task in {trial.task for group in trials.values() for trial in group}:
        task.baseline()                                       # missing data are found before any training
    _writable(chosen.out)
    one_thread()
    code = 0
    for name in filter(trials.get, names):
        print(f"{name}: {EXPERIMENTS[name].question}", flush=True)
        records = []
        for trial in trials[name]:
            print(f"  {trial.model}, T = {trial.length}, seed {trial.seed}", flush=True)
            records.append(run_trial(trial, chosen.out, chosen.resume))
            if records[-1]["verdict"] == "diverged":
                print(f"minidurnn: {trial.name}: the loss is not finite, with none of the rates tried ({', '.join(f'{rate:g}' for rate in trial.rates)}).", file=sys.stderr)
                code = 1
        print(f"\n{table(records)}", flush=True)
        _draw(name, records, chosen.out)
    return code


def list_experiments(chosen):
    """Print the experiments and the models."""
    for name, experiment in EXPERIMENTS.items():
        lengths = ", ".join(str(length) for length in sorted({trial.length for trial in experiment.trials(quick=False)}))
        print(f"{name:<12} {experiment.question}  T = {lengths} (quick: {experiment.quick['length']})")
    print(f"\nmodels: {', '.join(MODELS)}")
    return 0


def print_ledger(chosen):
    """Print the tables of all records in a folder."""
    records = read_records(chosen.records)
    if not records:
        raise ValueError(f"{chosen.records} holds no records: give the folder of some with --records, or make them with `minidurnn replicate`.")
    print(table(records))
    return 0


def _draw(name, records, out):
    try:
        from .plots import training_curves
    except ImportError:
        print("no figure: matplotlib is not installed (it comes with minidurnn[lessons])")
        return
    for length in sorted({record["trial"]["length"] for record in records}):
        path = out / f"{name}-T{length}.png"
        training_curves([record for record in records if record["trial"]["length"] == length], path)
        print(f"figure: {path}")


def _known(what, names, choices):
    for name in names:
        if name not in choices:
            raise ValueError(f"unknown {what} {name!r}: expected one of {', '.join(choices)}; `minidurnn list` explains them.")


def _offered(chosen, names, trials):
    """Raise where a length or model was named that no trial has."""
    offered = [trial for name in names for trial in EXPERIMENTS[name].trials(chosen.quick)]
    lengths, models = sorted({trial.length for trial in offered}), list(dict.fromkeys(trial.model for trial in offered))
    for what, asked, known in (("length", chosen.lengths, lengths), ("model", chosen.models, models)):
        for choice in asked or ():
            if choice not in known:
                raise ValueError(f"no trial has the {what} {choice}{' with --quick' if chosen.quick else ''}: expected some of {', '.join(map(str, known))}.")
    if not any(trials.values()):
        raise ValueError("no trial has these lengths and models together: give fewer options; `minidurnn list` names the lengths.")


def _writable(folder):
    """Raise before any training where records could not be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OSError(f"the output folder {folder} cannot be written ({error.strerror}): give another one with --out.") from error


def _words(text):
    return tuple(dict.fromkeys(word.strip() for word in text.split(",")))


def _numbers(text):
    words = _words(text)
    if not all(word.isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers such as 0,1,2")
    return tuple(dict.fromkeys(int(word) for word in words))


if __name__ == "__main__":
    sys.exit(main())
