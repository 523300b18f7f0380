"""A network: a body, a read-out and a loss; and how large it is."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.backend import namespace
from ..arrays.checks import check_array, check_choice, check_classes, check_names, check_positive, check_sequence
from ..arrays.lengths import check_lengths, choose, ends_in, last_step, valid_steps
from ..arrays.trees import count
from ..cells.contract import check_model, run
from .chunked import last_states, tape_of, walk_backward, walk_forward
from .layers import Linear
from .losses import LOSSES

Tape = namedtuple("Tape", "stretch keep walk pieces lengths")
Part = namedtuple("Part", "target steps valid count")         # steps (B,) counted from 1, or None for all of the stretch


@dataclass(frozen=True)
class Network:
    """A body, a linear read-out and a loss.

    reads       "last": one output per sequence, from the last step; "every": one output per step
    objective   "mse" with targets (B, outputs) or (T, B, outputs), "cross_entropy" with class numbers (B,) or (T, B)
    A Chunked body is walked chunk by chunk, read-out and loss included: no array over all steps but x exists.
    """

    body: object
    outputs: int
    objective: str = "mse"
    reads: str = "last"

    state_size = property(lambda self: self.body.state_size)
    decayed = property(lambda self: (*(f"body/{path}" for path in self.body.decayed), *(f"readout/{path}" for path in self.readout.decayed)))
    readout = property(lambda self: Linear(self.body.outputs, self.outputs))
    metric = property(lambda self: LOSSES[self.objective].metric)
    better = property(lambda self: LOSSES[self.objective].better)

    def __post_init__(self):
        check_model("body", self.body)
        check_positive(outputs=self.outputs)
        check_choice("objective", self.objective, tuple(LOSSES))
        check_choice("reads", self.reads, ("last", "every"))

    def init(self, rng):
        """Start values  ->  {"body": the body's, "readout": {"W", "b"}}."""
        return {"body": self.body.init(rng), "readout": self.readout.init(rng)}

    def draw(self, rng, B):
        """What a training pass needs beside p, drawn once per batch (NumPy); `loss` without it evaluates."""
        return self.body.draw(rng, B)

    def loss(self, p, x, target, state=None, noise=None, lengths=None):
        """x (T, B, inputs), target, state (B, state_size) or None  ->  value, metric (0-d arrays), tape.

        lengths   NumPy integers (B,): x is padded on the right, and nothing behind a sequence's end counts
        """
        stretch, keep, pieces = self._stretches(p, x, lengths)
        self._check_target(p, x, target)
        inputs = [(x[piece], self._part(target, piece, lengths, x.shape[:2], p["readout"]["W"]), noise, lengths) for piece in pieces]
        outputs, walk = walk_forward(stretch, keep, p, inputs, state)
        value, metric = (sum(parts) for parts in zip(*[output for output in outputs if output is not None]))
        return value, metric, Tape(stretch, keep, walk, pieces, lengths)

    def gradient(self, tape, dstate=None):
        """The gradient of the loss, plus dstate (B, state_size) on the state handed on  ->  dp like p, dstate0."""
        stretch, keep, walk, _, lengths = tape
        if lengths is not None and dstate is not None:
            raise ValueError("dstate was given for sequences of different lengths: expected None; a gradient on states at different steps is not supported.")
        _, dstate0, dp = walk_backward(stretch, keep, [None] * len(walk.inputs), walk, dstate)
        return dp, dstate0

    def updated(self, p, tape):
        """p with the running statistics that the training pass has moved."""
        stretch, keep, walk, *_ = tape
        if not self.body.whole:
            return p
        return {**p, "body": self.body.updated(p["body"], tape_of(stretch, keep, walk, 0)[0])}

    def last_state(self, tape):
        """The state to hand to the next stretch, each sequence's at its own last step, (B, state_size)."""
        stretch, keep, walk, pieces, lengths = tape
        return walk.last if lengths is None else last_states(stretch, keep, walk, pieces, lengths)

    def predict(self, p, x, state=None, lengths=None):
        """x (T, B, inputs)  ->  y (B, outputs) or (T, B, outputs), state (B, state_size). Evaluation; keeps no tape.

        lengths   as in `loss`: y and the state are those at each sequence's own last step
        """
        stretch, _, pieces = self._stretches(p, x, lengths)
        outputs, y, last = [], None, None
        for piece in pieces:
            h, tape = run(stretch.body, p["body"], x[piece], state, None, lengths)
            state = stretch.body.last_state(tape)
            steps, here = ends_in(piece, *x.shape[:2], lengths)
            if self.reads == "every":
                outputs.append(self.readout.forward(p["readout"], h)[0])
            if here.any():
                last = choose(here, stretch.body.last_state(tape, steps), last)
                if self.reads == "last":
                    y = choose(here, self.readout.forward(p["readout"], last_step(h, steps)[None])[0][0], y)
        return (namespace(*outputs).concatenate(outputs) if self.reads == "every" else y), last

    def project(self, p):
        """The body's constraints."""
        body = self.body.project(p["body"])
        return p if body is p["body"] else {**p, "body": body}

    def _stretches(self, p, x, lengths):
        """How the sequence is walked  ->  a Stretch, what is kept of it, the pieces of time."""
        check_names(p, ("body", "readout"))
        check_sequence("x", x, self.body.inputs)
        check_lengths(lengths, *x.shape[:2])
        return Stretch(self, self.body.inner), self.body.keep, self.body.chunks(len(x))

    def _part(self, target, piece, lengths, shape, like):
        """What of the targets falls into a piece of time  ->  Part, or None where nothing does."""
        T, B = shape
        numbers = self.outputs if self.objective == "mse" else 1
        if self.reads == "every":
            valid = None if lengths is None else valid_steps(lengths, T, like)[piece, :, 0]
            return Part(target[piece], None, valid, numbers * (T * B if lengths is None else int(lengths.sum())))
        steps, here = ends_in(piece, T, B, lengths)
        if not here.any():
            return None
        valid = None if here.all() else namespace(like).asarray(here[None].astype(like.dtype))
        return Part(target[None], steps, valid, numbers * B)

    def _check_target(self, p, x, target):
        steps = x.shape[:2] if self.reads == "every" else x.shape[1:2]
        if self.objective == "mse":
            check_array("target", target, (*steps, self.outputs), like=p["readout"]["W"])
        else:
            check_classes("target", target, steps, self.outputs, like=p["readout"]["W"])


class Stretch(namedtuple("Stretch", "network body")):
    """One stretch of a network as a model whose input is (x, part, noise, lengths) and whose output is (value, metric).

    part     what of the targets falls into the stretch, a Part, or None where nothing does
    """

    needs_noise = needs_lengths = False                       # they are part of the input

    def forward(self, p, inputs, state):
        """Body, and where there are targets read-out and loss."""
        x, part, noise, lengths = inputs
        h, body_tape = run(self.body, p["body"], x, state, noise, lengths)
        if part is None:
            return None, (body_tape, h.shape, None, None, None)
        read = h if part.steps is None else last_step(h, part.steps)[None]
        y, read_tape = self.network.readout.forward(p["readout"], read)
        value, metric, loss_tape = LOSSES[self.network.objective].forward(y, part.target, part.count, part.valid)
        return (value, metric), (body_tape, h.shape, part.steps, read_tape, loss_tape)

    def backward(self, _, tape, dstate):
        """Back through the stretch  ->  None (data need no gradient), dstate0, dp."""
        body_tape, shape, steps, read_tape, loss_tape = tape
        dh, dp = None, {}
        if loss_tape is not None:
            dh, _, dp["readout"] = self.network.readout.backward(LOSSES[self.network.objective].backward(loss_tape), read_tape)
            if steps is not None:                             # one step of each sequence was read
                xp = namespace(dh)
                dread, dh = dh, xp.zeros(shape, dh.dtype)
                dh[xp.asarray(steps - 1), xp.arange(shape[1])] = dread[0]
        _, dstate0, dp["body"] = self.body.backward(dh, body_tape, dstate)
        return None, dstate0, dp

    def last_state(self, tape, lengths=None):
        """The body's."""
        return self.body.last_state(tape[0], lengths)


def width_for(body, outputs, parameters):
    """The units for which a network with body(units) and a linear read-out comes closest to so many trained numbers."""
    def size(units):
        return count_parameters(Network(body(units), outputs))

    low, high = 1, 2
    while size(high) < parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if size(middle) < parameters else (low, middle)
    return min((low, high), key=lambda units: abs(size(units) - parameters))


def count_parameters(network):
    """How many trained numbers a network has."""
    return count(network.init(np.random.default_rng(0)))
