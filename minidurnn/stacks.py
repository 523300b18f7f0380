"""Stacks: models one above the other."""

from dataclasses import dataclass

from .backend import namespace
from .checks import check_array, check_names


@dataclass(frozen=True)
class Chain:
    """Models one after the other; the state is their states side by side, the parameters are {"0": ..., "1": ...}."""

    parts: tuple

    inputs = property(lambda self: self.parts[0].inputs)
    outputs = property(lambda self: self.parts[-1].outputs)
    state_size = property(lambda self: sum(part.state_size for part in self.parts))

    def __post_init__(self):
        if not isinstance(self.parts, (tuple, list)) or not self.parts:
            raise ValueError(f"parts is {self.parts!r}: expected a tuple of at least one model, Chain((first, second)).")
        object.__setattr__(self, "parts", tuple(self.parts))
        for first, second in zip(self.parts, self.parts[1:]):
            if first.outputs != second.inputs:
                raise ValueError(f"{first!r} gives {first.outputs} outputs and {second!r} takes {second.inputs} inputs: expected equal numbers.")

    def init(self, rng):
        """The parts' start values, by their place in the chain."""
        return {str(place): part.init(rng) for place, part in enumerate(self.parts)}

    def forward(self, p, x, state=None):
        """x (T, B, inputs), state (B, state_size) or None for zeros  ->  h (T, B, outputs), tape (the parts' tapes)."""
        check_names(p, list(map(str, range(len(self.parts)))))
        tapes, h = [], x
        for place, (part, own) in enumerate(zip(self.parts, self._split(state, "state"))):
            h, tape = part.forward(p[str(place)], h, own)
            tapes.append(tape)
        return h, tapes

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs), dstate (B, state_size), each None for zero  ->  dx, dstate0, dp."""
        dstates, dp = [], {}
        steps = list(zip(map(str, range(len(self.parts))), self.parts, tape, self._split(dstate, "dstate")))
        for place, part, own, dlast in reversed(steps):
            dh, dfirst, dp[place] = part.backward(dh, own, dlast)
            dstates.append(dfirst)
        return dh, namespace(*dstates).concatenate(dstates[::-1], axis=-1), dict(reversed(dp.items()))

    def last_state(self, tape):
        """The parts' last states side by side, (B, state_size)."""
        states = [part.last_state(own) for part, own in zip(self.parts, tape)]
        return namespace(*states).concatenate(states, axis=-1)

    def project(self, p):
        """Every part's constraints."""
        projected = {str(place): part.project(p[str(place)]) for place, part in enumerate(self.parts)}
        return p if all(projected[place] is p[place] for place in p) else projected

    def _split(self, state, name):
        if state is not None:
            check_array(name, state, ("B", self.state_size))  # the parts check their shares
        ends = [sum(part.state_size for part in self.parts[:place + 1]) for place in range(len(self.parts))]
        return [None if state is None else state[:, end - part.state_size:end] for part, end in zip(self.parts, ends)]
