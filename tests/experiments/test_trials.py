"""Trials and experiments: fair widths, names, what may be asked for, verdicts."""

import json
import re
from collections import Counter
from dataclasses import asdict, fields, replace

import numpy as np
import pytest
from support import refuses

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Network
from minidurnn.experiments import EXPERIMENTS, Trial
from minidurnn.networks import BatchNorm, count_parameters, width_for
from minidurnn.networks.models import MODELS, Model
from minidurnn.tasks import Adding, DelayedXOR

EVERY_TRIAL = [trial for one in EXPERIMENTS.values() for quick in (True, False) for trial in one.trials(quick)]
TINY = Trial("adding", 10, "indrnn-1", "equal", 60, seed=0, rates=(1e-3, 1e-2), updates=28, batch=3)


def network(trial):
    """The network of a trial on its task."""
    return trial.network(EXPERIMENTS[trial.experiment].task(trial.length, trial.source))


def test_the_width_comes_closest_to_the_budget():
    for body, outputs in ((lambda H: RNN(2, H), 1), (lambda H: IndRNN(3, H), 2), (lambda H: DuRNN(2, H, H, 9), 1)):
        sizes = {H: count_parameters(Network(body(H), outputs)) for H in range(1, 60)}
        for budget in (*range(1, 200, 7), 400):
            best = min(abs(size - budget) for size in sizes.values())
            assert abs(sizes[width_for(body, outputs, budget)] - budget) == best, budget


def test_counts_are_those_of_the_equations():
    assert count_parameters(Network(RNN(2, 5), 3)) == (2 * 5 + 5 * 5 + 5) + (5 * 3 + 3)
    short, gate, long, u, readout = (2 * 3 + 3 * 3 + 3), (3 * 4 + 2 * 4 + 4), (3 * 4 + 4), 4, (7 + 1)
    assert count_parameters(Network(DuRNN(2, 3, 4, 9), 1)) == short + gate + long + u + readout


def test_models_of_one_comparison_have_equal_counts_within_three_percent():
    equal = {}                                                # one of each size: a width does not depend on the length
    for trial in EVERY_TRIAL:
        task = EXPERIMENTS[trial.experiment].task(trial.length, trial.source)
        if trial.size == "equal":
            equal[trial.model, trial.parameters, task.inputs, task.outputs] = trial
    assert len(equal) > 30
    for trial in equal.values():
        assert abs(count_parameters(network(trial)) / trial.parameters - 1) < 0.03, trial.name


def test_a_size_in_units_is_the_width_of_every_layer():
    sized = [model for model in MODELS if not MODELS[model].direct]
    bodies = {model: network(replace(TINY, model=model, size="width", parameters=7)).body for model in sized}
    chunked = [body for body in bodies.values() if not body.whole]
    assert all(isinstance(body, Chunked) and body.length == body.model.chunk for body in chunked)
    single = ("rnn", "irnn", "short-term", "indrnn", "indrnn-1", "lstm", "gru")
    assert {bodies[name].model.units for name in single} == {7}
    assert [part.units for part in bodies["indrnn-2"].model.parts] == [7, 7]
    assert (bodies["durnn"].model.short, bodies["durnn"].model.long) == (7, 7)


def test_a_model_that_needs_the_whole_sequence_is_not_chunked(monkeypatch):
    deep = Model(lambda D, H, T: Chain((RNN(D, H), BatchNorm(H))), ())
    monkeypatch.setitem(MODELS, "deep", deep)
    body = network(replace(TINY, model="deep")).body
    assert body.whole and isinstance(body, Chain)


def test_stacks_with_and_without_skips_are_of_one_size():
    deep = {trial.model: network(trial) for trial in EVERY_TRIAL if trial.experiment == "depth"}
    sizes = {name: count_parameters(one) for name, one in deep.items()}
    assert sizes["indrnn-residual-21"] == sizes["indrnn-21"] == 16 * 3 + 20 * 16 * 17 + 21 * 3 * 16 + 17
    assert sizes["indrnn-residual-21-no-norm"] == sizes["indrnn-21-no-norm"] == sizes["indrnn-21"] - 21 * 2 * 16


def test_the_long_memory_spans_the_length_of_the_task():
    for model in ("indrnn-1", "durnn"):
        assert network(replace(TINY, model=model)).body.model.horizon == TINY.length
    assert [part.horizon for part in network(replace(TINY, model="indrnn-2")).body.model.parts] == [10, 10]


