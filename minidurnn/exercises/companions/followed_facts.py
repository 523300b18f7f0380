"""What section 6 of lesson 12 uses: facts about a text, and the units of a DuRNN that follow them."""

import numpy as np

from ...arrays.trees import map_leaves
from ...tasks.characters import decode
from ...training import streams

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


def names_in(string):
    """The names of a text by the rule of `name`  ->  a pair of places for each: its first letter, its colon."""
    in_name = facts_of(string)[FACTS.index("name")]
    begins, = np.nonzero(np.diff(in_name, prepend=0) > 0)
    ends, = np.nonzero(np.diff(in_name, append=0) < 0)
    return [(begin, end) for begin, end in zip(begins, ends) if string[end] == ":"]


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


def untrained(network, seed):
    """The parameters before training, in double precision: those with which `fit` begins for a seed."""
    return map_leaves(np.float64, network.init(streams(seed)[0]))


def print_best_units(best_unit, network, carried):
    """Print correlations with each fact, one table a seed  ->  a dict per seed, by fact and memory: a unit's place.

    best_unit(p, fact, first)  ->  place, correlation; first: 0 for the short-term units, 32 for the long-term ones
    carried     the trained parameters of the seeds 0, 1, ...; the untrained ones stand beside them, in brackets
    """
    units = []
    for seed, p in enumerate(carried):
        begin, places = untrained(network, seed), {}
        print(f"seed {seed}    short-term unit             long-term unit")
        for fact in FACTS:
            cells = []
            for memory, first in (("short", 0), ("long", 32)):
                places[fact, memory], now = best_unit(p, fact, first)
                cells.append(f"{now:5.2f} (untrained {best_unit(begin, fact, first)[1]:5.2f})")
            print(f"{fact:8}", "   ".join(cells))
        units.append(places)
    return units


def rows_over_name(states_of, carried, units, codes):
    """26 characters around CORIOLANUS in a text  ->  the string, labels, and states (2 per seed, 26).

    Of each seed the short-term unit for `vowel` and the long-term one for `name`, as they stand in the running text.
    """
    string, labels, rows = decode(codes), [], []
    first = string.index("\n\nCORIOLANUS") - 10
    for seed, p in enumerate(carried):
        states = states_of(p, codes)[first:first + 26]
        for fact, memory in (("vowel", "short"), ("name", "long")):
            rows.append(states[:, units[seed][fact, memory]])
            labels.append(f"seed {seed}, {memory}")
    return string[first:first + 26], labels, np.array(rows)
