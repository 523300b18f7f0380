"""The drawing, the figures and the rows of numbers of lesson 14."""

import numpy as np

from ...arrays.trees import leaves
from ...optim import clip_by_global_norm
from ...plots import PALETTE, arrow, box, line, panels, plt, reference
from .stack_passes import passes_in_training

READ = "line: median, dots: seeds, moved sideways"


def draw_blocks(axes, parts):
    """A plain and a residual block side by side, read from the bottom up; parts: the names of their parts."""
    colours = {"recurrence": PALETTE[0], "Weight": PALETTE[1]}
    for left, name, ends in ((0, "plain: y = F(x)", ["y"]), (4, "residual: y = x + F(x)", ["+", "y"])):
        path = [box(axes, left, 0, "x")]
        for part in parts:
            path.append(box(axes, left, len(path), part, 1.6, 0.55, colours[part], filled=True))
        for text in ends:
            path.append(box(axes, left, len(path), text))
        for below, above in zip(path, path[1:]):
            arrow(axes, below, above)
        axes.annotate(name, (left, 6.5), ha="center")
    plus = len(parts) + 1
    arrow(axes, (4.45, 0), (4.45, plus), "skip", PALETTE[3], bend=0.6, side=0.3)
    plt.show()


def lengths(gradients):
    """The length of every gradient of a list, the root of its sum of squares  ->  (gradients,)."""
    return np.array([np.linalg.norm(one) for one in gradients])


def outputs(network, p, x):
    """What every part of a network's body hands up in training, from the bottom to the top  ->  list of (T, B, H)."""
    return [output for output, _ in passes_in_training(network, p, x)]


def sizes(network, p, x, target):
    """Roots of mean squares: the clipped gradients on a stack's first and last W, and what its last block hands up."""
    dp, _ = network.gradient(network.loss(p, x, target)[2])
    dp, _ = clip_by_global_norm(dp, 5.0)                      # as fit does
    on_weights = [leaf for leaf in leaves(dp["body"]).values() if leaf.ndim == 2]
    arrays = on_weights[0], on_weights[-1], outputs(network, p, x)[-2]
    return [np.sqrt(np.mean(one ** 2)) for one in arrays]


def weight_shapes(stack):
    """(inputs, units) of every Weight of a stack, from the bottom to the top."""
    p = stack.init(np.random.default_rng(0))
    return [leaf.shape for leaf in leaves(p).values() if leaf.ndim == 2]


def spaced(numbers):
    """Numbers in columns, as text."""
    return "".join(f"{one:7.1f}" for one in numbers)


def print_floors(factors, estimates, β, floors, ratios):
    """A row for each factor and seed; estimates (of β), β, floors and each of skips -> ratios: (factors, seeds)."""
    print("   ζ  seed  ζ² β_1      β    floor  ratio: skips  plain")
    for at in np.ndindex(β.shape):
        print(f"{factors[at[0]]:4}{at[1]:6}{estimates[at]:8.2f}{β[at]:7.2f}{floors[at]:9.2g}"
              f"{ratios[True][at]:14.2g}{ratios[False][at]:7.0e}")


def print_sizes(factors, found):
    """A row for each factor and seed; found: skips -> (factors, seeds, 3), as sizes gives them."""
    print("\n           with skips, sizes of           plain, sizes of")
    print("   ζ  seed  dW first  dW last      x^K  dW first  dW last      x^K")
    for row, seed in np.ndindex(found[True].shape[:2]):
        numbers = [*found[True][row, seed], *found[False][row, seed]]
        columns = [f"{one:{width}.0e}" for one, width in zip(numbers, (10, 9, 9) * 2)]
        print(f"{factors[row]:4}{seed:6}" + "".join(columns))


