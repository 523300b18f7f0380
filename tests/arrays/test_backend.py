"""The arrays decide where a function computes, and nothing is moved or loaded silently."""

import subprocess
import sys
from collections import namedtuple

import fake_cupy
import numpy as np
import pytest
from support import assert_same, refuses

from minidurnn import namespace, to, to_numpy
from minidurnn.arrays.backend import import_cupy

TREE = {"W": np.arange(6.0).reshape(2, 3), "parts": (np.ones(2, np.float32), [np.int64([1, 2])]), "none": None}


def test_importing_the_package_loads_no_optional_library():
    watched = ("cupy", "matplotlib", "pooch", "joblib", "torch", "jax", "hypothesis", "IPython")
    code = f"import sys, minidurnn; print([name for name in {watched} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_the_package_draws_no_random_numbers_and_writes_nothing(tmp_path):
    code = "import numpy as np; now = np.random.get_state; s = repr(now()); import minidurnn; assert repr(now()) == s"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr, list(tmp_path.iterdir())) == (0, "", "", [])


def test_the_arrays_name_their_library(xp):
    assert namespace(xp.ones(2)) is xp
    assert namespace(None, xp.ones(2), xp.ones(2).sum(), None) is xp


def test_a_scalar_and_a_file_in_memory_are_numpys_arrays(tmp_path):
    mapped = np.memmap(tmp_path / "array", np.float32, "w+", shape=(2,))
    assert namespace(np.float32(1.0), mapped, mapped[:1]) is np


class Own(np.ndarray):
    """A subclass of somebody's own."""


@pytest.mark.parametrize("stranger, kind", [
    ([1.0], "list"), (1.0, "float"), ("x", "str"), (None, "NoneType"), (range(3), "range"),
    (np.ones((1, 1)).view(np.matrix), "matrix"), (np.rec.array([(1.0,)]), "recarray"), (np.ones(2).view(Own), "Own"),
    (np.random.default_rng(), "Generator"), (np.float32, "type"),
])
def test_what_is_no_array_is_refused_by_its_name(stranger, kind):
    with refuses(TypeError, f"got {kind}", "expected NumPy or CuPy arrays", "numpy.asarray"):
        namespace(stranger)
    if stranger is not None:                                  # None beside an array is passed over
        with refuses(TypeError, f"got {kind}"):
            namespace(stranger, np.ones(2))


@pytest.mark.parametrize("masked", [np.ma.ones(2), np.ma.masked, np.ma.ones((2, 2))[0]])
def test_a_masked_array_is_refused_because_its_mask_would_be_lost(masked):
    for call in (lambda: namespace(masked), lambda: to_numpy({"x": [masked]}), lambda: to("numpy", masked)):
        with refuses(TypeError, f"got {type(masked).__name__}", "no mask is read", "lengths"):
            call()


def test_a_masked_array_does_not_reach_the_device(cupy):
    with refuses(TypeError, "got MaskedArray", "no mask is read"):
        to("cupy", {"x": np.ma.ones(2)})


def test_no_array_at_all_is_refused():
    with refuses(TypeError, "got nothing", "expected NumPy or CuPy arrays"):
        namespace()


def test_numpy_beside_cupy_is_refused_with_the_way_out(cupy):
    with refuses(TypeError, "NumPy and CuPy", "mixed", "expected all of one library", 'minidurnn.to("cupy"'):
        namespace(np.ones(2), cupy.ones(2))


def test_a_tree_moves_and_comes_back(cupy):
    there = to("cupy", TREE)
    arrays = there["W"], there["parts"][0], there["parts"][1][0]
    assert all(type(array) is cupy.ndarray for array in arrays) and there["none"] is None
    assert_same(to_numpy(there), TREE, tolerance=0)
    assert_same(to("numpy", there), TREE, tolerance=0)
    assert fake_cupy.ndarray.syncs == 6


def test_moving_keeps_named_tuples(cupy):
    Pair = namedtuple("Pair", "a b")
    moved = to("cupy", Pair(np.ones(2), None))
    assert type(moved) is Pair and moved.b is None


def test_an_unknown_backend_is_refused_by_its_name():
    for backend in ("torch", "CuPy", None):
        with refuses(ValueError, f"unknown backend {backend!r}", 'expected "numpy" or "cupy"'):
            to(backend, TREE)


def test_without_cupy_the_message_names_the_extras(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)            # what an import of a missing module meets
    with refuses(RuntimeError, "CuPy is not installed", "minidurnn[cuda12]", "minidurnn[cuda13]", "stay with NumPy"):
        to("cupy", TREE)


def test_with_cupy_but_no_gpu_the_message_names_the_driver(monkeypatch):
    fake_cupy.install(monkeypatch, gpu=False)
    with refuses(RuntimeError, "finds no GPU", "nvidia-smi", "stay with NumPy"):
        import_cupy()
