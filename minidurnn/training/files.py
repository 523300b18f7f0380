"""Files that are written whole or not at all, and one owner for each that several processes may want."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

WAYS_OUT = "make room, or give a folder that can be written"


@contextmanager
def whole(path, what, new=False):
    """A binary file to write to, which gets its name when the block ends. Where the block raises, nothing is left of it.

    what     what is being written, for the message: "checkpoint"
    new      whether a file of this name must not be there yet; otherwise the old one is replaced
    Raises   FileExistsError; OSError that says what was being written, where, and what to do.
    """
    path, unfinished = Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = mkstemp(prefix=".unfinished-", dir=path.parent)      # a name that no other process has
        with open(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())                           # on the disk before the name points to it
        os.chmod(unfinished, 0o666 & ~_umask())               # mkstemp's file is its owner's alone
        taken = not _named(unfinished, path, new)
    except OSError as error:
        reason = error.strerror or error
        raise type(error)(f"the {what} {path} cannot be written ({reason}): {WAYS_OUT}.") from error
    finally:
        if unfinished is not None:
            Path(unfinished).unlink(missing_ok=True)
    if taken:
        raise FileExistsError(f"the {what} {path} exists: expected a new name; nothing is overwritten.")


def _named(unfinished, path, new):
    """Give a finished file its name  ->  False where the name has to be new and is not."""
    if not new:
        os.replace(unfinished, path)
        return True
    try:
        os.link(unfinished, path)                             # unlike a rename, it refuses a name that is taken
    except FileExistsError:
        return False
    return True


@contextmanager
def owner(path, wait=False):
    """Be the only process that works on a file, from here to the end of the block; a killed process owns nothing.

    wait     whether to wait until another process is done
    Raises   BlockingIOError where another process owns it.
    """
    from filelock import FileLock, Timeout

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{path}.lock", timeout=-1 if wait else 0):
            yield
    except Timeout as error:
        raise BlockingIOError(f"another process works on {path}: wait for it, or give another name.") from error


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
