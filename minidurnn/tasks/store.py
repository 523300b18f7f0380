"""Where data files come from: the package, a folder, a cache, a public address. And how MNIST's format is read."""

import gzip
import hashlib
import os
import zlib
from collections import namedtuple
from functools import lru_cache
from math import prod
from pathlib import Path
from tempfile import mkstemp
from time import perf_counter

import numpy as np
from tqdm import tqdm

from ..arrays.checks import check_choice

FOLDER = "MINIDURNN_DATA"                                     # environment variable: a folder that holds full data sets
CACHE = "MINIDURNN_CACHE"                                     # environment variable: where downloads are kept, instead of the user's cache
TIMEOUT = 20.0                                                # seconds without a word from a server before the next one is asked
SLOWEST = 2000                                                # bytes a second: a server that stays below is given up as well
LARGEST = 2**28                                               # bytes of an IDX file unpacked; MNIST's largest has 47 million

MNIST = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt"
SUNSPOTS = "https://raw.githubusercontent.com/statsmodels/statsmodels/82c59e378bdfb5ae324006c477954879ad3e24be/statsmodels/datasets/sunspots/sunspots.csv"

File = namedtuple("File", "size sha256 addresses", defaults=[()])


def _mnist(name, size, sha256):
    return {name: File(size, sha256, tuple(folder + name for folder in MNIST))}


