"""Fixtures: the array libraries, and the stand-in for CuPy."""

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")                     # before NumPy is imported: small products wait on threads

import fake_cupy  # noqa: E402
import numpy as np  # noqa: E402
import pytest  # noqa: E402
from support import backends  # noqa: E402


@pytest.fixture(params=backends())
def xp(request, monkeypatch):
    """The array library that a test computes with: numpy, the stand-in for CuPy, and CuPy itself where there is a GPU."""
    if request.param == "numpy":
        return np
    if request.param == "stand-in":
        return fake_cupy.install(monkeypatch)
    cupy = pytest.importorskip("cupy", reason="no CuPy: pip install minidurnn[cuda12] on a machine with an NVIDIA GPU")
    if not cupy.cuda.is_available():
        pytest.skip("CuPy finds no GPU")
    return cupy


@pytest.fixture
def cupy(monkeypatch):
    """The stand-in for CuPy."""
    return fake_cupy.install(monkeypatch)
