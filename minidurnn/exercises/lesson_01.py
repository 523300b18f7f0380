"""The checkers of lesson 01, backpropagation through time."""

import numpy as np

from ..cells import RNN
from . import UNTOUCHED, by_hand, called, choose, fail, judge, numbers

T, B, D, H = 6, 4, 3, 5                                       # all different: a swapped axis cannot hide
THIRD_STEP = (4.25, 28.5)                                     # dL/dh_1 and dL/du of the neuron with three steps


def check_1(answer):
    """How far h_2 moves with u: directly, and through h_1."""
    choose("01.1", answer, "b", {
        "a": "0.006 is the move at step 2 alone, with h_1 = 6 held; but u also acts at step 1, so h_1 moves too.",
        "b": "",
        "c": "you added all of the move of h_1, 0.001 · h_0 = 0.002; but h_2 contains 0.5 · h_1: half of it arrives.",
    })


def check_2(answer):
    """Three steps of one neuron, backward, by hand."""
    by_hand("01.2", answer, THIRD_STEP, ("dL/dh_1", "dL/du"), {
        "the carry is missing: every h_t but the last also moves the loss through the next step": (3, 23),
        "the loss's own gradient at h_1 is missing": (1.25, 22.5),
        "the carry went back one step only: all of dL/dh_2 = 2.5 is carried on, not its direct part 2": (4, 28),
        "u at step t is multiplied by h_(t-1), not by h_t": (4.25, 42),
        "the u of step 1 is missing: there it is multiplied by h_0 = 2": (4.25, 20),
    })


def check_3(answer):
    """What stays right where the carry is dropped."""
    choose("01.3", answer, "b", {
        "a": "dW and db are sums over all steps of what `da` gives, and every `da` but the last contains a carry.",
        "b": "",
        "c": "dW, db and dx are made from the same `da` as dU, and every `da` but the last contains a carry.",
        "d": "the carry into the last step is zero anyway, so the last `da` is right: what is made from it alone?",
    })


def check_4(attempt):
    """The backward of h[t] = tanh(x[t] W + h[t-1] U + x[t-1] V), against complex steps: nothing is derived there."""
    rng = np.random.default_rng(3)
    cases = [_two_input_case(rng, steps) for steps in (T, 2, 1)]
    judge("01.4", attempt, _two_input_gradients, cases, ("dx", "dW", "dU", "dV"), mistakes={
        "dx lacks the path from x[t] through V into step t+1": _one_path,
        "this is what comes out without the carry": _no_carry,
        "the path through V leads from x[t] into step t+1, not into step t": _same_step,
        "dV collects x[t] where the cell reads x[t-1]": _wrong_step,
    })


def check_5(attempt):
    """A dh with which a backward without the carry gives the right gradients all the same."""
    for seed, shape in enumerate([(T, B, H), (2, 1, 3), (9, 2, 4)]):
        where = f" for T, B, H = {shape}"
        answer = called("01.5", attempt, shape, where)
        if answer is ...:
            print(f"exercise 01.5: {UNTOUCHED}")
            return
        dh = numbers("01.5", "dh", answer, shape).astype(float)
        if not np.isfinite(dh).all():
            fail("01.5", f"dh has entries that are not finite{where}.")
        if not dh.any():
            fail("01.5", f"every entry of dh is 0{where}: then every gradient is 0, with the carry and without it.")
        dh /= abs(dh).max()
        given = arguments(rnn_leaves(np.random.default_rng(seed), *shape))
        right, wrong = (as_leaves(one(dh, *given)) for one in (backward, _without_carry))
        for name, one in right.items():
            off = abs(wrong[name] - one)
            if off.max() > 1e-9 * abs(one).max():
                at = np.unravel_index(off.argmax(), off.shape)
                entry = f"d{name}[{', '.join(map(str, at))}] is {wrong[name][at]:.4g}, with it {one[at]:.4g}"
                fail("01.5", f"the bug shows{where}: without the carry {entry} (your dh scaled to at most 1).")
    print("exercise 01.5: correct")


def rnn_leaves(rng, T=T, B=B, H=H):
    """Random float64 leaves of a small tanh RNN  ->  {"x" (T, B, D), "h0" (B, H), "W", "U", "b"}."""
    shapes = {"x": (T, B, D), "h0": (B, H), "W": (D, H), "U": (H, H), "b": (H,)}
    return {name: (0.5 if name in "WUb" else 1.0) * rng.standard_normal(shape) for name, shape in shapes.items()}


def rnn(leaves):
    """The outputs h (T, B, H) of the library's RNN at these leaves."""
    cell = RNN(*leaves["W"].shape)
    return cell.forward({name: leaves[name] for name in "WUb"}, leaves["x"], leaves["h0"])[0]


def arguments(leaves):
    """What a backward takes behind dh, in copies  ->  p, x, h0, h."""
    return {name: leaves[name].copy() for name in "WUb"}, leaves["x"].copy(), leaves["h0"].copy(), rnn(leaves)


def as_leaves(results):
    """What a backward gives, dx, dh0, dp, under the names of the leaves."""
    dx, dh0, dp = results
    return {"x": dx, "h0": dh0, **dp}


def _without_carry(dh, p, x, h0, h):
    """What `backward` gives once `+ carry` is deleted from it."""
    steps = [backward(dh[t:t + 1], p, x[t:t + 1], h[t - 1] if t else h0, h[t:t + 1]) for t in range(len(x))]
    dx, dbefore, dp = zip(*steps)
    return np.concatenate(dx), dbefore[0], {name: sum(one[name] for one in dp) for name in p}


