"""One update, pure: what `fit` does is what a call of it does; one tape at a time; no number overflows unseen."""

import tracemalloc
import weakref
from dataclasses import fields, replace

import numpy as np
import pytest
from support import assert_same, refuses, rng

from minidurnn import RNN, Chain, IndRNN, Network, evaluate, fit
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.networks import BatchNorm, Dropout
from minidurnn.optim import SGD, Adam, Constant
from minidurnn.tasks import Adding
from minidurnn.training import batches, begin
from minidurnn.training.run import ARRAYS, PLAIN, Run
from minidurnn.training.update import PARTS, Batch, update

NORMED = Network(Chain((RNN(2, 4), BatchNorm(4), Dropout(4, 0.2), RNN(4, 3))), 1)
QUIET = {"log_every": 1, "validate_every": None, "progress": False}


@pytest.mark.parametrize("network", [Network(RNN(2, 4), 1), NORMED], ids=["plain", "with noise and running statistics"])
def test_a_fit_is_batches_and_updates_of_a_run(network):
    run, task, laps = begin(network, Adam(), Constant(), seed=3), Adding(10), []
    seen = []
    for _, batch in zip(range(5), batches(network, task, run, 8)):
        run, row = update(network, Adam(), run, batch, clip=0.5, lap=laps.append)
        seen.append(row)
    p, history = fit(network, task, 5, batch=8, clip=0.5, seed=3, **QUIET)
    assert_same(run.p, p, 0)
    for name in ("loss", "metric", "gradient_norm"):
        assert [float(getattr(row, name)) for row in seen] == history[name]
    assert laps == 5 * list(PARTS) and run.update == 5


def test_an_update_by_hand_of_a_batch_of_ones_own():
    network, optimizer = Network(RNN(2, 4), 1), SGD(0.1)
    run, (x, target, _) = begin(network, optimizer, Constant()), Adding(10).batch(rng(), 8)
    after, row = update(network, optimizer, run, Batch(x, target), scale=0.5, clip=None)
    value, metric, tape = network.loss(run.p, x, target)
    assert_same(after.p, map_leaves(lambda a, d: a - 0.05 * d, run.p, network.gradient(tape)[0]), 1e-6)
    assert row == (value, metric, None) and after.carried is None and after.update == 1
    assert run.update == 0 and (run.data_rng, run.offset) == (after.data_rng, after.offset)


def test_an_update_writes_nothing():
    run = begin(NORMED, Adam(), Constant())
    batch = next(batches(NORMED, Adding(10), run, 8))
    for leaf in leaves((run.p, run.optimizer["m"], run.optimizer["v"], batch.x, batch.target)).values():
        leaf.flags.writeable = False
    (one, _), (two, _) = update(NORMED, Adam(), run, batch), update(NORMED, Adam(), run, batch)
    assert_same(one.p, two.p, 0)


def test_weight_decay_in_a_fit_is_that_of_the_networks_matrices():
    network, optimizer = Network(RNN(2, 4), 1), SGD(0.1, weight_decay=0.5)
    run, (x, target, _) = begin(network, optimizer, Constant()), Adding(10).batch(rng(), 8)
    run = replace(run, p=map_leaves(lambda leaf: leaf + 1, run.p))
    decayed, plain = (update(network, one, run, Batch(x, target), clip=None)[0].p for one in (optimizer, SGD(0.1)))
    by_decay = leaves(map_leaves(lambda a, b, p: (a - b) / p, decayed, plain, run.p))
    for name, share in by_decay.items():
        assert share == pytest.approx(-0.05 if name in ("body/W", "body/U", "readout/W") else 0.0, abs=1e-5), name


def test_every_field_of_a_run_is_arrays_or_plain():
    assert set(ARRAYS) == {"p", "optimizer", "carried"} and not set(ARRAYS) & set(PLAIN)
    assert {field.name for field in fields(Run)} == {*ARRAYS, *PLAIN}


class Watched(RNN):
    """A cell that counts how many of its tapes are in memory whenever it makes one."""

    tapes, most = [], [0]

    def forward(self, p, x, state=None):
        """The cell's own."""
        h, tape = super().forward(p, x, state)
        self.tapes.append(weakref.ref(h))
        self.most.append(sum(one() is not None for one in self.tapes))
        return h, tape


@pytest.mark.parametrize("window", [None, 4])
def test_one_tape_is_alive_at_a_time(window):
    class Every(Adding):
        """The adding problem with an answer at every step."""

        def batch(self, rng, B):
            x, target, _ = super().batch(rng, B)
            return x, np.broadcast_to(target, (len(x), *target.shape)), None

        def validation(self):
            return self.batch(rng(), 600)
    Watched.tapes.clear(), Watched.most.clear()
    options = {"batch": 3, "window": window, "log_every": 4, "validate_every": 4, "progress": False}
    fit(Network(Watched(2, 4), 1, reads="every"), Every(10), 12, **options)
    assert len(Watched.most) > 12 and max(Watched.most) == 1


