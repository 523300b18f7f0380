"""What sections 6 and 8 of lesson 12 use: facts about a text, and the units of a DuRNN that follow them."""

import numpy as np

from ..tasks.characters import decode

FACTS = ("vowel", "name", "capital")


def facts_of(string):
    """Three facts about each character of a text, 1 or 0  ->  (3, characters) float64, in the order of FACTS.

    It is a vowel; it belongs to a speaker's name, from the character after a blank line to the colon; it is a capital.
    """
    rows, in_name = [], False
    for place, character in enumerate(string):
        in_name = in_name or string[max(0, place - 2):place] == "\n\n"
        rows.append([character in "aeiouAEIOU", in_name, character.isupper()])
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


def print_correlations(seed, trained, before):
    """Print a table of two dicts of correlations, as best_units gives them: after training and before it."""
    print(f"seed {seed}    short-term unit          long-term unit")
    for fact in FACTS:
        cells = [f"{trained[fact, memory]:5.2f} (before {before[fact, memory]:5.2f})" for memory in ("short", "long")]
        print(f"{fact:8}", "   ".join(cells))


def pushes(cell, p, unit):
    """A DuRNN, its p, the place of a long-term neuron  ->  a function of codes.

    It gives gate times offer of this neuron over the text, its state, two rows (characters,), and its u.
    """
    def of(codes):
        h, tape = cell.forward(p, np.eye(65)[codes][:, None])
        return (tape.g * tape.c)[:, 0, unit], tape.l[:, 0, unit], p["u"][unit]

    return of


def long_memory(states_of, p, text):
    """In words: the largest |u| of a trained DuRNN and the correlation of its best long-term unit for `name`."""
    if "W_l" not in p["body"]:
        return ""                                             # not a DuRNN
    measured = best_units(states_of, p, text)[1]
    return f", largest |u| {abs(p['body']['u']).max():.2f}, `name` {measured['name', 'long']:.2f}"
