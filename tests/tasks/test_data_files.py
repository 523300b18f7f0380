"""Text, skeletons and series: their tasks keep the contract, and their samples are what the scripts make."""

import gzip
import importlib
import os
import re
from dataclasses import fields
from fnmatch import fnmatch
from math import log, log2
from pathlib import Path

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import IndRNN, Network, fit
from minidurnn.arrays.trees import leaves
from minidurnn.cells.contract import Task
from minidurnn.tasks import (
    Adding,
    Characters,
    CopyMemory,
    DelayedXOR,
    Pixels,
    Series,
    Skeletons,
    characters,
    pixels,
    series,
    skeletons,
    store,
)
from minidurnn.tasks.characters import ALPHABET, decode, encode
from minidurnn.tasks.skeletons import features, resample
from minidurnn.tasks.store import read_npz

SAMPLES = Path(store.__file__).parent / "samples"
SIZES = {
    "pixels.npz": 478890, "characters.txt": 100_000, "skeletons.npz": 391327, "co2_mauna_loa_monthly.csv": 37561,
    "sunspots_yearly.csv": 2944, "pairs.tsv.gz": 178579,
}
TASKS = [
    Characters(20), Skeletons(12), Skeletons(12, classes=20), Skeletons(None),
    Series("co2", 24), Series("sunspots", 24),
]


def need(*names):
    """Skip unless these full files are in the folder MINIDURNN_DATA."""
    folder = os.environ.get(store.FOLDER)
    for name in names:
        if not folder or not Path(folder, name).is_file():
            pytest.skip(f"needs {name} in a folder named by {store.FOLDER}")


# the contract of every task

@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_batch_has_the_shapes_that_the_fields_announce(task):
    for x, target, lengths in (task.batch(rng(), 7), task.validation(), task.test()):
        T, B = x.shape[:2]
        steps = (T, B) if task.reads == "every" else (B,)
        assert (T, lengths) == (task.length, None) if task.length else lengths.max() <= T
        assert x.shape[2] == task.inputs and x.dtype == np.float32
        assert target.shape == (steps if task.loss != "mse" else (*steps, task.outputs))
        assert target.dtype == (np.int64 if task.loss != "mse" else np.float32)
        assert np.isfinite(x).all()
    assert task.batch(rng(), 7)[0].shape[1] == 7 and task.batch(rng(), 1)[0].shape[1] == 1


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_the_seed_decides_the_batch_and_the_evaluation_sets_stay(task):
    for give in (lambda: task.batch(rng(3), 7), task.validation, task.test):
        first, second = give(), give()
        assert (first[0] == second[0]).all() and (first[1] == second[1]).all()
    one, other = (task.batch(rng(seed), 7)[0] for seed in (3, 4))
    assert one.shape != other.shape or (one != other).any()


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_writing_into_what_a_task_gave_does_not_change_what_it_gives_next(task):
    for give in (lambda: task.batch(rng(), 7), task.validation, task.test):
        kept = [array.copy() for array in give()[:2]]
        for array in give()[:2]:
            if array.flags.writeable:
                array[:] = 0
        assert all((array == copy).all() for array, copy in zip(give(), kept))


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_a_network_trains_on_it(task):
    network = Network(IndRNN(task.inputs, 8, task.length), task.outputs, task.loss, task.reads)
    _, history = fit(network, task, 40, batch=10, validate_every=40, progress=False)
    assert history["loss"][-1] < history["loss"][0] and history["validation"][-1] is not None
    assert network.metric == task.metric


@pytest.mark.parametrize("task", [Adding(20), CopyMemory(5), DelayedXOR(20), Pixels(), *TASKS], ids=repr)
def test_a_task_keeps_the_contract_and_its_fields_say_which_task_it_is(task):
    methods = [name for name in vars(Task) if not name.startswith("_")]
    assert set(methods) == {"batch", "validation", "test", "baseline"}
    assert not [name for name in (*Task.__annotations__, *methods) if not hasattr(task, name)]
    again = type(task)(**{field.name: getattr(task, field.name) for field in fields(task)})
    assert (again, hash(again), repr(again)) == (task, hash(task), repr(task))
    name, value = task.baseline()
    assert isinstance(name, str) and type(value) is float and type(task.chance) is float