FILES = {
    **_mnist("train-images-idx3-ubyte.gz", 9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    **_mnist("train-labels-idx1-ubyte.gz", 28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
    **_mnist("t10k-images-idx3-ubyte.gz", 1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    **_mnist("t10k-labels-idx1-ubyte.gz", 4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "tinyshakespeare.txt": File(1115394, "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed", (SHAKESPEARE,)),
    "sunspots_yearly.csv": File(2944, "f67889b1d9002cd5227f0e0ef54e35b419cdd85a31279adef6f73fb41e5c0a9b", (SUNSPOTS,)),
    "co2_mauna_loa_monthly.csv": File(37561, "f801ba6c01a2740105c5c7338cd6f5b6aac73e06ad6c82f4f275ece7f45664ac"),
    "ui_prmd_kinect.npz": File(12288399, "aaf16df93548340fb5e994860119b7164ed57a3860688777467128f296199292"),
}


def find(name):
    """The path of a full data file, its SHA-256 verified.

    Looks in the folder MINIDURNN_DATA, then in the cache (MINIDURNN_CACHE, else the user's own), then at the public
    addresses, one after the other; what comes from there is put into the cache, whole or not at all.
    Raises   ValueError for an unknown name, or where the folder has another file of that name;
             FileNotFoundError with what was tried and the ways out.
    """
    check_choice("name", name, tuple(FILES))
    file, folder = FILES[name], os.environ.get(FOLDER)
    path = Path(folder or ".", name).expanduser()
    if folder and path.is_file():
        if wrong := fault(path, file):
            where = " or ".join(file.addresses) or "no public address has it"
            raise ValueError(f"{path} {wrong}: it is damaged or another file; put the right one there ({where}), or unset {FOLDER} and use the shipped sample (source=\"sample\").")
        return path
    tried = [f"it is not in {folder}" if folder else f"{FOLDER} is not set"]
    path = cache() / name
    if path.is_file():
        if not (wrong := fault(path, file)):
            return path
        path.unlink()                                         # a damaged copy serves nobody
        tried.append(f"the copy in {path.parent} {wrong} and was removed")
    else:
        tried.append(f"it is not in {path.parent}")
    for address in file.addresses:
        try:
            return download(address, path, file)
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None):                 # the disk's; what requests raises has no number
                raise OSError(f"the data file {name} cannot be kept in {path.parent} ({error.strerror}): set {CACHE} to a folder that can be written.") from error
            tried.append(f"{address} {_reason(error)}")
    if not file.addresses:
        tried.append("no public address has it")
    again = "run this again with a network, " if file.addresses else ""
    raise FileNotFoundError(f"the data file {name} was not found ({'; '.join(tried)}): {again}put it into a folder and set {FOLDER} to that folder, or use the shipped sample (source=\"sample\").")


def cache():
    """The folder where downloads are kept."""
    import pooch

    return Path(os.environ.get(CACHE) or pooch.os_cache("minidurnn")).expanduser()


def fault(path, file):
    """What is wrong with the bytes at a path  ->  a clause, or "" where they are those of `file`."""
    found = path.stat()
    if found.st_size != file.size:
        return f"has {found.st_size:,} bytes, expected {file.size:,}"
    digest = _sha256(path, found.st_mtime_ns)
    return "" if digest == file.sha256 else f"has the SHA-256 {digest}, expected {file.sha256}"


@lru_cache(maxsize=64)                                        # once per process and version of the file
def _sha256(path, mtime):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download(address, path, file):
    """Fetch a file under another name; only when it is whole and verified is it renamed to `path`  ->  path.

    Raises   OSError of the network (a requests exception) or of the disk, ValueError for other bytes than those of `file`.
    """
    import pooch

    path.parent.mkdir(parents=True, exist_ok=True)
    number, unfinished = mkstemp(".part", f"{path.name}.", path.parent)
    unfinished = Path(unfinished)
    try:
        with open(number, "wb") as stream, tqdm(total=file.size, desc=f"downloading {path.name}", unit="B", unit_scale=True) as bar:
            get = pooch.HTTPDownloader(timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
            get(address, Meter(stream, bar, file.size, perf_counter()), None)
        if wrong := fault(unfinished, file):
            raise ValueError(f"sent a file that {wrong}")
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


class Meter(namedtuple("Meter", "stream bar size start")):
    """A file that is being filled: shows how far, and refuses too many bytes and too slow a server."""

    def write(self, part):
        """Take the bytes that came.    Raises ValueError."""
        self.stream.write(part)
        self.bar.update(len(part))
        came, seconds = self.stream.tell(), perf_counter() - self.start
        if came > self.size:
            raise ValueError(f"sent more than the expected {self.size:,} bytes")
        if seconds > TIMEOUT and came < SLOWEST * seconds:
            raise ValueError(f"was too slow ({came:,} bytes in {seconds:.0f} s)")

    def flush(self):
        """Nothing to do: the stream is flushed when it is closed."""


def _reason(error):
    """Why a download failed, in a few words."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"answered {response.status_code}"
    if isinstance(error, ValueError):
        return str(error)
    if "timed out" in str(error):
        return f"said nothing for {TIMEOUT:g} s"
    return "broke off" if "Connection broken" in str(error) else f"could not be reached ({type(error).__name__})"


def shipped(name):
    """The path of a sample that is part of the package."""
    return Path(__file__).parent / "samples" / name


def sample(name):
    """The arrays of a shipped sample, an npz file  ->  dict."""
    with np.load(shipped(name), allow_pickle=False) as arrays:
        return dict(arrays)


def read_idx(path):
    """An IDX file, gzipped or not, of unsigned bytes  ->  uint8 array. Unpacks at most one byte more than the header announces.

    Raises   ValueError that names the file and what is wrong with it.
    """
    path = Path(path)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            head = file.read(4)
            axes = head[3] if len(head) == 4 and head[:3] == b"\x00\x00\x08" else 0
            sizes = file.read(4 * axes)
            if not 1 <= axes <= 4 or len(sizes) < 4 * axes:
                raise ValueError(f"{path} begins with {(head + sizes)[:20].hex(' ') or 'nothing'}: expected an IDX file of unsigned bytes, 00 00 08, the number of axes (1 to 4) and their sizes; get it again.")
            shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
            if prod(shape) > LARGEST:
                raise ValueError(f"{path} announces the sizes {shape} in its header, {prod(shape):,} bytes: expected at most {LARGEST:,}; get it again.")
            raw = file.read(prod(shape) + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} is damaged ({error}): expected a whole gzip file; get it again.") from error
    if len(raw) != prod(shape):
        given = f"{4 + 4 * axes + len(raw)} bytes" if len(raw) < prod(shape) else "more"
        raise ValueError(f"{path} holds {given}: expected {4 + 4 * axes + prod(shape)} bytes for the sizes {shape} in its header; get it again.")
    return np.frombuffer(raw, np.uint8).reshape(shape)


def read_digits(images, labels):
    """Two IDX files  ->  images (N, 28, 28), labels (N,) in 0 ... 9.    Raises ValueError as read_idx does."""
    pictures, digits = read_idx(images), read_idx(labels)
    if pictures.ndim != 3 or pictures.shape[1:] != (28, 28) or len(pictures) == 0:
        raise ValueError(f"{images} holds an array of shape {pictures.shape}: expected (N, 28, 28) images; get it again.")
    if digits.shape != pictures.shape[:1]:
        raise ValueError(f"{labels} holds labels of shape {digits.shape} for {len(pictures)} images: expected one label each; take both files of one set.")
    if digits.max() > 9:
        wrong = int((digits > 9).argmax())
        raise ValueError(f"{labels} has the label {digits[wrong]} at index {wrong}: expected 0 ... 9; get it again.")
    return pictures, digits
