"""Planted bugs: wrong methods for any cell, and wrong loops and products for the cells that call them.

A planted cell is a subclass of the sound one, so it differs from it in what was planted and in nothing else.
"""

import sys
from dataclasses import fields

import numpy as np

from minidurnn.arrays.trees import add, map_leaves
from minidurnn.cells import Compact, Projection


def planted(cell, **changed):
    """The cell with some methods or attributes exchanged; a new method is given the sound cell as `self`."""
    def method(new):
        return lambda self, *arguments, **options: new(cell, *arguments, **options)

    own = {name: method(new) if callable(new) else new for name, new in changed.items()}
    return type("Planted", (type(cell),), own)(**{field.name: getattr(cell, field.name) for field in fields(cell)})


def results(change):
    """A backward whose results (dx, dstate0, dp) are changed."""
    return {"backward": lambda cell, dh, tape, dstate=None: change(*cell.backward(dh, tape, dstate))}


def arguments(change):
    """A backward whose arguments (dh, dstate) are changed."""
    def backward(cell, dh, tape, dstate=None):
        dh, dstate = change(dh, dstate)
        return cell.backward(dh, tape, dstate)
    return {"backward": backward}


def whole_run(backward, **methods):
    """A backward that is given (cell, dh, (p, x, state), dstate) and may run the cell again."""
    return {
        "forward": keep_run,
        "last_state": lambda cell, tape: cell.last_state(tape[3]),
        "backward": lambda cell, dh, tape, dstate=None: backward(cell, dh, tape[:3], dstate),
        **methods,
    }


def keep_run(cell, p, x, state=None):
    """A forward whose tape is (p, x, state, the cell's own tape)."""
    h, tape = cell.forward(p, x, state)
    return h, (p, x, state, tape)


def flipped(array, axis):
    """The array backwards along an axis; None stays."""
    return None if array is None else np.flip(array, axis)


def step_by_step(cell, dh, run, dstate, hand_on):
    """backward one step at a time, with hand_on(dstate, t) as what step t gives to the one before it."""
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
        dstate0, dstate = dstate, hand_on(dstate, t)
    return np.concatenate(dx), dstate0, dp


def from_other_states(cell, dh, run, dstate, other):
    """backward with dp taken from a run whose states in front of every step are other(before, behind)."""
    p, x, state = run
    dx, dstate0, dp = cell.backward(dh, cell.forward(p, x, state)[1], dstate)
    before, tapes = np.zeros((x.shape[1], cell.state_size), x.dtype) if state is None else state, []
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


def again(cell, dh, run, dstate):
    """The sound backward of a whole run."""
    return cell.backward(dh, cell.forward(*run)[1], dstate)


def ones_like_h(cell, dh, run):
    return np.ones((*run[1].shape[:2], cell.outputs), run[1].dtype) if dh is None else dh


def ones_like_state(cell, dstate, x):
    return np.ones((x.shape[1], cell.state_size), x.dtype) if dstate is None else dstate


def last_step_only(dh):
    return None if dh is None else np.concatenate([0 * dh[:-1], dh[-1:]])


RESULT_BUGS = {
    "the sign of dx": lambda dx, d0, dp: (-dx, d0, dp),
    "the sign of dstate0": lambda dx, d0, dp: (dx, -d0, dp),
    "the sign of dp": lambda dx, d0, dp: (dx, d0, map_leaves(np.negative, dp)),
    "dx all zero": lambda dx, d0, dp: (0 * dx, d0, dp),
    "dstate0 all zero": lambda dx, d0, dp: (dx, 0 * d0, dp),
    "dp all zero": lambda dx, d0, dp: (dx, d0, map_leaves(np.zeros_like, dp)),
    "everything zero": lambda dx, d0, dp: map_leaves(np.zeros_like, (dx, d0, dp)),
    "dx reversed in time": lambda dx, d0, dp: (dx[::-1], d0, dp),
    "dx swapped across the batch": lambda dx, d0, dp: (dx[:, ::-1], d0, dp),
    "dstate0 swapped across the batch": lambda dx, d0, dp: (dx, d0[::-1], dp),
    "dstate0 swapped across units": lambda dx, d0, dp: (dx, d0[:, ::-1], dp),
    "dx swapped across inputs": lambda dx, d0, dp: (dx[..., ::-1], d0, dp),
    "dp a mean instead of a sum": lambda dx, d0, dp: (dx, d0, map_leaves(lambda d: d / len(dx), dp)),
    "dx delayed by a step": lambda dx, d0, dp: (np.concatenate([0 * dx[:1], dx[:-1]]), d0, dp),
}
ARGUMENT_BUGS = {
    "dh reversed in time": lambda dh, dstate: (flipped(dh, 0), dstate),
    "dh swapped across the batch": lambda dh, dstate: (flipped(dh, 1), dstate),
    "dh ignored": lambda dh, dstate: (None, dstate),
    "dh of the last step only": lambda dh, dstate: (last_step_only(dh), dstate),
    "dstate ignored": lambda dh, dstate: (dh, None),
    "dstate swapped across the batch": lambda dh, dstate: (dh, flipped(dstate, 0)),
    "the sign of dstate": lambda dh, dstate: (dh, None if dstate is None else -dstate),
}
RUN_BUGS = {
    "carry dropped between steps": lambda *run: step_by_step(*run, lambda carry, t: None),
    "the sign of the carry": lambda *run: step_by_step(*run, lambda carry, t: -carry),
    "the carry swapped across the batch": lambda *run: step_by_step(*run, lambda carry, t: carry[::-1]),
    "the state behind a step for the one in front": lambda *run: from_other_states(*run, lambda before, behind: behind),
    "zeros in place of the states": lambda *run: from_other_states(*run, lambda before, behind: 0 * before),
    "the last state in place of the first": lambda cell, dh, run, dstate: cell.backward(
        dh, cell.forward(run[0], run[1], cell.last_state(cell.forward(*run)[1]))[1], dstate),
    "no dh counts as ones": lambda cell, dh, run, dstate: again(cell, ones_like_h(cell, dh, run), run, dstate),
    "no dstate counts as ones": lambda cell, dh, run, dstate: again(
        cell, dh, run, ones_like_state(cell, dstate, run[1])),
}


