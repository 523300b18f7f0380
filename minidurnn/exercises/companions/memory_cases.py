"""Small cases of lesson 19: one unit with taps set by hand, and sequences that ask for a number."""

import numpy as np

from ...arrays.trees import map_leaves
from ...cells import FSMN
from ...networks import Attention

WORDS = {"a5": (1, 0, 0, 5), "b7": (0, 1, 0, 7), "a7": (1, 0, 0, 7), "b5": (0, 1, 0, 5),
         "a?": (1, 0, 1, 0), "b?": (0, 1, 1, 0)}              # is it a, is it b, is it a question, the number
TEXTS = ("a5 b7 a?", "a5 b7 b?", "a7 b5 a?", "a7 b5 b?")
WANTED = np.array([5.0, 7, 7, 5])


def one_unit(past, future, bias=0.0):
    """Taps on the present and the past, taps on the future  ->  an FSMN of one unit with h = x + bias, its p."""
    layer = FSMN(1, 1, past=len(past) - 1, future=len(future), activation="identity")
    p = {"W": np.ones((1, 1)), "b": np.array([bias]), "alpha": _column(past), "beta": _column(future)}
    return layer, p


def steps(*values):
    """One number for each step  ->  (T, 1, 1): one sequence, one unit."""
    return _column(values)[:, None]


def _column(values):
    return np.array(values, float).reshape(-1, 1)


def print_slopes(dx, dp):
    """The gradients of a layer of one unit, dx and those on all its parameters, in a line."""
    slopes = {"x": dx, **dp}
    print("  ".join(f"d{name}: {slope.ravel()}" for name, slope in slopes.items()))


def random_taps(rng):
    """Taps on the present and two steps back at a random start  ->  an FSMN of 2 units with h = xW + b, its p."""
    layer = FSMN(2, 2, past=2, activation="identity")
    return layer, map_leaves(np.float64, layer.init(rng))


def change_by_swap(layer, p, x):
    """Steps x (3, D) of one sequence, and the same with steps 1 and 2 exchanged  ->  how far y moves (3,), at most."""
    y, _ = layer.forward(p, x[:, None])
    swapped, _ = layer.forward(p, x[[1, 0, 2], None])
    return abs(swapped - y)[:, 0].max(axis=1)


def slopes_on_both(layer, rng):
    """An FSMN at a random start, 9 steps of 2 sequences, random slopes on h and on m.

    returns  p, h (9, 2, H), direct (9, 2, H) on h, dm (9, 2, H), dx (9, 2, D), dp like p: the layer's own backward
    """
    p = map_leaves(np.float64, layer.init(rng))
    x, dm = (rng.standard_normal((9, 2, size)) for size in (layer.inputs, layer.units))
    direct = np.random.default_rng(1).standard_normal(dm.shape)
    y, tape = layer.forward(p, x)
    dx, _, dp = layer.backward(np.concatenate([direct, dm], axis=2), tape)
    return p, y[..., :layer.units], direct, dm, dx, dp


def slopes_on_attention(rng):
    """Attention of one head without positions, W_o = 1, at a random point: one sequence of 6 steps of width 4.

    returns  p, x (6, 4), y (6, 4), dy (6, 4), dp like p: the layer's own forward and backward
    """
    layer = Attention(4, heads=1, rotary=False)
    p = {name: rng.standard_normal((4, 4)) for name in ("W_q", "W_k", "W_v")}
    p["W_o"] = np.eye(4)
    x, dy = rng.standard_normal((2, 6, 4))
    y, tape = layer.forward(p, x[:, None])
    _, _, dp = layer.backward(dy[:, None], tape)
    return p, x, y[:, 0], dy, dp


def largest_weights(d, rng):
    """Random queries, each with 10 random keys of d entries, of mean 0 and variance 1.

    returns  the typical size of a product; the mean largest softmax weight of the products, and of products / sqrt(d)
    """
    queries = rng.standard_normal((1000, 1, d))
    products = (queries * rng.standard_normal((1000, 10, d))).sum(2)          # (1000, 10)
    largest = []
    for scores in (products, products / np.sqrt(d)):
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        largest.append((weights.max(axis=1) / weights.sum(axis=1)).mean())
    return products.std(), *largest


def slope_on_last_step(y, rng):
    """Outputs y (T, B, H)  ->  dy like y: random on the last step, 0 on all others."""
    dy = np.zeros_like(y)
    dy[-1] = rng.standard_normal(y[-1].shape)
    return dy


def size_by_lag(dx):
    """A gradient dx (T, B, D)  ->  its root mean square at lag 0, 1, 2, ... (T,), NaN where it is exactly 0."""
    size = np.sqrt((dx[::-1] ** 2).mean((1, 2)))
    return np.where(size > 0, size, np.nan)


def diagonals(**rows):
    """A row of numbers for each name  ->  {name: the matrix with this diagonal}."""
    return {name: np.diag(np.array(row, float)) for name, row in rows.items()}


def ask_one():
    """The four sequences of TEXTS  ->  x (3, 4, 4): 3 steps, 4 sequences, 4 numbers for each step."""
    x = np.array([[WORDS[word] for word in text.split()] for text in TEXTS], float)
    return x.swapaxes(0, 1)


def ask_both(number_a, number_b):
    """The number at the letter a, the number at b  ->  x (3, 1, 4): the steps a, b and ? of one sequence."""
    x = np.eye(4)[:3, None]                                   # is it a, is it b, is it a question, the number
    x[:2, 0, 3] = number_a, number_b
    return x


def best_readout(h, wanted):
    """Features (sequences, F), numbers (sequences,)  ->  a linear read-out's answers of the least squared error."""
    return h @ np.linalg.pinv(h) @ wanted
