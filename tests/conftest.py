"""Fixtures: the array libraries, and the stand-in for CuPy."""

import gc
import os
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

sys.path.append(str(Path(__file__).parents[1] / "lessons" / "book"))       # what builds the book
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")                     # before NumPy is imported: small products wait on threads

import browser  # noqa: E402
import fake_cupy  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from support import backends  # noqa: E402

NEEDS = {"lessons/test_notebooks.py": "nbformat"}
collect_ignore = [name for name, library in NEEDS.items() if find_spec(library) is None]  # a bare machine with a GPU


def pytest_report_header():
    """Why tests are left out, where some are."""
    without = [] if find_spec("cupy") else ["left out, no cupy: every test on a GPU (pip install minidurnn[cuda12])"]
    return without + [f"left out, no {NEEDS[name]}: {name}" for name in collect_ignore]


def pytest_sessionstart(session):
    """No test reads a log, and a handler for each phase of thousands of tests takes a twentieth of their time."""
    plugins = session.config.pluginmanager
    if plugins.has_plugin("logging-plugin"):
        plugins.unregister(name="logging-plugin")


def pytest_collection_finish():
    """What was collected stays until the end: the collector of cycles need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(params=backends())
def xp(request, monkeypatch):
    """The array library that a test computes with: numpy, the stand-in for CuPy, CuPy itself where there is a GPU."""
    if request.param == "numpy":
        return np
    if request.param == "stand-in":
        return fake_cupy.install(monkeypatch)
    try:
        import cupy
    except ImportError:                                       # a broken one too
        pytest.skip("no CuPy: pip install minidurnn[cuda12] on a machine with an NVIDIA GPU")
    if not cupy.cuda.is_available():
        pytest.skip("CuPy finds no GPU")
    return cupy


@pytest.fixture
def cupy(monkeypatch):
    """The stand-in for CuPy."""
    return fake_cupy.install(monkeypatch)


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """The folder of the book, built as CONTRIBUTING says, no warning let pass; with lessons that run where it can."""
    if find_spec("myst_nb") is None:
        pytest.skip("the book is built where its tools are: pip install -e '.[book]'")
    folder = tmp_path_factory.mktemp("book")
    runs = [] if browser.lacking() else ["-D", "lessons_in_browser=1"]
    build = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", *runs, "lessons", str(folder)]
    built = subprocess.run(build, cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="session")
def address(book):
    """The book on a port of this machine."""
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *said):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(book)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium(address):
    """A headless Chromium, playwright's own or the system's."""
    sync = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser: pip install playwright")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync.sync_playwright() as playwright:
        if found is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium: apt-get install chromium, or playwright install chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()
