"""The checkers of the lessons' exercises, one module per lesson.

A checker takes the student's function (or value). A stub that still returns `...` is reported and passes; a wrong
answer raises AssertionError with the first entry that is off and both numbers; a right one prints one line.
"""

import numpy as np


def judge(exercise, attempt, reference, cases, names=("result",), tolerance=1e-9):
    """Compare attempt(*case) with reference(*case) for every case, entry by entry.

    exercise    its number, as printed             cases    tuples of arguments; each function gets copies of arrays
    names       what the compared results are called, one per returned array
    """
    for case in cases:
        yours = attempt(*_copies(case))
        if _untouched(yours):
            print(f"exercise {exercise}: not attempted yet")
            return
        compare(exercise, yours, reference(*_copies(case)), names, tolerance)
    print(f"exercise {exercise}: correct")


def compare(exercise, yours, expected, names=("result",), tolerance=1e-9):
    """Raise AssertionError at the first result whose shape or entries are off."""
    yours, expected = (results if isinstance(results, tuple) else (results,) for results in (yours, expected))
    if len(expected) > 1 and len(yours) == 1:
        raise AssertionError(f"exercise {exercise}: got one {type(yours[0]).__name__}, expected {len(expected)} results separated by commas: return {', '.join(names)}.")
    if len(yours) != len(expected):
        raise AssertionError(f"exercise {exercise}: got {len(yours)} results, expected {len(expected)} ({', '.join(names)}).")
    for name, mine, right in zip(names, yours, expected):
        given, mine, right = mine, np.asarray(mine), np.asarray(right)
        if mine.dtype.kind not in "biuf":
            raise AssertionError(f"exercise {exercise}: {name} is a {type(given).__name__}, expected an array of numbers of shape {right.shape}.")
        if mine.shape != right.shape:
            raise AssertionError(f"exercise {exercise}: {name} has shape {mine.shape}, expected {right.shape}.")
        wrong = ~np.isclose(mine, right, rtol=tolerance, atol=tolerance)
        if wrong.any():
            index = tuple(int(axis) for axis in np.argwhere(wrong)[0])
            place = f"[{', '.join(map(str, index))}]" if index else ""
            raise AssertionError(f"exercise {exercise}: {name}{place} is {mine[index]:.6g}, expected {right[index]:.6g}.")


def choose(exercise, answer, right, options):
    """A question with options: raise AssertionError for a wrong one, report `...` as not attempted."""
    if _untouched(answer):
        print(f"exercise {exercise}: not attempted yet")
    elif answer not in options:
        raise AssertionError(f"exercise {exercise}: {answer!r} is none of the options {', '.join(map(repr, options))}.")
    elif answer != right:
        raise AssertionError(f"exercise {exercise}: {answer!r} is not it, think again (the lesson measures it).")
    else:
        print(f"exercise {exercise}: correct")


def _untouched(answer):
    if isinstance(answer, tuple):
        return any(_untouched(part) for part in answer)
    return answer is ... or answer is None


def _copies(case):
    return tuple(argument.copy() if isinstance(argument, np.ndarray) else argument for argument in case)
