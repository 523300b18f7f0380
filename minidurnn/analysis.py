"""Where the gradient goes: vector-Jacobian products through time, Jacobians, their norms by lag, and time scales.

Every gradient comes from the models' own backward, one step at a time.
Steps    as in the equations: the state of step t is what step t leaves behind, t = 1..T; step 0 is the state that the
         sequence starts from; x_t is x[t - 1] of the array. The lag is k = T - t.
Order    row convention: entry (i, j) of a Jacobian is d of_j / d wrt_i; dh_T/dh_t = ∏ ∂h_k/∂h_{k-1}, k = t+1..T from
         left to right.
"""

from dataclasses import replace
from itertools import chain, islice, repeat
from math import inf, log

import numpy as np

from .arrays.backend import namespace, to_numpy
from .arrays.checks import check_array, check_positive, one_of
from .cells.constraints import spectral_norm
from .cells.contract import check_model
from .networks.chunked import Chunked


def gradients_by_step(model, p, x, cotangent, state=None, on="state"):
    """The gradient of ⟨cotangent, last state⟩ or ⟨cotangent, last output⟩ at every step.

    on         "state": cotangent (B, state_size); "output": cotangent (B, outputs)
    returns    dstate (T+1, B, state_size): dstate[t] is the total gradient that step t + 1 hands back to the state of
               step t, dstate[T] the cotangent itself (0 for an output); dx (T, B, inputs): dx[t - 1] on x_t
    """
    xp, walk = _walk(model, p, x, state)
    one_of(("state", "output"))("on", on)
    check_array("cotangent", cotangent, (x.shape[1], model.state_size if on == "state" else model.outputs), x)
    last, dh = (cotangent, None) if on == "state" else (None, cotangent[None])
    dstates, dxs = zip(*_walk_back(model, walk, last, dh))
    return xp.stack([*dstates[::-1], xp.zeros_like(dstates[0]) if last is None else last]), xp.concatenate(dxs[::-1])


def loss_gradients_by_step(network, p, x, target, state=None):
    """The gradient of a network's loss at every step  ->  dstate (T+1, B, state_size) as above, dstate[T] = 0."""
    _, _, tape = replace(network, body=Chunked(network.body, 1, keep="boundaries")).loss(p, x, target, state)
    dstates = [dstate for dstate, _ in _walk_back(tape.stretch, tape.walk)]
    return namespace(x).stack([*dstates[::-1], namespace(x).zeros_like(dstates[0])])


def jacobian(model, p, x, step, state=None, of="state", wrt="state"):
    """d of_T / d wrt_t, from the state after step T back to `step` = t.

    of, wrt    "state", a part of it named in state_slices ("short", "long"), or a slice; wrt also "x". The rest of the
               state of step t is held: for DuRNN's dl_T/ds_t with l_t following s_t add
               selection_jacobian(tape, t) @ dl_T/dl_t
    returns    (B, size of wrt, size of `of`)
    """
    if not (wrt == "x") <= step <= len(x):
        raise ValueError(
            f"step is {step}: expected 0 (the state before the first step; 1 for wrt=\"x\") to {len(x)}, the length "
            f"of x."
        )
    return next(islice(_jacobians(model, p, x, state, of, wrt), len(x) - step, None))


def step_jacobians(model, p, x, state=None):
    """∂h_t/∂h_{t-1} of the whole state over one step, for t = 1..T  ->  (T, B, state_size, state_size)."""
    xp, walk = _walk(model, p, x, state)
    return xp.stack([jacobian(model, p, x_t, 0, before) for x_t, before in zip(walk.inputs, walk.kept)])


def gradient_norm_by_lag(model, p, x, state=None, of="state", wrt="state", norm="frobenius", rng=None, draws=16):
    """‖d of_T / d wrt_{T-k}‖ for every lag k and sequence, exactly or from random cotangents.

    of, wrt    as in jacobian                         norm   "frobenius" or "spectral"
    rng        None: exact, the batch copied for each of the n entries of `of`. A generator (Frobenius only): the root
               of n · mean ‖J c‖² over `draws` random unit cotangents c per sequence. E‖J c‖² = ‖J‖_F² / n, so the
               square is unbiased; its relative standard error is below sqrt(2 / draws).
    returns    (T+1, B), or (T, B) for x, whose lag 0 is x_T
    """
    one_of(("frobenius", "spectral") if rng is None else ("frobenius",))("norm", norm)
    check_positive(draws=draws)
    return namespace(x).stack([_norm(J, norm) for J in _jacobians(model, p, x, state, of, wrt, rng, draws)])


def state_slices(model):
    """Where the parts of a state lie: "state", with "short" and "long" for a DuRNN, "0", "1", "1/long" for a Chain."""
    return {"state": slice(0, model.state_size), **model.state_slices}


