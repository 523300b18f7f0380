"""Files of models: what was saved is what is loaded, a kill leaves the last whole file, all else is refused."""

import json
import os
import pickle
import random
from dataclasses import dataclass

import forked
import killed_run
import numpy as np
import pytest
from support import CELLS, STACKS, refuses

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN, load, save
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.cells import QueueingNetwork
from minidurnn.networks import (
    AttentionDecoder,
    BatchNorm,
    Dense,
    Direct,
    Dropout,
    Embedding,
    Encoder,
    Residual,
    Translator,
    transformer,
)
from minidurnn.optim import SGD, Adam, Constant, Plateau, Steps
from minidurnn.training import storage
from minidurnn.training.files import owner
from minidurnn.training.storage import build, describe, read, write

NETWORKS = [
    Network(DuRNN(2, 3, 4, horizon=9), 1),
    Network(
        Chunked(Chain((IndRNN(2, 4, horizon=9), Chunked(RNN(4, 3), 5, keep="boundaries"), Linear(3, 2))), 16),
        10, "cross_entropy", "every"),
    Network(
        Chain((
            Embedding(5, 4), Residual(Chain((BatchNorm(4), Dropout(4, 0.25), IndRNN(4, 4, project_input=False)))),
            Dense(RNN(4, 3)))),
        5, "cross_entropy", "every"),
    Network(transformer(3, 4, 1, positions="learned", steps=9), 5, "cross_entropy", "every"),
    Direct(QueueingNetwork(3, longest=0.5), 3, "mse", "every"),
]

SENTENCES = [Translator(6, 5, 4, 3, 7, memory=2), Encoder(6, 4, 3), AttentionDecoder(4, 6, 3, 7)]


def assert_identical(ours, theirs):
    """Two trees have the same leaves, bit for bit."""
    ours, theirs = leaves(ours), leaves(theirs)
    assert ours.keys() == theirs.keys()
    for name, leaf in ours.items():
        other = theirs[name]
        assert (leaf.dtype, leaf.shape, leaf.tobytes()) == (other.dtype, other.shape, other.tobytes()), name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("model", [*CELLS, *STACKS, *NETWORKS, *SENTENCES], ids=repr)
def test_what_was_saved_is_loaded(model, dtype, tmp_path):
    p = map_leaves(lambda leaf: leaf.astype(dtype) / 3, model.init(np.random.default_rng(1)))
    save(tmp_path / "model.npz", model, p)
    loaded, q = load(tmp_path / "model.npz")
    assert loaded == model and repr(loaded) == repr(model)
    assert_identical(p, q)
    if not isinstance(model, Network) and model not in SENTENCES:
        x = np.ones((3, 2, model.inputs), dtype)
        assert_identical(loaded.forward(q, x)[0], model.forward(p, x)[0])


def test_the_models_above_are_all_that_there_are():
    def classes(model):
        if isinstance(model, (tuple, list)):
            return set().union(*map(classes, model))
        if not hasattr(model, "init"):
            return set()
        return {type(model)}.union(*(classes(option) for option in vars(model).values()))
    every = {kind for kind in storage.CLASSES.values() if hasattr(kind, "init")}
    assert classes([*CELLS, *STACKS, *NETWORKS, *SENTENCES]) == every


@pytest.mark.parametrize("part", [
    SGD(0.1, 0.9), Adam(0.1, epsilon=1e-6), Constant(), Steps(7), Plateau(3, 0.5)], ids=repr)
def test_optimisers_and_schedules_are_plain_data_and_back(part):
    assert build(json.loads(json.dumps(describe(part))), storage.CLASSES) == part


def test_nothing_random_is_rounded(tmp_path):
    streams = [np.random.default_rng(seed) for seed in range(20)]
    for stream in streams:
        stream.integers(0, 9, 3, dtype=np.int32)              # leaves half a draw in the state
    states = [stream.bit_generator.state for stream in streams]
    write(tmp_path / "streams.npz", {}, {"kind": "streams", "states": states})
    _, facts = read(tmp_path / "streams.npz", "streams")
    assert any(state["state"]["state"] > 2**64 for state in facts["states"])
    for stream, state in zip(streams, facts["states"]):
        assert state == stream.bit_generator.state
        resumed = np.random.default_rng()
        resumed.bit_generator.state = state
        assert resumed.random(5).tolist() == stream.random(5).tolist()


def test_floats_in_the_facts_are_exact(tmp_path):
    numbers = np.random.default_rng(0).normal(size=200).tolist() + [0.1 + 0.2, 5e-324, 1e308, -0.0]
    write(tmp_path / "facts.npz", {}, {"kind": "facts", "numbers": numbers})
    assert list(map(repr, read(tmp_path / "facts.npz", "facts")[1]["numbers"])) == list(map(repr, numbers))


