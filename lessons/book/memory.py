"""The drawing of the first page: what two memories keep of a sequence, drawn from a run of a DuRNN by hand."""

import numpy as np

from minidurnn import DuRNN

KEPT = 8                                                      # short-term units, and so the bits in their memory
STEPS, MARKED = 44, 15                                        # of the sequence drawn; the marked step, counted from 1
CELL, LEFT, GAP = 14, 4, 40                                   # sizes in the drawing


def by_hand(steps):
    """A DuRNN that answers delayed XOR at any length  ->  cell, p.

    Short-term unit i holds the bit of i steps ago, times 0.9**i. One long-term unit is for the bits 0 then 1, one for
    1 then 0. The marker opens both gates; u = 1 keeps what came in.
    """
    cell = DuRNN(inputs=2, short=KEPT, long=2, horizon=steps)
    p = {letter: np.zeros(shape) for letter, shape in cell.shapes.items()}
    p["W_s"][0, 0] = 1                                        # the bit enters the first short-term unit
    p["U_s"][np.arange(KEPT - 1), np.arange(1, KEPT)] = 0.9   # every unit hands on to the next
    p["V_g"][1], p["b_g"][:] = 80, -40                        # the gates: shut, and open at the marker
    p["W_l"][:2] = [[1, -1], [-1 / 0.9, 1 / 0.9]]             # this bit less the one before, and the reverse
    p["u"][:] = 1
    return cell, p


def answer(steps, x):
    """x (T, B, 2) bits and markers  ->  (B,): 1 where the marked bit and the one before it differ, else 0."""
    cell, p = by_hand(steps)
    return (cell.forward(p, x)[0][-1, :, KEPT:].sum(-1) > 0.5).astype(int)


def states():
    """The sequence that is drawn  ->  bits (T,), s (T, KEPT), l (T, 2), left_s (T,), left_l (T,).

    left_s, left_l   how far the marked bit still moves the two memories: the largest difference to a second run in
                     which this bit is the other one
    """
    x = np.zeros((STEPS, 2, 2))
    x[..., 0] = np.random.default_rng(7).integers(0, 2, (STEPS, 1))
    x[MARKED - 2, :, 0], x[MARKED - 1, :, 0] = 0, (1, 0)      # 0, then 1; in the second run 0, then 0
    x[MARKED - 1, :, 1] = 1
    cell, p = by_hand(STEPS)
    h, _ = cell.forward(p, x)
    left = abs(h[:, 0] - h[:, 1])
    return x[:, 0, 0], h[:, 0, :KEPT], h[:, 0, KEPT:], left[:, :KEPT].max(-1), left[:, KEPT:].max(-1)


def drawing():
    """The drawing as SVG in HTML. Every step is a group, which the page's style shows one after the other."""
    bits, s, l, left_s, left_l = states()
    top = {"bits": GAP, "s": 2 * GAP + CELL, "l": 3 * GAP + CELL * (KEPT + 1), "left": 4 * GAP + CELL * (KEPT + 3)}
    height, width, floor = top["left"] + 92, 2 * LEFT + STEPS * CELL, top["left"] + 68
    steps = "".join(
        f'<g class="step" style="--step: {t}">{step(t, top, bits[t], s[t], l[t])}{left(t, top, left_s, left_l)}</g>\n'
        for t in range(STEPS)
    )
    words = {
        "bits": "bits", "s": f"short-term memory: the last {KEPT} bits, fading", "l": "long-term memory",
        "left": "what is left of the marked bit in each",
    }
    labels = "".join(f'<text x="{LEFT}" y="{top[row] - 8}">{said}</text>' for row, said in words.items())
    mark = LEFT + (MARKED - 0.5) * CELL
    return f"""<figure class="memory">
<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="memory-title memory-text">
<title id="memory-title">What two memories keep of a sequence of {STEPS} bits</title>
<desc id="memory-text">A row of bits, one a step; one of them, at step {MARKED}, is marked. Below it the eight units of
a short-term memory: every bit moves on by one unit at every step, a little weaker, and is gone after {KEPT} steps.
Below them the two units of a long-term memory: one of them lights up at the marked step and stays lit to the end. Two
curves below say what is left of the marked bit: in the short-term memory it falls from 1 to
{left_s[MARKED + KEPT - 2]:.2f} in {KEPT - 1} steps and then to 0, in the long-term memory it is
{left_l[-1]:.0f} to the end.</desc>
{labels}
<path class="axis" d="M {LEFT} {floor} H {LEFT + STEPS * CELL} M {mark} {top["bits"] - 1} v -6"/>
<text x="{mark}" y="{top["bits"] - 10}" text-anchor="middle">marked</text>
<text x="{LEFT}" y="{floor + 21}">step 1</text>
<text x="{LEFT + STEPS * CELL}" y="{floor + 21}" text-anchor="end">{STEPS}</text>
{steps}</svg>
<button type="button" class="again" hidden>Play again</button>
</figure>"""


def step(t, top, bit, s, l):
    """What one step shows: its bit, and the units of both memories, dark where they are near 1."""
    rows = [("bit", top["bits"], bit)]
    rows += [("short", top["s"] + CELL * unit, value) for unit, value in enumerate(s)]
    rows += [("long", top["l"] + CELL * unit, value) for unit, value in enumerate(l)]
    return "".join(
        f'<rect class="{kind}{" marked" if kind == "bit" and t == MARKED - 1 else ""}" x="{LEFT + t * CELL + 1}" '
        f'y="{y + 1}" width="{CELL - 2}" height="{CELL - 2}" fill-opacity="{value:.2f}"/>' for kind, y, value in rows
    )


def left(t, top, left_s, left_l):
    """The pieces of the two curves that lead to step t."""
    if t < MARKED - 1:
        return ""
    earlier = max(t - 1, MARKED - 1)
    x, x_earlier = (LEFT + (at + 0.5) * CELL for at in (t, earlier))
    return "".join(
        f'<path class="{kind}" d="M {x_earlier:.0f} {floor - 60 * kept[earlier]:.1f} '
        f'L {x:.0f} {floor - 60 * kept[t]:.1f}"/>'
        for kind, kept, floor in (("short", left_s, top["left"] + 68), ("long", left_l, top["left"] + 65))
    )
