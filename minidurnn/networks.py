"""A network: a body, a read-out and a loss."""

from collections import namedtuple
from dataclasses import dataclass

from .backend import namespace
from .checks import check_array, check_choice, check_classes, check_names, check_positive
from .chunked import Chunked, walk_backward, walk_forward
from .layers import Linear
from .losses import LOSSES


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
    readout = property(lambda self: Linear(self.body.outputs, self.outputs))
    metric = property(lambda self: LOSSES[self.objective].metric)
    better = property(lambda self: LOSSES[self.objective].better)

    def __post_init__(self):
        check_positive(outputs=self.outputs)
        check_choice("objective", self.objective, tuple(LOSSES))
        check_choice("reads", self.reads, ("last", "every"))

    def init(self, rng):
        """Start values  ->  {"body": the body's, "readout": {"W", "b"}}."""
        return {"body": self.body.init(rng), "readout": self.readout.init(rng)}

    def loss(self, p, x, target, state=None):
        """x (T, B, inputs), target, state (B, state_size) or None  ->  value, metric (0-d arrays), tape."""
        stretch, keep, pieces = self._stretches(p, x)
        self._check_target(x, target)
        count = target.size
        targets = [target[piece] if self.reads == "every" else None for piece in pieces]
        if self.reads == "last":
            targets[-1] = target[None]
        inputs = [(x[piece], part, count) for piece, part in zip(pieces, targets)]
        outputs, walk = walk_forward(stretch, keep, p, inputs, state)
        value, metric = (sum(parts) for parts in zip(*[output for output in outputs if output is not None]))
        return value, metric, (stretch, keep, walk)

    def gradient(self, tape, dstate=None):
        """The gradient of the loss, plus dstate (B, state_size) on the state handed on  ->  dp like p, dstate0."""
        stretch, keep, walk = tape
        _, dstate0, dp = walk_backward(stretch, keep, [None] * len(walk.inputs), walk, dstate)
        return dp, dstate0

    def last_state(self, tape):
        """The state to hand to the next stretch of the sequence, (B, state_size)."""
        return tape[2].last

    def predict(self, p, x, state=None):
        """x (T, B, inputs)  ->  y (B, outputs) or (T, B, outputs), state (B, state_size). Keeps no tape."""
        stretch, _, pieces = self._stretches(p, x)
        outputs = []
        for piece in pieces:
            h, tape = stretch.body.forward(p["body"], x[piece], state)
            state = stretch.body.last_state(tape)
            if self.reads == "every" or piece is pieces[-1]:
                outputs.append(self.readout.forward(p["readout"], h if self.reads == "every" else h[-1:])[0])
        y = namespace(*outputs).concatenate(outputs)
        return (y if self.reads == "every" else y[0]), state

    def project(self, p):
        """The body's constraints."""
        body = self.body.project(p["body"])
        return p if body is p["body"] else {**p, "body": body}

    def _stretches(self, p, x):
        check_names(p, ("body", "readout"))
        check_array("x", x, ("T", "B", self.body.inputs))
        if isinstance(self.body, Chunked):
            return Stretch(self, self.body.model), self.body.keep, self.body.chunks(len(x))
        return Stretch(self, self.body), "tapes", [slice(0, len(x))]

    def _check_target(self, x, target):
        steps = x.shape[:2] if self.reads == "every" else x.shape[1:2]
        if self.objective == "mse":
            check_array("target", target, (*steps, self.outputs), like=x)
        else:
            check_classes("target", target, steps, self.outputs, like=x)


class Stretch(namedtuple("Stretch", "network body")):
    """One stretch of a network as a model whose input is (x, target, count) and whose output is (value, metric)."""

    def forward(self, p, inputs, state):
        """Body, and read-out and loss where there is a target; reading the last step, only the last stretch has one."""
        x, target, count = inputs
        h, body_tape = self.body.forward(p["body"], x, state)
        if target is None:
            return None, (body_tape, h.shape, None, None)
        y, read_tape = self.network.readout.forward(p["readout"], h[-len(target):])
        value, metric, loss_tape = LOSSES[self.network.objective].forward(y, target, count)
        return (value, metric), (body_tape, h.shape, read_tape, loss_tape)

    def backward(self, _, tape, dstate):
        """Back through the stretch  ->  None (data need no gradient), dstate0, dp."""
        body_tape, shape, read_tape, loss_tape = tape
        dh, dp = None, {}
        if loss_tape is not None:
            dread, _, dp["readout"] = self.network.readout.backward(LOSSES[self.network.objective].backward(loss_tape), read_tape)
            dh = dread
            if len(dread) < shape[0]:                         # only the last step was read
                dh = namespace(dread).zeros(shape, dread.dtype)
                dh[-1:] = dread
        _, dstate0, dp["body"] = self.body.backward(dh, body_tape, dstate)
        return None, dstate0, dp

    def last_state(self, tape):
        """The body's."""
        return self.body.last_state(tape[0])
