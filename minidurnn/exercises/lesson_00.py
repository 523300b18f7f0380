"""Lesson 00: the exercises' references, their checkers, and wrong answers that the checkers must refuse."""

from dataclasses import dataclass

import numpy as np

from ..arrays.starts import glorot, uniform, zeros
from ..cells import Cell
from ..cells.contract import check_model
from ..gradcheck import assert_cell, random_leaves
from . import choose, compare, judge


def check_baseline(answer):
    """The mean squared error of always answering 1."""
    choose("00.1", answer, "1/6", {
        "1/12": "that is the variance of one marked value, and the sum has two.",
        "1/6": "", "1/4": "a value is off by up to 1/2, but its square is smaller on average than (1/2)².",
        "1/2": "that is the mean of one marked value, not the mean of a squared error.",
    })


def step_backward(dh, x, h0, h, W, u):
    """The gradients of one step h = tanh(x W + u ⊙ h0 + b)  ->  dx (B, D), dh0 (B, H), dW (D, H), du (H,), db (H,)."""
    da = dh * (1 - h * h)
    return da @ W.T, da * u, x.T @ da, (da * h0).sum(0), da.sum(0)


def check_step(attempt):
    """One step of independent neurons, backward."""
    rng, cases = np.random.default_rng(2), []
    for B, D, H in ((3, 2, 4), (1, 3, 2)):
        dh, h0, x = rng.standard_normal((B, H)), rng.standard_normal((B, H)), rng.standard_normal((B, D))
        W, u, b = rng.standard_normal((D, H)), rng.standard_normal(H), rng.standard_normal(H)
        cases.append((dh, x, h0, np.tanh(x @ W + u * h0 + b), W, u))
    judge("00.2", attempt, step_backward, cases, ("dx", "dh0", "dW", "du", "db"))


def check_handed_on(answer):
    """What goes wrong when the state's gradient is not handed on."""
    choose("00.3", answer, "c", {
        "a": "the loss reads the second stretch too, and the first stretch moves it through the state.",
        "b": "the second stretch goes backward first and needs nothing from the first.",
        "c": "", "d": "the second stretch goes backward first, so its `dx` is right.",
    })


@dataclass(frozen=True)
class Blend(Cell):    # h[t] = (1 - alpha) ⊙ h[t-1] + alpha ⊙ tanh(x[t] W + b)
    inputs: int
    units: int
    outputs = state_size = property(lambda self: self.units)

    def init(self, rng):
        return {"W": glorot(rng, self.inputs, self.units), "b": zeros(self.units),
                "alpha": uniform(rng, 0.1, 0.9, self.units)}

    def forward(self, p, x, state=None):
        h0 = h_t = np.zeros((x.shape[1], self.units), x.dtype) if state is None else state
        z = np.tanh(x @ p["W"] + p["b"])                      # (T, B, H): every step at once
        h = np.empty_like(z)
        for t, z_t in enumerate(z):
            h[t] = h_t = (1 - p["alpha"]) * h_t + p["alpha"] * z_t
        return h, (p, x, h0, z, h)

    def backward(self, dh, tape, dstate=None):
        p, x, h0, z, h = tape
        total, carry = np.zeros_like(h) if dh is None else dh.copy(), 0 if dstate is None else dstate
        for total_t in total[::-1]:
            total_t += carry
            carry = (1 - p["alpha"]) * total_t                # what arrives at h[t-1]
        da = total * p["alpha"] * (1 - z * z)
        before = np.concatenate([h0[None], h[:-1]])           # h[t-1] at every t
        dp = {"W": np.einsum("tbd,tbh->dh", x, da), "b": da.sum((0, 1)), "alpha": (total * (z - before)).sum((0, 1))}
        return da @ p["W"].T, carry, dp

    def last_state(self, tape):
        return tape[-1][-1]


def check_cell(attempt):
    """A cell of one's own; its outputs are compared, then `assert_cell` judges the whole contract."""
    cell, reference, rng = _made(attempt), Blend(2, 4), np.random.default_rng(4)
    leaves = random_leaves(reference, rng, T=5, B=3)
    run = cell.forward(leaves["p"], leaves["x"], leaves["state"])
    if run is ... or run is None:
        print("exercise 00.4: not attempted yet")
        return
    if not (isinstance(run, tuple) and len(run) == 2):
        raise AssertionError("exercise 00.4: forward gives something else: expected h (T, B, H) and a tape.")
    h, tape = run
    compare("00.4", h, reference.forward(leaves["p"], leaves["x"], leaves["state"])[0], ("h",))
    gradients = cell.backward(rng.standard_normal(h.shape), tape)
    if gradients is ... or gradients is None:
        print("exercise 00.4: forward is correct, backward not attempted yet")
        return
    if not (isinstance(gradients, tuple) and len(gradients) == 3 and isinstance(gradients[2], dict)):
        raise AssertionError(
            'exercise 00.4: backward gives something else: expected dx, dstate0, {"W": dW, "b": db, "alpha": dalpha}.'
        )
    try:
        assert_cell(cell, rng)
    except AssertionError as error:
        raise AssertionError(f"exercise 00.4: {error}") from error
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise AssertionError("exercise 00.4: the cell writes into an argument: expected a copy, dh.copy().") from error
    print("exercise 00.4: correct")


