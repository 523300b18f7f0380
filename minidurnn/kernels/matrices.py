"""The twins of matrix_scan, lstm_scan and gru_scan: a block walks a tile of the batch through all steps.

The block keeps of the recurrent matrix as many rows as there is room for on its chip; the gradient on the matrix is
one product afterwards.
"""

import sys

from ..arrays.affine import rows_product, rows_sum
from ..arrays.backend import namespace
from .columns import code
from .loading import attribute, kernel, packed, pointer

TILES = (1, 2, 4)                                             # sequences of a tile, as recurrences.cu knows them
THREADS = 512                                                 # in a block, at most: recurrences.cu promises no more
WARP = 32                                                     # threads that run together
MOST_HELD = 9                                                 # an LSTM's da, twice, and its dc
LARGEST = 2**20                                               # bytes of U above which cuBLAS, asked at every step,
                                                              # should be faster: a guess
CHIP = "MaxSharedMemoryPerBlockOptin"                         # bytes of shared memory that a block can have


def fits(U, h0):
    """Whether a matrix is one for these kernels, and what a block hands on has room on its chip."""
    held = MOST_HELD * h0.shape[1] * h0.dtype.itemsize
    return h0.size > 0 and U.nbytes <= LARGEST and held <= attribute(sys.modules["cupy"], CHIP)


