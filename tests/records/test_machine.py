"""What a record says of the machine is asked for, not assumed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minidurnn.records import machine


def test_a_processor_without_proc_is_named_by_the_platform(monkeypatch):
    def missing(self, *_, **__):
        raise FileNotFoundError(self)
    monkeypatch.setattr(Path, "read_text", missing)
    assert machine.processor()


def test_surroundings_name_all_that_decides_a_number():
    facts = machine.surroundings()
    assert facts["versions"].keys() == {"minidurnn", "python", "numpy"} and facts["versions"]["numpy"] == np.__version__
    assert facts["hardware"] == f"{machine.processor()}, {os.cpu_count()} cores"
    assert facts.keys() == {"date", "hardware", "blas", "threads", "commit", "clean", "versions"}


def test_the_threads_are_those_that_compute_whatever_a_variable_says(monkeypatch):
    limits = pytest.importorskip("threadpoolctl", reason="threads are asked of threadpoolctl").threadpool_limits
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    with limits(2):
        two = machine.threads()
        with machine.one_thread():
            assert machine.threads() == 1
        assert machine.threads() == two == 2
    assert machine.blas_kernel().split()[0] in machine.NAMES.values()


def test_without_threadpoolctl_threads_and_kernel_are_not_known(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    machine.missing.cache_clear()
    with pytest.warns(RuntimeWarning, match="threadpoolctl is not installed: .*set OMP_NUM_THREADS=1") as told:
        for _ in range(2):
            with machine.one_thread():
                assert machine.threads() is None and machine.blas_kernel() is None
    assert len(told) == 1


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A git checkout with a package, of which `machine` believes that it is its own; and git in it."""
    if shutil.which("git") is None:
        pytest.skip("no git")
    package = tmp_path / "package"
    (package / "records").mkdir(parents=True)
    (package / "records" / "machine.py").write_text("")
    monkeypatch.setattr(machine, "__file__", str(package / "records" / "machine.py"))
    machine.commit.cache_clear()

    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "init.defaultBranch=main")
        asked = {"cwd": tmp_path, "capture_output": True, "text": True, "check": True}
        return subprocess.run(["git", *who, *words], **asked).stdout.strip()
    git("init")
    yield package, git
    machine.commit.cache_clear()


def commit():
    """What is found now."""
    machine.commit.cache_clear()
    return machine.commit()


def test_the_commit_is_named_and_whether_the_package_is_as_committed(checkout):
    package, git = checkout
    git("add", "."), git("commit", "-m", "first")
    head = git("rev-parse", "HEAD")
    assert commit() == {"commit": head, "clean": True}
    (package.parent / "record.json").write_text("{}")         # a record that is written does not change the code
    assert commit() == {"commit": head, "clean": True}
    (package / "new.py").write_text("")
    assert commit() == {"commit": head, "clean": False}
    (package / "new.py").unlink()
    (package / "records" / "machine.py").write_text("pass")
    assert commit() == {"commit": head, "clean": False}


def test_a_package_that_lies_in_somebody_elses_checkout_has_no_commit(checkout):
    package, git = checkout
    (package.parent / "theirs").write_text("")
    git("add", "theirs"), git("commit", "-m", "theirs")
    assert commit() == {"commit": None, "clean": None}


def test_without_git_or_a_checkout_the_commit_is_not_known(checkout, monkeypatch, tmp_path):
    shutil.rmtree(tmp_path / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert commit() == {"commit": None, "clean": None}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit() == {"commit": None, "clean": None}


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory in use is read from Linux's /proc")
def test_resident_memory_sees_an_array():
    before = machine.resident()
    ones = np.ones(2**23)                                     # 64 MiB
    now, peak = machine.resident()
    assert 60 < now - before[0] < 70 and peak >= now
    del ones
