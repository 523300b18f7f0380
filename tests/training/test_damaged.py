"""Damaged, incomplete and edited files: one sentence with the path and what to do, never a run that is another."""

import copy
import json
import os
from dataclasses import dataclass, field
from zipfile import ZipFile

import numpy as np
import pytest
from killed_run import Echo
from support import refuses

from minidurnn import RNN, Network, fit, load, save
from minidurnn.arrays.trees import map_leaves
from minidurnn.training import storage
from minidurnn.training.storage import read, write

NETWORK = Network(RNN(1, 4), 1, reads="every")


def small(path, **options):
    """Arguments of a short run in windows: it stops between two rows and between two windows."""
    return {
        "network": NETWORK, "task": Echo(20), "updates": 6, "batch": 3, "window": 7, "log_every": 4,
        "validate_every": 4, "checkpoint": path, "checkpoint_every": 4, "progress": False, "resume": True, **options}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A checkpoint at update 7 of 20: in the second window of a batch, three updates after a row  ->  arrays, facts."""
    path = tmp_path_factory.mktemp("checkpoint") / "run.npz"
    fit(**small(path, updates=7))
    arrays, facts = read(path, "checkpoint")
    assert arrays["carried"].shape == (3, 4) and facts["run"]["offset"] == 7 and len(facts["run"]["recent"]) == 3
    return arrays, {name: facts[name] for name in ("kind", "setting", "run")}


def edited(facts, **changes):
    """Facts in which entries of the run are others."""
    return {**facts, "run": {**facts["run"], **changes}}


def without(facts, name):
    """Facts in which the run lacks an entry."""
    return {**facts, "run": {key: entry for key, entry in facts["run"].items() if key != name}}


def history(facts, change):
    """Facts in which `change` has changed the history."""
    run = copy.deepcopy(facts["run"])
    change(run["history"])
    return {**facts, "run": run}


SPOILT = {
    "no run": lambda arrays, facts: (arrays, {"kind": "checkpoint", "setting": facts["setting"]}),
    "an empty run": lambda arrays, facts: (arrays, {**facts, "run": {}}),
    "a list for a run": lambda arrays, facts: (arrays, {**facts, "run": [1, 2]}),
    "no update": lambda arrays, facts: (arrays, without(facts, "update")),
    "no stream": lambda arrays, facts: (arrays, without(facts, "data_rng")),
    "something more": lambda arrays, facts: (arrays, edited(facts, colour="red")),
    "a negative update": lambda arrays, facts: (arrays, edited(facts, update=-1)),
    "a huge update": lambda arrays, facts: (arrays, edited(facts, update=10**15)),
    "another update": lambda arrays, facts: (arrays, edited(facts, update=6)),
    "half an update": lambda arrays, facts: (arrays, edited(facts, update=7.0)),
    "a true update": lambda arrays, facts: (arrays, edited(facts, update=True)),
    "no recent updates": lambda arrays, facts: (arrays, edited(facts, recent=[])),
    "recent words": lambda arrays, facts: (arrays, edited(facts, recent=3 * ["abc"])),
    "recent pairs": lambda arrays, facts: (arrays, edited(facts, recent=3 * [[1.0, 2.0]])),
    "a recent number": lambda arrays, facts: (arrays, edited(facts, recent=5)),
    "a ragged history": lambda arrays, facts: (arrays, history(facts, lambda columns: columns["loss"].append(1.0))),
    "a history of other updates": lambda arrays, facts: (
        arrays, history(facts, lambda columns: columns.update(update=[3]))),
    "a history without a column": lambda arrays, facts: (arrays, history(facts, lambda columns: columns.pop("rate"))),
    "a history of words": lambda arrays, facts: (arrays, history(facts, lambda columns: columns.update(loss=["low"]))),
    "a history that is none": lambda arrays, facts: (arrays, edited(facts, history=None)),
    "an end elsewhere": lambda arrays, facts: (arrays, edited(facts, end={**facts["run"]["end"], "update": 3})),
    "an end of words": lambda arrays, facts: (arrays, edited(facts, end="here")),
    "a schedule of another kind": lambda arrays, facts: (arrays, edited(facts, schedule={"best": 1.0})),
    "seconds that are none": lambda arrays, facts: (arrays, edited(facts, seconds=None)),
    "a stream of another kind": lambda arrays, facts: (arrays, edited(facts, data_rng={"bit_generator": "MT19937"})),
    "a stream that is none": lambda arrays, facts: (arrays, edited(facts, noise_rng=5)),
    "no place in the batch": lambda arrays, facts: (arrays, edited(facts, offset=0)),
    "a place between two windows": lambda arrays, facts: (arrays, edited(facts, offset=6)),
    "a negative place": lambda arrays, facts: (arrays, edited(facts, offset=-7)),
    "no state": lambda arrays, facts: ({**arrays, "carried": None}, facts),
    "a state of other sequences": lambda arrays, facts: ({**arrays, "carried": np.zeros((2, 4), np.float32)}, facts),
    "a state of another dtype": lambda arrays, facts: ({**arrays, "carried": np.zeros((3, 4))}, facts),
    "a tree for a state": lambda arrays, facts: ({**arrays, "carried": {"h": np.zeros((3, 4), np.float32)}}, facts),
    "another tree": lambda arrays, facts: ({**arrays, "more": np.zeros(3)}, facts),
    "no parameters": lambda arrays, facts: ({**arrays, "p": None}, facts),
    "no optimiser": lambda arrays, facts: ({**arrays, "optimizer": None}, facts),
    "parameters of another dtype": lambda arrays, facts: (
        {**arrays, "p": map_leaves(np.float64, arrays["p"])}, facts),
    "half a count": lambda arrays, facts: (
        {**arrays, "optimizer": {**arrays["optimizer"], "updates": np.float64(7.5)}}, facts),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_checkpoint_that_is_damaged_or_was_edited_is_refused(spoil, written, tmp_path):
    path = tmp_path / "run.npz"
    write(path, *spoil(*copy.deepcopy(written)))
    before = path.read_bytes()
    with refuses(ValueError, str(path), "use another copy, or delete it to begin again") as caught:
        fit(**small(path, updates=20))
    assert "\n" not in str(caught.value) and path.read_bytes() == before


def test_a_place_behind_the_end_of_the_sequences_is_refused(written, tmp_path):
    write(tmp_path / "run.npz", written[0], edited(written[1], offset=70))
    with refuses(ValueError, "the checkpoint stopped at step 70 of sequences of 20 steps"):
        fit(**small(tmp_path / "run.npz", updates=20))


def test_the_checkpoint_that_the_others_are_made_of_is_resumed(written, tmp_path):
    write(tmp_path / "run.npz", *written)
    _, columns = fit(**small(tmp_path / "run.npz", updates=20))
    assert columns["loss"] == fit(**small(None, updates=20))[1]["loss"]


@pytest.mark.parametrize("setting", [None, [], "adding", {}, {"seed": 0}], ids=repr)
def test_a_checkpoint_that_does_not_say_of_what_it_is_is_of_another_run(setting, written, tmp_path):
    write(tmp_path / "run.npz", written[0], {**written[1], "setting": setting})
    with refuses(ValueError, str(tmp_path / "run.npz"), "of another run", "missing"):
        fit(**small(tmp_path / "run.npz"))


def test_a_file_that_is_no_checkpoint_is_refused_with_what_to_do(tmp_path):
    for content in (b"", b"h[t] = tanh(...)", b"PK\x03\x04"):
        (tmp_path / "run.npz").write_bytes(content)
        with refuses(ValueError, str(tmp_path / "run.npz"), "damaged", "use another copy, or delete it to begin again"):
            fit(**small(tmp_path / "run.npz"))


# What load would refuse is refused by save, before anything is replaced

P = NETWORK.init(np.random.default_rng(0))


def with_leaf(leaf):
    """Parameters in which one leaf is another."""
    return {**P, "readout": {**P["readout"], "b": leaf}}


@pytest.mark.parametrize("leaf", [
    np.array([None]), np.array([b"a"]), np.array(["2026-11-28"], "M8[D]"), np.array([1j]), np.array([1]),
    np.array([True]), np.zeros(1, np.float16), np.zeros(1), np.zeros(1, "V4"),
], ids=lambda leaf: str(leaf.dtype))
def test_a_leaf_of_another_dtype_is_neither_saved_nor_loaded(leaf, tmp_path):
    path = tmp_path / "model.npz"
    save(path, NETWORK, P)
    before = path.read_bytes()
    with refuses(ValueError, "p has parameters of", str(leaf.dtype), "all of float32, or all of float64"):
        save(path, NETWORK, with_leaf(leaf))
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    with np.load(path) as file:
        entries = {name: file[name] for name in file.files}
    np.savez(path, **{**entries, "p/readout/b": leaf})
    with refuses(ValueError, str(path)):
        load(path)


class Undescribed:
    """A model that is no dataclass."""

    def init(self, rng):
        """One leaf."""
        return {"W": np.zeros(2, np.float32)}


def test_a_model_that_could_not_be_built_again_is_not_saved(tmp_path):
    with refuses(TypeError, "Undescribed", "cannot be written", "a dataclass"):
        save(tmp_path / "model.npz", Undescribed(), {"W": np.zeros(2, np.float32)})
    @dataclass(frozen=True)
    class Hidden(Undescribed):
        """A model with an option that nobody can give."""

        units: int = field(default=4, init=False)
    with refuses(ValueError, "Hidden", "units"):
        save(tmp_path / "model.npz", Hidden(), {"W": np.zeros(2, np.float32)})
    assert not list(tmp_path.iterdir())


def test_two_arrays_of_one_name_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    save(path, NETWORK, P)
    with ZipFile(path, "a") as packed, pytest.warns(UserWarning, match="Duplicate"):
        packed.writestr("p/readout/b.npy", packed.read("p/body/b.npy"))
    with refuses(ValueError, str(path), "two of its arrays have one name"):
        load(path)


def test_a_file_whose_arrays_would_take_more_than_itself_is_not_unpacked(tmp_path):
    path = tmp_path / "model.npz"
    np.savez_compressed(path, zeros=np.zeros(10**6))
    with refuses(ValueError, str(path), "would take 80001", "more than the file"):
        load(path)


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", None, True, [1]], ids=repr)
def test_a_format_that_is_none_is_refused(version, tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "FORMAT", version)
    save(tmp_path / "model.npz", NETWORK, P)
    monkeypatch.undo()
    with refuses(ValueError, str(tmp_path / "model.npz"), f"its format is {version!r}"):
        load(tmp_path / "model.npz")


@pytest.mark.parametrize("model", [
    None, 5, "RNN", [], {}, {"class": "RNN"}, {"class": "RNN", "options": 3}, {"class": ["RNN"]},
], ids=json.dumps)
def test_a_description_that_is_none_is_refused(model, tmp_path):
    write(tmp_path / "model.npz", {"p": P}, {"kind": "model", "model": model})
    with refuses(ValueError, str(tmp_path / "model.npz"), "cannot build"):
        load(tmp_path / "model.npz")


def test_memory_that_runs_out_is_not_called_damage(tmp_path, monkeypatch):
    save(tmp_path / "model.npz", NETWORK, P)

    def exhausted(*_, **__):
        raise MemoryError
    monkeypatch.setattr(np, "load", exhausted)
    with pytest.raises(MemoryError):
        load(tmp_path / "model.npz")


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr("builtins.open", forbidden)
    with refuses(PermissionError, "the model", str(tmp_path), "Permission denied"):
        load(tmp_path)


@pytest.mark.parametrize("room, name", [(np, "savez"), (os, "fsync"), (os, "replace")])
def test_a_checkpoint_that_cannot_be_written_is_told_and_the_last_one_stays(room, name, tmp_path, monkeypatch):
    path, true, calls = tmp_path / "run.npz", getattr(room, name), []

    def full(*given, **named):
        calls.append(name)
        if len(calls) > 2:                                    # the one at the start and one at update 4
            raise OSError(28, "No space left on device")
        return true(*given, **named)
    monkeypatch.setattr(room, name, full)
    with refuses(OSError, f"the checkpoint {path} cannot be written", "No space left", "make room"):
        fit(**small(path, updates=20))
    monkeypatch.undo()
    assert read(path, "checkpoint")[1]["run"]["update"] == 4
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.npz", "run.npz.lock"]
    assert fit(**small(path, updates=20))[1]["loss"] == fit(**small(None, updates=20))[1]["loss"]