@pytest.mark.parametrize("kind, options", [
    (Adding, {"length": 100}), (CopyMemory, {"length": 9}), (DelayedXOR, {"length": 30}),
    (Pixels, {"size": 14, "permuted": True}), (Characters, {"length": 20, "source": "full"}),
    (Skeletons, {"length": 12, "classes": 20}),
    (Series, {"name": "sunspots", "length": 24}),
], ids=lambda value: getattr(value, "__name__", ""))
def test_numpys_numbers_are_taken_as_options_and_kept_as_pythons(kind, options):
    given = kind(**{name: np.array([value])[0] for name, value in options.items()})     # np.int64, np.bool_, np.str_
    assert given == kind(**options) and repr(given) == repr(kind(**options)) and hash(given) == hash(kind(**options))
    assert {name: type(value) for name, value in vars(given).items() if name in options} == {
        name: type(value) for name, value in options.items()}


@pytest.mark.parametrize("make, words", [
    (lambda: Characters(0), ["length is 0", "at least 1"]),
    (lambda: Characters(True), ["length is True", "an int of at least 1"]),
    (lambda: Skeletons(12, 10.0), ["classes is 10.0", "10, 20"]),
    (lambda: Characters(source="web"), ["source is 'web'", "'sample', 'full'"]),
    (lambda: Characters(5000), ["length is 5000", "at most 4999"]),
    (lambda: Skeletons(0), ["length is 0"]),
    (lambda: Skeletons(classes=11), ["classes is 11", "10, 20"]),
    (lambda: Skeletons(source="web"), ["source is 'web'"]),
    (lambda: Series("tides"), ["name is 'tides'", "'co2', 'sunspots'"]),
    (lambda: Series("sunspots", 61), ["length is 61", "at most 60"]),
    (lambda: Series("co2", 1.5), ["length is 1.5"]),
])
def test_a_wrong_option_is_refused(make, words):
    with refuses(ValueError, *words):
        make()


@pytest.mark.parametrize("task", [Characters(4999), Series("co2", 163), Series("sunspots", 60), Skeletons(1)], ids=repr)
def test_the_longest_and_the_shortest_length_work(task):
    for x, _, _ in (task.batch(rng(), 2), task.validation(), task.test()):
        assert len(x) == task.length and x.shape[1] >= 1


# characters

def test_the_target_is_the_next_character():
    x, target, _ = Characters(20).batch(rng(), 7)
    codes = x.argmax(2)
    assert set(np.unique(x)) == {0.0, 1.0} and (x.sum(2) == 1).all()
    assert (codes[1:] == target[:-1]).all()


def test_batches_come_from_the_training_text_and_reach_both_of_its_ends():
    text = decode(characters.load("sample")["train"])
    x, target, _ = Characters(4999).batch(rng(), 40)
    assert all(decode((*column, last)) in text for column, last in zip(x.argmax(2).T, target[-1]))

    class Ends:                                               # a generator that draws the least and the greatest
        def integers(self, low, high, B):
            return np.array([low, high - 1])

    x, target, _ = Characters(20).batch(Ends(), 2)
    assert decode(x.argmax(2)[:, 0]) == text[:20] and decode(target[:, 1]) == text[-20:]


def test_validation_and_test_are_cut_one_after_the_other_from_the_end_of_the_text():
    text = (SAMPLES / "characters.txt").read_text()
    task = Characters(20)
    for (x, target, _), part in ((task.validation(), text[90_000:95_000]), (task.test(), text[95_000:])):
        assert x.shape[1] == 249                              # (5000 - 1) // 20
        assert decode(x.argmax(2).T.ravel()) == part[:4980]
        assert decode(target.T.ravel()) == part[1:4981]


