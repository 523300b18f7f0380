"""The training loop: what a run computes, what its history says, when it stops, and how little it asks of a GPU."""

from dataclasses import dataclass

import fake_cupy
import numpy as np
import pytest
from support import assert_same, on_a_device, refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN, evaluate, fit, to_numpy
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.networks import Embedding
from minidurnn.optim import SGD, Adam, Constant, Steps, clip_by_global_norm
from minidurnn.tasks import Adding, DelayedXOR
from minidurnn.training import draw, streams
from minidurnn.training.run import COLUMNS


class Few:
    """20 sequences to look at, where the tasks have 500: on the stand-in for a GPU every thread runs by itself."""

    def validation(self):
        """Always the same."""
        return self.batch(rng(1), 20)


@dataclass(frozen=True)
class FewAdding(Few, Adding):
    """The adding problem."""


@dataclass(frozen=True)
class FewXOR(Few, DelayedXOR):
    """Delayed XOR."""


TASK = FewAdding(10)
NETWORK = Network(IndRNN(2, 8), 1)
QUIET = {"batch": 5, "log_every": 5, "validate_every": 10, "checkpoint_every": 10, "progress": False}


def run(network=NETWORK, task=TASK, updates=20, **options):
    """A short run  ->  p, history."""
    return fit(network, task, updates, **{**QUIET, **options})


def columns(history):
    """The history without the seconds, which no two runs share."""
    return {name: entries for name, entries in history.items() if name != "seconds"}


# What is computed

