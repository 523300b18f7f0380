"""The two constraints as projections: p itself where it already satisfies its bound, a hair inside it otherwise."""

from math import inf, nan

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import check_options, number, one_of, optional

HAIR = 1e-6                                                   # how far inside a projection lands, relative to the bound
OPTIONS = {
    "bound": optional(number(
        "a number between 0 and 1, both excluded (it bounds ‖U‖₂), or None for no constraint",
        lambda bound: 0 < bound < 1)),
    "growth": optional(number(
        "a finite number of at least 1 (it bounds a gradient's growth over the horizon), or None for no constraint",
        lambda growth: growth >= 1)),
    "horizon": optional(number(
        "a finite number of time steps, at least 1 and within float32", lambda horizon: horizon >= 1)),
    "memory": one_of(("any", "long")),
    "projection": one_of(("rescale", "clip")),
}


def spectral_norm(U):
    """‖U‖₂, the largest singular value of U (H, H), in float64  ->  float, NaN where U is. One device sync on a GPU."""
    U = U.astype("float64")
    try:
        square = float(namespace(U).linalg.eigvalsh(U.T @ U)[-1])
        return max(square, 0.0) ** 0.5                        # rounding may leave a tiny negative number
    except np.linalg.LinAlgError:                             # how NumPy's answer to NaN arrives
        return nan


def project_spectral(U, bound, projection):
    """U with ‖U‖₂ ≤ bound  ->  (H, H), U itself where that holds, or where U is not finite, which the training reports.

    projection   "rescale" multiplies U by bound/‖U‖₂; "clip" clips its singular values, the nearest matrix in the
                 Frobenius norm, at several times the cost.
    """
    norm = spectral_norm(U)
    if not bound < norm < inf:
        return U
    inside = float(bound) * (1.0 - HAIR)
    if projection == "rescale":
        return U * (inside / norm)
    xp = namespace(U)
    left, values, right = xp.linalg.svd(U.astype("float64"))
    return ((left * xp.minimum(values, inside)) @ right).astype(U.dtype)


def project_range(u, limit):
    """u with |u| ≤ limit  ->  (H,), u itself where that holds. One device sync on a GPU."""
    xp = namespace(u)
    if float(xp.abs(u).max()) <= limit:
        return u
    inside = float(np.nextafter(u.dtype.type(limit), u.dtype.type(0)))    # u's own dtype may round the limit up
    return xp.clip(u, -inside, inside)


def range_limit(growth, horizon):
    """γ^(1/T), the bound on |u| under which no gradient grows past γ in T steps; 1 without a horizon."""
    return 1.0 if horizon is None else float(growth) ** (1.0 / float(horizon))


def check_constraints(cell, *names):
    """check_options for those options of a cell that constrain it, and for where its neurons start.

    bound             in (0, 1), or None for no constraint
    growth, horizon   at least 1, or None for no constraint
    memory            "any" or "long", which needs a horizon
    projection        "rescale" or "clip"
    """
    check_options(cell, **{name: OPTIONS[name] for name in names})
    if "memory" in names and cell.memory == "long" and cell.horizon is None:
        raise ValueError(
            "memory is 'long' without a horizon: expected the number of time steps to remember; give horizon=T.")


def check_width(cell, width):
    """Raise ValueError where a cell takes its pre-activation (project_input=False) and `inputs` is another width."""
    if not cell.project_input and cell.inputs != width:
        raise ValueError(
            f"inputs is {cell.inputs} with project_input=False: expected {width}, the width of the pre-activation, "
            "for the cell has no W of its own.")


def check_chrono(cell):
    """check_options for the horizon of a gated cell, whose bias then starts by it: None, or at least 2 steps."""
    steps = number("a finite number of time steps, at least 2, or None", lambda horizon: horizon >= 2)
    check_options(cell, horizon=optional(steps))
    if cell.horizon is not None and not cell.project_input:
        raise ValueError(
            f"horizon is {cell.horizon} with project_input=False: expected None, for the bias that it starts "
            f"belongs to whoever makes the input.")


def start_range(growth, horizon, memory):
    """Where u starts: [0, γ^(1/T)] for "any" memory, [γ^(-1/T), γ^(1/T)] for "long" memory  ->  low, high.

    Without a growth γ is 1 here, so that low and high are both 1 for "long" memory.
    """
    growth = 1.0 if growth is None else growth
    high = range_limit(growth, horizon)
    return (0.0, high) if memory == "any" else (1.0 / high, high)