def test_the_baseline_is_the_entropy_of_single_characters():
    task = Characters(20)
    train, (_, target, _) = decode(characters.load("sample")["train"]), task.test()
    share = {character: (train.count(character) + 1) / (len(train) + 65) for character in ALPHABET}
    by_hand = -sum(log2(share[character]) for character in decode(target.ravel())) / target.size
    name, bits = task.baseline()
    assert abs(bits - by_hand) < 1e-9 and "bits" in name
    assert 4 < bits < log(65) / log(2) and abs(log2(1 / 65) + task.chance) < 1e-12


def test_text_becomes_codes_and_text_again():
    assert len(ALPHABET) == 65 and sorted(ALPHABET) == list(ALPHABET)
    assert decode(encode(ALPHABET)) == ALPHABET and (encode(ALPHABET) == np.arange(65)).all()
    assert encode("").shape == (0,)


@pytest.mark.parametrize("text, words", [
    ("7 kings", ["line 1", "'7'", "!$&',-.3:;?"]),
    ("First\nSecond\nThird citoyen \u00e9gal\n", ["line 3", "'\u00e9'"]),
    ("First\r\nSecond\r\n", ["line 1", "'\\r'"]),
])
def test_a_text_with_a_strange_character_is_refused_by_line(text, words):
    with refuses(ValueError, *words):
        encode(text)


SENTENCES = {                                                 # of the form of the Penn Treebank's files
    "ptb.train.txt": " the <unk> of N years \n no it was n't black monday \n",
    "ptb.valid.txt": " no one was there \n", "ptb.test.txt": " the years of monday \n it was \n",
}


@pytest.fixture
def treebank(tmp_path, monkeypatch):
    """A folder with three small files of the Penn Treebank's form, named by MINIDURNN_DATA."""
    for name, text in SENTENCES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv(store.FOLDER, str(tmp_path))
    for kept in (characters.load, characters.alphabet):
        kept.cache_clear()
    yield tmp_path
    for kept in (characters.load, characters.alphabet):
        kept.cache_clear()


def test_the_treebank_is_read_a_sentence_a_line_with_the_characters_of_its_training_file(treebank):
    task = Characters(5, source="penn-treebank")
    known = "".join(sorted(set("the <unk> of N years\nno it was n't black monday\n")))
    assert characters.alphabet("penn-treebank") == known and task.inputs == task.outputs == len(known)
    train = characters.load("penn-treebank")["train"]
    assert decode(train, known) == "the <unk> of N years\nno it was n't black monday\n"
    x, target, _ = task.test()
    assert decode(x.argmax(2).T.ravel(), known) == "the years of monday\nit was\n"[:25]
    assert decode(target.T.ravel(), known) == "the years of monday\nit was\n"[1:26]
    assert task.chance == log2(len(known)) and 0 < task.baseline()[1] < 8
    with refuses(ValueError, "length is 17", "at most 16"):
        Characters(17, source="penn-treebank").validation()


@pytest.mark.parametrize("name, text, words", [
    ("ptb.valid.txt", " no one \n was\u00e9 \n", ["line 2 of", "ptb.valid.txt", "ASCII"]),
    ("ptb.valid.txt", " no one \n\n was \n", ["line 2 of", "is empty", "ptb.valid.txt"]),
    ("ptb.test.txt", " it was \n a QUIZ \n", ["line 2 of ptb.test.txt", "'Q'"]),
    ("ptb.train.txt", "", ["ptb.train.txt is empty"]),
])
def test_a_malformed_treebank_is_refused_with_file_and_line(name, text, words, treebank):
    (treebank / name).write_text(text, encoding="utf-8")
    with refuses(ValueError, *words):
        Characters(5, source="penn-treebank").batch(rng(), 2)


