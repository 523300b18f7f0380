"""The checkers of lesson 11, digits pixel by pixel: steps, lags, an order, the nearest mean, and a gate."""

import numpy as np

from . import UNTOUCHED, choose, fail, judge, numbers


def check_1(answer):
    """How many steps lie between two pixels that stand one below the other."""
    choose("11.1", answer, "c", {
        "a": "1 is the lag of the pixel to the right; by (11.1) one row further adds n to the step.",
        "b": "there are 13 pixels between the two, and the lag counts the steps from one to the other.",
        "c": "",
        "d": "196 is the number of all pixels; the pixel below comes one row later.",
    })


def check_2(attempt):
    """The mean lags of an order of reading."""
    mixed = np.random.default_rng(2)
    cases = [
        (np.arange(4), 2), (np.array([3, 0, 1, 2]), 2), (np.arange(9), 3),
        (mixed.permutation(9), 3), (mixed.permutation(25), 5),
    ]
    judge("11.2", attempt, lags, cases, ("right", "below"), mistakes={
        "order[t] is the place that is read at step t; here it was taken for the step of place t": _inverse,
        "a lag has no sign: take abs before the mean": _signed,
        "right and below are exchanged: the row is the first index of an image": _exchanged,
        "this is the greatest lag, not the mean": _greatest,
    })


def check_3(answer):
    """An order of a 4 x 4 image in which neighbours are far apart."""
    if answer is ...:
        print(f"exercise 11.3: {UNTOUCHED}")
        return
    order = numbers("11.3", "answer", answer, (16,)).astype(float)
    for place in range(16):
        if (found := int((order == place).sum())) != 1:
            fail("11.3", f"the place {place} is read {found} times, expected each of the places 0 to 15 once.")
    step = _steps(order.astype(int), 4)
    across, down = abs(step[:, 1:] - step[:, :-1]), abs(step[1:] - step[:-1])
    if min(across.min(), down.min()) < 4:
        name, all_lags = ("right of", across) if across.min() <= down.min() else ("below", down)
        row, column = np.unravel_index(all_lags.argmin(), all_lags.shape)
        fail("11.3", f"the place {4 * row + column} and the one {name} it are read {all_lags.min():.0f} steps apart, "
                     "expected at least 4 for every two neighbours.")
    print("exercise 11.3: correct")


def check_4(attempt):
    """The class whose mean image is nearest."""
    random = np.random.default_rng(4)
    label = np.repeat(np.arange(10), (1, 2, 3, 4, 5, 2, 3, 4, 5, 6))          # classes of unlike size
    cases = []
    for pixels in (1, 3, 12):
        train = random.random((len(label), pixels)) + 0.1 * label[:, None] * (np.arange(pixels) % 3 == 0)
        cases.append((train, random.permutation(label), random.random((20, pixels)) * 1.5))
    judge("11.4", attempt, nearest_mean, cases, ("classes",), mistakes={
        "this is the class whose mean is furthest away: take the smallest distance": _furthest,
        "these are the sums of the images of a class: divide by how many there are": _sums,
        "these are sums of absolute differences; (11.3) has squares": _absolute,
        "this is the nearest single image, not the nearest mean": _single,
    })


def check_5(answer):
    """How the gradient on an early pixel grows with the gates, at the start of training."""
    choose("11.5", answer, "b", {
        "a": "u keeps its start values, but on its way into the long-term memory the pixel is multiplied by the gate.",
        "b": "",
        "c": "this would be a gate at every step; the gate multiplies what enters l[t], not what is kept of l[t-1].",
        "d": "the gate is a factor of the way from the pixel to the last state, and the factor grows.",
    })


# The reference solutions: the folded cells of the lesson hold the same text.

def lags(order, n):
    """The places of an n × n image in order of reading  ->  mean lags: right neighbours, below."""
    step = np.zeros(n * n)
    for t in range(n * n):
        step[order[t]] = t
    step = step.reshape(n, n)
    right = abs(step[:, 1:] - step[:, :-1]).mean()
    below = abs(step[1:] - step[:-1]).mean()
    return right, below


def nearest_mean(train, label, test):
    """Training images in rows, their classes, test images in rows  ->  a class for every test image."""
    distance = np.zeros((len(test), 10))
    for c in range(10):
        mean = train[label == c].mean(axis=0)
        distance[:, c] = ((test - mean) ** 2).sum(axis=1)
    return distance.argmin(axis=1)


def _steps(order, n):
    step = np.zeros(n * n)
    step[order] = np.arange(n * n)
    return step.reshape(n, n)


def _inverse(order, n):
    return lags(np.argsort(order), n)


def _signed(order, n):
    step = _steps(order, n)
    return (step[:, 1:] - step[:, :-1]).mean(), (step[1:] - step[:-1]).mean()


def _exchanged(order, n):
    return lags(order, n)[::-1]


def _greatest(order, n):
    step = _steps(order, n)
    return abs(step[:, 1:] - step[:, :-1]).max(), abs(step[1:] - step[:-1]).max()


def _by_class(train, label, test, middle, power, choice=np.argmin):
    means = np.array([middle(train[label == c], axis=0) for c in range(10)])
    return choice((abs(test[:, None] - means) ** power).sum(axis=2), axis=1)


def _furthest(train, label, test):
    return _by_class(train, label, test, np.mean, 2, np.argmax)


def _sums(train, label, test):
    return _by_class(train, label, test, np.sum, 2)


def _absolute(train, label, test):
    return _by_class(train, label, test, np.mean, 1)


def _single(train, label, test):
    return label[((test[:, None] - train) ** 2).sum(axis=2).argmin(axis=1)]


CHECKS = {"11.1": check_1, "11.2": check_2, "11.3": check_3, "11.4": check_4, "11.5": check_5}
REFERENCE = {
    "11.1": "c", "11.2": lags, "11.3": [0, 2, 5, 7, 8, 10, 13, 15, 1, 3, 4, 6, 9, 11, 12, 14],
    "11.4": nearest_mean, "11.5": "b",
}
WRONG = {
    "11.1": ["a", "(b)", "D"],
    "11.2": [_inverse, _signed, _exchanged, _greatest],
    "11.3": [
        list(range(16)), [0] * 16, list(range(1, 17)),        # row by row; one place only; counted from 1
        [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],               # column by column
    ],
    "11.4": [_furthest, _sums, _absolute, _single],
    "11.5": ["a", "C", "(d)"],
}
ILL_TYPED = {
    "11.1": [None, 14, "below", ["c"]],
    "11.2": [
        None, np.eye(3), lambda order, n: 1.0, lambda order, n: (1.0, 2.0, 3.0), lambda order, n: order[n * n],
        lambda order, n: order.sort(),
    ],
    "11.3": [None, "0123", list(range(15)), [[0] * 16], ["a"] * 16, [0, None] * 8],
    "11.4": [
        None, np.zeros(3), lambda train, label, test: train, lambda train, label, test: label[:3],
        lambda train, label, test: test.fill(0), lambda train, label, test: train[10**6],
    ],
    "11.5": [None, 20, "twenty", ("b",)],
}
