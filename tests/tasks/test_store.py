"""Data files are found, fetched whole or not at all, and verified. The only server here is our own, on 127.0.0.1."""

import gzip
import hashlib
import os
import re
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from textwrap import dedent

import numpy as np
import pytest
from support import refuses

from minidurnn.tasks import store
from minidurnn.tasks.store import File, find, read_idx

NAME = "data.bin"
BODY = bytes(np.random.default_rng(0).integers(0, 256, 5000, np.uint8))
SHA256 = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingTCPServer):
    """Serves by path: /good the file, every other path a fault of its own. Keeps the paths that were asked for."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.over = [], threading.Event()

    def __getitem__(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.strip("/")
        self.server.asked.append(path)
        if path in ("missing", "broken"):
            return self.send_error(404 if path == "missing" else 500)
        if path == "silent":
            return self.server.over.wait(10)
        self.send_response(200)
        if path != "short-unannounced":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write({"good": BODY, "other": BODY[::-1]}.get(path, BODY[:3000]))
        if path == "stalls":
            self.server.over.wait(10)
        return None

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


@pytest.fixture(autouse=True)
def closed_world(monkeypatch, tmp_path):
    """No folder, an empty cache, no proxy, and no host but 127.0.0.1."""
    resolve = socket.getaddrinfo

    def only_here(host, *rest, **options):
        assert host == "127.0.0.1", f"a test wants to reach {host}"
        return resolve(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    monkeypatch.delenv(store.FOLDER, raising=False)
    monkeypatch.setenv(store.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def impatient(monkeypatch):
    """Half a second of patience."""
    monkeypatch.setattr(store, "TIMEOUT", 0.5)


@pytest.fixture
def offer(monkeypatch):
    """Make the registry hold one file, at the given addresses."""
    return lambda *addresses: monkeypatch.setattr(store, "FILES", {NAME: File(SHA256, addresses)})


@pytest.fixture
def lock(monkeypatch):
    """Make a path that only its owner may read: nobody, here. Modes would not do, root may read everything."""
    def lock(path):
        read = Path.read_bytes

        def refused(self):
            if self == path and path.exists():
                raise PermissionError(13, "Permission denied")
            return read(self)

        monkeypatch.setattr(Path, "read_bytes", refused)

    return lock


def left(tmp_path):
    """The names of all files in the cache."""
    return [path.name for path in (tmp_path / "cache").glob("*")]


def dead_address():
    """An address of this machine where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}/good"


# fetching

def test_a_file_is_fetched_with_a_progress_line_kept_and_not_fetched_again(server, offer, tmp_path, capsys):
    offer(server["good"])
    path = find(NAME)
    assert path == tmp_path / "cache" / NAME and path.read_bytes() == BODY
    assert "100%" in capsys.readouterr().err
    assert find(NAME) == path
    assert server.asked == ["good"] and left(tmp_path) == [NAME]
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")
def test_a_download_can_be_read_by_every_user_from_the_moment_it_has_its_name(server, offer, monkeypatch):
    import pooch.core

    modes, move = [], pooch.core.shutil.move
    monkeypatch.setattr(pooch.core.shutil, "move", lambda *way: (modes.append(os.stat(way[0]).st_mode), move(*way)))
    offer(server["good"])
    modes.append(find(NAME).stat().st_mode)
    assert [mode & 0o777 for mode in modes] == [0o644, 0o644]


