"""One update, pure: from a run and a batch to the run after it."""

from collections import namedtuple
from dataclasses import replace
from types import MappingProxyType

from ..optim import clip_by_global_norm

Batch = namedtuple("Batch", "x target lengths noise after", defaults=(None, None, MappingProxyType({})))
Row = namedtuple("Row", "loss metric gradient_norm")
PARTS = ("forward and loss", "backward", "clip", "optimiser", "project")


def update(network, optimizer, run, batch, scale=1.0, clip=5.0, lap=lambda part: None):
    """Loss, gradient, clipping, optimiser, running statistics, constraints, the state handed on  ->  run, row.

    batch    Batch(x, target, lengths, noise, after), checked and on the device; `after` is what the run says of its
             place in the data (data_rng, noise_rng, offset) once this batch is used
    scale    the factor on the optimiser's rate             clip   limit on the gradient's global norm, or None
    lap      called with the name of every part, one of PARTS, when it is done
    row      loss and metric before the update, the gradient's norm before clipping (None without): 0-d arrays

    Its tape is gone when it returns, so that two never stand in memory at once.
    """
    value, metric, tape = network.loss(run.p, batch.x, batch.target, run.carried, batch.noise, batch.lengths)
    lap("forward and loss")
    dp, _ = network.gradient(tape)
    lap("backward")
    norm = None
    if clip is not None:
        dp, norm = clip_by_global_norm(dp, clip)
    lap("clip")
    p, state = optimizer.update(run.p, dp, run.optimizer, scale, network.decayed)
    lap("optimiser")
    p = network.project(network.updated(p, tape))             # the constraints hold after every update
    run = replace(run, p=p, optimizer=state, update=run.update + 1, **batch.after)
    carried = network.last_state(tape).copy() if run.offset else None       # a view would keep the tape's arrays
    lap("project")
    return replace(run, carried=carried), Row(value, metric, norm)
