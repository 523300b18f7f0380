"""The checkers of lesson 08, where the gradient goes."""

import ast
import inspect
import textwrap

import numpy as np

from ..analysis import jacobian, selection_jacobian, selection_strength, smear_bound
from ..cells import DuRNN
from ..gradcheck import random_leaves
from . import UNTOUCHED, called, choose, fail, judge, numbers


def check_1(answer):
    """Which derivative is 0 where all gates are shut at the steps 20 to 60."""
    choose("08.1", answer, "b", {
        "a": "a path can stay on the short-term row until step 60 and cross after it; it need not be 0.",
        "b": "",
        "c": "a path from l_30 to l_100 stays on the long-term row and meets no gate.",
        "d": "a path from s_30 to s_50 stays on the short-term row and meets no gate.",
    })


def check_2(attempt):
    """dl_T/ds_t for every t, against products of the whole state's matrices."""
    rng = np.random.default_rng(2)
    cases = [_pieces(rng, T, S, L) for T, S, L in ((6, 4, 3), (2, 3, 5), (1, 2, 3))]
    mistakes = {
        "l_t is held here: the path that crosses at once is missing": _held,
        "one factor keep too many: a path that crosses at step k meets keep of the steps k+1 to T": _one_step_late,
        "A of the wrong step: A[k-1] leads from s_(k-1) to s_k": _same_step,
        "A is transposed: with rows, the earlier step stands on the left": _columns,
    }
    judge("08.2", attempt, _by_blocks, cases, ("dl_T/ds_t",), mistakes=mistakes)


def check_3(attempt):
    """Σ_j ρ^j ū^(lag-j) as a formula, against the loop; equal numbers separately."""
    cases = [(0.9, 1.01, 5), (0.9, 0.5, 7), (0.3, 0.8, 0), (0.95, 0.95, 4), (1.0, 1.0, 100)]
    answers = [_sum_of("08.3", attempt, case) for case in cases]
    if any(answer is ... for answer in answers):
        print(f"exercise 08.3: {UNTOUCHED}")
        return
    for case, answer in zip(cases, answers):
        right, lag = _smear_loop(*case), case[2]
        if not np.isclose(answer, right, rtol=1e-9):
            known = {"both exponents must be lag + 1": _smear_loop(*case[:2], lag - 1)}
            known["there are lag + 1 terms, not lag"] = lag * case[0] ** lag
            why = next((f" ({said})" for said, one in known.items() if np.isclose(answer, one) and lag), "")
            said = "rho = {}, u_max = {}, lag = {}".format(*case)
            fail("08.3", f"for {said} the sum is {answer:.6g}, expected {right:.6g}{why}.")
    if loop := _loop_in(attempt):
        fail("08.3", f"the numbers are right, but your function adds up the terms ({loop}): find a formula.")
    print("exercise 08.3: correct")


def check_4(attempt):
    """20 inputs under which dl_20/ds_1 is zero although the bound on it is not."""
    if (x := called("08.4", attempt, ())) is ...:
        print(f"exercise 08.4: {UNTOUCHED}")
        return
    x = numbers("08.4", "your list of inputs", x, (20,)).astype(float)
    if not np.isfinite(x).all():
        fail("08.4", "your list of inputs holds nan or inf, expected 20 finite numbers.")
    cell, weights = DuRNN(1, 1, 1, horizon=20), {"W_s": 1, "U_s": 0.9, "W_l": 1, "b_l": -1, "u": 1}
    p = {name: np.full(shape, float(weights.get(name, 0))) for name, shape in cell.shapes.items()}
    x = x[:, None, None]
    tape = cell.forward(p, x)[1]
    if not tape.l[0, 0, 0] > 0:
        fail("08.4", f"l_1 is {tape.l[0, 0, 0]:.4g}, expected a number above 0: s_1 must be above 1.")
    at_once = (selection_jacobian(tape, 1) @ jacobian(cell, p, x, 1, of="long", wrt="long")).item()
    later = jacobian(cell, p, x, 1, of="long", wrt="short").item()
    if at_once + later != 0:
        paths = [said for said, part in (("the crossing at step 1", at_once), ("a later crossing", later)) if part]
        limit = smear_bound(selection_strength(tape)[0], 0.9, 1, 19)
        said = f"dl_20/ds_1 is {at_once + later:.4g} (the bound is {limit:.2g}), expected 0"
        fail("08.4", f"{said}; still open: {' and '.join(paths)}.")
    print("exercise 08.4: correct")


