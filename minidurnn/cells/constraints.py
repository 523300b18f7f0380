"""The two constraints as projections: p itself where it already satisfies its bound, a hair inside it otherwise."""

from math import inf, nan

import numpy as np

from ..arrays.backend import namespace, to_numpy
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
    return sizes(U)[0]


def sizes(U, u=None):
    """‖U‖₂, the largest |u| (None: 0)  ->  floats, NaN where U or u is. One device sync on a GPU, for both."""
    xp, U = namespace(U, u), U.astype("float64")
    largest = xp.zeros(1) if u is None else xp.abs(u).max()[None].astype("float64")
    try:
        square = xp.linalg.eigvalsh(U.T @ U)[-1:]
    except (np.linalg.LinAlgError, RuntimeError) as error:    # how NumPy's answer to NaN arrives, and cuSOLVER's
        if type(error).__name__ not in ("LinAlgError", "CUSOLVERError"):
            raise
        square = xp.full(1, nan)
    square, largest = to_numpy(xp.concatenate([square, largest])).tolist()
    return max(square, 0.0) ** 0.5 if square == square else nan, largest      # rounding may leave a tiny negative one


def project_spectral(U, bound, projection, norm=None):
    """U with ‖U‖₂ ≤ bound  ->  (H, H), U itself where that holds, or where U is not finite, which the training reports.

    projection   "rescale" multiplies U by bound/‖U‖₂; "clip" clips its singular values, the nearest matrix in the
                 Frobenius norm, at several times the cost.
    norm         ‖U‖₂, where it is known
    """
    norm = spectral_norm(U) if norm is None else norm
    if not bound < norm < inf:
        return U
    inside = float(bound) * (1.0 - HAIR)
    if projection == "rescale":
        return U * (inside / norm)
    xp = namespace(U)
    left, values, right = xp.linalg.svd(U.astype("float64"))
    return ((left * xp.minimum(values, inside)) @ right).astype(U.dtype)


def project_range(u, limit, largest=None):
    """u with |u| ≤ limit  ->  (H,), u itself where that holds. One sync on a GPU, none with `largest`, of |u|."""
    xp = namespace(u)
    if (float(xp.abs(u).max()) if largest is None else largest) <= limit:
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


def check_chrono(cell, of_bias=True):
    """check_options for the horizon of a gated cell, by which a bias starts (of_bias): None, or at least 2 steps."""
    steps = number("a finite number of time steps, at least 2, or None", lambda horizon: horizon >= 2)
    check_options(cell, horizon=optional(steps))
    if of_bias and cell.horizon is not None and not cell.project_input:
        raise ValueError(
            f"horizon is {cell.horizon} with project_input=False: expected None, for the bias that it starts "
            f"belongs to whoever makes the input.")


def check_scales(cell):
    """check_chrono for an LSTM, and that its options for longer time scales go together."""
    floor, uniform = cell.forget == "floor", cell.start == "uniform"
    if floor and (cell.horizon is None or uniform):
        raise ValueError(
            f"forget is 'floor' with horizon={cell.horizon} and start={cell.start!r}: expected the number of time "
            f"steps to remember and start='one'; give horizon=T.")
    if uniform and (cell.units < 2 or cell.horizon is not None or not cell.project_input):
        raise ValueError(
            f"start is 'uniform' with units={cell.units}, horizon={cell.horizon} and "
            f"project_input={cell.project_input}: expected at least 2 units, no horizon, which is another start of "
            f"the same bias, and a bias of the cell's own (project_input=True).")
    check_chrono(cell, of_bias=not floor)


def start_range(growth, horizon, memory):
    """Where u starts: [0, γ^(1/T)] for "any" memory, [γ^(-1/T), γ^(1/T)] for "long" memory  ->  low, high.

    Without a growth γ is 1 here, so that low and high are both 1 for "long" memory.
    """
    growth = 1.0 if growth is None else growth
    high = range_limit(growth, horizon)
    return (0.0, high) if memory == "any" else (1.0 / high, high)
