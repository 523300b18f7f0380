"""CUDA kernels without a GPU: g++ compiles the source behind emulated.h, and its threads run on the processor.

What it proves: indices and arithmetic, that no memory is read before it is written, that all threads of a block reach
the same barriers, and, in three orders of the threads, that no result hangs on who comes first. What it cannot: speed,
and races that change no result in any of these orders. `run` is for lesson 23; the tests put RawModule where CuPy has
its own.
"""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SHIM = Path(__file__).with_name("emulated.h")
ORDERS = ("forward", "reversed", "shuffled")
WRONG = (
    None, "some threads of a block wait at a barrier that others never reach",
    "a kernel wrote beyond its dynamic shared memory",
)
ATTRIBUTES = {"MultiProcessorCount": 132, "MaxSharedMemoryPerBlockOptin": 232448}        # an H100's
UNASKED = 48 * 1024                                           # bytes of shared memory that need not be asked for


class RawModule:
    """A CUDA source whose kernels are extern "C"."""

    order = "forward"                                         # of threads and of blocks
    launched = []                                             # the names of the kernels that ran, in all modules
    optimise = "-O1"

    def __init__(self, *, code, options=()):
        self.code, self.options, self.kernels = code, options, {}

    def compile(self):
        """Make the library, unless one of the same text is there.    Raises RuntimeError where g++ is missing."""
        if shutil.which("g++") is None:
            raise RuntimeError("kernels that run without a GPU are compiled with g++, which is not here: install it.")
        names = re.findall(r'^extern "C" __global__ void (?:__launch_bounds__\(\d+\) )?(\w+)\(', self.code, re.M)
        shared = r"^extern __shared__ __align__\(16\) real chip\[\];"
        text = re.sub(shared, "static real* const chip = (real*)shared_memory;", self.code, flags=re.M)
        text += "".join(f'\nextern "C" void call_{name}(void** given) {{ call({name}, given); }}' for name in names)
        defines = [option for option in self.options if option.startswith("-D")]
        self.library = ctypes.CDLL(str(compiled(text, [self.optimise, *defines])))
        self.kernels = {name: Kernel(self.library, name) for name in names}

    def get_function(self, name):
        """A kernel by its name."""
        return self.kernels[name]


def compiled(text, options):
    """A shared library of a source, compiled once for all processes that need the same  ->  its path."""
    stamp = hashlib.sha256("\n".join([SHIM.read_text(), text, *options]).encode()).hexdigest()[:20]
    folder = Path(tempfile.gettempdir()) / f"minidurnn-kernels-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    path, made = folder / f"{stamp}.so", folder / f"{stamp}.{os.getpid()}.so"
    if not path.exists():
        flags = ["-std=c++17", "-w", "-fPIC", "-shared", "-x", "c++"]
        command = ["g++", *flags, *options, "-include", str(SHIM), "-", "-o", str(made)]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"g++ refuses this source: {done.stderr[:3000]}")
        made.replace(path)
    return path


class Kernel:
    """A kernel, called with blocks, threads and arguments as CuPy calls it."""

    max_dynamic_shared_size_bytes = UNASKED

    def __init__(self, library, name):
        self.library, self.name, self.function = library, name, getattr(library, f"call_{name}")

    def __call__(self, blocks, threads, arguments, *, shared_mem=0):
        assert len(blocks) == len(threads) == 1 and 0 < blocks[0] < 2**31 and 0 < threads[0] <= 1024
        assert shared_mem <= self.max_dynamic_shared_size_bytes <= ATTRIBUTES["MaxSharedMemoryPerBlockOptin"]
        numbers = [argument if isinstance(argument, (int, np.integer)) else address(argument) for argument in arguments]
        values = [ctypes.c_int64(int(number)) for number in numbers]
        given = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        order = ORDERS.index(RawModule.order)
        wrong = self.library.launch(self.function, given, blocks[0], threads[0], shared_mem, order)
        RawModule.launched.append(self.name)
        assert not wrong, f"{self.name}: {WRONG[wrong]}"


def address(array):
    """Where an array begins, NumPy's or the stand-in's; a kernel takes no array with gaps."""
    assert array.flags.c_contiguous, "an array with gaps was handed to a kernel"
    return getattr(array, "_inside", array).ctypes.data


def run(code, name, *arguments, blocks, threads, shared=0, order="forward"):
    """Compile a CUDA source and run one of its kernels on the processor, as a GPU would be asked to.

    arguments   what the kernel takes: whole numbers, and NumPy arrays without gaps, which it may write
    blocks      how many blocks of `threads` threads each
    shared      bytes of shared memory, which a source has as `extern __shared__ __align__(16) real chip[];`
    order       of threads and of blocks: "forward", "reversed" or "shuffled"
    Raises      RuntimeError where g++ is missing or refuses the source; ValueError for an unknown kernel or order and
                for an array with gaps; AssertionError where threads wait at barriers that others never reach.
    """
    for array in arguments:
        if isinstance(array, np.ndarray) and not array.flags.c_contiguous:
            raise ValueError(f"an array of shape {array.shape} has gaps: expected numpy.ascontiguousarray of it.")
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}: expected one of {', '.join(ORDERS)}.")
    module = RawModule(code=code)
    module.compile()
    if name not in module.kernels:
        found = ", ".join(module.kernels) or "none"
        raise ValueError(f"no kernel {name!r} in this source (there: {found}): expected a line that begins with "
                         f'extern "C" __global__ void {name}(')
    kernel, RawModule.order = module.kernels[name], order
    kernel.max_dynamic_shared_size_bytes = max(UNASKED, shared)
    try:
        kernel((blocks,), (threads,), arguments, shared_mem=shared)
    finally:
        RawModule.order = ORDERS[0]
