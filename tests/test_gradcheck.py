"""The checker is checked: what is right passes, and every planted bug is caught where it can exist."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from planted import CELL_BUGS, LOOPS, SOUND, again, planted, planted_places, results, step_by_step, whole_run
from support import SQUARE, refuses, rng

from minidurnn import GRU, LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, Linear, ShortTermRNN
from minidurnn.arrays.lengths import without_padding
from minidurnn.arrays.trees import map_leaves
from minidurnn.cells import Cell, Layer
from minidurnn.gradcheck import NotSmooth, assert_cell, assert_cell_gradient, assert_gradient, points, random_leaves
from minidurnn.networks import MODELS, BatchNorm, Dense, Dropout, Embedding, Residual

DUAL = DuRNN(2, 4, 5, horizon=9, gate=0.0)
LONG = replace(DUAL, output="long")                           # its state is more than its output
KINDS = {type(model.samples[0]): model.samples[0] for model in reversed(MODELS.values()) if model.samples}
SOLO = list(KINDS.values())                                   # the first sample of every class: no code twice
FORMS = [RNN(2, 4), Chain((IndRNN(2, 4), RNN(4, 3)))]         # the state is the output; it is more than the output
every_form = pytest.mark.parametrize("cell", FORMS, ids=repr)


# A right gradient

TINY = [RNN(1, 3), ShortTermRNN(1, 3), IndRNN(1, 3), DuRNN(1, 2, 3, horizon=9, gate=0.0), LSTM(1, 2), GRU(1, 2)]


@pytest.mark.parametrize("cell", TINY, ids=repr)
def test_a_right_gradient_is_never_rejected(cell):
    kinks = 0
    for seed in range(6):
        leaves = random_leaves(cell, rng(seed), 2, 2)

        def forward(leaves):
            h, tape = cell.forward(*leaves.values())
            return h, cell.last_state(tape)

        def backward(cotangents, leaves=leaves):
            dx, dstate0, dp = cell.backward(cotangents[0], cell.forward(*leaves.values())[1], cotangents[1])
            return {"p": dp, "x": dx, "state": dstate0}

        try:
            assert_gradient(forward, backward, leaves, rng=rng(seed))
        except NotSmooth:
            kinks += 1
    assert kinks <= 1                                         # points that happen to lie within 1e-5 of a kink


@pytest.mark.parametrize("cell", [ShortTermRNN(2, 4), DUAL, BatchNorm(4)], ids=repr)
def test_a_right_model_keeps_its_contract_whatever_the_seed(cell):
    for seed in range(1, 3):
        assert_cell(cell, rng(seed))


LAYERS = [
    Dropout(4, 0.25), BatchNorm(4), BatchNorm(4, steps=9), Embedding(6, 3), Chain((Embedding(6, 3), RNN(3, 4))),
    Chain((Linear(2, 4), Residual(Chain((BatchNorm(4), Dropout(4, 0.5)))), Dense(RNN(4, 3)))),
    Chunked(Chain((RNN(2, 4), Dropout(4, 0.3))), 3, "boundaries"),
]


@pytest.mark.parametrize("model", LAYERS, ids=repr)
def test_layers_and_stacks_of_them_keep_the_whole_contract_in_training_too(model):
    assert_cell(model, rng())


def test_the_checks_leave_the_callers_random_numbers_alone():
    drawn = rng()
    assert_cell(RNN(2, 4), drawn)
    assert_cell_gradient(RNN(2, 4), drawn, 3, 2)
    assert drawn.random() == rng().random()


def test_random_points_have_parameters_of_both_signs_within_the_constraints():
    for cell in (IndRNN(2, 4, horizon=9, memory="long"), ShortTermRNN(2, 4), DUAL):
        p = points.random_point(cell, rng(), 2, 2).p
        assert all(leaf.min() < 0 < leaf.max() for leaf in p.values()) and cell.project(p) is p


def test_trees_of_leaves_and_outputs_are_checked_leaf_by_leaf():
    draw = rng()
    nested = {"c": draw.standard_normal(3), "d": np.float64(draw.standard_normal(()))}
    leaves = {"a": draw.standard_normal((2, 3)), "b": nested}

    def forward(leaves):
        return {"sum": leaves["a"] * leaves["b"]["c"], "rest": (leaves["b"]["d"] ** 2, [np.sin(leaves["a"])])}

    def backward(c, factor=1.0):
        da = c["sum"] * nested["c"] + c["rest"][1][0] * np.cos(leaves["a"])
        return {"a": da, "b": {"c": (c["sum"] * leaves["a"]).sum(0) * factor, "d": 2 * nested["d"] * c["rest"][0]}}

    assert_gradient(forward, backward, leaves, rng=rng(1))
    with refuses(AssertionError, "leaf b/c", "relative error"):
        assert_gradient(forward, lambda c: backward(c, 1.001), leaves, rng=rng(1))


# A wrong gradient of a plain function

def check(backward, forward=np.sin, a=None, **options):
    """assert_gradient of a function of one leaf."""
    leaves = {"a": rng().standard_normal((4, 3)) if a is None else a}
    claimed = {"forward": lambda leaves: forward(leaves["a"]), "backward": lambda c: {"a": backward(leaves["a"], c)}}
    assert_gradient(**claimed, leaves=leaves, rng=rng(1), **options)


WRONG = {
    "zero": lambda a, c: 0 * a, "the other sign": lambda a, c: -c * np.cos(a), "no cotangent": lambda a, c: np.cos(a),
    "a factor": lambda a, c: 1.00001 * c * np.cos(a), "an offset": lambda a, c: c * np.cos(a) + 1e-4,
    "rows swapped": lambda a, c: (c * np.cos(a))[::-1], "not a number": lambda a, c: np.nan * a,
    "one entry": lambda a, c: c * np.cos(a) * (np.arange(12).reshape(4, 3) != 5), "infinite": lambda a, c: np.inf + a,
}


def test_a_right_gradient_passes():
    check(lambda a, c: c * np.cos(a))


@pytest.mark.parametrize("size", [1e-200, 1e-11, 1e-2, 1.0, 1e4, 1e100])
@pytest.mark.parametrize("backward", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_gradient_is_refused_however_small_or_large_the_function_is(backward, size):
    with refuses(AssertionError, "leaf a"), np.errstate(invalid="ignore"):
        check(lambda a, c: size * backward(a, c), lambda a: size * np.sin(a))
    check(lambda a, c: size * c * np.cos(a), lambda a: size * np.sin(a))


def test_a_gradient_of_zero_is_right_where_rounding_is_all_that_moves():
    check(lambda a, c: 0 * a, lambda a: (0.3 + a) - a)        # as of a bias in front of batch norm
    check(lambda a, c: 0 * a, lambda a: 1.0 + 1e-12 * np.sin(a))      # documented: below what can be told
    with refuses(AssertionError, "leaf a"):
        check(lambda a, c: 0 * a, lambda a: 1.0 + 1e-8 * np.sin(a))


def test_the_message_gives_both_slopes_and_the_tolerance():
    words = "finite differences give", "relative error", "tolerance 1e-07"
    with refuses(AssertionError, "leaf a: backward gives the slope", *words):
        check(WRONG["the other sign"])


def test_a_looser_tolerance_lets_a_small_error_pass():
    check(WRONG["a factor"], tolerance=1e-3)


@pytest.mark.parametrize("backward, words", [
    (lambda c: {}, ("backward gives gradients of", "expected a")),
    (lambda c: {"a": c, "b": c}, ("backward gives gradients of a, b", "expected a")),
    (lambda c: {"a": c.T}, ("the gradient of leaf a has shape (3, 4)", "expected (4, 3)")),
    (lambda c: {"a": c.sum()}, ("the gradient of leaf a has shape ()", "expected (4, 3)")),
    (lambda c: {"a": None}, ("backward gives gradients of", "expected a")),
])
def test_gradients_of_another_name_or_shape_are_refused(backward, words):
    leaves = {"a": rng().standard_normal((4, 3))}
    with refuses(AssertionError, *words):
        assert_gradient(lambda leaves: leaves["a"], backward, leaves, rng=rng(1))


def test_single_precision_is_refused():
    with refuses(TypeError, "leaf a has dtype float32", "expected float64"):
        check(lambda a, c: c, a=np.ones((4, 3), np.float32))


# Kinks

BENT = [
    (np.abs, np.sign), (lambda a: np.maximum(a, 0), lambda a: a > 0),
    (lambda a: np.minimum(a, 0.5 * a), lambda a: np.where(a > 0, 0.5, 1.0)),
]


@pytest.mark.parametrize("forward, slope", BENT)
def test_a_kink_at_the_point_is_reported_as_not_smooth(forward, slope):
    with refuses(NotSmooth, "leaf a: two step sizes disagree in 20 draws", "the function is not smooth around this"):
        check(lambda a, c: c * slope(a), forward, np.zeros((4, 3)))


@pytest.mark.parametrize("distance", [1e-7, 1e-6, 3e-6, 9e-6])
def test_a_kink_within_the_step_is_reported_as_not_smooth_and_never_as_a_wrong_gradient(distance):
    for seed in range(20):
        a = rng(seed).choice([-distance, distance], (4, 3))
        try:
            check(lambda a, c: c * (a > 0), lambda a: np.maximum(a, 0), a)
        except NotSmooth:
            continue


def test_a_jump_is_reported_as_not_smooth():
    with pytest.raises(NotSmooth):
        check(lambda a, c: 0 * a, np.sign, np.zeros((4, 3)))


def test_near_a_kink_the_direction_is_drawn_again():
    calls = []

    def backward(a, c):
        calls.append(1)
        return c * (a > 0)

    a = np.array([[1e-5]])                                    # two of three directions reach the kink in a step ...
    drawn = []
    for seed in range(50):
        calls.clear()
        relu, claimed = lambda leaves: np.maximum(leaves["a"], 0), lambda c: {"a": backward(a, c)}
        assert_gradient(relu, claimed, {"a": a}, rng=rng(seed))
        drawn.append(len(calls))
    assert max(drawn) > 1 and min(drawn) == 1                 # ... and are drawn again until one does not


def test_a_cell_at_a_kink_is_moved_to_another_point(monkeypatch):
    drawn = []

    def at_a_kink_first(*arguments):
        leaves = random_leaves(*arguments)
        if not drawn:                                         # no input, state or bias: every unit is at relu's kink
            leaves = map_leaves(np.zeros_like, leaves)
        drawn.append(leaves)
        return leaves

    monkeypatch.setattr(points, "random_leaves", at_a_kink_first)
    assert_cell_gradient(IndRNN(2, 4), rng(), 3, 2)
    assert len(drawn) == 2


def test_a_cell_that_is_smooth_nowhere_is_an_error(monkeypatch):
    monkeypatch.setattr(points, "random_leaves", lambda *given: map_leaves(np.zeros_like, random_leaves(*given)))
    with pytest.raises(NotSmooth, match="choose another one"):
        assert_cell_gradient(IndRNN(2, 4), rng(), 3, 2)


# Planted bugs in a cell's own functions

def caught(cell, seed):
    """Whether assert_cell refuses a cell."""
    try:
        assert_cell(cell, rng(seed))
    except AssertionError:
        return True
    return False


@every_form
@pytest.mark.parametrize("bug", CELL_BUGS)
def test_a_planted_bug_is_caught_whatever_the_cell(bug, cell):
    assert caught(planted(cell, **CELL_BUGS[bug]), 2)


@pytest.mark.parametrize("sound", SOUND)
def test_the_same_wrappers_without_a_bug_pass(sound):
    for cell in FORMS:
        assert_cell(planted(cell, **SOUND[sound]), rng(2))


@pytest.mark.parametrize("change", [lambda d: 0 * d, lambda d: d[::-1]], ids=["zero", "backwards"])
@pytest.mark.parametrize("cell", SOLO, ids=repr)
def test_a_bug_in_the_gradient_of_any_single_parameter_is_caught_by_its_name(cell, change):
    for path in points.leaves_of(cell.init(rng())):
        def wrong(dx, d0, dp, path=path):
            return dx, d0, changed(dp, path, change)

        with refuses(AssertionError, f"leaf p/{path}:"):
            assert_cell(planted(cell, **results(wrong)), rng(3))


def changed(tree, path, change):
    """The tree with one leaf changed."""
    head, _, rest = path.partition("/")
    return {**tree, head: changed(tree[head], rest, change) if rest else change(tree[head])}


@pytest.mark.parametrize("cell", [LONG, LSTM(2, 4), FORMS[-1]], ids=repr)
def test_a_carried_gradient_added_to_the_last_output_is_caught_where_output_and_state_differ(cell):
    def added(cell, dh, tape, dstate=None):
        if dstate is not None:
            dh = dh.copy()
            dh[-1] += dstate[:, -cell.outputs:]
        return cell.backward(dh, tape)

    with refuses(AssertionError, "leaf p/"):
        assert_cell(planted(cell, backward=added), rng(4))


PLACES = list(planted_places([*SOLO, LSTM(2, 4, forget="refine")], SQUARE))


@pytest.mark.parametrize("function, bug", dict.fromkeys(place[1:] for place in PLACES))
def test_a_bug_planted_in_a_function_is_caught_in_every_cell_that_calls_it(function, bug, monkeypatch):
    cells = [cell for cell, *place in PLACES if place == [function, bug]]
    for module in {sys.modules[type(cell).__module__] for cell in cells}:
        monkeypatch.setattr(module, function, LOOPS[function][bug](getattr(module, function)))
    assert cells and [cell for cell in cells if not caught(cell, 5)] == []


# Bugs that show at some arguments only

def wrong_where(condition, change=lambda d: 1.01 * d):
    """A backward whose dp is wrong where condition(p, x, dh) holds."""
    def backward(cell, dh, run, dstate):
        dx, dstate0, dp = again(cell, dh, run, dstate)
        return dx, dstate0, map_leaves(change, dp) if condition(run, dh) else dp
    return whole_run(backward)


def without_dstate_wrong(condition):
    """A backward whose dp is wrong where no dstate is given and condition(dh) holds."""
    def backward(cell, dh, tape, dstate=None):
        dx, dstate0, dp = cell.backward(dh, tape, dstate)
        return dx, dstate0, map_leaves(lambda d: d + 1.0, dp) if dstate is None and condition(dh) else dp
    return {"backward": backward}


def has_gaps(array):
    return array is not None and not array.flags.c_contiguous


def reset_at(t):
    """A forward that forgets its state at step t, with the right gradient for it."""
    def forward(cell, p, x, state=None):
        if len(x) <= t:
            h, tape = cell.forward(p, x, state)
            return h, (tape,)
        (first, tape), (second, other) = cell.forward(p, x[:t], state), cell.forward(p, x[t:])
        return np.concatenate([first, second]), (tape, other)

    def backward(cell, dh, tapes, dstate=None):
        if len(tapes) == 1:
            return cell.backward(dh, tapes[0], dstate)
        halves = (None, None) if dh is None else (dh[:t], dh[t:])
        dx, _, dp = cell.backward(halves[1], tapes[1], dstate)
        dx_0, dstate0, dp_0 = cell.backward(halves[0], tapes[0])
        return np.concatenate([dx_0, dx]), dstate0, points.add(dp_0, dp)

    return {
        "forward": forward, "backward": backward,
        "last_state": lambda cell, tapes: cell.last_state(tapes[-1]),
    }


def half_precision(cell, p, x, state=None):
    h, tape = cell.forward(p, x, state)
    return h.astype(np.float16).astype(h.dtype) if h.dtype == np.float32 else h, tape


def of_the_batch(cell, p, x, state=None):
    return cell.forward(p, x - x.mean(1, keepdims=True), state)


def back_to_the_batch(cell, dh, tape, dstate=None):
    dx, dstate0, dp = cell.backward(dh, tape, dstate)
    return dx - dx.mean(1, keepdims=True), dstate0, dp


SOMETIMES = {                                                 # bug -> its methods, what the refusal says
    "dp of dh with gaps": (wrong_where(lambda run, dh: has_gaps(dh)), "arrays with gaps"),
    "dp of x with gaps": (wrong_where(lambda run, dh: has_gaps(run[1])), "arrays with gaps"),
    "dp of a state with gaps": (wrong_where(lambda run, dh: has_gaps(run[2])), "arrays with gaps"),
    "dp without a state": (wrong_where(lambda run, dh: run[2] is None), "without a state it is zero"),
    "dp without dh": (wrong_where(lambda run, dh: dh is None), "without dh it is zero"),
    "dp without dstate": (without_dstate_wrong(lambda dh: dh is not None), "without dstate it is zero"),
    "dp without either": (without_dstate_wrong(lambda dh: dh is None), "without dh and dstate it is zero"),
    "dp beyond 7 steps": (wrong_where(lambda run, dh: len(run[1]) > 7), "41 steps run in pieces of 7"),
    "dp beyond 40 steps": (wrong_where(lambda run, dh: len(run[1]) > 40), "41 steps run in pieces of 7"),
    "the carry dropped at step 8": (
        whole_run(lambda *run: step_by_step(*run, lambda carry, t: None if t == 8 else carry)), "in pieces of 7"),
    "the state dropped at step 8": (reset_at(8), "41 steps run in pieces of 7"),
    "dp of float32": (wrong_where(lambda run, dh: run[1].dtype == np.float32), "float32 gives the numbers of float64"),
    "outputs of float32": ({"forward": half_precision}, "float32 gives the numbers of float64"),
    "dp beyond |x| of 5": (wrong_where(lambda run, dh: np.abs(run[1]).max() > 5), "leaf p/"),
    "the mean of the batch": ({"forward": of_the_batch, "backward": back_to_the_batch}, "beside other sequences"),
}


@every_form
@pytest.mark.parametrize("bug", SOMETIMES)
def test_a_bug_that_shows_at_some_arguments_only_is_caught_by_the_promise_that_it_breaks(bug, cell):
    methods, words = SOMETIMES[bug]
    with refuses(AssertionError, words):
        assert_cell(planted(cell, **methods), rng(2))


@pytest.mark.parametrize("cell", [IndRNN(2, 4, horizon=9, memory="long"), DUAL], ids=repr)
def test_a_gradient_that_is_wrong_for_negative_weights_is_caught_though_all_start_positive(cell):
    def wrong(cell, dh, run, dstate):
        dx, dstate0, dp = again(cell, dh, run, dstate)
        return dx, dstate0, {**dp, "u": np.where(run[0]["u"] < 0, -dp["u"], dp["u"])}

    with refuses(AssertionError, "leaf p/u:"):
        assert_cell(planted(cell, **whole_run(wrong)), rng(2))


# A model that takes noise and lengths

def norm_backward(change):
    """A batch norm whose backward, in training, is changed: change(dx, tape) -> dx."""
    def backward(norm, dy, tape, dstate=None):
        dx, dstate0, dp = norm.backward(dy, tape, dstate)
        return (change(dx, tape) if tape.n is not None else dx), dstate0, dp
    return {"backward": backward}


def without_lengths(norm, p, x, state=None, noise=None, lengths=None):
    return norm.forward(p, x, state, noise)


NORM_BUGS = {
    "dx of zero in training": (norm_backward(lambda dx, tape: 0 * dx), "leaf x"),
    "dx of zero with lengths": (norm_backward(lambda dx, tape: dx if tape.mask is None else 0 * dx), "leaf x"),
    "statistics held in backward": ({"backward": lambda norm, dy, tape, dstate=None: norm.backward(
        dy, tape._replace(n=None), dstate)}, "leaf x"),
    "padding in the statistics": ({"forward": without_lengths}, "nothing is read behind the ends [4, 7, 1]"),
    "statistics that stand still": ({"updated": lambda norm, p, tape: p}, "updated does not move running_mean (4,)"),
    "a scale that updated moves": ({"updated": lambda norm, p, tape: {
        **norm.updated(p, tape), "scale": p["scale"] * 1.01}}, "updated moves scale (4,) after an evaluation"),
    "statistics that evaluation moves": ({"updated": lambda norm, p, tape: {
        **norm.updated(p, tape), "running_mean": p["running_mean"] + 1}}, "updated moves running_mean (4,) after an"),
    "statistics lost": ({"updated": lambda norm, p, tape: {"scale": p["scale"]}}, "updated gives"),
    "statistics of float32": ({"updated": lambda norm, p, tape: map_leaves(
        lambda leaf: leaf.astype(np.float32), norm.updated(p, tape))}, "expected (4,) float64"),
    "a gradient of statistics": (results(lambda dx, d0, dp: (dx, d0, {**dp, "running_mean": 0 * dp["shift"]})),
                                 "dp/running_mean is (4,): expected nothing of this name"),
    "no gradient of shift": (results(lambda dx, d0, dp: (dx, d0, {"scale": dp["scale"]})), "dp/shift is missing"),
    "no noise": ({"draw": lambda norm, rng, B: None}, "draw gives None with needs_noise=True"),
    "may be split": ({"whole": False}, "expected whole=True"),
    "statistics not named": ({"statistics": ("running_variance",)}, "dp/running_mean is missing"),
    "a trained leaf among the statistics": (
        {"statistics": (*BatchNorm.statistics, "scale")}, "dp/scale is (4,): expected nothing of this name"),
    "statistics that decay": ({"decayed": ("running_mean",)}, "decayed is ('running_mean',): expected"),
    "chunks of a whole": ({"chunks": lambda norm, T, like=None: [slice(0, 3), slice(3, T)] if T > 3 else [slice(0, T)]},
                          "2 pieces with whole=True"),
}


@pytest.mark.parametrize("bug", NORM_BUGS)
def test_a_bug_in_a_batch_norm_is_caught_by_the_promise_that_it_breaks(bug):
    methods, words = NORM_BUGS[bug]
    with refuses(AssertionError, words):
        assert_cell(planted(BatchNorm(4), **methods), rng(2))


def test_a_bug_in_a_batch_norm_is_caught_inside_a_stack_too():
    dead = planted(BatchNorm(4), **NORM_BUGS["dx of zero in training"][0])
    with refuses(AssertionError, "leaf p/0/0/W"):
        assert_cell(Chain((Residual(Chain((Linear(4, 4), dead))), RNN(4, 3))), rng(2))


def stopping_early(chunked, p, x, state=None, lengths=None):
    """As if every sequence ended a step before its end."""
    return chunked.forward(p, x, state, lengths=None if lengths is None else np.maximum(lengths - 1, 1))


def to_the_end(chunked, p, x, state=None, lengths=None):
    """The right outputs, and states that went on over zeros."""
    h, tape = chunked.forward(p, without_padding(x, lengths), state)
    return without_padding(h, lengths), (tape, lengths)


def from_the_end(chunked, dh, tapes, dstate=None):
    """The right gradient of this."""
    tape, lengths = tapes
    dx, dstate0, dp = chunked.backward(None if dh is None else without_padding(dh, lengths), tape, dstate)
    return without_padding(dx, lengths), dstate0, dp


LENGTH_BUGS = {
    "an end too early": ({"forward": stopping_early}, "lengths of all steps are as good as none"),
    "a state behind the end": (
        {"forward": to_the_end, "backward": from_the_end, "last_state": lambda chunked, tapes: tapes[0].walk.last},
        "the last state of a sequence of 4 steps is that after 4 steps"),
    "padding read": (
        {"forward": lambda chunked, p, x, state=None, lengths=None: chunked.forward(p, x, state)},
        "nothing is read behind the ends"),
}


@pytest.mark.parametrize("bug", LENGTH_BUGS)
def test_a_bug_at_the_ends_of_sequences_is_caught_by_the_promise_that_it_breaks(bug):
    methods, words = LENGTH_BUGS[bug]
    with refuses(AssertionError, words):
        assert_cell(planted(Chunked(RNN(2, 4), 3), **methods), rng(2))


def test_noise_of_the_models_own_is_caught():
    hidden = rng()

    def forward(dropout, p, x, state=None, noise=None):
        return dropout.forward(p, x, state, None if noise is None else dropout.draw(hidden, x.shape[1]))

    with refuses(AssertionError, "is another at a second call with the same arguments"):
        assert_cell(planted(Dropout(4, 0.25), forward=forward), rng(2))
    with refuses(AssertionError, "draw gives other noise for the same seed"):
        assert_cell(planted(Dropout(4, 0.25), draw=lambda dropout, rng, B: dropout.draw(hidden, B)), rng(2))


def test_noise_of_a_sequence_that_is_not_that_of_its_pieces_is_caught():
    def forward(chain, p, x, state=None, noise=None):
        return chain.forward(p, x, state, noise if noise is None or len(x) < 8 else {**noise, "1": noise["1"][::-1]})

    with refuses(AssertionError, "41 steps run in pieces of 7"):
        assert_cell(planted(Chain((RNN(2, 4), Dropout(4, 0.5))), forward=forward), rng(2))


def test_symbols_whose_gradient_is_wrong_are_caught():
    def only_once(embedding, dy, tape, dstate=None):
        dx, dstate0, dp = embedding.backward(dy, tape, dstate)
        dW = np.zeros_like(dp["W"])
        if dy is not None:
            dW[tape.x] = dy                                   # a symbol that comes twice collects once
        return dx, dstate0, {"W": dW}

    broken = planted(Embedding(6, 3), backward=only_once)
    for model, leaf in ((broken, "leaf p/W"), (Chain((broken, RNN(3, 4))), "leaf p/0/W")):
        with refuses(AssertionError, leaf):
            assert_cell(model, rng(2))


# A cell that breaks the rest of its contract

def squeezed(cell, dh, tape, dstate=None):
    dx, dstate0, dp = cell.backward(dh, tape, dstate)
    return dx, dstate0.squeeze(), dp


def first_leaf(p):
    return next(iter(points.leaves_of(p).values()))


WRITES = {
    "x": lambda p, x, state: x.__imul__(1.0), "p": lambda p, x, state: first_leaf(p).__imul__(1.0),
    "state": lambda p, x, state: None if state is None else state.__iadd__(0.0),
}


@every_form
@pytest.mark.parametrize("what", WRITES)
def test_writing_into_an_argument_of_forward_is_caught_at_the_line_that_writes(cell, what):
    def forward(cell, p, x, state=None):
        WRITES[what](p, x, state)
        return cell.forward(p, x, state)

    with pytest.raises(ValueError, match="read-only"):
        assert_cell(planted(cell, forward=forward), rng(6))


@every_form
def test_writing_into_an_argument_of_backward_is_caught(cell):
    def into_dh(cell, dh, tape, dstate=None):
        if dh is not None:
            dh *= 1.0
        return cell.backward(dh, tape, dstate)

    def into_dstate(cell, dh, tape, dstate=None):
        if dstate is not None:
            dstate *= 1.0
        return cell.backward(dh, tape, dstate)

    for backward in (into_dh, into_dstate):
        with pytest.raises(ValueError, match="read-only"):
            assert_cell(planted(cell, backward=backward), rng(6))


def keeping(what):
    """Methods that keep something between calls."""
    kept = {}

    def forward(cell, p, x, state=None):
        if what == "state" and state is None and np.shape(kept.get("state")) == (x.shape[1], cell.state_size):
            state = kept["state"].astype(x.dtype)             # goes on where the last call stopped
        if what == "p":
            p.update(map_leaves(np.copy, p))
        h, tape = cell.forward(p, x, state)
        kept.update(state=cell.last_state(tape), tape=tape, h=h)
        return h, tape

    def backward(cell, dh, tape, dstate=None):
        found = cell.backward(dh, kept["tape"] if what == "tape" else tape, dstate)
        if what == "outputs":
            kept["h"] *= 0.5
        if what == "sum":                                     # of this gradient and the ones before
            kept["dx"] = found[0] + (kept["dx"] if np.shape(kept.get("dx")) == found[0].shape else 0)
            return kept["dx"], *found[1:]
        if what == "buffer":                                  # one array for the results of all calls
            buffer = kept.setdefault((found[0].shape, found[0].dtype), np.empty_like(found[0]))
            buffer[...] = found[0]
            return buffer, *found[1:]
        return found

    return {"forward": forward, "backward": backward}


@every_form
@pytest.mark.parametrize("what, words", [
    ("state", "without a state it is zero"), ("tape", "the same arguments"), ("sum", "the same arguments"),
    ("buffer", "dx (7, 3, 2) changed after it was given"), ("outputs", "h (7, 3, "), ("p", "exchanged arrays in p"),
])
def test_keeping_something_between_calls_is_caught(cell, what, words):
    with refuses(AssertionError, words):
        assert_cell(planted(cell, **keeping(what)), rng(7))


@every_form
@pytest.mark.parametrize("part", ["h", "last", "dx", "dstate0", "dp"])
def test_a_changed_dtype_is_caught(cell, part):
    def to_double(name, tree):
        return map_leaves(lambda leaf: leaf.astype(np.float64), tree) if part == name else tree

    def backward(cell, dh, tape, dstate=None):
        found = zip(("dx", "dstate0", "dp"), cell.backward(dh, tape, dstate))
        return tuple(to_double(name, gradient) for name, gradient in found)

    def forward(cell, p, x, state=None):
        h, tape = cell.forward(p, x, state)
        return to_double("h", h), tape

    def last_state(cell, tape):
        return to_double("last", cell.last_state(tape))

    with refuses(AssertionError, "has dtype float64 for inputs of float32"):
        assert_cell(planted(cell, forward=forward, backward=backward, last_state=last_state), rng(8))


@pytest.mark.parametrize("methods, words", [
    ({"forward": lambda cell, p, x, state=None: cell.forward(p, x, state)[0]}, "expected two results, h and a tape"),
    ({"forward": lambda cell, p, x, state=None: (cell.forward(p, x, state)[0][-1], cell.forward(p, x, state)[1])},
     "h is (3, 4): expected (7, 3, 4)"),
    ({"last_state": lambda cell, tape: tape.h}, "last_state is (7, 3, 4): expected (3, 4)"),
    ({"backward": lambda cell, dh, tape, dstate=None: cell.backward(dh, tape, dstate)[::2]}, "than dx, dstate0, dp"),
    (results(lambda dx, d0, dp: (dx, d0, list(dp.values()))), "expected three, dp a dictionary"),
    (results(lambda dx, d0, dp: (dx.sum(0), d0, dp)), "dx is (3, 2): expected (7, 3, 2)"),
    (results(lambda dx, d0, dp: (dx, d0[0], dp)), "dstate0 is (4,): expected (3, 4)"),
    (results(lambda dx, d0, dp: (dx, d0, {**dp, "W": dp["W"].T})), "dp/W is (4, 2): expected (2, 4)"),
    (results(lambda dx, d0, dp: (dx, d0, {**dp, "V": dp["W"]})), "dp/V is (2, 4): expected nothing of this name"),
    (results(lambda dx, d0, dp: (None, d0, dp)), "dx is missing: expected (7, 3, 2)"),
])
def test_results_of_another_form_are_refused_with_their_shapes(methods, words):
    with refuses(AssertionError, words):
        assert_cell(planted(RNN(2, 4), **methods), rng(8))


@every_form
def test_one_sequence_squeezed_out_of_its_batch_is_caught(cell):
    with refuses(AssertionError, "leaf state has shape"):
        assert_cell(planted(cell, backward=squeezed), rng(9))


@every_form
def test_an_array_with_gaps_that_is_misread_is_caught(cell):
    def forward(cell, p, x, state=None):                      # as code that trusts the layout would
        packed = np.lib.stride_tricks.as_strided(x, x.shape, np.ascontiguousarray(x).strides)
        return cell.forward(p, packed, state)

    with refuses(AssertionError, "gaps between their entries"):
        assert_cell(planted(cell, forward=forward), rng(11))


# What a model says of itself

OTHER = RNN(2, 5)
SAYS = [
    ({"outputs": 4.0}, "outputs is 4.0: expected an int of at least 1"), ({"outputs": 0}, "outputs is 0: expected an"),
    ({"state_size": -1}, "state_size is -1: expected an int"), ({"chunk": None}, "chunk is None: expected"),
    ({"needs_noise": None}, "needs_noise is None: expected True or False"), ({"whole": 1}, "whole is 1: expected True"),
    ({"needs_lengths": "no"}, "needs_lengths is 'no': expected True or False"),
    ({"keep": "all"}, "keep is 'all': expected 'tapes' or 'boundaries'"),
    ({"decayed": ("W", "V")}, "decayed is ('W', 'V'): expected a tuple of paths among W, U, b"),
    ({"decayed": "W"}, "decayed is 'W': expected a tuple"),
    ({"statistics": ("mean",)}, "statistics is ('mean',): expected a tuple of paths among W, U, b"),
    ({"statistics": "b"}, "statistics is 'b': expected a tuple"),
    ({"statistics": ("b",)}, "statistics is ('b',) for a model that may be split: expected whole=True"),
    ({"state_slices": {"h": slice(0, 5)}}, "state_slices['h'] is slice(0, 5, None)", "within a state of 4 numbers"),
    ({"state_slices": {"h": 3}}, "state_slices['h'] is 3"), ({"state_slices": [slice(0, 4)]}, "a dictionary of slices"),
    ({"inner": OTHER}, "inner has outputs 5: expected the model's own 4"),
    ({"inner": RNN(2, 4, "relu")}, "its inner model run over its chunks(41), with the state handed on, equals the"),
    ({"chunks": lambda cell, T, like=None: [slice(0, 5)]}, "chunks(7) gives",
     "expected slices that cover 7 steps once, in order"),
    ({"chunks": lambda cell, T, like=None: [slice(0, T), slice(T, T)]}, "chunks(1) gives", "cover 1 steps once"),
    ({"draw": lambda cell, rng, B: rng.random(B)}, "with needs_noise=False: expected None unless"),
    ({"init": lambda cell, rng: map_leaves(np.float64, cell.init(rng))}, "leaves of another dtype than float32: W"),
    ({"init": lambda cell, rng: cell.init(np.random.default_rng())}, "init gives another W (2, 4) for the same seed"),
    ({"init": lambda cell, rng: {**cell.init(rng), "b": np.full(4, np.nan, np.float32)}}, "init gives b (4,) with"),
    ({"init": lambda cell, rng: {**cell.init(rng), "a/b": np.zeros(1, np.float32)}}, "names hold no '/'"),
    ({"init": lambda cell, rng: list(cell.init(rng).values())}, "expected a dictionary of arrays"),
    ({"shapes": {"W": (2, 4), "U": (4, 4), "b": (5,)}}, "init gives the shapes", "'b': (5,)"),
    ({"project": lambda cell, p: map_leaves(lambda leaf: leaf * np.float32(0.9), p)}, "before: expected p itself back"),
    ({"project": lambda cell, p: dict(p)}, "project changes parameters that it has projected before"),
    ({"project": lambda cell, p: {**p, "W": p["W"].astype(float)}}, "project gives W as"),
    ({"project": lambda cell, p: {name: leaf for name, leaf in p.items() if name != "b"}}, "project gives b as None"),
    ({"project": lambda cell, p: p if p["b"].any() else {**p, "b": p["b"] + 1}}, "project changes the start values"),
]


@pytest.mark.parametrize("methods, words", [(says, words) for says, *words in SAYS])
def test_what_a_model_says_of_itself_is_held_to_it(methods, words):
    with refuses(AssertionError, *words):
        assert_cell(planted(RNN(2, 4), **methods), rng(10))


def test_a_projection_that_writes_is_caught():
    def into_the_array(cell, p):
        p["W"].__imul__(0.5)
        return p

    def into_the_dictionary(cell, p):
        p["W"] = 0.5 * p["W"]
        return p

    with pytest.raises(ValueError, match="read-only"):
        assert_cell(planted(RNN(2, 4), project=into_the_array), rng(10))
    with refuses(AssertionError, "project exchanged arrays in the dictionary that it was given"):
        assert_cell(planted(RNN(2, 4), project=into_the_dictionary), rng(10))


def test_a_model_that_no_file_can_hold_is_refused():
    class Bare(Layer):
        inputs = outputs = 2

        def init(self, rng):
            return {}

        def forward(self, p, x, state=None):
            return x, x

        def backward(self, dy, tape, dstate=None):
            return dy, tape[0][:, :0], {}

    with refuses(AssertionError, "Bare is no frozen dataclass", "@dataclass(frozen=True)"):
        assert_cell(Bare(), rng())

    @dataclass(frozen=True)
    class Mapped(RNN):
        option: object = None

    for option in (print, [RNN(2, 4)], {"a": 1}):
        with refuses(AssertionError, f"option is {option!r}", "a file can hold no other option"):
            assert_cell(Mapped(2, 4, option=option), rng())
    assert_cell(Mapped(2, 4, option=(RNN(2, 4), "text", None, np.float64(0.5))), rng())


@pytest.mark.parametrize("model, words", [
    (RNN, ("the model is the class RNN", "RNN(...)")), ("rnn", ("the model is a str without inputs",)),
])
def test_what_is_no_model_is_refused(model, words):
    with refuses(TypeError, *words):
        assert_cell(model, rng())


def test_a_cell_may_leave_out_what_has_a_usual_value():
    @dataclass(frozen=True)
    class Share(Cell):                                        # h[t] = f ⊙ h[t-1] + x[t]
        inputs: int
        outputs = state_size = property(lambda self: self.inputs)

        def init(self, rng):
            return {"f": rng.random(self.inputs).astype(np.float32)}

        def forward(self, p, x, state=None):
            before = np.zeros(x.shape[1:], x.dtype) if state is None else state
            h = np.empty(x.shape, x.dtype)
            for h_t, x_t in zip(h, x):
                h_t[...] = p["f"] * before + x_t
                before = h_t
            return h, (p, h, np.zeros(x.shape[1:], x.dtype) if state is None else state)

        def backward(self, dh, tape, dstate=None):
            p, h, h0 = tape
            total = np.zeros_like(h) if dh is None else np.array(dh)
            carry = 0 if dstate is None else dstate
            for total_t in total[::-1]:
                total_t += carry
                carry = p["f"] * total_t
            return total, carry, {"f": (total * np.concatenate([h0[None], h[:-1]])).sum((0, 1))}

        def last_state(self, tape):
            return tape[1][-1]

    assert isinstance(Share(3).state_slices, Mapping)
    assert_cell(Share(3), rng())
    assert_cell(Chunked(Chain((Share(3), RNN(3, 4))), 5, "boundaries"), rng())


def test_a_cell_whose_chunks_take_no_array_is_told_so():
    class Old(RNN):
        def chunks(self, T):
            return [slice(0, T)]
    with pytest.raises(AssertionError, match="chunks\\(self, T, like=None\\)"):
        assert_cell(Old(2, 3), np.random.default_rng(0))
