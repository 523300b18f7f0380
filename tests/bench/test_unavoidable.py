"""The floor counts what the cells do: their very products, and of the rest no more than they do."""

from collections import Counter
from math import prod

import fake_cupy
import pytest
from support import rng

from minidurnn import kernels
from minidurnn.arrays import affine
from minidurnn.bench import floors, workloads
from minidurnn.bench.workloads import Workload

SIZES = Workload(T=6, B=4, D=2, H=5, rounds=1)                # every size different, and D + 1 too
OPERATORS = ["__gt__", *(f"__{way}{name}__" for way in ("", "r", "i") for name in ("add", "sub", "mul", "matmul"))]


class Ledger:
    """What a cell does with NumPy in one forward and backward on one stretch, as the stand-in for CuPy sees it.

    products    the shapes of both factors, of each
    tanh        the numbers that go through it
    passes      the numbers that other operations on elements read and write; vectors are left out
    calls       those operations
    """

    def __init__(self, cell, monkeypatch):
        self.products, self.tanh, self.passes, self.calls = [], 0, 0, 0
        cupy, ndarray = fake_cupy.install(monkeypatch), fake_cupy.ndarray
        monkeypatch.setattr(kernels, "serve", lambda *arrays: False)
        monkeypatch.setattr(affine, "np", cupy)               # a bias as NumPy takes it
        for name in (*fake_cupy.UFUNCS, "concatenate", "einsum"):
            monkeypatch.setattr(cupy, name, self.noted(name, getattr(cupy, name)))
        for name in OPERATORS:
            monkeypatch.setattr(ndarray, name, self.noted(name.strip("_"), getattr(ndarray, name)))
        model = workloads.body(cell, SIZES)
        p, x = workloads.inputs(model, SIZES)
        dh = rng().standard_normal((SIZES.T, SIZES.B, model.outputs)).astype("float32")
        p = {letter: cupy.asarray(array) for letter, array in p.items()}
        h, tape = model.forward(p, cupy.asarray(x))
        model.backward(cupy.asarray(dh), tape)
        self.passes += h.size                                 # the loss reads every output

    def noted(self, name, function):
        def call(*arguments, **options):
            result = function(*arguments, **options)
            given = [*arguments[0], *arguments[1:]] if name == "concatenate" else arguments
            arrays = [array for array in (*given, result) if isinstance(array, fake_cupy.ndarray)]
            if name == "matmul":
                self.products.append((arrays[0].shape, arrays[1].shape))
            elif name == "tanh":
                self.tanh += result.size
            else:
                self.calls += 1
                self.passes += sum(array.size for array in arrays if array.ndim > 1)
            return result

        return call


def multiplications(left, right):
    """In a product of arrays of these shapes, the second possibly one for each gate."""
    return prod(left) * prod(right) // right[-2] if len(right) > 1 else prod(left)


@pytest.mark.parametrize("cell", floors.STEPS)
def test_the_products_are_those_that_the_cell_calls(cell, monkeypatch):
    done, counted, each = Ledger(cell, monkeypatch).products, 0, Counter()
    for number, left, right, turned in floors.products(cell, SIZES.T, SIZES.B, SIZES.D, SIZES.H):
        left = left[::-1] if turned else left
        counted += number * multiplications(left, right)
        each[left, right] += number
    assert counted == sum(multiplications(*shapes) for shapes in done)
    assert all(done.count(shapes) == number for shapes, number in each.items() if number >= SIZES.T)


@pytest.mark.parametrize("cell", floors.STEPS)
def test_of_the_rest_it_counts_no_more_than_the_cell_does_and_not_much_less(cell, monkeypatch):
    done, step, size = Ledger(cell, monkeypatch), floors.STEPS[cell], SIZES.B * SIZES.H
    assert done.tanh == step.tanh * SIZES.T * size
    assert done.passes / 2 < step.passes * SIZES.T * size <= done.passes
    assert done.calls / 2 < step.calls * SIZES.T <= done.calls


@pytest.mark.parametrize("chunk", [1, 4, 6, 50])
def test_every_step_is_done_once_whatever_the_chunk(chunk, monkeypatch):
    done = Counter()
    monkeypatch.setattr(floors, "product", lambda *shapes: lambda: done.update([shapes]))
    monkeypatch.setattr(floors, "on_arrays", lambda _, shape: lambda: done.update([shape]))
    for part in floors.PARTS:
        floors.prepare(part, "lstm", SIZES, chunk)()
    T, B, D, H = SIZES[:4]
    n, step = min(chunk, T), floors.STEPS["lstm"]
    assert done[(B, H), (4, H, H), False] == done[(B, 4 * H), (4 * H, H), False] == T
    rows = sum(number * shapes[0][0] for shapes, number in done.items() if shapes[1:] == ((D + 1, 4 * H), False))
    assert rows == T * B
    assert done[B, H] == step.tanh * T and done[1,] == step.calls * T
    assert abs(2 * n * done[n, B, H] - step.passes * T) <= n


def test_every_part_runs():
    for part in floors.PARTS:
        floors.prepare(part, "gru", SIZES, 4)()
