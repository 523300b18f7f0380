"""What a matrix can be made of instead of its entries: fewer numbers, with the product and its backward.

Each structure is a frozen dataclass. Of a matrix M (rows, columns) its numbers are arrays by the names of `shapes`;
`product` is x M and never makes M, `whole` makes M, and each has its backward. `names` says what the numbers are called
among the parameters of a cell whose matrix has the letter.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import toeplitz
from ..arrays.affine import rows as product_of_rows
from ..arrays.affine import rows_back, rows_product
from ..arrays.backend import namespace
from ..arrays.checks import at_least, check_generator, check_options


class Structure:
    """What the structures have in common."""

    def __post_init__(self):
        check_options(self, rank=at_least(1))

    def names(self, letter):
        """The names of a matrix's numbers among the parameters, by part."""
        return {part: f"{letter}_{part}" for part in self.parts}

    def start(self, rng, shape, spread):
        """Normal numbers of one deviation, with which an entry of M has mean 0 and the mean square `spread`  ->  dict.

        An entry is a sum of N products of two of them, divided by d (`terms`): its mean square is N σ⁴ / d² (our
        choice).
        """
        terms, divisor = self.terms(shape[0])
        deviation = (float(spread) * divisor**2 / terms) ** 0.25
        return {part: _normal(rng, own, deviation) for part, own in self.shapes(*shape).items()}


@dataclass(frozen=True)
class LowRank(Structure):
    """M = A B of rank r, r (rows + columns) numbers.    Lesson 20, eq. 20.1."""

    rank: int                                                 # r

    parts = ("a", "b")

    def shapes(self, rows, columns):
        """The shapes of its numbers, by name."""
        return {"a": (rows, self.rank), "b": (self.rank, columns)}

    def most(self, rows, columns):
        """The largest rank of a matrix of this size, and what sets it."""
        return min(rows, columns), f"the shorter side of a matrix ({rows}, {columns})"

    def terms(self, rows):
        """How many products of two of its numbers are added up in an entry of M, and by what they are divided."""
        return self.rank, 1.0

    def whole(self, numbers, columns):
        """M (rows, columns)."""
        return numbers["a"] @ numbers["b"]

    def whole_backward(self, dM, numbers):
        """dM (rows, columns)  ->  the gradient on the numbers."""
        return {"a": dM @ numbers["b"].T, "b": numbers["a"].T @ dM}

    def product(self, x, numbers, columns):
        """x (..., rows)  ->  x M (..., columns), in r (rows + columns) steps for a row."""
        return product_of_rows(product_of_rows(x, numbers["a"]), numbers["b"])

    def product_backward(self, dy, x, numbers):
        """dy (..., columns)  ->  dx (..., rows), the gradient on the numbers."""
        a, b = numbers["a"], numbers["b"]
        m, dm = product_of_rows(x, a), rows_back(dy, b)       # (..., r); m is made again: it is small
        return rows_back(dm, a), {"a": rows_product(x, dm), "b": rows_product(m, dy)}


@dataclass(frozen=True)
class ToeplitzLike(Structure):
    """Squares of displacement rank r side by side, each a sum of r circulant × skew-circulant products.    Eq. 20.5.

    Its side n is the number of rows, and as many squares stand side by side as the columns take; what of the last one
    is beyond them is cut off (our choice). So the recurrent matrix (H, 4H) of an LSTM is one square a gate, and 2 r n
    numbers each. The products are by the fast Fourier transform, of any n.
    Our factor is 1 / (n √r) in place of the paper's ½, so that the numbers are of order 1 where M is of the size of an
    orthogonal matrix. With the ½, and numbers small enough for such an M, two short trainings failed at the rate 0.03
    and not at 0.01; with a still smaller M at the start they did not fail either (lesson 20, section 5). Why is open.
    """

    rank: int                                                 # r

    parts = ("g", "s")

    def shapes(self, rows, columns):
        """The shapes of its numbers, by name."""
        squares = -(-columns // rows)
        return {"g": (squares, self.rank, rows), "s": (squares, self.rank, rows)}

    def most(self, rows, columns):
        """The largest displacement rank of a matrix of this size, and what sets it."""
        return rows, f"the rows of a matrix ({rows}, {columns})"

    def terms(self, rows):
        """How many products of two of its numbers are added up in an entry of M, and by what they are divided."""
        return self.rank * rows, 2.0 / self.scale(rows)

    def scale(self, rows):
        """What the sum with the ½ is multiplied by."""
        return 2.0 / (rows * self.rank**0.5)

    def whole(self, numbers, columns):
        """M (rows, columns)."""
        return self.scale(len(numbers["g"][0, 0])) * toeplitz.whole(numbers["g"], numbers["s"])[:, :columns]

    def whole_backward(self, dM, numbers):
        """dM (rows, columns)  ->  the gradient on the numbers."""
        dM = self.scale(len(dM)) * _widened(dM, numbers["g"])
        dg, ds = toeplitz.whole_backward(dM, numbers["g"], numbers["s"])
        return {"g": dg, "s": ds}

    def product(self, x, numbers, columns):
        """x (..., rows)  ->  x M (..., columns), in r rows log rows steps for a row and a square."""
        return self.scale(x.shape[-1]) * toeplitz.product(x, numbers["g"], numbers["s"])[..., :columns]

    def product_backward(self, dy, x, numbers):
        """dy (..., columns)  ->  dx (..., rows), the gradient on the numbers."""
        dy = self.scale(x.shape[-1]) * _widened(dy, numbers["g"])
        dx, dg, ds = toeplitz.product_backward(dy, x, numbers["g"], numbers["s"])
        return dx, {"g": dg, "s": ds}


@dataclass(frozen=True)
class Projection(LowRank):
    """m = h P of r numbers in place of the H units: all that reads h reads m, the next layer too.    Eq. 20.3.

    Every matrix M (H, columns) that reads the units is P B: a low rank whose first factor all of them share.
    """

    def most(self, rows, columns):
        """The largest rank, and what sets it."""
        return rows, "the units that are projected"

    def names(self, letter):
        """P, the same for every letter, and B."""
        return {"a": "P", "b": f"{letter}_b"}

    def start(self, rng, shape, spread):
        """Normal numbers: m has the mean square of h, and an entry of M the mean square `spread`  ->  dict."""
        H, r = shape[0], self.rank
        deviations = {"a": H**-0.5, "b": (float(spread) * H / r) ** 0.5}
        return {part: _normal(rng, own, deviations[part]) for part, own in self.shapes(*shape).items()}


def _widened(d, g):
    """d (..., columns) with zeros for the columns that were cut off  ->  (..., squares · n)."""
    missing = len(g) * g.shape[-1] - d.shape[-1]
    xp = namespace(d)
    return xp.concatenate([d, xp.zeros((*d.shape[:-1], missing), d.dtype)], axis=-1) if missing else d


def _normal(rng, shape, deviation):
    return check_generator(rng).normal(0.0, deviation, shape).astype(np.float32)