def test_a_missing_treebank_says_what_it_is_and_where_to_put_it(treebank, monkeypatch):
    (treebank / "ptb.test.txt").unlink()
    with refuses(FileNotFoundError, "ptb.test.txt", str(treebank), "Mikolov", store.FOLDER):
        Characters(5, source="penn-treebank").batch(rng(), 2)
    characters.alphabet.cache_clear()
    monkeypatch.delenv(store.FOLDER)
    with refuses(FileNotFoundError, "ptb.train.txt", "MINIDURNN_DATA is not set"):
        Characters(5, source="penn-treebank").baseline()


def test_the_full_text_has_exactly_the_alphabet():
    need("tinyshakespeare.txt")
    data = characters.load("full")
    assert sum(map(len, data.values())) == characters.TEXTS["full"]
    assert (np.unique(np.concatenate(list(data.values()))) == np.arange(65)).all()
    assert len(data["train"]) == 1_003_854 and Characters(100, source="full").test()[0].shape == (100, 557, 65)


# skeletons

def test_features_are_relative_to_the_waist_in_units_of_300_mm():
    frames = np.full((1, 22, 3), 30_000, np.int16)            # far off: a difference in int16 would wrap
    frames[0, 3] = (-30_000, 30_300, 29_400)
    found = features(frames)
    assert found.dtype == np.float32 and found.shape == (1, 66)
    assert np.allclose(found[0, 9:12], (-200, 1, -2), atol=1e-5, rtol=0)
    assert not found[0, :9].any() and not found[0, 12:].any()


def test_resampling_keeps_both_ends_and_is_exact_for_steady_motion():
    poses = np.concatenate([np.arange(5.0), 10 + 3 * np.arange(4.0), [7.0]])[:, None]         # of 5, 4 and 1 frames
    start, lengths = np.array([0, 5, 9]), np.array([5, 4, 1])
    found = resample(poses, start, lengths, 9)[..., 0]        # (9, 3)
    assert np.abs(found - np.stack([np.linspace(0, 4, 9), np.linspace(10, 19, 9), np.full(9, 7.0)], 1)).max() < 1e-12
    assert (resample(poses, start, lengths, 5)[:, 0, 0] == np.arange(5)).all()                # the frames themselves
    assert (resample(poses, start, lengths, 1)[0, :, 0] == (0, 10, 7)).all()


def test_features_of_the_sample_agree_with_a_loop_over_its_frames():
    data = read_npz(SAMPLES / "skeletons.npz")
    x, movement, correct, _ = skeletons.load("sample", 12)["validation"]
    chosen = [row for row in range(400) if data["subject"][row] == 8]
    assert x.shape == (12, 40, 66) and len(chosen) == 40
    for column, row in enumerate(chosen):
        first, last = data["start"][row], data["start"][row] + data["length"][row] - 1
        assert (movement[column], correct[column]) == (data["movement"][row], data["correct"][row])
        for frame, step in ((first, 0), (last, -1)):
            pose = data["frames"][frame].astype(float)
            assert np.abs(x[step, column] - ((pose - pose[0]) / 300).ravel()).max() < 1e-6


def test_without_a_length_every_recording_keeps_its_frames_and_says_how_many():
    data, rows = read_npz(SAMPLES / "skeletons.npz"), {}
    for part, subjects in skeletons.SUBJECTS.items():
        rows[part] = np.flatnonzero(np.isin(data["subject"], subjects))
        x, movement, _, lengths = skeletons.load("sample", None)[part]
        assert x.shape == (skeletons.LONGEST["sample"], len(rows[part]), 66)
        assert (lengths == data["length"][rows[part]]).all()
        for column in (0, 7, len(movement) - 1):
            first, T = data["start"][rows[part][column]], lengths[column]
            assert (x[:T, column] == skeletons.features(data["frames"][first:first + T])).all() and T > 6
            assert not x[T:, column].any()
    x, label, lengths = Skeletons(None).batch(rng(), 3)
    assert x.shape == (lengths.max(), 3, 66) and label.shape == (3,) and lengths.min() < lengths.max()
    assert len(Skeletons(None).test()[2]) == 160