def spectral_radius(U):
    """The largest |eigenvalue| of U (H, H)  ->  float, at most ‖U‖₂. Computed on the CPU."""
    return float(np.abs(np.linalg.eigvals(to_numpy(U).astype("float64"))).max())


def memory_length(u, T, tolerance=0.01):
    """Steps until a unit's contribution to the gradient has fallen to `tolerance`.

    Model    |dh_t/dh_{t-k}| = |u|**k, relu while active (lesson 05; Li et al. 2018, equation 4)
    u        (H,) or one number, recurrent weights        T   sequence length, in steps
    returns  like u: the real k with |u|**k = tolerance, capped at T (always T for |u| ≥ 1)
    """
    if not 0 < tolerance < 1:
        raise ValueError(f"tolerance is {tolerance!r}: expected a number between 0 and 1, both excluded.")
    u = np.asarray(u, float) if isinstance(u, (int, float)) else u
    xp = namespace(u)
    with np.errstate(divide="ignore"):                        # u = 0 forgets at once, |u| ≥ 1 never
        return xp.minimum(abs(log(tolerance) / xp.log(xp.minimum(abs(u), 1))), T)


def decay(norms):
    """How exponentially norms by lag fall: the straight line through their logarithms.    Lesson 17.

    norms    (K,) of lags 1..K, none of them 0, or (K, H): of H units
    returns  slope, the mean change of log(norm) from one lag to the next, and R², the share of the variance of the
             logarithms that the line explains (1: exponential; 1 too where they do not change), each a float or (H,)
    """
    norms = np.asarray(norms, float)
    if len(norms) < 3 or not ((norms > 0) & (norms < inf)).all():
        raise ValueError(f"norms are {len(norms)} by lag, from {norms.min()} to {norms.max()}: expected at least 3, "
                         f"all of them finite and above 0.")
    logs = np.log(norms)
    lag = np.arange(len(logs)) - (len(logs) - 1) / 2.0
    centred = logs - logs.mean(0)
    slope = lag @ centred / (lag @ lag)
    all_of_it, left = (centred**2).sum(0), ((centred - np.multiply.outer(lag, slope)) ** 2).sum(0)
    share = 1.0 - left / np.where(all_of_it > 0, all_of_it, 1.0)
    return (float(slope), float(share)) if logs.ndim == 1 else (slope, share)


def time_scale(kept):
    """Steps in which the product of the shares that a state keeps falls to 1/e: -1 / mean log f.    Lesson 17.

    kept     (T, B, H), every forget gate of a sequence: cell.kept(tape)
    returns  (H,), infinite where all are 1, 0 where one is 0
    """
    xp = namespace(kept)
    with np.errstate(divide="ignore"):
        return 1.0 / abs(xp.log(kept).mean((0, 1)))


def half_life(u):
    """Steps k until |u|**k = ½, infinite for |u| ≥ 1; u (H,) or one number."""
    return memory_length(u, inf, 0.5)


def bound_for(horizon, tolerance):
    """The bound ρ = tolerance^(1/horizon) under which nothing above `tolerance` is left after `horizon` steps."""
    if not (horizon > 0 and 0 < tolerance < 1):
        raise ValueError(
            f"horizon, tolerance are {horizon!r}, {tolerance!r}: expected steps above 0 and a number between 0 and 1, "
            f"both excluded."
        )
    return float(tolerance) ** (1.0 / horizon)


def smear_bound(c, rho, u_max, lag, form="sum"):
    """The bound on ‖dl_T/ds_t‖₂, the long memory of a short-term state, T - t = lag.    Lesson 08.

    c, rho, u_max   selection_strength(tape), the bound on ‖U_s‖₂, max |u|
    form            "sum": c Σ_{j=0..lag} rho^j u_max^(lag-j); "closed", no smaller: c u_max^lag / (1 - rho/u_max)
                    for rho < u_max, c (lag + 1) rho^lag for rho ≥ u_max
    """
    one_of(("sum", "closed"))("form", form)
    c, rho, u_max = float(c), float(rho), float(u_max)
    if min(c, rho, u_max, lag) < 0:
        raise ValueError(f"c, rho, u_max, lag are {c}, {rho}, {u_max}, {lag}: expected norms and a lag, none below 0.")
    if form == "sum":
        return c * sum(rho**j * u_max ** (lag - j) for j in range(lag + 1))
    return c * u_max**lag / (1 - rho / u_max) if rho < u_max else c * (lag + 1) * rho**lag


