"""Chunked: a long sequence taken in short stretches, with the state handed on. And the walk over stretches itself."""

from collections import namedtuple
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..arrays.backend import device_memory, keep_freed_memory, library, namespace
from ..arrays.checks import at_least, check_array, check_options, check_sequence, one_of, opened
from ..arrays.lengths import check_lengths, put, taken
from ..arrays.trees import add, map_leaves
from ..cells.contract import Cell, check_model

Piece = namedtuple("Piece", "steps rows")                     # a slice of time; who reaches its end, None: all
Walk = namedtuple("Walk", "p inputs rows noise kept last")
Tape = namedtuple("Tape", "walk pieces shape")
KEEP = ("tapes", "boundaries")
ARRAYS = 32                                                   # of the state's size that a step of the hungriest cell,
                                                              # an LSTM, has in memory at once, and some to spare


def run(model, p, x, state=None, noise=None, lengths=None):
    """model.forward with what of noise and lengths it needs  ->  output, tape."""
    extra = {}
    if model.needs_noise:
        extra["noise"] = noise
    if model.needs_lengths:
        extra["lengths"] = lengths
    elif lengths is not None and model.state_size:
        raise ValueError(
            f"{type(model).__name__} would run on behind the ends of sequences of different lengths: expected a model "
            f"that stops there; put Chunked(..., {model.chunk}) around it."
        )
    return model.forward(p, x, state, **extra)


def pieces_of(chunks, lengths=None):
    """The chunks (slices of time), cut where a sequence ends, each with those that reach its end  ->  Pieces."""
    if lengths is None:
        return [Piece(chunk, None) for chunk in chunks]
    pieces = []
    for chunk in chunks:
        ends = np.unique(lengths[(lengths > chunk.start) & (lengths < chunk.stop)])
        for start, stop in pairwise([chunk.start, *map(int, ends), chunk.stop]):
            left = np.flatnonzero(lengths >= stop)
            if len(left):
                pieces.append(Piece(slice(start, stop), None if len(left) == len(lengths) else left))
    return pieces


def part_of(array, piece):
    """What of an array (T, B, ...) falls into a piece  ->  (steps, sequences, ...)."""
    part = array[piece.steps]
    return part if piece.rows is None else part[:, namespace(array).asarray(piece.rows)]


def joined(parts, pieces, shape):
    """The inverse of part_of, zero where no part is  ->  (*shape, ...)."""
    xp = namespace(*parts)
    if all(piece.rows is None for piece in pieces) and pieces[-1].steps.stop == shape[0]:
        return xp.concatenate(parts)
    whole = xp.zeros((*shape, *parts[0].shape[2:]), parts[0].dtype)
    for part, (steps, rows) in zip(parts, pieces):
        whole[steps, slice(None) if rows is None else xp.asarray(rows)] = part
    return whole


def walk_forward(model, keep, p, inputs, state, noise=None, rows=None):
    """Run `model` over consecutive stretches of a sequence, handing the state on  ->  outputs, Walk.

    keep     "tapes" keeps every stretch's tape; "boundaries" only the state in front of it, to run it again later
    noise    of all sequences, the same for every stretch
    rows     the sequences that each stretch has, as in a Piece; the state of the others stays as it is
    """
    keep_freed_memory()
    rows = [None] * len(inputs) if rows is None else rows
    kept, outputs, last = [], [], state
    for x, who in zip(inputs, rows):
        before = taken(last, who)
        with room(x, keep):
            output, tape = run(model, p, x, before, noise_of(noise, who))
            after = model.last_state(tape)
        if keep == "boundaries":
            after = after.copy()                              # a view would keep the whole stretch in memory
        last = put(last, who, after)
        outputs.append(output)
        kept.append(tape if keep == "tapes" else before)
        del tape                                              # or it stands in memory while the next one is made
    return outputs, Walk(p, inputs, rows, noise, kept, last)


def walk_backward(model, keep, douts, walk, dstate):
    """Back through the stretches, handing the state's gradient on  ->  dinputs, dstate0, dp."""
    dinputs, dp = [], None
    for place in reversed(range(len(walk.inputs))):
        who = walk.rows[place]
        if who is not None and dstate is None:
            dstate = namespace(walk.last).zeros_like(walk.last)
        with room(walk.inputs[place], keep):
            dx, dbefore, dpart = model.backward(douts[place], tape_of(model, keep, walk, place), taken(dstate, who))
        dstate = put(dstate, who, dbefore)
        dinputs.append(dx)
        dp = add(dp, dpart)
    return dinputs[::-1], dstate, dp


