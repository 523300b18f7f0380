"""The loop of a decoder that looks back at a source: attention, where wanted with a recurrent state per source word.

Shapes   N output steps, T source positions, B sentences; a (N, B, 3R), s (T, B, S), keys (T, B, A); r (B, R) the
         decoder's state; d (T, B, M) the memories, one for each source position, None without them.
Letters  p holds W_r (R, A), v (A,), "cell" (the decoder's GRU, whose last S rows of W read the context) and with
         memories W_d (M, A), "memory" (one GRU for all positions, W (2k+1, 3M)). d… is the loss's gradient on …
Source   Bahdanau, Cho, Bengio 2015. The memories are our reading of the abstract of Yang et al. 2016.
"""

from collections import namedtuple

import numpy as np

from ..arrays.affine import affine, affine_backward, rows, rows_back, rows_product
from ..arrays.backend import namespace
from .gru import gru_scan, gru_scan_backward

Source = namedtuple("Source", "s keys there")                 # there (T, B): which positions are words
State = namedtuple("State", "r d")
Look = namedtuple("Look", "before after inner weights context gates m window memory_gates memory_m")


def attention_step(a, state, source, p):
    """One output step from a (B, 3R)  ->  Look: State before and after, weights (T, B), context (B, S), the rest.

    e[j] = tanh(r W_r + keys[j] + d[j] W_d) · v,  weights = softmax of e over the words,  context = Σ weights[j] s[j],
    r = cell(a + context W_c, r),  d[j] = memory(weights[j-k..j+k], d[j]); beyond the sentence weights are 0
    """
    xp, (r, d), (s, keys, there) = namespace(a, source.s), state, source
    inner = keys + r @ p["W_r"]                               # (T, B, A)
    if d is not None:
        inner += rows(d, p["W_d"])
    xp.tanh(inner, out=inner)
    scores = xp.where(there, rows(inner, p["v"][:, None])[..., 0], inner.dtype.type(-np.inf))
    scores -= scores.max(0)
    weights = xp.exp(scores)
    weights /= weights.sum(0)
    context = (weights[..., None] * s).sum(0)
    a = a + context @ p["cell"]["W"][-s.shape[2]:]
    new, gates, m = gru_scan(a[None], p["cell"]["U"], p["cell"]["c"], r)
    if d is None:
        return Look(state, State(new[0], None), inner, weights, context, gates, m, None, None, None)
    memory, (T, B, M) = p["memory"], d.shape
    window = windows(weights, len(memory["W"]) // 2)          # (T, B, 2k+1)
    a_d = affine(window, memory["W"], memory["b"]).reshape(1, T * B, 3 * M)
    d_new, memory_gates, memory_m = gru_scan(a_d, memory["U"], memory["c"], d.reshape(T * B, M))
    after = State(new[0], d_new.reshape(T, B, M))
    return Look(state, after, inner, weights, context, gates, m, window, memory_gates, memory_m)


def attention_scan(a, state, source, p):
    """Every output step of a (N, B, 3R), from a State on  ->  list of N Looks."""
    looks = []
    for a_t in a:
        looks.append(attention_step(a_t, state, source, p))
        state = looks[-1].after
    return looks


def attention_scan_backward(dr, dcontext, looks, source, p):
    """The gradient on all that attention_scan is given  ->  da, State(dr0, dd0), ds, dkeys, dp.

    dr (N, B, R), dcontext (N, B, S) direct, on every r and context
    dp has the leaves of p that the loop reads; in "cell" the W_c (S, 3R) that reads the context is for the whole W
    """
    xp, s = namespace(dr, dcontext, source.s), source.s
    N, W_c, memory = len(looks), p["cell"]["W"][-s.shape[2]:], p.get("memory")
    ds, dkeys, back, dp = xp.zeros_like(s), xp.zeros_like(source.keys), xp.zeros_like(dr[0]), _zeros(xp, p)
    das, dqueries, dd = [None] * N, [None] * N, None if memory is None else xp.zeros_like(looks[0].before.d)
    for t in reversed(range(N)):
        look, dweights = looks[t], 0.0
        if memory is not None:
            dweights, dd = _memory_backward(dd, look, memory, dp["memory"])
        total = back + dr[t]
        da, dU, dc, back = gru_scan_backward(
            None, look.after.r[None], look.gates, look.m, p["cell"]["U"], look.before.r, carry=total)
        das[t] = da[0]
        dp["cell"]["U"] += dU
        dp["cell"]["c"] += dc
        dlook = dcontext[t] + rows_back(da[0], W_c)           # (B, S): the whole gradient at the context
        ds += look.weights[..., None] * dlook
        dweights = dweights + (s * dlook).sum(-1)
        de = look.weights * (dweights - (look.weights * dweights).sum(0))          # back through the softmax
        dp["v"] += rows_product(look.inner, de[..., None])[:, 0]
        dz = de[..., None] * p["v"] * (1.0 - look.inner * look.inner)              # (T, B, A)
        dkeys += dz
        dqueries[t] = dz.sum(0)
        back += rows_back(dqueries[t], p["W_r"])
        if memory is not None:
            dp["W_d"] += rows_product(look.before.d, dz)
            dd += rows_back(dz, p["W_d"])
    da = xp.stack(das)
    dp["W_r"] = rows_product(xp.stack([look.before.r for look in looks]), xp.stack(dqueries))
    dp["cell"]["W_c"] = rows_product(xp.stack([look.context for look in looks]), da)
    return da, State(back, dd), ds, dkeys, dp


def _memory_backward(dd, look, memory, dmemory):
    """Back through the memories of one step: dd (T, B, M) on those after it  ->  dweights (T, B), dd on those before.

    Its parameters' gradients are added to dmemory.
    """
    (T, B, M), before = dd.shape, look.before.d
    da, dU, dc, dd = gru_scan_backward(
        None, look.after.d.reshape(1, T * B, M), look.memory_gates, look.memory_m, memory["U"],
        before.reshape(T * B, M), carry=dd.reshape(T * B, M))
    dwindow, dW, db = affine_backward(da.reshape(T, B, 3 * M), look.window, memory["W"])
    for name, part in (("W", dW), ("b", db), ("U", dU), ("c", dc)):
        dmemory[name] += part
    return windows_back(dwindow), dd.reshape(T, B, M)


def windows(weights, k):
    """Every position's weights with those of its neighbours, weights[j-k..j+k], 0 outside: (T, B)  ->  (T, B, 2k+1)."""
    xp, (T, B) = namespace(weights), weights.shape
    padded = xp.zeros((T + 2 * k, B), weights.dtype)
    padded[k:k + T] = weights
    return xp.stack([padded[first:first + T] for first in range(2 * k + 1)], axis=-1)


def windows_back(dwindow):
    """The gradient on the weights of `windows`: (T, B, 2k+1)  ->  (T, B)."""
    T, B, width = dwindow.shape
    padded = namespace(dwindow).zeros((T + width - 1, B), dwindow.dtype)
    for first in range(width):
        padded[first:first + T] += dwindow[..., first]
    return padded[width // 2:width // 2 + T]


def _zeros(xp, p):
    """Zeros for the gradients that are summed over the steps."""
    zero = {"cell": {name: xp.zeros_like(p["cell"][name]) for name in ("U", "c")}, "v": xp.zeros_like(p["v"])}
    if "memory" in p:
        zero["W_d"] = xp.zeros_like(p["W_d"])
        zero["memory"] = {name: xp.zeros_like(leaf) for name, leaf in p["memory"].items()}
    return zero
