"""NTU RGB+D: which of sixty actions, from skeleton files that a user supplies."""

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from ..arrays.trees import read_only
from .baselines import most_frequent_class
from .skeletons import resample
from .store import FOLDER

NAME = re.compile(r"S\d{3}C(?P<camera>\d{3})P(?P<person>\d{3})R\d{3}A(?P<action>\d{3})\.skeleton")
PLACE = "nturgb+d_skeletons"                                  # the folder in the archive that its makers give out
ACTIONS, BODIES, JOINTS = 60, 2, 25
TRAINING = {                                                  # Shahroudy et al. 2016; all others are for the test
    "subject": ("person", (1, 2, 4, 5, 8, 9, 13, 14, 15, 16, 17, 18, 19, 25, 27, 28, 31, 34, 35, 38)),
    "view": ("camera", (2, 3)),
}
HELD_OUT = 20                                                 # of so many training files one is for validation: ours
FORM = "expected the text that the Kinect's recordings of NTU RGB+D have; get the file again"


@dataclass(frozen=True)
class NTU:
    """Sequences of one or two people's poses, 25 joints each in metres from the first one's waist; class: the action.

    length     frames of every sequence, resampled from all that show a person, by linear interpolation
    split      "subject" or "view": by person or by camera, as the makers of the data split them
    The files, `S001C001P001R001A001.skeleton` and so on, have to be in the folder `nturgb+d_skeletons` of the folder
    MINIDURNN_DATA: they may not be passed on. They are read at the first use, some minutes for all 56,880. Of a file
    with more bodies the two that are seen in most frames are taken; a file that shows nobody is left out. Every
    twentieth file of the training part, by name, is for validation.
    Source     Shahroudy, Liu, Ng, Wang 2016, arXiv 1604.02808.
    Raises     FileNotFoundError where there is no file, ValueError that names file and line of a damaged one.
    """

    length: int = 20                                          # T
    split: str = "subject"

    inputs, outputs, loss, metric, reads = BODIES * JOINTS * 3, ACTIONS, "cross_entropy", "accuracy", "last"
    chance = 1 / ACTIONS

    def __post_init__(self):
        check_options(self, length=at_least(1), split=one_of(tuple(TRAINING)))

    def batch(self, rng, B):
        """B random training sequences  ->  x (T, B, 150), class (B,), None (no lengths)."""
        x, label = self._part("train")
        chosen = rng.integers(0, len(label), B)
        return x[:, chosen], label[chosen], None

    def validation(self):
        """The sequences held out of the training part."""
        return *self._part("validation"), None

    def test(self):
        """The sequences of the people, or of the camera, that training has not seen."""
        return *self._part("test"), None

    def baseline(self):
        """The honest baseline: the test share of the class most frequent in training  ->  name, value."""
        return most_frequent_class(self._part("train")[1], self._part("test")[1])

    def _part(self, part):
        x, label = load(self.length, self.split)[part]
        if not len(label):
            raise ValueError(f"the {part} part has no sequence by {self.split}: expected the files of all people and "
                             "cameras; put them all into the folder.")
        return x, label


@lru_cache(maxsize=2)
def load(length, split):
    """All sequences, resampled  ->  {"train", "validation", "test": (x (length, N, 150), class (N,))}, read-only."""
    which, training = TRAINING[split]
    parts = {"train": [], "validation": [], "test": []}
    for path, tags in skeleton_files():
        part, before = "test", len(parts["train"]) + len(parts["validation"])
        if int(tags[which]) in training:
            part = "validation" if before % HELD_OUT == HELD_OUT - 1 else "train"
        poses = read_skeleton(path)
        if len(poses):
            frames = (poses - poses[:, :1, :1]).reshape(len(poses), -1)
            sequence = resample(frames, np.zeros(1, np.int64), np.array([len(frames)]), length)
            parts[part].append((sequence[:, 0], int(tags["action"]) - 1))
    return read_only({part: _stacked(found, length) for part, found in parts.items()})


def _stacked(found, length):
    if not found:
        return np.zeros((length, 0, NTU.inputs), np.float32), np.zeros(0, np.int64)
    return np.stack([frames for frames, _ in found], 1), np.array([action for _, action in found], np.int64)


def skeleton_files():
    """The skeleton files of actions 1 to 60, by name  ->  [(path, what the name says)].    Raises FileNotFoundError."""
    folder = Path(os.environ.get(FOLDER) or "", PLACE).expanduser()
    named = [(path, NAME.fullmatch(path.name)) for path in sorted(folder.glob("*.skeleton"))]
    found = [(path, tags) for path, tags in named if tags and 1 <= int(tags["action"]) <= ACTIONS]
    if not found or not os.environ.get(FOLDER):
        where = f"{folder} holds none" if os.environ.get(FOLDER) else f"{FOLDER} is not set"
        raise FileNotFoundError(
            f"no skeleton file was found ({where}): expected files such as S001C001P001R001A001.skeleton, which the "
            f"makers of NTU RGB+D give out for research, in the folder {PLACE} of the folder {FOLDER}.")
    return found


def read_skeleton(path):
    """One file  ->  poses (F, 2, 25, 3) float32 in metres, of the F frames that show anybody; 0 for a body not there.

    Raises   ValueError with file and line where it ends early, or a line is not what its place demands.
    """
    lines, frames = _Lines(path), []
    for _ in range(lines.count("frames")):
        bodies = {}
        for _ in range(lines.count("bodies")):
            body = lines.next("a body's identity")[0]
            joints = lines.count("joints")
            if joints != JOINTS:
                raise lines.wrong(f"{joints} joints", f"{JOINTS}")
            bodies[body] = [lines.position() for _ in range(joints)]
        if bodies:
            frames.append(bodies)
    seen = [body for bodies in frames for body in bodies]
    chosen = sorted(dict.fromkeys(seen), key=seen.count, reverse=True)[:BODIES]
    poses = np.zeros((len(frames), BODIES, JOINTS, 3), np.float32)
    for frame, bodies in enumerate(frames):
        for place, body in enumerate(chosen):
            if body in bodies:
                poses[frame, place] = bodies[body]
    return poses


class _Lines:
    """The lines of a skeleton file, one after the other, each asked for what has to stand there."""

    def __init__(self, path):
        self.path, self.place = path, 0
        self.lines = Path(path).read_bytes().splitlines()

    def next(self, what):
        """The words of the next line, at least one."""
        words = self.lines[self.place].split() if self.place < len(self.lines) else []
        if not words:
            raise ValueError(f"{self.path} ends before line {self.place + 1}, where {what} should stand: {FORM}.")
        self.place += 1
        return words

    def count(self, what):
        """A line that is one number: how many `what` follow."""
        words = self.next(f"the number of {what}")
        if len(words) != 1 or not words[0].isdigit():
            raise self.wrong(repr(b" ".join(words)[:40]), f"the number of {what}")
        return int(words[0])

    def position(self):
        """A joint's line: its position, the first three numbers."""
        words = self.next("a joint")
        try:
            position = [float(word) for word in words[:3]]
        except ValueError:
            position = []
        if len(position) < 3 or not all(map(isfinite, position)):
            raise self.wrong(repr(b" ".join(words)[:40]), "a joint's position in three finite numbers")
        return position

    def wrong(self, given, expected):
        """What is wrong with the line that was read last."""
        return ValueError(f"line {self.place} of {self.path} holds {given}: expected {expected}; {FORM}.")