def without_dstate0(cell, dh, tape, dstate=None):
    dx, dstate0, dp = cell.backward(dh, tape, dstate)
    return dx, 0 * dstate0, dp


def without_mean(cell, dh, tape, dstate=None):
    dx, dstate0, dp = cell.backward(dh, tape, dstate)
    return dx - dx.mean(0), dstate0, dp


def first_state(cell, tape):
    return cell.last_state(cell.forward(tape[0], tape[1][:1], tape[2])[1])


CELL_BUGS = {
    **{name: results(bug) for name, bug in RESULT_BUGS.items()},
    **{name: arguments(bug) for name, bug in ARGUMENT_BUGS.items()},
    **{name: whole_run(bug) for name, bug in RUN_BUGS.items()},
    "the last state is the first step's": whole_run(again, last_state=first_state),
    "the last state is zero": whole_run(
        lambda cell, dh, run, dstate: again(cell, dh, run, None),
        last_state=lambda cell, tape: 0 * cell.last_state(tape[3])),
    "the state ignored": {"forward": lambda cell, p, x, state=None: cell.forward(p, x), "backward": without_dstate0},
    "no state counts as ones": {
        "forward": lambda cell, p, x, state=None: cell.forward(p, x, ones_like_state(cell, state, x))},
    "the mean over time": {                                   # not causal: every step sees all steps
        "forward": lambda cell, p, x, state=None: cell.forward(p, x - x.mean(0), state), "backward": without_mean},
}
SOUND = {
    "results": results(lambda *d: d), "arguments": arguments(lambda *d: d), "a whole run": whole_run(again),
    "step by step": whole_run(lambda *run: step_by_step(*run, lambda carry, t: carry)),
    "from the same states": whole_run(lambda *run: from_other_states(*run, lambda before, behind: before)),
}


# Loops and products that a cell calls

def loop_results(change):
    """A backward loop whose results are changed."""
    return lambda back: lambda *arguments, **options: change(back(*arguments, **options))


def negated(place):
    return loop_results(lambda found: tuple(-part if at == place else part for at, part in enumerate(found)))


def zeroed(place):
    return loop_results(lambda found: tuple(0 * part if at == place else part for at, part in enumerate(found)))


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
    return lambda dh, h, U, h0, *rest, **options: back(dh, h, U, h[-1], *rest, **options)


def gates_off_by_one(back):
    """df from the state behind each step."""
    def wrong(dh, h, *rest, **options):
        _, dv, dh0 = back(dh, h, *rest, **options)
        return h * dv, dv, dh0
    return wrong


def gates_a_step_late(back):
    """The gate of the step itself where that of the step behind it belongs."""
    return lambda dh, h, f, h0, **options: back(dh, h, np.concatenate([f[:1], f[:-1]]), h0, **options)


