"""Losses as forward/backward pairs.

count    the number of valid targets of the whole batch, so that the losses of chunks add up
"""

from collections import namedtuple
from math import log

from ..arrays.backend import namespace
from ..arrays.checks import check_array, check_classes
from ..arrays.data import known

Tape = namedtuple("Tape", "residual count")
Loss = namedtuple("Loss", "forward backward metric better")


def mean_squared_error(y, target, count):
    """y, target (..., O)  ->  Σ (y - target)² / count, the same again as the metric, tape. `count` counts numbers."""
    check_array("target", target, y.shape, like=y)
    residual = y - target
    value = (residual * residual).sum() / count
    return value, value, Tape(residual, count)


def mean_squared_error_backward(tape):
    """The gradient on y  ->  dy (..., O)."""
    return tape.residual * (2.0 / tape.count)


def cross_entropy(y, target, count, valid=None):
    """y (..., C) scores, target (...) class numbers  ->  Σ -log softmax(y)[target] / count in nats, accuracy, tape.

    valid    bools (...): which answers count, each with a class number from 0 to C - 1 either way; None: all
    """
    xp = namespace(y, target)
    check_classes("target", target, y.shape[:-1], y.shape[-1], like=y)
    classes = target.reshape(-1)
    scores = known(y.reshape(-1, y.shape[-1]), classes, y.shape[-1])
    rows = xp.arange(len(classes))
    counts = None if valid is None else valid.reshape(-1).astype(y.dtype)
    right = _sum((scores.argmax(1) == classes).astype(y.dtype), counts) / count
    scores = scores - scores.max(1, keepdims=True)            # the softmax does not change, and exp cannot overflow
    residual = xp.exp(scores)
    total = residual.sum(1, keepdims=True)
    value = _sum(xp.log(total[:, 0]) - scores[rows, classes], counts) / count
    residual /= total
    residual[rows, classes] -= 1.0                            # softmax - one-hot
    if counts is not None:
        residual *= counts[:, None]
    return value, right, Tape(residual.reshape(y.shape), count)


def _sum(numbers, counts):
    return numbers.sum() if counts is None else (numbers * counts).sum()


def cross_entropy_backward(tape):
    """The gradient on y  ->  dy (..., C)."""
    return tape.residual * (1.0 / tape.count)


def cross_entropy_in_bits(y, target, count, valid=None):
    """cross_entropy, with the same loss in bits, loss / ln 2, as the metric: the cost of a symbol of a text."""
    value, _, tape = cross_entropy(y, target, count, valid)
    return value, (value / log(2)).astype(value.dtype), tape        # NumPy 1.25 would give float64


LOSSES = {
    "mse": Loss(mean_squared_error, mean_squared_error_backward, "mse", "lower"),
    "cross_entropy": Loss(cross_entropy, cross_entropy_backward, "accuracy", "higher"),
    "bits": Loss(cross_entropy_in_bits, cross_entropy_backward, "bits", "lower"),
}
BETTER = {loss.metric: loss.better for loss in LOSSES.values()}                   # of two values of a metric
