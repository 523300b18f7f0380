"""A record made by hand, and others like it."""

from dataclasses import replace

from minidurnn.records import Record, Run, Stage

CURVE = {
    "update": [20, 40], "loss": [0.5, 0.2], "metric": [0.5, 0.2], "gradient_norm": [1.0, None],
    "validation": [None, 0.2],
}
TRIAL = {
    "experiment": "adding", "length": 10, "model": "rnn", "size": "equal", "parameters": 60, "seed": 0,
    "rates": [1e-3, 1e-2], "updates": 40, "batch": 3, "patience": None, "stop": None, "decay": None, "stages": [],
    "source": "sample", "backend": "numpy", "pilot": None, "window": None, "embedding": None,
    "boundaries": None, "steady": None,
}
FACTS = {"date": "2026-11-28", "hardware": "an abacus"}
MACHINE = {**FACTS, "blas": None, "threads": 1, "commit": None, "clean": None, "versions": {}}
RECORD = Record(
    trial=TRIAL, network={"class": "Network", "options": {}}, parameters=61, metric="mse", chance=0.25,
    baseline={"name": "always 1", "value": 0.17}, chosen_rate=1e-2, split="validation chose", test=0.2,
    verdict="baseline", rule="by hand", machine=MACHINE,
    runs=(Run(1e-3, (Stage(10, 40, 1.0, CURVE),), 0.3, 0.3), Run(1e-2, (Stage(10, 40, 2.0, CURVE),), 0.2, 0.2)),
)


def with_trial(record, **options):
    """A record whose trial has other options."""
    return replace(record, trial={**record.trial, **options})
