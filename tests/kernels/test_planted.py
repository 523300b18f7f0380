"""A fault planted in a kernel is caught by the comparison with its loop."""

import re

import pytest
from test_kernels import assert_twins

from minidurnn.kernels import columns, emulated, loading, matrices

PART = "// " + "-" * 60                                       # how the parts of the source begin
FAULTS = {                                                    # what stands in the source, what shall, what finds it
    "a barrier removed": (
        "        __syncthreads();                                      // h[t] is whole", "        // h[t] is whole",
        ("matrix_scan", 5, 3, 37)),
    "a barrier removed after copying to the chip": (
        "before[j * R + r] = h0[tile.at(0, r, H) + j];\n    __syncthreads();",
        "before[j * R + r] = h0[tile.at(0, r, H) + j];", ("matrix_scan", 2, 1, 5)),
    "tiles one sequence too far apart": ("(whole)blockIdx.x * R + r", "(whole)blockIdx.x * (R + 1) + r",
                                         ("matrix_scan", 3, 7, 5)),
    "the last number of the matrix not copied": ("i < kept * width;", "i < kept * width - 1;",
                                                 ("lstm_scan", 3, 2, 5)),
    "gates and units swapped": ("a[tile.at(t, r, 4 * H) + g * H + j]", "a[tile.at(t, r, 4 * H) + j * 4 + g]",
                                ("lstm_scan", 3, 2, 5)),
    "the carry dropped at the last step": ("carry ? carry[tile.at(0, r, H) + j] : real(0)", "real(0)",
                                           ("gru_scan", 3, 2, 5)),
    "the direct way of the last tile lost": ("dh_t * keeps[r];", "blockIdx.x ? real(0) : dh_t * keeps[r];",
                                             ("gru_scan", 3, 5, 5)),
    "du summed in the first block alone": ("if (shares) shares[place] = scan.mine;",
                                           "if (shares) shares[place] = blockIdx.x ? real(0) : scan.mine;",
                                           ("diagonal_scan", 5, 7, 37)),
    "the state dropped at a piece's edge": ("p.starts[k * p.C + scan.column] = state;",
                                            "p.starts[k * p.C + scan.column] = k == 3 ? real(0) : state;",
                                            ("diagonal_scan", 40, 3, 5)),
    "the last step of a piece left out": ("end = (piece + 1) * p.T / p.pieces;",
                                          "end = (piece + 1) * p.T / p.pieces - 1;", ("gated_scan", 40, 3, 5)),
    "maps put together in the wrong order": ("all = all.then(scan.map(item));", "all = scan.map(item).then(all);",
                                             ("gated_scan", 40, 3, 5)),
}


def source(fault):
    """The source with a fault in it, and without what the test does not need: it compiles in a quarter of the time."""
    good, bad, _ = FAULTS[fault]
    head, activations, *rest = loading.SOURCE.read_text(encoding="utf-8").split(PART)
    part = next(part for part in rest if good in part)
    text = PART.join([head, activations, part.replace(good, bad, 1)])
    text = re.sub(r"case (1|TANH|SIGMOID): (steps|run_with).*break; ", "", text)
    return text.replace("default: steps<4>", "default: steps<2>")


def divided(monkeypatch):
    """Tiles of two sequences; 40 steps in four pieces."""
    monkeypatch.setattr(matrices, "plan", lambda M, like, held: (2, len(M)))
    monkeypatch.setattr(columns, "pieces", lambda T, C: 4 if T == 40 else 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_without_the_fault_there_is_nothing_to_catch(fault, cupy, monkeypatch):
    divided(monkeypatch)
    scan, *sizes = FAULTS[fault][2]
    if loading.module(cupy, "float64") is not None:
        assert_twins(cupy, scan, *sizes, "float64", "relu")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault, cupy, monkeypatch, tmp_path):
    text = source(fault)
    monkeypatch.setattr(loading, "SOURCE", tmp_path / "planted.cu")
    loading.SOURCE.write_text(text, encoding="utf-8")
    monkeypatch.setattr(emulated.RawModule, "optimise", "-O0")
    divided(monkeypatch)
    if loading.module(cupy, "float64") is None:
        pytest.skip("no g++: the stand-in for CuPy compiles its kernels with it")
    scan, *sizes = FAULTS[fault][2]
    with pytest.raises(AssertionError):
        assert_twins(cupy, scan, *sizes, "float64", "relu")