def assert_consistent(data):
    """Sequences follow each other without gaps, labels are in their ranges, bones lead to an earlier joint."""
    frames, start, length = data["frames"], data["start"], data["length"]
    assert frames.shape == (length.sum(), 22, 3) and frames.dtype == np.int16 and length.min() >= 1
    assert (start == np.cumsum(length) - length).all()
    for name, low, high in (("movement", 0, 9), ("subject", 1, 10), ("episode", 1, 10), ("correct", 0, 1)):
        assert data[name].shape == start.shape and data[name].min() == low and data[name].max() <= high
    assert data["parents"][0] == -1 and (data["parents"][1:] >= 0).all() and (data["parents"] < np.arange(22)).all()
    assert (data["movement_names"].shape, data["joint_names"].shape) == ((10,), (22,))


def test_the_shipped_skeletons_are_consistent():
    assert_consistent(read_npz(SAMPLES / "skeletons.npz"))


def test_nobody_is_in_two_parts_and_every_class_is_equally_frequent_in_each():
    subjects = [subject for part in skeletons.SUBJECTS.values() for subject in part]
    assert sorted(subjects) == list(range(1, 11))
    for classes in (10, 20):
        task = Skeletons(12, classes)
        for part, size in (("train", 200), ("validation", 40), ("test", 160)):
            label = task._part(part)[1]
            assert (np.bincount(label, minlength=classes) == size / classes).all()
        assert task.chance == task.baseline()[1] == 1 / classes and task.outputs == classes


def test_twenty_classes_are_ten_movements_done_correctly_or_not():
    ten, twenty = Skeletons(12).test()[1], Skeletons(12, 20).test()[1]
    correct = skeletons.load("sample", 12)["test"][2]
    assert (twenty // 2 == ten).all() and (twenty % 2 == correct).all() and 0 < correct.mean() < 1


def test_the_full_skeletons_are_consistent():
    need("ui_prmd_kinect.npz")
    assert_consistent(read_npz(store.find("ui_prmd_kinect.npz")))
    data = skeletons.load("full", 12)
    assert len(skeletons.load("full", None)["train"][0]) == skeletons.LONGEST["full"]
    assert [len(data[part][1]) for part in ("train", "validation", "test")] == [1000, 200, 800]


# series

@pytest.mark.parametrize("task", [Series("co2", 24), Series("sunspots", 24)], ids=repr)
def test_the_target_is_the_next_value_and_normalised_values_are_those_of_the_file(task):
    times, values = series.load(task.name)
    mean, deviation = task.scale()
    train = len(values) * 60 // 100
    assert abs((values[:train] - mean).mean()) < 1e-9 and abs(((values[:train] - mean) / deviation).std() - 1) < 1e-12
    for x, target, _ in (task.batch(rng(), 7), task.validation(), task.test()):
        assert (x[1:] == target[:-1]).all()
    x, target, _ = task.test()
    last = len(values) * 80 // 100
    assert x.shape[1] == len(values) - last - 24              # every stretch with its last target
    for column in range(x.shape[1]):
        expected = values[last + column:last + column + 25]
        assert np.abs(mean + deviation * np.r_[x[:, column, 0], target[-1, column, 0]] - expected).max() < 1e-4
    assert abs(mean + deviation * task.validation()[0][0, 0, 0] - values[train]) < 1e-4 and (np.diff(times) > 0).all()


def test_batches_of_a_series_come_from_its_training_part_alone():
    x, target, _ = Series("co2", 24).batch(rng(), 2000)
    values = Series("co2")._parts()["train"]
    assert {float(value) for value in np.r_[x.ravel(), target[-1].ravel()]} == {float(value) for value in values}


def test_all_carbon_dioxide_of_the_test_lies_above_all_of_the_training():
    parts = Series("co2")._parts()
    assert parts["test"].min() > parts["train"].max()


@pytest.mark.parametrize("name", ["co2", "sunspots"])
def test_the_baseline_is_no_change_and_chance_is_the_mean(name):
    task = Series(name, 24)
    x, target, _ = task.test()
    assert task.baseline() == ("no change", pytest.approx(((x - target).astype(float) ** 2).mean(), rel=1e-5))
    assert task.chance == pytest.approx((target.astype(float) ** 2).mean(), rel=1e-5)
    assert task.baseline()[1] < task.chance


# the shipped samples

def test_all_samples_together_stay_below_two_megabytes():
    kinds = (".npz", ".txt", ".csv", ".gz")
    found = {path.name: path.stat().st_size for path in SAMPLES.iterdir() if path.suffix in kinds}
    assert found == SIZES and sum(found.values()) <= 2_000_000


def test_every_sample_has_its_source_licence_and_script_beside_it():
    readme = (SAMPLES / "README.md").read_text()
    for name in SIZES:
        _, _, section = readme.partition(f"\n## {name}\n")
        section = section.partition("\n## ")[0]
        assert "Licence:" in section and ("Changes:" in section or "Unchanged" in section), name
        script = re.search(rf"`{re.escape(name)}` \| `(make_\w+\.py)`", readme).group(1)
        assert (SAMPLES / script).is_file()


def test_the_package_ships_every_sample():
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    patterns = re.findall(r'"([^"]+)"', re.search(r'"minidurnn.tasks.samples" = \[(.*)\]', pyproject).group(1))
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in (*SIZES, "README.md"))


