"""Which run a checkpoint is of: everything that decides the numbers, and what cannot be told from others."""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import RNN, Network, fit
from minidurnn.arrays.trees import map_leaves
from minidurnn.optim import Adam, Constant
from minidurnn.tasks import Adding
from minidurnn.training.saving import identity

NETWORK = Network(RNN(2, 4), 1)
OPTIONS = SimpleNamespace(clip=5.0, batch=3, window=None, seed=0, dtype="float32", log_every=4, validate_every=None)


class Plain:
    """A task that is no dataclass."""

    inputs, outputs, loss, metric, reads = 2, 1, "mse", "mse", "last"

    def __init__(self, T=10, **more):
        self.T = T
        vars(self).update(more)

    def batch(self, rng, B):
        """The adding problem's."""
        return Adding(self.T).batch(rng, B)


class Other(Plain):
    """Another class with the same attributes."""


@dataclass(frozen=True)
class Fields(Plain):
    """A task that is a dataclass."""

    T: int = 10
    table: object = None


def small(**options):
    """Arguments of a short run."""
    return {
        "network": NETWORK, "task": Plain(), "updates": 4, "batch": 3, "log_every": 4, "validate_every": None,
        "checkpoint_every": 4, "progress": False, **options}


def of(task):
    """The identity of a run on a task."""
    return json.loads(json.dumps(identity(NETWORK, task, Adam(), Constant(), None, OPTIONS)))


A = np.arange(6.0)
DIFFERENT = [
    (Plain(10), Plain(99)), (Plain(), Other()), (Plain(a=1), Plain(b=1)), (Plain(table=A), Plain()),
    (Plain(table=A), Plain(table=A + 1e-9)), (Plain(table=A), Plain(table=A.astype("f4"))),
    (Plain(table=A), Plain(table=A.reshape(2, 3))),
    (Fields(10), Fields(11)), (Fields(table=A), Fields(table=-A)), (Fields(table=()), Fields(table=None)),
    (Fields(table=()), Fields(table={})),
    (Fields(table=Plain(3)), Fields(table=Plain(4))), (Fields(table={"a": A}), Fields(table={"a": 2 * A})),
    (Fields(table=[1, 2]), Fields(table=[1, 2, None])), (Fields(table=Path("a")), Fields(table=Path("b"))),
]


@pytest.mark.parametrize("one, other", DIFFERENT, ids=range(len(DIFFERENT)))
def test_a_checkpoint_of_another_task_is_refused(one, other, tmp_path):
    assert of(one) == of(one) and of(one) != of(other)
    fit(**small(task=one, checkpoint=tmp_path / "run.npz"))
    before = (tmp_path / "run.npz").read_bytes()
    for resumed in (other, one):
        if resumed is other:
            with refuses(ValueError, "of another run", "its task/", "give the same options"):
                fit(**small(task=other, checkpoint=tmp_path / "run.npz", resume=True))
        else:
            fit(**small(task=one, checkpoint=tmp_path / "run.npz", resume=True))
        assert (tmp_path / "run.npz").read_bytes() == before


def test_equal_tasks_are_one_task():
    for one, other in (
        (Plain(np.int64(10)), Plain(10)), (Plain(a=1, b=2), Plain(b=2, a=1)), (Plain(table=A), Plain(table=A.copy())),
        (Plain(table=A[::-1]), Plain(table=A[::-1].copy())), (Fields(table=(1, 2)), Fields(table=(1, 2))),
    ):
        assert of(one) == of(other)


class Slotted:
    """An object whose attributes cannot be listed."""

    __slots__ = ("a",)


ring = []
ring.append(ring)
UNTOLD = {
    "function": lambda x: x, "partial": partial(int, base=2), "class": Plain, "module": np, "generator": rng(),
    "slots": Slotted(), "set": {1, 2}, "own container": type("Own", (set,), {})([1]), "objects": np.array([None]),
    "bytes": b"a", "ring": ring,
}


@pytest.mark.parametrize("thing", UNTOLD.values(), ids=UNTOLD)
def test_what_cannot_be_told_from_others_is_refused_where_a_checkpoint_is_asked_for(thing, tmp_path):
    with refuses(TypeError, "the task cannot be told from others", "expected a dataclass", "train without checkpoint"):
        fit(**small(task=Plain(table=thing), checkpoint=tmp_path / "run.npz"))
    assert not list(tmp_path.glob("*.npz"))
    fit(**small(task=Plain(table=thing)))


def test_another_start_is_refused(tmp_path):
    path, p = tmp_path / "run.npz", NETWORK.init(rng(5))
    moved = map_leaves(lambda leaf: leaf * np.float32(1 + 1e-6), p)
    fit(**small(start=p, checkpoint=path))
    for start in (None, moved):
        with refuses(ValueError, "of another run", "its start is"):
            fit(**small(start=start, checkpoint=path, resume=True))
    reordered = {"readout": p["readout"], "body": dict(reversed(p["body"].items()))}
    wide = map_leaves(lambda leaf: leaf.astype(np.float64), reordered)
    _, history = fit(**small(start=wide, checkpoint=path, resume=True, updates=8))
    assert history["loss"] == fit(**small(start=p, updates=8))[1]["loss"]
    fit(**small(checkpoint=tmp_path / "own.npz"))
    with refuses(ValueError, "its start is None"):
        fit(**small(start=p, checkpoint=tmp_path / "own.npz", resume=True))


def test_a_start_that_is_not_finite_in_the_runs_dtype_is_refused():
    p = map_leaves(np.float64, NETWORK.init(rng()))
    for bad in (np.nan, np.inf, 1e300):
        start = {**p, "readout": {**p["readout"], "b": np.array([bad])}}
        with refuses(ValueError, "start holds numbers in readout/b that are not finite in float32"):
            fit(**small(start=start))


@pytest.mark.parametrize("dtype", [complex, bool, object, "U3"])
def test_a_start_of_no_real_numbers_is_refused_and_not_cut(dtype):
    p = NETWORK.init(rng())
    start = {**p, "readout": {**p["readout"], "b": np.array([1]).astype(dtype)}}
    with refuses(ValueError, f"start holds numbers of {np.dtype(dtype)} in readout/b", "expected real ones"):
        fit(**small(start=start))


def test_a_start_of_whole_numbers_is_taken():
    start = map_leaves(lambda leaf: np.zeros(leaf.shape, int), NETWORK.init(rng()))
    assert fit(**small(start=start))[1]["loss"] == fit(**small(start=map_leaves(np.float32, start)))[1]["loss"]
