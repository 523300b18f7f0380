"""A kernel that a lesson or a student writes runs without a GPU, and wrong requests are sentences."""

import shutil

import forked
import numpy as np
import pytest

from minidurnn.exercises import lesson_23
from minidurnn.kernels import emulated

compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="kernels without a GPU are compiled with g++")
SOURCE = """
extern "C" __global__ void tell(double* found, long long C) {
    long long column = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (column < C) found[column] = 1000 * blockIdx.x + threadIdx.x;
}
"""


@compiler
@pytest.mark.parametrize("order", emulated.ORDERS)
def test_every_thread_of_every_block_runs_once_in_any_order(order):
    found = np.full(7, -1.0)
    emulated.run(SOURCE, "tell", found, np.int64(6), blocks=2, threads=4, order=order)
    assert found.tolist() == [0, 1, 2, 3, 1000, 1001, -1]
    assert emulated.RawModule.order == "forward"


@compiler
@pytest.mark.parametrize("change, words", [
    ({"name": "tells"}, r"no kernel 'tells' in this source \(there: tell\)"),
    ({"order": "any"}, "unknown order 'any': expected one of forward"),
    ({"found": np.zeros((4, 4))[:, ::2]}, r"an array of shape \(4, 2\) has gaps"),
])
def test_a_wrong_request_is_told_in_one_sentence(change, words):
    asked = {"name": "tell", "order": "forward", "found": np.zeros(8), **change}
    with pytest.raises(ValueError, match=words):
        emulated.run(SOURCE, asked["name"], asked["found"], 8, blocks=1, threads=8, order=asked["order"])


@compiler
def test_a_source_that_is_no_cuda_is_refused_with_the_compilers_words():
    with pytest.raises(RuntimeError, match="(?s)g\\+\\+ refuses this source.*columm"):
        emulated.run(SOURCE.replace("found[column]", "found[columm]"), "tell", np.zeros(8), 8, blocks=1, threads=8)


def test_without_a_compiler_it_says_so(monkeypatch):
    monkeypatch.setattr(emulated.shutil, "which", lambda name: None)
    with pytest.raises(RuntimeError, match="compiled with g\\+\\+, which is not here: install it"):
        emulated.run(SOURCE, "tell", np.zeros(8), 8, blocks=1, threads=8)


@compiler
@pytest.mark.parametrize("old, new, said", [
    ("t++", "", "did not end within 1 seconds"),
    ("h[t * C", "h[10000000000000 + t * C", "ended the process that ran it"),
    ("f[t * C + column] *", "(((double*)f)[0] = 1) *", "writes into f"),
])
@pytest.mark.system
def test_a_students_kernel_that_runs_wild_harms_nobody_and_is_told_so(old, new, said, monkeypatch):
    monkeypatch.setattr(lesson_23, "subprocess", forked)      # an interpreter is started where the reference is tried
    monkeypatch.setattr(lesson_23, "LIMIT", 1.0 if old == "t++" else lesson_23.LIMIT)
    with pytest.raises(AssertionError, match=f"^exercise 23.4: your kernel {said}"):
        lesson_23.check_4(lambda: lesson_23.gated_kernel().replace(old, new))
