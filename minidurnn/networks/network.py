"""A network: a body, a read-out and a loss."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import (
    at_least,
    check_array,
    check_integers,
    check_names,
    check_options,
    check_parameters,
    check_sequence,
    one_of,
    opened,
)
from ..arrays.lengths import check_lengths, put, taken
from ..arrays.trees import some_leaf
from ..cells.contract import check_model
from .chunked import Piece, joined, noise_of, part_of, pieces_of, run, tape_of, walk_backward, walk_forward
from .layers import Linear
from .losses import LOSSES

Tape = namedtuple("Tape", "stretch keep walk")
Part = namedtuple("Part", "target places count")              # places: an index into h of what is read, None: all of it


@dataclass(frozen=True)
class Network:
    """A body, a linear read-out and a loss.

    reads       "last": one output per sequence, from its last step; "every": one output per step
    objective   "mse" with targets (B, outputs) or (T, B, outputs), "cross_entropy" with class numbers (B,) or (T, B);
                "bits" is the same with bits per answer as the metric, in place of the accuracy
    A Chunked body is walked chunk by chunk, read-out and loss included: no array over all steps but x exists.
    """

    body: object
    outputs: int
    objective: str = "mse"
    reads: str = "last"

    state_size = property(lambda self: self.body.state_size)
    readout = property(lambda self: Linear(self.body.outputs, self.outputs))
    parts = property(lambda self: {"body": self.body, "readout": self.readout})
    metric = property(lambda self: LOSSES[self.objective].metric)
    better = property(lambda self: LOSSES[self.objective].better)

    def __post_init__(self):
        check_model("body", self.body)
        choices = {"objective": one_of(tuple(LOSSES)), "reads": one_of(("last", "every"))}
        check_options(self, outputs=at_least(1), **choices)

    @property
    def decayed(self):
        """The paths of the parameters that weight decay touches."""
        return tuple(f"{name}/{path}" for name, part in self.parts.items() for path in part.decayed)

    @property
    def statistics(self):
        """The paths of the leaves of p that `updated` moves and no gradient."""
        return tuple(f"body/{path}" for path in self.body.statistics)

    def init(self, rng):
        """Start values  ->  {"body": the body's, "readout": {"W", "b"}}."""
        return {"body": self.body.init(rng), "readout": self.readout.init(rng)}

    def draw(self, rng, B):
        """What a training pass needs beside p, drawn once per batch (NumPy); `loss` without it evaluates."""
        return self.body.draw(rng, B)

    def loss(self, p, x, target, state=None, noise=None, lengths=None):
        """x (T, B, inputs), target, state (B, state_size) or None  ->  value, metric (0-d arrays), tape.

        lengths   NumPy integers (B,): x is padded on the right, and nothing behind a sequence's end is read
        """
        self.check(p)
        self._check_target(p, x, target)
        (pieces, lengths), inputs = self._pieces(x, lengths), []
        for piece in pieces:
            part = self._part(target, piece, lengths, x.shape[:2])
            inputs.append((part_of(x, piece), part, noise_of(noise, piece.rows), lengths if self.body.whole else None))
        stretch = Stretch(self.body.inner, self.readout, LOSSES[self.objective])
        rows = [piece.rows for piece in pieces]
        outputs, walk = walk_forward(stretch, self.body.keep, p, inputs, state, rows=rows)
        value, metric = (sum(parts) for parts in zip(*[output for output in outputs if output is not None]))
        return value, metric, Tape(stretch, self.body.keep, walk)

    def gradient(self, tape, dstate=None):
        """The gradient of the loss, plus dstate (B, state_size) on the state handed on  ->  dp like p, dstate0."""
        stretch, keep, walk = opened(Tape, tape)
        _, dstate0, dp = walk_backward(stretch, keep, [None] * len(walk.inputs), walk, dstate)
        return dp, dstate0

    def updated(self, p, tape):
        """p with the running statistics that the training pass has moved."""
        self.check(p)
        if not self.body.whole:
            return p
        return {**p, "body": self.body.updated(p["body"], tape_of(*opened(Tape, tape), 0)[0])}

    def last_state(self, tape):
        """The state to hand to the next stretch, each sequence's at its own last step, (B, state_size)."""
        return tape.walk.last

    def answers(self, x, target, lengths=None):
        """How many sequences or steps of a batch have a target: the loss is a mean over so many."""
        if self.reads == "last":
            return x.shape[1]
        return x.shape[0] * x.shape[1] if lengths is None else int(lengths.sum())

    def predict(self, p, x, state=None, lengths=None):
        """x (T, B, inputs)  ->  y (B, outputs) or (T, B, outputs), state (B, state_size), in evaluation.

        lengths   as in `loss`: y and the state are those at each sequence's own last step; behind it y is zero
        Of a body in chunks no tape is kept longer than a chunk takes; any other is run in one piece, with its tape.
        """
        self.check(p)
        (pieces, lengths), body, outputs, y = self._pieces(x, lengths), self.body.inner, [], None
        readout = self.readout
        for piece in pieces:
            own_lengths = lengths if self.body.whole else None
            h, tape = run(body, p["body"], part_of(x, piece), taken(state, piece.rows), None, own_lengths)
            state = put(state, piece.rows, body.last_state(tape))
            ending = self._ending(piece, lengths, x.shape[:2])
            if self.reads == "every":
                outputs.append(readout.forward(p["readout"], h)[0])
            elif ending is not None:
                rows, places = ending
                new = readout.forward(p["readout"], _at(h, places))[0][0]
                y = namespace(new).zeros((x.shape[1], self.outputs), new.dtype) if y is None else y
                y = put(y, rows, new)
            del h, tape                                       # or they stand in memory while the next ones are made
        return (joined(outputs, pieces, x.shape[:2]) if self.reads == "every" else y), state

    def project(self, p):
        """The body's constraints."""
        self.check(p)
        body = self.body.project(p["body"])
        return p if body is p["body"] else {**p, "body": body}

    def check(self, p):
        """Raise ValueError unless p is that of a whole network: the body's parameters alone have no read-out."""
        check_names(p, ("body", "readout"))
        shapes = {"W": (self.body.outputs, self.outputs), "b": (self.outputs,)}
        check_parameters(p["readout"], shapes, what="the parameters of the read-out are", at="p['readout']")

    def _pieces(self, x, lengths):
        """How the sequences are walked: a body that is `whole` gets all steps and the lengths  ->  Pieces, lengths."""
        check_sequence("x", x, self.body.inputs)
        lengths, T = check_lengths(lengths, *x.shape[:2]), len(x)
        whole = [Piece(slice(0, T), None)]
        return (whole if self.body.whole else pieces_of(self.body.chunks(T, x), lengths)), lengths

    def _ending(self, piece, lengths, shape):
        """The sequences that end within a piece and where in its h, (rows, (steps, places)); None where none does."""
        T, B = shape
        if lengths is None:
            return (None, (-1, slice(None))) if piece.steps.stop == T else None
        rows = np.arange(B) if piece.rows is None else piece.rows
        here = np.flatnonzero((lengths[rows] > piece.steps.start) & (lengths[rows] <= piece.steps.stop))
        return (rows[here], (lengths[rows[here]] - 1 - piece.steps.start, here)) if len(here) else None

    def _part(self, target, piece, lengths, shape):
        """What of the targets falls into a piece of time  ->  Part, or None where nothing does."""
        T, B = shape
        numbers = self.outputs if self.objective == "mse" else 1
        if self.reads == "last":
            ending = self._ending(piece, lengths, shape)
            return None if ending is None else Part(taken(target, ending[0])[None], ending[1], numbers * B)
        if lengths is None:
            return Part(target[piece.steps], None, numbers * T * B)
        total = numbers * int(lengths.sum())
        if not self.body.whole:                               # the pieces stop at the ends
            return Part(part_of(target, piece), None, total)
        places = np.nonzero(np.arange(T)[:, None] < lengths)
        return Part(_at(target, places), places, total)

    def _check_target(self, p, x, target):
        steps = x.shape[:2] if self.reads == "every" else x.shape[1:2]
        if self.objective == "mse":
            check_array("target", target, (*steps, self.outputs), like=some_leaf(p))
        else:
            check_integers("target", target, steps, like=some_leaf(p))


class Stretch(namedtuple("Stretch", "body readout loss")):
    """One stretch of a network as a model whose input is (x, part, noise, lengths), its output (value, metric).

    part     what of the targets falls into the stretch, a Part, or None where nothing does
    """

    needs_noise = needs_lengths = False                       # they are part of the input

    def forward(self, p, inputs, state):
        """Body, and where there are targets read-out and loss."""
        x, part, noise, lengths = inputs
        h, body_tape = run(self.body, p["body"], x, state, noise, lengths)
        if part is None:
            return None, (body_tape, h.shape, None, None, None)
        read = h if part.places is None else _at(h, part.places)
        y, read_tape = self.readout.forward(p["readout"], read)
        value, metric, loss_tape = self.loss.forward(y, part.target, part.count)
        return (value, metric), (body_tape, h.shape, part.places, read_tape, loss_tape)

    def backward(self, _, tape, dstate):
        """Back through the stretch  ->  None (data need no gradient), dstate0, dp."""
        body_tape, shape, places, read_tape, loss_tape = tape
        dh, dp = None, {}
        if loss_tape is not None:
            dy = self.loss.backward(loss_tape)
            dh, _, dp["readout"] = self.readout.backward(dy, read_tape)
            if places is not None:                            # some steps were read, the others have no gradient
                dread, dh = dh[0], namespace(dh).zeros(shape, dh.dtype)
                dh[_moved(places, dh)] = dread
        _, dstate0, dp["body"] = self.body.backward(dh, body_tape, dstate)
        return None, dstate0, dp

    def last_state(self, tape):
        """The body's."""
        return self.body.last_state(tape[0])


def _at(array, places):
    """What stands at some (step, sequence) of an array (T, B, ...)  ->  (1, places, ...), as one step of a sequence."""
    return array[_moved(places, array)][None]


def _moved(places, like):
    """An index of NumPy integers in the library of the array that it indexes."""
    return tuple(namespace(like).asarray(part) if isinstance(part, np.ndarray) else part for part in places)
