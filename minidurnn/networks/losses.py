"""Losses as forward/backward pairs.

count    the number of valid targets of the whole batch, so that the losses of chunks add up
valid    1 where a target counts, 0 in the padding, of the targets' shape without classes or outputs; None: all count
"""

from collections import namedtuple

from ..arrays.backend import namespace
from ..arrays.checks import check_array, check_classes

Tape = namedtuple("Tape", "residual count")
Loss = namedtuple("Loss", "forward backward metric better")


def mean_squared_error(y, target, count, valid=None):
    """y, target (..., O)  ->  Σ (y - target)² / count, the same again as the metric, tape. `count` counts numbers."""
    check_array("target", target, y.shape, like=y)
    residual = y - target if valid is None else (y - target) * valid[..., None]
    value = (residual * residual).sum() / count
    return value, value, Tape(residual, count)


def mean_squared_error_backward(tape):
    """The gradient on y  ->  dy (..., O)."""
    return tape.residual * (2.0 / tape.count)


def cross_entropy(y, target, count, valid=None):
    """y (..., C) scores, target (...) class numbers  ->  Σ -log softmax(y)[target] / count in nats, accuracy, tape."""
    xp = namespace(y, target)
    check_classes("target", target, y.shape[:-1], y.shape[-1], like=y)
    scores, classes = y.reshape(-1, y.shape[-1]), target.reshape(-1)
    weight = xp.ones(len(classes), y.dtype) if valid is None else valid.reshape(-1)
    rows = xp.arange(len(classes))
    right = (weight * (scores.argmax(1) == classes)).sum() / count
    scores = scores - scores.max(1, keepdims=True)            # the softmax does not change, and exp cannot overflow
    total = xp.exp(scores).sum(1, keepdims=True)
    value = (weight * (xp.log(total[:, 0]) - scores[rows, classes])).sum() / count
    residual = xp.exp(scores) / total
    residual[rows, classes] -= 1.0                            # softmax - one-hot
    residual *= weight[:, None]
    return value, right, Tape(residual.reshape(y.shape), count)


def cross_entropy_backward(tape):
    """The gradient on y  ->  dy (..., C)."""
    return tape.residual * (1.0 / tape.count)


LOSSES = {
    "mse": Loss(mean_squared_error, mean_squared_error_backward, "mse", "lower"),
    "cross_entropy": Loss(cross_entropy, cross_entropy_backward, "accuracy", "higher"),
}
