"""Optimisers and what belongs to an update: clipping by the global norm, schedules. All pure, new state from old."""

from dataclasses import dataclass
from functools import cache, reduce

import numpy as np

from .arrays.backend import namespace
from .arrays.checks import at_least, check_options, number
from .arrays.together import together
from .arrays.trees import leaves, map_leaves, merge

POSITIVE = number("a finite number above 0", lambda value: value > 0)
FACTOR = number("a number above 0 and of at most 1", lambda value: 0 < value <= 1)
SHARE = number("a number of at least 0 and below 1", lambda value: 0 <= value < 1)


@dataclass(frozen=True)
class SGD:
    """Gradient descent with momentum: m ← μ m + dp, p ← p - rate · m.

    weight_decay   as in Adam
    """

    rate: float = 0.01
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self):
        check_options(self, rate=POSITIVE, momentum=SHARE, weight_decay=SHARE)

    def start(self, p):
        """The state before the first update."""
        return {"m": map_leaves(zeros_like, p)}

    def update(self, p, dp, state, scale=1.0, decayed=None):
        """One update at scale · rate; weight decay touches the paths in `decayed`, network.decayed  ->  p, state."""
        rate, momentum = float(self.rate * scale), float(self.momentum)

        def moved(d, m, a):
            m = momentum * m
            m += d
            return like(a, m, a - rate * m)

        dp = with_decay(dp, p, float(self.weight_decay), decayed)
        rows, back = together(dp, state["m"], p)
        moved_rows = [moved(*row) for row in rows]
        m, moved_p = (back([row[place] for row in moved_rows]) for place in range(2))
        return merge(p, moved_p), {"m": m}


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction (Kingma, Ba 2015): p ← p - rate · m̂ / (sqrt(v̂) + epsilon).

    weight_decay   adds so much of p to the gradient of the leaves whose paths `update` is given: network.decayed names
                   its matrices; recurrent vectors u, biases, scales and shifts are spared, as in Li et al. 2019,
                   section 5.1
    An entry of the gradient beyond 2**63 (2**511 in float64) counts as that much, for v has to hold its square.
    """

    rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self):
        check_options(self, rate=POSITIVE, beta1=SHARE, beta2=SHARE, epsilon=POSITIVE, weight_decay=SHARE)

    def start(self, p):
        """The state before the first update."""
        zeros = map_leaves(zeros_like, p)
        return {"m": zeros, "v": zeros, "updates": 0}

    def update(self, p, dp, state, scale=1.0, decayed=None):
        """One update at scale · rate; weight decay touches the paths in `decayed`, network.decayed  ->  p, state."""
        updates, beta1, beta2 = state["updates"] + 1, float(self.beta1), float(self.beta2)
        root = (1 - beta2**updates) ** 0.5
        rate = float(self.rate * scale * root / (1 - beta1**updates))
        epsilon = float(self.epsilon * root)                  # so that v̂'s own root meets epsilon

        def moved(d, m, v, a):
            xp = namespace(d)
            d = squarable(xp, d)                              # its own from here on
            m = m * beta1
            m += d * (1 - beta1)
            d *= d
            d *= 1 - beta2
            v = v * beta2
            v += d
            spread = xp.sqrt(v)
            spread += epsilon
            step = m * rate
            step /= spread
            return like(a, m, v, a - step)

        dp = with_decay(dp, p, float(self.weight_decay), decayed)
        rows, back = together(dp, state["m"], state["v"], p)
        moved_rows = [moved(*row) for row in rows]
        m, v, moved_p = (back([row[place] for row in moved_rows]) for place in range(3))
        return merge(p, moved_p), {"m": m, "v": v, "updates": updates}


def zeros_like(leaf):
    """Zeros in the form of a leaf, whatever it holds: 0 · ∞ is not a number."""
    return namespace(leaf).zeros_like(leaf)


def like(leaf, *results):
    """The results in the dtype of a leaf: of a 0-d array and Python's numbers NumPy 1 makes double."""
    return results if leaf.ndim else tuple(result.astype(leaf.dtype) for result in results)


def squarable(xp, d):
    """A copy of d, cut to 2**63 in size (2**511 in float64), whose square its dtype still holds."""
    limit = 2.0 ** (half_range(d.dtype) - 1)
    return xp.minimum(xp.maximum(d, -limit), limit)


