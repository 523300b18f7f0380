"""The benchmark on a GPU: what it runs, checks and records. The stand-in for CuPy has no speed worth a word."""

import argparse
import json
import re
import shlex
from pathlib import Path

import pytest

from minidurnn import bench, command_line
from minidurnn.bench import floors, gpu, workloads
from minidurnn.bench.workloads import Workload

TINY = Workload(T=7, B=3, D=2, H=4, rounds=7)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name in workloads.WORKLOADS:
        monkeypatch.setitem(workloads.WORKLOADS, name, TINY)


def options(*words):
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return parser.parse_args(words)


def test_one_call_measures_every_cell_with_its_update_and_its_floors(cupy, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(gpu, "speeds", lambda: (1e9, 1e12, 1e-6))
    monkeypatch.setattr(gpu, "absent", lambda peer: f"{peer} is for another test")
    file = tmp_path / "gpu.json"
    assert bench.main(options("--backend", "cupy", "--workloads", "W1", "--json", str(file))) == 0
    record = json.loads(file.read_text())
    assert record["kind"] == "bench-gpu" and record["gpu"] == "stand-in" and "nn" in record["skipped"]
    assert [row["cell"] for row in record["gpu-speed"]] == list(floors.STEPS)
    for row in record["gpu-speed"]:
        assert {who: [len(times) for times in clocks.values()] for who, clocks in row["seconds"].items()} == {
            "ours": [7, 7], "update": [7, 7]}
        assert row["floor"].keys() == {"bytes", "flops", "steps"} and row["floor"]["steps"] == 7e-6
    assert "x the largest of its floors" in capsys.readouterr().out


def test_the_flops_of_the_floor_are_those_of_the_products(monkeypatch):
    monkeypatch.setattr(gpu, "speeds", lambda: (1.0, 1.0, 0.0))
    T, B, D, H = TINY[:4]
    recurrent, around = 2 * T * B * H * H, 2 * T * B * D * H  # one product of each kind
    ones = 2 * T * B * H                                      # b as the weight of an input of ones, and its gradient
    assert gpu.floor("rnn", TINY)["flops"] == 3 * recurrent + 3 * around + 2 * ones
    assert gpu.floor("lstm", TINY)["flops"] == 4 * (3 * recurrent + 3 * around + 2 * ones)
    assert gpu.floor("indrnn-2", TINY) == {}


def test_where_the_gpu_computes_something_else_nothing_is_timed(cupy, monkeypatch, capsys):
    right = gpu.prepare

    def planted(*case):
        value, gradients = right(*case)()
        return lambda: (value, {**gradients, "U": gradients["U"].T})
    monkeypatch.setattr(gpu, "prepare", planted)
    monkeypatch.setattr(gpu, "absent", lambda peer: f"{peer} is for another test")
    assert bench.main(options("--backend", "cupy", "--cells", "rnn")) == 1
    assert "rnn: ours on the GPU differs in U" in capsys.readouterr().err


def test_a_long_loop_is_not_compiled():
    assert "compiled" in gpu.field("rnn", ["compiled", "nn"], 100)
    assert gpu.field("rnn", ["compiled", "nn"], 101) == ("ours", "nn")
    assert gpu.field("indrnn", ["nn", "jax"], 5) == ("ours", "jax")


def test_on_a_gpu_only_its_peers_can_be_asked_for_and_each_alone(cupy, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "measure", lambda workloads, cells, peers: [])
    monkeypatch.setattr(gpu, "absent", lambda peer: f"{peer} is for another test")
    for number, (asked, known) in enumerate((((), set(gpu.PEERS)), (("--peers", "compiled"), {"compiled"}))):
        file = tmp_path / f"{number}.json"
        assert bench.main(options("--backend", "cupy", *asked, "--json", str(file))) == 0
        assert set(json.loads(file.read_text())["skipped"]) == known
    with pytest.raises(ValueError, match="unknown peer 'hoisted': expected one of eager, compiled, nn, jax"):
        bench.main(options("--backend", "cupy", "--peers", "hoisted"))


def test_the_speeds_of_a_gpu_are_above_zero(cupy, monkeypatch):
    monkeypatch.setattr(gpu, "SAMPLES", (1000, 10, 20))
    assert all(speed > 0 for speed in gpu.speeds.__wrapped__())


@pytest.mark.parametrize("option", ["--memory", "--all", "--kernel=Haswell", "--chunk=3"])
def test_parts_that_belong_to_a_processor_are_refused(option):
    with pytest.raises(ValueError, match="expected none of --chunk"):
        bench.main(options("--backend", "cupy", option))


def test_the_one_command_for_a_gpu_gives_only_options_that_there_are():
    script = (Path(__file__).parents[2] / ".ci" / "gpu").read_text().replace("\\\n", " ")
    commands = [shlex.split(line) for line in re.findall(r"python -m minidurnn (.*)", script)]
    chosen = [command_line.parser().parse_args(words) for words in commands]
    assert [one.command for one in chosen] == ["bench", "bench", "replicate"]
    assert {one.backend for one in chosen} == {"cupy"}
