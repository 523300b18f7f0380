"""The manual of the command line: every command and option, and what may be given for it."""

import argparse
from pathlib import Path

from . import __version__, bench
from .experiments import EXPERIMENTS, FIRST
from .networks import MODELS, TRANSLATORS

SPEED = "speed"                                               # not trained but timed, by bench
CODES = ("exit codes: 0 done, 1 a trial diverged (all others were finished), 2 wrong input, or a file that cannot be "
         "read or written, 3 anything else went wrong, such as too little memory, 130 stopped by Ctrl-C (continue with "
         "--resume), 141 nobody read the output to its end")
EXAMPLES = """examples:
  minidurnn replicate --quick                                 the first experiments in small, in some minutes
  minidurnn replicate adding --lengths 500 --models durnn     one model at one of the papers' lengths
  minidurnn replicate adding --lengths 500 --models durnn --resume      go on after Ctrl-C or a power cut
  minidurnn replicate adding --dask tcp://host:8786 --out /shared/results      on all workers of a dask scheduler

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
    add("--dask", metavar="ADDRESS",
        help="train at the workers of the dask scheduler at this address, such as tcp://host:8786, instead; --out must "
             "be a folder that they all see (needs minidurnn[sweep] there and here)")
    add("--resume", action="store_true",
        help="continue unfinished runs from their checkpoints, bit for bit on the same machine")
    add("--out", type=Path, default=Path("minidurnn-results"), metavar="DIR",
        help="folder for records, figures and checkpoints (default: %(default)s)")


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
