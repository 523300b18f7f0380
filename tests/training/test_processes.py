"""A training process and the world: output that cannot be written costs nothing, and a checkpoint has one process."""

import subprocess
import sys

import pytest
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


def started(path, redirected="", pause=0, interrupt=False):
    """A process that trains, its output redirected by the shell."""
    program = TRAIN.format(pause=pause, interrupt=interrupt)
    command = ["sh", "-c", f'exec "$0" -c "$1" "$2" {redirected}', sys.executable, program, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def trained(path):
    """The run in a checkpoint, without its seconds."""
    run = read(path, "checkpoint")[1]["run"]
    run.pop("seconds"), run["history"].pop("seconds")
    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run that all processes here train."""
    path = tmp_path_factory.mktemp("whole") / "run.npz"
    with started(path) as process:
        said = process.communicate()[1]
    assert process.returncode == 0 and "training: 100%" in said and "24/24" in said and "loss" in said and "mse" in said
    return trained(path)


@pytest.mark.parametrize("redirected", ["2>&- >&-", "2>/dev/full"])
def test_a_progress_that_cannot_be_shown_costs_nothing(redirected, whole, tmp_path):
    with started(tmp_path / "run.npz", redirected) as process:
        process.communicate()
    assert process.returncode == 0 and trained(tmp_path / "run.npz") == whole


def test_a_bar_in_a_file_is_drawn_at_its_start_and_at_its_end(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)      # nbval imports it
    fit(Network(RNN(2, 4), 1), Adding(10), 200, log_every=1, validate_every=None)
    said = capsys.readouterr().err
    assert 1 <= said.count("training:") <= 3 and "200/200" in said and "loss" in said


def test_a_word_on_ctrl_c_that_cannot_be_said_is_not_an_error_of_its_own(tmp_path):
    with started(tmp_path / "run.npz", ">/dev/full", interrupt=True) as process:
        said = process.communicate()[1]
    assert process.returncode != 0 and trained(tmp_path / "run.npz")["update"] == 0
    assert "KeyboardInterrupt" in said and "During handling" not in said


def test_of_two_processes_with_one_checkpoint_the_second_is_told_so_and_nothing_is_lost(whole, tmp_path):
    path = tmp_path / "run.npz"
    with started(path, pause=0.02) as first:
        while not path.exists():
            assert first.poll() is None
        for resume in (True, False):
            with refuses(BlockingIOError, f"another process works on {path}", "wait for it"):
                fit(Network(RNN(2, 4), 1), Adding(10), 24, checkpoint=path, resume=resume, progress=False)
        assert first.poll() is None                           # it was still at work
        first.communicate()
    assert first.returncode == 0 and trained(path) == whole
