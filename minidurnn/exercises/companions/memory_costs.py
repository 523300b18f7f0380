"""What memories cost, for lesson 19: recorded language models at equal counts, time and memory against T."""

import numpy as np

from ...experiments.claims import ledger
from ...networks import MODELS, width_for
from .clock import best_seconds, peak_bytes

MEMORIES = {"indrnn-2-any": "2", "fsmn": "2", "transformer": "2", "window-2": "1 + 2", "rnn": "1", "lstm": "1",
            "feed-forward": "2"}                              # their layers
SYMBOLS = {"characters": 65, "words": 500}                    # the texts, and how many symbols each is made of


def language_runs(records):
    """Records  ->  {(text, model): the records of its seeds}, on stretches of 50 steps; one model for each memory."""
    runs = {}
    for record in records:
        text, model = record.trial["experiment"], record.trial["model"]
        if text in SYMBOLS and record.trial["length"] == 50 and model in MEMORIES:
            runs.setdefault((text, model), []).append(record)
    return runs


def bits_on_test(runs, text, model):
    """The test costs in bits, one for each seed  ->  (seeds,)."""
    return np.array([record.test for record in runs[text, model]])


def rates(runs):
    """The rates that validation chose in these runs, as a set."""
    return {record.chosen_rate for records in runs.values() for record in records}


def by_median(runs, text):
    """The models that read a text, the one with the lowest median of its test costs first."""
    models = [model for what, model in runs if what == text]
    return sorted(models, key=lambda model: np.median(bits_on_test(runs, text, model)))


def below(runs, text, *models):
    """Whether each model costs less than the next one in the list: its worst seed less than the next one's best."""
    tests = [bits_on_test(runs, text, model) for model in models]
    return all(cheaper.max() < dearer.min() for cheaper, dearer in zip(tests, tests[1:]))


def print_costs(runs):
    """A table: model, layers; for each text units, trained numbers, test costs; the lowest median on words first."""
    heads = [f"{text}, {len(runs[text, 'fsmn'])} seeds" for text in SYMBOLS]
    print(f"{'':20}{heads[0]:28}{heads[1]}")
    print(f"{'model':14}layers{'units':>6}{'numbers':>9}{'bits':>7}{'units':>13}{'numbers':>9}{'bits':>7}")
    for model in by_median(runs, "words"):
        row = f"{model:14}{MEMORIES[model]:>6}"
        for text, symbols in SYMBOLS.items():
            record = runs[text, model][0]
            costs = " ".join(f"{cost:.3f}" for cost in bits_on_test(runs, text, model))
            row += f"{_units(record, symbols):6}{record.parameters:9,}  {costs}"
        print(row)
    insides = [_inside(runs[text, "transformer"][0], symbols) for text, symbols in SYMBOLS.items()]
    print("inside the feed-forward parts of transformer:", *insides)
    print("the rate of every run:", ", ".join(f"{rate:g}" for rate in sorted(rates(runs))))


def _width_and_network(record, symbols):
    """The width with which a record's model meets the count that was asked for, and that network."""
    model, asked = MODELS[record.trial["model"]], record.trial["parameters"]
    width = width_for(lambda width: model.make(symbols, width, 50), symbols, asked)
    return width, model.make(symbols, width, 50)


def _units(record, symbols):
    """Units of a layer; of a transformer the numbers of its path."""
    width, network = _width_and_network(record, symbols)
    return network.outputs if record.trial["model"] == "transformer" else width


def _inside(record, symbols):
    """Units inside each feed-forward part of a transformer."""
    _, network = _width_and_network(record, symbols)
    return network.parts[2].model.parts[1].hidden             # Linear, attention's detour, this one: norm, feed-forward


def print_verdicts(records):
    """The ledger's rows on two claims, "better than the Transformer" and FSMN's order: a line for each task."""
    print("medians (seeds): verdict; trend only: the medians stand in the claimed order; not replicated: they do not")
    print("(no verdict is higher here, because tasks and sizes are ours)")
    for row in ledger(records):
        if row.says.startswith("better than the Transformer"):
            print(f"{row.says.partition(': ')[2]}: {row.ours}: {row.verdict}")
        elif row.paper.startswith("FSMN") and "order" in row.says:
            text = "words" if row.says.startswith("words") else "characters"
            print(f"order on {text}: {row.ours}: {row.verdict}")


def time_and_memory(model, T, rng):
    """A forward and a backward pass over T steps of 4 sequences  ->  milliseconds (best of 5), most megabytes."""
    p = model.init(rng)
    x = rng.standard_normal((T, 4, model.inputs)).astype("float32")

    def run():
        model.backward(*model.forward(p, x))

    return 1000 * best_seconds(run), peak_bytes(run) / 1e6