@contextmanager
def room(inputs, keep):
    """Say, where a GPU's memory ends inside the block, what would fit.

    inputs   x, or a tuple that begins with x
    keep     what is kept of the stretches already, "tapes" or "boundaries"
    """
    try:
        yield
    except MemoryError as error:
        x = inputs[0] if isinstance(inputs, tuple) else inputs
        if library(type(x)) != "cupy":
            raise
        free, fewer = namespace(x).cuda.Device().mem_info[0] / 2**20, max(1, len(x) // 4)
        put = f"put Chunked(..., {fewer}, keep='boundaries') around the model"
        raise MemoryError(
            f"{len(x)} steps at once do not fit into the GPU's memory, of which {free:,.0f} MiB are free ({error}): "
            f"expected fewer; {put if keep == 'tapes' else f'give Chunked the length {fewer}'}, or give fewer "
            "sequences at once.") from error


def tape_of(model, keep, walk, place):
    """The tape of one stretch, as kept or made again."""
    if keep == "tapes":
        return walk.kept[place]
    return run(model, walk.p, walk.inputs[place], walk.kept[place], noise_of(walk.noise, walk.rows[place]))[1]


def noise_of(noise, rows):
    """The noise of some sequences."""
    return noise if rows is None else map_leaves(lambda leaf: taken(leaf, rows), noise)


def longest(model, length, like):
    """Steps that are best run at once: `length` on a processor, for its cache; on a GPU as many as its memory allows.

    A GPU has no such cache, and every chunk costs it the launches anew.
    like   an array (T, B, ...) of the library that computes, or None for NumPy
    """
    if like is None or library(type(like)) != "cupy":
        return length
    numbers = model.inputs + ARRAYS * max(model.state_size, model.outputs)
    return max(length, device_memory(namespace(like)) // (2 * numbers * like.shape[1] * 8))


@dataclass(frozen=True)
class Chunked(Cell):
    """The same model, run over stretches of `length` steps with the state handed on: equal to one run, to rounding.

    length   steps in a chunk; None becomes model.chunk, how many keep the model's work in the processor's cache. With
             tapes a GPU takes more: as many as its memory allows
    keep     "tapes", or "boundaries": one state per stretch, and the stretch is run again in backward, for long
             sequences in little memory
    Chunked models nest. With lengths it stops at each sequence's end: outputs behind it are zero.
    """

    model: object
    length: int | None = None
    keep: str = "tapes"

    inputs = property(lambda self: self.model.inputs)
    outputs = property(lambda self: self.model.outputs)
    state_size = property(lambda self: self.model.state_size)
    state_slices = property(lambda self: self.model.state_slices)
    needs_noise = property(lambda self: self.model.needs_noise)
    chunk = property(lambda self: self.length)
    inner = property(lambda self: self.model)
    shapes = property(lambda self: self.model.shapes)
    decayed = property(lambda self: self.model.decayed)
    statistics = property(lambda self: self.model.statistics)
    needs_lengths = True

    def __post_init__(self):
        check_model("model", self.model)
        if self.length is None:
            object.__setattr__(self, "length", self.model.chunk)
        check_options(self, length=at_least(1), keep=one_of(KEEP))
        if self.model.whole:
            raise ValueError(
                f"{self.model!r} needs the whole sequence, for statistics over it or to look back over it: expected a "
                f"model that can be split; put Chunked around the cells between its batch norms and attentions."
            )

    def init(self, rng):
        """The model's start values."""
        return self.model.init(rng)

    def draw(self, rng, B):
        """The model's noise, the same for every stretch."""
        return self.model.draw(rng, B)

    def chunks(self, T, like=None):
        """The stretches of a sequence of T steps, as slices, for arrays of the library of `like` (T, B, ...)."""
        length = longest(self.model, self.length, like) if self.keep == "tapes" else self.length
        return [slice(start, min(start + length, T)) for start in range(0, T, length)]

    def forward(self, p, x, state=None, noise=None, lengths=None):
        """x (T, B, inputs), state (B, state_size) or None for zeros  ->  h (T, B, outputs), tape."""
        check_sequence("x", x, self.inputs)
        shape = x.shape[:2]
        pieces = pieces_of(self.chunks(len(x), x), check_lengths(lengths, *shape))
        inputs, rows = [part_of(x, piece) for piece in pieces], [piece.rows for piece in pieces]
        outputs, walk = walk_forward(self.model, self.keep, p, inputs, state, noise, rows)
        return joined(outputs, pieces, shape), Tape(walk, pieces, shape)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs), dstate (B, state_size), each None for zero  ->  dx, dstate0, dp."""
        walk, pieces, shape = opened(Tape, tape)
        if dh is not None:
            check_array("dh", dh, (*shape, self.outputs), walk.last)
        douts = [None if dh is None else part_of(dh, piece) for piece in pieces]
        dinputs, dstate0, dp = walk_backward(self.model, self.keep, douts, walk, dstate)
        return None if dinputs[0] is None else joined(dinputs, pieces, shape), dstate0, dp

    def last_state(self, tape):
        """The state after the last stretch, each sequence's at its own end, (B, state_size)."""
        return tape.walk.last

    def project(self, p):
        """The model's constraints."""
        return self.model.project(p)
