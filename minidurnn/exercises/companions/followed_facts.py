"""What sections 6 and 8 of lesson 12 use: facts about a text, and the units of a DuRNN that follow them."""

import numpy as np

from ...arrays.trees import leaves
from ...tasks.characters import decode

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


def correlations_with(h, fact):
    """Units over a text (characters, units), one fact about it (characters,)  ->  a correlation per unit.

    It is 0 for a unit that never moves.
    """
    h, fact = h - h.mean(axis=0), fact - fact.mean()
    size = np.sqrt((h**2).sum(axis=0) * (fact**2).sum())
    return fact @ h / np.maximum(size, 1e-12)


def unit_readers(network, text):
    """Two functions, for a network whose body is a DuRNN of 32 and 32 units, and for the parts of a text.

    states_of(p, codes)             states (characters, 64): 32 short-term units, then 32 long-term ones
    correlations(p, part, fact)     (64,): the correlation of each unit with a fact over a part, say "test"
    """
    known = {}                                                # p is kept with its states, so that its id stays its own

    def states_of(p, codes):
        h, tape = network.body.forward(p["body"], np.eye(65)[codes][:, None])
        return h[:, 0]

    def correlations(p, part, fact):
        if (id(p), part) not in known:
            known[id(p), part] = p, states_of(p, text[part])
        row = facts_of(decode(text[part]))[FACTS.index(fact)]
        return correlations_with(known[id(p), part][1], row)

    return states_of, correlations


def for_every_fact(best_unit, p):
    """Two dicts by fact and memory, say ("name", "long"): place of the best unit, its correlation on the test part.

    best_unit(p, fact, first)  ->  place, correlation; first: 0 for the short-term units, 32 for the long-term ones
    """
    units, measured = {}, {}
    for fact in FACTS:
        for memory, first in (("short", 0), ("long", 32)):
            units[fact, memory], measured[fact, memory] = best_unit(p, fact, first)
    return units, measured


def print_correlations(seed, trained, before):
    """Print a table of two dicts of correlations, as for_every_fact gives them: after training and before it."""
    print(f"seed {seed}    short-term unit          long-term unit")
    for fact in FACTS:
        cells = [f"{trained[fact, memory]:5.2f} (before {before[fact, memory]:5.2f})" for memory in ("short", "long")]
        print(f"{fact:8}", "   ".join(cells))


def print_run(name, seed, before, after, p, best_unit):
    """Print what a run of section 8 gave; behind seed 1 also the mean of both.

    before      bits before training           after      (2,), bits after training, of the seeds 0 and 1
    best_unit   as in for_every_fact, for the correlation of the best long-term unit of a DuRNN with `name`
    """
    memory = ""
    if "W_l" in p["body"]:                                    # a DuRNN
        memory = f", largest |u| {abs(p['body']['u']).max():.2f}, `name` {best_unit(p, 'name', 32)[1]:.2f}"
    digits = 2 if before < 100 else 0
    print(f"{name:11} seed {seed}: {before:.{digits}f} bits before, {after[seed]:.3f} after{memory}")
    if seed == 1:
        print(f"    mean {after.mean():.3f} bits, {sum(leaf.size for leaf in leaves(p).values()):,} trained numbers")
