"""Two measured series: what comes next?"""

import csv
from collections import namedtuple
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..arrays.checks import at_least, check_options, one_of
from ..arrays.trees import read_only
from .store import shipped
from .stretches import check_stretch, stretches

File = namedtuple("File", "name time value rows")
FILES = {
    "co2": File("co2_mauna_loa_monthly.csv", "decimal_date", "average_ppm", 820),
    "sunspots": File("sunspots_yearly.csv", "YEAR", "SUNACTIVITY", 309),
}


@dataclass(frozen=True)
class Series:
    """Stretches of a series, normalised; target at every step: the next value.

    name       "co2": carbon dioxide in the air at Mauna Loa, in ppm, monthly from March 1958 to June 2026, a trend and
               a season; "sunspots": the mean number of spots, yearly from 1700 to 2008, with a period of about 11 years
    length     steps in a stretch
    The first 60 % are for training, the next 20 % for validation, the last 20 % for the test, in the order of time,
    and every stretch of those two is taken. Mean and standard deviation are the training part's. Carbon dioxide rises:
    all of its test values lie above all that training has seen.
    """

    name: str = "co2"
    length: int = 36                                          # T

    inputs, outputs, loss, metric, reads = 1, 1, "mse", "mse", "every"

    def __post_init__(self):
        check_options(self, name=one_of(tuple(FILES)), length=at_least(1))
        check_stretch(self.length, FILES[self.name].rows // 5)

    @property
    def chance(self):
        """The test error of always answering 0, the mean of the training part."""
        return float((self.test()[1] ** 2).mean())

    def batch(self, rng, B):
        """B random stretches of the training part  ->  x (T, B, 1), target (T, B, 1), None (no lengths)."""
        values = self._parts()["train"]
        return self._stretches(values, rng.integers(0, len(values) - self.length, B))

    def validation(self):
        """Every stretch of the validation part."""
        return self._all("validation")

    def test(self):
        """Every stretch of the test part."""
        return self._all("test")

    def baseline(self):
        """The honest baseline: the test error of answering the present value  ->  name, value."""
        x, target, _ = self.test()
        return "no change", float(((x - target) ** 2).mean())

    def scale(self):
        """What normalised values are measured in: value = mean + deviation · normalised  ->  mean, deviation."""
        train = load(self.name)[1][:self._cuts()[0]]
        return float(train.mean()), float(train.std())

    def _cuts(self):
        rows = FILES[self.name].rows
        return rows * 60 // 100, rows * 80 // 100

    def _parts(self):
        mean, deviation = self.scale()
        parts = np.split(((load(self.name)[1] - mean) / deviation).astype(np.float32), self._cuts())
        return dict(zip(("train", "validation", "test"), parts))

    def _all(self, part):
        values = self._parts()[part]
        return self._stretches(values, np.arange(len(values) - self.length))

    def _stretches(self, values, starts):
        found = stretches(values, starts, self.length)[..., None]                 # (T + 1, B, 1)
        return found[:-1], found[1:], None


@lru_cache(maxsize=2)
def load(name):
    """A shipped series  ->  times (N,), values (N,), float64; read-only, for they are given out again."""
    file = FILES[name]
    with open(shipped(file.name), encoding="ascii", newline="") as lines:
        rows = [(float(row[file.time]), float(row[file.value])) for row in csv.DictReader(lines)]
    times, values = np.array(rows).T
    return read_only((times, values))