def selection_jacobian(tape, step):
    """∂l_k/∂s_k of a DuRNN's tape at step k  ->  (B, S, L).

    Model    (W_l diag(g_k) + W_g diag(c_k ⊙ g_k ⊙ (1 - g_k))) diag(relu'_k), without W_g where the gates do not hear s;
             W_l diag(relu'_k) without gates; (diag(g_k) + W_g diag(s_k ⊙ g_k ⊙ (1 - g_k))) W_l diag(relu'_k) where they
             stand before W_l
    """
    if not 1 <= step <= len(tape.l):
        raise ValueError(f"step is {step}: expected 1 to {len(tape.l)}, the steps on this tape.")
    W_l, W_g, l = tape.p["W_l"], tape.p.get("W_g"), tape.l[step - 1][:, None]        # l, g, c: (B, 1, ·)
    if tape.g is None:
        return W_l * (l > 0)
    g, c = tape.g[step - 1][:, None], tape.c[step - 1][:, None]
    moved = 0 if W_g is None else W_g * (c * g * (1 - g))     # through the gates
    before = tape.c is tape.s
    through = (namespace(g).eye(g.shape[-1], dtype=g.dtype) * g + moved) @ W_l if before else W_l * g + moved
    return through * (l > 0)


def selection_strength(tape):
    """max_k ‖∂l_k/∂s_k‖₂ along each sequence of a DuRNN's tape  ->  (B,)."""
    norms = [_norm(selection_jacobian(tape, step), "spectral") for step in range(1, len(tape.l) + 1)]
    return namespace(tape.l).stack(norms).max(0)


def selection_bound(tape):
    """‖W_l‖₂ + ¼ ‖W_g‖₂ max_k |s_k W_l + b_l|, at least selection_strength(tape)  ->  (B,).

    ‖W_l‖₂ (1 + ¼ ‖W_g‖₂ max_k |s_k|) where the gates stand before W_l; ‖W_l‖₂ where they do not hear s.
    """
    W_l, W_g = spectral_norm(tape.p["W_l"]), spectral_norm(tape.p["W_g"]) if "W_g" in tape.p else 0.0
    moved = W_g / 4 * abs(tape.c).max((0, 2))
    return W_l * (1 + moved) if tape.c is tape.s else W_l + moved


def _walk(model, p, x, state):
    check_model("model", model)
    return namespace(x), Chunked(model, 1, keep="boundaries").forward(p, x, state)[1].walk


def _walk_back(model, walk, dstate=None, dh=None, copies=1):
    """Back through single steps, t = T..1, with the batch copied: yield the gradients on state t - 1 and on x_t."""
    direct = chain([dh], repeat(None))                        # dh is on step T alone
    for x, before, dh_t in zip(reversed(walk.inputs), reversed(walk.kept), direct):
        if copies > 1:
            x, before = (None if array is None else namespace(array).tile(array, (copies, 1)) for array in (x, before))
        _, tape = model.forward(walk.p, x, before)
        dx, dstate, _ = model.backward(dh_t, tape, dstate)
        yield dstate, dx


def _jacobians(model, p, x, state, of, wrt, rng=None, draws=None):
    """Yield J (B, size of wrt, n), from lag 0 on; with an rng J C, of n = draws random columns with E C Cᵀ = I."""
    (xp, walk), B, place = _walk(model, p, x, state), x.shape[1], slice(None) if wrt == "x" else _slice(model, wrt)
    entries = np.eye(model.state_size)[_slice(model, of)]     # (size of `of`, state_size)
    c = np.eye(len(entries))[:, None].repeat(B, 1) if rng is None else rng.standard_normal((draws, B, len(entries)))
    c = c * (len(entries) / len(c) / (c * c).sum(-1, keepdims=True)) ** 0.5        # unit cotangents stay as they are
    C = xp.asarray((c @ entries).reshape(-1, model.state_size), x.dtype)
    steps = _walk_back(model, walk, C, copies=len(c))
    for gradient in (dx[0] for _, dx in steps) if wrt == "x" else chain([C], (dstate for dstate, _ in steps)):
        yield gradient.reshape(-1, B, gradient.shape[-1])[..., place].transpose(1, 2, 0)


def _slice(model, part):
    if not isinstance(part, slice):
        one_of(tuple(state_slices(model)))("the part of the state", part)
        part = state_slices(model)[part]
    if not range(model.state_size)[part]:
        raise ValueError(f"{part} holds nothing of a state of {model.state_size} numbers: expected at least one.")
    return part


def _norm(J, norm):
    """‖J‖ of J (B, m, n)  ->  (B,). Scaled by the largest entry: the square of a small number would be 0."""
    xp = namespace(J)
    size = abs(J).max((1, 2))
    J = J / xp.where(size > 0, size, 1)[:, None, None]
    squares = (J * J).sum((1, 2)) if norm == "frobenius" else xp.linalg.eigvalsh(J.transpose(0, 2, 1) @ J)[:, -1]
    return size * xp.sqrt(squares)
