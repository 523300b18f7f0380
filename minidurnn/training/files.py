"""Files that are written whole or not at all, and one owner for each that several processes may want."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

WAYS_OUT = "make room, or give a folder that can be written"
UNFINISHED = ".unfinished-"


@contextmanager
def whole(path, what, new=False):
    """A binary file to write to, which gets its name when the block ends. Where the block raises, nothing is left.

    what     what is being written, for the message: "checkpoint"
    new      whether a file of this name must not be there yet; otherwise the old one is replaced
    Raises   FileExistsError where `new` was asked for and the name is taken, by whomever; any other OSError says what
             was being written, where, and what to do.
    """
    path = Path(path)
    unfinished = path.with_name(f"{UNFINISHED}{path.name}-{token_hex(8)}")      # a name that no other process has
    try:
        with _told(f"the {what} {path} cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(unfinished, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())                       # on the disk before the name points to it
            free = _named(unfinished, path, new)
    finally:
        _removed(unfinished)
    if not free:
        raise FileExistsError(f"the {what} {path} exists: expected a new name; nothing is overwritten.")


def check_writable(folder, what, do):
    """Raise OSError, before any work is done for it, where a folder cannot be made or no file be written there.

    what, do   what cannot be written then, and what to do, for the message
    """
    from tempfile import TemporaryFile

    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(f"{what} cannot be written ({error.strerror}): {do}.") from error


@contextmanager
def owner(path, wait=False):
    """Be the only process that works on a file, from here to the end of the block; a killed process owns nothing.

    wait     whether to wait until another process is done
    Raises   BlockingIOError where another process owns it; any other OSError as in `whole`.
    Beside the file stands PATH.lock, which is empty and stays. What killed owners left unfinished is cleared away, so a
    file that has owners is written by its owner only.
    """
    path = Path(path)
    lock = _locked(path, wait)
    try:
        clear(path)
        yield
    finally:
        lock.release()


def clear(path):
    """Remove what killed writers of this file left unfinished. Only who owns the file, or all that write it, may."""
    path = Path(path)
    for other in path.parent.iterdir():
        if other.name.rpartition("-")[0] == f"{UNFINISHED}{path.name}":
            _removed(other)


def _locked(path, wait):
    """The lock beside a file, taken  ->  FileLock."""
    from filelock import FileLock, Timeout

    lock = FileLock(f"{path}.lock", timeout=-1 if wait else 0)
    with _told(f"{path} cannot be claimed with a file beside it, {path.name}.lock"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout as error:
            raise BlockingIOError(f"another process works on {path}: wait for it, or give another name.") from error
        except NotImplementedError as error:
            raise OSError(f"its file system knows no locks: {error}") from error
    return lock


@contextmanager
def _told(what):
    """Say of an error of the system what could not be done and what to do."""
    try:
        yield
    except BlockingIOError:
        raise                                                 # says so itself
    except OSError as error:
        kind = NotADirectoryError if isinstance(error, FileExistsError) else type(error)     # a file for a folder
        raise kind(f"{what} ({error.strerror or error}): {WAYS_OUT}.") from error


def _named(unfinished, path, new):
    """Give a finished file its name  ->  False where the name has to be new and is not."""
    if new:
        try:
            os.link(unfinished, path)                         # unlike a rename, it refuses a name that is taken
            return True
        except FileExistsError:
            return False
        except OSError:                                       # a disk without links: one process at a time looks
            lock = _locked(path, wait=True)
            try:
                if path.exists():
                    return False
                os.replace(unfinished, path)
                return True
            finally:
                lock.release()
    os.replace(unfinished, path)
    return True


def _removed(unfinished):
    with suppress(OSError):                                   # never there, or the disk is gone
        unfinished.unlink()
