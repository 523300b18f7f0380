"""Exercises 11.1 to 11.3: the reference solutions, and the mistakes that their checks must refuse."""

import numpy as np

# The reference solutions: the folded cells of the lesson hold the same text.

# Places in order of reading  ->  mean lags: right neighbours, below.
def lags(order, n):
    step = np.zeros(n * n)
    for t in range(n * n):
        step[order[t]] = t
    step = step.reshape(n, n)
    right = abs(step[:, 1:] - step[:, :-1]).mean()
    below = abs(step[1:] - step[:-1]).mean()
    return right, below


# Images in rows, their classes, test images  ->  a class for each.
def nearest_mean(train, label, test):
    distance = np.zeros((len(test), 10))
    for j in range(10):
        mean = train[label == j].mean(axis=0)
        distance[:, j] = ((test - mean) ** 2).sum(axis=1)
    return distance.argmin(axis=1)


# Rows of an n × n image  ->  all places in order of reading, with these rows at the end.
def rows_last(last, n):
    rows = np.arange(n * n).reshape(n, n)
    before = [r for r in range(n) if r not in last]
    return np.concatenate([rows[before].ravel(), rows[last].ravel()])


# Mistakes, each as a student would make it.

def _steps(order, n):
    step = np.zeros(n * n)
    step[order] = np.arange(n * n)
    return step.reshape(n, n)


def inverse(order, n):
    return lags(np.argsort(order), n)


def signed(order, n):
    step = _steps(order, n)
    return (step[:, 1:] - step[:, :-1]).mean(), (step[1:] - step[:-1]).mean()


def exchanged(order, n):
    return lags(order, n)[::-1]


def greatest(order, n):
    step = _steps(order, n)
    return abs(step[:, 1:] - step[:, :-1]).max(), abs(step[1:] - step[:-1]).max()


def _by_class(train, label, test, middle, power, choice=np.argmin):
    means = np.array([middle(train[label == c], axis=0) for c in range(10)])
    return choice((abs(test[:, None] - means) ** power).sum(axis=2), axis=1)


def furthest(train, label, test):
    return _by_class(train, label, test, np.mean, 2, np.argmax)


def sums(train, label, test):
    return _by_class(train, label, test, np.sum, 2)


def absolute(train, label, test):
    return _by_class(train, label, test, np.mean, 1)


def single(train, label, test):
    return label[((test[:, None] - train) ** 2).sum(axis=2).argmin(axis=1)]


def first(last, n):
    return np.concatenate([rows_last(last, n)[-n * len(last):], rows_last(last, n)[:n * (n - len(last))]])


def in_order(last, n):
    return rows_last(np.sort(last), n)


def dropped(last, n):
    return rows_last(last, n)[-n * len(last):]


def columns(last, n):
    order = rows_last(last, n)
    return order % n * n + order // n
