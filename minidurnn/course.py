"""The lessons of this version: where they are, and a copy of them in a folder of one's own."""

import shutil
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from . import __version__
from .training.files import check_writable

PARTS = ("*.ipynb", "notation.md", "results/*")               # what a lesson opens or links to
KNOWN = "notation.md"                                         # a file that only the folder of the lessons has


def folder():
    """The lessons: those of the checkout where this is one, else those that were installed with the package.

    Raises   FileNotFoundError where there are none.
    """
    checkout = Path(__file__).parents[1] / "lessons"
    if (checkout / KNOWN).exists():
        return checkout
    try:
        installed = distribution("minidurnn").files or ()
    except PackageNotFoundError:
        installed = ()
    for file in installed:
        if file.name == KNOWN and file.locate().exists():
            return Path(file.locate()).resolve().parent
    raise FileNotFoundError(
        "the lessons are not here: expected them beside the package or installed with it; install minidurnn again, or "
        "get its repository, where they are in lessons/.")


def copy(to):
    """Copy the lessons and the records that they show to a new or empty folder  ->  what to do next, in words.

    Raises   ValueError, OSError where the folder has something in it or cannot be written; nothing is overwritten.
    """
    source = folder()
    if to.exists() and not to.is_dir():
        raise ValueError(f"{to} is a file: expected a folder, new or empty.")
    if to.exists() and any(to.iterdir()):
        raise ValueError(f"the folder {to} is not empty: expected a new or an empty one; nothing is overwritten.")
    check_writable(to, f"the folder {to}", "give another one")
    for file in (file for part in PARTS for file in sorted(source.glob(part)) if file.is_file()):
        place = to / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    said = f"{len(list(to.glob('*.ipynb')))} lessons of minidurnn {__version__} are in {to}."
    if find_spec("jupyterlab") is None:
        said += "\nJupyter is not installed: pip install jupyterlab matplotlib ipywidgets"
    return f"{said}\nStart with 00:  jupyter lab {to}"
