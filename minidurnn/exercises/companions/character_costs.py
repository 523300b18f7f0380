"""What texts cost, for lesson 12: by counted triples, without a reset of the state, and in the recorded runs."""

from collections import namedtuple

import numpy as np

from ...networks.losses import cross_entropy_in_bits
from ...records import read_records

Recorded = namedtuple("Recorded", "numbers bits machines how")            # of a model; bits: one per seed


def triple_bits(train, test, size, begin):
    """Places of two texts, size of the alphabet  ->  bits per character of test; every count begins at `begin`.

    A character has its share after the two characters before it, so the first two of the test are not scored.
    """
    counts = np.full((size, size, size), float(begin))
    np.add.at(counts, (train[:-2], train[1:-1], train[2:]), 1)
    q = counts / counts.sum(axis=2, keepdims=True)
    return -np.log2(q[test[:-2], test[1:-1], test[2:]]).mean()


def bits_never_reset(network, p, codes, first):
    """Bits per character of codes[first:], where the network reads all codes before each of them in one go."""
    scores = network.predict(p, np.eye(65)[codes[:-1]][:, None])[0][first - 1:, 0]
    return cross_entropy_in_bits(scores, codes[first:], len(scores))[1]


def starts_in(network):
    """A recorded network  ->  in words: where u starts in each of its layers and their horizon; "" without a u."""
    model = network["options"]["body"]["options"]["model"]            # inside the windows
    layers = [layer["options"] for layer in model["options"].get("parts", [model])]
    starts = [layer["memory"] for layer in layers if "memory" in layer]
    return f"start {', '.join(starts)}; horizon {layers[0]['horizon']}" if starts else ""


def character_records(folder, models):
    """The recorded runs of some models on characters in stretches of 500  ->  model -> Recorded, least bits first.

    how     in words: the rate that the validation part chose, and where u started
    """
    runs = {}
    for record in read_records(folder):
        trial = record.trial
        if (trial["experiment"], trial["length"]) == ("characters", 500) and trial["model"] in models:
            runs.setdefault(trial["model"], []).append(record)
    recorded = {}
    for model, many in runs.items():
        rates = " or ".join(sorted({f"rate {one.chosen_rate:g}" for one in many}))
        recorded[model] = Recorded(
            many[0].parameters, [one.test for one in many],
            {(one.machine["date"], one.machine["hardware"]) for one in many},
            "; ".join(filter(None, (rates, starts_in(many[0].network)))))
    return dict(sorted(recorded.items(), key=lambda item: np.median(item[1].bits)))


def differing_settings(folder, model, other):
    """The names of the settings, of training and network, in which two models' recorded runs of 500 differ.

    Runs of the same seed are compared.
    """
    settings = {model: {}, other: {}}
    for record in read_records(folder):
        trial = record.trial
        if (trial["experiment"], trial["length"]) == ("characters", 500) and trial["model"] in settings:
            settings[trial["model"]][trial["seed"]] = dict(flat({"trial": trial, "network": record.network}))
    names = set()
    for seed in settings[model].keys() & settings[other].keys():
        one, two = settings[model][seed], settings[other][seed]
        names |= {path[-1] for path in one.keys() | two.keys() if one.get(path) != two.get(path)}
    return sorted(names, key=str)


def flat(tree, path=()):
    """Pairs of a path of names (or places in a list) and a value, for every leaf of nested dicts and lists."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else None
    if items is None:
        yield path, tree
    else:
        for name, below in items:
            yield from flat(below, (*path, name))
