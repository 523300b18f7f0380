"""The short trainings of lesson 11 on digits pixel by pixel, in any order of reading, and its drawings."""

from dataclasses import dataclass, field

import numpy as np

from ...networks import Network
from ...optim import Adam
from ...plots import BLUE, ORANGE, arrow, panels
from ...tasks.pixels import Pixels
from ...training import evaluate, fit

SEEDS = range(5)


@dataclass(frozen=True)
class DigitsInOrder:
    """The task `Pixels(14)` with its 196 pixels read in another order.

    order   (196,): order[t] is the place, counted from 0, that is read at step t + 1
    """

    order: np.ndarray
    rows: Pixels = field(default_factory=lambda: Pixels(14))
    inputs, outputs, loss, metric, reads = 1, 10, "cross_entropy", "accuracy", "last"

    def batch(self, rng, B):
        """B random training images  ->  x (196, B, 1), their digits (B,), None."""
        x, digit, lengths = self.rows.batch(rng, B)
        return x[self.order], digit, lengths

    def validation(self):
        """The 600 training images held out  ->  x (196, 600, 1), their digits (600,), None."""
        x, digit, lengths = self.rows.validation()
        return x[self.order], digit, lengths


def train(body, order, seed, rate=0.001, larger_W_l=1.0, updates=100):
    """Updates with 25 images each, with Adam  ->  loss and accuracy on the validation images.

    body         a recurrent model with one input; it gets a read-out of ten scores
    order        (196,): the place that is read at each step
    seed         of the start values and of the batches
    larger_W_l   the factor by which the start of W_l is multiplied
    """
    task, network = DigitsInOrder(order), Network(body, 10, "cross_entropy")
    start = network.init(np.random.default_rng(seed))
    if larger_W_l != 1:
        start["body"]["W_l"] *= np.float32(larger_W_l)
    p, _ = fit(
        network, task, updates, start=start, optimizer=Adam(rate), seed=seed, batch=25, dtype="float64",
        validate_every=None, progress=False,
    )
    return evaluate(network, p, task.validation())


def five_losses(body, rate=0.001, larger_W_l=1.0, updates=200):
    """The validation losses after some updates of `train` in row order with the seeds 0 to 4  ->  (5,)."""
    return np.array([train(body, np.arange(196), seed, rate, larger_W_l, updates)[0] for seed in SEEDS])


def nearest_neighbour(train, label, test):
    """Training images in rows, their classes, other images in rows  ->  the class of each one's nearest image."""
    distance = (train**2).sum(axis=1) - 2 * test @ train.T    # less |test|², which no training image changes
    return label[distance.argmin(axis=1)]


def print_head():
    """The names of the columns of `print_change`."""
    print("network          loss  against    loss  mean change (least to greatest)  lower  control  counts")


def print_change(name, base, losses, control, counts):
    """A row: mean losses (of five seeds) of a network and its base, their change seed by seed, does it count?"""
    change = losses[name] - losses[base]
    print(
        f"{name:16}{losses[name].mean():.3f}  {base:10}{losses[base].mean():.3f}",
        f"{change.mean():+10.3f} ({change.min():+.3f} to {change.max():+.3f}) ",
        f"{(change < 0).sum()} of 5 {control:8.3f}  {'yes' if counts else 'no'}",
    )


def draw_reading(axes, image, in_order, permuted):
    """An image (14, 14) with the steps of its rows, and below it two sequences (196,) as strips."""
    axes.imshow(image, "gray_r", extent=(5, 19, 0, 14))
    axes.hlines(range(15), 5, 19, "#999999", linewidth=0.5)   # a grid: one square for each pixel
    axes.vlines(range(5, 20), 0, 14, "#999999", linewidth=0.5)
    for row in (0, 1, 13):                                    # counted from 0, drawn from the top
        arrow(axes, (2.2, 13.5 - row), (4.9, 13.5 - row), colour=BLUE)
        axes.annotate(f"steps {14 * row + 1} to {14 * row + 14}", (20, 13.2 - row), fontsize=8)
    for name, sequence, low in (("in order", in_order, -3.4), ("permuted", permuted, -7)):
        axes.imshow(sequence[None], "gray_r", extent=(0, 28, low, low + 1.6))
        axes.vlines((0, 28), low, low + 1.6, "#999999", linewidth=0.5)
        axes.annotate(f"{name}, steps 1 to 196:", (0, low + 2), fontsize=9)


def draw_losses(title, losses, counts):
    """The five losses of every network as dots, over the band of the network that it is compared with.

    losses   name -> (5,)
    counts   (name, base) -> does the change count?, in the order of drawing, from the top
    """
    _, axes = panels(title, width=7.6, height=4)
    for row, ((name, base), counting) in enumerate(counts.items()):
        middle, control = losses[base].mean(), losses[base].max() - losses[base].min()
        axes.barh(row, 2 * control, left=middle - control, height=0.8, color="#dddddd")
        axes.plot([middle, middle], [row - 0.4, row + 0.4], color="#888888", linewidth=1)
        colour = ORANGE if counting else BLUE
        axes.plot(losses[name], np.full(5, row), "o", color=colour, markersize=4, alpha=0.8)
        axes.plot(losses[name].mean(), row, "|", color=colour, markersize=16, markeredgewidth=2.5)
    axes.axvline(np.log(10), color="black", linestyle=":", label="guessing")
    axes.plot([], [], "o", color=ORANGE, label="the change counts")
    axes.plot([], [], "o", color=BLUE, label="it does not")
    axes.bar(0, 0, color="#dddddd", label="network after against:\nmean ± control")
    axes.set_yticks(range(len(counts)), [f"{name} (against {base})" for name, base in counts], fontsize=8)
    axes.set_xlim(1.4, 2.72)
    axes.set_xlabel("validation loss")
    axes.invert_yaxis()
    axes.legend(fontsize=8, loc="upper right")
