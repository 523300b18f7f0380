"""Stacks: models one above the other."""

from collections import namedtuple
from dataclasses import dataclass
from itertools import accumulate

from ..arrays.backend import namespace
from ..arrays.checks import check_array, check_library, check_names, check_sequence, opened
from ..arrays.lengths import check_lengths, without_padding
from ..cells.contract import Cell, check_model
from .chunked import run

Tape = namedtuple("Tape", "parts")                            # the tapes of a chain's parts


@dataclass(frozen=True)
class Chain(Cell):
    """Models one after the other; the state is their states side by side, the parameters are {"0": ..., "1": ...}."""

    parts: tuple

    inputs = property(lambda self: self.parts[0].inputs)
    outputs = property(lambda self: self.parts[-1].outputs)
    state_size = property(lambda self: sum(part.state_size for part in self.parts))
    needs_noise = property(lambda self: any(part.needs_noise for part in self.parts))
    needs_lengths = property(lambda self: any(part.needs_lengths for part in self.parts))
    whole = property(lambda self: any(part.whole for part in self.parts))
    chunk = property(lambda self: min(part.chunk for part in self.parts))
    decayed = property(lambda self: self._paths("decayed"))
    statistics = property(lambda self: self._paths("statistics"))

    def __post_init__(self):
        if not isinstance(self.parts, (tuple, list)) or not self.parts:
            raise ValueError(
                f"parts is {self.parts!r}: expected a tuple of at least one model, Chain((first, second))."
            )
        object.__setattr__(self, "parts", tuple(self.parts))
        for place, part in enumerate(self.parts):
            check_model(f"parts[{place}]", part)
        for first, second in zip(self.parts, self.parts[1:]):
            if first.outputs != second.inputs:
                raise ValueError(
                    f"{first!r} gives {first.outputs} outputs and {second!r} takes {second.inputs} inputs: expected "
                    f"equal numbers."
                )

    @property
    def shapes(self):
        """The shapes that the parts tell, by the paths in the chain's own parameters."""
        parts = {str(place): part.shapes for place, part in enumerate(self.parts)}
        return {f"{place}/{path}": shape for place, own in parts.items() for path, shape in own.items()}

    @property
    def state_slices(self):
        """The parts' states by their place, "0", "1", ..., and what is named in them, "1/long"."""
        slices, start = {}, 0
        for place, part in enumerate(self.parts):
            slices[str(place)] = slice(start, start + part.state_size)
            for name, own in part.state_slices.items():
                slices[f"{place}/{name}"] = slice(start + own.start, start + own.stop)
            start += part.state_size
        return slices

    def init(self, rng):
        """The parts' start values, by their place in the chain."""
        return {str(place): part.init(rng) for place, part in enumerate(self.parts)}

    def draw(self, rng, B):
        """The parts' noise, by their place in the chain; None where no part takes any."""
        return {str(place): part.draw(rng, B) for place, part in enumerate(self.parts)} if self.needs_noise else None

    def forward(self, p, x, state=None, noise=None, lengths=None):
        """x (T, B, inputs), state (B, state_size) or None for zeros  ->  h (T, B, outputs), tape."""
        places = self._check(p)
        if lengths is not None:
            check_sequence("x", x, self.inputs)
            lengths = check_lengths(lengths, *x.shape[:2])
        if noise is not None:
            check_names(noise, places, "the noise is", "make it with draw(rng, B)")
        tapes, h = [], without_padding(x, lengths)
        for place, (part, own) in enumerate(zip(self.parts, self._split(state, "state"))):
            h, tape = run(part, p[str(place)], h, own, None if noise is None else noise[str(place)], lengths)
            tapes.append(tape)
        return h, Tape(tapes)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs), dstate (B, state_size), each None for zero  ->  dx, dstate0, dp."""
        dstates, dp = [], {}
        steps = list(zip(self._tapes(tape), self._split(dstate, "dstate")))
        for (place, part, own), dlast in reversed(steps):
            dh, dfirst, dp[place] = part.backward(dh, own, dlast)
            dstates.append(dfirst)
        return dh, namespace(*dstates).concatenate(dstates[::-1], axis=-1), dict(reversed(dp.items()))

    def updated(self, p, tape):
        """p with the parts' running statistics."""
        self._check(p)
        if not self.statistics:
            return p
        return {place: part.updated(p[place], own) for place, part, own in self._tapes(tape)}

    def last_state(self, tape):
        """The parts' last states side by side, (B, state_size)."""
        states = [part.last_state(own) for _, part, own in self._tapes(tape)]
        return namespace(*states).concatenate(states, axis=-1)

    def project(self, p):
        """Every part's constraints."""
        projected = {place: part.project(p[place]) for place, part in zip(self._check(p), self.parts)}
        return p if all(projected[place] is p[place] for place in p) else projected

    def _check(self, p):
        """The names of the parts in p.    Raises ValueError unless p has exactly these."""
        places = list(map(str, range(len(self.parts))))
        check_names(p, places)
        return places

    def _split(self, state, name):
        if state is None:
            return [None] * len(self.parts)
        check_array(name, state, ("B", self.state_size))      # the parts check their shares
        ends = accumulate(part.state_size for part in self.parts)
        return [state[:, end - part.state_size:end] for part, end in zip(self.parts, ends)]

    def _tapes(self, tape):
        """(place, part, its tape) for every part.    Raises TypeError for a tape of another model."""
        tapes = opened(Tape, tape).parts
        if len(tapes) != len(self.parts):
            raise TypeError(
                f"the tape is that of a chain of {len(tapes)} parts: expected what forward of this one, of "
                f"{len(self.parts)}, gave.")
        return list(zip(map(str, range(len(tapes))), self.parts, tapes))

    def _paths(self, name):
        """The paths that the parts have under a name, in the chain's own parameters."""
        return tuple(f"{place}/{path}" for place, part in enumerate(self.parts) for path in getattr(part, name))


