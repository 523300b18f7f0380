"""Exercises of ten people, one pose a step: which movement was it, and was it done correctly?"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays.checks import at_least, check_options, one_of, optional
from ..arrays.trees import read_only
from .baselines import most_frequent_class
from .store import find, read_npz, shipped

JOINTS = 22
LONGEST = {"sample": 40, "full": 179}                         # frames of the longest recording
UNIT = 300.0                                                  # millimetres, about a thigh: features are of order 1
SUBJECTS = {"train": (1, 2, 4, 6, 7), "validation": (8,), "test": (3, 5, 9, 10)}           # 7 and 10 are left-handed


@dataclass(frozen=True)
class Skeletons:
    """Sequences of poses, 22 joints in three coordinates relative to the waist; class: the movement.

    length     frames of every sequence. Those recorded have 28 to 179 (in the sample 10 to 40); each is resampled to
               `length` frames by linear interpolation over its whole duration. None: as they were recorded, padded
               with zeros behind their ends, and with their lengths
    classes    10: the movement; 20: 2 · movement + 1 if it was done correctly, + 0 if wrongly on purpose
    source     "sample": two of ten repetitions, every fourth frame, in centimetres, shipped;
               "full": 2,000 sequences of UI-PRMD from the folder MINIDURNN_DATA
    The split is by person: five for training, one for validation, four for the test; nobody is in two parts. The
    tracker's glitches (joints that jump for a frame) are left in.
    Source   Vakanski, Jun, Paul, Baker 2018, doi:10.3390/data3010002.
    """

    length: int | None = 64                                   # T
    classes: int = 10
    source: str = "sample"

    inputs, loss, metric, reads = 3 * JOINTS, "cross_entropy", "accuracy", "last"
    outputs = property(lambda self: self.classes)
    chance = property(lambda self: 1 / self.classes)

    def __post_init__(self):
        check_options(self, length=optional(at_least(1)), classes=one_of((10, 20)), source=one_of(("sample", "full")))

    def batch(self, rng, B):
        """B random sequences of the training subjects  ->  x (T, B, 66), class (B,), lengths (B,) or None."""
        x, label, lengths = self._part("train")
        chosen = rng.integers(0, len(label), B)
        if lengths is None:
            return x[:, chosen], label[chosen], None
        return x[:lengths[chosen].max(), chosen], label[chosen], lengths[chosen]

    def validation(self):
        """The sequences of the validation subject."""
        return self._part("validation")

    def test(self):
        """The sequences of the test subjects."""
        return self._part("test")

    def baseline(self):
        """The honest baseline: the test share of the class most frequent in training  ->  name, value."""
        return most_frequent_class(self._part("train")[1], self._part("test")[1])

    def _part(self, part):
        x, movement, correct, lengths = load(self.source, self.length)[part]
        return x, movement if self.classes == 10 else 2 * movement + correct, lengths


@lru_cache(maxsize=2)
def load(source, length):
    """The sequences  ->  {"train", "validation", "test": (features, movement (N,), correct (N,), lengths)}.

    features   (T, N, 66) float32, resampled to T = length, and lengths None; without a length padded to the longest of
               all, and lengths (N,). All arrays are read-only
    """
    data = read_npz(shipped("skeletons.npz") if source == "sample" else find("ui_prmd_kinect.npz"))
    poses = features(data["frames"])
    start, lengths = (data[name].astype(np.int64) for name in ("start", "length"))
    x = padded(poses, start, lengths) if length is None else resample(poses, start, lengths, length)
    parts = {}
    for part, subjects in SUBJECTS.items():
        rows = np.isin(data["subject"], subjects)
        movement, correct = (data[name][rows].astype(np.int64) for name in ("movement", "correct"))
        parts[part] = x[:, rows], movement, correct, lengths[rows] if length is None else None
    return read_only(parts)


def padded(poses, start, lengths):
    """Every sequence as it is, and zeros behind its end  ->  (longest, N, D)."""
    step = np.arange(lengths.max())[:, None]                  # (longest, N) below
    inside = step < lengths
    return poses[np.where(inside, start + step, 0)] * inside[..., None]


def features(frames):
    """Positions in millimetres (F, 22, 3)  ->  the same relative to the waist, in units of 300 mm: (F, 66) float32."""
    return ((frames - frames[:, :1].astype(np.float32)) / np.float32(UNIT)).reshape(len(frames), -1)


def resample(poses, start, lengths, length):
    """Every sequence at `length` evenly spaced moments  ->  (length, N, D).

    Sequence i is poses[start[i]:start[i] + lengths[i]], of poses (F, D).
    """
    place = np.linspace(0, 1, length)[:, None] * (lengths - 1)                    # (length, N), first to last frame
    before = place.astype(np.int64)
    after = np.minimum(before + 1, lengths - 1)
    share = (place - before).astype(poses.dtype)[..., None]
    return poses[start + before] * (1 - share) + poses[start + after] * share