def draw_growth(blocks, ratios):
    """The ratio over the number of blocks; ratios: (norms, skips) -> (blocks, seeds)."""
    _, axes = panels(f"Before training the gradient grows, with and without skips\n({READ})", 2, 9.2, 3.8)
    for (norms, skips), found in ratios.items():
        side, place = axes[int(norms)], int(skips)
        line(side, blocks, np.median(found, axis=1), "residual" if skips else "plain", place)
        side.plot(np.array(blocks) + 0.2 * (place - 0.5), found, ".", color=PALETTE[place])
        side.set(title="with norms" if norms else "no norms", xlabel="blocks K", ylabel="ratio bottom / top")
        side.set(yscale="log", ylim=(0.5, 2e5))
        side.legend()
    plt.show()


def draw_rates(rates, losses):
    """The loss after training over Adam's rate; losses: name -> (rates, seeds). The title counts the low ones."""
    low = [f"{name} {(found < 0.1).sum()} of {found.size}" for name, found in losses.items()]
    _, axes = panels(f"Below 0.1 after 160 updates: {'; '.join(low)}\n({READ})", 1, 7.4, 4.0)
    for place, (name, found) in enumerate(losses.items()):
        shifted = np.array(rates) * 1.1 ** (place - 1)        # sideways, so that dots are seen
        line(axes, shifted, np.median(found, axis=1), name, place)
        axes.plot(shifted, found, ".", color=PALETTE[place])
    axes.loglog()
    axes.set(xlabel="rate of Adam", ylabel="loss, updates 141 to 160", xlim=(2e-4, 0.4))
    axes.legend(fontsize=8)
    reference(axes, 0.1, "0.1")
    reference(axes, 1 / 6, "always 1")
    plt.show()


def draw_small_weights(factors, ratios, floors, losses):
    """Ratio, floor and loss over the factor on every Weight.

    ratios   skips -> (factors, seeds);    floors   (factors, seeds), drawn where they are above 0
    losses   (rate, skips, factor) -> (seeds,); rates 0.003 and 0.01
    """
    title = "With skips, ζ = 0.3 and the rate 0.003 all three runs end below 0.1; no plain run does"
    _, axes = panels(f"{title}\n(no norms; {READ}; right: full dots rate 0.003, open dots 0.01)", 2, 9.6, 4.0)
    for skips, name in ((False, "plain"), (True, "residual")):
        place = int(skips)
        line(axes[0], factors, np.median(ratios[skips], axis=1), name, place)
        shifted = np.array(factors) * 1.08 ** place           # sideways, so that dots are seen
        axes[0].plot(shifted, ratios[skips], ".", color=PALETTE[place])
        for later, rate in enumerate((0.003, 0.01)):
            ends = np.array([losses[rate, skips, factor] for factor in factors])
            beside = np.array(factors) * 1.1 ** (place + 2 * later - 1.5)
            face = "none" if later else PALETTE[place]
            axes[1].plot(beside, ends, "o", color=PALETTE[place], markerfacecolor=face, markersize=5)
        axes[1].plot([], [], "o", color=PALETTE[place], label=name)       # for the legend
    for factor, found in zip(factors, floors):
        if found.min() > 0:
            axes[0].plot([factor] * len(found), found, "k_", markersize=11)
    axes[0].plot([], [], "k_", label="floor, 0 from ζ = 0.3 on")
    reference(axes[1], 0.1, "0.1")
    reference(axes[1], 1 / 6, "always 1")
    for side, name in zip(axes, ("ratio bottom / top", "loss, updates 141 to 160")):
        side.set(xscale="log", yscale="log", xlabel="factor ζ on every Weight", ylabel=name, xlim=(0.02, 1.6))
        side.set_xticks(factors, [f"{factor:g}" for factor in factors])
        side.minorticks_off()
        side.legend(fontsize=8)
    ticks = [0.02, 0.05, 0.1, 0.2]
    axes[1].set_xlim(0.02, 4)                                 # room for the names of the two lines
    axes[1].set_yticks(ticks, [f"{one:g}" for one in ticks])
    plt.show()
