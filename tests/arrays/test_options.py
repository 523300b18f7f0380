"""Every option is held to what it can be; NumPy's numbers are taken as Python's, and kept as Python's."""

import sys
from dataclasses import fields
from fractions import Fraction
from functools import partial
from math import inf, nan

import numpy as np
import pytest
from support import refuses

from minidurnn import GRU, JANET, LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, ShortTermRNN
from minidurnn.arrays.checks import (
    at_least,
    check_options,
    check_positive,
    each,
    flag,
    number,
    one_of,
    optional,
    shown,
)
from minidurnn.networks import BatchNorm, Dropout, Embedding
from minidurnn.tasks import Adding, DelayedXOR
from minidurnn.training.storage import describe

HUGE = 10**400


def refused(error, call, *words):
    """`call` raises `error`, and its one sentence holds all the words."""
    with refuses(error, *words) as caught:
        call()
    message = str(caught.value)
    assert type(caught.value) is error and message.endswith(".") and "\n" not in message and len(message) < 400, message


def dual(**options):
    """A dual cell of which these options are of interest."""
    return DuRNN(**{"inputs": 2, "short": 4, "long": 5, "horizon": 9, **options})


def wrong(name, values, make, *words):
    """A line of the table for every value of an option."""
    return {f"{name} {shown(value)}": (lambda value=value: make(value), (f"{name} is {shown(value)}:", *words))
            for value in values}


