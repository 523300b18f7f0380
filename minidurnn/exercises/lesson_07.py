"""The checkers of lesson 07, two memories."""

import numpy as np

from ..cells import DuRNN
from ..cells.constraints import spectral_norm
from ..scans import diagonal_scan_backward
from ..tasks import DelayedXOR
from . import UNTOUCHED, called, choose, fail, judge, kind, numbers

T, B, L = 6, 4, 3                                             # all different: a swapped axis cannot hide


def check_1(answer):
    """What stays right where the path through the selection is forgotten."""
    choose("07.1", answer, "b", {
        "a": "W_g, V_g and b_g collect from dv, and dv is computed before the mistake is made; they stay right.",
        "b": "",
        "c": "W_l, b_l, W_g, V_g and b_g collect from dc and dv, which never read ds; more than u and l0 stays right.",
        "d": "the mistake at s[t] travels to s[t-1], but no arrow leads from there back into l, z, c or v.",
    })


def check_2(attempt):
    """The backward of l[t] = relu(g[t] ⊙ c[t] + (1 - g[t]) ⊙ u ⊙ l[t-1]), against complex steps."""
    rng = np.random.default_rng(2)
    mistakes = {
        "your gate only lets in: a larger g also removes u ⊙ l[t-1]": _lets_in_only,
        "your carry keeps u and forgets the factor 1 - g": _carries_all,
    }
    cases, names = [_forgetting_case(rng, steps) for steps in (T, 2, 1)], ("dc", "dv", "du", "dl0")
    judge("07.2", attempt, _forgetting_gradients, cases, names, mistakes=mistakes)


def check_3(attempt):
    """The weights of delayed XOR with one number changed: right at T = 50 and wrong at T = 500."""
    given, xor = delayed_xor(), delayed_xor()
    if (p := _attempted("07.3", attempt, given)) is ...:
        return
    if any((given[name] != xor[name]).any() for name in xor):
        fail("07.3", "your function writes into the arrays of xor: put a new array into a new dict instead.")
    p = _arrays("07.3", p, 3, 1)
    changed = sum(int((p[name] != xor[name]).sum()) for name in xor)
    if changed != 1:
        fail("07.3", f"{changed} numbers differ from xor, expected exactly one.")
    _within_bounds("07.3", p, 500)
    right = {}
    for length in (50, 500):
        x, last, before = delayed_bits(length)
        ends = DuRNN(2, 3, 1, horizon=length).forward(p, x)[1].l[-1, :, 0]
        right[length] = ((ends > 0.5) == (last != before)).mean()
    if right[50] < 1:
        fail("07.3", f"at T = 50 {right[50]:.1%} of the answers are right, expected 100 %: make the change smaller.")
    if right[500] > 0.6:
        hint = "which number acts again at every step?"
        fail("07.3", f"at T = 500 {right[500]:.1%} of the answers are still right, expected at most 60 %: {hint}")
    print("exercise 07.3: correct")


def check_4(attempt):
    """A DuRNN within both bounds whose long-term state ends at bit[m] AND bit[m-1], exactly."""
    if (p := _attempted("07.4", attempt)) is ...:
        return
    p = _arrays("07.4", p)
    _within_bounds("07.4", p, 500)
    for length in (20, 500):
        x, last, before = delayed_bits(length)
        with np.errstate(all="ignore"):
            found = DuRNN(2, *p["W_l"].shape, horizon=length).forward(p, x)[1].l[-1].sum(-1)
        wanted = last * before
        for bad in np.flatnonzero(~(found == wanted))[:1]:
            case = f"at T = {length}, for a marked bit {last[bad]:.0f} after a bit {before[bad]:.0f}"
            got = f"{found[bad]:.{4 if abs(found[bad] - wanted[bad]) > 1e-3 else 17}g}"
            why = _why(found, last, before)
            fail("07.4", f"{case}, the sum over l_T is {got}, expected exactly {wanted[bad]:.0f}{why}.")
    print("exercise 07.4: correct")


def check_5(answer):
    """How the first loss grows with the length where the selection starts open."""
    choose("07.5", answer, "c", {
        "a": "each input is as large as before, but ten times as many of them are added up.",
        "b": "the state grows about 10 times, but the loss is the square of the error.",
        "c": "",
    })


def _why(found, last, before):
    known = {
        "this is the marked bit": last, "this is the bit before": before, "this is OR": np.maximum(last, before),
        "this is XOR": abs(last - before), "half of the answer: the gate lets a half through": last * before / 2,
        "close, but not exact: a sigmoid is never 0, 0.1 is no exact float; use a gate of ½ and halves": last * before,
    }
    return next((f" ({said})" for said, one in known.items() if np.allclose(found, one, atol=1e-6)), "")


