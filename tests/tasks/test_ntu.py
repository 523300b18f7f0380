"""NTU RGB+D: files of exactly its form, made here, are read; damaged ones are named with their line."""

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import NTU, ntu, store
from minidurnn.tasks.ntu import BODIES, JOINTS, PLACE, TRAINING, read_skeleton


def body_lines(identity, joints):
    """The lines of one body in one frame, as the Kinect's recorder writes them: joints (25, 3)."""
    rest = "264.1 191.3 1036.2 514.8 -0.23 0.05 0.97 -0.06 2"
    return [f"{identity} 0 1 1 0 0 0 0.02 -0.13 2", str(len(joints)), *(f"{x} {y} {z} {rest}" for x, y, z in joints)]


def text_of(frames):
    """The text of a file: frames as lists of (identity, joints)."""
    lines = [str(len(frames))]
    for bodies in frames:
        lines.append(str(len(bodies)))
        for identity, joints in bodies:
            lines += body_lines(identity, joints)
    return "\r\n".join([*lines, ""])


def joints(seed):
    """Joints of one body in one frame, of six digits."""
    return rng(seed).standard_normal((JOINTS, 3)).round(6)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for skeleton files that the task finds."""
    monkeypatch.setenv(store.FOLDER, str(tmp_path))
    ntu.load.cache_clear()
    (tmp_path / PLACE).mkdir()
    yield tmp_path / PLACE
    ntu.load.cache_clear()


def name(person=1, camera=1, action=1, repetition=1):
    return f"S001C{camera:03d}P{person:03d}R{repetition:03d}A{action:03d}.skeleton"


def test_positions_are_read_body_by_body_and_an_absent_body_is_zero(tmp_path):
    first, second, later = joints(0), joints(1), joints(2)
    path = tmp_path / name()
    path.write_text(text_of([[("72057", first)], [], [("72057", later), ("99001", second)]]))
    poses = read_skeleton(path)
    assert poses.shape == (2, BODIES, JOINTS, 3) and poses.dtype == np.float32        # nobody in the second frame
    assert np.allclose(poses[0, 0], first) and np.allclose(poses[1], [later, second]) and not poses[0, 1].any()


def test_of_three_bodies_those_seen_most_often_are_taken(tmp_path):
    path = tmp_path / name()
    often, sometimes, once = ("1", joints(1)), ("2", joints(2)), ("3", joints(3))
    path.write_text(text_of([[once, sometimes, often], [often], [sometimes, often]]))
    assert np.allclose(read_skeleton(path)[0], [often[1], sometimes[1]])


def test_a_split_by_person_or_by_camera_is_that_of_the_makers(folder):
    for person in (1, 2, 3, 6):
        for camera in (1, 2):
            for action in (1, 60, 61):                        # the last is of the larger set, which is left out
                frames = [[("1", joints(person + frame))] for frame in range(4)]
                (folder / name(person, camera, action)).write_text(text_of(frames))
    for split, training in (("subject", 4 * 2), ("view", 4 * 2)):
        task = NTU(5, split)
        x, label, lengths = task.batch(rng(), 7)
        assert x.shape == (5, 7, 150) and set(label) <= {0, 59} and lengths is None
        parts = ntu.load(5, split)
        assert len(parts["train"][1]) + len(parts["validation"][1]) == training
        assert len(task.test()[1]) == 16 - training and task.baseline()[1] == 0.5
    assert TRAINING["subject"][1][:3] == (1, 2, 4) and len(TRAINING["subject"][1]) == 20


def test_every_twentieth_training_file_is_for_validation_and_frames_are_relative_to_the_waist(folder):
    for repetition in range(1, 21):
        frames = [[("1", joints(repetition))], [("1", joints(99))]]
        (folder / name(repetition=repetition)).write_text(text_of(frames))
    (x, _, _), parts = NTU(2).validation(), ntu.load(2, "subject")
    assert x.shape == (2, 1, 150) and parts["train"][0].shape == (2, 19, 150)
    assert np.allclose(x[0, 0, :75], (joints(20) - joints(20)[0]).ravel(), atol=1e-5)
    with refuses(ValueError, "test part has no sequence", "subject"):
        NTU(2).test()


def test_a_file_that_shows_nobody_is_left_out(folder):
    (folder / name(1)).write_text(text_of([[("1", joints(0))]]))
    (folder / name(2)).write_text(text_of([[], []]))
    assert ntu.load(3, "subject")["train"][0].shape == (3, 1, 150)


WHOLE = text_of([[("72057", joints(0))], [("72057", joints(1))]])


@pytest.mark.parametrize("text, words", [
    ("", ["ends before line 1", "number of frames"]),
    (WHOLE[:len(WHOLE) // 2], ["line", "expected"]),
    ("\r\n".join(WHOLE.split("\r\n")[:20]), ["ends before line 21", "a joint"]),
    (WHOLE.replace("\r\n25\r\n", "\r\n24\r\n", 1), ["line 4", "24 joints", "expected 25"]),
    (WHOLE.replace(str(joints(0)[3, 1]), "nan", 1), ["line 8", "nan", "three finite numbers"]),
    (WHOLE.replace(str(joints(0)[0, 0]), "x", 1), ["line 5", "'x", "three finite numbers"]),
    ("two" + WHOLE[1:], ["line 1", "'two'", "number of frames"]),
    (WHOLE.replace("2\r\n1\r\n", "2\r\n1 1\r\n", 1), ["line 2", "'1 1'", "number of bodies"]),
])
def test_a_damaged_file_is_named_with_its_line(text, words, tmp_path):
    path = tmp_path / name()
    path.write_text(text)
    with refuses(ValueError, str(path), *words):
        read_skeleton(path)


def test_missing_files_say_what_is_expected_where(folder, monkeypatch):
    (folder / "readme.skeleton").write_text("")
    with refuses(FileNotFoundError, str(folder), "S001C001P001R001A001.skeleton", PLACE):
        NTU().batch(rng(), 2)
    monkeypatch.delenv(store.FOLDER)
    with refuses(FileNotFoundError, "MINIDURNN_DATA is not set"):
        NTU().test()


@pytest.mark.parametrize("options, words", [({"length": 0}, ["length is 0"]), ({"split": "random"}, ["split", "view"])])
def test_an_option_that_is_none_is_refused(options, words):
    with refuses(ValueError, *words):
        NTU(**options)
