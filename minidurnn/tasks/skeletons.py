"""Exercises of ten people, one pose a step: which movement was it, and was it done correctly?"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from tokenize import TokenError

import numpy as np

from ..arrays.checks import check_choice, check_positive
from .store import find, shipped

JOINTS = 22
UNIT = 300.0                                                  # millimetres: about a thigh, so that features are of order 1
SUBJECTS = {"train": (1, 2, 4, 6, 7), "validation": (8,), "test": (3, 5, 9, 10)}           # 7 and 10 are left-handed
LARGEST = 2**26                                               # bytes of one array unpacked; the largest has 20 million
ARRAYS = {                                                    # name -> dtype, axes; F frames of N sequences
    "frames": ("<i2", ("F", JOINTS, 3)), "start": ("<i4", ("N",)), "length": ("<i4", ("N",)),
    "movement": ("|u1", ("N",)), "subject": ("|u1", ("N",)), "episode": ("|u1", ("N",)), "correct": ("|u1", ("N",)),
    "movement_names": ("<U", (10,)), "joint_names": ("<U", (JOINTS,)), "parents": ("|i1", (JOINTS,)),
}
RANGES = {"movement": (0, 9), "subject": (1, 10), "episode": (1, 10), "correct": (0, 1)}


@dataclass(frozen=True)
class Skeletons:
    """Sequences of poses, 22 joints in three coordinates relative to the waist; class: the movement.

    length     frames of every sequence. Those recorded have 28 to 179; each is resampled to `length` frames by linear
               interpolation over its whole duration, because networks take no lengths: those of a batch are None
    classes    10: the movement; 20: 2 · movement + 1 if it was done correctly, + 0 if wrongly on purpose
    source     "sample": two of ten repetitions, every fourth frame, in centimetres, shipped;
               "full": 2,000 sequences of UI-PRMD from the folder MINIDURNN_DATA
    The split is by person: five for training, one for validation, four for the test; nobody is in two parts. The
    tracker's glitches (joints that jump for a frame) are left in.
    Source   Vakanski, Jun, Paul, Baker 2018, doi:10.3390/data3010002.
    """

    length: int = 64                                          # T
    classes: int = 10
    source: str = "sample"

    inputs, loss, metric, reads = 3 * JOINTS, "cross_entropy", "accuracy", "last"
    outputs = property(lambda self: self.classes)
    chance = property(lambda self: 1 / self.classes)

    def __post_init__(self):
        check_positive(length=self.length)
        check_choice("classes", self.classes, (10, 20))
        check_choice("source", self.source, ("sample", "full"))

    def batch(self, rng, B):
        """B random sequences of the training subjects  ->  x (T, B, 66), class (B,), None (no lengths)."""
        x, label, _ = self._part("train")
        chosen = rng.integers(0, len(label), B)
        return x[:, chosen], label[chosen], None

    def validation(self):
        """The sequences of the validation subject."""
        return self._part("validation")

    def test(self):
        """The sequences of the test subjects."""
        return self._part("test")

    def baseline(self):
        """The honest baseline: the test share of the class most frequent in training  ->  name, value."""
        most = np.bincount(self._part("train")[1]).argmax()
        return "most frequent class", float((self._part("test")[1] == most).mean())

    def _part(self, part):
        x, movement, correct = load(self.source, self.length)[part]
        return x, movement if self.classes == 10 else 2 * movement + correct, None


@lru_cache(maxsize=2)
def load(source, length):
    """The sequences, resampled  ->  {"train", "validation", "test": (features (length, N, 66) float32, movement (N,), correct (N,))}."""
    data = read_skeletons(shipped("skeletons.npz") if source == "sample" else find("ui_prmd_kinect.npz"))
    poses = features(data["frames"])
    parts = {}
    for part, subjects in SUBJECTS.items():
        rows = np.isin(data["subject"], subjects)
        x = resample(poses, data["start"][rows], data["length"][rows], length)
        parts[part] = x, data["movement"][rows].astype(np.int64), data["correct"][rows].astype(np.int64)
        for array in parts[part]:
            array.flags.writeable = False                     # they are kept, and given out again
    return parts


def features(frames):
    """Positions in millimetres (F, 22, 3)  ->  the same relative to the waist, in units of 300 mm: (F, 66) float32."""
    return ((frames - frames[:, :1].astype(np.float32)) / np.float32(UNIT)).reshape(len(frames), -1)


def resample(poses, start, lengths, length):
    """Sequence i is poses[start[i] : start[i] + lengths[i]], (F, D); each at `length` evenly spaced moments  ->  (length, N, D)."""
    place = np.linspace(0, 1, length)[:, None] * (lengths - 1)                    # (length, N), first to last frame
    before = place.astype(np.int64)
    after = np.minimum(before + 1, lengths - 1)
    share = (place - before).astype(poses.dtype)[..., None]
    return poses[start + before] * (1 - share) + poses[start + after] * share


def read_skeletons(path):
    """An npz file of skeletons  ->  dict of arrays, all of ARRAYS, consistent with each other.

    Raises   ValueError that names the file, the array and what is wrong with it.
    """
    data = read_npz(path, tuple(ARRAYS))
    sizes = {"F": data["frames"].shape[:1], "N": data["start"].shape[:1]}
    for name, (dtype, axes) in ARRAYS.items():
        expected = sizes.get(axes[0], axes[:1]) + axes[1:]
        if not data[name].dtype.str.startswith(dtype) or data[name].shape != expected or 0 in expected:
            raise ValueError(f"{path}: {name} has dtype {data[name].dtype} and shape {data[name].shape}: expected {np.dtype(dtype).name} ({', '.join(map(str, axes))}{',' * (len(axes) == 1)}), none of them 0; get it again.")
    for name, (low, high) in RANGES.items():
        _refuse(path, data, name, (data[name] < low) | (data[name] > high), f"{low} ... {high}")
    ends = np.cumsum(data["length"], dtype=np.int64)
    _refuse(path, data, "length", data["length"] < 1, "at least 1")
    _refuse(path, data, "start", data["start"] != ends - data["length"], "the end of the sequence before")
    _refuse(path, data, "start", ends > len(data["frames"]), f"a sequence that ends within the {len(data['frames'])} frames")
    if ends[-1] != len(data["frames"]):
        raise ValueError(f"{path}: frames has {len(data['frames'])} poses: expected {ends[-1]}, the sum of all lengths; get it again.")
    bones = np.arange(JOINTS)
    _refuse(path, data, "parents", (data["parents"] >= bones) | ((data["parents"] < 0) != (bones == 0)), "-1 for the waist, an earlier joint for the others")
    return data


def _refuse(path, data, name, wrong, expected):
    if wrong.any():
        first = int(wrong.argmax())
        raise ValueError(f"{path}: {name}[{first}] is {data[name][first]}: expected {expected}; get it again.")


def read_npz(path, names):
    """The arrays of an npz file that has exactly these names  ->  dict. No pickle is loaded, and nothing beyond LARGEST unpacked.

    Raises   ValueError that names the file and what is wrong with it.
    """
    raw = Path(path).read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            if sorted(entries) != sorted(f"{name}.npy" for name in names):
                raise ValueError(f"its arrays are {', '.join(entry.removesuffix('.npy') for entry in entries) or '(none)'}")
            return {name: _read_npy(name, archive, entries[f"{name}.npy"]) for name in names}
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, TokenError) as error:
        raise ValueError(f"{path} is damaged or another file ({error}): expected an npz file with {', '.join(names)}; get it again.") from error


def _read_npy(name, archive, entry):
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{name} is packed by method {entry.compress_type}, which NumPy does not use")
    if entry.file_size > LARGEST:                             # no more than file_size is ever unpacked
        raise ValueError(f"{name} announces {entry.file_size:,} bytes, more than {LARGEST:,}")
    raw = io.BytesIO(archive.read(entry))
    major, _ = np.lib.format.read_magic(raw)
    shape, _, dtype = (np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0)(raw)
    if not dtype.hasobject and prod(shape) * dtype.itemsize != entry.file_size - raw.tell():
        raise ValueError(f"{name} announces the shape {shape}, and holds {entry.file_size - raw.tell():,} bytes")
    raw.seek(0)
    return np.load(raw, allow_pickle=False)                   # raises for pickled objects
