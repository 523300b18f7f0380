"""What a call costs: its CPU time, and the most memory that it asks for."""

import timeit
import tracemalloc
from time import process_time


def best_seconds(call):
    """CPU seconds of one call, the least of five."""
    return min(timeit.repeat(call, number=1, repeat=5, timer=process_time))


def peak_bytes(call):
    """The most memory that one call asks for; it is slower while this is counted."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