def _attempted(exercise, attempt, *given):
    """What a student's function returns; `...`, after saying so, where it was not attempted."""
    answer = called(exercise, attempt, tuple(given))
    if answer is ... or isinstance(answer, dict) and any(array is ... for array in answer.values()):
        print(f"exercise {exercise}: {UNTOUCHED}")
        return ...
    return answer


def _arrays(exercise, p, S=None, L=None):
    """A student's dict as the nine float64 arrays of a DuRNN(2, S, L); S and L are read off W_l unless given."""
    names = sorted(DuRNN(2, 1, 1, horizon=20).shapes)
    if not isinstance(p, dict):
        fail(exercise, f"got {kind(p)}, expected a dict of {', '.join(names)}.")
    if set(p) != set(names):
        fail(exercise, f"the dict holds {', '.join(map(str, p)) or 'nothing'}, expected {', '.join(names)}.")
    if S is None:
        weights = numbers(exercise, "W_l", p["W_l"])
        if weights.ndim != 2 or not weights.size:
            fail(exercise, f"W_l has shape {weights.shape}, expected (S, L) with S and L at least 1.")
        S, L = weights.shape
    shapes = DuRNN(2, S, L, horizon=20).shapes
    p = {name: numbers(exercise, name, p[name], shapes[name]).astype(float) for name in shapes}
    if bad := [name for name in p if not np.isfinite(p[name]).all()]:
        fail(exercise, f"{bad[0]} holds nan or inf, expected finite numbers.")
    return p


def _within_bounds(exercise, p, length):
    if (norm := float(spectral_norm(p["U_s"]))) > 0.9 * (1 + 1e-6):
        fail(exercise, f"the norm ‖U_s‖₂ is {norm:.4g}, expected at most 0.9: make the entries of U_s smaller.")
    if (largest := abs(p["u"]).max()) > 2 ** (1 / length) * (1 + 1e-6):
        fail(exercise, f"the largest |u| is {largest:.6g}, expected at most 2^(1/{length}) = {2 ** (1 / length):.6g}.")


def delayed_bits(length):
    """The task's first 200 test sequences  ->  x (T, 200, 2) float64, bit[m] and bit[m-1] (200,) as 0.0 or 1.0."""
    x = DelayedXOR(length).test()[0][:, :200].astype(float)
    bits, m, every = x[:, :, 0], x[:, :, 1].argmax(0), np.arange(x.shape[1])
    return x, bits[m, every], bits[m - 1, every]


def delayed_xor():
    """The lesson's DuRNN by hand: three short-term units, one long-term neuron, a gate of ½."""
    p = {name: np.zeros(shape) for name, shape in DuRNN(2, 3, 1, horizon=1).shapes.items()}
    p["U_s"][0] = 0, -0.5, 0.5
    return {**p, "W_s": np.array([[2.0, 1, -1], [0, 2, 2]]), "b_s": np.array([0.0, -2, -2]),
            "W_l": np.array([[0.0], [2], [2]]), "u": np.ones(1)}


def _forgetting(v, c, u, l):
    """The forward of exercise 07.2 with g = σ(v)  ->  l (T, B, L); complex arguments pass."""
    states = []
    for g, c_t in zip(1 / (1 + np.exp(-v)), c):
        z = g * c_t + (1 - g) * u * l
        l = z * (z.real > 0)
        states.append(l)
    return np.stack(states)


def _forgetting_case(rng, steps):
    v, c, u, l0 = (rng.standard_normal(shape) for shape in ((steps, B, L), (steps, B, L), (L,), (B, L)))
    l = _forgetting(v, c + 0.5, u, abs(l0))                   # most neurons are active, some are not
    return rng.standard_normal(l.shape), 1 / (1 + np.exp(-v)), c + 0.5, u, abs(l0), l


def _forgetting_gradients(dh_l, g, c, u, l0, l):
    """By complex steps, Im f(a + i ε) / ε: exact to rounding, and no derivation in the referee."""
    leaves = {"c": c, "v": np.log(g / (1 - g)), "u": u, "l": l0}
    def slope(name, one):
        return (dh_l * _forgetting(**{**leaves, name: leaves[name] + 1e-30j * one})).sum().imag / 1e-30
    units = {name: np.eye(leaf.size).reshape(-1, *leaf.shape) for name, leaf in leaves.items()}
    return tuple(np.reshape([slope(name, one) for one in units[name]], leaf.shape) for name, leaf in leaves.items())