@dataclass(frozen=True)
class Residual(Cell):
    """y[t] = x[t] + model(x)[t]: the model learns what to add.    Raises ValueError where widths differ."""

    model: object

    inputs = outputs = property(lambda self: self.model.inputs)
    state_size = property(lambda self: self.model.state_size)
    needs_noise = property(lambda self: self.model.needs_noise)
    needs_lengths = property(lambda self: self.model.needs_lengths)
    whole = property(lambda self: self.model.whole)
    chunk = property(lambda self: self.model.chunk)
    state_slices = property(lambda self: self.model.state_slices)
    shapes = property(lambda self: self.model.shapes)
    decayed = property(lambda self: self.model.decayed)
    statistics = property(lambda self: self.model.statistics)

    def __post_init__(self):
        check_model("model", self.model)
        if self.model.inputs != self.model.outputs:
            raise ValueError(
                f"the residual branch takes {self.model.inputs} inputs and gives {self.model.outputs} outputs: "
                f"expected equal widths, for the two are added; end it with Linear(..., {self.model.inputs})."
            )

    def init(self, rng):
        """The model's start values."""
        return self.model.init(rng)

    def draw(self, rng, B):
        """The model's noise."""
        return self.model.draw(rng, B)

    def forward(self, p, x, state=None, noise=None, lengths=None):
        """x (T, B, inputs)  ->  y (T, B, inputs), the model's tape."""
        _check_features(self, x)
        y, tape = run(self.model, p, x, state, noise, lengths)
        return x + y, tape

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, inputs): one way straight through, one through the model  ->  dx, dstate0, dp."""
        dx, dstate0, dp = self.model.backward(dy, tape, dstate)
        return (dx if dy is None else dx + dy), dstate0, dp

    def updated(self, p, tape):
        """p with the model's running statistics."""
        return self.model.updated(p, tape)

    def last_state(self, tape):
        """The model's."""
        return self.model.last_state(tape)

    def project(self, p):
        """The model's constraints."""
        return self.model.project(p)


@dataclass(frozen=True)
class Dense(Residual):
    """y[t] = [x[t], model(x)[t]]: every later layer sees every earlier one."""

    inputs = property(lambda self: self.model.inputs)
    outputs = property(lambda self: self.model.inputs + self.model.outputs)

    def __post_init__(self):
        """Any widths will do."""
        check_model("model", self.model)

    def forward(self, p, x, state=None, noise=None, lengths=None):
        """x (T, B, inputs)  ->  y (T, B, inputs + model outputs), the model's tape."""
        _check_features(self, x)
        y, tape = run(self.model, p, x, state, noise, lengths)
        return namespace(x).concatenate([x, y], axis=-1), tape

    def backward(self, dy, tape, dstate=None):
        """dy (T, B, outputs): the first part straight through, the rest through the model  ->  dx, dstate0, dp."""
        own = None if dy is None else dy[..., self.inputs:]
        dx, dstate0, dp = self.model.backward(own, tape, dstate)
        return (dx if dy is None else dx + dy[..., :self.inputs]), dstate0, dp


def _check_features(model, x):
    """Raise unless x is a float array (T, B, inputs): symbols (T, B) can neither be added to outputs nor join them."""
    check_library("x", x)
    if x.dtype.kind in "iu" and x.ndim == 2:
        raise TypeError(
            f"x holds symbols, integers (T, B): expected floats (T, B, {model.inputs}), which {type(model).__name__} "
            "joins with its model's outputs; put the embedding in front of it, Chain((Embedding(...), ...)).")
    check_array("x", x, ("T", "B", model.inputs))
