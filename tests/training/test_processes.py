"""A training process and the world: output that cannot be written costs nothing, and a checkpoint has one process."""

import subprocess
import sys
from time import sleep

import pytest
from forked import CLOSED, FULL, Python
from support import refuses

from minidurnn import RNN, Network, fit
from minidurnn.tasks import Adding
from minidurnn.training.storage import read

TRAIN = """
import sys, time
from minidurnn import RNN, Network, fit
from minidurnn.tasks import Adding

class Slow(Adding):
    def batch(self, rng, B):
        time.sleep({pause})
        if {interrupt}:
            raise KeyboardInterrupt
        return super().batch(rng, B)
Slow.__name__ = "Adding"
fit(Network(RNN(2, 4), 1), Slow(10), 24, batch=3, log_every=4, validate_every=8, checkpoint_every=8,
    checkpoint=sys.argv[1], resume=True)
"""


def started(path, pause=0, interrupt=False, **streams):
    """A process that trains, its output redirected."""
    program = TRAIN.format(pause=pause, interrupt=interrupt)
    return Python(program, path, **streams, environment={"PYTHONUNBUFFERED": "1"})      # else what is left would be 120


def trained(path):
    """The run in a checkpoint, without its seconds."""
    run = read(path, "checkpoint")[1]["run"]
    run.pop("seconds"), run["history"].pop("seconds")
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that all processes here train."""
    path = tmp_path_factory.mktemp("whole") / "run.npz"
    program = TRAIN.format(pause=0, interrupt=False)          # an interpreter of its own; all others are forked
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert all(word in done.stderr for word in ("training: 100%", "24/24", "loss", "mse"))
    return trained(path)


@pytest.mark.parametrize("streams", [{"stdout": CLOSED, "stderr": CLOSED}, {"stderr": FULL}])
@pytest.mark.system
def test_a_progress_that_cannot_be_shown_costs_nothing(streams, whole, tmp_path):
    done = started(tmp_path / "run.npz", **streams).end()
    assert done.returncode == 0 and trained(tmp_path / "run.npz") == whole


def test_a_bar_in_a_file_is_drawn_at_its_start_and_at_its_end(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)      # nbval imports it
    fit(Network(RNN(2, 4), 1), Adding(10), 60, log_every=1, validate_every=None)
    said = capsys.readouterr().err
    assert 1 <= said.count("training:") <= 3 and "60/60" in said and "loss" in said


@pytest.mark.system
def test_a_word_on_ctrl_c_that_cannot_be_said_is_not_an_error_of_its_own(tmp_path):
    done = started(tmp_path / "run.npz", interrupt=True, stdout=FULL).end()
    assert done.returncode != 0 and trained(tmp_path / "run.npz")["update"] == 0
    assert "KeyboardInterrupt" in done.stderr and "During handling" not in done.stderr


@pytest.mark.system
def test_of_two_processes_with_one_checkpoint_the_second_is_told_so_and_nothing_is_lost(whole, tmp_path):
    path = tmp_path / "run.npz"
    first = started(path, pause=0.02)
    while not path.exists():
        assert first.poll() is None
        sleep(0.001)
    for resume in (True, False):
        with refuses(BlockingIOError, f"another process works on {path}", "wait for it"):
            fit(Network(RNN(2, 4), 1), Adding(10), 24, checkpoint=path, resume=resume, progress=False)
    assert first.poll() is None                               # it was still at work
    assert first.end().returncode == 0 and trained(path) == whole
