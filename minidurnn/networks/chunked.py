"""Chunked: a long sequence taken in short stretches, with the state handed on."""

from collections import namedtuple
from dataclasses import dataclass

from ..arrays.backend import keep_freed_memory, namespace
from ..arrays.checks import check_array, check_choice, check_positive, check_sequence
from ..arrays.lengths import choose, ends_in
from ..arrays.trees import add
from ..cells.contract import Cell, check_model, run

Walk = namedtuple("Walk", "p inputs noise kept last")
KEEP = ("tapes", "boundaries")


def walk_forward(model, keep, p, inputs, state, noise=None):
    """Run `model` over consecutive stretches of a sequence, handing the state on  ->  outputs, Walk.

    keep     "tapes" keeps every stretch's tape; "boundaries" only the state in front of it, to run it again later
    noise    the same for every stretch
    """
    keep_freed_memory()
    kept, outputs, last = [], [], state
    for x in inputs:
        before = last
        output, tape = run(model, p, x, before, noise)
        last = model.last_state(tape)
        if keep == "boundaries":
            last = last.copy()                                # a view would keep the whole stretch in memory
        outputs.append(output)
        kept.append(tape if keep == "tapes" else before)
    return outputs, Walk(p, inputs, noise, kept, last)


def walk_backward(model, keep, douts, walk, dstate):
    """Back through the stretches, handing the state's gradient on  ->  dinputs, dstate0, dp."""
    dinputs, dp = [], None
    for place in reversed(range(len(walk.inputs))):
        dx, dstate, dpart = model.backward(douts[place], tape_of(model, keep, walk, place), dstate)
        dinputs.append(dx)
        dp = add(dp, dpart)
    return dinputs[::-1], dstate, dp


def tape_of(model, keep, walk, place):
    """The tape of one stretch, as kept or made again."""
    if keep == "tapes":
        return walk.kept[place]
    return run(model, walk.p, walk.inputs[place], walk.kept[place], walk.noise)[1]


def last_states(model, keep, walk, pieces, lengths):
    """Each sequence's state at its own last step, from the stretch in which that lies  ->  (B, state_size)."""
    states = None
    for place, piece in enumerate(pieces):
        steps, here = ends_in(piece, pieces[-1].stop, len(lengths), lengths)
        if here.any():
            states = choose(here, model.last_state(tape_of(model, keep, walk, place), steps), states)
    return states


@dataclass(frozen=True)
class Chunked(Cell):
    """The same model, run over stretches of `length` steps with the state handed on: equal to one run, to rounding.

    About 16 steps keep a step's work in the processor's cache. keep="boundaries" stores one state per stretch and
    runs the stretch again in backward: long sequences in little memory. Chunked models nest.
    """

    model: object
    length: int                                               # steps in a chunk
    keep: str = "tapes"

    inputs = property(lambda self: self.model.inputs)
    outputs = property(lambda self: self.model.outputs)
    state_size = property(lambda self: self.model.state_size)
    state_slices = property(lambda self: self.model.state_slices)
    needs_noise = property(lambda self: self.model.needs_noise)
    chunk = property(lambda self: self.length)
    inner = property(lambda self: self.model)
    decayed = property(lambda self: self.model.decayed)

    def __post_init__(self):
        check_positive(length=self.length)
        check_choice("keep", self.keep, KEEP)
        check_model("model", self.model)
        if self.model.whole:
            raise ValueError(f"{self.model!r} takes statistics over the whole sequence: expected a model that can be split; put Chunked around the cells between its batch norms.")

    def init(self, rng):
        """The model's start values."""
        return self.model.init(rng)

    def draw(self, rng, B):
        """The model's noise, the same for every stretch."""
        return self.model.draw(rng, B)

    def chunks(self, T):
        """The stretches of a sequence of T steps, as slices."""
        return [slice(start, min(start + self.length, T)) for start in range(0, T, self.length)]

    def forward(self, p, x, state=None, noise=None):
        """x (T, B, inputs), state (B, state_size) or None for zeros  ->  h (T, B, outputs), tape."""
        check_sequence("x", x, self.inputs)
        outputs, walk = walk_forward(self.model, self.keep, p, [x[piece] for piece in self.chunks(len(x))], state, noise)
        return namespace(x).concatenate(outputs), walk

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs), dstate (B, state_size), each None for zero  ->  dx, dstate0, dp."""
        T, first = sum(map(len, tape.inputs)), tape.inputs[0]
        if dh is not None:
            check_array("dh", dh, (T, first.shape[1], self.outputs), first)
        pieces = self.chunks(T)
        douts = [None if dh is None else dh[piece] for piece in pieces]
        dinputs, dstate0, dp = walk_backward(self.model, self.keep, douts, tape, dstate)
        return namespace(*dinputs).concatenate(dinputs), dstate0, dp

    def last_state(self, tape, lengths=None):
        """The state after the last stretch, or at each sequence's own last step, (B, state_size)."""
        return tape.last if lengths is None else last_states(self.model, self.keep, tape, self.chunks(sum(map(len, tape.inputs))), lengths)

    def project(self, p):
        """The model's constraints."""
        return self.model.project(p)