def test_names_tell_all_trials_apart():
    names = Counter(trial.name for trial in EVERY_TRIAL)
    assert len(EVERY_TRIAL) > 100 and max(names.values()) == 1
    assert all(re.fullmatch(r"[a-z0-9-]+", name.lower()) for name in names)      # a file name on every system
    assert len({name.lower() for name in names}) == len(names)
    assert TINY.name.startswith("adding-T10-equal60-indrnn-1-seed0-u28-")


OTHERS = {
    "experiment": "delayed-xor", "length": 11, "model": "rnn", "size": "width", "parameters": 61, "seed": 1,
    "rates": (1e-3,), "updates": 141, "batch": 4, "patience": 20, "stop": 0.1, "decay": 30, "stages": (5,),
    "source": "full", "backend": "cupy", "pilot": 20, "window": 5, "embedding": 4, "boundaries": 6, "steady": True,
}


@pytest.mark.parametrize("option", [field.name for field in fields(Trial)])
def test_every_option_is_part_of_the_name(option):
    assert replace(TINY, **{option: OTHERS[option]}).name != TINY.name


def test_rates_that_print_alike_are_two(tmp_path):
    assert replace(TINY, rates=(1e-3,)).name != replace(TINY, rates=(1e-3 + 1e-12,)).name


def test_a_seed_of_300_digits_is_a_file_name():
    first, second = (replace(TINY, seed=10**300 + more) for more in (0, 1))
    assert first.name != second.name and len(f"{first.name}-rate0.001-T5000.npz.lock") < 200


def test_numpys_numbers_are_pythons():
    numbers = {"length": np.int64(10), "parameters": np.uint8(60), "seed": np.int32(0), "updates": np.int64(28)}
    trial = replace(TINY, **numbers, batch=np.int16(3), rates=np.array([1e-3, 1e-2]), stages=(), stop=None)
    assert trial == TINY and trial.name == TINY.name and trial.plain == TINY.plain
    assert json.dumps(asdict(trial)) == json.dumps(asdict(TINY))
    assert replace(TINY, rates=(1,), stop=1).name == replace(TINY, rates=(1.0,), stop=1.0).name
    asked = EXPERIMENTS["adding"].trials(seeds=np.arange(2), lengths=np.array([100]), models=np.array(["durnn"]))
    assert [trial.seed for trial in asked] == [0, 1] and type(asked[0].seed) is int


@pytest.mark.parametrize("options, words", [
    ({"length": 0}, ("length is 0", "at least 1")), ({"seed": -1}, ("seed is -1", "at least 0")),
    ({"seed": 2.5}, ("seed is 2.5",)), ({"seed": True}, ("seed is True",)), ({"batch": None}, ("batch is None",)),
    ({"patience": 0}, ("patience is 0",)), ({"rates": ()}, ("rates is ()", "at least one")),
    ({"rates": (1e-3, 1e-3)}, ("each once",)), ({"rates": ("x",)}, ("rates[0] is 'x'",)),
    ({"rates": (1e-3, float("nan"))}, ("rates[1] is nan", "finite")), ({"stop": float("inf")}, ("stop is inf",)),
    ({"size": "big"}, ("size", "width")), ({"stages": (5, 4)}, ("stages", "grow")),
    ({"stages": (5, 10)}, ("stages", "shorter than 10")), ({"model": "durn"}, ("durn", "durnn")),
    ({"rates": (0,)}, ("rates[0] is 0:", "above 0")), ({"rates": (1e-3, -1e-3)}, ("rates[1] is -0.001:", "above 0")),
    ({"rates": 1e-3}, ("rates is 0.001:", "expected a tuple")), ({"rates": "ab"}, ("rates is 'ab'", "a tuple")),
    ({"stages": (5, 6.5)}, ("stages[1] is 6.5:", "an int of at least 1")), ({"stages": 5}, ("stages is 5:", "a tuple")),
    ({"backend": "cuda"}, ("backend is 'cuda':", "'numpy', 'cupy'")),
    ({"source": "nonsense"}, ("source is 'nonsense':", "'sample', 'full'")),
])
def test_options_that_are_none_are_refused(options, words):
    with refuses(ValueError, *words):
        replace(TINY, **options)


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_options_narrow_the_trials_and_seeds_replace_them(experiment):
    for quick in (True, False):
        trials = experiment.trials(quick)
        first = trials[0]
        alike = [trial for trial in trials if trial.model == first.model]
        assert experiment.trials(quick, models=[first.model]) == alike
        alike = [trial for trial in trials if trial.length == first.length]
        assert experiment.trials(quick, lengths=[first.length]) == alike
        assert {trial.seed for trial in experiment.trials(quick, seeds=(7, 8))} == {7, 8}
        assert all(trial.backend == "cupy" for trial in experiment.trials(quick, backend="cupy"))
        assert not experiment.trials(quick, lengths=[3])


@pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=EXPERIMENTS)
def test_any_model_of_the_table_can_be_put_to_any_experiment(experiment):
    for quick in (True, False):
        known = experiment.trials(quick)
        lengths = {trial.length for trial in known}
        for name in MODELS:
            asked = experiment.trials(quick, models=[name], seeds=[0])
            assert {trial.model for trial in asked} == {name}
            own = {trial.length for trial in known if trial.model == name}
            assert {trial.length for trial in asked} == (own or lengths)


def test_a_model_that_an_experiment_lacks_is_put_to_it_as_one_that_it_has():
    asked = {"quick": False, "lengths": [500], "seeds": [0]}
    other, rnn = (EXPERIMENTS["adding"].trials(models=[name], **asked) for name in ("indrnn", "rnn"))
    assert [replace(trial, model="rnn") for trial in other] == rnn
    assert len(EXPERIMENTS["delayed-xor"].trials(False, models=["rnn"], lengths=[5000], seeds=[0])) == 1


ABOVE, BELOW = (lambda edge: np.nextafter(edge, 2)), (lambda edge: np.nextafter(edge, -1))
CEILING = DelayedXOR(100).baseline()[1] + 0.05


@pytest.mark.parametrize("name, task, metric, verdict", [
    ("adding", Adding(100), 0.0, "solved"), ("adding", Adding(100), 0.01, "solved"),
    ("adding", Adding(100), ABOVE(0.01), "learning"), ("adding", Adding(100), BELOW(0.15), "learning"),
    ("adding", Adding(100), 0.15, "baseline"), ("adding", Adding(100), 1 / 6, "baseline"),
    ("depth", Adding(20), 0.1, "solved"), ("depth", Adding(20), ABOVE(0.1), "learning"),
    ("depth", Adding(20), 0.15, "baseline"),
    ("delayed-xor", DelayedXOR(100), 1.0, "solved"), ("delayed-xor", DelayedXOR(100), 0.99, "solved"),
    ("delayed-xor", DelayedXOR(100), BELOW(0.99), "learning"),
    ("delayed-xor", DelayedXOR(100), ABOVE(CEILING), "learning"),
    ("delayed-xor", DelayedXOR(100), CEILING, "baseline"), ("delayed-xor", DelayedXOR(100), 0.5, "baseline"),
])
def test_verdicts_change_where_the_rule_says(name, task, metric, verdict):
    assert EXPERIMENTS[name].verdict(metric, task) == verdict


def test_the_verdict_on_pixels_knows_the_most_frequent_class():
    experiment = EXPERIMENTS["pixels"]
    task = experiment.task(196, "sample")
    most = task.baseline()[1]
    edges = (0.9, BELOW(0.9), ABOVE(most + 0.05), most + 0.05)
    assert [experiment.verdict(edge, task) for edge in edges] == ["solved", "learning", "learning", "baseline"]


def test_a_trial_on_symbols_begins_with_their_rows_and_may_keep_boundaries_alone():
    trial = replace(TINY, experiment="first-vector", embedding=3, boundaries=6, parameters=500)
    body = network(trial).body
    rows, cell = body.inner.inner.parts
    assert (body.length, body.keep, body.inner.keep) == (6, "boundaries", "tapes")
    assert body.inner.length == cell.chunk and (rows.inputs, rows.outputs, cell.inputs) == (129, 3, 3)
    assert isinstance(network(replace(trial, boundaries=None)).body.inner, Chain)
    for option in ("embedding", "boundaries"):
        with refuses(ValueError, f"{option} is 0", "at least 1"):
            replace(TINY, **{option: 0})
