"""Measures of lesson 21: copies that are spread out, where a translator looks, what a memory tells, recorded scores."""

import numpy as np

from ...cells import GRU
from ...networks import translator_for
from ...scans.attention import windows
from ...tasks import Copies, Pairs


class Rounds(Copies):
    """The language of Copies in another order: first all first copies, then all second ones, then all third ones."""

    def _written(self, words):
        places = super()._written(words)
        earlier = [list(places[:n]).count(place) for n, place in enumerate(places)]
        return places[np.argsort(earlier, kind="stable")]


def mean_memory(network, p, task):
    """The memory d of a source word, a mean over the test set's source words and target words  ->  (M,)."""
    x, target, lengths, _, written = _right_targets(task)
    d = network.attention_on(p, x, target, lengths)[1]        # (N, T, B, M)
    return d[written[:, None] & (x > 0)].mean(0)


def looks(network, p, task):
    """Of the test set, the right target given  ->  bits a word; percent of target words at which another source word
    than the true one has most weight."""
    x, target, lengths, true, written = _right_targets(task)
    weights = network.attention_on(p, x, target, lengths)[0]  # (N, T, B)
    bits = float(network.loss(p, x, target, lengths=lengths)[1])
    return bits, 100 * float((weights.argmax(1) != true)[written].mean())


def count_errors(network, p, task, rng):
    """How well a memory d tells how often its word has been written: root mean squared errors, in copies.

    A linear read-out of d is fitted on every second test sentence and tried on the others.
    returns  of a constant, the mean count of the first half; of its mean count at each step and place; of a read-out
             from an untrained memory that reads the weights of this network; of a read-out from the trained memory
    """
    x, target, lengths, true, written = _right_targets(task)
    weights, d = network.attention_on(p, x, target, lengths)  # (N, T, B), (N, T, B, M)
    count = (true[:, None] == np.arange(len(x))[:, None]).cumsum(0)               # (N, T, B)
    T, B, k = *x.shape, network.window
    read = np.array([windows(one, k) for one in weights], "float32").reshape(len(weights), T * B, 2 * k + 1)
    memory = GRU(2 * k + 1, network.memory)
    untrained = memory.forward(memory.init(rng), read)[0].reshape(d.shape)
    there = written[:, None] & (x > 0)
    fitted = there & (np.arange(B) % 2 == 0)
    tried = there & (np.arange(B) % 2 == 1)
    # (N, T, 1), the mean count at each step and place
    late = (count * fitted).sum(2, keepdims=True) / np.maximum(fitted.sum(2, keepdims=True), 1)

    def read_out(numbers):
        rows = np.concatenate([numbers, np.ones(there.shape + (1,))], axis=-1)
        return rows @ np.linalg.lstsq(rows[fitted], count[fitted], rcond=None)[0]

    guesses = count[fitted].mean(), late, read_out(untrained), read_out(d)
    return tuple(float(np.sqrt(np.mean((guess - count)[tried] ** 2))) for guess in guesses)


def print_columns(table, names):
    """Print a table {column: {row: number}}: a line for each of the named rows, a number with its column's name."""
    for name in names:
        print(f"{name:12}", *[f"{column}: {scores[name]:.1f}  " for column, scores in table.items()])


def by_model(records):
    """Records of lesson 21's experiments  ->  {(experiment, model): its records, by seed}."""
    found = {}
    for record in records:
        key = record.trial["experiment"], record.trial["model"]
        if key[0].startswith("translation"):
            found.setdefault(key, []).append(record)
    return {key: sorted(each, key=lambda record: record.trial["seed"]) for key, each in found.items()}


def score_table(found, experiment, names):
    """Print the scores of both models, a column for each seed  ->  {name: (without a memory, with it)}, each (3,)."""
    table = {}
    print(f"{experiment:18}  without: seeds 0, 1, 2    with: seeds 0, 1, 2")
    models = "attention", "attention-memory"
    for name in names:
        both = [[_score(record, name) for record in found[experiment, model]] for model in models]
        print(f"{name:14}", *[f"{number:8.4g}" for number in both[0] + both[1]])
        table[name] = tuple(map(np.array, both))
    return table


def overlap(one, other):
    """Whether the ranges of two groups of numbers overlap."""
    return one.min() <= other.max() and other.min() <= one.max()


def _score(record, name):
    return record.test if name == "bits" else record.seen["trained"]["scores"][name]


def print_setups(found):
    """Print of each experiment and model: its sizes, how many numbers it trains, the rates that validation chose."""
    tasks = {"translation-copies": Copies(8), "translation": Pairs(8)}
    for (experiment, model), runs in found.items():
        task, rates = tasks[experiment], {record.chosen_rate for record in runs}
        network = translator_for(model, task.inputs, task.outputs, runs[0].trial["parameters"])
        sizes = f"E = H = {network.units}, A = {network.attention}, {runs[0].parameters} numbers"
        print(f"{experiment} {model}: {sizes}; rate", *rates)


def print_claims(rows, start):
    """Print of the ledger's rows, whose source begins so: the claim, the medians, the verdict."""
    for row in rows:
        if row.paper.startswith(start):
            print(row.says, row.ours, row.verdict, sep="; ")


def _right_targets(task):
    """The test set, the true places of its target words and which of them are words, not ends or padding."""
    x, target, lengths = task.test()
    true = task.answer(x, lengths)[1]
    return x, target, lengths, true, true >= 0
