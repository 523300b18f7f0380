"""The checker is checked: what is right passes always, and every planted bug is caught in every cell where it can exist."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from support import SQUARE, refuses, rng

from minidurnn import GRU, LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, ShortTermRNN, gradcheck
from minidurnn.arrays.trees import add, map_leaves
from minidurnn.gradcheck import NotSmooth, assert_cell, assert_cell_gradient, assert_gradient, random_leaves

DUAL = DuRNN(2, 4, 5, horizon=9, gate=0.0)
SOLO = [RNN(2, 4), ShortTermRNN(2, 4), IndRNN(2, 4), DUAL, replace(DUAL, output="long"), LSTM(2, 4), GRU(2, 4)]
KINDS = [*SOLO, Chain((RNN(2, 4), IndRNN(4, 3))), Chunked(DUAL, 3)]
solo = pytest.mark.parametrize("cell", SOLO, ids=repr)
every_kind = pytest.mark.parametrize("cell", KINDS, ids=repr)


# A right gradient

@pytest.mark.parametrize("cell", [RNN(1, 3), ShortTermRNN(1, 3), IndRNN(1, 3), DuRNN(1, 2, 3, horizon=9, gate=0.0), LSTM(1, 2), GRU(1, 2)], ids=repr)
def test_a_right_gradient_is_never_rejected(cell):
    kinks = 0
    for seed in range(200):
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
    assert kinks <= 2                                         # points that happen to lie within 1e-5 of a kink


@pytest.mark.parametrize("cell", [ShortTermRNN(2, 4), DUAL], ids=repr)
def test_a_right_cell_keeps_its_contract_whatever_the_seed(cell):
    for seed in range(5):
        assert_cell(cell, rng(seed))


def test_trees_of_leaves_and_outputs_are_checked_leaf_by_leaf():
    draw = rng()
    leaves = {"a": draw.standard_normal((2, 3)), "b": {"c": draw.standard_normal(3), "d": np.float64(draw.standard_normal(()))}}

    def forward(leaves):
        return {"sum": leaves["a"] * leaves["b"]["c"], "rest": (leaves["b"]["d"] ** 2, [np.sin(leaves["a"])])}

    def backward(c):
        a, b = leaves["a"], leaves["b"]
        return {"a": c["sum"] * b["c"] + c["rest"][1][0] * np.cos(a), "b": {"c": (c["sum"] * a).sum(0), "d": 2 * b["d"] * c["rest"][0]}}

    assert_gradient(forward, backward, leaves, rng=rng(1))
    with refuses(AssertionError, "leaf b/c", "relative error"):
        assert_gradient(forward, lambda c: {**backward(c), "b": {"c": (c["sum"] * leaves["a"]).sum(0) * 1.001, "d": backward(c)["b"]["d"]}}, leaves, rng=rng(1))


# A wrong gradient of a plain function

def check(backward, forward=np.sin, a=None, **options):
    """assert_gradient of a function of one leaf."""
    leaves = {"a": rng().standard_normal((4, 3)) if a is None else a}
    assert_gradient(lambda leaves: forward(leaves["a"]), lambda c: {"a": backward(leaves["a"], c)}, leaves, rng=rng(1), **options)


WRONG = {
    "zero": lambda a, c: 0 * a, "the other sign": lambda a, c: -c * np.cos(a), "no cotangent": lambda a, c: np.cos(a),
    "a factor": lambda a, c: 1.00001 * c * np.cos(a), "an offset": lambda a, c: c * np.cos(a) + 1e-4, "rows swapped": lambda a, c: (c * np.cos(a))[::-1],
    "one entry": lambda a, c: c * np.cos(a) * (np.arange(12).reshape(4, 3) != 5), "not a number": lambda a, c: np.nan * a, "infinite": lambda a, c: np.inf + a,
}


def test_a_right_gradient_passes():
    check(lambda a, c: c * np.cos(a))


@pytest.mark.parametrize("backward", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_gradient_is_refused(backward):
    with refuses(AssertionError, "leaf a"), np.errstate(invalid="ignore"):
        check(backward)


@pytest.mark.parametrize("size", [1e-2, 1e4])
@pytest.mark.parametrize("backward", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_gradient_is_refused_for_small_and_large_functions(backward, size):
    with refuses(AssertionError, "leaf a"), np.errstate(invalid="ignore"):
        check(lambda a, c: size * backward(a, c), lambda a: size * np.sin(a))
    check(lambda a, c: size * c * np.cos(a), lambda a: size * np.sin(a))


def test_the_message_gives_both_slopes_and_the_tolerance():
    with refuses(AssertionError, "leaf a: backward gives the slope", "finite differences give", "relative error", "tolerance 1e-07"):
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

@pytest.mark.parametrize("forward, slope", [(np.abs, np.sign), (lambda a: np.maximum(a, 0), lambda a: a > 0), (lambda a: np.minimum(a, 0.5 * a), lambda a: np.where(a > 0, 0.5, 1.0))])
def test_a_kink_at_the_point_is_reported_as_not_smooth(forward, slope):
    with pytest.raises(NotSmooth, match="leaf a: two step sizes disagree in 20 draws; the function is not smooth around this point"):
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

    a = np.array([[1e-5]])                                    # a step of 1e-5 · |direction| reaches the kink for two directions in three ...
    drawn = []
    for seed in range(50):
        calls.clear()
        leaves = {"a": a}
        assert_gradient(lambda leaves: np.maximum(leaves["a"], 0), lambda c: {"a": backward(a, c)}, leaves, rng=rng(seed))
        drawn.append(len(calls))
    assert max(drawn) > 1 and min(drawn) == 1                 # ... and is drawn again until it does not


def test_a_cell_at_a_kink_is_moved_to_another_point(monkeypatch):
    points = []

    def at_a_kink_first(*arguments):
        leaves = random_leaves(*arguments)
        if not points:                                        # no input, no state, no bias: every unit stands at relu's kink
            leaves = map_leaves(np.zeros_like, leaves)
        points.append(leaves)
        return leaves

    monkeypatch.setattr(gradcheck, "random_leaves", at_a_kink_first)
    assert_cell_gradient(IndRNN(2, 4), rng(), 3, 2)
    assert len(points) == 2


def test_a_cell_that_is_smooth_nowhere_is_an_error(monkeypatch):
    monkeypatch.setattr(gradcheck, "random_leaves", lambda *arguments: map_leaves(np.zeros_like, random_leaves(*arguments)))
    with pytest.raises(NotSmooth, match="choose another one"):
        assert_cell_gradient(IndRNN(2, 4), rng(), 3, 2)


# Planted bugs in a cell's own functions

class Planted:
    """A cell with some methods exchanged; each new one is given the cell first."""

    def __init__(self, cell, **methods):
        self.cell, self.methods = cell, methods

    def __getattr__(self, name):
        if name in self.__dict__["methods"]:
            return lambda *arguments: self.methods[name](self.cell, *arguments)
        return getattr(self.cell, name)


def results(change):
    """A backward whose results (dx, dstate0, dp) are changed."""
    return {"backward": lambda cell, dh, tape, dstate=None: change(*cell.backward(dh, tape, dstate))}


def arguments(change):
    """A backward whose arguments (dh, dstate) are changed."""
    return {"backward": lambda cell, dh, tape, dstate=None: cell.backward(*[(dh, tape, dstate) for dh, dstate in [change(dh, dstate)]][0])}


def whole_run(backward, **methods):
    """A backward that is given (cell, dh, (p, x, state), dstate) and may run the cell again."""
    return {
        "forward": lambda cell, p, x, state=None: (cell.forward(p, x, state)[0], (p, x, state, cell.forward(p, x, state)[1])),
        "last_state": lambda cell, tape: cell.last_state(tape[3]),
        "backward": lambda cell, dh, tape, dstate=None: backward(cell, dh, tape[:3], dstate),
        **methods,
    }


def flipped(array, axis):
    """The array backwards along an axis; None stays."""
    return None if array is None else np.flip(array, axis)


def step_by_step(cell, dh, run, dstate, hand_on):
    """backward one step at a time, with hand_on(dstate) as what a step gives to the one before it."""
    p, x, state = run
    tapes, dx, dp = [], [], None
    for x_t in x:
        _, tape = cell.forward(p, x_t[None], state)
        tapes.append(tape)
        state = cell.last_state(tape)
    for t in reversed(range(len(x))):
        dx_t, dstate, dp_t = cell.backward(None if dh is None else dh[t:t + 1], tapes[t], dstate)
        dx.insert(0, dx_t)
        dp = add(dp, dp_t)
        dstate0, dstate = dstate, hand_on(dstate)
    return np.concatenate(dx), dstate0, dp


def from_other_states(cell, dh, run, dstate, other):
    """backward with dp taken from a run whose states in front of every step are other(before, behind)."""
    p, x, state = run
    dx, dstate0, dp = cell.backward(dh, cell.forward(p, x, state)[1], dstate)
    before, tapes = state, []
    for x_t in x:
        _, tape = cell.forward(p, x_t[None], before)
        behind = cell.last_state(tape)
        tapes.append(cell.forward(p, x_t[None], other(before, behind))[1])
        before = behind
    wrong = None
    for t in reversed(range(len(x))):
        _, dstate, dp_t = cell.backward(None if dh is None else dh[t:t + 1], tapes[t], dstate)
        wrong = add(wrong, dp_t)
    return dx, dstate0, wrong


def batch_mean(cell, p, x, state=None):
    """Not causal: every step sees the mean over all steps."""
    return cell.forward(p, x - x.mean(0), state)


CELL_BUGS = {
    "the sign of dx": results(lambda dx, d0, dp: (-dx, d0, dp)),
    "the sign of dstate0": results(lambda dx, d0, dp: (dx, -d0, dp)),
    "the sign of dp": results(lambda dx, d0, dp: (dx, d0, map_leaves(np.negative, dp))),
    "dx all zero": results(lambda dx, d0, dp: (0 * dx, d0, dp)),
    "dstate0 all zero": results(lambda dx, d0, dp: (dx, 0 * d0, dp)),
    "dp all zero": results(lambda dx, d0, dp: (dx, d0, map_leaves(np.zeros_like, dp))),
    "everything zero": results(lambda dx, d0, dp: map_leaves(np.zeros_like, (dx, d0, dp))),
    "dx reversed in time": results(lambda dx, d0, dp: (dx[::-1], d0, dp)),
    "dx swapped across the batch": results(lambda dx, d0, dp: (dx[:, ::-1], d0, dp)),
    "dstate0 swapped across the batch": results(lambda dx, d0, dp: (dx, d0[::-1], dp)),
    "dstate0 swapped across units": results(lambda dx, d0, dp: (dx, d0[:, ::-1], dp)),
    "dx swapped across inputs": results(lambda dx, d0, dp: (dx[..., ::-1], d0, dp)),
    "dp a mean instead of a sum": results(lambda dx, d0, dp: (dx, d0, map_leaves(lambda d: d / len(dx), dp))),
    "dx delayed by a step": results(lambda dx, d0, dp: (np.concatenate([0 * dx[:1], dx[:-1]]), d0, dp)),
    "dh reversed in time": arguments(lambda dh, dstate: (flipped(dh, 0), dstate)),
    "dh swapped across the batch": arguments(lambda dh, dstate: (flipped(dh, 1), dstate)),
    "dh ignored": arguments(lambda dh, dstate: (None, dstate)),
    "dh of the last step only": arguments(lambda dh, dstate: (None if dh is None else np.concatenate([0 * dh[:-1], dh[-1:]]), dstate)),
    "dstate ignored": arguments(lambda dh, dstate: (dh, None)),
    "dstate swapped across the batch": arguments(lambda dh, dstate: (dh, flipped(dstate, 0))),
    "the sign of dstate": arguments(lambda dh, dstate: (dh, None if dstate is None else -dstate)),
    "carry dropped between steps": whole_run(lambda cell, dh, run, dstate: step_by_step(cell, dh, run, dstate, lambda carry: None)),
    "the sign of the carry": whole_run(lambda cell, dh, run, dstate: step_by_step(cell, dh, run, dstate, np.negative)),
    "the carry swapped across the batch": whole_run(lambda cell, dh, run, dstate: step_by_step(cell, dh, run, dstate, lambda carry: carry[::-1])),
    "the state behind a step in place of the one in front": whole_run(lambda cell, dh, run, dstate: from_other_states(cell, dh, run, dstate, lambda before, behind: behind)),
    "zeros in place of the states": whole_run(lambda cell, dh, run, dstate: from_other_states(cell, dh, run, dstate, lambda before, behind: 0 * before)),
    "the last state in place of the first": whole_run(lambda cell, dh, run, dstate: cell.backward(
        dh, cell.forward(run[0], run[1], cell.last_state(cell.forward(*run)[1]))[1], dstate)),
    "the last state is the first step's": whole_run(
        lambda cell, dh, run, dstate: cell.backward(dh, cell.forward(*run)[1], dstate),
        last_state=lambda cell, tape: cell.last_state(cell.forward(tape[0], tape[1][:1], tape[2])[1])),
    "the last state is zero": whole_run(
        lambda cell, dh, run, dstate: cell.backward(dh, cell.forward(*run)[1], None), last_state=lambda cell, tape: 0 * cell.last_state(tape[3])),
    "the state ignored": {
        "forward": lambda cell, p, x, state=None: cell.forward(p, x), "backward": lambda cell, dh, tape, dstate=None: (lambda dx, d0, dp: (dx, 0 * d0, dp))(*cell.backward(dh, tape, dstate))},
    "no state counts as ones": {"forward": lambda cell, p, x, state=None: cell.forward(p, x, np.ones((x.shape[1], cell.state_size), x.dtype) if state is None else state)},
    "no dh counts as ones": whole_run(lambda cell, dh, run, dstate: cell.backward(np.ones((*run[1].shape[:2], cell.outputs)) if dh is None else dh, cell.forward(*run)[1], dstate)),
    "no dstate counts as ones": whole_run(lambda cell, dh, run, dstate: cell.backward(dh, cell.forward(*run)[1], np.ones_like(run[2]) if dstate is None else dstate)),
    "the mean over time": {"forward": batch_mean, "backward": lambda cell, dh, tape, dstate=None: (lambda dx, d0, dp: (dx - dx.mean(0), d0, dp))(*cell.backward(dh, tape, dstate))},
}


@every_kind
@pytest.mark.parametrize("bug", CELL_BUGS)
def test_a_planted_bug_is_caught(bug, cell):
    with pytest.raises(AssertionError):
        assert_cell(Planted(cell, **CELL_BUGS[bug]), rng(2))


SOUND = {
    "results": results(lambda *d: d), "arguments": arguments(lambda *d: d),
    "a whole run": whole_run(lambda cell, dh, run, dstate: cell.backward(dh, cell.forward(*run)[1], dstate)),
    "step by step": whole_run(lambda cell, dh, run, dstate: step_by_step(cell, dh, run, dstate, lambda carry: carry)),
    "from the same states": whole_run(lambda cell, dh, run, dstate: from_other_states(cell, dh, run, dstate, lambda before, behind: before)),
}


@pytest.mark.parametrize("sound", SOUND)
def test_the_same_wrappers_without_a_bug_pass(sound):
    for cell in KINDS if sound in ("step by step", "from the same states") else KINDS[:1]:
        assert_cell_gradient(Planted(cell, **SOUND[sound]), rng(2), 3, 2)
    assert_cell(Planted(RNN(2, 4), **SOUND[sound]), rng(2))


@pytest.mark.parametrize("change", [lambda d: 0 * d, lambda d: d[::-1]], ids=["zero", "backwards"])
@every_kind
def test_a_bug_in_the_gradient_of_any_single_parameter_is_caught_by_its_name(cell, change):
    for path in _paths(cell.init(rng())):
        def wrong(dx, d0, dp, path=path):
            return dx, d0, _changed(dp, path, change)

        with refuses(AssertionError, f"leaf p/{path}:"):
            assert_cell(Planted(cell, **results(wrong)), rng(3))


def _paths(tree, path=""):
    return [found for key, branch in tree.items() for found in (_paths(branch, f"{path}{key}/") if isinstance(branch, dict) else [path + key])]


def _changed(tree, path, change):
    head, _, rest = path.partition("/")
    return {**tree, head: _changed(tree[head], rest, change) if rest else change(tree[head])}


@pytest.mark.parametrize("cell", [replace(DUAL, output="long"), LSTM(2, 4), KINDS[-2]], ids=repr)
def test_a_carried_gradient_added_to_the_last_output_is_caught_where_output_and_state_differ(cell):
    def added(dh, dstate):
        if dstate is None:
            return dh, None
        shape = (7, 3) if dh is None else dh.shape[:2]
        dh = np.zeros((*shape, cell.outputs)) if dh is None else dh.copy()
        dh[-1] += dstate[:, -cell.outputs:] if cell.state_size > cell.outputs else dstate
        return dh, None

    with pytest.raises((AssertionError, ValueError)):
        assert_cell(Planted(cell, **arguments(added)), rng(4))


# Planted bugs in the loops and products that a cell calls

def scan_results(change):
    """A backward loop whose results are changed."""
    return lambda back: lambda *arguments, **options: change(back(*arguments, **options))


def negated(place):
    return scan_results(lambda found: tuple(-part if index == place else part for index, part in enumerate(found)))


def zeroed(place):
    return scan_results(lambda found: tuple(0 * part if index == place else part for index, part in enumerate(found)))


def off_by_one(back):
    """dU or du from the state behind each step."""
    def wrong(dh, h, *rest, **options):
        found = list(back(dh, h, *rest, **options))
        rows = h.reshape(-1, h.shape[-1])
        found[1] = (h * found[0]).sum((0, 1)) if found[1].ndim == 1 else rows.T @ found[0].reshape(len(rows), -1)
        return tuple(found)
    return wrong


def from_the_last_state(back):
    """The last state where the initial one belongs."""
    def wrong(dh, h, U, h0, *rest, **options):
        return back(dh, h, U, h[-1], *rest, **options)
    return wrong


def transposed(place):
    """U in place of its transpose, block by block where it holds several gates."""
    def plant(back):
        def wrong(*arguments, **options):
            U = arguments[place]
            blocks = np.split(U, U.shape[1] // U.shape[0], axis=1)
            return back(*arguments[:place], np.concatenate([block.T for block in blocks], axis=1), *arguments[place + 1:], **options)
        return wrong
    return plant


def without_recurrence(back):
    """da[t] without what comes from step t+1; the carried gradient enters the last step, and dh0 is right for this da."""
    def wrong(dh, h, U, h0, *rest, carry=None):
        dh = np.zeros_like(h) if dh is None else dh.copy()
        if carry is not None:
            dh[-1] += carry
        da, dU, _ = back(dh, h, 0 * U, h0, *rest)
        return da, dU, da[0] @ U.T if U.ndim == 2 else da[0] * U
    return wrong


def as_if_linear(back):
    """The slope of the activation forgotten."""
    return lambda dh, h, U, h0, activation, carry=None: back(dh, h, U, h0, "identity", carry=carry)


def carry_ignored(name):
    return lambda back: lambda *arguments, **options: back(*arguments, **{**options, name: None})


PLAIN = {"off by one": off_by_one, "last for initial state": from_the_last_state, "no recurrence": without_recurrence, "no slope": as_if_linear, "carry ignored": carry_ignored("carry"),
         **{f"{what} {place}": how(place) for place in range(3) for what, how in (("negated", negated), ("zeroed", zeroed))}}
LOOPS = {
    "matrix_scan_backward": {**PLAIN, "transposed": transposed(2)},
    "diagonal_scan_backward": PLAIN,
    "lstm_scan_backward": {"off by one": off_by_one, "transposed": transposed(5), "carry of h ignored": carry_ignored("carry"), "carry of c ignored": carry_ignored("carry_c"),
                           **{f"{what} {place}": how(place) for place in range(4) for what, how in (("negated", negated), ("zeroed", zeroed))}},
    "gru_scan_backward": {"off by one": off_by_one, "transposed": transposed(4), "carry ignored": carry_ignored("carry"),
                          **{f"{what} {place}": how(place) for place in range(4) for what, how in (("negated", negated), ("zeroed", zeroed))}},
    "affine_backward": {"batch swapped": lambda back: lambda dy, x, W: back(dy, x[:, ::-1], W), "time reversed": lambda back: lambda dy, x, W: back(dy, x[::-1], W),
                        "db a mean": scan_results(lambda found: (*found[:2], found[2] / 7)), "transposed": lambda back: lambda dy, x, W: (dy @ W, *back(dy, x, W)[1:]),
                        **{f"{what} {place}": how(place) for place in range(3) for what, how in (("negated", negated), ("zeroed", zeroed))}},
    "rows_back": {"zeroed": lambda back: lambda dy, W: 0 * back(dy, W), "transposed": lambda back: lambda dy, W: dy @ W, "negated": lambda back: lambda dy, W: -back(dy, W)},
    "rows_product": {"zeroed": lambda back: lambda x, dy: 0 * back(x, dy), "time reversed": lambda back: lambda x, dy: back(x[::-1], dy), "transposed": lambda back: lambda x, dy: back(x, dy).T},
}


def planted_places():
    """Every (cell, function of its module, bug) where the bug can exist: a missing transpose where the sizes allow it."""
    for cell in SOLO + SQUARE:
        module = sys.modules[type(cell).__module__]
        for function, bugs in LOOPS.items():
            for bug in bugs if hasattr(module, function) else ():
                if bug == "transposed":                       # U is always square, W and its kin in some cells only
                    exists = "scan" in function or (cell in SQUARE and not (function == "affine_backward" and isinstance(cell, (LSTM, GRU))))
                else:
                    exists = cell in SOLO
                if exists:
                    yield pytest.param(cell, function, bug, id=f"{type(cell).__name__} {function} {bug}, {cell.outputs} outputs, {cell.inputs} inputs")


@pytest.mark.parametrize("cell, function, bug", list(planted_places()))
def test_a_bug_planted_in_a_function_that_the_cell_calls_is_caught(cell, function, bug, monkeypatch):
    module = sys.modules[type(cell).__module__]
    monkeypatch.setattr(module, function, LOOPS[function][bug](getattr(module, function)))
    with pytest.raises(AssertionError):
        assert_cell(cell, rng(5))


# A cell that breaks the rest of its contract

def squeezed(cell, dh, tape, dstate=None):
    dx, dstate0, dp = cell.backward(dh, tape, dstate)
    return dx, dstate0.squeeze(), dp


def writing(change):
    def forward(cell, p, x, state=None):
        change(p, x, state)
        return cell.forward(p, x, state)
    return {"forward": forward}


class Remembering:
    """Keeps something between calls."""

    def __init__(self, cell, what):
        self.cell, self.what, self.kept = cell, what, None

    def __getattr__(self, name):
        return getattr(self.__dict__["cell"], name)

    def forward(self, p, x, state=None):
        if self.what == "state" and state is None and self.kept is not None and self.kept.shape == (x.shape[1], self.cell.state_size):
            state = self.kept.astype(x.dtype)                 # goes on where the last call stopped
        h, tape = self.cell.forward(p, x, state)
        if self.what == "state":
            self.kept = self.cell.last_state(tape)
        if self.what == "tape":
            self.kept = tape
        return h, tape

    def backward(self, dh, tape, dstate=None):
        if self.what == "tape":
            tape = self.kept                                  # whatever was run last
        dx, dstate0, dp = self.cell.backward(dh, tape, dstate)
        if self.what == "gradient":
            same = self.kept is not None and all(self.kept[name].dtype == dp[name].dtype for name in dp)
            self.kept = dp = {name: dp[name] + self.kept[name] for name in dp} if same else dp
        return dx, dstate0, dp


@solo
@pytest.mark.parametrize("change", [
    lambda p, x, state: x.__imul__(1.0), lambda p, x, state: None if state is None else state.__iadd__(0.0), lambda p, x, state: next(iter(p.values())).__imul__(1.0)], ids=["x", "state", "p"])
def test_writing_into_an_argument_of_forward_is_caught_at_the_line_that_writes(cell, change):
    with pytest.raises(ValueError, match="read-only"):
        assert_cell(Planted(cell, **writing(change)), rng(6))


@solo
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
            assert_cell(Planted(cell, backward=backward), rng(6))


@solo
def test_writing_into_the_outputs_in_backward_is_caught(cell):
    shared = []

    def forward(cell, p, x, state=None):
        h, tape = cell.forward(p, x, state)
        shared[:] = [h]
        return h, tape

    def backward(cell, dh, tape, dstate=None):
        found = cell.backward(dh, tape, dstate)
        shared[0] *= 0.5
        return found

    with pytest.raises(AssertionError):
        assert_cell(Planted(cell, forward=forward, backward=backward), rng(6))


@solo
@pytest.mark.parametrize("what", ["state", "gradient"])
def test_keeping_something_between_calls_is_caught(cell, what):
    with pytest.raises(AssertionError):
        assert_cell(Remembering(cell, what), rng(7))


@solo
def test_keeping_the_tape_in_the_cell_is_caught(cell):
    with pytest.raises((AssertionError, ValueError)):         # ValueError where the shapes of two runs clash first
        assert_cell(Remembering(cell, "tape"), rng(7))


@solo
@pytest.mark.parametrize("part", ["h", "last", "dx", "dstate0", "dp"])
def test_a_changed_dtype_is_caught(cell, part):
    def to_double(name, tree):
        return map_leaves(lambda leaf: leaf.astype(np.float64), tree) if part == name else tree

    def backward(cell, dh, tape, dstate=None):
        return tuple(to_double(name, found) for name, found in zip(("dx", "dstate0", "dp"), cell.backward(dh, tape, dstate)))

    def forward(cell, p, x, state=None):
        h, tape = cell.forward(p, x, state)
        return to_double("h", h), tape

    with refuses(AssertionError, "has dtype float64 for inputs of float32"):
        assert_cell(Planted(cell, forward=forward, backward=backward, last_state=lambda cell, tape: to_double("last", cell.last_state(tape))), rng(8))


@solo
def test_start_values_of_another_dtype_or_shape_are_caught(cell):
    with refuses(AssertionError, "init gives leaves of another dtype"):
        assert_cell(Planted(cell, init=lambda cell, rng: map_leaves(lambda leaf: leaf.astype(np.float64), cell.init(rng))), rng(8))
    liar = Planted(cell)
    liar.shapes = {name: (*shape, 1) for name, shape in cell.shapes.items()}
    with refuses(AssertionError, "init gives the shapes", "expected"):
        assert_cell(liar, rng(8))


@solo
def test_one_sequence_squeezed_out_of_its_batch_is_caught(cell):
    with pytest.raises(AssertionError):
        assert_cell(Planted(cell, backward=squeezed), rng(9))


@solo
def test_a_projection_that_projects_again_is_caught(cell):
    with refuses(AssertionError, "project changes parameters that it has projected before", "expected p itself back"):
        assert_cell(Planted(cell, project=lambda cell, p: map_leaves(lambda leaf: leaf * np.float32(0.9), p)), rng(10))
    with refuses(AssertionError, "project changes parameters that it has projected before"):
        assert_cell(Planted(cell, project=lambda cell, p: dict(cell.project(p))), rng(10))


@solo
def test_a_projection_that_writes_is_caught(cell):
    def into_the_array(cell, p):
        next(iter(p.values())).__imul__(0.5)
        return p

    def into_the_dictionary(cell, p):
        p[next(iter(p))] = 0.5 * next(iter(p.values()))
        return p

    with pytest.raises(ValueError, match="read-only"):
        assert_cell(Planted(cell, project=into_the_array), rng(10))
    with refuses(AssertionError, "project exchanged arrays in the dictionary that it was given"):
        assert_cell(Planted(cell, project=into_the_dictionary), rng(10))


@solo
def test_an_array_with_gaps_that_is_misread_is_caught(cell):
    def forward(cell, p, x, state=None):
        packed = np.lib.stride_tricks.as_strided(x, x.shape, np.ascontiguousarray(x).strides)     # as code that trusts the layout would
        return cell.forward(p, packed, state)

    with refuses(AssertionError, "gaps between its entries"):
        assert_cell(Planted(cell, forward=forward), rng(11))
