"""Files: whole or not at all under any error, never two of one name, and one owner at a time."""

import errno
import os
import stat
from threading import Thread
from time import sleep

import forked
import killed_run
import pytest
from support import refuses

from minidurnn.training.files import owner, whole


def names(folder):
    """What stands in a folder."""
    return sorted(file.name for file in folder.iterdir())


def put(path, content, new=False):
    """Write a file."""
    with whole(path, "thing", new) as file:
        file.write(content)


def full(*_, **__):
    """What a full disk answers."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_has_what_was_written_its_folder_is_made_and_nothing_else_stands_there(tmp_path):
    path = tmp_path / "new" / "folder" / "thing.bin"
    for content in (b"one", b"two"):
        put(path, content)
        assert path.read_bytes() == content and names(path.parent) == ["thing.bin"]


def test_a_file_may_be_read_by_whom_the_system_lets(tmp_path):
    before = os.umask(0o027)
    try:
        put(tmp_path / "thing", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "thing").stat().st_mode) == 0o640


def test_the_name_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "thing"
    put(path, b"old")
    with whole(path, "thing") as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit()], ids=repr)
def test_where_the_block_raises_the_old_file_stays_and_nothing_else(error, tmp_path):
    put(tmp_path / "thing", b"old")
    with pytest.raises(type(error)), whole(tmp_path / "thing", "thing") as file:
        file.write(b"half")
        raise error
    assert (tmp_path / "thing").read_bytes() == b"old" and names(tmp_path) == ["thing"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_is_told_with_what_was_written_where_and_what_to_do(step, tmp_path, monkeypatch):
    path = tmp_path / "thing"
    put(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, step, full)
        with refuses(OSError, f"the thing {path} cannot be written", "No space left on device", "make room"):
            put(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["thing"]


def test_a_disk_that_is_full_in_the_middle_of_writing_is_told_too(tmp_path):
    with refuses(OSError, f"the thing {tmp_path / 'thing'} cannot be written", "No space left", "make room"), \
            whole(tmp_path / "thing", "thing") as file:
        file.write(b"half")
        full()
    assert names(tmp_path) == []


WRONG = {                                                     # a path that cannot be written -> a word of the reason
    "a file for a folder": ("file/thing", NotADirectoryError),
    "a file for a folder's folder": ("file/folder/thing", NotADirectoryError),
    "a folder": ("folder", OSError),
    "a name too long": (300 * "x", OSError),
}


@pytest.mark.parametrize("new", [False, True])
@pytest.mark.parametrize("place, error", WRONG.values(), ids=WRONG)
def test_a_path_that_cannot_be_written_is_named(place, error, new, tmp_path):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    if new and place == "folder":
        error = FileExistsError                               # the one case in which another name helps
    with refuses(error, str(tmp_path / place), "the thing") as caught:
        put(tmp_path / place, b"", new)
    assert (type(caught.value) is FileExistsError) == (new and place == "folder")
    assert names(tmp_path) == ["file", "folder"] and not names(tmp_path / "folder")


def test_a_folder_without_rights_is_told(tmp_path, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr("builtins.open", forbidden)
    with refuses(PermissionError, str(tmp_path / "thing"), "Permission denied", "give a folder that can be written"):
        put(tmp_path / "thing", b"")


def no_links(*_):
    """What a disk without hard links answers."""
    raise OSError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("links", [True, False])
def test_a_new_name_is_taken_once(links, tmp_path, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    put(tmp_path / "thing", b"first", new=True)
    with refuses(FileExistsError, f"the thing {tmp_path / 'thing'} exists", "expected a new name"):
        put(tmp_path / "thing", b"second", new=True)
    assert (tmp_path / "thing").read_bytes() == b"first"
    assert names(tmp_path) == ["thing"] + ["thing.lock"] * (not links)


def test_a_new_file_is_whole_from_its_first_moment_on_a_disk_without_links_too(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", no_links)
    true, seen = os.replace, []

    def replace(unfinished, path):                            # a kill here leaves what is there now
        seen.extend(name for name in names(tmp_path) if not name.startswith(".unfinished") and "lock" not in name)
        true(unfinished, path)
    monkeypatch.setattr(os, "replace", replace)
    put(tmp_path / "thing", b"whole", new=True)
    assert seen == [] and (tmp_path / "thing").read_bytes() == b"whole"


@pytest.mark.parametrize("links", [True, False])
def test_of_many_that_want_a_new_name_at_once_one_gets_it(links, tmp_path, monkeypatch):
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    won = []

    def attempt(number):
        try:
            put(tmp_path / "thing", b"%d" % number, new=True)
        except FileExistsError:
            return
        won.append(number)
    threads = [Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and (tmp_path / "thing").read_bytes() == b"%d" % won[0]


# Owners

def test_a_file_has_one_owner_at_a_time(tmp_path):
    path = tmp_path / "new" / "thing"
    with owner(path), refuses(BlockingIOError, f"another process works on {path}", "wait for it"), owner(path):
        pass
    with owner(path), owner(path.with_name("other")):
        assert not path.exists()                              # owning it is not making it


def test_an_owner_that_fails_owns_nothing_any_more(tmp_path):
    with pytest.raises(OSError, match="^its own$"), owner(tmp_path / "thing"):
        raise OSError("its own")                              # and its error is not told as one of the claim
    with owner(tmp_path / "thing"):
        pass


def test_a_killed_process_owns_nothing_and_what_it_left_is_cleared_away(tmp_path):
    path, other = tmp_path / "thing", tmp_path / ".unfinished-thing-2-00"         # of a file thing-2
    other.write_bytes(b"")
    process = forked.process(killed_run.hold, path)
    while not (unfinished := [file for file in tmp_path.glob(".unfinished-thing-*") if file.stat().st_size]):
        assert process.is_alive()
    with refuses(BlockingIOError, str(path)), owner(path):
        pass
    assert len(names(tmp_path)) == 3 and len(unfinished) == 1         # with the lock and that of another file
    process.kill()
    process.join()
    with owner(path):
        assert names(tmp_path) == [other.name, "thing.lock"]


def test_one_may_wait_for_the_owner(tmp_path):
    order = []

    def second():
        with owner(tmp_path / "thing", wait=True):
            order.append("second")
    with owner(tmp_path / "thing"):
        thread = Thread(target=second)
        thread.start()
        sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_claim_that_cannot_be_made_is_told_with_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    for place in ("file/thing", 255 * "x"):
        with refuses(OSError, str(tmp_path / place), "cannot be claimed", "give a folder that can be written"), \
                owner(tmp_path / place):
            pass
    import filelock

    def no_locks(*_, **__):
        raise NotImplementedError("FileSystem does not appear to support flock")
    monkeypatch.setattr(filelock.FileLock, "acquire", no_locks)
    with refuses(OSError, str(tmp_path / "thing"), "its file system knows no locks"), owner(tmp_path / "thing"):
        pass


def test_many_that_count_under_ownership_lose_no_step(tmp_path):
    put(tmp_path / "thing", b"0")

    def count():
        for _ in range(4):
            with owner(tmp_path / "thing", wait=True):
                put(tmp_path / "thing", b"%d" % (int((tmp_path / "thing").read_bytes()) + 1))
    threads = [Thread(target=count) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "thing").read_bytes() == b"12"