numbers = "a number between 0 and 1, both excluded", "None for no constraint"
steps = "a finite number of time steps, at least 1"
growth = "a finite number of at least 1", "None for no constraint"
whole = "an int of at least 1"
answer = "True or False"
SIZES = (0, -1, 4.0, "4", None, True, np.float64(4), np.bool_(True), [4], -HUGE)
OPTIONS = {
    **wrong("bound", (0, 1, 1.0, -0.5, 1.5, nan, "0.9", True), lambda ρ: ShortTermRNN(2, 4, ρ), *numbers),
    **wrong("growth", (0.99, 0, -2, nan, inf, 1e300, "2"), lambda γ: IndRNN(2, 4, horizon=9, growth=γ), *growth),
    **wrong("horizon", (0, 0.5, -9, nan, inf, "9", False, HUGE, 10**5000), lambda τ: IndRNN(2, 4, horizon=τ), steps),
    **wrong("gate", ("open", inf, -inf, nan, 1e300, True, HUGE), lambda gate: dual(gate=gate), "or None for -0.7 ln"),
    **wrong("memory", ("short", None, True), lambda memory: IndRNN(2, 4, memory=memory), "'any', 'long'"),
    **wrong("output", ("short", None), lambda output: dual(output=output), "'both', 'long'"),
    **wrong("projection", ("cut", 1), lambda way: ShortTermRNN(2, 4, projection=way), "'rescale', 'clip'"),
    **wrong("activation", ("gelu", None, np.tanh, np.ones(2)), lambda φ: RNN(2, 4, activation=φ), "'relu', 'tanh'"),
    **wrong("start", ("zero",), lambda start: RNN(2, 4, start=start), "'orthogonal', 'identity'"),
    **wrong("units", SIZES, lambda size: RNN(2, size), whole),
    **wrong("length", (0, -3, 2.5, "16", True), lambda length: Chunked(RNN(2, 4), length), whole),
    **wrong("keep", ("everything", None), lambda keep: Chunked(RNN(2, 4), 3, keep), "'tapes', 'boundaries'"),
    **wrong("objective", ("mae",), lambda objective: Network(RNN(2, 4), 1, objective), "'mse', 'cross_entropy'"),
    **wrong("reads", ("first",), lambda reads: Network(RNN(2, 4), 1, reads=reads), "'last', 'every'"),
    **wrong("outputs", (0, 1.0), lambda outputs: Network(RNN(2, 4), outputs), whole),
    **wrong("steps", (0, 2.0, True), lambda steps: BatchNorm(4, steps), whole),
    **wrong("momentum", (2, -0.1, nan, inf, "0.1", True), lambda share: BatchNorm(4, momentum=share), "from 0 to 1"),
    **wrong("epsilon", (0, -1, nan, inf, 1e-300, 1e300, None), lambda ε: BatchNorm(4, epsilon=ε), "number above 0"),
    **wrong("rate", (1, -0.1, nan, "0.5", None, True), lambda rate: Dropout(4, rate), "the share of units to drop"),
    **{f"{line} (dual)": test for line, test in {
        **wrong("bound", (-0.1, 1.0, 2), lambda ρ: dual(bound=ρ), "from 0 to below 1", "None for no constraint"),
        **wrong("selection", ("gate", None), lambda which: dual(selection=which), "'both', 'state', 'input', 'none'"),
        **wrong("growth", (0.5,), lambda γ: dual(growth=γ), *growth),
        **wrong("horizon", (0, 0.5, None, "9", HUGE), lambda τ: dual(horizon=τ), "at least 1"),
        **wrong("projection", (None,), lambda way: dual(projection=way), "'rescale', 'clip'"),
        **wrong("project_input", ("no", 1, None, 0.0), lambda given: dual(project_input=given), answer),
        **wrong("short", (0,), lambda size: dual(short=size), whole),
        **wrong("long", (-5,), lambda size: dual(long=size), whole),
    }.items()},
    **{f"{line} ({kind.__name__})": test for kind in (RNN, ShortTermRNN, IndRNN, LSTM, GRU, JANET, Linear, Embedding)
       for line, test in wrong("inputs", (0,), lambda size, kind=kind: kind(size, 4), whole).items()},
    **{f"{line} ({kind.__name__})": test for kind in (RNN, ShortTermRNN, IndRNN, LSTM, GRU, JANET)
       for line, test in wrong("project_input", ("no", 1, None), lambda given, kind=kind: kind(
           4, 4, project_input=given), answer).items()},
    "long memory without a horizon": (
        lambda: IndRNN(2, 4, memory="long"), ("memory is 'long' without a horizon", "give horizon=T")),
    **wrong("bias", ("no", 1, None), lambda bias: Linear(2, 4, bias), answer),
    **wrong("beta", (None, nan, "1", True), lambda β: JANET(2, 4, beta=β), "a finite number"),
    **wrong("forget", ("slow", None, 1), lambda form: LSTM(2, 4, forget=form), "'sigmoid', 'refine', 'fast', 'floor'"),
    **wrong("start", ("chrono", None), lambda start: LSTM(2, 4, start=start), "'one', 'uniform'"),
    **{f"a floor with {options}": (lambda options=options: LSTM(2, 4, forget="floor", **options), (
        "forget is 'floor' with horizon=", "give horizon=T"))
       for options in ({}, {"horizon": 9, "start": "uniform"})},
    "a floor for one step": (lambda: LSTM(2, 4, forget="floor", horizon=1), ("horizon is 1:", "at least 2")),
    **{f"a uniform start with {units} units and {options}": (
        lambda units=units, options=options: LSTM(16, units, start="uniform", **options), (
            f"start is 'uniform' with units={units}", "at least 2 units, no horizon", "project_input=True"))
       for units, options in ((1, {}), (4, {"horizon": 9}), (4, {"project_input": False}))},
    "outputs of a layer": (lambda: Linear(2, 0), ("outputs is 0:", whole)),
    "chain of unequal widths": (
        lambda: Chain((RNN(2, 4), RNN(3, 4))), ("gives 4 outputs", "takes 3 inputs", "expected equal numbers")),
    "empty chain": (lambda: Chain(()), ("parts is ():", "a tuple of at least one model")),
    "length of the adding problem": (lambda: Adding(1), ("length is 1:", "at least 2 steps")),
    "length of delayed xor": (lambda: DelayedXOR(19), ("length is 19:", "at least 20 steps")),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_impossible_option_is_refused_by_its_name(option):
    make, words = OPTIONS[option]
    refused(ValueError, make, "expected", *words)


@pytest.mark.parametrize("make", [
    lambda: ShortTermRNN(2, 4, bound=None), lambda: IndRNN(2, 4, growth=None), lambda: IndRNN(2, 4, 1, growth=1),
    lambda: dual(horizon=1, bound=None, growth=None), lambda: dual(horizon=10**38, gate=3e38),
    lambda: BatchNorm(4, momentum=0), lambda: BatchNorm(4, momentum=1, epsilon=1e-30), lambda: Dropout(4, 0),
])
def test_the_edges_of_what_is_possible_are_accepted(make):
    make()


PAIRS = {                                                     # the same model, with NumPy's numbers and with Python's
    "rnn": (RNN, {"inputs": 4, "units": 4, "activation": "relu", "start": "identity", "project_input": False}),
    "short-term": (ShortTermRNN, {"inputs": 2, "units": 4, "bound": 0.5, "projection": "clip"}),
    "indrnn": (IndRNN, {"inputs": 2, "units": 4, "horizon": 9, "growth": 1.5, "memory": "long"}),
    "durnn": (DuRNN, {"inputs": 2, "short": 4, "long": 5, "horizon": 9.5, "bound": 0.25, "gate": -1.0}),
    "lstm": (LSTM, {"inputs": 2, "units": 4, "project_input": True}),
    "gru": (GRU, {"inputs": 12, "units": 4, "project_input": False}),
    "janet": (JANET, {"inputs": 2, "units": 4, "horizon": 9, "beta": 0.5}),
    "linear": (Linear, {"inputs": 2, "outputs": 4, "bias": False}),
    "embedding": (Embedding, {"inputs": 2, "outputs": 4}),
    "dropout": (Dropout, {"units": 4, "rate": 0.5}),
    "batch norm": (BatchNorm, {"units": 4, "steps": 7, "momentum": 0.25, "epsilon": 0.5}),
    "chunked": (partial(Chunked, RNN(2, 4)), {"length": 4, "keep": "boundaries"}),
    "network": (partial(Network, RNN(2, 4)), {"outputs": 3, "objective": "mse", "reads": "every"}),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_a_model_of_numpys_numbers_is_the_model_of_pythons(pair):
    make, options = PAIRS[pair]
    ours, python = make(**{name: np.array([value])[0] for name, value in options.items()}), make(**options)
    assert all(type(np.array([value])[0]) is not type(value) for value in options.values())
    assert ours == python and hash(ours) == hash(python) and repr(ours) == repr(python)
    assert describe(ours) == describe(python)
    assert {field.name: type(getattr(ours, field.name)) for field in fields(ours)} == {
        field.name: type(getattr(python, field.name)) for field in fields(python)}


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64, np.uint64, int])
def test_every_integer_is_an_int(kind):
    assert type(Adding(kind(100)).length) is int and Adding(kind(100)) == Adding(100)
    assert RNN(kind(100), kind(100)).shapes["U"] == (100, 100)


