"""What the checkers of the lessons' exercises are made of. The checkers themselves: one module per lesson.

A checker takes the student's answer, a value or a function, and prints one line or raises AssertionError with one
sentence. `...` is an answer that was not attempted: it is reported and passes. Everything else is judged: an answer
that is None (a forgotten `return`), of another type or shape, an error inside the student's function, a write into an
argument. A wrong number is reported with the case, the entry that is furthest off and both numbers, and where the
mistake is a known one, with its name.
"""

import inspect
from difflib import get_close_matches

import numpy as np

from ..arrays.checks import shown

UNTOUCHED = "not attempted yet"


def judge(exercise, attempt, reference, cases, names=("result",), tolerance=1e-9, mistakes=None):
    """Compare attempt(*case) with reference(*case) for every case, entry by entry.

    exercise    its number, as printed                cases    tuples of arguments; each call gets copies of the arrays
    names       what the compared results are called, one per returned array
    mistakes    what a known mistake is, in words -> the function that makes it, called like the reference
    """
    unfinished, begun = {}, False
    for case in cases:
        where, left = described(reference, case), names
        yours = called(exercise, attempt, case, where)
        if yours is not ...:
            known, begun = {said: wrong(*copied(case)) for said, wrong in (mistakes or {}).items()}, True
            left = compare(exercise, yours, reference(*copied(case)), names, tolerance, where, known)
        unfinished |= dict.fromkeys(left)
    done = "correct" if not unfinished else f"not finished: {', '.join(unfinished)} still `...`, the rest is correct"
    print(f"exercise {exercise}: {done if begun else UNTOUCHED}")


def called(exercise, attempt, case, where=""):
    """attempt(*case) with copies  ->  its answer; `...` too where it is several results and all of them are `...`.

    What is no function, an error in one, a forgotten return, a write into an argument become one sentence.
    """
    if not callable(attempt):
        fail(exercise, f"got {kind(attempt)}, expected a function: keep the line `def ...` of the stub.")
    given = copied(case)
    answer = tried(exercise, f"your function stopped{where}", attempt, *given)
    if answer is None:
        fail(exercise, "your function returned nothing (None): end it with `return` and the result.")
    for argument, before in zip(given, case):
        if isinstance(before, np.ndarray) and not np.array_equal(argument, before, equal_nan=True):
            fail(exercise, f"your function writes into an argument of shape {before.shape}: make a new array instead.")
    return _begun(answer)


def tried(exercise, stopped, function, *given):
    """function(*given)  ->  its result. An error in it becomes one sentence, which begins with `stopped`."""
    try:
        return function(*given)
    except KeyboardInterrupt:
        raise
    except BaseException as error:                            # whatever a student's code may raise, exit() too
        fail(exercise, f"{stopped} with {told(error)}.", error)


def _begun(answer):
    """An answer, `...` where it is several results of which none was begun."""
    return ... if isinstance(answer, tuple) and answer and all(part is ... for part in answer) else answer


def told(error):
    """An error in one line without a full stop, however long its text is, and where it has none to give."""
    try:
        text = " ".join(str(error).split())
    except Exception:                                         # its own __str__ fails
        text = ""
    text = text if len(text) <= 200 else f"{text[:180]} [...]"
    return f"{type(error).__name__}: {text}".rstrip(":. ")


def compare(exercise, yours, expected, names=("result",), tolerance=1e-9, where="", known=None):
    """Raise AssertionError at the first result that is off  ->  the names of the results that are still `...`.

    where       the case, in words                    known    what a mistake is, in words -> the results that it gives
    """
    yours, expected = (results if isinstance(results, tuple) else (results,) for results in (yours, expected))
    asked = f"expected {len(expected)} results separated by commas: {', '.join(names)}"
    if len(expected) > 1 and len(yours) == 1:
        fail(exercise, f"got {kind(yours[0])}, {asked}.")
    if len(yours) != len(expected):
        fail(exercise, f"got {len(yours)} results, {asked if len(expected) > 1 else f'expected one ({names[0]})'}.")
    for place, (name, mine, right) in enumerate(zip(names, yours, expected)):
        if mine is not ...:
            wrong = {said: (one if isinstance(one, tuple) else (one,))[place] for said, one in (known or {}).items()}
            _entries(exercise, name, mine, np.asarray(right), tolerance, where, wrong)
    return [name for name, mine in zip(names, yours) if mine is ...]


