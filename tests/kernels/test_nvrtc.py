"""NVIDIA's own compiler takes the kernels, for the GPUs from Turing to Blackwell, and they fit into their registers.

Needs no GPU: pip install minidurnn[test-cuda] brings the compiler.
"""

import ctypes
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from minidurnn.kernels import columns, loading, matrices

REGISTERS = 65536                                             # of a multiprocessor, all of which one block may have
SPILLED = {"float32": 0, "float64": 64}                       # bytes a thread keeps in memory for want of registers


def library():
    """NVRTC, where its package is installed."""
    package = find_spec("nvidia.cuda_nvrtc") if find_spec("nvidia") else None
    folders = package.submodule_search_locations if package else ()
    found = [path for folder in folders for path in sorted(Path(folder).glob("lib/libnvrtc.so.*"))]
    if not found:
        pytest.skip("no NVRTC: pip install minidurnn[test-cuda]")
    return ctypes.CDLL(str(found[0]))


def compiled(nvrtc, arch, dtype):
    """The compiler's log for an architecture, with what every kernel uses."""
    program, size = ctypes.c_void_p(), ctypes.c_size_t()
    source = loading.SOURCE.read_text(encoding="utf-8").encode()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source, b"recurrences.cu", 0, None, None)
    options = [f"--gpu-architecture=sm_{arch}", "--std=c++17", f"-DREAL={loading.REALS[dtype]}", "--ptxas-options=-v"]
    code = nvrtc.nvrtcCompileProgram(program, 4, (ctypes.c_char_p * 4)(*map(str.encode, options)))
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    assert code == 0, log.value.decode()
    return log.value.decode()


@pytest.mark.parametrize("dtype", loading.REALS)
@pytest.mark.parametrize("arch", [75, 80, 90, 100])
def test_every_kernel_compiles_and_a_block_of_it_has_its_registers(arch, dtype):
    log = compiled(library(), arch, dtype)
    assert "warning" not in log
    parts = re.split(r"Compiling entry function '(\w+)'", log)[1:]
    used = dict(zip(parts[::2], parts[1::2]))
    assert set(used) == {name for name in dir(columns) + dir(matrices) if "_scan" in name}
    for name, said in used.items():
        threads = columns.THREADS if name in dir(columns) else matrices.THREADS
        registers, = map(int, re.findall(r"Used (\d+) registers", said))
        spilled = sum(map(int, re.findall(r"(\d+) bytes spill", said)))
        assert registers * threads <= REGISTERS, (name, registers)
        assert spilled <= 2 * SPILLED[dtype], (name, spilled)
