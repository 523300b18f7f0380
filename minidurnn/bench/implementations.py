"""Ours, the peers and the parts of the floor behind a name each, and the proof that ours and the peers agree."""

from importlib.util import find_spec

import numpy as np

from ..arrays.trees import map_leaves
from ..networks.models import MODELS
from . import floors, ours
from .workloads import Workload, body, inputs

NEEDS = {"eager": "torch", "hoisted": "torch", "nn": "torch", "jax": "jax"}
SMALL = Workload(T=7, B=3, D=4, H=5, rounds=1, chunk=3)       # every size different; a chunk is cut short
TOLERANCE = 1e-10


def absent(peer):
    """Why there is no such peer here, or None where there is one."""
    return None if find_spec(NEEDS[peer]) else f"{NEEDS[peer]} is not installed"


def field(cell, peers):
    """Who takes part for a cell: ours, and those of the peers that have it."""
    return ("ours", *(peer for peer in peers if peer in MODELS[cell].peers))


def ready(name, cell, workload, chunk):
    """step() of "ours", of a peer, or of a part of the floor, on a workload."""
    if name in floors.PARTS:
        return floors.prepare(name, cell, workload, chunk)
    model = body(cell, workload)
    return prepare(name, cell, model, *inputs(model, workload), chunk)


def prepare(name, cell, model, p, x, chunk):
    """step() -> loss, gradients by name, of "ours" or of a peer. `model` is our cell, `cell` its name in MODELS."""
    if name == "ours":
        return ours.prepare(model, p, x, chunk)
    if name == "jax":
        from . import jax_peers

        return jax_peers.prepare(cell, p, x)
    from . import torch_peers

    return torch_peers.prepare(name, cell, p, x)


def assert_agreement(cell, peers):
    """Raise AssertionError unless ours and these peers give equal losses and gradients of a cell in float64."""
    model, rng = body(cell, SMALL), np.random.default_rng(1)
    p, x = inputs(model, SMALL, "float64")
    p = map_leaves(lambda leaf: leaf + 0.3 * rng.standard_normal(leaf.shape), p)         # biases start at zero
    value, gradients = prepare("ours", cell, model, p, x, SMALL.chunk)()
    own = {"loss": value, **gradients}
    for name in field(cell, peers)[1:]:
        value, gradients = prepare(name, cell, model, p, x, SMALL.chunk)()
        theirs = {"loss": value, **gradients}
        for leaf in ("loss", "x", *p):
            a, b = np.asarray(own[leaf]), np.asarray(theirs[leaf])
            error = abs(a - b).max() / abs(a).max() if a.shape == b.shape else np.inf
            if not error <= TOLERANCE:
                raise AssertionError(
                    f"{cell}: ours and {name} differ in {leaf} by {error:.1e} of its size (allowed {TOLERANCE:.0e}): "
                    "one of them is wrong, nothing is timed."
                )
