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


def train(body, order, seed, change=None, updates=100):
    """Updates with 25 images each, with Adam at the rate 0.001  ->  validation loss, accuracy, the parameters.

    body     a recurrent model with one input; it gets a read-out of ten scores
    order    (196,): the place that is read at each step
    seed     of the start values and of the batches
    change   a function of the body's start values that gives those to train from, or None
    """
    task, network = DigitsInOrder(order), Network(body, 10, "cross_entropy")
    start = network.init(np.random.default_rng(seed))
    if change is not None:
        start["body"] = change(start["body"])
    p, _ = fit(
        network, task, updates, start=network.project(start), optimizer=Adam(0.001), seed=seed, batch=25,
        dtype="float64", validate_every=None, progress=False,
    )
    return *evaluate(network, p, task.validation()), p


def five_losses(body, change=None, order=range(196), updates=200):
    """The validation losses after some updates of `train` with the seeds 0 to 4  ->  (5,)."""
    return np.array([train(body, np.array(order), seed, change, updates)[0] for seed in SEEDS])


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


def draw_losses(title, settings, losses):
    """A panel for each network: the loss of each seed over the settings as a line, the mean of the five in black.

    losses   {network: (settings, 5)}
    """
    _, axes = panels(title, len(losses), 9, 3.6)
    for one, (network, five) in zip(axes, losses.items()):
        one.plot(five, "o-", color=BLUE, linewidth=1, markersize=4, alpha=0.5)
        one.plot(five.mean(axis=1), "s-", color="black", label="mean of five seeds")
        one.axhline(np.log(10), color=ORANGE, linestyle=":", label="guessing")
        one.set_title(network, fontsize=10)
        one.set_xticks(range(len(settings)), settings)
        one.set(xlabel="norm of the recurrent matrix", ylabel="validation loss", ylim=(1.6, 2.4))
    axes[0].legend(fontsize=8, loc="lower left")
