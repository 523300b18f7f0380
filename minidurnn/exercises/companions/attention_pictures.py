"""Pictures of lesson 21: a translator with memories, where two translators look, how six of them learned."""

import numpy as np

from ...plots import arrow, box, line, panels, plt, sketch
from ...records import chosen_run


def draw_translator():
    """Three source words, their annotations and memories, the decoder; the memory's arrows are dashed."""
    axes = sketch("Writing word t; dashed: the memory; $r_0$ only at t = 1", (-2.6, 11.2), (-0.5, 6.7), 0.7)
    look = box(axes, 2.6, 4.6, "scores, weights, $c_t$", 7)
    cell = box(axes, 9, 4.6, "decoder's GRU ↻", 2.4)
    first, last, word = box(axes, -2, 4.6, "$r_0$"), box(axes, 9, 6, "word t−1", 2), box(axes, 9, 3, "word t")
    notes = [box(axes, 2.6 * j, 1.4, f"$s_{j}$", 1.6, filled=True) for j in range(3)]
    for j, note in enumerate(notes):
        x = 2.6 * j
        arrow(axes, box(axes, x, 0, f"place {j}", 1.6), note)
        arrow(axes, (x + 0.75, 1.7), (x + 0.75, 4.3))
        box(axes, x - 0.3, 2.9, f"$d_{j}$  ↻", 1.1)
        arrow(axes, (x, 3.2), (x, 4.3), "$d_{t-1}$", dashed=True, side=-0.4)
        arrow(axes, (x - 0.6, 4.3), (x - 0.6, 3.2), "window", dashed=True, side=-0.4)
    for start, end in ((0, 1), (1, 0), (1, 2), (2, 1)):
        arrow(axes, notes[start], notes[end], bend=-0.2)
    for start, end in ((first, look), (look, cell), (last, cell), ((5.9, 4.3), word)):
        arrow(axes, start, end)
    arrow(axes, notes[0], first, bend=-0.35)
    arrow(axes, cell, look, "$r_{t-1}$", bend=0.3)
    arrow(axes, cell, word, "$r_t$")
    arrow(axes, last, word, bend=-1)
    plt.show()


def draw_looks(trained, source, target, places, word):
    """Weights of two translators while they are given the right target of one sentence; the memory of one word.

    trained   {name: (network, p)}, the second one with a memory       source, target   (T, 1), (N, 1)
    places    (N, 1), the true place of every target word, the end left out       word   a place in the source
    """
    figure, axes = panels("Downwards the given, right target. Dots: the true word (0 has none)", 3, 10, 3.4)
    for one, (name, (network, p)) in zip(axes, trained.items()):
        weights, memory = network.attention_on(p, source, target)                 # (N, T, 1), (N, T, 1, M)
        shade = one.imshow(weights[..., 0], cmap="Greys", vmin=0, vmax=1, aspect="auto")
        one.plot(places[:-1, 0], np.arange(len(target) - 1), "o", color="tab:orange")
        one.set(xticks=range(len(source)), xticklabels=source[:, 0], title=f"weights, {name}", xlabel="source word")
    blue = axes[2].imshow(memory[:, word, 0], cmap="RdBu", vmin=-1, vmax=1, aspect="auto")
    axes[2].set(title=f"memory of word {source[word, 0]}", xlabel="its eight numbers after the look")
    for one in axes:
        one.grid(False)
        one.set(yticks=range(len(target)), yticklabels=target[:, 0])
    figure.colorbar(shade, ax=axes[1])
    figure.colorbar(blue, ax=axes[2])
    plt.show()


def draw_curves(found, experiment):
    """Validation of one experiment's runs in `found` (by_model), a line each  ->  {model: (seeds, points)}."""
    _, axes = panels(f"{experiment}: validation, one line a seed", width=6.4, height=3.2)
    drawn = {}
    for place, model in enumerate(("attention", "attention-memory")):
        for number, record in enumerate(found[experiment, model]):
            curve = chosen_run(record).curve                  # of the rate that validation chose
            points = [(u, v) for u, v in zip(curve["update"], curve["validation"]) if v is not None]
            line(axes, *zip(*points), None if number else model, place, marker=".")
            drawn.setdefault(model, []).append([value for _, value in points])
    axes.set(xlabel="updates", ylabel="bits per word, logarithmic axis", yscale="log")
    axes.legend()
    plt.show()
    return {model: np.array(values) for model, values in drawn.items()}