def _two_inputs(W, U, V, x):
    """h[t] = tanh(x[t] W + h[t-1] U + x[t-1] V), zeros before the start  ->  h (T, B, H)."""
    h, before, x_before = [], np.zeros((x.shape[1], len(U))), 0 * x[0]
    for x_t in x:
        before, x_before = np.tanh(x_t @ W + before @ U + x_before @ V), x_t
        h.append(before)
    return np.stack(h)


def _two_input_case(rng, steps):
    W, U, V, x = (0.5 * rng.standard_normal(shape) for shape in ((D, H), (H, H), (D, H), (steps, B, D)))
    h = _two_inputs(W, U, V, x)
    return rng.standard_normal(h.shape), W, U, V, x, h


def _two_input_gradients(dh, W, U, V, x, h):
    def loss(W=W, U=U, V=V, x=x):
        return (dh * _two_inputs(W, U, V, x)).sum()

    leaves = {"x": x, "W": W, "U": U, "V": V}
    return tuple(_complex_steps(lambda leaf, name=name: loss(**{name: leaf}), leaf) for name, leaf in leaves.items())


def _complex_steps(f, leaf, step=1e-30):
    """df/dleaf entry by entry, to rounding: f(leaf + i step) has step · df/dleaf as its imaginary part."""
    d = np.empty_like(leaf)
    for place in np.ndindex(leaf.shape):
        moved = leaf.astype(complex)
        moved[place] += 1j * step
        d[place] = f(moved).imag / step
    return d


# The reference solutions: the folded cells of the lesson hold the same text.

def two_inputs_backward(dh, W, U, V, x, h):
    """dh, h (T, B, H), x (T, B, D), zeros before the start  ->  dx, dW, dU, dV."""
    dx, dW, dU, dV = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U), np.zeros_like(V)
    carry = np.zeros_like(h[0])
    for t in reversed(range(len(x))):
        da = (1 - h[t] ** 2) * (dh[t] + carry)
        dW += x[t].T @ da
        dx[t] += da @ W.T
        if t > 0:                                     # before the start everything is zero
            dU += h[t - 1].T @ da
            dV += x[t - 1].T @ da
            dx[t - 1] += da @ V.T                     # x[t-1] is read twice: at step t-1 and here
        carry = da @ U.T
    return dx, dW, dU, dV


def unnoticed_dh(T, B, H):
    """A dh (T, B, H), not all zero, with which the missing carry changes no gradient."""
    dh = np.zeros((T, B, H))
    dh[0] = 1.0                                       # the loss reads step 1 alone: there is nothing to carry
    return dh


def backward(dh, p, x, h0, h, dstate=None):
    dW, dU, db, dx = (np.zeros_like(a) for a in (p["W"], p["U"], p["b"], x))
    carry = np.zeros_like(h0) if dstate is None else dstate
    for t in reversed(range(len(x))):
        before = h[t - 1] if t > 0 else h0
        da = (1 - h[t] ** 2) * (dh[t] + carry)        # (1.4), (1.5), (1.6)
        dU += before.T @ da                           # (1.7)
        dW += x[t].T @ da                             # (1.8)
        db += da.sum(0)                               # (1.9)
        dx[t] = da @ p["W"].T                         # (1.10)
        carry = da @ p["U"].T                         # what arrives at h[t-1]
    return dx, carry, {"W": dW, "U": dU, "b": db}     # the last carry is (1.11)


# Wrong answers. The named ones are mistakes that a checker recognises.

def _one_path(dh, W, U, V, x, h):
    _, dW, dU, dV = two_inputs_backward(dh, W, U, V, x, h)
    return two_inputs_backward(dh, W, U, 0 * V, x, h)[0], dW, dU, dV


def _no_carry(dh, W, U, V, x, h):
    return two_inputs_backward(dh, W, 0 * U, V, x, h)


def _same_step(dh, W, U, V, x, h):
    _, dW, dU, dV = two_inputs_backward(dh, W, U, V, x, h)
    return two_inputs_backward(dh, W + V, U, 0 * V, x, h)[0], dW, dU, dV


def _wrong_step(dh, W, U, V, x, h):
    dx, dW, dU, _ = two_inputs_backward(dh, W, U, V, x, h)
    return dx, dW, dU, dW


def _overwrites(dh, W, U, V, x, h):
    dh *= 1 - h * h
    return two_inputs_backward(dh, W, U, V, x, h)


CHECKS = {"01.1": check_1, "01.2": check_2, "01.3": check_3, "01.4": check_4, "01.5": check_5}
REFERENCE = {"01.1": "b", "01.2": THIRD_STEP, "01.3": "b", "01.4": two_inputs_backward, "01.5": unnoticed_dh}
WRONG = {
    "01.1": ["a", "c", "d"],
    "01.2": [(3, 23), (1.25, 22.5), (4, 28), (4.25, 42), (4.25, 20), (28.5, 4.25)],
    "01.3": ["a", "c", "d"],
    "01.4": [_one_path, _no_carry, _same_step, _wrong_step],
    "01.5": [
        lambda *shape: np.zeros(shape), lambda *shape: np.ones(shape), lambda *shape: np.full(shape, 1e-300),
        lambda T, B, H: np.eye(T)[-1][:, None, None] + np.zeros((T, B, H)),
    ],
}
ILL_TYPED = {
    "01.1": [None, 0.005, ["b"]],
    "01.2": [None, 4.25, ("4.25", "28.5"), (4.25, None)],
    "01.3": [None, True, "carry"],
    "01.4": [None, lambda *_: None, lambda dh, *_: dh, lambda *_: (0, 0, 0, 0), lambda dh, W, *_: dh @ W, _overwrites],
    "01.5": [
        None, lambda *_: None, lambda *_: "ones", lambda T, B: 0, lambda T, B, H: np.ones((B, H)),
        lambda *shape: np.full(shape, np.nan),
    ],
}
