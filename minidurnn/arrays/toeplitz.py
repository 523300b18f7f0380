"""Toeplitz-like matrices: rows times them by the fast Fourier transform, and the whole matrices; both backward passes.

    M = ½ Σ_k C(g_k) S(J s_k),    C(v)[i, j] = v[(i - j) mod n],    S(v) = C(v) with all above the diagonal negative

C is a circulant matrix, S a skew-circulant one, J s is s backwards. So C(v)[i + 1, j + 1] = C(v)[i, j]: moved down and
right by one, M differs from itself by Σ_k g_k ⊗ s_k alone, a matrix of rank r ("displacement rank").
Shapes   g, s (squares, r, n): matrices of side n side by side, M (n, squares · n); x (..., n); any n, no power of two
Source   Lu, Sindhwani, Sainath 2016, with rows in place of columns; the backward passes and `whole` are ours.
"""

import numpy as np

from .backend import namespace


def product(x, g, s):
    """x M without M, in n log n for a row  ->  y (..., squares · n)."""
    xp, n = namespace(x, g, s), g.shape[-1]
    X, G, S = there(x.reshape(-1, n)), there(g), there(s[..., ::-1], skew=True)
    squares = []
    for G_square, S_square in zip(G, S):
        total = sum(there(here(X * G_k.conj(), n), skew=True) * S_k.conj() for G_k, S_k in zip(G_square, S_square))
        squares.append(here(total, n, skew=True))
    y = 0.5 * xp.concatenate(squares, axis=-1)
    return y.astype(x.dtype, copy=False).reshape(*x.shape[:-1], -1)


def product_backward(dy, x, g, s):
    """The gradient on all that product is given: dy (..., squares · n)  ->  dx (..., n), dg, ds (squares, r, n)."""
    xp, n = namespace(dy, x, g, s), g.shape[-1]
    X, G, S = there(x.reshape(-1, n)), there(g), there(s[..., ::-1], skew=True)
    dg, ds, dX = xp.empty(g.shape, g.dtype), xp.empty(s.shape, s.dtype), 0.0
    for square, dy_square in enumerate(xp.split(0.5 * dy.reshape(-1, dy.shape[-1]), len(g), axis=-1)):
        D = there(dy_square, skew=True)
        for k, (G_k, S_k) in enumerate(zip(G[square], S[square])):
            A = there(here(X * G_k.conj(), n), skew=True)     # of x C(g_k), made again: a tape of r · T · B rows less
            dA = there(here(D * S_k, n, skew=True))           # the gradient on it: times S transposed, no conj
            ds[square, k] = here((A * D.conj()).sum(0), n, skew=True)[::-1]
            dg[square, k] = here((X * dA.conj()).sum(0), n)
            dX = dX + dA * G_k
    return here(dX, n).astype(x.dtype, copy=False).reshape(x.shape), dg, ds


def there(v, skew=False):
    """The spectrum of real rows v (..., n): for a circulant matrix n // 2 + 1 numbers, for a skew one n, turned first.

    Turned by half a circle over n steps, what begins anew with its sign changed begins anew as it is.
    """
    xp = namespace(v)
    return xp.fft.fft(v * _turns(v.shape[-1], v).conj()) if skew else xp.fft.rfft(v)


def here(V, n, skew=False):
    """The real rows (..., n) of a spectrum that `there` gave."""
    xp = namespace(V)
    return (xp.fft.ifft(V) * _turns(n, V)).real if skew else xp.fft.irfft(V, n)


def _turns(n, like):
    """exp(iπ j / n), j = 0 ... n - 1, as precise as `like`."""
    xp = namespace(like)
    single = like.dtype in ("float32", "complex64")
    return xp.exp(xp.arange(n) * (1j * xp.pi / n)).astype("complex64" if single else "complex128")


def whole(g, s):
    """M itself, in r n² and a few passes over it  ->  (n, squares · n).

    Along each of its diagonals, which begin anew at the edges, an entry is the one before less an entry of Σ_k g_k ⊗
    s_k; the edge changes the sign, which fixes the first entry: half the sum of what the whole round takes off.
    """
    xp, (squares, _, n) = namespace(g, s), g.shape
    M = xp.empty((n, squares, n), g.dtype)
    for square in range(squares):                             # one by one they stay in a processor's cache
        taken = _turned(s[square].T @ g[square], 1, 1)        # (j, diagonal): Σ_k s_k[j] g_k[j + diagonal + 1]
        sums = _running(taken)
        M[:, square] = _turned(0.5 * sums[-1] - sums + taken, -1, 0).T
    return M.reshape(n, squares * n)


def whole_backward(dM, g, s):
    """The gradient on what whole is given: dM (n, squares · n)  ->  dg, ds (squares, r, n)."""
    xp, (squares, _, n) = namespace(dM, g, s), g.shape
    dg, ds = xp.empty(g.shape, g.dtype), xp.empty(s.shape, s.dtype)
    for square in range(squares):
        sums = _running(_turned(dM[:, square * n:(square + 1) * n].T, 1, 0))
        dtaken = _turned(sums - 0.5 * sums[-1], -1, -1)       # (j, i): the gradient on Σ_k s_k[j] g_k[i]
        xp.matmul(s[square], dtaken, out=dg[square])
        xp.matmul(g[square], dtaken.T, out=ds[square])
    return dg, ds


def _turned(lines, by, first):
    """Line j of lines (n, n) turned by j · by + first places, by = 1 or -1: entry i is what stood there.

    Every line is written twice in a row; read in lines that are one longer or shorter, each begins a place further.
    """
    xp, n, width = namespace(lines), len(lines), 2 * len(lines) + by
    start = first if by > 0 else n + first
    twice = xp.zeros((n + 1, 2 * n), lines.dtype)             # a line to spare, of which nothing is kept
    twice[:n, :n] = lines
    twice[:n, n:] = lines
    return twice.ravel()[start:start + n * width].reshape(n, width)[:, :n]


def _running(lines):
    """The sums of lines (n, ...) down to every line, in log n passes, which every array library has."""
    xp, step = namespace(lines), 1
    while step < len(lines):
        lines = xp.concatenate([lines[:step], lines[step:] + lines[:-step]])
        step *= 2
    return lines


def circulant(v, sign=1.0):
    """C(v), with sign=-1 S(v), of a row v (n,), as it is defined, with NumPy  ->  (n, n)."""
    i, j = np.indices((len(v), len(v)))
    return v[(i - j) % len(v)] * np.where(i < j, sign, 1.0)


def as_defined(g, s):
    """M as its definition reads, in r n³, with NumPy: what `whole` and `product` are held to  ->  (n, squares · n)."""
    squares = [sum(circulant(g_k) @ circulant(s_k[::-1], -1.0) for g_k, s_k in zip(*square)) for square in zip(g, s)]
    return 0.5 * np.concatenate(squares, axis=1)