def check_5(attempt):
    """The bound on χ that knows the largest gate; the steepest gate is found on a grid."""
    rng = np.random.default_rng(5)
    for g_max in (0.03, 0.4, 0.5, 0.8, 1.0):
        case = (*rng.uniform(0.5, 3.0, 3).round(2).tolist(), g_max)
        if (answer := called("08.5", attempt, case)) is ...:
            print(f"exercise 08.5: {UNTOUCHED}")
            return
        answer, tight = float(numbers("08.5", "the bound", answer, ())), _strength_by_grid(*case)
        said = "norm_l = {}, norm_g = {}, c_max = {}, g_max = {}".format(*case)
        if not answer > tight * (1 - 1e-6):
            fail("08.5", f"for {said} your number is {answer:.4g}, no bound: gates up to g_max allow {tight:.4g}.")
        if answer > tight * (1 + 1e-6):
            fail("08.5", f"for {said} your bound {answer:.4g} is valid, but not tight: {tight:.4g} holds too.")
    print("exercise 08.5: correct")


def random_case(seed):
    """A random DuRNN of 2 to 6 units in each part, within its constraints, run for 12 steps  ->  weights, tape."""
    rng = np.random.default_rng(seed)
    short, long = rng.integers(2, 7, 2).tolist()
    cell = DuRNN(2, short, long, horizon=20, bound=rng.uniform(0.3, 0.99), gate=rng.uniform(-2, 1))
    leaves = random_leaves(cell, rng, 12, 1)
    p = cell.project(leaves["p"])
    p = {**p, "u": rng.uniform(0.5, 1) * p["u"]}              # a smaller u: in some networks ρ ≥ ū
    return p, cell.forward(p, leaves["x"], leaves["state"])[1]


def _sum_of(exercise, attempt, case):
    """A student's sum for one case, a float; a division by zero gets its own sentence."""
    where = "rho = {}, u_max = {}, lag = {}".format(*case)
    try:
        with np.errstate(all="ignore"):
            answer = called(exercise, attempt, case, f" for {where}")
    except AssertionError as error:
        if not isinstance(error.__cause__, ZeroDivisionError):
            raise
        answer = np.nan
    if answer is ...:
        return ...
    answer = float(numbers(exercise, "the sum", answer, ()))
    if np.isnan(answer) and case[0] == case[1]:
        fail(exercise, f"for {where} your formula is 0 / 0, because rho equals u_max: treat this case separately.")
    return answer