def plan(M, like, held):
    """How the work on an array (T, B, H) is divided  ->  R sequences of a tile, rows of M that a block keeps.

    One sequence a block, the fastest walk, as long as every block has a multiprocessor of its own.
    """
    (_, B, H), size, (rows, width) = like.shape, like.dtype.itemsize, M.shape
    processors, chip = (attribute(sys.modules["cupy"], name) for name in ("MultiProcessorCount", CHIP))
    possible = [R for R in TILES if held * R * H * size <= chip]
    R = next((R for R in possible if R * processors >= B), possible[-1])
    return R, min(rows, (chip // size - held * R * H) // width)


def launch(name, like, M, held, *arguments):
    """Walk tiles of the batch through the steps of an array (T, B, H) like this one, with a kernel and what is its own.

    M       the matrix with which the kernel multiplies at every step
    held    numbers of each sequence that a block holds on the chip, in units of H
    """
    (T, B, H), (R, kept) = like.shape, plan(M, like, held)
    shared = (kept * M.shape[1] + held * R * H) * like.dtype.itemsize
    function = kernel(like, name)
    if shared > function.max_dynamic_shared_size_bytes:
        function.max_dynamic_shared_size_bytes = shared
    blocks, threads = (B + R - 1) // R, min(THREADS, (H + WARP - 1) // WARP * WARP)
    function((blocks,), (threads,), (T, B, H, kept, R, *map(pointer, arguments)), shared_mem=shared)


def matrix_scan(a, U, h0, activation):
    """h[t] = φ(a[t] + h[t-1] U)  ->  h (T, B, H)."""
    xp, (T, B, H) = namespace(a, U, h0), a.shape
    a, U, h0 = packed(xp, a, T, B, H), packed(xp, U, H, H), packed(xp, h0, B, H)
    h = xp.empty_like(a)
    launch("matrix_scan", h, U, 2, a, U, h0, h, code(activation))
    return h


def matrix_scan_backward(dh, h, U, h0, activation, carry=None):
    """da[t] = φ'[t] ⊙ (dh[t] + da[t+1] Uᵀ)  ->  da (T, B, H), dU (H, H), dh0 (B, H)."""
    xp, (T, B, H) = namespace(dh, h, U, h0, carry), h.shape
    dh, h, U_back = packed(xp, dh, T, B, H), packed(xp, h, T, B, H), packed(xp, U.T, H, H)
    h0, carry = packed(xp, h0, B, H), packed(xp, carry, B, H)
    da, dh0 = xp.empty_like(h), xp.empty_like(h0)
    launch("matrix_scan_backward", h, U_back, 2, dh, h, U_back, carry, da, dh0, code(activation))
    return da, rows_product(before(xp, h0, h), da), dh0


def lstm_scan(a, U, h0, c0):
    """The LSTM's loop  ->  h, c (T, B, H), gates (T, 4, B, H), tanh(c) (T, B, H)."""
    xp, T, (B, H) = namespace(a, U, h0, c0), len(a), h0.shape
    a, U = packed(xp, a, T, B, 4 * H), packed(xp, U, H, 4 * H)
    h0, c0 = packed(xp, h0, B, H), packed(xp, c0, B, H)
    h, c, tanh_c = (xp.empty((T, B, H), a.dtype) for _ in range(3))
    gates = xp.empty((T, 4, B, H), a.dtype)
    launch("lstm_scan", h, U, 3, a, U, h0, c0, h, c, gates, tanh_c)
    return h, c, gates, tanh_c


def lstm_scan_backward(dh, h, c, gates, tanh_c, U, h0, c0, carry=None, carry_c=None):
    """The gradient on all that lstm_scan is given  ->  da (T, B, 4H), dU (H, 4H), dh0, dc0 (B, H)."""
    xp, (T, B, H) = namespace(dh, h, c, gates, tanh_c, U, h0, c0, carry, carry_c), h.shape
    dh, h, c, tanh_c = (packed(xp, array, T, B, H) for array in (dh, h, c, tanh_c))
    h0, c0, carry, carry_c = (packed(xp, array, B, H) for array in (h0, c0, carry, carry_c))
    gates, U_back = packed(xp, gates, T, 4, B, H), packed(xp, U.T, 4 * H, H)
    da, dh0, dc0 = xp.empty((T, B, 4 * H), h.dtype), xp.empty_like(h0), xp.empty_like(h0)
    launch("lstm_scan_backward", h, U_back, 9, dh, c, gates, tanh_c, U_back, c0, carry, carry_c, da, dh0, dc0)
    return da, rows_product(before(xp, h0, h), da), dh0, dc0


def gru_scan(a, U, c, h0):
    """The GRU's loop  ->  h (T, B, H), gates (T, 3, B, H), m = h[t-1] U_n + c (T, B, H)."""
    xp, T, (B, H) = namespace(a, U, c, h0), len(a), h0.shape
    a, U, c, h0 = packed(xp, a, T, B, 3 * H), packed(xp, U, H, 3 * H), packed(xp, c, H), packed(xp, h0, B, H)
    h, m, gates = (xp.empty((T, *shape), a.dtype) for shape in ((B, H), (B, H), (3, B, H)))
    launch("gru_scan", h, U, 2, a, U, c, h0, h, gates, m)
    return h, gates, m


def gru_scan_backward(dh, h, gates, m, U, h0, carry=None):
    """The gradient on all that gru_scan is given  ->  da (T, B, 3H), dU (H, 3H), dc (H,), dh0 (B, H)."""
    xp, (T, B, H) = namespace(dh, h, gates, m, U, h0, carry), h.shape
    dh, h, m = (packed(xp, array, T, B, H) for array in (dh, h, m))
    h0, carry = packed(xp, h0, B, H), packed(xp, carry, B, H)
    gates, U_back = packed(xp, gates, T, 3, B, H), packed(xp, U.T, 3 * H, H)
    da, behind, dh0 = xp.empty((T, B, 3 * H), h.dtype), xp.empty((T, B, 3 * H), h.dtype), xp.empty_like(h0)
    launch("gru_scan_backward", h, U_back, 7, dh, h, gates, m, U_back, h0, carry, da, behind, dh0)
    return da, rows_product(before(xp, h0, h), behind), rows_sum(behind[..., 2 * H:]), dh0


def before(xp, h0, h):
    """The states in front of every step, h[t-1] (T, B, H)."""
    return xp.concatenate([h0[None], h[:-1]])
