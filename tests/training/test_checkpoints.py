"""Training loses nothing: kills, Ctrl-C, numbers that are not finite, time limits, what a resumed run must equal."""

import itertools
import random
import struct
from dataclasses import dataclass
from time import monotonic, sleep

import forked
import numpy as np
import pytest
from killed_run import CASES, EVERY, UPDATES, Echo, train, train_counting
from support import refuses

from minidurnn import RNN, Chain, IndRNN, Network, evaluate, fit
from minidurnn.arrays.trees import leaves
from minidurnn.optim import SGD, Adam, Plateau, Steps
from minidurnn.tasks import Adding
from minidurnn.training import loop as training
from minidurnn.training.run import COLUMNS, streams
from minidurnn.training.storage import read, write

KILLS = 5


def assert_equal_runs(ours, theirs):
    """Two checkpoints hold the same run, bit for bit, but for the seconds."""
    (arrays, facts), (other_arrays, other_facts) = (read(path, "checkpoint") for path in (ours, theirs))
    arrays, other_arrays = leaves(arrays), leaves(other_arrays)
    assert arrays.keys() == other_arrays.keys()
    for name, array in arrays.items():
        other = other_arrays[name]
        assert (array.dtype, array.shape, array.tobytes()) == (other.dtype, other.shape, other.tobytes()), name
    for run in (facts["run"], other_facts["run"]):
        run.pop("seconds")
        run["history"].pop("seconds")
    assert facts["run"] == other_facts["run"]
    assert facts["setting"] == other_facts["setting"]


def assert_equal_histories(ours, theirs):
    """Two histories are equal in every column but the seconds."""
    assert {name: ours[name] for name in COLUMNS[:-1]} == {name: theirs[name] for name in COLUMNS[:-1]}


def kill_after(update, delay, case, checkpoint, counter):
    """Train in a new process, kill it `delay` seconds after an update  ->  updates at start and end, whether killed."""
    counter.unlink(missing_ok=True)
    process = forked.process(train_counting, case, checkpoint, counter)
    deadline, done = monotonic() + 60, -1
    while process.is_alive() and done < update:
        assert monotonic() < deadline, "the run does not move"
        sleep(0.004)                                          # a look is as dear as an update
        raw = counter.read_bytes() if counter.exists() else b""
        _, done = struct.unpack("qq", raw) if len(raw) == 16 else (0, -1)
    sleep(delay)
    process.kill()
    process.join()
    return *struct.unpack("qq", counter.read_bytes()), process.exitcode == -9


