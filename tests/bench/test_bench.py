"""The benchmark: it times nothing wrong, and its numbers are what they say. No time is asserted here."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from itertools import islice

import numpy as np
import pytest

from minidurnn import Chunked, Network, bench, fit
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.bench import competitors, floors, gpu, implementations, memory, ours, process, speed, updates, workloads
from minidurnn.bench.workloads import PEERS, WORKLOADS, Workload
from minidurnn.gradcheck import assert_gradient
from minidurnn.networks.models import MODELS
from minidurnn.tasks import Adding

COMPARED = [name for name, model in MODELS.items() if model.peers]
TINY = Workload(T=7, B=3, D=2, H=4, rounds=2, chunk=3)


def options(*words):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(words)


class Here:
    """A Competitor in this very process."""

    def __init__(self, name, cell, workload, chunk):
        self.step = implementations.ready(name, cell, workload, chunk)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def turn(self):
        return competitors.turn(self.step, 1)


@pytest.fixture
def settled(monkeypatch):
    """A process that need not start anew, is not pinned, starts no other, and has small workloads."""
    monkeypatch.setenv(process.SETTLED, "1")
    monkeypatch.setattr(process, "pin", lambda: None)
    for module in (speed, updates):
        monkeypatch.setattr(module, "Competitor", Here)
    for name in WORKLOADS:
        monkeypatch.setitem(WORKLOADS, name, TINY)


@pytest.mark.parametrize("cell", COMPARED)
def test_our_step_gives_the_gradient_of_its_own_loss(cell):
    model, rng = workloads.body(cell, TINY), np.random.default_rng(0)
    p, x = workloads.inputs(model, TINY, "float64")
    p = map_leaves(lambda leaf: leaf + 0.3 * rng.standard_normal(leaf.shape), p)         # away from biases of zero

    def run(leaves):
        return ours.prepare(model, {name: leaves[name] for name in p}, leaves["x"], TINY.chunk)()

    def backward(cotangent):
        return map_leaves(lambda gradient: cotangent * gradient, run({**p, "x": x})[1])

    assert_gradient(lambda leaves: np.asarray(run(leaves)[0]), backward, {**p, "x": x}, rng=rng)


def test_our_loss_is_the_last_state_squared_plus_the_mean_of_all_states():
    model = workloads.body("durnn", TINY)
    p, x = workloads.inputs(model, TINY, "float64")
    h, tape = model.forward(p, x)
    for chunk in (1, 3, 7, 50):
        value, gradients = ours.prepare(model, p, x, chunk)()
        np.testing.assert_allclose(value, (model.last_state(tape) ** 2).sum() + h.mean(), rtol=1e-12)
        assert gradients["x"].shape == x.shape and {*gradients} == {*p, "x"}


def test_a_model_that_needs_the_whole_sequence_gets_it():
    model, rng = workloads.body("transformer", TINY), np.random.default_rng(0)
    p, x = workloads.inputs(model, TINY, "float64")
    p = map_leaves(lambda leaf: leaf + rng.standard_normal(leaf.shape), p)               # the mean of a norm is zero
    value, gradients = ours.prepare(model, p, x, chunk=3)()
    h, tape = model.forward(p, x)
    dx, _, dp = model.backward(np.full_like(h, 1 / h.size), tape)
    np.testing.assert_allclose(value, h.mean(), rtol=1e-9)
    np.testing.assert_allclose(gradients["x"], dx, atol=1e-12)
    assert {*gradients} == {*dp, "x"}


@pytest.fixture(params=["torch", "jax"])
def library(request):
    """A library of peers; JAX compiles without the optimisations, which cost more than they save in one small step."""
    found = pytest.importorskip(request.param)
    if request.param == "torch":
        yield request.param
        return
    found.config.update("jax_disable_most_optimizations", True)
    yield request.param
    found.config.update("jax_disable_most_optimizations", False)


@pytest.mark.parametrize("cell", COMPARED)
@pytest.mark.system
def test_every_peer_computes_what_we_compute(cell, library):
    implementations.assert_agreement(cell, [peer for peer in PEERS if implementations.NEEDS[peer] == library])


@pytest.mark.parametrize("leaf", ["loss", "x", "W", "u", "b"])
def test_a_peer_that_is_wrong_anywhere_is_refused(monkeypatch, leaf):
    right = implementations.prepare

    def planted(name, *rest):
        value, gradients = right("ours", *rest)()
        everything = {"loss": value, **gradients}
        if name == "eager":
            everything[leaf] = everything[leaf] * (1 + 1e-8)
        return lambda: (everything.pop("loss"), everything)

    monkeypatch.setattr(implementations, "prepare", planted)
    with pytest.raises(AssertionError, match=f"eager differ in {leaf} "):
        implementations.assert_agreement("indrnn", ["eager"])


def test_a_peer_with_a_transposed_gradient_is_refused(monkeypatch):
    right = implementations.prepare

    def planted(name, *rest):
        value, gradients = right("ours", *rest)()
        return lambda: (value, {**gradients, "W": gradients["W"].T} if name == "jax" else gradients)

    monkeypatch.setattr(implementations, "prepare", planted)
    with pytest.raises(AssertionError, match="jax differ in W by inf"):
        implementations.assert_agreement("rnn", ["jax"])


def test_a_disagreement_ends_the_benchmark_before_anything_is_timed(settled, monkeypatch, capsys):
    def disagree(cell, peers):
        raise AssertionError("they differ")

    monkeypatch.setattr(speed, "assert_agreement", disagree)
    monkeypatch.setattr(speed, "race", lambda *_: pytest.fail("timed"))
    assert bench.main(options("--cells", "rnn")) == 1
    assert "they differ" in capsys.readouterr().err


def test_the_order_of_turns_rotates_and_every_round_is_kept():
    log = []

    class Logged:
        def __init__(self, name):
            self.name, self.clock = name, 0

        def __enter__(self):
            log.append(f"{self.name} ready ")
            return self

        def __exit__(self, *_):
            log.append(f" {self.name} gone")

        def turn(self):
            log.append(self.name)
            self.clock += 1
            return self.clock, 10 * self.clock

    seconds = speed.race({name: Logged(name) for name in "abc"}, rounds=4)
    assert "".join(log) == "a ready b ready c ready " + "abc" + "bca" + "cab" + "abc" + " c gone b gone a gone"
    assert all(clocks == {"cpu": [1, 2, 3, 4], "wall": [10, 20, 30, 40]} for clocks in seconds.values())


def test_a_turn_is_the_mean_of_its_runs_but_the_first(monkeypatch):
    now, costs = [0.0], iter([100.0, 1.0, 2.0, 6.0])

    def step():
        now[0] += next(costs)

    monkeypatch.setattr(competitors, "process_time", lambda: now[0])
    monkeypatch.setattr(competitors, "perf_counter", lambda: 2 * now[0])
    assert competitors.turn(step, 3) == (3.0, 6.0)


@pytest.mark.system
def test_a_competitor_runs_in_a_process_of_its_own_when_it_has_its_turn():
    with competitors.Competitor("ours", "indrnn", TINY, 3) as competitor:
        turns = [competitor.turn() for _ in range(2)]
    assert all(cpu > 0 and wall > 0 for cpu, wall in turns)
    assert competitor.process.returncode == 0


@pytest.mark.system
def test_a_competitor_that_dies_is_named(capfd):
    with pytest.raises(RuntimeError, match=r"runs ours of no-cell ended: KeyError: 'no-cell'\.$"):
        competitors.Competitor("ours", "no-cell", TINY, 3).__enter__()
    assert capfd.readouterr().err == ""                       # its traceback is nobody's message
    with competitors.Competitor("ours", "indrnn", TINY, 3) as competitor:
        os.kill(competitor.process.pid, signal.SIGINT)        # as Ctrl-C in a terminal reaches every process
        competitor.process.wait()
        with pytest.raises(RuntimeError, match="runs ours of indrnn ended: it was killed"):
            competitor._answer()
    assert capfd.readouterr().err == ""


def test_a_column_is_as_wide_as_the_longest_name_in_it(capsys):
    cells = ("rnn", "indrnn-residual-21-no-norm")
    assert workloads.wide(cells) == 26 and workloads.wide(["rnn"]) == 10
    for cell in cells:
        seconds = {"ours": {"cpu": [1.0]}, "eager": {"cpu": [2.0]}}
        speed.show({"workload": "W1", "cell": cell, "seconds": seconds}, workloads.wide(cells))
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index("1000.00") for line in lines}) == 1 and len(lines) == 4


def test_a_record_that_cannot_be_written_is_found_before_anything_is_measured(tmp_path, monkeypatch):
    def full(**_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    monkeypatch.setattr(process, "settle", lambda _: pytest.fail("it measures"))
    with pytest.raises(OSError, match=r"new\.json cannot be written \(No space left on device\): give a folder"):
        bench.main(options("--import", "--json", str(tmp_path / "new.json")))


def test_ratios_are_ours_over_theirs_by_rounds_and_by_the_fastest():
    row = {"seconds": {"ours": {"cpu": [1.0, 2.0, 9.0]}, "eager": {"cpu": [4.0, 4.0, 3.0]}}}
    assert speed.ratios(row, "eager") == (0.5, 1 / 3)


def test_the_floor_of_a_round_is_the_sum_of_its_parts_in_that_round():
    row = {"seconds": {part: {"cpu": [10.0**place, 2.0]} for place, part in enumerate(floors.PARTS)}}
    row["seconds"]["ours"] = {"cpu": [2222.0, 12.0]}
    assert speed.times(row, "floor") == [1111.0, 8.0]
    assert speed.ratios(row, "floor") == (1.75, 1.5)


@pytest.mark.parametrize("pair, name, said", [
    ((0.2, 0.9), "eager", "ahead"), ((1.1, 1.2), "jax", "BEHIND"), ((0.9, 1.1), "nn", "unclear"),
    ((1.1, 1.3), "floor", "within 1.3 x floor"), ((1.5, 1.4), "floor", "ABOVE 1.3 x floor"),
    ((1.2, 1.4), "floor", "unclear"),
])
def test_a_verdict_needs_both_ratios(pair, name, said):
    assert speed.verdict(pair, name) == speed.verdict(pair[::-1], name) == said


def test_a_fresh_start_leaves_the_choice_of_kernel_to_openblas_and_happens_once(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execve", lambda *call: started.append(call))
    monkeypatch.delenv(process.SETTLED, raising=False)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "minidurnn", "bench"])
    process.settle()
    process.settle("Zen")
    (program, command, environment), (_, _, chosen) = started
    assert (program, command) == (sys.executable, [sys.executable, "-m", "minidurnn", "bench"])
    assert "OPENBLAS_CORETYPE" not in environment and chosen["OPENBLAS_CORETYPE"] == "Zen"
    assert all(environment[name] == "1" for name in process.THREADS)
    monkeypatch.setattr(os, "environ", environment)
    process.settle()
    assert len(started) == 2


def test_two_steps_and_a_long_update_tell_their_memory():
    taken = memory.two_steps("ours", "durnn", json.dumps(TINY), "3")
    assert 0 < taken["start"] <= taken["peak"]
    row = memory.long_update("indrnn", TINY._replace(T=40, chunk=4))
    assert 0 < row["imports"] <= row["peak"] and row["seconds"] >= 0
    row = memory.symbols_update("gilr-lstm", "3000")          # 30 steps can take less than its hundredths of a second
    assert 0 < row["imports"] <= row["peak"] and row["seconds"] > 0


def test_memory_is_measured_at_w4_or_at_the_lengths_that_are_asked_for(settled, monkeypatch, capsys):
    monkeypatch.setattr(memory, "fresh", lambda job, name, cell, workload, chunk: {"start": 1, "peak": 2})
    for words, titles in (((), ["W4"]), (("--lengths", "5,9"), ["T5", "T9"])):
        assert bench.main(options("--memory", "--cells", "transformer", "--peers", "eager", *words)) == 0
        said = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in said if "transformer" in line] == titles


@pytest.mark.system
def test_a_process_that_fails_says_what_it_was_about():
    with pytest.raises(RuntimeError, match="measures long_update of no-cell ended with code 1: KeyError: 'no-cell'"):
        memory.fresh("long_update", "no-cell")


@pytest.mark.parametrize("cell", ["indrnn", "durnn"])
def test_the_update_that_is_split_is_the_update_that_fit_makes(cell):
    network, task = Network(Chunked(workloads.body(cell, TINY), 3), 1), Adding(TINY.T)
    laps = []
    *_, split = islice(updates.training(network, task, TINY.B, laps.append), 3)
    assert laps == 3 * list(updates.PARTS)
    whole, _ = fit(network, task, 3, batch=TINY.B, log_every=1, validate_every=None, progress=False)
    assert all((leaf == leaves(whole)[name]).all() for name, leaf in leaves(split).items())


def test_a_record_holds_every_part_and_is_not_overwritten(settled, tmp_path, capsys):
    file = tmp_path / "record.json"
    words = ("--cells", "indrnn,rnn", "--workloads", "W1", "--rounds", "7", "--json", str(file), "--update", "--chunks")
    assert bench.main(options(*words)) == 0
    record = json.loads(file.read_text())
    assert record["schema"] == bench.SCHEMA
    assert {"date", "hardware", "blas", "versions", "workloads", "update", "chunks"} <= record.keys()
    assert [row["cell"] for row in record["update"]] == ["indrnn", "rnn"]
    assert {*record["update"][0]["seconds"]} == {*updates.PARTS}
    assert len(record["chunks"][0]["seconds"]["7"]["cpu"]) == 7
    assert "optimiser" in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"record\.json exists: expected a new name"):
        bench.main(options(*words))


def test_a_record_that_appeared_meanwhile_is_not_overwritten(settled, tmp_path, monkeypatch):
    file = tmp_path / "record.json"
    monkeypatch.setattr(updates, "measure_import", lambda: file.write_text("another's"))
    with pytest.raises(FileExistsError, match=r"record\.json exists: expected a new name; nothing is overwritten"):
        bench.main(options("--import", "--json", str(file)))
    assert file.read_text() == "another's" and [*tmp_path.iterdir()] == [file]


@pytest.mark.skipif(find_spec("torch") is None, reason="the race needs a peer, PyTorch is not installed")
def test_the_race_prints_a_line_for_every_peer_and_records_every_round(settled, tmp_path, capsys):
    file = tmp_path / "record.json"
    words = ("--cells", "rnn", "--workloads", "W1,W5", "--peers", "eager,nn,hoisted", "--rounds", "7")
    assert bench.main(options(*words, "--json", str(file))) == 0
    rows = json.loads(file.read_text())["speed"]
    assert [row["workload"] for row in rows] == ["W1", "W5"]
    assert [*rows[0]["seconds"]] == ["ours", "eager", "nn", *floors.PARTS]
    assert all(len(clocks["cpu"]) == len(clocks["wall"]) == 7 for clocks in rows[0]["seconds"].values())
    printed = capsys.readouterr().out
    assert all(printed.count(f"\n{workload}   rnn        {name:<8} ") == 1
               for workload in ("W1", "W5") for name in ("", "floor", "eager", "nn"))


def test_a_model_has_its_floor_without_any_peer_and_one_without_a_floor_its_time(settled, capsys):
    words = ("--workloads", "W1", "--rounds", "7", "--peers", "eager")
    assert bench.main(options(*words, "--cells", "short-term,indrnn-2")) == 0
    own, floor, alone = (line for line in capsys.readouterr().out.splitlines() if line.startswith("W1"))
    assert own.startswith("W1   short-term  ") and "floor: products" in own
    assert floor.startswith("W1   short-term floor ")
    assert alone.split()[:2] == ["W1", "indrnn-2"] and "floor" not in alone


@pytest.mark.skipif(find_spec("torch") is None, reason="the race needs a peer, PyTorch is not installed")
def test_the_race_runs_at_other_lengths(settled, tmp_path):
    words = ("--cells", "rnn", "--peers", "eager", "--lengths", "3,5", "--json", str(tmp_path / "record.json"))
    assert bench.main(options(*words)) == 0
    record = json.loads((tmp_path / "record.json").read_text())
    assert [(name, sizes["T"]) for name, sizes in record["workloads"].items()] == [("T3", 3), ("T5", 5)]


@pytest.mark.parametrize("wrong", ["3,x", "0", "", "-3", "3.5", "1e3", "9" * 5000])
def test_lengths_are_whole_numbers_from_1(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        options(f"--lengths={wrong}")
    assert f"{wrong[:80]!r} is no list of whole numbers from 1 such as 256,1024" in capsys.readouterr().err


def test_a_peer_that_is_not_installed_is_skipped_with_its_reason(settled, monkeypatch, capsys):
    monkeypatch.setattr(implementations, "find_spec", lambda name: None)
    assert bench.main(options("--cells", "rnn", "--workloads", "W1", "--peers", "jax")) == 0
    assert "skipped: jax (jax.jit of lax.scan), jax is not installed" in capsys.readouterr().out


@pytest.mark.parametrize("words, said", [
    (("--cells", "rnn,lstmm"), "unknown model 'lstmm'"),
    (("--workloads", "W6"), "unknown workload 'W6'"),
    (("--peers", "tensorflow"), "unknown peer 'tensorflow'"),
    (("--rounds", "3"), "rounds is 3: expected at least 7"),
    (("--chunk", "0"), "chunk is 0"),
    (("--json", "no/such/folder/record.json"), "no/such/folder is no folder; make it first"),
])
def test_a_wrong_option_is_one_sentence_before_anything_starts(monkeypatch, words, said):
    monkeypatch.setattr(process, "settle", lambda _: pytest.fail("started"))
    with pytest.raises(ValueError, match=said):
        bench.main(options(*words))


REPEATED = """
import resource
from minidurnn.bench import ours, workloads
w = workloads.Workload(100, 50, 2, 128, 1, 100)
cell = workloads.body("indrnn", w)
step = ours.prepare(cell, *workloads.inputs(cell, w), w.chunk)
step(), step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / 10)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only Linux's C library keeps freed memory in this way")
@pytest.mark.system
def test_a_repeated_step_finds_its_memory_where_the_one_before_left_it():
    done = subprocess.run([sys.executable, "-c", REPEATED], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 200                           # an array of the step has 625; about 2,000 are given back


def test_memory_by_length_is_measured_anew_for_every_length(monkeypatch, capsys):
    monkeypatch.setattr(memory, "fresh", lambda job, cell, T: {"imports": 40.0, "peak": 40.0 + T, "seconds": T / 10})
    rows = memory.measure_lengths(["gilr-lstm", "durnn"], (10, 2000))
    assert [(row["cell"], row["T"], row["peak"]) for row in rows] == [
        ("gilr-lstm", 10, 50.0), ("gilr-lstm", 2000, 2040.0), ("durnn", 10, 50.0), ("durnn", 2000, 2040.0)]
    assert "2,000" in capsys.readouterr().out


def test_peers_without_a_gpu_say_so():                        # here, where PyTorch and JAX are imported in any case
    for peer in gpu.PEERS:
        assert gpu.absent(peer) is None or "installed" in gpu.absent(peer) or "has no" in gpu.absent(peer)
