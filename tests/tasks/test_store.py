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
import tracemalloc
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

import numpy as np
import pytest
from support import refuses

from minidurnn.tasks import store
from minidurnn.tasks.store import File, find, read_digits, read_idx

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
        if path == "missing":
            return self.send_error(404)
        if path == "broken":
            return self.send_error(500)
        if path == "silent":
            return self.server.over.wait(10)
        self.send_response(200)
        if path != "short-unannounced":
            self.send_header("Content-Length", str(len(BODY) * (1000 if path == "endless" else 1)))
        self.end_headers()
        {"good": self.send, "other": partial(self.send, BODY[::-1]), "short": partial(self.send, BODY[:3000]), "short-unannounced": partial(self.send, BODY[:3000]),
         "stalls": self.stall, "drips": self.drip, "endless": partial(self.send, BODY * 1000)}[path]()
        return None

    def send(self, body=BODY):
        try:
            self.wfile.write(body)
        except OSError:
            assert len(body) > len(BODY)                      # the client hung up on the endless one

    def stall(self):
        self.send(BODY[:3000])
        self.server.over.wait(10)

    def drip(self):
        for first in range(0, len(BODY), 50):                 # a word every 0.05 s: no single silence is long
            self.send(BODY[first:first + 50])
            if self.server.over.wait(0.05):
                return

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
    def offer(*addresses):
        monkeypatch.setattr(store, "FILES", {NAME: File(len(BODY), SHA256, addresses)})

    return offer


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
    assert f"downloading {NAME}" in capsys.readouterr().err
    assert find(NAME) == path
    assert server.asked == ["good"] and left(tmp_path) == [NAME]
    assert capsys.readouterr().err == ""


