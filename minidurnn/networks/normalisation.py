"""Norms: batch norm over batch and time, or per time step; layer norm over the units of every single step."""

from collections import namedtuple
from dataclasses import dataclass

from ..arrays.affine import rows_sum
from ..arrays.backend import namespace
from ..arrays.checks import (
    LARGEST,
    at_least,
    check_gradients,
    check_options,
    check_parameters,
    initial_state,
    number,
    opened,
    optional,
)
from ..arrays.lengths import before_end, check_lengths
from ..arrays.starts import constant
from ..cells.contract import Layer

Tape = namedtuple("Tape", "p x normal deviation mask n mean variance")
LayerTape = namedtuple("LayerTape", "p x normal deviation")
SMALL = number("a finite number above 0 that float32 tells from 0", lambda epsilon: epsilon >= 1 / LARGEST)


@dataclass(frozen=True)
class BatchNorm(Layer):
    """y = scale ⊙ (x - mean) / sqrt(variance + epsilon) + shift, per unit.

    steps      None: mean and variance over all valid steps of all sequences; T: over the batch, for each of T steps,
               as for language models (Li et al. 2019, section 5.1)
    momentum   share of the newest batch in running_mean and running_variance, which evaluation uses (noise=None) and
               `updated` returns; they are the `statistics` among the leaves of p
    Pooled statistics need the whole sequence: a Chunked model cannot hold them.
    Source     Ioffe, Szegedy 2015; over time: Li et al. 2019.
    """

    units: int                                                # H
    steps: int | None = None
    momentum: float = 0.1
    epsilon: float = 1e-5

    inputs = outputs = property(lambda self: self.units)
    needs_noise = needs_lengths = whole = True
    statistics = ("running_mean", "running_variance")

    @property
    def shapes(self):
        """The shape of every parameter and running statistic."""
        running = (self.units,) if self.steps is None else (self.steps, self.units)
        return {"scale": (self.units,), "shift": (self.units,), "running_mean": running, "running_variance": running}

    def __post_init__(self):
        share = number("the share of the newest batch, from 0 to 1", lambda momentum: 0 <= momentum <= 1)
        check_options(self, units=at_least(1), steps=optional(at_least(1)), momentum=share, epsilon=SMALL)

    def init(self, rng):
        """Scale 1, shift 0, running mean 0 and variance 1  ->  dict of float32 NumPy arrays as in `shapes`."""
        start = {"scale": 1.0, "shift": 0.0, "running_mean": 0.0, "running_variance": 1.0}
        return {name: constant(start[name], shape) for name, shape in self.shapes.items()}

    def draw(self, rng, B):
        """The noise of training, True: that statistics are those of the batch."""
        return True

    def forward(self, p, x, state=None, noise=None, lengths=None):
        """x (T, B, H); noise True takes the batch's statistics, None the running ones  ->  y (T, B, H), tape.

        Raises   ValueError in training where a statistic would rest on one value.
        """
        xp = namespace(x)
        initial_state(self, p, x, state)
        lengths = check_lengths(lengths, *x.shape[:2])
        if noise is not None and noise is not True:
            raise ValueError(f"noise is {noise!r}: expected True (training) or None (evaluation), as `draw` gives it.")
        if self.steps is not None and (len(x) > self.steps or lengths is not None):
            given = f"{len(x)} steps{'' if lengths is None else ' and lengths'}"
            raise ValueError(f"x has {given}: expected at most steps={self.steps} and no lengths; use steps=None.")
        n, mask = None, None if lengths is None else before_end(lengths, len(x), x)[..., None]
        x = x if mask is None else xp.where(mask, x, 0)       # a product with 0 would let NaN through
        if noise is None:
            running = p["running_mean"], p["running_variance"]
            mean, variance = running if self.steps is None else (one[:len(x), None] for one in running)
        else:
            axes = (0, 1) if self.steps is None else 1
            n = x.shape[1] * (len(x) if self.steps is None else 1) if lengths is None else int(lengths.sum())
            if n < 2:
                raise ValueError(
                    f"batch norm in training has {n} value per statistic: expected at least 2; give more sequences, "
                    f"or evaluate with noise=None."
                )
            mean = x.sum(axes, keepdims=True) / n
            off = x - mean if mask is None else xp.where(mask, x - mean, 0)
            variance = (off * off).sum(axes, keepdims=True) / n
        deviation = xp.sqrt(variance + float(self.epsilon))
        normal = (x - mean) / deviation
        return normal * p["scale"] + p["shift"], Tape(p, x, normal, deviation, mask, n, mean, variance)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, H), zero in the padding  ->  dx, dstate0 (B, 0), dp with scale and shift."""
        p, x, normal, deviation, mask, n, _, _ = opened(Tape, tape)
        check_gradients(self, dy, dstate, x)
        xp = namespace(x)
        dy = xp.zeros(x.shape, x.dtype) if dy is None else dy if mask is None else xp.where(mask, dy, 0)
        d_scale, d_shift = (dy * normal).sum((0, 1)), dy.sum((0, 1))
        d_normal = dy * p["scale"]
        if n is not None:                                     # mean and variance depend on every x
            axes = (0, 1) if self.steps is None else 1
            along = (d_normal * normal).sum(axes, keepdims=True) / n
            d_normal = d_normal - d_normal.sum(axes, keepdims=True) / n - normal * along
            d_normal = d_normal if mask is None else xp.where(mask, d_normal, 0)
        return d_normal / deviation, self.last_state(tape), {"scale": d_scale, "shift": d_shift}

    def updated(self, p, tape):
        """p with running statistics that have seen this batch; p itself after an evaluation."""
        check_parameters(p, self.shapes)
        if opened(Tape, tape).n is None:
            return p
        steps, share = len(tape.x), float(self.momentum)
        batch = {"running_mean": tape.mean, "running_variance": tape.variance * (tape.n / (tape.n - 1))}
        moved = {}
        for name, value in batch.items():
            if self.steps is None:
                moved[name] = (1 - share) * p[name] + share * value[0, 0]
            else:
                moved[name] = p[name].copy()
                moved[name][:steps] = (1 - share) * p[name][:steps] + share * value[:, 0]
        return {**p, **moved}


@dataclass(frozen=True)
class LayerNorm(Layer):
    """y = scale ⊙ (x - mean) / sqrt(variance + epsilon) + shift, with mean and variance over the units of each step.

    It takes nothing from other steps and other sequences: training and evaluation are the same, and it can be split.
    Source   Ba, Kiros, Hinton 2016.
    """

    units: int                                                # H
    epsilon: float = 1e-5

    inputs = outputs = property(lambda self: self.units)
    shapes = property(lambda self: {"scale": (self.units,), "shift": (self.units,)})

    def __post_init__(self):
        check_options(self, units=at_least(1), epsilon=SMALL)

    def init(self, rng):
        """Scale 1, shift 0  ->  dict of float32 NumPy arrays, each (H,)."""
        return {"scale": constant(1.0, self.units), "shift": constant(0.0, self.units)}

    def forward(self, p, x, state=None):
        """x (T, B, H), state (B, 0) or None  ->  y (T, B, H), tape."""
        initial_state(self, p, x, state)
        off = x - x.mean(-1, keepdims=True)
        deviation = namespace(x).sqrt((off * off).mean(-1, keepdims=True) + float(self.epsilon))
        normal = off / deviation
        return normal * p["scale"] + p["shift"], LayerTape(p, x, normal, deviation)

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, H)  ->  dx, dstate0 (B, 0), dp with scale and shift."""
        p, x, normal, deviation = opened(LayerTape, tape)
        check_gradients(self, dy, dstate, x)
        dy = namespace(x).zeros(x.shape, x.dtype) if dy is None else dy
        d_normal = dy * p["scale"]
        along = (d_normal * normal).mean(-1, keepdims=True)   # mean and deviation depend on every unit
        dx = (d_normal - d_normal.mean(-1, keepdims=True) - normal * along) / deviation
        return dx, self.last_state(tape), {"scale": rows_sum(dy * normal), "shift": rows_sum(dy)}
