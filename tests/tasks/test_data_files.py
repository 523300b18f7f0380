"""Text, skeletons and series: their files are checked, their tasks keep the contract, their samples are what the scripts make."""

import importlib
import os
import re
import zipfile
from fnmatch import fnmatch
from math import log, log2
from pathlib import Path

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import IndRNN, Network, fit
from minidurnn.tasks import Characters, Series, Skeletons, characters, series, skeletons, store
from minidurnn.tasks.characters import ALPHABET, decode, encode, read_text
from minidurnn.tasks.series import read_series
from minidurnn.tasks.skeletons import features, read_npz, read_skeletons, resample

SAMPLES = Path(store.__file__).parent / "samples"
SIZES = {"pixels.npz": 478890, "characters.txt": 100_000, "skeletons.npz": 391327, "co2_mauna_loa_monthly.csv": 37561, "sunspots_yearly.csv": 2944}
TASKS = [Characters(20), Skeletons(12), Skeletons(12, classes=20), Series("co2", 24), Series("sunspots", 24)]


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
        assert (T, x.shape[2], lengths) == (task.length, task.inputs, None) and x.dtype == np.float32
        assert target.shape == (steps if task.loss == "cross_entropy" else (*steps, task.outputs))
        assert target.dtype == (np.int64 if task.loss == "cross_entropy" else np.float32)
        assert np.isfinite(x).all()
    assert task.batch(rng(), 7)[0].shape[1] == 7 and task.batch(rng(), 1)[0].shape[1] == 1


@pytest.mark.parametrize("task", TASKS, ids=repr)
def test_the_seed_decides_the_batch_and_the_evaluation_sets_stay(task):
    for first, second in ((task.batch(rng(3), 7), task.batch(rng(3), 7)), (task.validation(), task.validation()), (task.test(), task.test())):
        assert (first[0] == second[0]).all() and (first[1] == second[1]).all()
    assert (task.batch(rng(3), 7)[0] != task.batch(rng(4), 7)[0]).any()


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