def test_one_tape_is_alive_at_a_time_in_an_evaluation_of_whole_sequences():
    network = Network(Chain((Watched(2, 4), BatchNorm(4))), 1)
    Watched.tapes.clear(), Watched.most.clear()
    evaluate(network, network.init(rng()), Adding(10).batch(rng(), 6), sequences=2)
    assert Watched.most == [1, 1, 1]


def test_a_second_update_takes_no_more_memory_than_the_first():
    network, task = Network(RNN(2, 32), 1), Adding(200)

    def peak(updates):
        tracemalloc.start()
        fit(network, task, updates, batch=20, log_every=10, validate_every=None, progress=False)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most
    peak(1)
    assert peak(3) < 1.2 * peak(1)                            # a tape more would be 1.9


# Numbers that overflow

def spoilt(monkeypatch, value):
    """Let the gradient of one bias be this number."""
    true = Network.gradient

    def gradient(self, tape, dstate=None):
        dp, dstate0 = true(self, tape, dstate)
        return {**dp, "readout": {**dp["readout"], "b": np.full_like(dp["readout"]["b"], value)}}, dstate0
    monkeypatch.setattr(Network, "gradient", gradient)


def test_a_gradient_whose_square_overflows_is_clipped_and_the_run_goes_on(monkeypatch):
    spoilt(monkeypatch, 1e25)
    start = begin(Network(IndRNN(2, 4), 1), SGD(), Constant()).p
    p, history = fit(Network(IndRNN(2, 4), 1), Adding(10), 4, optimizer=SGD(0.1), clip=5.0, **QUIET)
    assert history["gradient_norm"] == pytest.approx(4 * [1e25], rel=1e-6)
    assert p["readout"]["b"] == pytest.approx(start["readout"]["b"] - 4 * 0.1 * 5.0, rel=1e-5)


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")
@pytest.mark.parametrize("value, options, words", [
    (np.inf, {}, "the gradient's norm is inf at update 1"),
    (np.nan, {"clip": None}, "a parameter is not finite at update 1"),
    (1e25, {"clip": None}, "the optimiser's state has overflowed at update 1"),         # Adam would stand still
    (np.inf, {"clip": None}, "the optimiser's state has overflowed at update 1"),
    (1e35, {"clip": None, "optimizer": SGD(1e-30, momentum=0.9)}, "the optimiser's state has overflowed at update 1"),
], ids=str)
def test_a_run_says_so_when_its_gradient_has_overflowed(value, options, words, monkeypatch):
    spoilt(monkeypatch, value)
    with refuses(FloatingPointError, words, "the last finite row is update 0", "clip the gradient"):
        fit(Network(RNN(2, 4), 1), Adding(10), 4, **{**QUIET, **options})


# A mean over nothing

@pytest.mark.parametrize("reads", ["last", "every"])
def test_an_evaluation_of_no_sequences_or_no_steps_is_refused(reads):
    network = Network(RNN(2, 4), 1, reads=reads)
    p = network.init(rng())
    for T, B in ((5, 0), (0, 3)):
        x, target = np.zeros((T, B, 2), np.float32), np.zeros((B, 1) if reads == "last" else (T, B, 1), np.float32)
        with refuses(ValueError, f"x has shape ({T}, {B}, 2)", "at least one step and one sequence"):
            evaluate(network, p, (x, target, None))
    x, target = np.zeros((5, 3, 2), np.float32), np.zeros((4, 1) if reads == "last" else (5, 4, 1), np.float32)
    with refuses(ValueError, "target has shape", "x of 3 sequences"):
        evaluate(network, p, (x, target, None))
    with refuses(ValueError, "sequences is 0", "at least 1"):
        evaluate(network, p, (x, target[:, :3] if reads == "every" else target[:3], None), 0)


def test_an_evaluation_of_whole_sequences_takes_no_more_memory_than_an_update_on_50():
    network, task = Network(Chain((RNN(2, 16), BatchNorm(16), RNN(16, 16))), 1), Adding(50)
    run = begin(network, Adam(), Constant())
    x, target, _ = task.batch(rng(), 50)

    def peak(call):
        call()
        tracemalloc.start()
        call()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most
    step = peak(lambda: update(network, Adam(), run, Batch(x, target, None, network.draw(rng(), 50))))
    validation = task.validation()
    assert peak(lambda: evaluate(network, run.p, validation)) <= 1.1 * step
    at_once, by_50 = (evaluate(network, run.p, validation, sequences)[0] for sequences in (500, None))
    assert by_50 == pytest.approx(at_once, rel=1e-5)


def test_an_evaluation_in_chunks_takes_250_sequences_at_once(monkeypatch):
    network, sizes, true = Network(RNN(2, 4), 1), [], Network.loss
    monkeypatch.setattr(Network, "loss", lambda self, p, x, *more, **options: (
        sizes.append(x.shape[1]), true(self, p, x, *more, **options))[1])
    evaluate(network, network.init(rng()), Adding(10).batch(rng(), 600))
    assert sizes == [250, 250, 100]
