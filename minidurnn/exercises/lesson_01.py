"""The checkers of lesson 01, backpropagation through time."""

import numpy as np

from ..cells import RNN
from ..gradcheck import assert_gradient
from . import _untouched, choose, judge

T, B, D, H = 6, 4, 3, 5                                       # all different: a swapped axis cannot hide


def check_1(answer):
    """Whether U_11 moves unit 2 of h_2: the path through h_1."""
    choose("01.1", answer, "c", ("a", "b", "c"))


def check_2(answer):
    """What stays right where the carry is dropped."""
    choose("01.2", answer, "b", ("a", "b", "c", "d"))


def check_3(attempt):
    """The backward of h[t] = tanh(x[t] W + h[t-1] U + x[t-1] V), against complex steps: no derivation in the referee."""
    rng = np.random.default_rng(3)
    cases = [_two_input_case(rng, steps) for steps in (T, 2, 1)]
    judge("01.3", attempt, _two_input_gradients, cases, ("dx", "dW", "dU", "dV"))


def check_4(attempt):
    """The central difference along v: for a sum of cubes it is 3θ²·v + step² · Σ v³, by hand."""
    rng = np.random.default_rng(4)
    cases = [(lambda θ: (θ**3).sum(), rng.standard_normal(shape), rng.standard_normal(shape), step) for shape, step in (((3, 5), 0.1), ((5,), 0.01))]
    judge("01.4", attempt, lambda loss, θ, v, step: (3 * θ**2 * v).sum() + step**2 * (v**3).sum(), cases, ("the slope",))


def check_5(attempt):
    """A wrong backward that the weak checker accepts and assert_gradient rejects."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        leaves = rnn_leaves(rng)
        try:
            results = gradients(attempt, leaves)(np.ones((T, B, H)))
        except AssertionError as wrong_form:
            raise AssertionError(f"exercise 01.5: {wrong_form}") from None
        if _untouched(results):
            print("exercise 01.5: not attempted yet")
            return
        if _is_right(attempt, leaves, rng):
            raise AssertionError("exercise 01.5: every gradient is right; plant a bug.")
        try:
            weak_checker(rnn, gradients(attempt, leaves), leaves, rng=rng)
        except AssertionError as caught:
            raise AssertionError(f"exercise 01.5: the weak checker notices. {caught}") from None
        try:
            assert_gradient(rnn, gradients(attempt, leaves), leaves, rng=rng)
        except AssertionError:
            continue
        raise AssertionError("exercise 01.5: assert_gradient accepts it too; what is wrong with it is smaller than its tolerance.")
    print("exercise 01.5: correct")


def weak_checker(forward, backward, leaves, *, rng, direction=np.random.Generator.standard_normal, tolerance=1e-7):
    """Like assert_gradient, but with a cotangent of ones. Weak on purpose."""
    c = np.ones_like(forward(leaves))
    claimed = backward(c)
    for name, leaf in leaves.items():
        if claimed[name].shape != leaf.shape:
            raise AssertionError(f"leaf {name}: the gradient has shape {claimed[name].shape}, expected {leaf.shape}.")
        v = direction(rng, leaf.shape)
        ahead, behind = (forward({**leaves, name: leaf + ε * v}) for ε in (1e-5, -1e-5))
        measured, slope = (c * (ahead - behind)).sum() / 2e-5, (claimed[name] * v).sum()
        if not abs(slope - measured) <= tolerance * max(1.0, abs(measured)):
            raise AssertionError(f"leaf {name}: backward gives the slope {slope:.6g}, measured {measured:.6g}.")


def zero_direction(rng, shape):
    """No direction at all: every slope along it is zero, so nothing but shapes is compared."""
    return np.zeros(shape)


def one_entry(rng, shape):
    """A single random entry as direction."""
    v = np.zeros(shape)
    v[tuple(rng.integers(size) for size in shape)] = 1.0
    return v


def verdict(check, backward, seed):
    """What a checker says of a backward, on a fresh random RNN  ->  "accepted", or the leaf that it names."""
    rng = np.random.default_rng(seed)
    leaves = rnn_leaves(rng)
    try:
        check(rnn, gradients(backward, leaves), leaves, rng=rng)
    except AssertionError as error:
        return str(error).partition(":")[0]
    return "accepted"


def rnn_leaves(rng):
    """Random float64 leaves of a small tanh RNN  ->  {"x" (T, B, D), "h0" (B, H), "W", "U", "b"}."""
    shapes = {"x": (T, B, D), "h0": (B, H), "W": (D, H), "U": (H, H), "b": (H,)}
    return {name: (0.5 if name in "WUb" else 1.0) * rng.standard_normal(shape) for name, shape in shapes.items()}


def rnn(leaves):
    """The outputs h (T, B, H) of the library's RNN at these leaves."""
    return RNN(D, H).forward({name: leaves[name] for name in "WUb"}, leaves["x"], leaves["h0"])[0]