@cache
def half_range(dtype):
    """The power of two below which numbers of a dtype have squares that it holds: 64 for float32, 512 for float64."""
    return int(np.finfo(dtype).maxexp) // 2


def with_decay(dp, p, decay, decayed):
    """dp + decay · p for the leaves whose paths are in `decayed`, dp itself for the others.

    Raises   ValueError where there is decay and `decayed` is None or names a leaf that dp does not have.
    """
    if not decay:
        return dp
    if decayed is None:
        raise ValueError(
            f"weight_decay is {decay} and decayed is None: expected the paths of what decays; "
            "give decayed=network.decayed.")
    if unknown := set(decayed) - set(leaves(dp)):
        raise ValueError(
            f"decayed names {', '.join(sorted(unknown))}: expected paths of the gradient, {', '.join(leaves(dp))}.")
    return _decayed(dp, p, decay, decayed, "")


def _decayed(dp, p, decay, decayed, stem):
    return {
        name: _decayed(branch, p[name], decay, decayed, f"{stem}{name}/") if isinstance(branch, dict)
        else branch + decay * p[name] if f"{stem}{name}" in decayed else branch
        for name, branch in dp.items()
    }


def global_norm(dp):
    """The Euclidean norm over all leaves together  ->  0-d array; nothing leaves the device.

    Where a number's square could overflow, all are squared in larger units; rounding stays as it is.
    """
    return norm_of([a for a, in together(dp)[0]])


def norm_of(parts):
    """The Euclidean norm over all these arrays together  ->  0-d array."""
    sizes = [abs(a) for a in parts]
    xp = namespace(*sizes)
    largest = reduce(xp.maximum, [size.max() for size in sizes])
    half = half_range(largest.dtype)
    unit = xp.where(largest < 2.0 ** (half - 16), 1.0, 2.0**half).astype(largest.dtype)     # a power of two: exact
    return unit * xp.sqrt(reduce(xp.add, [_sum_of_squares(size, unit) for size in sizes]))


def _sum_of_squares(size, unit):
    """Σ (size / unit)², which overwrites `size`."""
    size /= unit
    size *= size
    return size.sum()


def clip_by_global_norm(dp, limit):
    """dp, scaled down where its global norm exceeds `limit`  ->  dp, the norm before."""
    rows, back = together(dp)
    parts = [a for a, in rows]
    norm = norm_of(parts)
    factor = namespace(norm).minimum(float(limit) / (norm + 1e-12), 1.0)
    return back([like(a, a * factor)[0] for a in parts]), norm


@dataclass(frozen=True)
class Constant:
    """A schedule that leaves the rate as it is.

    Every schedule has start() -> state, a dictionary of plain numbers; scale(state, update) -> the factor on the rate
    at an update counted from 0; observe(state, validation, better) -> state, told every row's validation metric or
    None.
    """

    def start(self):
        """Nothing to remember."""
        return {}

    def scale(self, state, update):
        """1 at every update."""
        return 1.0

    def observe(self, state, validation, better):
        """Nothing to learn."""
        return state


@dataclass(frozen=True)
class Steps(Constant):
    """The rate times `factor`, at most 1, after every `every` updates."""

    every: int
    factor: float = 0.1

    def __post_init__(self):
        check_options(self, every=at_least(1), factor=FACTOR)

    def scale(self, state, update):
        """The factor on the rate at this update."""
        return float(self.factor ** (update // self.every))


@dataclass(frozen=True)
class Plateau(Constant):
    """The rate times `factor`, at most 1, whenever the validation metric has not improved in `patience` looks."""

    patience: int = 5
    factor: float = 0.2

    def __post_init__(self):
        check_options(self, patience=at_least(1), factor=FACTOR)

    def start(self):
        """No best value yet."""
        return {"best": None, "stale": 0, "scale": 1.0}

    def scale(self, state, update):
        """The factor on the rate so far."""
        return state["scale"]

    def observe(self, state, validation, better):
        """Count the looks without a better value, and cut the rate when they are too many."""
        if validation is None:
            return state
        best = state["best"]
        if best is None or (validation < best if better == "lower" else validation > best):
            return {**state, "best": validation, "stale": 0}
        if state["stale"] + 1 < self.patience:
            return {**state, "stale": state["stale"] + 1}
        return {**state, "stale": 0, "scale": state["scale"] * self.factor}