def transposed(place):
    """U in place of its transpose, block by block where it holds several gates."""
    def plant(back):
        def wrong(*arguments, **options):
            U = arguments[place]
            turned = np.concatenate([block.T for block in np.split(U, U.shape[1] // U.shape[0], axis=1)], axis=1)
            return back(*arguments[:place], turned, *arguments[place + 1:], **options)
        return wrong
    return plant


def without_recurrence(back):
    """da[t] without what comes from step t+1; the carried gradient enters the last step, and dh0 fits this da."""
    def wrong(dh, h, U, h0, *rest, carry=None):
        dh = np.zeros_like(h) if dh is None else dh.copy()
        if carry is not None:
            dh[-1] += carry
        da, dU, _ = back(dh, h, 0 * U, h0, *rest)
        return da, dU, da[0] @ U.T if U.ndim == 2 else da[0] * U
    return wrong


def other_slope(back):
    """The slope of the activation forgotten, or that of tanh where there is no activation."""
    def wrong(dh, h, U, h0, activation, carry=None):
        return back(dh, h, U, h0, "tanh" if activation == "identity" else "identity", carry=carry)
    return wrong


def carry_ignored(name):
    return lambda back: lambda *arguments, **options: back(*arguments, **{**options, name: None})


def each(results):
    """Every one of so many results negated, or zero."""
    pairs = (("negated", negated), ("zeroed", zeroed))
    return {f"{what} {place}": how(place) for place in range(results) for what, how in pairs}


PLAIN = {
    "off by one": off_by_one, "last for initial state": from_the_last_state, "no recurrence": without_recurrence,
    "another slope": other_slope, "carry ignored": carry_ignored("carry"), **each(3),
}
LOOPS = {                                                     # function of a cell's module -> bugs
    "matrix_scan_backward": {**PLAIN, "transposed": transposed(2)},
    "diagonal_scan_backward": PLAIN,
    "lstm_scan_backward": {
        "off by one": off_by_one, "transposed": transposed(5), "carry of h ignored": carry_ignored("carry"),
        "carry of c ignored": carry_ignored("carry_c"), **each(4),
    },
    "gru_scan_backward": {
        "off by one": off_by_one, "transposed": transposed(4), "carry ignored": carry_ignored("carry"), **each(4),
    },
    "tapped_sum_backward": {
        "time reversed": lambda back: lambda dm, h, w: back(dm[::-1], h, w),
        "taps reversed": lambda back: lambda dm, h, w: back(dm, h, w[::-1]),
        "off by one": loop_results(lambda found: (np.roll(found[0], 1, axis=0), found[1])),
        "dw a mean": loop_results(lambda found: (found[0], found[1] / 7)), **each(2),
    },
    "add_last_steps": {
        "ignored": lambda add: lambda *given: None,
        "the first steps": lambda add: lambda dsteps, dstate, N, *given: add(dsteps[:N], dstate, N),
    },
    "forget_scan_backward": {
        "off by one": off_by_one, "transposed": transposed(5), "carry of h ignored": carry_ignored("carry"),
        "carry of c ignored": carry_ignored("carry_c"), "the last cell state in place of the first": (
            lambda back: lambda *given, **options: back(*given[:7], given[2][-1], **options)), **each(4),
    },
    "janet_scan_backward": {
        "off by one": off_by_one, "transposed": transposed(3), "carry ignored": carry_ignored("carry"),
        "last for initial state": lambda back: lambda dc, c, gates, U, c0, **options: back(
            dc, c, gates, U, c[-1], **options), **each(3),
    },
    "gated_scan_backward": {
        "off by one": gates_off_by_one, "last for initial state": from_the_last_state,
        "a step late": gates_a_step_late, "carry ignored": carry_ignored("carry"), **each(3),
    },
    "queueing_scan_backward": {
        "busy behind the gate": lambda back: lambda dq, q, m, Δ, c, *rest, **options: back(
            dq, q, m, Δ, np.full_like(c, np.inf), *rest, **options),
        "steps of one length": lambda back: lambda dq, q, m, Δ, *rest, **options: back(
            dq, q, m, np.ones_like(Δ), *rest, **options),
        "the jobs for the busy servers": lambda back: lambda dq, q, m, *rest, **options: back(
            dq, q, q, *rest, **options),
        "transposed": transposed(5), "carry ignored": carry_ignored("carry"), **each(5),
    },
    "affine_backward": {
        "batch swapped": lambda back: lambda dy, x, W: back(dy, x[:, ::-1], W),
        "time reversed": lambda back: lambda dy, x, W: back(dy, x[::-1], W),
        "db a mean": loop_results(lambda found: (*found[:2], found[2] / 7)),
        "transposed": lambda back: lambda dy, x, W: (dy @ W, *back(dy, x, W)[1:]), **each(3),
    },
    "rows_back": {
        "zeroed": lambda back: lambda dy, W: 0 * back(dy, W), "transposed": lambda back: lambda dy, W: dy @ W,
        "negated": lambda back: lambda dy, W: -back(dy, W),
    },
    "rows_product": {
        "zeroed": lambda back: lambda x, dy: 0 * back(x, dy),
        "time reversed": lambda back: lambda x, dy: back(x[::-1], dy),
        "transposed": lambda back: lambda x, dy: back(x, dy).T,
    },
}


CALLED = {                                                    # of the functions of a module, who calls which
    **{name: lambda cell: not isinstance(cell, Compact) or isinstance(cell.weights, Projection)
       for name in ("rows_back", "rows_product")},
    "lstm_scan_backward": lambda cell: cell.forget == "sigmoid",
    "forget_scan_backward": lambda cell: cell.forget != "sigmoid",
}


def planted_places(cells, square):
    """Every (cell, function of its module, bug) where the bug can exist: a missing transpose where sizes allow it."""
    for cell in (*cells, *square):
        module = sys.modules[type(cell).__module__]
        for function, bugs in LOOPS.items():
            calls = hasattr(module, function) and CALLED.get(function, lambda cell: True)(cell)
            for bug in bugs if calls else ():
                if bug != "transposed":
                    exists = cell not in square
                elif "scan" in function:                      # U is square, or square gate by gate
                    exists = True
                else:
                    exists = cell in square and all(len(set(shape)) == 1 for shape in cell.shapes.values())
                if exists:
                    yield cell, function, bug