def _entries(exercise, name, given, right, tolerance, where, known):
    mine, right = (one.astype(float) if one.dtype.kind == "b" else one for one in (
        numbers(exercise, name, given, right.shape), right))
    close = np.isclose(mine, right, rtol=tolerance, atol=tolerance)
    if close.all():
        return
    with np.errstate(all="ignore"):
        off = np.where(close, -1.0, np.nan_to_num(abs(mine - right), nan=np.inf))
    index = np.unravel_index(off.argmax(), off.shape)         # the entry that is furthest off
    at = f"[{', '.join(map(str, index))}]" if index else ""
    hints = [
        said for said, one in known.items() if np.shape(one) == mine.shape and np.allclose(mine, one, equal_nan=True)
    ]
    hint = f" ({hints[0]})" if hints else ""
    fail(exercise, f"{name}{at} is {_apart(mine[index], right[index])}{where}{hint}.")


def _apart(mine, right):
    """Two numbers with as many digits as it takes to tell them apart."""
    for digits in (4, 6, 9, 12, 17):
        if f"{mine:.{digits}g}" != f"{right:.{digits}g}":
            break
    return f"{mine:.{digits}g}, expected {right:.{digits}g}"


def numbers(exercise, name, given, shape=None):
    """A student's value as an array of numbers  ->  array. Raises AssertionError for another type or shape."""
    asked = "a number" if shape == () else f"an array of numbers{'' if shape is None else f' of shape {shape}'}"
    if given is None:
        fail(exercise, f"{name} is None, expected {asked}: was a `return` or a value forgotten?")
    if isinstance(given, int) and not -2**63 <= given < 2**64:
        fail(exercise, f"{name} is an int of {given.bit_length()} bits, expected {asked} within NumPy's 64.")
    try:
        array = np.asarray(given)
    except ValueError:                                        # lists of unequal lengths
        array = np.array(None)
    except Exception as error:                                # whatever its __array__ raises
        fail(exercise, f"{name} is {kind(given)} that is no array ({told(error)}), expected {asked}.", error)
    if array.dtype.kind not in "biuf":
        fail(exercise, f"{name} is {kind(given)}, expected {asked}.")
    if shape is not None and array.shape != shape:
        turned = " (it is the transpose)" if array.shape == shape[::-1] and len(shape) == 2 else ""
        fail(exercise, f"{name} has shape {array.shape}, expected {shape}{turned}.")
    return array


def choose(exercise, answer, right, options):
    """A question with options: "B", " b" and "(b)" are "b". A wrong one is refused with the reason why it is wrong.

    options     option -> why it is wrong; of the right one the reason is not used
    """
    if answer is ...:
        print(f"exercise {exercise}: {UNTOUCHED}")
        return
    asked = f"expected one of {', '.join(map(repr, options))}"
    if not isinstance(answer, str):
        fail(exercise, f"got {kind(answer)}, {asked}.")
    said = {_plain(option): option for option in options}.get(_plain(answer))
    if said is None:
        near = get_close_matches(answer[:80], options, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        fail(exercise, f"{shown(answer)} is none of the options: {asked}{hint}.")
    if said != right:
        fail(exercise, f"({said}) is wrong: {options[said]}")
    print(f"exercise {exercise}: correct")


def by_hand(exercise, answer, right, names, known):
    """Numbers worked by hand, separated by commas, against the right ones. `names` and `known` as in `compare`."""
    answer = _begun(tuple(answer) if isinstance(answer, list) else answer)
    if answer is ...:
        print(f"exercise {exercise}: {UNTOUCHED}")
        return
    left = compare(exercise, answer, right, names, known=known)
    print(f"exercise {exercise}: {'correct' if not left else f'not finished: {left[0]} is still `...`'}")


def _plain(option):
    return option.strip().strip("().:").strip().lower()


def described(function, case):
    """The case on which an answer was tried, in words  ->  " for x of shape (3, 2), tolerance = 0.1"."""
    names = list(inspect.signature(function).parameters)
    parts = []
    for name, value in zip(names, case):
        if isinstance(value, np.ndarray):
            parts.append(f"{name} of shape {value.shape}")
        elif isinstance(value, (int, float, str)):
            parts.append(f"{name} = {value!r}")
    return f" for {', '.join(parts)}" if parts else ""


def kind(value):
    """What a value is, in words: "a list", "an int", "the text 'b'"."""
    if isinstance(value, str):
        return f"the text {shown(value)}"
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    name = type(value).__name__[:80] or "nameless object"
    return f"{'an' if name.startswith(tuple('aeiou')) else 'a'} {name}"


def copied(case):
    """The arguments of a call, arrays as copies."""
    return tuple(argument.copy() if isinstance(argument, np.ndarray) else argument for argument in case)


def fail(exercise, sentence, cause=None):
    """Raise AssertionError with the exercise's number and one sentence."""
    raise AssertionError(f"exercise {exercise}: {' '.join(sentence.split())}") from cause