@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_run_is_these_lines(dtype):
    optimizer, schedule = Adam(0.02), Steps(8, 0.5)
    p, history = run(optimizer=optimizer, schedule=schedule, seed=3, dtype=dtype, clip=0.5)
    parameter_rng, data_rng = (np.random.default_rng(child) for child in np.random.SeedSequence(3).spawn(2))
    q = map_leaves(lambda leaf: leaf.astype(dtype), NETWORK.init(parameter_rng))
    state, losses, norms = optimizer.start(q), [], []
    for update in range(20):
        x, target, _ = TASK.batch(data_rng, 5)
        value, _, tape = NETWORK.loss(q, x.astype(dtype), target.astype(dtype))
        dq, norm = clip_by_global_norm(NETWORK.gradient(tape)[0], 0.5)
        q, state = optimizer.update(q, dq, state, 0.5 ** (update // 8))
        q = NETWORK.project(q)
        losses.append(float(value))
        norms.append(float(norm))
    assert_same(p, q, 0)
    assert history["loss"] == [sum(losses[row:row + 5]) / 5 for row in range(0, 20, 5)]
    assert history["gradient_norm"] == [sum(norms[row:row + 5]) / 5 for row in range(0, 20, 5)]
    assert any(norm > 0.5 for norm in norms)


def test_two_runs_of_one_seed_are_equal_to_the_last_bit():
    (p, history), (q, again) = run(seed=7), run(seed=7)
    assert_same(p, q, 0)
    assert columns(history) == columns(again)


def test_another_seed_is_another_run():
    (p, history), (q, other) = run(seed=7), run(seed=8)
    assert history["loss"] != other["loss"] and (p["readout"]["W"] != q["readout"]["W"]).any()


@dataclass(frozen=True)
class Recorded:
    """A task that keeps what it gave."""

    given: list

    inputs, outputs, loss, metric, reads, chance = 2, 1, "mse", "mse", "last", 1 / 6

    def batch(self, rng, B):
        """A batch of the adding problem."""
        self.given.append(TASK.batch(rng, B))
        return self.given[-1]

    def validation(self):
        """The adding problem's."""
        return TASK.validation()


def test_two_models_of_one_seed_see_the_same_data():
    small, large = Recorded([]), Recorded([])
    run(task=small)
    run(Network(DuRNN(2, 4, 5, horizon=10), 1), task=large, optimizer=SGD(0.001), clip=None, dtype="float64")
    assert len(small.given) == len(large.given) == 20
    for ours, theirs in zip(small.given, large.given):
        assert (ours[0] == theirs[0]).all() and (ours[1] == theirs[1]).all()
    assert (small.given[0][0] != small.given[1][0]).any()


def test_the_streams_of_a_seed_are_independent_of_each_other_and_of_other_seeds():
    draws = [[stream.random(4).tolist() for stream in streams(seed)] for seed in (0, 1)]
    assert len({tuple(row) for rows in draws for row in rows}) == len(draws[0]) + len(draws[1])
    assert draws[0] == [stream.random(4).tolist() for stream in streams(0)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_have_the_dtype_that_was_asked_for(dtype):
    body = Chain((ShortTermRNN(2, 4), Linear(4, 3), Chunked(DuRNN(3, 4, 5, horizon=10), 3)))
    p, _ = run(Network(body, 1), dtype=dtype)
    assert {leaf.dtype for leaf in leaves(p).values()} == {np.dtype(dtype)}


def test_both_precisions_tell_the_same_story():
    (_, single), (_, double) = run(dtype="float32"), run(dtype="float64")
    assert np.allclose(single["loss"], double["loss"], rtol=1e-4)


@pytest.mark.system
def test_a_dual_network_learns_short_tasks():
    body = DuRNN(2, 16, 16, horizon=20, gate=0.0)
    settings = {"optimizer": Adam(0.01), "log_every": 50, "validate_every": 250, "progress": False}
    assert fit(Network(body, 1), Adding(10), 250, **settings)[1]["validation"][-1] < 0.02 < Adding(10).chance / 8
    assert fit(Network(body, 2, "cross_entropy"), DelayedXOR(20), 250, **settings)[1]["validation"][-1] > 0.95


# The history

def test_the_history_has_its_columns_all_of_one_length():
    _, history = run(updates=23)
    assert tuple(history) == COLUMNS == ("update", "loss", "metric", "gradient_norm", "validation", "rate", "seconds")
    assert history["update"] == [5, 10, 15, 20, 23]           # the last update makes a row in any case
    assert {len(entries) for entries in history.values()} == {5}
    assert [look is not None for look in history["validation"]] == [False, True, False, True, True]
    assert all(type(entry) in (int, float, type(None)) for entries in history.values() for entry in entries)
    assert history["seconds"] == sorted(history["seconds"]) and history["seconds"][0] > 0


def test_without_clipping_there_is_no_norm_and_without_looks_no_validation():
    _, history = run(clip=None, validate_every=None)
    assert history["gradient_norm"] == history["validation"] == [None] * 4


def test_the_metric_is_the_mean_since_the_row_before():
    task = DelayedXOR(20)
    _, history = run(Network(RNN(2, 4), 2, "cross_entropy"), task)
    for accuracy in history["metric"]:                        # of 5 batches of 5
        assert 0 <= accuracy <= 1 and round(accuracy * 25, 6).is_integer()
    assert history["loss"][0] == pytest.approx(np.log(2), abs=0.3)


def test_the_rate_follows_its_schedule():
    _, history = run(optimizer=SGD(0.1), schedule=Steps(5, 0.1))
    assert history["rate"] == pytest.approx([0.1, 0.01, 0.001, 0.0001])
    assert run(optimizer=SGD(0.1), schedule=Constant())[1]["rate"] == [0.1] * 4


def test_a_schedule_changes_the_run_from_its_first_cut_on():
    constant, cut = run()[1]["loss"], run(schedule=Steps(10, 0.01))[1]["loss"]
    assert constant[:2] == cut[:2] and constant[2] != cut[2]


# The end

@pytest.mark.parametrize("network, task, easy, hard", [
    (NETWORK, TASK, 1e9, 1e-9), (Network(RNN(2, 4), 2, "cross_entropy"), DelayedXOR(20), 0.0, 1.1),
], ids=["lower", "higher"])
def test_a_run_stops_at_the_first_validation_that_is_good_enough(network, task, easy, hard):
    assert run(network, task, stop=easy)[1]["update"] == [5, 10]
    assert run(network, task, stop=hard)[1]["update"] == [5, 10, 15, 20]
    looks = [look for look in run(network, task, updates=60)[1]["validation"] if look is not None]
    first = looks.index(min(looks) if network.better == "lower" else max(looks))
    assert run(network, task, updates=60, stop=looks[first])[1]["update"][-1] == 10 * (first + 1)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")
@pytest.mark.parametrize("body", [
    RNN(2, 4, activation="relu"), ShortTermRNN(2, 4), ShortTermRNN(2, 4, projection="clip"), IndRNN(2, 4),
    DuRNN(2, 4, 5, horizon=10),
], ids=repr)
def test_a_diverging_run_says_at_which_update_and_what_to_do(body):
    hint = "use a smaller rate, clip the gradient, or keep the constraints on"
    with refuses(FloatingPointError, "at update 5", "last finite row is update 0", hint):
        run(Network(body, 1), optimizer=SGD(1e30), clip=None)


# The data

@dataclass(frozen=True)
class Damaged:
    """A task with one bad number."""

    name: str
    place: tuple
    value: float

    inputs, outputs, loss, metric, reads, chance = 2, 1, "mse", "mse", "last", 1 / 6

    def batch(self, rng, B):
        """A batch with the bad number."""
        parts = dict(zip(("x", "target"), TASK.batch(rng, B)))
        parts[self.name][self.place] = self.value
        return *parts.values(), None

    def validation(self):
        """A whole validation set."""
        return TASK.validation()


@pytest.mark.parametrize("name, place", [("x", (7, 3, 1)), ("x", (0, 0, 0)), ("target", (4, 0))])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_data_that_are_not_finite_are_refused_by_their_place(name, place, value):
    where = f"{name}[{', '.join(map(str, place))}] is {value}"
    with refuses(ValueError, where, "expected numbers that are finite in float32", "mend or leave out this sequence"):
        run(task=Damaged(name, place, value))


def test_data_are_converted_and_classes_are_not():
    x, target, _ = draw(NETWORK, (np.ones((4, 3, 2)), np.ones((3, 1)), None), "float32", "numpy")
    assert x.dtype == target.dtype == np.float32
    classes = np.arange(3)
    _, target, _ = draw(Network(IndRNN(2, 8), 3), (np.ones((4, 3, 2), np.float32), classes, None), "float64", "numpy")
    assert target.dtype == classes.dtype


@pytest.mark.parametrize("name, data", [
    ("target", (np.ones((4, 3, 2)), np.array([0, 2, 3]), None)),
    ("x", (np.array([[0, 2]] * 4), np.array([0, 1]), None)),
])
def test_class_numbers_out_of_range_are_refused_before_they_reach_the_device(name, data, cupy):
    network = Network(Chain((Embedding(2, 2), RNN(2, 3))) if name == "x" else RNN(2, 3), 3, "cross_entropy")
    with refuses(ValueError, f"{name} holds class numbers from 0 to", "expected 0 to"):
        draw(network, data, "float32", "cupy")


@pytest.mark.parametrize("reads", ["last", "every"])
@pytest.mark.parametrize("objective", ["mse", "cross_entropy"])
def test_an_evaluation_is_that_of_all_sequences_at_once(reads, objective):
    network = Network(Chain((DuRNN(2, 4, 5, horizon=10, gate=0.0), RNN(9, 3))), 2, objective, reads)
    p = map_leaves(lambda leaf: leaf.astype(np.float64), network.init(rng()))
    x, steps = rng(1).standard_normal((37, 11, 2)), (37, 11) if reads == "every" else (11,)
    target = rng(2).standard_normal((*steps, 2)) if objective == "mse" else rng(2).integers(0, 2, steps)
    value, metric, _ = network.loss(p, x, target)
    for sequences in (1, 4, 11, 250):
        found = evaluate(network, p, (x, target, None), sequences)
        assert found == pytest.approx((float(value), float(metric)), rel=1e-12)


# On the device

class Watching(Constant):
    """A schedule that notes how often the device had been waited for when each update began."""

    def __init__(self):
        object.__setattr__(self, "syncs", [])

    def scale(self, state, update):
        """1 at every update."""
        self.syncs.append(fake_cupy.ndarray.syncs)
        return 1.0


@pytest.mark.parametrize("body, needed", [
    (RNN(2, 4), 0), (ShortTermRNN(2, 4), 1), (IndRNN(2, 4), 1), (DuRNN(2, 4, 5, horizon=10), 1),
    (DuRNN(2, 4, 5, horizon=10, bound=None, growth=None), 0),
    (Chunked(Chain((ShortTermRNN(2, 4), Linear(4, 3), IndRNN(3, 4))), 4, "boundaries"), 2)], ids=repr)
def test_an_update_waits_for_the_device_no_more_than_its_projections_need(body, needed, cupy):
    watching = Watching()
    run(Network(body, 1), updates=12, schedule=watching, backend="cupy", log_every=6, validate_every=None)
    waits = np.diff(watching.syncs).tolist()
    assert len(waits) == 11
    assert waits[:5] + waits[6:] == [needed] * 10             # losses and norms stay on the device ...
    assert waits[5] > needed + 3 * 6 - 1                      # ... until the row: loss, metric and norm of six updates


@on_a_device
@pytest.mark.parametrize("body", [
    ShortTermRNN(2, 4, projection="clip"), DuRNN(2, 4, 5, horizon=10),
    Chunked(Chain((IndRNN(2, 4), RNN(4, 3))), 4, "boundaries"),
], ids=repr)
@pytest.mark.parametrize("objective, task", [("mse", TASK), ("cross_entropy", FewXOR(20))])
def test_a_run_on_the_device_is_the_run_in_memory(body, objective, task, xp):
    network = Network(body, task.outputs, objective)
    p, history = run(network, task, updates=10, dtype="float64", backend="cupy")
    q, expected = run(network, task, updates=10, dtype="float64")
    assert all(isinstance(leaf, xp.ndarray) for leaf in leaves(p).values())
    assert_same(p, q, 1e-9)
    for name in ("update", "loss", "metric", "gradient_norm", "rate"):
        assert history[name] == pytest.approx(expected[name], rel=1e-9), name
    at_home = evaluate(network, to_numpy(p), task.validation())
    assert evaluate(network, p, task.validation()) == pytest.approx(at_home, rel=1e-9)


# Wrong options

@pytest.mark.parametrize("options, words", [
    ({"validate_every": 7}, ("validate_every is 7:", "a multiple of log_every (5)")),
    ({"window": 5}, ("window is 5", 'expected reads="every"')),
])
def test_options_that_do_not_go_together_are_refused_by_their_names(options, words):
    with refuses(ValueError, *words):
        run(**options)


def test_a_task_of_another_kind_than_the_network_is_refused():
    with refuses(ValueError, "x has shape", "expected (T, B, 3)"):
        run(Network(RNN(3, 4), 1))
    with refuses(ValueError, "target has shape", "expected (5, 2)"):
        run(Network(RNN(2, 4), 2))
    with refuses(ValueError, "target has shape", "expected (10, 5, 1)"):
        run(Network(RNN(2, 4), 1, reads="every"))
    with refuses(ValueError, "target has shape", "expected integer class numbers of shape (5,)"):
        run(Network(RNN(2, 4), 2, "cross_entropy"))
