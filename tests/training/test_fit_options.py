"""What `fit` is given: an impossible option, a part that is none and data of a wrong kind are told in one sentence."""

import numpy as np
import pytest
from support import refuses

from minidurnn import RNN, Chain, Network, ShortTermRNN, evaluate, fit
from minidurnn.optim import SGD, Adam, Constant, Plateau, Steps
from minidurnn.tasks import Adding

NAN, INF = float("nan"), float("inf")
COUNTS = (0, -1, 2.0, NAN, "5", True, None)
NUMBERS = (0, -1.0, NAN, INF, "5", True, 10**400)
OPTIONS = {                                                   # option -> what is refused, what was expected
    "updates": (COUNTS, "an int of at least 1"),
    "batch": (COUNTS, "an int of at least 1"),
    "log_every": (COUNTS, "an int of at least 1"),
    "checkpoint_every": (COUNTS, "an int of at least 1"),
    "validate_every": (COUNTS[:-1], "an int of at least 1"),
    "window": (COUNTS[:-1], "an int of at least 1"),
    "seed": ((-1, 2.5, NAN, "5", True, None), "an int of at least 0"),
    "clip": (NUMBERS, "a finite number above 0, or None"),
    "time_limit": (NUMBERS, "a finite number above 0, or None"),
    "stop": ((NAN, INF, -INF, "5", True, 10**400), "a finite number, or None"),
    "dtype": (("float16", None, float, 32), "'float32', 'float64'"),
    "backend": (("jax", None, np), "'numpy', 'cupy'"),
    "resume": (("no", 1, 0, None), "True or False"),
    "progress": (("no", 1, None), "True or False"),
    "checkpoint": ((5, True, b"run.npz", ["run.npz"]), "the path of a file, or None"),
}


class Untouched(Adding):
    """A task that is not asked before all else is right."""

    def batch(self, rng, B):
        """No batch."""
        pytest.fail("it began to train")


def run(**options):
    """A short run of a task that shall not be touched."""
    given = {"network": Network(RNN(2, 4), 1), "task": Untouched(10), "updates": 4, "progress": False}
    return fit(**{**given, **options})


@pytest.mark.parametrize("name, value, expected", [
    (name, value, words) for name, (values, words) in OPTIONS.items() for value in values])
def test_an_impossible_option_is_refused_by_its_name(name, value, expected):
    with refuses(ValueError, f"{name} is ", ": expected", expected) as caught:
        run(**{name: value})
    assert len(str(caught.value)) < 200


def test_a_stop_that_no_look_can_meet_is_refused():
    with refuses(ValueError, "stop is 0.1", "validate_every=None", "expected looks at the validation set"):
        run(stop=0.1, validate_every=None)


def test_options_may_be_numbers_and_flags_of_numpy(tmp_path):
    of_numpy = {
        "updates": np.int64(8), "batch": np.uint8(3), "log_every": np.int32(4), "validate_every": np.int64(4),
        "checkpoint_every": np.int64(4), "seed": np.int16(3), "clip": np.float32(0.5), "stop": np.float64(1e-9),
        "time_limit": np.int64(10**6), "resume": np.True_, "progress": np.False_, "dtype": np.str_("float32"),
        "schedule": Steps(np.int64(3), np.float32(0.5)),
    }
    plain = {name: option.item() if isinstance(option, np.generic) else option for name, option in of_numpy.items()}
    plain["schedule"] = Steps(3, 0.5)
    histories = [run(**options, task=Adding(10), checkpoint=tmp_path / "run.npz")[1] for options in (of_numpy, plain)]
    assert histories[0] == histories[1]                       # the second resumed the first: they are one run
    assert type(Steps(np.int64(3)).every) is type(Plateau(np.int8(3)).patience) is int


class Half:
    """A schedule, or an optimiser, that lacks something."""

    rate = 0.1

    def start(self, p=None):
        """No state."""
        return {}