FAULTS = {
    "missing": "answered 404",
    "broken": "answered 500",
    "other": "SHA-256",
    "short": "broke off",
    "short-unannounced": "has 3,000 bytes, expected 5,000",
    "endless": "more than the expected 5,000 bytes",
    "silent": "said nothing for 0.5 s",
    "stalls": "said nothing for 0.5 s",
    "drips": "too slow",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_download_says_what_was_tried_and_the_ways_out_and_leaves_nothing(fault, server, offer, tmp_path, impatient):
    offer(server[fault])
    start = time.perf_counter()
    with refuses(FileNotFoundError, NAME, "MINIDURNN_DATA is not set", str(tmp_path / "cache"), f"{server[fault]} ", FAULTS[fault], "network", "set MINIDURNN_DATA", "source=\"sample\""):
        find(NAME)
    assert time.perf_counter() - start < 8                    # the time-out is 0.5 s, and the server would wait 10
    assert left(tmp_path) == [] and server.asked == [fault]


@pytest.mark.parametrize("fault", ["missing", "other", "short", "silent"])
def test_the_second_address_is_tried_when_the_first_one_fails(fault, server, offer, tmp_path, impatient):
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
    with refuses(FileNotFoundError, f"{first} could not be reached", f"{second} could not be reached", "set MINIDURNN_DATA"):
        find(NAME)
    assert left(tmp_path) == []


def test_every_error_is_one_sentence(server, offer):
    offer(server["missing"], server["other"], dead_address())
    with pytest.raises(FileNotFoundError) as caught:
        find(NAME)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(").") and message.count(". ") == 0 and "Traceback" not in message and "HTTPConnectionPool" not in message


def test_ctrl_c_during_a_download_leaves_nothing(server, offer, tmp_path, monkeypatch):
    def press(meter, part):
        raise KeyboardInterrupt

    monkeypatch.setattr(store.Meter, "write", press)
    offer(server["good"])
    with pytest.raises(KeyboardInterrupt):
        find(NAME)
    assert left(tmp_path) == []


def test_half_a_file_never_stands_under_the_final_name(server, offer, tmp_path, monkeypatch):
    seen = []
    write = store.Meter.write
    monkeypatch.setattr(store.Meter, "write", lambda meter, part: (seen.append((tmp_path / "cache" / NAME).exists()), write(meter, part))[1])
    offer(server["good"])
    find(NAME)
    assert len(seen) > 1 and not any(seen)


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(server, offer, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(store.CACHE, str(tmp_path / "file" / "cache"))
    offer(server["good"], server["good"])
    with refuses(OSError, NAME, "cannot be kept", str(tmp_path / "file" / "cache"), "set MINIDURNN_CACHE"):
        find(NAME)
    assert server.asked == []


def test_a_full_disk_is_not_blamed_on_the_server(server, offer, tmp_path, monkeypatch):
    def full(meter, part):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.Meter, "write", full)
    offer(server["good"], server["good"])
    with refuses(OSError, "cannot be kept", "No space left on device", "MINIDURNN_CACHE"):
        find(NAME)
    assert server.asked == ["good"] and left(tmp_path) == []


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
    assert find(NAME).read_bytes() == BODY and server.asked == ["good"]


def test_a_damaged_cached_copy_is_removed_and_named_where_no_other_is_to_be_had(server, offer, tmp_path):
    put(tmp_path / "cache", BODY[:-1])
    offer(server["missing"])
    with refuses(FileNotFoundError, f"the copy in {tmp_path / 'cache'} has 4,999 bytes, expected 5,000 and was removed", "answered 404"):
        find(NAME)
    assert left(tmp_path) == []


def test_the_folder_comes_before_the_cache_and_the_cache_before_the_network(server, offer, tmp_path, monkeypatch):
    offer(server["good"])
    cached, own = put(tmp_path / "cache", BODY), put(tmp_path / "own", BODY, monkeypatch)
    assert find(NAME) == own
    own.unlink()
    assert find(NAME) == cached
    cached.unlink()
    assert find(NAME) == cached and server.asked == ["good"]


@pytest.mark.parametrize("body, wrong", [(BODY[::-1], "has the SHA-256"), (BODY[:-1], "has 4,999 bytes, expected 5,000"), (b"", "has 0 bytes")], ids=["other", "short", "empty"])
def test_another_file_in_the_folder_is_refused_with_the_address_of_the_right_one(body, wrong, server, offer, tmp_path, monkeypatch):
    offer(server["good"])
    own = put(tmp_path / "own", body, monkeypatch)
    with refuses(ValueError, str(own), wrong, server["good"], "unset MINIDURNN_DATA", "source=\"sample\""):
        find(NAME)
    assert server.asked == [] and own.read_bytes() == body    # the user's own file stays as it is


def test_a_file_is_hashed_once_per_process_and_again_when_it_changes(offer, tmp_path, monkeypatch):
    hashed = []
    sha256 = hashlib.sha256
    monkeypatch.setattr(hashlib, "sha256", lambda raw: (hashed.append(len(raw)), sha256(raw))[1])
    offer()
    own = put(tmp_path / "own", BODY, monkeypatch)
    for _ in range(3):
        assert find(NAME) == own
    assert hashed == [5000]
    own.write_bytes(BODY[::-1])
    os.utime(own, ns=(1, 1))
    with refuses(ValueError, "SHA-256"):
        find(NAME)
    assert hashed == [5000, 5000]


def test_a_file_without_an_address_says_so(offer, tmp_path, monkeypatch):
    offer()
    (tmp_path / "own").mkdir()
    monkeypatch.setenv(store.FOLDER, str(tmp_path / "own"))
    with refuses(FileNotFoundError, f"it is not in {tmp_path / 'own'}", "no public address has it", "put it into a folder") as caught:
        find(NAME)
    assert "network" not in str(caught.value)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with refuses(ValueError, "mnist.gz", "t10k-labels-idx1-ubyte.gz", "ui_prmd_kinect.npz"):
        find("mnist.gz")


def test_the_registry_is_well_formed():
    for name, file in store.FILES.items():
        assert re.fullmatch(r"[\w.-]+", name) and file.size > 0 and re.fullmatch(r"[0-9a-f]{64}", file.sha256), name
        assert all(address.startswith("https://") for address in file.addresses), name
    assert len({file.sha256 for file in store.FILES.values()}) == len(store.FILES)
    assert [len(file.addresses) for name, file in store.FILES.items() if "ubyte" in name] == [2, 2, 2, 2]


def test_samples_are_read_without_pooch():
    code = "import sys; from minidurnn.tasks import *; [task.test() for task in (Pixels(), Characters(), Skeletons(), Series())]; print('pooch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


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
    (idx(IMAGES) + b"\x00", ["holds more", "expected 2368"]),
    (idx(LABELS, (2**32 - 1,) * 3), ["4294967295, 4294967295, 4294967295", "expected at most"]),
    (idx(LABELS, (2**31, 2, 2**31, 2)), ["18,446,744,073,709,551,616 bytes", "expected at most"]),        # 2 ** 64, which is 0 in 64 bits
], ids=["empty", "magic cut", "kind", "no axis", "200 axes", "header cut", "short", "long", "absurd", "overflow"])
@pytest.mark.parametrize("name", ["file.gz", "file"])
def test_a_wrong_idx_file_is_refused_by_name(raw, words, name, write):
    path = write(raw, name)
    with refuses(ValueError, str(path), *words, "get it again."):
        read_idx(path)


def test_a_gzip_bomb_is_not_unpacked(write):
    path = write(idx(np.zeros(2**26, np.uint8), (10,)))
    tracemalloc.start()
    try:
        with refuses(ValueError, str(path), "holds more", "expected 18 bytes"):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


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


@pytest.mark.parametrize("images, labels, words", [
    (IMAGES, LABELS[:2], ["labels.gz", "(2,)", "3 images"]),
    (IMAGES, LABELS + np.uint8(1), ["labels.gz", "label 10 at index 2", "0 ... 9"]),
    (IMAGES, IMAGES, ["labels.gz", "(3, 28, 28)"]),
    (IMAGES[:, :14], LABELS, ["images.gz", "(3, 14, 28)", "(N, 28, 28)"]),
    (LABELS, LABELS, ["images.gz", "(3,)"]),
    (IMAGES[:0], LABELS[:0], ["images.gz", "(0, 28, 28)"]),
], ids=["count", "beyond 9", "images as labels", "small images", "labels as images", "none"])
def test_labels_that_do_not_fit_the_images_are_refused(images, labels, words, write):
    with refuses(ValueError, *words):
        read_digits(write(idx(images), "images.gz"), write(idx(labels), "labels.gz"))


def test_digits_are_read_back(write):
    images, labels = read_digits(write(idx(IMAGES), "images.gz"), write(idx(LABELS), "labels.gz"))
    assert (images == IMAGES).all() and (labels == LABELS).all()
