"""Where data files come from: the package, a folder, a cache, a public address. And how their formats are read."""

import gzip
import hashlib
import os
import zlib
from collections import namedtuple
from math import prod
from pathlib import Path

import numpy as np

from ..arrays.checks import one_of

FOLDER = "MINIDURNN_DATA"                                     # environment variable: a folder with full data sets
CACHE = "MINIDURNN_CACHE"                                     # environment variable: a folder that keeps downloads
TIMEOUT = 20.0                                                # seconds without a word from a server: ask the next one

MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
GITHUB = "https://raw.githubusercontent.com/"
SHAKESPEARE = "karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"
SUNSPOTS = "statsmodels/statsmodels/82c59e378bdfb5ae324006c477954879ad3e24be/statsmodels/datasets/sunspots/sunspots.csv"

File = namedtuple("File", "sha256 addresses", defaults=[()])


def _mnist(name, sha256):
    return {name: File(sha256, tuple(folder + name for folder in MNIST))}


FILES = {
    **_mnist("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    **_mnist("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    **_mnist("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    **_mnist("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "tinyshakespeare.txt": File(
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", (GITHUB + SHAKESPEARE,)),
    "sunspots_yearly.csv": File(
        "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b", (GITHUB + SUNSPOTS,)),
    "co2_mauna_loa_monthly.csv": File("f801ba6c01a2740105c5c7338cd6f5b6aac73e06ad6c82f4f275ece7f45664ac"),
    "tatoeba_eng_swe.tsv.gz": File("c29a23d236951d11c0bd8950fc86eaf53534a94d3f75b8cae139c49faad50901"),
    "ui_prmd_kinect.npz": File("aaf16df93548340fb5e994860119b7164ed57a3860688777467128f296199292"),
}


def find(name):
    """The path of a full data file, its SHA-256 verified.

    Looks in the folder MINIDURNN_DATA, then in the cache (MINIDURNN_CACHE, else the user's own), then at the public
    addresses, one after the other; what comes from there is put into the cache, whole or not at all. A copy that cannot
    be read counts as missing.
    Raises   ValueError for an unknown name, or where the folder has another file of that name;
             FileNotFoundError with what was tried and the ways out; OSError where a download cannot be kept.
    """
    one_of(tuple(FILES))("name", name)
    file, folder, tried = FILES[name], os.environ.get(FOLDER), [f"{FOLDER} is not set"]
    if folder:
        path = Path(folder, name).expanduser()
        digest, missing = look(path)
        if digest == file.sha256:
            return path
        if digest:
            where = " or ".join(file.addresses) or "no public address has it"
            raise ValueError(
                f"{path} has the SHA-256 {digest}, expected {file.sha256}: it is damaged or another file; put the "
                f"right one there ({where}), or unset {FOLDER} and use the shipped sample (source=\"sample\").")
        tried = [missing]
    try:
        path = cache() / name
        digest, missing = look(path)
        if digest == file.sha256:
            return path
        tried.append(f"the copy in {path.parent} is damaged" if digest else missing)
        for address in file.addresses:
            if not (failed := download(address, path, file.sha256)):
                return path
            tried.append(f"{address} {failed}")
    except ImportError:
        tried.append("pooch, which knows the user's cache and downloads, is not installed")
    again = "run this again with a network, " if file.addresses else ""
    tried += [] if file.addresses else ["no public address has it"]
    raise FileNotFoundError(
        f"the data file {name} was not found ({'; '.join(tried)}): {again}put it into a folder and set {FOLDER} to "
        "that folder, or use the shipped sample (source=\"sample\").")


def supplied(name, what):
    """The path of a file that only its user can supply, in the folder MINIDURNN_DATA.

    what     what it is and where it comes from, for the message
    Raises   FileNotFoundError where the folder has none, or is not set.
    """
    folder = os.environ.get(FOLDER)
    path = Path(folder or "", name).expanduser()
    if not folder or not path.is_file():
        where = f"it is not in {path.parent}" if folder else f"{FOLDER} is not set"
        raise FileNotFoundError(f"{name} was not found ({where}): expected {what}; put it into a folder and set "
                                f"{FOLDER} to that folder.")
    return path


def look(path):
    """What is at a path  ->  its SHA-256 or "", a clause that says why where it is "": no file, or none to be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest(), ""
    except (FileNotFoundError, NotADirectoryError):
        return "", f"it is not in {path.parent}"
    except OSError as error:
        return "", f"the copy in {path.parent} cannot be read ({error.strerror})"


def cache():
    """The folder where downloads are kept.    Raises ImportError where only pooch knows it, and is not there."""
    if folder := os.environ.get(CACHE):
        return Path(folder).expanduser()
    import pooch

    return Path(pooch.os_cache("minidurnn"))


def download(address, path, sha256):
    """Fetch a file, verify it, and only then put it at `path`, for every user to read  ->  "", or what failed.

    Raises   OSError where the file cannot be kept, ImportError without pooch.
    """
    import pooch

    def fetch(address, unfinished, _):
        pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=True)(address, unfinished, None)
        os.chmod(unfinished, 0o644)                           # temporary files are their owner's alone, caches shared

    try:
        if path.exists() and not look(path)[0]:
            path.unlink()                                     # pooch would want to read it
        pooch.retrieve(address, f"sha256:{sha256}", path.name, path.parent, downloader=fetch)
    except ValueError:
        return "sent a damaged or another file (its SHA-256 differs)"
    except OSError as error:
        if error.errno is None:                               # from requests; the disk's errors have a number
            return _reason(error)
        raise OSError(
            f"the data file {path.name} cannot be kept in {path.parent} ({error.strerror}): "
            f"set {CACHE} to a folder that can be written.") from error
    return ""


def _reason(error):
    """Why a download failed, in a few words."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"answered {response.status_code}"
    if "timed out" in str(error):
        return f"said nothing for {TIMEOUT:g} s"
    return "broke off" if "Connection broken" in str(error) else f"could not be reached ({type(error).__name__})"


def shipped(name):
    """The path of a sample that is part of the package."""
    return Path(__file__).parent / "samples" / name


def read_npz(path):
    """The arrays of an npz file, shipped or found  ->  dict. No pickle is loaded."""
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def read_idx(path):
    """An IDX file, gzipped or not, of unsigned bytes  ->  uint8 array.

    Raises   ValueError that names the file and what is wrong with it, OSError where it cannot be read.
    """
    path = Path(path)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            raw = file.read()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged ({error}): expected a whole gzip file; get it again.") from error
    except OSError as error:
        raise type(error)(
            f"{path} cannot be read ({error.strerror}): expected an IDX file; check the path and who may read it."
        ) from error
    axes = raw[3] if len(raw) > 3 and raw[:3] == b"\x00\x00\x08" else 0
    head = 4 + 4 * axes
    if not 1 <= axes <= 4 or len(raw) < head:
        raise ValueError(
            f"{path} begins with {raw[:20].hex(' ') or 'nothing'}: expected an IDX file of unsigned bytes, 00 00 08, "
            "the number of axes (1 to 4) and their sizes; get it again.")
    sizes = tuple(int(size) for size in np.frombuffer(raw, ">u4", axes, offset=4))
    if len(raw) != head + prod(sizes):
        raise ValueError(
            f"{path} holds {len(raw)} bytes: expected {head + prod(sizes)} for the sizes {sizes} in its header; "
            "get it again.")
    return np.frombuffer(raw, np.uint8, offset=head).reshape(sizes)
