"""Our side: one forward and backward as a Network runs it, chunk by chunk, so that no output of full length exists.

A model that needs the whole sequence gets it.
"""

from collections import namedtuple

from ..arrays.backend import namespace
from ..networks.chunked import Chunked, walk_backward, walk_forward


class Stretch(namedtuple("Stretch", "cell share")):
    """One stretch of the sequence as a model whose output is its part of the mean over all states.

    share    (chunk, B, outputs)  that mean's gradient on every h[t]: one and the same number
    tape     the steps of the stretch, and the cell's tape
    """

    needs_noise = needs_lengths = False

    def forward(self, p, x, state):
        """The cell, and the sum of its outputs (einsum is faster at it than sum)."""
        h, tape = self.cell.forward(p, x, state)
        return namespace(h).einsum("tbh->", h), (len(x), tape)

    def backward(self, _, tape, dstate):
        """The cell's backward under the constant gradient of a mean."""
        steps, tape = tape
        return self.cell.backward(self.share[:steps], tape, dstate)

    def last_state(self, tape):
        """The cell's."""
        return self.cell.last_state(tape[1])


def prepare(cell, p, x, chunk):
    """step() -> loss, gradients by name: of every parameter and, as "x", of the input.    Nothing survives a step."""
    xp, (T, B, _) = namespace(x), x.shape
    pieces = [x[piece] for piece in (cell if cell.whole else Chunked(cell, chunk)).chunks(T, x)]

    def step():
        each = xp.full((B, cell.outputs), 1.0 / (T * B * cell.outputs), x.dtype)
        stretch = Stretch(cell, xp.broadcast_to(each, (len(pieces[0]), *each.shape)))
        sums, walk = walk_forward(stretch, "tapes", p, pieces, None)
        value = sum(sums) * each[0, 0] + (walk.last * walk.last).sum()
        dpieces, _, dp = walk_backward(stretch, "tapes", [None] * len(pieces), walk, 2.0 * walk.last)
        return value, {**dp, "x": xp.concatenate(dpieces)}

    return step
