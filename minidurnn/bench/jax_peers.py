"""JAX's side: the cells as lax.scan under jax.jit, with everything that does not recur outside the loop. Needs JAX."""

from contextlib import nullcontext

import jax
import jax.numpy as jnp
from jax import lax


def prepare(cell, p, x):
    """step() -> loss, gradients by name."""
    run = SCANS[cell]

    def loss(given):
        h, last = run(**given)
        return (last * last).sum() + h.mean()

    precise = x.dtype == "float64"
    with wide(precise):
        given = {name: jnp.asarray(array) for name, array in {**p, "x": x}.items()}
        gradient = jax.jit(jax.value_and_grad(loss))

    def step():
        with wide(precise):
            return jax.block_until_ready(gradient(given))

    return step


def wide(precise):
    """JAX computes in float64 only where it is asked to."""
    if not precise:
        return nullcontext()
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax import experimental

    return experimental.enable_x64()                          # its place in older versions


def rnn(x, W, U, b):
    def one(h, a):
        h = jnp.tanh(a + h @ U)
        return h, h

    last, h = lax.scan(one, jnp.zeros((x.shape[1], len(U)), x.dtype), x @ W + b)
    return h, last


def independent(a, u):
    def one(h, a):
        h = jax.nn.relu(a + u * h)
        return h, h

    last, h = lax.scan(one, jnp.zeros(a.shape[1:], a.dtype), a)
    return h, last


def indrnn(x, W, u, b):
    return independent(x @ W + b, u)


def durnn(x, W_s, U_s, b_s, W_g, V_g, b_g, W_l, b_l, u):
    def one(s, a):
        s = jax.nn.relu(a + s @ U_s)
        return s, s

    last_s, s = lax.scan(one, jnp.zeros((x.shape[1], len(U_s)), x.dtype), x @ W_s + b_s)
    g = jax.nn.sigmoid(s @ W_g + x @ V_g + b_g)
    l, last_l = independent(g * (s @ W_l + b_l), u)
    return jnp.concatenate([s, l], -1), jnp.concatenate([last_s, last_l], -1)


def lstm(x, W, U, b):
    def one(state, a):
        h, c = state
        i, f, z, o = jnp.split(a + h @ U, 4, -1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    zeros = jnp.zeros((x.shape[1], len(U)), x.dtype)
    last, h = lax.scan(one, (zeros, zeros), x @ W + b)
    return h, jnp.concatenate(last, -1)


def gru(x, W, U, b, c):
    def one(h, a):
        (r, z, n), (r_h, z_h, n_h) = jnp.split(a, 3, -1), jnp.split(h @ U, 3, -1)
        r, z = jax.nn.sigmoid(r + r_h), jax.nn.sigmoid(z + z_h)
        h = (1 - z) * jnp.tanh(n + r * (n_h + c)) + z * h
        return h, h

    last, h = lax.scan(one, jnp.zeros((x.shape[1], len(U)), x.dtype), x @ W + b)
    return h, last


SCANS = {"rnn": rnn, "indrnn": indrnn, "durnn": durnn, "lstm": lstm, "gru": gru}
