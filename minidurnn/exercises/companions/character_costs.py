"""What texts cost, for lesson 12: by counted triples, after a reset of the state, and in the recorded runs."""

from collections import namedtuple

import numpy as np

from ...networks.losses import cross_entropy_in_bits
from ...records import read_records

Recorded = namedtuple("Recorded", "numbers bits machines starts")         # of a model; bits: one per seed


def triple_bits(train, test, size, begin):
    """Places of two texts, size of the alphabet  ->  bits per character of test; every count begins at `begin`.

    A character has its share after the two characters before it, so the first two of the test are not scored.
    """
    counts = np.full((size, size, size), float(begin))
    np.add.at(counts, (train[:-2], train[1:-1], train[2:]), 1)
    q = counts / counts.sum(axis=2, keepdims=True)
    return -np.log2(q[test[:-2], test[1:-1], test[2:]]).mean()


def bits_after_reset(network, p, codes):
    """Bits per character where the state is 0, n characters are read and the next one is scored  ->  (21,).

    The first 20 numbers are for n from 1 to 20, the last one for a state that is never reset. All of them score the
    same 4,481 characters, codes[20] to codes[4500]. The network reads 20 characters from each of 4,500 places on.
    """
    reads = codes[np.arange(20)[:, None] + np.arange(4500)]                       # (20, 4500)
    scores = network.predict(p, np.eye(65)[reads])[0]
    rows = [scores[n - 1, 20 - n:4501 - n] for n in range(1, 21)]                 # n read; next: codes[20] and on
    whole = network.predict(p, np.eye(65)[codes[:4500]][:, None])[0]
    rows.append(whole[19:, 0])
    return np.array([cross_entropy_in_bits(row, codes[20:4501], 4481)[1] for row in rows])


def starts_in(network):
    """A recorded network  ->  in words: where u starts in each of its layers and their horizon; "" without a u."""
    model = network["options"]["body"]["options"]["model"]            # inside the windows
    layers = [layer["options"] for layer in model["options"].get("parts", [model])]
    starts = [layer["memory"] for layer in layers if "memory" in layer]
    return f"start {', '.join(starts)}; horizon {layers[0]['horizon']}" if starts else ""


def character_records(folder):
    """The recorded runs on characters in stretches of 500  ->  a dict: model -> Recorded, least bits first."""
    runs = {}
    for record in read_records(folder):
        if (record.trial["experiment"], record.trial["length"]) == ("characters", 500):
            runs.setdefault(record.trial["model"], []).append(record)
    recorded = {
        model: Recorded(
            many[0].parameters, [one.test for one in many],
            {(one.machine["date"], one.machine["hardware"]) for one in many},
            starts_in(many[0].network),
        ) for model, many in runs.items()
    }
    return dict(sorted(recorded.items(), key=lambda item: np.median(item[1].bits)))