def _made(attempt):
    """A cell of the student's class, if it is one."""
    try:
        cell = attempt(inputs=2, units=4)
        check_model("what Blend(inputs=2, units=4) makes", cell)
    except TypeError as error:
        raise AssertionError(f"exercise 00.4: {error}; a cell is a dataclass that inherits Cell.") from error
    return cell


def _slip(**changed):
    """One step with some of its gradients replaced by functions of da, dh, x, h0, h, W, u."""
    def answer(dh, x, h0, h, W, u):
        right = dict(zip(("dx", "dh0", "dW", "du", "db"), step_backward(dh, x, h0, h, W, u)))
        wrong = {name: change(dh * (1 - h * h), dh, x, h0, h, W, u) for name, change in changed.items()}
        return tuple({**right, **wrong}.values())

    return answer


class SwappedBlend(Blend):
    """The shares of old and new exchanged."""

    def forward(self, p, x, state=None):
        """alpha of the old, 1 - alpha of the new."""
        return super().forward({**p, "alpha": 1 - p["alpha"]}, x, state)


class CutBlend(Blend):
    """A backward that drops the state's gradient."""

    def backward(self, dh, tape, dstate=None):
        """As if nothing came after the stretch."""
        return super().backward(dh, tape)


class ForgetfulBlend(Blend):
    """A backward that drops what arrives from later steps."""

    def backward(self, dh, tape, dstate=None):
        """Every step as if it were the only one."""
        p, x, h0, z, h = tape
        steps = []
        for t in range(len(x)):
            now, before = slice(t, t + 1), h[t - 1] if t else h0
            steps.append(super().backward(dh[now], (p, x[now], before, z[now], h[now])))
        dx, dstate0, dp = zip(*steps)
        return np.concatenate(dx), dstate0[0], {name: sum(one[name] for one in dp) for name in p}


class HalfBlend(Blend):
    """A backward whose gradient on alpha forgets the old state."""

    def backward(self, dh, tape, dstate=None):
        """As if every h[t-1] were 0."""
        p, x, h0, z, h = tape
        return super().backward(dh, (p, x, 0 * h0, z, 0 * h), dstate)


class TapelessBlend(Blend):
    """A forward that gives its outputs alone."""

    def forward(self, p, x, state=None):
        """No tape."""
        return super().forward(p, x, state)[0]


class StatelessBlend(Blend):
    """A backward that leaves out the gradient on the state before the first step."""

    def backward(self, dh, tape, dstate=None):
        """Two results in place of three."""
        dx, _, dp = super().backward(dh, tape, dstate)
        return dx, dp


class WritingBlend(Blend):
    """A backward that adds up in the array that it was given."""

    def backward(self, dh, tape, dstate=None):
        """dh is no longer what it was."""
        if dh is not None:
            dh += 0.0
        return super().backward(dh, tape, dstate)


class ListedBlend(Blend):
    """A backward that gives the parameters' gradients without their names."""

    def backward(self, dh, tape, dstate=None):
        """A list in place of a dictionary."""
        dx, dstate0, dp = super().backward(dh, tape, dstate)
        return dx, dstate0, list(dp.values())


@dataclass(frozen=True)
class LonelyBlend:
    """The methods of a cell that does not inherit Cell, and so cannot be trained."""

    inputs: int
    units: int
    outputs = state_size = Blend.outputs
    init, forward, backward, last_state = Blend.init, Blend.forward, Blend.backward, Blend.last_state


REFERENCE = {"00.1": "1/6", "00.2": step_backward, "00.3": "c", "00.4": Blend}
WRONG = {
    "00.1": ["1/12", "1/4", "1/2", 0.1667],
    "00.2": [
        lambda dh, x, h0, h, W, u: step_backward(dh, x, h0, h0, W, u),                      # the slope at the wrong end
        _slip(dx=lambda da, dh, x, h0, h, W, u: dh @ W.T),                                  # the slope forgotten
        _slip(dh0=lambda da, dh, x, h0, h, W, u: da),                                       # u forgotten
        _slip(du=lambda da, dh, x, h0, h, W, u: (da * h).sum(0)),                           # h for h0
        _slip(db=lambda da, dh, x, h0, h, W, u: da),                                        # no sum over the batch
    ],
    "00.3": ["a", "b", "d", "e"],
    "00.4": [
        SwappedBlend, CutBlend, ForgetfulBlend, HalfBlend, WritingBlend, LonelyBlend,
        TapelessBlend, StatelessBlend, ListedBlend, lambda inputs, units: 3,
    ],
}
CHECKS = {"00.1": check_baseline, "00.2": check_step, "00.3": check_handed_on, "00.4": check_cell}