@pytest.mark.parametrize("case", CASES)
@pytest.mark.system
def test_a_run_that_is_killed_five_times_ends_as_the_one_that_was_not(case, tmp_path):
    seed = random.randrange(10**9)
    print(f"seed {seed}; kills at updates", end=" ")
    chance = random.Random(seed)
    checkpoint, counter, inside, before = tmp_path / "killed.npz", tmp_path / "counter", [], 0
    for kill in range(KILLS):                                 # one in every twenty updates, or soon after
        update, delay = 20 * kill + chance.randint(1, 20), chance.uniform(0, 0.008)
        first, done, killed = kill_after(update, delay, case, checkpoint, counter)
        print(f"{first}-{done}", end=", ", flush=True)
        assert before - 2 * EVERY < first <= before           # from the last checkpoint, or the one before that
        assert first % EVERY == 0
        before = done
        if killed and done < UPDATES:
            inside.append(done)
    assert len(inside) >= KILLS / 2
    assert any(done % EVERY for done in inside)               # some fell between two checkpoints

    p, history = train(case, checkpoint)
    q, uninterrupted = train(case, tmp_path / "whole.npz")
    assert_equal_runs(checkpoint, tmp_path / "whole.npz")
    assert_equal_histories(history, uninterrupted)
    for name, leaf in leaves(q).items():
        assert leaf.tobytes() == leaves(p)[name].tobytes() and np.isfinite(leaf).all(), name
    assert history["update"] == list(range(EVERY, UPDATES + 1, EVERY))
    assert len(set(history["rate"][:max(inside) // EVERY])) > 1      # Plateau had something to remember
    assert history["seconds"] == sorted(history["seconds"])


def test_a_checkpoint_inside_a_batch_holds_the_place_and_the_state(tmp_path):
    def place(updates):
        options = {"log_every": 4, "validate_every": 4, "resume": True, "progress": False}
        fit(**CASES["windows"], updates=updates, checkpoint=tmp_path / "run.npz", **options)
        arrays, facts = read(tmp_path / "run.npz", "checkpoint")
        return facts["run"]["offset"], arrays.get("carried"), facts["run"]["data_rng"]
    start = streams(CASES["windows"]["seed"])[1].bit_generator.state
    offset, carried, stream = place(4)
    assert offset == 4 * 7 and carried.shape == (4, 6 + 5) and np.abs(carried).max() > 0
    assert stream == start                                    # the batch in use is drawn again
    offset, carried, stream = place(7)                        # 46 steps are 7 windows
    assert offset == 0 and carried is None and stream != start


def interrupt(monkeypatch, at):
    """Let Ctrl-C hit the adding problem at its n-th batch from here."""
    true, left = Adding.batch, itertools.count(1 - at)

    def batch(self, rng, B):
        if B != 500 and next(left) == 0:                      # 500: the validation set
            raise KeyboardInterrupt
        return true(self, rng, B)
    monkeypatch.setattr(Adding, "batch", batch)


@pytest.mark.parametrize("at", [1, 4, 5, 6, 19, 23])
def test_ctrl_c_saves_the_last_row_says_how_to_go_on_and_loses_nothing(at, tmp_path, capsys, monkeypatch):
    path = tmp_path / "run.npz"
    options = {
        "network": Network(RNN(2, 4), 1), "updates": 24, "batch": 3, "log_every": 4, "validate_every": 8,
        "checkpoint_every": 24, "progress": False}
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, at)
        fit(task=Adding(10), checkpoint=path, **options)
    row = (at - 1) // 4 * 4
    said = capsys.readouterr().out
    assert f"update {row} is saved in {path}" in said and "--resume" in said
    assert read(path, "checkpoint")[1]["run"]["update"] == row
    _, history = fit(task=Adding(10), checkpoint=path, resume=True, **options)
    _, uninterrupted = fit(task=Adding(10), checkpoint=tmp_path / "whole.npz", **options)
    assert_equal_histories(history, uninterrupted)
    assert_equal_runs(path, tmp_path / "whole.npz")


@pytest.mark.parametrize("at", [9, 17])                       # one look was stale; one was, after a cut
def test_a_schedule_goes_on_counting_where_it_was(at, tmp_path, monkeypatch):
    options = small(log_every=4, validate_every=4, checkpoint_every=4, schedule=Plateau(patience=2, factor=0.5))
    monkeypatch.setattr(training, "look", getting_worse(training.look))
    _, uninterrupted = fit(**options)
    assert uninterrupted["rate"] == [1e-3, 1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]       # a cut after every two looks
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        interrupt(patch, at)
        fit(**options, checkpoint=tmp_path / "run.npz")
    _, history = fit(**options, checkpoint=tmp_path / "run.npz", resume=True)
    assert_equal_histories(history, uninterrupted)


def getting_worse(look):
    """A look whose validation metric is the number of the update."""
    def worse(network, task, run, *rest):
        return {**look(network, task, run, *rest), "validation": float(run.update)}
    return worse


def small(**options):
    """Arguments of a short run."""
    return {
        "network": Network(RNN(2, 4), 1), "task": Adding(10), "updates": 24, "batch": 3, "log_every": 4,
        "validate_every": 8, "checkpoint_every": 8, "progress": False, **options}


def test_a_finished_run_is_not_trained_again_and_a_longer_one_goes_on(tmp_path):
    p, history = fit(**small(checkpoint=tmp_path / "run.npz"))
    written = (tmp_path / "run.npz").stat().st_mtime_ns
    q, again = fit(**small(checkpoint=tmp_path / "run.npz", resume=True))
    assert again == history and (tmp_path / "run.npz").stat().st_mtime_ns == written
    assert all((leaf == leaves(q)[name]).all() for name, leaf in leaves(p).items())
    _, longer = fit(**small(checkpoint=tmp_path / "run.npz", resume=True, updates=40))
    _, whole = fit(**small(updates=40))
    assert_equal_histories(longer, whole)


def test_a_run_that_met_its_stop_does_not_go_on_when_it_is_resumed(tmp_path):
    stop = fit(**small())[1]["validation"][1]                 # the look at update 8
    _, history = fit(**small(checkpoint=tmp_path / "run.npz", stop=stop))
    assert history["update"][-1] == 8
    _, again = fit(**small(checkpoint=tmp_path / "run.npz", stop=stop, resume=True))
    assert again == history


def test_a_time_limit_ends_at_the_next_row_and_each_resumed_call_has_its_own(tmp_path, monkeypatch):
    _, uninterrupted = fit(**small())
    monkeypatch.setattr(training, "perf_counter", itertools.count().__next__)      # a row takes a second
    for limit, row in ((1, 4), (2, 12), (2.5, 24)):
        _, history = fit(**small(checkpoint=tmp_path / "run.npz", time_limit=limit, resume=True))
        assert history["update"][-1] == row
        assert read(tmp_path / "run.npz", "checkpoint")[1]["run"]["update"] == row
    assert history["seconds"] == [1, 2, 3, 4, 5, 6]
    assert_equal_histories(history, uninterrupted)


def test_the_validation_metric_is_that_of_the_fixed_set_at_every_look():
    network, task = Network(RNN(2, 4), 1), Adding(10)
    looks, p = [], None
    for updates in (8, 16, 24):
        p, history = fit(**small(updates=updates))
        looks.append(evaluate(network, p, task.validation())[1])
    assert [value for value in history["validation"] if value is not None] == looks
    assert [value is not None for value in history["validation"]] == [False, True] * 3
    assert fit(**small(updates=20))[1]["validation"][-1] is not None      # the last row looks in any case


def test_looking_at_the_validation_set_changes_no_update():
    often, never = fit(**small(validate_every=4))[1], fit(**small(validate_every=None))[1]
    assert often["loss"] == never["loss"] and never["validation"] == [None] * 6


def test_plateau_cuts_the_rate_after_so_many_looks_without_a_better_one():
    schedule = Plateau(patience=3, factor=0.5)
    _, history = fit(**small(optimizer=Adam(0.05), schedule=schedule, updates=240, validate_every=4))
    looks = list(enumerate(history["validation"]))
    rate, best, stale = 0.05, np.inf, 0
    for row, value in looks:
        assert history["rate"][row] == rate                   # a row shows the rate of its own update, before the look
        stale = 0 if value < best else stale + 1
        best = min(best, value)
        if stale == 3:
            rate, stale = rate / 2, 0
    assert rate < 0.05 / 4                                    # it happened, more than twice


DIVERGING = {
    "network": Network(RNN(2, 4, activation="identity"), 1), "optimizer": SGD(1e3), "clip": None, "log_every": 4,
    "validate_every": None, "checkpoint_every": 4}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_diverging_run_stops_with_the_update_a_finite_checkpoint_and_a_hint(tmp_path):
    path = tmp_path / "run.npz"
    with refuses(FloatingPointError, "at update", "last finite row is update", str(path), "smaller rate") as caught:
        fit(**small(**DIVERGING, updates=400, checkpoint=path))
    arrays, facts = read(path, "checkpoint")
    stopped, kept = (int(word.strip(",")) for word in str(caught.value).split() if word.strip(",").isdecimal())
    assert facts["run"]["update"] == kept == stopped - 4      # the row before
    assert all(np.isfinite(leaf).all() for leaf in leaves(arrays["p"]).values())
    assert np.isfinite(facts["run"]["history"]["loss"]).all()
    with refuses(FloatingPointError, f"at update {stopped}"):      # resumed, it meets the same end
        fit(**small(**DIVERGING, updates=400, checkpoint=path, resume=True))
    assert read(path, "checkpoint")[1]["run"]["update"] == kept


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid")
def test_a_diverging_run_without_a_checkpoint_says_so_much_and_no_more():
    with refuses(FloatingPointError, "is nan at update") as caught:
        fit(**small(**DIVERGING, updates=400))
    assert "saved" not in str(caught.value)


@dataclass(frozen=True)
class Overflowing:
    """A task whose validation set is out of float32's reach."""

    inputs, outputs, loss, metric, reads, chance = 2, 1, "mse", "mse", "last", 1.0

    def batch(self, rng, B):
        """Small numbers."""
        return Adding(10).batch(rng, B)

    def validation(self):
        """Large ones."""
        x, target, _ = Adding(10).validation()
        return x, target + np.float32(1e30), None


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_validation_loss_that_is_not_finite_stops_the_run_too(tmp_path):
    with refuses(FloatingPointError, "the validation loss is inf at update 8", "last finite row is update 4"):
        fit(**small(task=Overflowing(), checkpoint=tmp_path / "run.npz"))


def test_a_parameter_that_is_not_finite_is_named_as_the_cause():
    class Breaking(SGD):
        """An update that ruins a bias which the loss of the row did not see."""

        def update(self, p, dp, state, scale=1.0, decayed=None):
            p, state = super().update(p, dp, state, scale)
            return {**p, "readout": {**p["readout"], "b": p["readout"]["b"] + np.float32(np.inf)}}, state
    with refuses(FloatingPointError, "a parameter is not finite at update 1,", "update 0"):
        fit(**small(optimizer=Breaking(), log_every=1, checkpoint_every=1))


OTHER = {                                                     # what differs -> (a word of the message, the given value)
    "model": ({"network": Network(RNN(2, 5), 1)}, ("network/body/units is 4", "expected 5")),
    "kind": ({"network": Network(IndRNN(2, 4), 1)}, ("network/body/class is 'RNN'", "expected 'IndRNN'")),
    "depth": ({"network": Network(Chain((RNN(2, 4), RNN(4, 4))), 1)}, ("network/body/class", "expected 'Chain'")),
    "seed": ({"seed": 1}, ("seed is 0", "expected 1")),
    "task": ({"task": Adding(11)}, ("task/length is 10", "expected 11")),
    "batch": ({"batch": 4}, ("batch is 3", "expected 4")),
    "rate": ({"optimizer": Adam(0.002)}, ("optimizer/rate is 0.001", "expected 0.002")),
    "optimizer": ({"optimizer": SGD(0.001)}, ("optimizer/class is 'Adam'", "expected 'SGD'")),
    "schedule": ({"schedule": Steps(5)}, ("schedule/class is 'Constant'", "expected 'Steps'")),
    "clip": ({"clip": None}, ("clip is 5.0", "expected None")),
    "dtype": ({"dtype": "float64"}, ("dtype is 'float32'", "expected 'float64'")),
    "rows": ({"log_every": 2}, ("log_every is 4", "expected 2")),
    "looks": ({"validate_every": 4}, ("validate_every is 8", "expected 4")),
}


@pytest.mark.parametrize("options, words", OTHER.values(), ids=OTHER)
def test_a_checkpoint_of_another_run_is_refused_by_what_differs(options, words, tmp_path):
    fit(**small(checkpoint=tmp_path / "run.npz", updates=4))
    before = (tmp_path / "run.npz").read_bytes()
    with refuses(ValueError, "of another run", *words, "give the same options"):
        fit(**small(checkpoint=tmp_path / "run.npz", resume=True, **options))
    assert (tmp_path / "run.npz").read_bytes() == before


def test_a_checkpoint_of_another_window_is_refused(tmp_path):
    options = {"network": Network(RNN(1, 4), 1, reads="every"), "task": Echo(20), "window": 5}
    fit(**small(**options, checkpoint=tmp_path / "run.npz", updates=4))
    with refuses(ValueError, "window is 5", "expected 4"):
        fit(**small(**{**options, "window": 4}, checkpoint=tmp_path / "run.npz", resume=True))


def test_a_checkpoint_is_not_overwritten_without_resume(tmp_path):
    fit(**small(checkpoint=tmp_path / "run.npz", updates=4))
    with refuses(FileExistsError, "run.npz", "would be overwritten", "resume=True"):
        fit(**small(checkpoint=tmp_path / "run.npz"))


@pytest.mark.parametrize("name, change", [
    ("p/body/U", None), ("p/body/U", np.zeros((4, 5), np.float32)), ("optimizer/m/readout/b", None),
    ("optimizer/updates", None),
])
def test_a_checkpoint_without_an_array_or_with_one_of_another_shape_is_refused(name, change, tmp_path):
    path = tmp_path / "run.npz"
    fit(**small(checkpoint=path, updates=4))
    arrays, facts = read(path, "checkpoint")
    *stem, leaf = name.split("/")
    branch = arrays
    for key in stem:
        branch = branch[key]
    if change is None:
        del branch[leaf]
    else:
        branch[leaf] = change
    write(path, arrays, {key: facts[key] for key in ("kind", "setting", "run")})
    with refuses(ValueError, "does not fit its model", name, "expected"):
        fit(**small(checkpoint=path, resume=True))


def test_a_path_that_cannot_be_written_is_found_before_the_first_update(tmp_path):
    (tmp_path / "file").write_text("in the way")
    class Untouched(Adding):
        def batch(self, rng, B):
            pytest.fail("it began to train")
    with pytest.raises(OSError):
        fit(**small(task=Untouched(10), checkpoint=tmp_path / "file" / "run.npz"))


def test_a_task_without_fields_of_its_own_can_be_resumed(tmp_path):
    class Plain:
        """No dataclass: its repr holds an address."""

        inputs, outputs, loss, metric, reads, chance = 2, 1, "mse", "mse", "last", 1 / 6
        batch, validation = staticmethod(Adding(10).batch), staticmethod(Adding(10).validation)
    fit(**small(task=Plain(), checkpoint=tmp_path / "run.npz", updates=8))
    _, history = fit(**small(task=Plain(), checkpoint=tmp_path / "run.npz", resume=True))
    assert_equal_histories(history, fit(**small())[1])


def test_options_may_be_numbers_of_numpy(tmp_path):
    network = Network(IndRNN(2, 4, horizon=np.int64(10)), 1)
    options = {"seed": np.int64(0), "optimizer": Adam(np.float64(0.001)), "network": network}
    fit(**small(**options, checkpoint=tmp_path / "run.npz", updates=8))
    plain = {"seed": 0, "optimizer": Adam(0.001), "network": Network(IndRNN(2, 4, horizon=10), 1)}
    _, history = fit(**small(**plain, checkpoint=tmp_path / "run.npz", resume=True))
    assert_equal_histories(history, fit(**small(**plain))[1])


@pytest.mark.parametrize("name", ["validate_every", "checkpoint_every"])
def test_looks_and_checkpoints_fall_on_rows(name, tmp_path):
    with refuses(ValueError, f"{name} is 10", "multiple of log_every (4)"):
        fit(**small(checkpoint=tmp_path / "run.npz", **{name: 10}))
    assert name == "validate_every" or fit(**small(checkpoint_every=10))    # without a checkpoint it means nothing


def test_a_run_is_resumed_where_it_was_or_on_the_processor(xp, tmp_path):
    pytest.importorskip("filelock", reason="no filelock, which checkpoints need: a bare machine with a GPU")
    fit(**small(checkpoint=tmp_path / "run.npz", updates=8, backend=xp.__name__))
    p, history = fit(**small(checkpoint=tmp_path / "run.npz", updates=16, backend=xp.__name__, resume=True))
    assert isinstance(p["body"]["W"], xp.ndarray)
    p, history = fit(**small(checkpoint=tmp_path / "run.npz", resume=True))
    assert isinstance(p["body"]["W"], np.ndarray)
    whole = fit(**small())[1]
    np.testing.assert_allclose(history["loss"], whole["loss"], rtol=1e-5)
