"""Handwritten digits, one pixel a step."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays.checks import check_options, flag, one_of
from ..arrays.trees import read_only
from .baselines import most_frequent_class
from .store import find, read_idx, read_npz, shipped

FILES = {
    part: (f"{name}-images-idx3-ubyte.gz", f"{name}-labels-idx1-ubyte.gz")
    for part, name in (("train", "train"), ("test", "t10k"))
}


@dataclass(frozen=True)
class Pixels:
    """Images of the digits 0-9 as sequences of pixels in [0, 1]; class: the digit.

    size       14 (T = 196) or 28 (T = 784) pixels a side; 14 is the mean over blocks of 2 × 2
    permuted   one fixed random order of the pixels, the same in every run, instead of row by row
    source     "sample": every tenth image of MNIST at 14 × 14, shipped; "full": all of MNIST, found or downloaded by
               `store.find`
    A tenth of the training images, the last ones, is held out for validation.
    """

    size: int = 14
    permuted: bool = False
    source: str = "sample"

    inputs, outputs, loss, metric, reads = 1, 10, "cross_entropy", "accuracy", "last"
    chance = 0.1
    length = property(lambda self: self.size**2)              # T

    def __post_init__(self):
        check_options(self, size=one_of((14, 28)), permuted=flag, source=one_of(("sample", "full")))
        if self.source == "sample" and self.size != 14:
            raise ValueError(
                "the shipped sample has 14 × 14 pixels: for size=28 set MINIDURNN_DATA to a folder with MNIST and give "
                "source=\"full\".")

    def batch(self, rng, B):
        """B random training images  ->  x (T, B, 1), class (B,), None (no lengths)."""
        images, labels = load(self.source, self.size)["train"]
        chosen = rng.integers(0, self._cut(labels), B)
        return self._sequences(images[chosen], labels[chosen])

    def validation(self):
        """The training images held out."""
        images, labels = load(self.source, self.size)["train"]
        cut = self._cut(labels)
        return self._sequences(images[cut:], labels[cut:])

    def test(self):
        """The test images."""
        return self._sequences(*load(self.source, self.size)["test"])

    def baseline(self):
        """The honest baseline: the test share of the class most frequent in training  ->  name, value."""
        data = load(self.source, self.size)
        return most_frequent_class(data["train"][1], data["test"][1])

    def _cut(self, labels):
        return len(labels) * 9 // 10

    def _sequences(self, images, labels):
        x = images.reshape(len(images), -1, 1).astype(np.float32) / 255
        if self.permuted:
            x = x[:, np.random.default_rng(14).permutation(self.length)]
        return np.ascontiguousarray(x.transpose(1, 0, 2)), labels.astype(np.int64), None


@lru_cache(maxsize=4)
def load(source, size):
    """The images, read-only  ->  {"train": (images (N, size, size) uint8, labels (N,)), "test": the same}."""
    if source == "sample":
        arrays = read_npz(shipped("pixels.npz"))
        return read_only({part: (arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in FILES})
    data = {part: [read_idx(find(name)) for name in names] for part, names in FILES.items()}
    shrunk = {part: (shrink(images) if size == 14 else images, labels) for part, (images, labels) in data.items()}
    return read_only(shrunk)


def shrink(images):
    """The mean over blocks of 2 × 2 pixels, rounded: (N, 28, 28)  ->  (N, 14, 14) uint8."""
    blocks = images.reshape(len(images), 14, 2, 14, 2).mean((2, 4))
    return np.rint(blocks).astype(np.uint8)
