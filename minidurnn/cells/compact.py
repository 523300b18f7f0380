"""Compact: any cell, with matrices that are made of fewer numbers."""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from ..arrays.affine import rows, rows_back, rows_product
from ..arrays.backend import namespace
from ..arrays.checks import check_array, check_parameters, initial_state, opened, shown
from ..arrays.toeplitz import as_defined
from .constraints import HAIR
from .contract import Cell, check_model
from .structures import LowRank, Projection, ToeplitzLike

Tape = namedtuple("Tape", "p h tape")                         # the cell's own output and tape, with whole matrices
EXPECTED = "LowRank(rank), ToeplitzLike(rank), Projection(rank), or pairs such as ((\"U\", LowRank(2)),)"


@dataclass(frozen=True)
class Compact(Cell):
    """A cell whose matrices are made of fewer numbers; its equations and its loop over time stay.    Lesson 20.

    cell      RNN, LSTM, DuRNN or any other that has matrices
    weights   LowRank(r) or ToeplitzLike(r): so is every matrix that reads the cell's own units, its `readers` (U of an
              RNN or LSTM; U_s, W_g and W_l of a DuRNN).
              Projection(r): they all read m = h P, and so does the next layer: the output is m in place of h.
              Pairs, (("U", ToeplitzLike(5)), ("W", LowRank(3))): so are these matrices, and no others
    Names     the numbers of U = A B are U_a and U_b, those of a Toeplitz-like U are U_g and U_s; P stays P
    Method    every pass makes the matrices once, runs the cell, and takes the gradient on each matrix back to its
              numbers. That is exact, for the loss depends on the numbers through the matrix alone. A chunk is at
              least 64 steps long, so that the matrices are not made too often
    A constraint on a matrix holds for the whole matrix: all its numbers are scaled. The state handed on is the cell's.
    Source    Lu, Sindhwani, Sainath 2016; other cells than RNN and LSTM, and the start values, are our reading.
    """

    cell: object
    weights: object

    inputs = property(lambda self: self.cell.inputs)
    outputs = property(lambda self: self.cell.outputs - self._saved)
    state_size = property(lambda self: self.cell.state_size)
    state_slices = property(lambda self: self.cell.state_slices)
    chunk = property(lambda self: max(64, self.cell.chunk))

    def __post_init__(self):
        check_model("cell", self.cell)
        object.__setattr__(self, "weights", self._checked())
        if getattr(self.cell, "projection", None) == "clip" and self.cell.bound:
            raise ValueError(f"the cell is {self.cell!r}: expected projection='rescale', for a matrix whose singular "
                             "values are clipped is no longer made of so few numbers.")

    @property
    def structures(self):
        """The structure of every matrix that has one, by its letter."""
        return dict(self._pairs)

    @property
    def shapes(self):
        """The shape of every parameter: the cell's, with a matrix's numbers in place of the matrix."""
        made, shapes = self.structures, {}
        for letter, shape in self.cell.shapes.items():
            own = made[letter].shapes(*shape) if letter in made else {}
            shapes |= {name: own[part] for part, name in self._names(letter).items()} if own else {letter: shape}
        return shapes

    @property
    def decayed(self):
        """The numbers of the matrices that weight decay touches, and the matrices that are none."""
        touched = [name for letter in self.cell.decayed for name in self._names(letter).values()]
        return tuple(dict.fromkeys(touched))

    def init(self, rng):
        """The cell's start values; in place of a matrix numbers that give it the mean square of the cell's own."""
        q, p = self.cell.init(rng), {}
        for letter, structure in self.structures.items():
            found = structure.start(rng, q[letter].shape, np.square(q[letter]).mean())
            p |= {name: found[part] for part, name in self._names(letter).items()}
        return self.project({name: p[name] if name in p else q[name] for name in self.shapes})

    def forward(self, p, x, state=None):
        """x (T, B, D), state (B, state_size) or None for zeros  ->  the cell's h, or m and what is beside h, tape."""
        state = initial_state(self, p, x, state)
        h, tape = self.cell.forward(self.expanded(p), x, state)
        return self._projected(h, p), Tape(p, h, tape)

    def backward(self, dh, tape, dstate=None):
        """dh (T, B, outputs), dstate (B, state_size) on the state handed on  ->  dx, dstate0, dp."""
        p, h, own = opened(Tape, tape)
        if dh is not None:
            check_array("dh", dh, (*h.shape[:2], self.outputs), h)
        dh, dp = self._projected_backward(dh, p, h)
        dx, dstate0, dq = self.cell.backward(dh, own, dstate)
        for letter, structure in self.structures.items():
            found = structure.whole_backward(dq.pop(letter), self._numbers(p, letter))
            for part, name in self._names(letter).items():    # P gets a gradient from every reader and from the output
                dp[name] = dp[name] + found[part] if name in dp else found[part]
        return dx, dstate0, {name: dp[name] if name in dp else dq[name] for name in self.shapes}

    def last_state(self, tape):
        """The cell's state to hand to the next stretch, (B, state_size)."""
        return self.cell.last_state(tape.tape)

    def project(self, p):
        """p with the cell's constraints, which hold for the whole matrices; p itself where they hold."""
        check_parameters(p, self.shapes)
        q = self.expanded(p)
        inside = self.cell.project(q)
        if inside is q:
            return p
        p = {name: inside.get(name, numbers) for name, numbers in p.items()}
        for letter in self.structures:
            M, new = q[letter], inside[letter]
            if new is not M:                                  # it was scaled: so are the numbers that are its alone
                factor = (new * M).sum() / (M * M).sum() * (1.0 - HAIR)
                last = list(self._names(letter).values())[-1]
                p[last] = p[last] * factor.astype(M.dtype)
        return p

    def expanded(self, p):
        """The cell's own parameters, with whole matrices  ->  dict."""
        made = self.structures
        return {letter: made[letter].whole(self._numbers(p, letter), shape[1]) if letter in made else p[letter]
                for letter, shape in self.cell.shapes.items()}

    @property
    def _pairs(self):
        """(letter, structure) of every matrix that has one."""
        named = isinstance(self.weights, tuple)
        return self.weights if named else tuple((letter, self.weights) for letter in self.cell.readers)

    @property
    def _saved(self):
        """How many outputs fewer a projection makes."""
        H = self.cell.shapes[self.cell.readers[0]][0] if self.cell.readers else 0
        return H - self.weights.rank if isinstance(self.weights, Projection) else 0

    def _names(self, letter):
        """The names of what a matrix is made of, by part."""
        made = self.structures
        return made[letter].names(letter) if letter in made else {"": letter}

    def _numbers(self, p, letter):
        return {part: p[name] for part, name in self._names(letter).items()}

    def _projected(self, h, p):
        """h (T, B, ...) with m in place of the units."""
        if not isinstance(self.weights, Projection):
            return h
        H = len(p["P"])
        m = rows(h[..., :H], p["P"])
        return m if h.shape[-1] == H else namespace(h).concatenate([m, h[..., H:]], axis=-1)

    def _projected_backward(self, dm, p, h):
        """The gradient on h, and on P as far as the output reads it."""
        if dm is None or not isinstance(self.weights, Projection):
            return dm, {}
        H, r = p["P"].shape
        dh = rows_back(dm[..., :r], p["P"])
        if h.shape[-1] > H:
            dh = namespace(h).concatenate([dh, dm[..., r:]], axis=-1)
        return dh, {"P": rows_product(h[..., :H], dm[..., :r])}

    def _checked(self):
        """The weights as they are stored.    Raises ValueError for what is none, is named wrongly or does not fit."""
        given, shapes = self.weights, getattr(self.cell, "shapes", {"/": ()})
        if any("/" in name for name in shapes):
            raise ValueError(f"the cell is {shown(self.cell)}: expected a cell with matrices of its own, which tells "
                             "their `shapes`; of a stack, put Compact around the cells in it.")
        if isinstance(given, (tuple, list)) and given and all(_is_pair(pair) for pair in given):
            given = tuple(map(tuple, given))
        elif not isinstance(given, (LowRank, ToeplitzLike)):
            raise ValueError(f"weights is {shown(given)}: expected {EXPECTED}.")
        shapes = {letter: shape for letter, shape in shapes.items() if len(shape) == 2}
        matrices = f"{', '.join(shapes) or 'none'}, the matrices of {shown(self.cell)}"
        if not isinstance(given, tuple) and not self.cell.readers:
            raise ValueError(f"weights is {given!r}, for matrices that read the units with which the output begins; "
                             f"there are none: expected pairs that name some of {matrices}.")
        letters = [letter for letter, _ in given] if isinstance(given, tuple) else self.cell.readers
        for letter, structure in given if isinstance(given, tuple) else [(letter, given) for letter in letters]:
            if letter not in list(shapes) or letters.count(letter) > 1:
                raise ValueError(f"weights names {shown(letter)}: expected some of {matrices}, each once.")
            most, why = structure.most(*shapes[letter])
            if structure.rank > most:
                raise ValueError(f"the rank of {letter} is {structure.rank}: expected at most {most}, {why}.")
        return given


def _is_pair(pair):
    return isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[1], (LowRank, ToeplitzLike)) \
        and not isinstance(pair[1], Projection)


def stepped(step):
    """The step of a Compact whose cell has this one: its matrices as their definitions read, plain NumPy."""
    def whole(compact, p, x, state):
        q = {}
        for letter, shape in compact.cell.shapes.items():
            a, b, g, s = (p.get(f"{letter}_{part}") for part in "abgs")
            if g is not None:
                q[letter] = compact.structures[letter].scale(shape[0]) * as_defined(g, s)[:, :shape[1]]
            else:
                q[letter] = p[letter] if letter in p else (p["P"] if a is None else a) @ b
        h, state = step(compact.cell, q, x, state)
        H = len(p.get("P", ""))
        return (np.hstack([h[:, :H] @ p["P"], h[:, H:]]) if H else h), state

    return whole
