"""The drawings of lesson 17: two ways between cell states, local slopes, eigenvalues, time scales."""

import numpy as np

from ...plots import BLUE, ORANGE, arrow, box, line, panels, reference


def draw_two_ways(axes):
    """Three cell states in a row, the direct way between them in orange, the way through h dashed in blue."""
    cell_before = h_before = None
    for place, name in enumerate(("t-1", "t", "t+1")):
        cell_box = box(axes, 4 * place, 2, f"$c_{{{name}}}$", 1.0, 0.6, ORANGE, True)
        h_box = box(axes, 4 * place, 0.2, f"$h_{{{name}}}$", 0.9, 0.6, BLUE)
        arrow(axes, cell_box, h_box, "", BLUE, 0, True)
        if place:                                             # not at t-1, where nothing comes in
            arrow(axes, cell_before, cell_box, f"$\\times f_{{{name}}}$: the direct way", ORANGE)
            reads = box(axes, 4 * place - 2, 0.2, f"$i, f, o, z$ of step ${name}$", 2.2, 0.6, BLUE)
            arrow(axes, box(axes, 4 * place - 2, -1, f"$x_{{{name}}}$", 0.8, 0.6), reads)
            for start, end in ((h_before, reads), (reads, cell_box), (reads, h_box)):
                arrow(axes, start, end, "", BLUE, 0, True)
            axes.text(4 * place - 0.7, 0.3, "$o$", color=BLUE, ha="center")     # what acts on h
        cell_before, h_before = cell_box, h_box


def draw_slopes(axes, name, seed, whole, gates):
    """The local slopes of one seed against the lags 1, 2, ...: of the whole gradient, and by gates only."""
    style = ("-", "--", ":")[seed]
    lags = np.arange(1, len(whole) + 1)
    axes.plot(lags, gates, style, color=ORANGE, label=f"gates only, seed {seed}")
    axes.plot(lags, whole, style, color=BLUE, label=f"whole, seed {seed}")
    axes.set(title=name, xlabel="lag k", ylabel="local slope", ylim=(-1, 0))
    if name == "LSTM":                                        # one legend for both panels
        axes.legend(fontsize=7, loc=8, ncols=2)


def draw_step(plane, side, name, eigenvalues, gate, without, with_inputs):
    """A cell's eigenvalues in the complex plane, and beside them its local slopes without and with inputs.

    gate     its logarithm is a cross at lag 1          without, with_inputs   local slopes at the lags 1, 2, ...
    """
    colour = {"LSTM": BLUE, "GRU": ORANGE}[name]
    if not plane.lines:
        angle = np.linspace(0, 2 * np.pi, 200)
        plane.plot(np.cos(angle), np.sin(angle), color="black", linewidth=0.8, label="size 1")
    plane.plot(eigenvalues.real, eigenvalues.imag, ".", color=colour, label=name)
    plane.set(xlabel="real part", ylabel="imaginary part", aspect=1)
    plane.legend(loc=2, fontsize=6)
    lags, largest = np.arange(1, len(without) + 1), abs(eigenvalues).max()
    side.plot(lags, without, "--", color=colour, label=f"{name}, no input")
    side.plot(lags, with_inputs, color=colour, label=f"{name}, with inputs")
    side.plot(1, np.log(gate), "x", color=colour, label=f"ln f of the {name}")
    reference(side, np.log(largest), f"ln {largest:.2f}")
    side.set(xlabel="lag k", ylabel="local slope", ylim=(-1.1, 0.1))
    side.legend(fontsize=7, ncols=2, loc=8)


def draw_corner(axes, way, spread, curve):
    """Local slopes in one of the four corners, against the lags 1, 2, ...  ->  the name of the corner.

    way      1: with the second way, 0: without             spread   1: the gates are spread, 0: they are equal
    """
    name = f"{'with' if way else 'no'} second way, gates {'spread' if spread else 'equal'}"
    line(axes, np.arange(1, len(curve) + 1), curve, name, 2 * way + spread)
    if not way + spread:                                      # here the slope is the mean of ln f
        reference(axes, curve.mean(), "mean ln f")
    axes.set(xlabel="lag k", ylabel="local slope", ylim=(-1.1, 0.1))
    axes.legend(fontsize=8, loc=(0.55, 0.18))
    return name


def draw_scales(claim, scales, fixed):
    """A column of dashes for every way to start: name -> time scales (H,); dots beside the last, its `fixed` (H,)."""
    axes = panels(claim, 1, 7, 3.2)[1]
    for place, of_units in enumerate(scales.values()):
        axes.semilogy([place] * len(of_units), of_units, "_", color=ORANGE, ms=22)
    axes.plot(np.full(len(fixed), place + 0.3), fixed, "k.", markersize=3)
    axes.text(place + 0.22, 130, "numbers $s$")
    axes.set(xticks=range(len(scales)), xticklabels=list(scales), ylabel="time scale (steps)")
