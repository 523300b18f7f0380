r"""Words of a figure: their width, and lines with formulas such as $h_{t-1}$ or $\sigma(v_t)$, as SVG."""

import re
from html import escape

FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
NARROW, WIDE = set("iljtfrI.,:;'|!()[]/ "), set("mwMW—…%@")
NAMES = {
    "alpha": "α", "beta": "β", "chi": "χ", "gamma": "γ", "epsilon": "ϵ", "lambda": "λ", "mu": "μ", "phi": "φ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "theta": "θ", "zeta": "ζ", "partial": "∂", "times": "×",
    "cdot": "·", "odot": "⊙", "leq": "≤", "geq": "≥", "infty": "∞", "sum": "∑", "prod": "∏", "to": "→", "Delta": "Δ",
}
PIECE = re.compile(r"\\mathrm\{(\w+)\}|\\(\w+)|\\([ ,;])|([_^])(\{[^{}]*\}|\\\w+|.)|([^\\_^])", re.S)
UPRIGHT, SLANTED, BELOW, ABOVE = "upright", "slanted", "below", "above"


def pieces(line):
    """A line as [(text, style), ...]: formulas between dollars are slanted, their indices below, powers above."""
    found = []
    for place, part in enumerate(line.split("$")):
        found += _formula(part) if place % 2 else [(part, UPRIGHT)] if part else []
    return found


def _formula(text, style=SLANTED):
    found = []
    for word, name, space, level, raised, letter in PIECE.findall(text):
        if level:
            inside = "".join(said for said, _ in _formula(raised.strip("{}")))
            found.append((inside, BELOW if level == "_" else ABOVE))
        elif letter and letter not in "{}" and not letter.isspace():
            found.append((f" {letter} " if letter in "=+<>" else "−" if letter == "-" else letter,
                          style if letter.isalpha() else UPRIGHT))
        elif word or name or space:
            found.append((word or NAMES.get(name, name) or " ", UPRIGHT))
    return found


def width(text, size):
    """About how wide the widest line of a text is, in points."""
    def of(word):
        return sum(0.34 if one in NARROW else 0.9 if one in WIDE else 0.62 for one in word)
    return size * max(
        sum((0.7 if style in (BELOW, ABOVE) else 1) * of(said) for said, style in pieces(line))
        for line in str(text).split("\n"))


def height(text, size):
    """How high a text is, in points."""
    return 1.2 * size * (str(text).count("\n") + 1)


def draw(x, y, text, size=10, colour="black", ha="left", va="baseline", turned=False, behind=None):
    """A text at a point of the sheet (points from its upper left corner)  ->  SVG."""
    lines = str(text).split("\n")
    below = {"center": 0.36, "center_baseline": 0.36, "top": 0.93, "bottom": -0.24, "baseline": 0}[va] * size
    above = {"center": 0.5, "center_baseline": 0.5, "top": 0, "bottom": 1, "baseline": 1}[va]
    first = y + below - above * 1.2 * size * (len(lines) - 1)
    anchor = {"left": "start", "center": "middle", "right": "end"}[ha]
    said = []
    if behind:
        wide, high = width(text, size) + 4, height(text, size) + 2
        left = x - wide * {"start": 0, "middle": 0.5, "end": 1}[anchor]
        said.append(f'<rect x="{left:.1f}" y="{first - size:.1f}" width="{wide:.1f}" height="{high:.1f}" '
                    f'fill="{behind}"/>')
    around = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
    for place, line in enumerate(lines):
        said.append(
            f'<text x="{x:.1f}" y="{first + 1.2 * size * place:.1f}" font-size="{size:g}" fill="{colour}" '
            f'text-anchor="{anchor}" xml:space="preserve"{around}>{_spans(line, size)}</text>')
    return "".join(said)


def _spans(line, size):
    """The pieces of a line as spans; each index shifts the line, and the next piece shifts it back."""
    said, shifted = [], 0
    for text, style in pieces(line):
        shift = {BELOW: 0.2, ABOVE: -0.38}.get(style, 0) * size
        small = f' font-size="{0.7 * size:g}"' if style in (BELOW, ABOVE) else ""
        slant = ' font-style="italic"' if style in (SLANTED, BELOW, ABOVE) and text[:1].isalpha() else ""
        moved = f' dy="{shift - shifted:.2f}"' if shift != shifted else ""
        said.append(f"<tspan{moved}{small}{slant}>{escape(text)}</tspan>")
        shifted = shift
    return "".join(said)
