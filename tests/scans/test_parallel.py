"""A scan in pieces that are walked at the same time is the loop."""

import numpy as np
import pytest
from support import assert_same, rng

from minidurnn.scans import diagonal_scan, gated_scan, parallel


@pytest.mark.parametrize("pieces", [1, 2, 5, 23, 40])         # 23: pieces of one step; 5: the last one is shorter
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pieces_walked_together_are_the_loop(pieces, dtype):
    draw, tolerance = rng().standard_normal, 1e-12 if dtype == "float64" else 1e-5
    f, v, h0, u = (draw(shape).astype(dtype) for shape in ((23, 3, 5), (23, 3, 5), (3, 5), (5,)))
    f[::4], u[0] = 0.0, 0.0
    assert_same(parallel.gated_scan(f, v, h0, pieces), gated_scan(f, v, h0), tolerance)
    assert_same(parallel.relu_scan(v, u, h0, pieces), diagonal_scan(v, u, h0, "relu"), tolerance)


def test_two_maps_one_after_the_other_are_their_composition_whatever_the_signs():
    draw = rng().standard_normal
    maps = []
    for _ in range(3):
        a, b, low = draw((3, 2000))
        maps.append((np.where(np.abs(a) < 0.2, 0.0, a), b, np.where(low < -1, -np.inf, low),
                     np.where(low > 1, np.inf, low + 1.0)))
    first, second, third = maps
    h = draw(2000)
    both = parallel.then(first, second)
    one_by_one = parallel.after(parallel.after(h, first), second)
    assert np.allclose(parallel.after(h, both), one_by_one, rtol=1e-13, atol=1e-13)
    one, other = parallel.then(both, third), parallel.then(first, parallel.then(second, third))
    assert np.allclose(parallel.after(h, one), parallel.after(h, other), rtol=1e-12, atol=1e-13)