def gradients(backward, leaves):
    """backward(dh, p, x, h0, h) -> dx, dh0, dp  as the function cotangent -> gradients like leaves that checkers take."""
    p, h = {name: leaves[name] for name in "WUb"}, rnn(leaves)

    def at(c):
        results = backward(c.copy(), {name: a.copy() for name, a in p.items()}, leaves["x"].copy(), leaves["h0"].copy(), h.copy())
        if _untouched(results):
            return results
        if not (isinstance(results, tuple) and len(results) == 3 and isinstance(results[2], dict) and results[2].keys() == p.keys()):
            raise AssertionError("backward gives something else: expected dx, dh0, {\"W\": dW, \"U\": dU, \"b\": db}.")
        dx, dh0, dp = results
        return {"x": dx, "h0": dh0, **dp}

    return at


def _is_right(attempt, leaves, rng):
    dh, p = rng.standard_normal((T, B, H)), {name: leaves[name] for name in "WUb"}
    dx, dh0, dp = RNN(D, H).backward(dh, RNN(D, H).forward(p, leaves["x"], leaves["h0"])[1])
    right, yours = {"x": dx, "h0": dh0, **dp}, gradients(attempt, leaves)(dh)
    return all(yours[name].shape == right[name].shape and np.allclose(yours[name], right[name], rtol=1e-9, atol=1e-9) for name in right)


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

    return tuple(_complex_steps(lambda leaf, name=name: loss(**{name: leaf}), leaf) for name, leaf in (("x", x), ("W", W), ("U", U), ("V", V)))


def _complex_steps(f, leaf, step=1e-30):
    """df/dleaf entry by entry, to rounding: f(leaf + i step) has step · df/dleaf as its imaginary part."""
    d = np.empty_like(leaf)
    for index in np.ndindex(*leaf.shape):
        moved = leaf.astype(complex)
        moved[index] += 1j * step
        d[index] = f(moved).imag / step
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


def slope_along(loss, leaf, v, step):
    """The central difference of loss(leaf) along v  ->  a number."""
    return (loss(leaf + step * v) - loss(leaf - step * v)) / (2 * step)


def wrong_backward(dh, p, x, h0, h):
    """A wrong gradient that a cotangent of ones does not notice  ->  dx, dh0, dp."""
    average = dh.mean(axis=1, keepdims=True) + 0 * dh         # every sequence gets the average: of ones it is one
    return backward(average, p, x, h0, h)


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


def _one_path(dh, W, U, V, x, h):
    _, dW, dU, dV = two_inputs_backward(dh, W, U, V, x, h)
    dx, _, _, _ = two_inputs_backward(dh, W, U, 0 * V, x, h)
    return dx, dW, dU, dV


def _wrong_step(dh, W, U, V, x, h):
    dx, dW, dU, _ = two_inputs_backward(dh, W, U, V, x, h)
    return dx, dW, dU, dW


def _one_sided(loss, leaf, v, step):
    return (loss(leaf + step * v) - loss(leaf)) / step


def _half_the_distance(loss, leaf, v, step):
    return (loss(leaf + step * v) - loss(leaf - step * v)) / step


def _transposed(dh, p, x, h0, h):
    return backward(dh, {**p, "U": p["U"].T}, x, h0, h)


def _barely_wrong(dh, p, x, h0, h):
    return backward((1 + 1e-8) * dh, p, x, h0, h)


def _two_results(dh, p, x, h0, h):
    return backward(dh, p, x, h0, h)[:2]


CHECKS = {"01.1": check_1, "01.2": check_2, "01.3": check_3, "01.4": check_4, "01.5": check_5}
REFERENCE = {"01.1": "c", "01.2": "b", "01.3": two_inputs_backward, "01.4": slope_along, "01.5": wrong_backward}
WRONG = {
    "01.1": ["a", "b"],
    "01.2": ["a", "c", "d"],
    "01.3": [_one_path, _wrong_step],                         # the path through x[t-1] forgotten; x[t] for x[t-1] in dV
    "01.4": [_one_sided, _half_the_distance],
    "01.5": [backward, _transposed, _barely_wrong, _two_results],      # not wrong; noticed; below the tolerance; no dp
}