# The reference solutions: the folded cells of the lesson hold the same text.

def forgetting_backward(dh_l, g, c, u, l0, l):
    """dh_l, g, c, l (T, B, L), u (L,), l0 (B, L)  ->  dc, dv (T, B, L), du (L,), dl0 (B, L)."""
    dc, dv, du, carry = np.empty_like(c), np.empty_like(c), np.zeros_like(u), np.zeros_like(l0)
    for t in reversed(range(len(l))):
        before = l[t - 1] if t > 0 else l0
        dz = (l[t] > 0) * (dh_l[t] + carry)
        dc[t] = g[t] * dz
        dv[t] = g[t] * (1 - g[t]) * (c[t] - u * before) * dz          # the gate lets in, and lets go
        du += ((1 - g[t]) * before * dz).sum(0)
        carry = (1 - g[t]) * u * dz
    return dc, dv, du, carry


def fails_late(xor):
    """xor with one number changed, within both bounds  ->  its nine arrays."""
    return {**xor, "u": np.array([0.99])}


def delayed_and():
    """A DuRNN whose long-term state ends at bit[m] AND bit[m-1]  ->  dict of its nine arrays."""
    return {
        "W_s": np.array([[2.0, 1.0], [0.0, 1.0]]),            # rows: bit, marker
        "U_s": np.array([[0.0, 0.5], [0.0, 0.0]]),
        "b_s": np.array([0.0, -2.0]),
        "W_g": np.zeros((2, 1)), "V_g": np.zeros((2, 1)), "b_g": np.zeros(1),
        "W_l": np.array([[0.0], [2.0]]), "b_l": np.zeros(1),
        "u": np.ones(1),
    }


def _lets_in_only(dh_l, g, c, u, l0, l):
    dc, _, du, dl0 = forgetting_backward(dh_l, g, c, u, l0, l)
    return dc, dc * c * (1 - g), du, dl0


def _carries_all(dh_l, g, c, u, l0, l):
    dz, _, dl0 = diagonal_scan_backward(dh_l, l, u, l0, "relu")
    before = np.concatenate([l0[None], l[:-1]])
    return g * dz, g * (1 - g) * (c - u * before) * dz, ((1 - g) * before * dz).sum((0, 1)), dl0


def _and(**changed):
    return lambda: _xor(**changed)(delayed_and())


def _xor(**changed):
    return lambda xor: {**xor, **{name: np.array(value) for name, value in changed.items()}}


CHECKS = {"07.1": check_1, "07.2": check_2, "07.3": check_3, "07.4": check_4, "07.5": check_5}
REFERENCE = {"07.1": "b", "07.2": forgetting_backward, "07.3": fails_late, "07.4": delayed_and, "07.5": "c"}
WRONG = {
    "07.1": ["a", "c", "d", "(C)"],
    "07.2": [_lets_in_only, _carries_all, lambda *given: (*forgetting_backward(*given)[:3], given[4])],
    "07.3": [_xor(), _xor(u=[0.9]), _xor(u=[1.1]), _xor(b_l=[1e-6]), _xor(u=[0.99], b_l=[0.01])],
    "07.4": [
        _and(W_l=[[0.0], [1.0]]), _and(u=[0.99]), _and(b_s=[0.0, -1.0]), _and(b_l=[1e-12]), delayed_xor,
        _and(W_s=[[1.0, 1.0], [0.0, 1.0]], U_s=[[0.0, 1.0], [0.0, 0.0]]),                 # ‖U_s‖₂ is 1
        _and(W_g=[[0.0], [80.0]], b_g=[-40.0], W_l=[[1e-9], [1.0]]),                      # a sigmoid at ±40
    ],
    "07.5": ["a", "b", "B"],
}
ILL_TYPED = {
    "07.1": [None, 3, "all", ["b"]],
    "07.2": [
        None, lambda *given: None, lambda dh_l, *rest: dh_l, lambda *given: ("dc", "dv", "du", "dl0"),
        lambda dh_l: dh_l, lambda *given: tuple(np.zeros(2) for _ in range(4)),
    ],
    "07.3": [None, lambda xor: None, lambda xor: (xor["u"].fill(0.99), xor)[1], lambda xor: {"u": 0.99}, _xor(u=0.99)],
    "07.4": [
        None, {}, lambda: None, lambda: 1, lambda: {"u": np.ones(1)}, lambda: 1 / 0, lambda xor: xor,
        _and(W_l=[0.0, 0.0]), _and(W_s="ones"), _and(u=[np.nan]), lambda: {**delayed_and(), "b_s": None},
    ],
    "07.5": [None, 100, "100 times", True],
}