def test_a_number_becomes_what_python_calls_it():
    check = number("a number")
    given = (3, np.uint8(3), np.float32(0.25), np.float16(2), Fraction(1, 4), np.longdouble(0.5))
    assert [(type(check("n", value)), check("n", value)) for value in given] == [
        (int, 3), (int, 3), (float, 0.25), (float, 2.0), (float, 0.25), (float, 0.5)]
    for beyond in (nan, inf, 4e38, HUGE, Fraction(HUGE), np.longdouble("inf"), np.float32("nan"), 1j, "1", None, True):
        refused(ValueError, lambda beyond=beyond: check("n", beyond), f"n is {shown(beyond)}:", "expected a number")


# The checks themselves

def test_several_are_each_held_to_the_check_and_become_a_tuple():
    for given in ((1, 2), [1, 2], np.array([1, 2]), range(1, 3)):
        assert each(at_least(1))("n", given) == (1, 2) and type(each(at_least(1))("n", given)[0]) is int
    assert each(at_least(1))("n", ()) == ()
    refused(ValueError, lambda: each(at_least(1))("n", (1, 0)), "n[1] is 0:", "an int of at least 1")
    for wrong in (1, None, "12"):
        refused(ValueError, lambda wrong=wrong: each(at_least(1))("n", wrong), f"n is {wrong!r}:", "expected a tuple")


def test_sizes_and_choices_pass_where_they_are_right():
    check_positive(inputs=1, units=np.int64(10**6))
    one_of(("a", "b"))("mode", "a")
    refused(ValueError, lambda: check_positive(units=0), "units is 0:", whole)
    refused(ValueError, lambda: one_of(("a", "b"))("mode", ["a"]), "mode is ['a']:", "expected one of 'a', 'b'")


def test_a_check_gives_the_value_as_python_has_it():
    assert at_least(2)("n", np.int8(2)) == 2 and type(at_least(2)("n", np.int8(2))) is int
    assert flag("f", np.bool_(True)) is True and flag("f", False) is False
    assert type(one_of(("a", 14))("c", np.str_("a"))) is str and type(one_of(("a", 14))("c", np.int64(14))) is int
    assert one_of((None, "a"))("c", None) is None and optional(flag)("f", None) is None
    for given in (14.0, np.float64(14), "14", True):
        refused(ValueError, lambda given=given: one_of((14, 28))("size", given), f"size is {given!r}:", "14, 28")


def test_all_options_are_checked_before_a_model_exists():
    class Model:
        units, name = np.int64(3), "b"

    model = Model()
    check_options(model, units=at_least(1), name=one_of(("a", "b")))
    assert type(model.units) is int and vars(model) == {"units": 3, "name": "b"}
    with refuses(ValueError, "units is 3:", "at least 4"):
        check_options(model, units=at_least(4))


def test_what_was_given_is_shown_in_one_short_line():
    assert shown(0.5) == "0.5" and shown("a\nb") == "'a\\nb'"
    assert len(shown(np.ones((100, 100)))) < 80 and "\n" not in shown(np.ones((100, 100)))
    assert shown(10**50) == "1" + 50 * "0" and shown(HUGE) == "1" + 59 * "0" + " ..."
    if hasattr(sys, "set_int_max_str_digits"):
        assert shown(10**5000) == "an int of 16610 bits"
        assert shown([10**5000]) == "a list"
    assert shown(type("Silent", (), {"__repr__": lambda self: 1 / 0})()) == "a Silent"