def _loop_in(function):
    """What in a function's source runs over the terms, in words; "" if nothing does or no source is found."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return ""
    loops = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)
    names = {"sum", "arange", "linspace", "range", "cumsum", "polyval", "map", "reduce", "smear_sum", "smear_bound"}
    for node in ast.walk(tree):
        if isinstance(node, loops):
            return "a loop"
        called_name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if called_name in names:
            return f"{called_name}(...)"
    return ""


def _smear_loop(rho, u_max, lag):
    return sum(rho**j * u_max ** (lag - j) for j in range(lag + 1))


def _pieces(rng, T, S, L):
    return 0.4 * rng.standard_normal((T, S, S)), rng.standard_normal((T, S, L)), rng.uniform(0.6, 1.1, (T, L))


def _by_blocks(A, R, keep):
    """Through the state [s, l] as a whole, l_t held, and the path from s_t into l_t added."""
    T, S, L = R.shape
    J = np.empty_like(R)
    for t in range(T):
        whole = np.eye(S + L)
        for k in range(t + 1, T):
            whole = whole @ np.block([[A[k], A[k] @ R[k]], [np.zeros((L, S)), np.diag(keep[k])]])
        J[t] = whole[:S, S:] + R[t] @ whole[S:, S:]
    return J


def _strength_by_grid(norm_l, norm_g, c_max, g_max):
    gates = np.linspace(0, g_max, 100_001)
    return norm_l * gates.max() + norm_g * c_max * (gates * (1 - gates)).max()


# The reference solutions: the folded cells of the lesson hold the same text.

def mixed_paths(A, R, keep):
    """A (T, S, S), R (T, S, L), keep (T, L) as above  ->  dl_T/ds_t for t = 1..T, (T, S, L)."""
    J, kept = np.empty_like(R), np.ones_like(keep[0])
    for k in reversed(range(len(R))):
        J[k] = R[k] * kept                            # cross now, then along l
        if k + 1 < len(R):
            J[k] += A[k + 1] @ J[k + 1]               # or first one step along s
        kept = kept * keep[k]                         # the diagonal of dl_T/dl_{k-1}
    return J


def smear_sum(rho, u_max, lag):
    """Σ rho^j u_max^(lag-j) over j = 0..lag  ->  a number."""
    if rho == u_max:
        return (lag + 1) * rho**lag
    return (u_max ** (lag + 1) - rho ** (lag + 1)) / (u_max - rho)


def vanishing_inputs():
    """20 inputs that make dl_20/ds_1 zero although l_1 > 0  ->  a list or array of 20 numbers."""
    return [2.0] + [0.0] * 19


def strength_bound(norm_l, norm_g, c_max, g_max):
    """‖W_l‖₂, ‖W_g‖₂, the largest |c_k| and the largest gate of a sequence  ->  a bound on χ."""
    steepest = g_max * (1 - g_max) if g_max < 0.5 else 0.25
    return norm_l * g_max + norm_g * c_max * steepest


def _held(A, R, keep):
    kept = np.cumprod(np.concatenate([keep[1:], np.ones_like(keep[:1])])[::-1], axis=0)[::-1]      # (T, L)
    return mixed_paths(A, R, keep) - R * kept[:, None]


def _one_step_late(A, R, keep):
    J, kept = np.empty_like(R), np.ones_like(keep[0])
    for k in reversed(range(len(R))):
        kept = kept * keep[k]
        J[k] = R[k] * kept + (A[k + 1] @ J[k + 1] if k + 1 < len(R) else 0)
    return J


def _same_step(A, R, keep):
    return mixed_paths(np.roll(A, 1, axis=0), R, keep)


def _columns(A, R, keep):
    return mixed_paths(A.transpose(0, 2, 1), R, keep)


CHECKS = {"08.1": check_1, "08.2": check_2, "08.3": check_3, "08.4": check_4, "08.5": check_5}
REFERENCE = {"08.1": "b", "08.2": mixed_paths, "08.3": smear_sum, "08.4": vanishing_inputs, "08.5": strength_bound}
WRONG = {
    "08.1": ["a", "c", "d", "(D)"],
    "08.2": [_held, _one_step_late, _same_step, _columns],
    "08.3": [
        lambda rho, u_max, lag: (u_max ** (lag + 1) - rho ** (lag + 1)) / (u_max - rho),            # 0 / 0
        lambda rho, u_max, lag: (lag + 1) * rho**lag if rho == u_max else (u_max**lag - rho**lag) / (u_max - rho),
        lambda rho, u_max, lag: lag * rho**lag if rho == u_max else smear_sum(rho, u_max, lag), _smear_loop,
    ],
    "08.4": [
        lambda: [0.0] * 20, lambda: [2.0] * 20, lambda: [2.0] + [0.0] * 15 + [9.0] * 4, lambda: [99.0] + [-9.0] * 19,
    ],
    "08.5": [
        lambda norm_l, norm_g, c_max, g_max: norm_l + norm_g * c_max / 4,                           # valid, not tight
        lambda norm_l, norm_g, c_max, g_max: norm_l * g_max + norm_g * c_max * g_max * (1 - g_max),
        lambda norm_l, norm_g, c_max, g_max: norm_l * g_max + norm_g * c_max / 4,
    ],
}
ILL_TYPED = {
    "08.1": [None, 100, "100", ["b"]],
    "08.2": [None, lambda *given: None, lambda A, R, keep: R[0], lambda A, R, keep: R.fill(0) or R, lambda A: A],
    "08.3": [None, 1.0, lambda *given: None, lambda *given: "a sum", lambda *given: [1, 2], lambda rho: rho],
    "08.4": [None, lambda: None, lambda: 2.0, lambda: [2.0] * 19, lambda: ["2"] * 20, lambda: [np.nan] * 20],
    "08.5": [None, 3, lambda *given: None, lambda *given: "tight", lambda *given: np.ones(3), lambda norm_l: norm_l],
}
