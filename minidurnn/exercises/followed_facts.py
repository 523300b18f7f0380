"""What sections 6 and 8 of lesson 12 use: facts about a text, and the units of a DuRNN that follow them."""

import numpy as np

from ..tasks.characters import decode

FACTS = ("vowel", "word", "name", "capital")


def facts_of(string):
    """Four facts about each character of a text  ->  (4, characters) float64, in the order of FACTS.

    It is a vowel; letters since the word began; it belongs to a speaker's name, from a blank line to the colon; it is
    a capital.
    """
    rows, in_word, in_name = [], 0, False
    for place, character in enumerate(string):
        in_word = in_word + 1 if character.isalpha() else 0
        in_name = in_name or string[max(0, place - 2):place] == "\n\n"
        rows.append([character in "aeiouAEIOU", in_word, in_name, character.isupper()])
        in_name = in_name and character != ":"
    return np.array(rows, float).T


def correlations(h, fact):
    """Units over a text (characters, units), one fact about it (characters,)  ->  a correlation per unit.

    It is 0 for a unit that never moves.
    """
    h, fact = h - h.mean(axis=0), fact - fact.mean()
    size = np.sqrt((h**2).sum(axis=0) * (fact**2).sum())
    return fact @ h / np.maximum(size, 1e-12)


def best_units(states_of, p, text):
    """The units that follow each fact best, chosen on the validation part and measured on the test part.

    states_of(p, codes)  ->  states (characters, 64): 32 short-term units, then 32 long-term ones
    Gives two dicts by fact and memory, say ("name", "long"): place of the unit in 64, its correlation on the test part.
    """
    chooses, tests = [(states_of(p, text[part]), facts_of(decode(text[part]))) for part in ("validation", "test")]
    units, measured = {}, {}
    for row, fact in enumerate(FACTS):
        for memory, first in (("short", 0), ("long", 32)):
            found = correlations(chooses[0][:, first:first + 32], chooses[1][row])
            unit = units[fact, memory] = first + int(abs(found).argmax())
            measured[fact, memory] = correlations(tests[0][:, [unit]], tests[1][row]).item()
    return units, measured


def pushes(cell, p, unit):
    """A DuRNN, its p, the place of a long-term neuron  ->  a function of codes.

    It gives gate times offer of this neuron over the text, its state, two rows (characters,), and its u.
    """
    def of(codes):
        h, tape = cell.forward(p, np.eye(65)[codes][:, None])
        return (tape.g * tape.c)[:, 0, unit], tape.l[:, 0, unit], p["u"][unit]

    return of


def long_memory(states_of, p, text):
    """The largest |u| after training, the largest state of its neuron on the test part, and the best for `name`."""
    size, (_, measured) = abs(p["body"]["u"]), best_units(states_of, p, text)
    top = states_of(p, text["test"])[:, 32 + size.argmax()].max()
    return f"\n    largest |u| {size.max():.2f} (its largest state {top:.1f}); `name`: {measured['name', 'long']:.2f}"


def draw_states(axes, title, texts, values):
    """Texts of equal length as rows of cells: each character, its value (texts, characters) below; name or not."""
    axes.set_title(title, fontsize=10)
    axes.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=2 * np.max(values))    # pale enough to read on
    for (row, column), value in np.ndenumerate(values):
        shown = {"\n": "↵", " ": "␣"}.get(texts[row][column], texts[row][column])
        axes.text(column, row, f"{shown}\n{value:.1f}", ha="center", va="center", fontsize=9)
        if not column:
            mark = "name" if facts_of(texts[row])[2, -1] else "no name"
            axes.text(-0.6, row, f"text {row + 1}\n{mark}", ha="right", va="center", fontsize=9)
    axes.set_axis_off()


def places_of(string):
    """Five kinds of characters  ->  a dict: the kind and the places at which it stands."""
    pairs = list(zip(string[:-1], string[1:]))                # each character with the one before it
    return {
        "capital after a capital": 1 + np.flatnonzero([now.isupper() and before.isupper() for before, now in pairs]),
        "small letter": 1 + np.flatnonzero([now.islower() for before, now in pairs]),
        "line end": np.flatnonzero([one == "\n" for one in string]),
        "line end after a line end": 1 + np.flatnonzero([now == before == "\n" for before, now in pairs]),
        "colon": 1 + np.flatnonzero([now == ":" for before, now in pairs]),
    }
