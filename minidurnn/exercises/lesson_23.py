"""The checkers of lesson 23, from a loop to a kernel: floors, places, blocks, a kernel, maps, a barrier."""

import json
import re
import subprocess
import sys

import numpy as np

from ..kernels import emulated
from ..scans.plain import gated_scan
from . import UNTOUCHED, by_hand, called, choose, fail, judge, kind, numbers

THREADS = 128                                                 # of a block in lesson 23
MARGIN = 4096                                                 # numbers around an array that a kernel must not touch
FAR = 1e300                                                   # what they hold around h; around the others it is NaN
LIMIT = 20.0                                                  # seconds after which a kernel is stopped


def check_1(answer):
    """What limits the loop of independent neurons, and the loop with a matrix."""
    choose("23.1", answer, "c", {
        "a": "both read a and write h once; but the loop with a matrix makes 2049 operations for every number that it "
             "writes, and the other one makes three.",
        "b": "it is the other way round: three operations a number are few, and 2049 are many.",
        "c": "",
        "d": "three operations for every 8 bytes are far fewer than a processor makes while 8 bytes arrive.",
    })


def check_2(attempt):
    """The places in memory that a thread reads."""
    judge("23.2", attempt, places, [(0, 1, 4, 3, 2), (0, 0, 4, 3, 2), (2, 3, 4, 5, 13), (3, 1, 4, 5, 13),
                                       (1, 0, 128, 2, 300)],
          ("places",), mistakes={
        "this is the same step of all columns: a thread has one column, and all steps": _row,
        "these places are one behind the other: between two steps of a column lie the other columns": _behind,
        "the blocks before this one have threads too": _first_block,
    })


