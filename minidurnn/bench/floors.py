"""The floor under a cell's time: what its forward and backward cannot do without, counted here, measured where it runs.

The floor of a cell is the sum of four parts. Each is measured by doing just that work in turns with the cell:

products    every matrix product as the cell calls it: number, sizes, orientation
tanh        every tanh as one array of a step
passes      what the operations on elements read and write, in arrays of a step, at the speed of copying a stretch
calls       NumPy's own time for each of those operations within the loops over time

An operation of the equations reads every array that it takes once and writes its result once; a vector or a number
costs nothing. So a + h U has one product and three passes, and relu has two. That is the least that NumPy, which has
no two operations in one, can do. Not counted is what could be left out: checks, new memory, changes of layout, and all
that is done once for a stretch of many steps. The loss reads every output once, and gives every one a gradient.

rnn, short-term   a + hU 3, [relu 2], loss 1; back: φ' = 1 - h² 4 [relu' 2], dh + 3, ⊙ φ' 3
indrnn            u ⊙ h 2, + a 3, relu 2, loss 1; back: relu' 2, dh + 3, ⊙ relu' 3, u ⊙ 2, du 2
durnn             s: 3, relu 2; σ: + 3, its ½(1 + tanh) 4; g ⊙ c 3; l: u ⊙ 2, + 3, relu 2; [s, l] 4, loss 2;
                  back: l: 2, 3, 3, 2, 2; ⊙ g 3; σ' with c 8; two sums at s 6; s: 2, 3, 3
lstm              a + hU 12, three ½(1 + tanh) 12, c 9, h 3, loss 1; back: ∂h/∂c = o - h ⊙ tanh c 6, to dc 6, dh + 3,
                  o (1 - o) tanh c = h (1 - o) 5, i' z 8, f' c 8, z' i 7, each ⊙ what arrives 12, dc ⊙ f 3
gru               a + hU 6, two ½(1 + tanh) 8, m 2, n 6, h = n + z (h - n) 9, loss 1; back: r' m 8, z' (h - n) 11,
                  n' (1 - z) 7, dh + 3, four ⊙ what arrives 12, total ⊙ z + 6
"""

from collections import Counter, namedtuple
from itertools import repeat

import numpy as np

PARTS = ("products", "tanh", "passes", "calls")
LIMIT = 1.3                                                   # times the floor that ours may take

Step = namedtuple("Step", "tanh passes calls")                # of one time step; tanh and passes in arrays (B, H)
STEPS = {                                                     # calls: operations on elements within the loops
    "rnn": Step(1, 14, 3),
    "short-term": Step(0, 14, 4),
    "indrnn": Step(0, 20, 6),
    "durnn": Step(1, 65, 10),
    "lstm": Step(5, 95, 13),
    "gru": Step(3, 79, 16),
}


def products(cell, n, B, D, H):
    """The matrix products of a stretch of n steps  ->  of each: number, two shapes, whether the first is transposed."""
    rows = n * B

    def affine(D, H):                                         # x W + b over all rows, the gradients on x, W and b
        return [(1, (rows, D + 1), (D + 1, H), False), *backward(D, H), (1, (rows,), (rows, H), False)]

    def backward(D, H):
        return [(1, (rows, H), (H, D), False), (1, (rows, D), (rows, H), True)]

    def recurrence(gates):                                    # forward gate by gate, back and on U all at once
        forward = (H, H) if gates == 1 else (gates, H, H)
        back = [(n, (B, gates * H), (gates * H, H), False), (1, (rows, H), (rows, gates * H), True)]
        return [(n, (B, H), forward, False), *back]

    if cell == "indrnn":
        return affine(D, H)
    if cell == "durnn":                                       # W_s and V_g; U_s; W_l; W_g
        return 2 * affine(D, H) + recurrence(1) + affine(H, H) + [(1, (rows, H), (H, H), False), *backward(H, H)]
    gates, c = {"lstm": 4, "gru": 3}.get(cell, 1), [(1, (rows,), (rows, H), False)]       # c: a bias in the loop
    return affine(D, gates * H) + recurrence(gates) + (c if cell == "gru" else [])


def prepare(part, cell, workload, chunk):
    """step() that does one part of the floor of a whole forward and backward, and nothing else."""
    T, B, D, H = workload[:4]
    chunk, (tanh, passes, calls) = min(chunk, T), STEPS[cell]
    if part == "products":
        stretches = Counter(min(chunk, T - start) for start in range(0, T, chunk))
        todo = [(times * number, product(*shapes)) for n, times in stretches.items()
                for number, *shapes in products(cell, n, B, D, H)]
    elif part == "tanh":
        todo = [(tanh * T, on_arrays(lambda a, out: np.tanh(a, out=out), (B, H)))]
    elif part == "passes":                                    # a copy of n steps has 2 n
        todo = [(round(passes * T / (2 * chunk)), on_arrays(lambda a, out: np.copyto(out, a), (chunk, B, H)))]
    else:
        todo = [(calls * T, on_arrays(lambda a, out: np.add(a, a, out=out), (1,)))]

    def step():
        for number, do in todo:
            for _ in repeat(None, number):
                do()

    return step


def product(left, right, transposed):
    """One matrix product of arrays of these shapes, into an array that is there."""
    left, right = drawn(left), drawn(right)
    left = left.T if transposed else left
    out = np.empty_like(left @ right)
    return lambda: np.matmul(left, right, out=out)


def on_arrays(operation, shape):
    """One operation on the elements of an array of this shape, into an array that is there."""
    given, out = drawn(shape), np.empty(shape, np.float32)
    return lambda: operation(given, out)


def drawn(shape):
    """Random numbers, float32."""
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
