"""The drawings and figures of lesson 20."""

import numpy as np

from ...plots import BLUE, PALETTE, RED, arrow, box, panels, plt, reference, sketch
from .compact_records import FEWER, NAMES


def draw_projection():
    """Two time steps of a layer whose units are read through m = h P, by the next step and by the layer above."""
    axes = sketch("Both readers of the units read the projection", (-1.0, 10.4), (-0.7, 4.0))
    before = None
    for place, name in enumerate(("$t$", "$t+1$")):
        left = 4.3 * place
        below = box(axes, left, 0, f"$x$ at {name}", 1.6)
        unit = box(axes, left, 1.4, f"$h$ at {name}", 1.6)
        m = box(axes, left + 1.9, 2.2, f"$m$ at {name}", 1.6, filled=True)
        above = box(axes, left + 1.9, 3.3, "layer above", 1.8)
        arrow(axes, below, unit, "W")
        arrow(axes, unit, m, "P", colour=RED)
        arrow(axes, m, above)
        if before is not None:
            arrow(axes, before, unit, "B", colour=BLUE)       # from m of the step before
        before = m
    arrow(axes, before, box(axes, 8.9, 1.4, "$h$ at $t+2$", 1.6), "B", colour=BLUE)
    plt.show()


def draw_matrices(title, matrices):
    """Matrices side by side; dict name -> matrix. Each has its own scale: grey is 0, white positive, black negative."""
    figure, axes = panels(title, len(matrices), 6.4, 3.2)
    for one, (name, matrix) in zip(axes, matrices.items()):
        most = abs(matrix).max()
        one.imshow(matrix, cmap="gray", vmin=-most, vmax=most)
        one.set(xlabel=name, xticks=[], yticks=[])
        one.grid(False)
    plt.show()


def draw_hybrid():
    """The hybrid with a half of the numbers, from the 6 numbers of a character up to the read-out."""
    axes = sketch("The hybrid with a half of the numbers", (-0.9, 12.6), (-0.6, 1.9), 0.66)
    first = box(axes, 0, 0, "6", 0.7)
    lower = box(axes, 2.4, 0, "lower:\n96 units", 1.7, 0.9)
    handed = box(axes, 5, 0, "54", 0.7, filled=True)
    upper = box(axes, 7.4, 0, "upper:\n96 units", 1.7, 0.9)
    m = box(axes, 9.8, 0, "m: 54", 1.1, filled=True)
    readout = box(axes, 11.8, 0, "read-out", 1.4)
    arrow(axes, first, lower, "W")
    arrow(axes, lower, handed, "up")
    arrow(axes, handed, upper, "W")
    arrow(axes, upper, m, "P", colour=RED)
    arrow(axes, m, readout)
    arrow(axes, (2.9, 0.45), (1.9, 0.45), "U, Toeplitz-like, next step", colour=BLUE, bend=1.3, side=-0.25)
    arrow(axes, (9.8, 0.3), (7.4, 0.45), "B, next step", colour=BLUE, bend=0.6, side=-0.25)
    plt.show()


def draw_bits(title, tests, mark):
    """Test bits of every network and size: a dot for each seed, a bar for the median; a line at `mark`.

    tests    dict (network, part) -> bits by seed         mark    what counted pairs cost
    """
    figure, axes = panels(title)
    whole = tests[FEWER, 1]
    axes.hlines(np.median(whole), -0.06, 0.06, "k", lw=4, alpha=0.5, label="whole network")
    axes.plot([-0.04, 0, 0.04], whole, "k.")
    for place, name in enumerate(NAMES.values()):
        x = np.arange(1, 4) + 0.16 * place - 0.32             # groups at 1, 2, 3; a network's place in each of them
        own = np.array([tests[name, part] for part in (2, 4, 10)])
        axes.hlines(np.median(own, 1), x - 0.06, x + 0.06, PALETTE[place], lw=4, alpha=0.5, label=name)
        axes.plot(x[:, None] + [-0.04, 0, 0.04], own, ".", color=PALETTE[place])
    axes.set(xticks=[0, 1, 2, 3], xticklabels=["all", "1/2", "1/4", "1/10"], xlim=(-0.5, 4.2), ylim=(3, 4))
    axes.set(xlabel="share of the 120,359 numbers", ylabel="test bits: seeds 0, 1, 2, median")
    reference(axes, mark, "counted pairs")
    axes.legend(ncols=3, loc="upper center", fontsize=8)
    plt.show()