def check_3(answer):
    """A batch and a width with which the kernel without its bound does no harm."""
    if answer is ...:
        print(f"exercise 23.3: {UNTOUCHED}")
        return
    B, H = numbers("23.3", "answer", answer, (2,)).tolist()
    if not (2 <= B <= 1000 and 2 <= H <= 1000) or B % 1 or H % 1:
        fail("23.3", f"answer is B = {B:g}, H = {H:g}, expected two whole numbers from 2 to 1000.")
    columns = int(B) * int(H)
    if columns % THREADS:
        blocks = -(-columns // THREADS)
        fail("23.3", f"B = {B:g}, H = {H:g} make {columns} columns, but {blocks} blocks of {THREADS} threads are "
                     f"{blocks * THREADS} threads: {blocks * THREADS - columns} of them write where they should not.")
    print("exercise 23.3: correct")


def check_4(attempt):
    """A kernel for the gated scan and the sum of each column."""
    source = called("23.4", attempt, ())
    if source is ...:
        print(f"exercise 23.4: {UNTOUCHED}")
        return
    if not isinstance(source, str):
        fail("23.4", f"your function returned {kind(source)}, expected the text of a CUDA source.")
    taken = re.search(r"void gated_scan\(([^)]*)\)", source)
    if taken and (count := len(taken[1].split(","))) != 7:
        fail("23.4", f"your gated_scan takes {count} arguments, expected 7: f, v, h0, h, shares, T, C.")
    try:
        done = subprocess.run([sys.executable, "-c", f"from {__name__} import trial; trial()"], input=source,
                              capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        fail("23.4", f"your kernel did not end within {LIMIT:g} seconds: is there a loop without an end?")
    if done.returncode:
        fail("23.4", "your kernel ended the process that ran it: it reads or writes far outside its arrays.")
    if wrong := json.loads(done.stdout):
        fail("23.4", wrong)
    print("exercise 23.4: correct")


def check_5(answer):
    """Two maps put together."""
    by_hand("23.5", answer, (0.5, 3.0, 0.0, 5.0), ("times", "plus", "low", "high"), {
        "this does the second step first": (0.5, -1.0, 0.0, 4.0),
        "the ends of the first map, 0 and infinity, go through the second step too": (0.5, 3.0, 0.0, np.inf),
        "the second step multiplies the first one's constant too": (0.5, 9.0, 0.0, 5.0),
    })


def check_6(answer):
    """The barrier between the products and the write."""
    choose("23.6", answer, "b", {
        "a": "one barrier a step is enough only at the right place: follow thread 5 from one barrier to the next; it "
             "writes a copy, and then reads the whole copy without a barrier in between.",
        "b": "",
        "c": "a thread writes right behind a barrier, and there all threads have read: nothing is written over too "
             "early.",
        "d": "all threads of the block come to every barrier, as often as there are steps: nobody waits without end.",
    })


def trial():
    """Run a source from standard input on small cases  ->  what is wrong, as JSON on standard output, or null."""
    source = sys.stdin.read()
    emulated.RawModule.optimise = "-O0"
    wrong = None
    for T, B, H, order in ((1, 1, 3, "forward"), (5, 2, 3, "reversed"), (4, 3, 5, "shuffled")):
        wrong = wrong or _trial(source, T, B, H, order)
    print(json.dumps(wrong))


def _trial(source, T, B, H, order):
    """What is wrong with a source on one case, in words, or None."""
    draw = np.random.default_rng(T).standard_normal
    arrays = draw((T, B, H)), draw((T, B, H)), draw((B, H)), np.full((T, B, H), np.nan), np.full((B, H), np.nan)
    margins = [np.full(MARGIN, margin) for margin in (np.nan, np.nan, np.nan, FAR, FAR)]
    rows = [np.concatenate([margin, array.ravel(), margin]) for margin, array in zip(margins, arrays)]
    before, C, threads = [row.copy() for row in rows], B * H, 4
    inside = [row[MARGIN:len(row) - MARGIN] for row in rows]
    case = f"for T = {T}, B = {B}, H = {H}, that is {C} columns in blocks of {threads} threads"
    try:
        emulated.run(source, "gated_scan", *inside, T, C, blocks=-(-C // threads), threads=threads, order=order)
    except RuntimeError as error:
        lines = [line for line in str(error).splitlines() if "error" in line] or [str(error)]
        return f"the compiler says: {lines[0][:200]}."
    except (ValueError, AssertionError) as error:
        return str(error)
    right = gated_scan(*arrays[:3])
    for name, row, old in zip(("f", "v", "h0"), rows, before):
        if not np.array_equal(row, old, equal_nan=True):
            return f"your kernel writes into {name} {case}: it may write into h and shares alone."
    for name, row in zip(("h", "shares"), rows[3:]):
        if (row[:MARGIN] != FAR).any() or (row[-MARGIN:] != FAR).any():
            return f"your kernel writes outside {name} {case}: threads beyond the last column must leave."
    for name, found, expected in (("h", inside[3], right), ("shares", inside[4], right.sum(0))):
        off = ~np.isclose(found, expected.ravel(), rtol=1e-12, atol=1e-12)
        if off.any():
            place = int(off.argmax())
            at = ", ".join(map(str, np.unravel_index(place, expected.shape))) if name == "h" else place
            both = f"{found[place]:.4g}, expected {expected.ravel()[place]:.4g}"
            return f"{name}[{at}] is {both} {case} (nan: never written)."
    return None


# The reference solutions: the folded cells of the lesson hold the same text.

def places(block, thread, threads, T, C):
    """The places of its column that a thread of a block reads, in the order of the steps."""
    column = block * threads + thread
    if column >= C:                                           # this thread leaves
        return np.array([], int)
    return np.arange(T) * C + column


def gated_kernel():
    """A CUDA source with a kernel gated_scan(f, v, h0, h, shares, T, C): h[t] = f[t] h[t-1] + v[t]."""
    return r"""
extern "C" __global__ void gated_scan(const double* f, const double* v, const double* h0,
                                      double* h, double* shares, long long T, long long C) {
    long long column = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= C) return;
    double state = h0[column], share = 0;
    for (long long t = 0; t < T; t++) {
        state = f[t * C + column] * state + v[t * C + column];
        h[t * C + column] = state;
        share += state;
    }
    shares[column] = share;
}
"""


def _row(block, thread, threads, T, C):
    return np.arange(T) + thread * C


def _behind(block, thread, threads, T, C):
    return (block * threads + thread) * T + np.arange(T)


def _first_block(block, thread, threads, T, C):
    return np.arange(T) * C + thread


def _changed(old, new):
    """An answer to 23.4: the reference with something else in it."""
    return lambda: gated_kernel().replace(old, new)


CHECKS = {"23.1": check_1, "23.2": check_2, "23.3": check_3, "23.4": check_4, "23.5": check_5, "23.6": check_6}
REFERENCE = {"23.1": "c", "23.2": places, "23.3": [4, 32], "23.4": gated_kernel, "23.5": [0.5, 3.0, 0.0, 5.0],
             "23.6": "b"}
WRONG = {
    "23.1": ["a", "(b)", "D"],
    "23.2": [_row, _behind, _first_block],
    "23.3": [[50, 100], [3, 5], [2, 32], [128, 1.5], [1, 128]],
    "23.4": [
        _changed("if (column >= C) return;", ""), _changed("* state +", "* h0[column] +"),
        _changed("v[t * C + column]", "v[column * T + t]"), _changed("t < T", "t < T - 1"),
        _changed("blockIdx.x * blockDim.x + ", ""), _changed("share += state", "share = state"),
        _changed("shares[column]", "shares[0]"), _changed("double* shares, ", ""),
    ],
    "23.5": [[0.5, -1.0, 0.0, 4.0], [0.5, 3.0, 0.0, np.inf], [0.5, 9.0, 0.0, 5.0], [-0.5, 3.0, 0.0, 5.0]],
    "23.6": ["a", "(C)", "d"],
}
ILL_TYPED = {
    "23.1": [None, 2, "memory", ["c"]],
    "23.2": [None, [1, 3, 5], lambda block, thread, threads, T, C: "1, 3, 5",
             lambda block, thread, threads, T, C: np.zeros((T, 2)), lambda block, thread, threads, T, C: 1 // 0],
    "23.3": [None, 128, "4, 32", [4], [[4, 32]], [np.nan, 32]],
    "23.4": [None, "source", lambda: 3, lambda: "b", _changed("double state", "state")],
    "23.5": [None, 0.5, "relu", [0.5, 0.0], [0.5, 0.0, "2", 5.0]],
    "23.6": [None, 2, "barrier", ["b"]],
}