FAULTS = {
    "missing": "answered 404",
    "broken": "answered 500",
    "other": "sent a damaged or another file (its SHA-256 differs)",
    "short": "broke off",
    "short-unannounced": "sent a damaged or another file (its SHA-256 differs)",
    "silent": "said nothing for 0.5 s",
    "stalls": "said nothing for 0.5 s",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_download_says_what_was_tried_and_the_ways_out_and_leaves_nothing(
    fault, server, offer, tmp_path, impatient,
):
    offer(server[fault])
    start = time.perf_counter()
    said = NAME, "MINIDURNN_DATA is not set", f"it is not in {tmp_path / 'cache'}", f"{server[fault]} {FAULTS[fault]}"
    with refuses(FileNotFoundError, *said, "again with a network", "set MINIDURNN_DATA", "source=\"sample\""):
        find(NAME)
    assert time.perf_counter() - start < 8                    # the time-out is 0.5 s, and the server would wait 10
    assert left(tmp_path) == [] and server.asked == [fault]


@pytest.mark.parametrize("fault", ["missing", "other", "short"])
def test_the_second_address_is_tried_when_the_first_one_fails(fault, server, offer, tmp_path):
    offer(server[fault], server["good"])
    assert find(NAME).read_bytes() == BODY
    assert server.asked == [fault, "good"] and left(tmp_path) == [NAME]


def test_the_second_address_is_not_asked_when_the_first_one_serves(server, offer):
    offer(server["good"], server["other"])
    find(NAME)
    assert server.asked == ["good"]


def test_with_no_server_at_all_the_error_names_every_address(offer, tmp_path):
    first, second = dead_address(), dead_address()
    offer(first, second)
    with refuses(FileNotFoundError, f"{first} could not be reached", f"{second} could not be reached", "set MINIDURNN"):
        find(NAME)
    assert left(tmp_path) == []


def test_every_error_is_one_sentence(server, offer):
    offer(server["missing"], server["other"], dead_address())
    with pytest.raises(FileNotFoundError) as caught:
        find(NAME)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(").") and message.count(". ") == 0
    assert "Traceback" not in message and "HTTPConnectionPool" not in message


def test_ctrl_c_during_a_download_leaves_nothing(server, offer, tmp_path, monkeypatch):
    import pooch

    def press(get, address, unfinished, _):
        assert left(tmp_path) == [Path(unfinished).name] != [NAME]
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", press)
    offer(server["good"])
    with pytest.raises(KeyboardInterrupt):
        find(NAME)
    assert left(tmp_path) == []


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(server, offer, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(store.CACHE, str(tmp_path / "file" / "cache"))
    offer(server["good"], server["good"])
    with refuses(OSError, NAME, "cannot be kept", str(tmp_path / "file" / "cache"), "set MINIDURNN_CACHE"):
        find(NAME)
    assert server.asked == []


def test_a_full_disk_is_not_blamed_on_the_server(server, offer, tmp_path, monkeypatch):
    import pooch

    def full(get, address, unfinished, _):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", full)
    offer(server["good"], server["good"])
    with refuses(OSError, "cannot be kept", "No space left on device", "MINIDURNN_CACHE"):
        find(NAME)
    assert left(tmp_path) == []


def test_without_the_variable_the_cache_is_the_users_own(monkeypatch, tmp_path):
    monkeypatch.delenv(store.CACHE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "minidurnn" in store.cache().parts
    if sys.platform == "linux":
        assert store.cache() == tmp_path / "minidurnn"


# what is already there

def put(folder, body, monkeypatch=None):
    """Write a file into a folder, which becomes MINIDURNN_DATA where monkeypatch is given."""
    folder.mkdir(exist_ok=True)
    (folder / NAME).write_bytes(body)
    if monkeypatch:
        monkeypatch.setenv(store.FOLDER, str(folder))
    return folder / NAME


def test_a_damaged_cached_copy_is_fetched_anew(server, offer, tmp_path):
    put(tmp_path / "cache", BODY[::-1])
    offer(server["good"])
    assert find(NAME).read_bytes() == BODY and server.asked == ["good"] and left(tmp_path) == [NAME]


def test_a_damaged_cached_copy_is_named_where_no_other_is_to_be_had(server, offer, tmp_path):
    put(tmp_path / "cache", BODY[:-1])
    offer(server["missing"])
    with refuses(FileNotFoundError, f"the copy in {tmp_path / 'cache'} is damaged", "answered 404"):
        find(NAME)


def test_a_cached_copy_that_cannot_be_read_counts_as_missing_and_is_fetched_anew(server, offer, tmp_path, lock):
    held = put(tmp_path / "cache", BODY)
    lock(held)
    offer(server["missing"])
    with refuses(FileNotFoundError, f"the copy in {tmp_path / 'cache'} cannot be read (Permission denied)", "404"):
        find(NAME)
    put(tmp_path / "cache", BODY)
    offer(server["good"])
    assert find(NAME) == held and server.asked == ["missing", "good"] and left(tmp_path) == [NAME]


def test_a_copy_in_the_folder_that_cannot_be_read_counts_as_missing_and_stays(
    server, offer, tmp_path, monkeypatch, lock,
):
    own = put(tmp_path / "own", BODY, monkeypatch)
    lock(own)
    offer()
    with refuses(FileNotFoundError, f"the copy in {tmp_path / 'own'} cannot be read (Permission denied)"):
        find(NAME)
    offer(server["good"])
    assert find(NAME) == tmp_path / "cache" / NAME and own.exists()


@pytest.mark.parametrize("place", ["own", "cache"])
def test_a_folder_in_place_of_a_file_is_named(place, offer, tmp_path, monkeypatch):
    (tmp_path / place / NAME).mkdir(parents=True)
    monkeypatch.setenv(store.FOLDER, str(tmp_path / "own"))
    offer()
    with refuses(FileNotFoundError, f"the copy in {tmp_path / place} cannot be read (Is a directory)"):
        find(NAME)


def test_the_folder_comes_before_the_cache_and_the_cache_before_the_network(server, offer, tmp_path, monkeypatch):
    offer(server["good"])
    cached, own = put(tmp_path / "cache", BODY), put(tmp_path / "own", BODY, monkeypatch)
    assert find(NAME) == own
    own.unlink()
    assert find(NAME) == cached
    cached.unlink()
    assert find(NAME) == cached and server.asked == ["good"]


@pytest.mark.parametrize("body", [BODY[::-1], BODY[:-1], b""], ids=["other", "short", "empty"])
def test_another_file_in_the_folder_is_refused_with_the_address_of_the_right_one(
    body, server, offer, tmp_path, monkeypatch,
):
    offer(server["good"])
    own, digest = put(tmp_path / "own", body, monkeypatch), hashlib.sha256(body).hexdigest()
    words = f"{own} has the SHA-256 {digest}, expected {SHA256}", server["good"], "unset MINIDURNN_DATA"
    with refuses(ValueError, *words, "source=\"sample\""):
        find(NAME)
    assert server.asked == [] and own.read_bytes() == body    # the user's own file stays as it is


def test_a_file_without_an_address_says_so(offer, tmp_path, monkeypatch):
    offer()
    (tmp_path / "own").mkdir()
    monkeypatch.setenv(store.FOLDER, str(tmp_path / "own"))
    words = f"it is not in {tmp_path / 'own'}", "no public address has it", "put it into a folder"
    with refuses(FileNotFoundError, *words) as caught:
        find(NAME)
    assert "network" not in str(caught.value)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with refuses(ValueError, "mnist.gz", "t10k-labels-idx1-ubyte.gz", "ui_prmd_kinect.npz"):
        find("mnist.gz")


def test_the_registry_is_well_formed():
    for name, file in store.FILES.items():
        assert re.fullmatch(r"[\w.-]+", name) and re.fullmatch(r"[0-9a-f]{64}", file.sha256), name
        assert all(address.startswith("https://") for address in file.addresses), name
    assert len({file.sha256 for file in store.FILES.values()}) == len(store.FILES)
    assert [len(file.addresses) for name, file in store.FILES.items() if "ubyte" in name] == [2, 2, 2, 2]


# pooch is needed for a download and for nothing else

def test_samples_are_read_without_pooch():
    code = """
        import sys
        from minidurnn.tasks import *
        [task.test() for task in (Pixels(), Characters(), Skeletons(), Series())]
        print('pooch' in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("place", ["own", "cache"])
def test_a_file_that_is_there_is_found_without_pooch(place, offer, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)           # what an import of a missing module meets
    offer(dead_address())
    held = put(tmp_path / place, BODY, monkeypatch if place == "own" else None)
    assert find(NAME) == held


@pytest.mark.parametrize("named", [True, False])
def test_without_pooch_a_missing_file_is_answered_with_the_ways_out(named, offer, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    if not named:
        monkeypatch.delenv(store.CACHE)
    offer(dead_address())
    with refuses(FileNotFoundError, "pooch, which", "is not installed", "set MINIDURNN_DATA", "source=\"sample\""):
        find(NAME)


# IDX

def idx(array, sizes=None, kind=8):
    sizes = array.shape if sizes is None else sizes
    return bytes([0, 0, kind, len(sizes)]) + np.array(sizes, ">u4").tobytes() + array.tobytes()


IMAGES = np.random.default_rng(1).integers(0, 256, (3, 28, 28), np.uint8)
LABELS = np.array([7, 0, 9], np.uint8)


@pytest.fixture
def write(tmp_path):
    """Write an IDX file, gzipped if the name says so  ->  its path."""
    def write(raw, name="file.gz"):
        (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return tmp_path / name

    return write


@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_idx_files_are_read_back(name, write):
    assert (read_idx(write(idx(IMAGES), name)) == IMAGES).all()
    assert (read_idx(write(idx(LABELS), name)) == LABELS).all()


@pytest.mark.parametrize("raw, words", [
    (b"", ["nothing"]),
    (b"\x00\x00\x08", ["00 00 08"]),
    (idx(LABELS, kind=9), ["00 00 09 01", "unsigned bytes"]),
    (idx(LABELS, ()), ["00 00 08 00", "1 to 4"]),
    (idx(LABELS, (1,) * 200), ["00 00 08 c8", "1 to 4"]),
    (idx(IMAGES)[:9], ["00 00 08 03 00 00 00 03 00"]),
    (idx(IMAGES)[:-1], ["holds 2367 bytes", "expected 2368"]),
    (idx(IMAGES) + b"\x00", ["holds 2369 bytes", "expected 2368"]),
    (idx(LABELS, (2**31, 2, 2**31, 2)), ["holds 23 bytes", "expected 18446744073709551636"]),   # 20 in 64 bits
], ids=["empty", "magic cut", "kind", "no axis", "200 axes", "header cut", "short", "long", "overflow"])
@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_a_wrong_idx_file_is_refused_by_name(raw, words, name, write):
    path = write(raw, name)
    with refuses(ValueError, str(path), *words, "get it again."):
        read_idx(path)


def test_a_damaged_gzip_file_is_refused_or_harmless(write):
    path = write(idx(LABELS))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        with refuses(ValueError, str(path)):
            read_idx(path)
        for flip in (0x01, 0x80, 0xFF):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1:])
            try:
                assert (read_idx(path) == LABELS).all()       # a byte that says nothing, such as the time of writing
            except ValueError as error:
                assert str(path) in str(error)


@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_an_idx_file_that_cannot_be_read_is_named(name, tmp_path):
    path, words = tmp_path / name, ("expected an IDX file", "check the path")
    with refuses(FileNotFoundError, f"{path} cannot be read (No such file or directory)", *words):
        read_idx(path)
    path.mkdir()
    with refuses(IsADirectoryError, f"{path} cannot be read (Is a directory)", *words):
        read_idx(path)