@pytest.mark.parametrize("name, part, words", [
    ("network", RNN(2, 4), ("network is a RNN without body, reads", "a Network", "Network(cell, task.outputs)")),
    ("network", Chain((RNN(2, 4),)), ("network is a Chain without body",)),
    ("network", Network, ("network is the class Network", "Network(...)")),
    ("network", None, ("network is a NoneType",)),
    ("task", Adding, ("task is the class Adding", "Adding(...)")),
    ("task", "adding", ("task is a str without inputs", "Adding(100)")),
    ("task", np.zeros((5, 3, 2)), ("task is a ndarray without inputs",)),
    ("optimizer", "adam", ("optimizer is a str without rate, start, update", "Adam(0.001)")),
    ("optimizer", {}, ("optimizer is a dict without rate",)),
    ("optimizer", 0.001, ("optimizer is a float",)),
    ("optimizer", Adam, ("optimizer is the class Adam",)),
    ("optimizer", Half(), ("optimizer is a Half without update",)),
    ("schedule", 0, ("schedule is a int without start, scale, observe", "Steps(1000)")),
    ("schedule", Steps, ("schedule is the class Steps",)),
    ("schedule", Half(), ("schedule is a Half without scale, observe",)),
])
def test_a_part_that_is_none_is_refused_by_what_it_lacks(name, part, words):
    with refuses(TypeError, *words):
        run(**{name: part})


def test_a_task_needs_a_validation_set_only_where_one_is_looked_at():
    class Bare:
        """The adding problem without a validation set."""

        inputs, outputs, loss, metric, reads, batch = 2, 1, "mse", "mse", "last", Adding(10).batch
    with refuses(TypeError, "task is a Bare without validation"):
        run(task=Bare())
    assert run(task=Bare(), validate_every=None)[1]["validation"] == [None]


def given(data):
    """A task that gives these data, whatever it is asked."""
    class Given(Adding):
        def batch(self, rng, B):
            return data

        validation = staticmethod(Adding(10).validation)
    return Given(10)


X, TARGET = np.zeros((10, 3, 2), np.float32), np.zeros((3, 1), np.float32)


@pytest.mark.parametrize("data, error, words", [
    ((X, TARGET), TypeError, ("the data are a tuple of 2", "expected x, target, lengths")),
    (X, TypeError, ("the data are a ndarray", "expected x, target, lengths")),
    (None, TypeError, ("the data are a NoneType",)),
    ((X.tolist(), TARGET, None), TypeError, ("x is a list", "numpy.asarray")),
    ((X, TARGET.tolist(), None), TypeError, ("target is a list", "numpy.asarray")),
    ((np.ma.array(X), TARGET, None), TypeError, ("x is a MaskedArray", "mask")),
    ((X, np.ma.array(TARGET), None), TypeError, ("target is a MaskedArray", "mask")),
    ((X.astype(object), TARGET, None), TypeError, ("x is an array of object",)),
    ((X.astype(complex), TARGET, None), TypeError, ("x is an array of complex128",)),
    ((X, TARGET, [10, 10, 10]), ValueError, ("lengths is list",)),
    ((X.astype(float) + 1e300, TARGET, None), ValueError, ("x[0, 0, 0] is 1e+300", "finite in float32", "mend")),
    ((X, TARGET.astype(float) - 1e39, None), ValueError, ("target[0, 0] is -1e+39", "finite in float32")),
    ((X[:, :0], TARGET[:0], None), ValueError, ("x has shape (10, 0, 2)", "at least one step and one sequence")),
])
def test_data_of_a_wrong_kind_are_told(data, error, words):
    with refuses(error, *words):
        run(task=given(data), batch=3)
    with refuses(error, *words):
        evaluate(Network(RNN(2, 4), 1), Network(RNN(2, 4), 1).init(np.random.default_rng(0)), data)


def test_numbers_that_float64_holds_are_finite_in_a_run_of_float64():
    x = X.astype(float) + 1e39
    network = Network(ShortTermRNN(2, 4, activation="tanh"), 1)
    _, history = run(task=given((x, TARGET, None)), batch=3, dtype="float64", network=network)
    assert np.isfinite(history["loss"]).all()


def test_no_optimiser_and_no_schedule_are_adam_and_a_constant_rate():
    default, named, other = (
        run(task=Adding(10), **options)[0]["readout"]["W"]
        for options in ({}, {"optimizer": Adam(), "schedule": Constant()}, {"optimizer": SGD()}))
    assert (default == named).all() and (default != other).any()
