"""Where data files come from, and how the IDX format is read."""

import gzip
import os
import zlib
from importlib import resources
from pathlib import Path

import numpy as np

FOLDER = "MINIDURNN_DATA"                                     # environment variable: a folder that holds full data sets


def find(name):
    """The path of a full data file.

    Raises   FileNotFoundError with the ways to get it.
    """
    folder = os.environ.get(FOLDER)
    path = Path(folder) / name if folder else None
    if path is not None and path.is_file():
        return path
    looked = f"it is not in {folder}" if folder else f"{FOLDER} is not set"
    raise FileNotFoundError(f"the data file {name} was not found ({looked}): put it into a folder and set {FOLDER} to that folder, or use the shipped sample (source=\"sample\").")


def sample(name):
    """The arrays of a shipped sample, an npz file  ->  dict."""
    with (resources.files(__package__) / "samples" / name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def read_idx(path):
    """An IDX file, gzipped or not, of unsigned bytes  ->  uint8 array.

    Raises   ValueError that names the file and what is wrong with it.
    """
    path = Path(path)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            raw = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged ({error}): expected a whole gzip file; get it again.") from error
    if len(raw) < 4 or raw[:3] != b"\x00\x00\x08" or len(raw) < 4 + 4 * raw[3]:
        raise ValueError(f"{path} begins with {raw[:4].hex(' ') or 'nothing'}: expected an IDX file of unsigned bytes, 00 00 08 and the number of axes; get it again.")
    sizes = np.frombuffer(raw, ">u4", raw[3], offset=4).astype(int)
    expected = 4 + 4 * raw[3] + int(sizes.prod())
    if len(raw) != expected:
        raise ValueError(f"{path} holds {len(raw)} bytes: expected {expected} for the sizes {tuple(int(size) for size in sizes)} in its header; get it again.")
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(sizes)