@pytest.mark.parametrize("make, words", [
    (lambda: Characters(0), ["length is 0", "at least 1"]),
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
    for (x, target, _), part in ((Characters(20).validation(), text[90_000:95_000]), (Characters(20).test(), text[95_000:])):
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
    assert 4 < bits < log(65) / log(2) and abs(log2(1 / task.chance) - log2(65)) < 1e-12


def test_text_becomes_codes_and_text_again():
    assert len(ALPHABET) == 65 and sorted(ALPHABET) == list(ALPHABET)
    assert decode(encode(ALPHABET)) == ALPHABET and (encode(ALPHABET) == np.arange(65)).all() and encode("").shape == (0,)
    with refuses(ValueError, "line 1", "'7'", "!$&',-.3:;?"):
        encode("7 kings")


@pytest.mark.parametrize("raw, words", [
    (b"", ["is empty"]),
    ("First\nSecond\nThird citoyen \u00e9gal\n".encode(), ["line 3", "'\u00e9'"]),
    (b"First\nSecond \xff\n", ["line 2", "'\ufffd'"]),
    (b"First\r\nSecond\r\n", ["line 1", "'\\r'"]),
    (b"\xef\xbb\xbfFirst\n", ["line 1", "'\\ufeff'"]),
    (b"PK\x03\x04\x00", ["line 1", "'\\x03'"]),
], ids=["empty", "accent", "no UTF-8", "line ends", "byte order mark", "zip"])
def test_a_file_that_is_no_such_text_is_refused_by_line(raw, words, tmp_path):
    (tmp_path / "text.txt").write_bytes(raw)
    with refuses(ValueError, str(tmp_path / "text.txt"), *words):
        read_text(tmp_path / "text.txt")


def test_the_full_text_has_exactly_the_alphabet():
    need("tinyshakespeare.txt")
    data = characters.load("full")
    assert sum(map(len, data.values())) == characters.TEXTS["full"]
    assert (np.unique(np.concatenate(list(data.values()))) == np.arange(65)).all()
    assert len(data["train"]) == 1_003_854 and Characters(100, source="full").test()[0].shape == (100, 557, 65)


# skeletons

def small(**changes):
    """Arrays of two sequences, of 3 and 2 frames."""
    data = {
        "frames": rng().integers(-2000, 2000, (5, 22, 3)).astype(np.int16), "start": np.array([0, 3], np.int32), "length": np.array([3, 2], np.int32),
        "movement": np.array([0, 9], np.uint8), "subject": np.array([1, 10], np.uint8), "episode": np.array([1, 2], np.uint8), "correct": np.array([0, 1], np.uint8),
        "movement_names": np.array([f"movement {number}" for number in range(10)]), "joint_names": np.array([f"joint {number}" for number in range(22)]),
        "parents": np.arange(-1, 21, dtype=np.int8),
    }
    return {name: array for name, array in {**data, **changes}.items() if array is not None}


@pytest.fixture
def write(tmp_path):
    """Write the arrays of two sequences, with changes  ->  the path."""
    def write(save=np.savez_compressed, **changes):
        save(tmp_path / "skeletons.npz", **small(**changes))
        return tmp_path / "skeletons.npz"

    return write


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_skeletons_are_read_back(save, write):
    data = read_skeletons(write(save))
    assert data.keys() == small().keys() and all((data[name] == array).all() and data[name].dtype == array.dtype for name, array in small().items())


def changed(name, index, value):
    array = small()[name].copy()
    array[index] = value
    return {name: array}


@pytest.mark.parametrize("changes, words", [
    ({"frames": None}, ["its arrays are start, length", "expected an npz file with frames"]),
    ({"extra": np.zeros(3)}, ["extra"]),
    ({"frames": np.zeros((5, 22, 3))}, ["frames has dtype float64", "expected int16 (F, 22, 3)"]),
    ({"frames": np.zeros((5, 25, 3), np.int16)}, ["frames", "(5, 25, 3)", "(F, 22, 3)"]),
    ({"frames": np.array(3, np.int16)}, ["frames", "shape ()"]),
    ({"frames": np.zeros((4, 22, 3), np.int16)}, ["start[1] is 3", "within the 4 frames"]),
    ({"frames": np.zeros((6, 22, 3), np.int16)}, ["frames has 6 poses", "expected 5"]),
    ({"start": np.zeros(0, np.int32), **{name: np.zeros(0, small()[name].dtype) for name in ("length", "movement", "subject", "episode", "correct")}}, ["start", "none of them 0"]),
    ({"movement": np.zeros(3, np.uint8)}, ["movement", "(3,)", "(N,)"]),
    ({"joint_names": np.arange(22)}, ["joint_names has dtype int", "expected str (22,)"]),
    ({"start": np.array([0, 3], ">i4")}, ["start has dtype >i4"]),
    (changed("movement", 1, 10), ["movement[1] is 10", "0 ... 9"]),
    (changed("subject", 0, 0), ["subject[0] is 0", "1 ... 10"]),
    (changed("subject", 1, 11), ["subject[1] is 11"]),
    (changed("episode", 0, 0), ["episode[0] is 0"]),
    (changed("correct", 1, 2), ["correct[1] is 2", "0 ... 1"]),
    (changed("start", 1, 2), ["start[1] is 2", "the end of the sequence before"]),
    (changed("start", 0, -1), ["start[0] is -1"]),
    (changed("length", 1, 0), ["length[1] is 0", "at least 1"]),
    (changed("length", 0, -3), ["length[0] is -3"]),
    (changed("parents", 5, 5), ["parents[5] is 5", "an earlier joint"]),
    (changed("parents", 5, -1), ["parents[5] is -1"]),
    (changed("parents", 0, 0), ["parents[0] is 0"]),
    ({"joint_names": np.array([["waist"]] * 22, object)[:, 0]}, ["damaged", "allow_pickle=False"]),
])
def test_wrong_skeletons_are_refused_by_array_and_index(changes, words, write):
    path = write(**changes)
    with refuses(ValueError, str(path), *words, "get it again."):
        read_skeletons(path)


def test_lengths_whose_sum_wraps_around_in_32_bits_are_refused(write):
    length = np.array([5, 2**31 - 1, 2**31 - 1, 2], np.int32)
    start = np.array([0, 5, 4 - 2**31, 3], np.int32)          # adds up to the 5 frames, modulo 2 ** 32
    path = write(length=length, start=start, **{name: np.repeat(small()[name], 2) for name in ("movement", "subject", "episode", "correct")})
    with refuses(ValueError, str(path), f"start[2] is {4 - 2**31}", "the end of the sequence before"):
        read_skeletons(path)


class Trap:
    """Pickled, it would make a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_in_an_npz_file_is_never_loaded(write, tmp_path):
    path = write(frames=np.array([Trap(tmp_path / "sprung")], object))
    with np.load(path, allow_pickle=True) as file:            # the trap works
        assert file["frames"].dtype == object and (tmp_path / "sprung").is_dir()
    (tmp_path / "sprung").rmdir()
    with refuses(ValueError, str(path), "allow_pickle=False"):
        read_skeletons(path)
    assert not (tmp_path / "sprung").exists()


def test_a_zip_bomb_is_refused_by_what_it_announces(write, monkeypatch):
    path = write()
    monkeypatch.setattr(skeletons, "LARGEST", 500)
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("an entry was unpacked"))
    with refuses(ValueError, str(path), "frames announces 788 bytes, more than 500"):
        read_skeletons(path)


def test_the_limit_leaves_room_for_the_full_file_and_refuses_a_real_bomb(write):
    assert skeletons.LARGEST > 151_158 * 22 * 3 * 2 + 128
    path = write(frames=np.zeros((2**19, 22, 3), np.int16))
    assert path.stat().st_size < 2**18
    with refuses(ValueError, str(path), "frames announces 69,206,144 bytes"):
        read_skeletons(path)


def test_an_array_that_announces_more_than_the_file_holds_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        head = b"{'descr': '<i2', 'fortran_order': False, 'shape': (1099511627776, 22, 3), }\n"
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + b"\x00" * 12)
    with refuses(ValueError, str(path), "a announces the shape (1099511627776, 22, 3)", "holds 12 bytes"):
        read_npz(path, ("a",))


def test_an_entry_packed_in_another_way_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", b"")
    with refuses(ValueError, "a is packed by method 12"):
        read_npz(tmp_path / "a.npz", ("a",))


def test_a_damaged_npz_file_is_refused_or_harmless(write):
    path = write()
    whole, good = path.read_bytes(), small()
    for place in range(0, len(whole), 23):
        path.write_bytes(whole[:place])
        with refuses(ValueError, str(path)):
            read_skeletons(path)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1:])
        try:
            data = read_skeletons(path)
            assert all((data[name] == array).all() for name, array in good.items())           # a byte that says nothing
        except ValueError as error:
            assert str(path) in str(error)


def test_features_are_relative_to_the_waist_in_units_of_300_mm():
    frames = np.full((1, 22, 3), 30_000, np.int16)            # far off: a difference in int16 would wrap
    frames[0, 3] = (-30_000, 30_300, 29_400)
    found = features(frames)
    assert found.dtype == np.float32 and found.shape == (1, 66)
    assert np.allclose(found[0, 9:12], (-200, 1, -2), atol=1e-5, rtol=0) and not found[0, :9].any() and not found[0, 12:].any()


def test_resampling_keeps_both_ends_and_is_exact_for_steady_motion():
    poses = np.concatenate([np.arange(5.0), 10 + 3 * np.arange(4.0), [7.0]])[:, None]           # sequences of 5, 4 and 1 frames
    start, lengths = np.array([0, 5, 9]), np.array([5, 4, 1])
    found = resample(poses, start, lengths, 9)[..., 0]        # (9, 3)
    assert np.abs(found - np.stack([np.linspace(0, 4, 9), np.linspace(10, 19, 9), np.full(9, 7.0)], 1)).max() < 1e-12
    assert (resample(poses, start, lengths, 5)[:, 0, 0] == np.arange(5)).all()                 # as many as there are: the frames themselves
    assert (resample(poses, start, lengths, 1)[0, :, 0] == (0, 10, 7)).all()


def test_features_of_the_sample_agree_with_a_loop_over_its_frames():
    data = read_skeletons(SAMPLES / "skeletons.npz")
    x, movement, correct = skeletons.load("sample", 12)["validation"]
    chosen = [row for row in range(400) if data["subject"][row] == 8]
    assert x.shape == (12, 40, 66) and len(chosen) == 40
    for column, row in enumerate(chosen):
        first, last = data["start"][row], data["start"][row] + data["length"][row] - 1
        assert (movement[column], correct[column]) == (data["movement"][row], data["correct"][row])
        for frame, step in ((first, 0), (last, -1)):
            pose = data["frames"][frame].astype(float)
            assert np.abs(x[step, column] - ((pose - pose[0]) / 300).ravel()).max() < 1e-6


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
    data = skeletons.load("full", 12)
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
    assert task.chance == pytest.approx((target.astype(float) ** 2).mean(), rel=1e-5) and task.baseline()[1] < task.chance


@pytest.mark.parametrize("raw, words", [
    (b"", ["columns (none)", "year and spots"]),
    (b"year,spots\n", ["no lines below the first"]),
    (b"year,stains\n1700,5\n", ["columns year, stains", "year and spots"]),
    (b"year,spots\n1700,5\n1701,many\n", ["line 3", "'many' as spots"]),
    (b"year,spots\n1700,5\n1701,\n", ["line 3", "''"]),
    (b"year,spots\n1700,nan\n", ["line 2", "'nan'"]),
    (b"year,spots\n1700,inf\n", ["line 2", "'inf'"]),
    ("year,spots\n1700,\u0665\n".encode(), ["line 2", "as spots"]),
    (b"year,spots\n1700,5,6\n", ["line 2 has 3 cells", "expected 2"]),
    (b"year,spots\n1700,5\n\n1701,6\n", ["line 3 has 0 cells"]),
    (b"year,spots\n1700,5\n1702,6\n1701,7\n", ["line 4 has the year 1701 after 1702"]),
    (b"year,spots\n1700,5\n1700,5\n", ["line 3 has the year 1700 after 1700"]),
    (b'year,spots\n1700,"5\n', ["line 2 is damaged"]),
    (b"year,spots\n1700," + b"5" * 200_000 + b"\n", ["line 2 is damaged", "field"]),
    (b"year,spots\n1700,5\n17\x0001,6\n", ["line 3"]),
    (b"\xef\xbb\xbfyear,spots\n1700,5\n", ["year and spots"]),
], ids=["empty", "header only", "other columns", "word", "empty cell", "nan", "infinite", "Arabic five", "too many cells", "blank line", "order", "twice", "quote", "huge cell", "zero byte", "byte order mark"])
def test_a_wrong_series_is_refused_by_line(raw, words, tmp_path):
    (tmp_path / "series.csv").write_bytes(raw)
    with refuses(ValueError, str(tmp_path / "series.csv"), *words, "get it again"):
        read_series(tmp_path / "series.csv", "year", "spots")


def test_a_series_is_read_whatever_its_line_ends_and_further_columns(tmp_path):
    (tmp_path / "series.csv").write_bytes(b'"spots","note","year"\r\n5,"a, b",1700\r\n1.5e1,,1701')
    times, values = read_series(tmp_path / "series.csv", "year", "spots")
    assert times.tolist() == [1700, 1701] and values.tolist() == [5, 15] and values.dtype == np.float64


# the shipped samples

def test_all_samples_together_stay_below_two_megabytes():
    found = {path.name: path.stat().st_size for path in SAMPLES.iterdir() if path.suffix in (".npz", ".txt", ".csv")}
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
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    patterns = re.findall(r'"([^"]+)"', re.search(r'"minidurnn.tasks.samples" = \[(.*)\]', pyproject.read_text()).group(1))
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in (*SIZES, "README.md"))


@pytest.mark.parametrize("file", series.FILES.values(), ids=series.FILES)
def test_a_shipped_series_is_the_full_file(file):
    assert store.fault(SAMPLES / file.name, store.FILES[file.name]) == "" and len(series.read_series(SAMPLES / file.name, file.time, file.value)[0]) == file.rows


@pytest.mark.parametrize("script, files, sources", [
    ("make_pixels", ["pixels.npz"], ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]),
    ("make_characters", ["characters.txt"], ["tinyshakespeare.txt"]),
    ("make_skeletons", ["skeletons.npz"], ["ui_prmd_kinect.npz"]),
    ("make_series", ["co2_mauna_loa_monthly.csv", "sunspots_yearly.csv"], ["co2_mauna_loa_monthly.csv", "sunspots_yearly.csv"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_script_makes_the_shipped_sample_again(script, files, sources, tmp_path):
    need(*sources)
    importlib.import_module(f"minidurnn.tasks.samples.{script}").main(tmp_path if script == "make_series" else tmp_path / files[0])
    for name in files:
        if not name.endswith(".npz"):
            assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()
            continue
        with np.load(tmp_path / name, allow_pickle=False) as made, np.load(SAMPLES / name, allow_pickle=False) as shipped:
            assert made.files == shipped.files
            assert all(made[array].dtype == shipped[array].dtype and (made[array] == shipped[array]).all() for array in made.files)