@pytest.mark.parametrize("file", series.FILES.values(), ids=series.FILES)
def test_a_shipped_series_is_the_full_file(file):
    assert store.look(SAMPLES / file.name) == (store.FILES[file.name].sha256, "")


SERIES = ["co2_mauna_loa_monthly.csv", "sunspots_yearly.csv"]


@pytest.mark.parametrize("script, files, sources", [
    ("make_pixels", ["pixels.npz"], [name for names in pixels.FILES.values() for name in names]),
    ("make_characters", ["characters.txt"], ["tinyshakespeare.txt"]),
    ("make_skeletons", ["skeletons.npz"], ["ui_prmd_kinect.npz"]),
    ("make_series", SERIES, SERIES),
    ("make_pairs", ["pairs.tsv.gz"], ["tatoeba_eng_swe.tsv.gz"]),
], ids=lambda value: value if isinstance(value, str) else "")
@pytest.mark.system
def test_a_script_makes_the_shipped_sample_again(script, files, sources, tmp_path):
    need(*sources)
    main = importlib.import_module(f"minidurnn.tasks.samples.{script}").main
    main(tmp_path if script == "make_series" else tmp_path / files[0])
    for name in files:
        if name.endswith(".gz"):                              # packed otherwise by another zlib
            unpacked = [gzip.decompress((folder / name).read_bytes()) for folder in (tmp_path, SAMPLES)]
            assert unpacked[0] == unpacked[1]
            continue
        if not name.endswith(".npz"):
            assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()
            continue
        made, shipped = read_npz(tmp_path / name), read_npz(SAMPLES / name)
        assert made.keys() == shipped.keys()
        for array in made:
            assert made[array].dtype == shipped[array].dtype and (made[array] == shipped[array]).all()


@pytest.mark.parametrize("load", [
    lambda: series.load("co2"), lambda: pixels.load("sample", 14), lambda: characters.load("sample"),
    lambda: skeletons.load("sample", 8),
], ids=["series", "pixels", "characters", "skeletons"])
def test_what_is_kept_and_given_out_again_cannot_be_written(load):
    for array in leaves(load()).values():
        with pytest.raises(ValueError, match="read-only"):
            array += 1