STEPS = ("before savez", "in savez", "after savez", "before replace", "after replace")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_in_the_writing_leaves_a_whole_file(step, tmp_path):
    path, old = tmp_path / "model.npz", RNN(2, 3)
    p = old.init(np.random.default_rng(1))
    save(path, old, p)
    killed = forked.process(killed_run.write_and_die, step, path)
    killed.join()
    assert killed.exitcode == -9
    model, q = load(path)
    expected = killed_run.new_model() if step == "after replace" else (old, p)
    assert model == expected[0]
    assert_identical(q, expected[1])
    left = [file for file in tmp_path.iterdir() if file != path]
    assert len(left) == (step != "after replace")
    assert all(file.name.startswith(".unfinished-model.npz-") for file in left)
    if step == "in savez":
        with refuses(ValueError, "damaged"):
            load(*left)
    save(path, *killed_run.new_model())                       # what was left over does no harm
    assert load(path)[0] == killed_run.new_model()[0]
    with owner(path):                                         # and who owns the file clears it away
        assert {file.name for file in tmp_path.iterdir()} == {"model.npz", "model.npz.lock"}


@pytest.mark.parametrize("name", ["savez", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(name, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")
    model = RNN(2, 3)
    save(tmp_path / "model.npz", model, model.init(np.random.default_rng(1)))
    before = (tmp_path / "model.npz").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(np if name == "savez" else os, name, full)
        with refuses(OSError, "No space left"):
            save(tmp_path / "model.npz", model, model.init(np.random.default_rng(2)))
    assert (tmp_path / "model.npz").read_bytes() == before


def test_the_file_is_on_the_disk_before_its_name_points_to_it(tmp_path, monkeypatch):
    done = []

    def noted(name, true):
        return lambda *given, **more: (done.append(name), true(*given, **more))
    for room, name in ((np, "savez"), (os, "fsync"), (os, "replace")):
        monkeypatch.setattr(room, name, noted(name, getattr(room, name)))
    model = RNN(2, 3)
    save(tmp_path / "model.npz", model, model.init(np.random.default_rng(1)))
    assert done == ["savez", "fsync", "replace"]


@pytest.fixture
def path(tmp_path):
    """A file with a model in it."""
    model = Network(RNN(2, 3), 1)
    save(tmp_path / "model.npz", model, model.init(np.random.default_rng(1)))
    return tmp_path / "model.npz"


def rewrite(path, facts=None, without=(), **arrays):
    """Change a file's header or arrays, as no save would."""
    with np.load(path) as file:
        entries = {name: file[name] for name in file.files if name not in without}
    header = json.loads(entries["header"].tobytes())
    entries["header"] = np.frombuffer(json.dumps({**header, **(facts or {})}).encode(), np.uint8)
    np.savez(path, **{**entries, **arrays})


class Payload:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a pickle was opened')",)


def test_a_pickle_is_not_opened_inside_an_npz_or_alone(path):
    rewrite(path, **{"p/body/W": np.array([Payload()], dtype=object)})
    with refuses(ValueError, str(path), "damaged or no file of minidurnn", "Object arrays cannot be loaded"):
        load(path)
    path.write_bytes(pickle.dumps(Payload()))
    with refuses(ValueError, str(path), "damaged or no file of minidurnn", "expected a model"):
        load(path)


FOREIGN = {
    "text": lambda path: path.write_text("h[t] = act(x[t] W + h[t-1] U + b)\n"),
    "nothing": lambda path: path.write_bytes(b""),
    "one array": lambda path: path.write_bytes(path.with_name("one.npy").read_bytes()),
    "arrays without a header": lambda path: np.savez(path, W=np.zeros(3)),
    "a header that is no JSON": lambda path: rewrite(path, header=np.zeros(3, np.uint8)),
    "a header that is a list": lambda path: rewrite(path, header=np.frombuffer(b"[1, 2]", np.uint8)),
}


@pytest.mark.parametrize("spoil", FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_something_else_is_refused(spoil, path):
    np.save(path.with_name("one.npy"), np.zeros(3))
    spoil(path)
    with refuses(ValueError, str(path), "damaged or no file of minidurnn", "expected a model", "another copy"):
        load(path)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with refuses(ValueError, str(tmp_path), "expected a model"):
        load(tmp_path)
    with refuses(FileNotFoundError, "no file", "nowhere.npz", "expected a model", "check the path"):
        load(tmp_path / "nowhere.npz")


def test_a_file_that_was_cut_anywhere_is_refused(path):
    whole = path.read_bytes()
    for size in range(0, len(whole), 19):
        path.write_bytes(whole[:size])
        with refuses(ValueError, "damaged or no file of minidurnn"):
            load(path)


def test_a_flipped_byte_is_refused_or_does_no_harm(path):
    model, p = load(path)
    whole, chance = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(300):
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1:])
        try:
            loaded, q = load(path)                            # dates and such may change
        except ValueError as error:
            assert str(path) in str(error)
            refused += 1
        else:
            assert loaded == model
            assert_identical(p, q)
    assert refused > 200


def test_another_kind_a_newer_format_and_an_unknown_class_are_refused(path):
    with refuses(ValueError, str(path), "holds a model", "expected a checkpoint"):
        read(path, "checkpoint")
    rewrite(path, {"format": storage.FORMAT + 1})
    words = f"format {storage.FORMAT + 1}", f"up to {storage.FORMAT}", "install a newer minidurnn"
    with refuses(ValueError, str(path), *words):
        load(path)
    rewrite(path, {"format": storage.FORMAT, "model": {"class": "Transformer", "options": {}}})
    with refuses(ValueError, str(path), "Transformer", "IndRNN", "class of your own"):
        load(path)


@pytest.mark.parametrize("options", [
    {"inputs": 2, "units": 3, "colour": "red"}, {"inputs": 2}, {"inputs": 2, "units": 0},
], ids=["unknown", "missing", "impossible"])
def test_an_option_that_does_not_fit_its_class_is_refused(options, path):
    rewrite(path, {"model": {"class": "RNN", "options": options}})
    with refuses(ValueError, str(path), "cannot build", "units" if "colour" not in options else "colour"):
        load(path)


@pytest.mark.parametrize("change, words", [
    ({"without": ["p/body/U"]}, ("body/U is missing", "expected shape (3, 3)")),
    ({"p/body/U": np.zeros((3, 4), np.float32)}, ("body/U has shape (3, 4)", "expected shape (3, 3)")),
    ({"p/body/V": np.zeros(3, np.float32)}, ("body/V has shape (3,)", "expected no array of this name")),
    ({"without": ["p/body/W", "p/body/U", "p/body/b", "p/readout/W", "p/readout/b"]}, ("body/W is missing",)),
    ({"p/body": np.zeros(3)}, ("body/W is missing",)),
], ids=["missing", "another shape", "too many", "none", "an array for a branch"])
def test_arrays_that_do_not_fit_the_model_are_refused(change, words, path):
    rewrite(path, **change)
    with refuses(ValueError, str(path), "does not fit its model", *words):
        load(path)


def test_parameters_of_another_model_are_not_saved(tmp_path):
    with refuses(ValueError, "does not fit its model", "W has shape (2, 3)", "expected shape (2, 4)"):
        save(tmp_path / "model.npz", RNN(2, 4), RNN(2, 3).init(np.random.default_rng(0)))
    assert not list(tmp_path.iterdir())


@dataclass(frozen=True)
class Own:
    """A model of a reader's own around one of ours."""

    inner: object
    share: float = 0.5

    def init(self, rng):
        """The inner model's, and a branch with nothing in it."""
        return {"inner": self.inner.init(rng), "rest": {}}


def test_a_class_of_ones_own_is_loaded_when_it_is_given(tmp_path):
    model = Own(ShortTermRNN(2, 3))
    p = model.init(np.random.default_rng(0))
    save(tmp_path / "own.npz", model, p)
    with refuses(ValueError, "Own", "load(path, Own)"):
        load(tmp_path / "own.npz")
    loaded, q = load(tmp_path / "own.npz", Own)
    assert loaded == model and q["rest"] == {}                # a branch that no file of arrays can show
    assert_identical(p, q)


def test_what_json_cannot_hold_is_refused_and_nothing_is_written(tmp_path):
    with refuses(TypeError, "cannot be written", "expected a number"):
        write(tmp_path / "odd.npz", {}, {"kind": "odd", "option": object()})
    assert not list(tmp_path.iterdir())


def test_arrays_on_the_stand_in_for_cupy_are_brought_home(cupy, path):
    model, p = load(path)
    save(path, model, map_leaves(cupy.asarray, p))
    assert_identical(p, load(path)[1])


def test_a_path_may_be_a_string_and_its_folder_is_made(tmp_path):
    model = RNN(2, 3)
    save(str(tmp_path / "new" / "folder" / "model.npz"), model, model.init(np.random.default_rng(0)))
    assert load(str(tmp_path / "new" / "folder" / "model.npz"))[0] == model
