"""What stands in a record, field by field, and the sentence for one that is missing or wrong."""

import json

from ..networks.losses import BETTER

END = "use another copy of the record, or delete it to begin again"
VERDICTS = ("solved", "learning", "baseline", "diverged")


def check_content(path, content, schema):
    """Raise ValueError, with the file and the field, unless `content` is a whole record of this schema (1 or 2)."""
    _check(path, content, RECORD | (MACHINE_1 if schema == 1 else MACHINE))
    if schema == 2:
        _check(path, content["machine"], WHERE, "machine/")
        _check(path, content, {name: asked for name, asked in MIGRATED.items() if name in content})
    _check(path, content["trial"], TRIAL, "trial/")
    _check(path, content["baseline"], BASELINE, "baseline/")
    for number, run in enumerate(content["runs"]):
        place = f"runs/{number}/"
        _check(path, run, RUN | (STAGE_1 if schema == 1 else STAGES), place)
        if schema == 1:
            _check_curve(path, run["curve"], f"{place}curve/")
            lengths = [*content["trial"]["stages"], content["trial"]["length"]]
            ended = run.get("ended_at_length")
            if ended is not None and (type(ended) is not int or ended not in lengths):
                raise _wrong(path, f"{place}ended_at_length", ended, f"one of the trial's lengths {lengths}, or null")
            continue
        for part, stage in enumerate(run["stages"]):
            _check(path, stage, STAGE, f"{place}stages/{part}/")
            _check_curve(path, stage["curve"], f"{place}stages/{part}/curve/")
        if run["stages"][-1]["curve"] is None:
            last = f"{place}stages/{len(run['stages']) - 1}/curve"
            raise _wrong(path, last, None, "the curve of where the run ended")
    rates = [run["rate"] for run in content["runs"]]
    if content["chosen_rate"] not in (None, *rates):
        raise _wrong(path, "chosen_rate", content["chosen_rate"], f"the rate of a run, one of {rates}, or null")
    if content["test"] is None and content["verdict"] != "diverged":
        raise _wrong(path, "test", None, f"a number, for the verdict is {content['verdict']}")


def _check(path, content, asked, place=""):
    """Raise ValueError unless a dictionary has these fields (name -> test, words), each as its test asks."""
    for name, (right, words) in asked.items():
        if name not in content:
            raise ValueError(f"the record {path} has no {place}{name}: expected {words}; {END}.")
        if not right(content[name]):
            raise _wrong(path, place + name, content[name], words)


def _check_curve(path, curve, place):
    """Raise ValueError unless a curve (None: not recorded) has all its columns, equally long."""
    if curve is None:
        return
    _check(path, curve, CURVE, place)
    for name in CURVE:
        if len(curve[name]) != len(curve["update"]):
            raise _wrong(path, place + name, curve[name], f"as many rows as update has, {len(curve['update'])}")


def _wrong(path, field, value, words):
    said = json.dumps(value)
    said = said if len(said) < 60 else f"{said[:60]}..."
    return ValueError(f"the record {path} says {field}: {said}: expected {words}; {END}.")


def _is_by_lag(curve):
    lists = [curve.get(name) for name in ("lag", "norm")] if isinstance(curve, dict) else [None]
    return all(isinstance(one, list) and one for one in lists) and len(set(map(len, lists))) == 1


def _has_numbers(found, name):
    """Whether something has numbers by their names: a queueing network's errors, a translator's scores."""
    return isinstance(found, dict) and isinstance(found.get(name), dict) and all(map(_is_number, found[name].values()))


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e308


def _maybe(kind):
    right, words = kind
    return lambda value: value is None or right(value), f"{words}, or null"


def _list_of(kind):
    right, words = kind
    return lambda value: isinstance(value, list) and all(map(right, value)), f"a list, each entry {words}"


def _one_of(*choices):
    return lambda value: isinstance(value, str) and value in choices, f"one of {', '.join(choices)}"


TEXT = (lambda value: isinstance(value, str), "a text")
NUMBER = (_is_number, "a finite number")
WHOLE = (lambda value: type(value) is int and value >= 0, "a whole number of at least 0")         # a seed
COUNT = (lambda value: WHOLE[0](value) and 1 <= value < 1e308, "a whole number from 1 to below 1e308")
STEPS = (lambda value: WHOLE[0](value) and value < 1e308, "a whole number from 0 to below 1e308")
FLAG = (lambda value: isinstance(value, bool), "true or false")
OBJECT = (lambda value: isinstance(value, dict), "an object")
OBJECTS = (lambda value: isinstance(value, list) and value != [] and all(isinstance(entry, dict) for entry in value),
           "a list of at least one object")

CURVES = (lambda value: isinstance(value, dict) and all(
              _is_by_lag(one) or _has_numbers(one, "errors") or _has_numbers(one, "scores") for one in value.values()),
          "curves by name, each an object of two lists as long as each other, lag and norm, or of a queueing network "
          "an object whose errors are numbers by name, of a translator one whose scores are")

TRIAL = {
    "experiment": TEXT, "length": COUNT, "model": TEXT, "size": _one_of("equal", "width"), "parameters": COUNT,
    "seed": WHOLE, "rates": _list_of(NUMBER), "updates": COUNT, "batch": COUNT, "patience": _maybe(COUNT),
    "stop": _maybe(NUMBER), "decay": _maybe(COUNT), "stages": _list_of(COUNT), "source": TEXT, "backend": TEXT,
    "pilot": _maybe(COUNT), "window": _maybe(COUNT), "embedding": _maybe(COUNT),
    "boundaries": _maybe(COUNT), "steady": _maybe(FLAG),
}
BASELINE = {"name": TEXT, "value": NUMBER}
RECORD = {
    "trial": OBJECT, "network": OBJECT, "parameters": COUNT, "metric": _one_of(*BETTER), "chance": NUMBER,
    "baseline": OBJECT, "runs": OBJECTS, "chosen_rate": _maybe(NUMBER), "split": TEXT, "test": _maybe(NUMBER),
    "test_loss": _maybe(NUMBER), "seen": _maybe(CURVES), "verdict": _one_of(*VERDICTS), "rule": TEXT,
}
MACHINE = {"machine": OBJECT}
WHERE = {"date": TEXT, "hardware": TEXT, "versions": OBJECT}
MIGRATED = {"migrated_from": _maybe((lambda value: type(value) is int and value == 1, "1")), "notes": _list_of(TEXT)}
MACHINE_1 = {"date": TEXT, "hardware": TEXT, "blas": TEXT, "versions": OBJECT}
RUN = {"rate": NUMBER, "validation_loss": _maybe(NUMBER), "validation": _maybe(NUMBER)}
STAGES = {"stages": OBJECTS}
STAGE = {"length": _maybe(COUNT), "updates": _maybe(STEPS), "seconds": _maybe(NUMBER), "curve": _maybe(OBJECT)}
STAGE_1 = {"updates": STEPS, "seconds": NUMBER, "curve": OBJECT}
CURVE = {
    "update": _list_of(NUMBER), "loss": _list_of(_maybe(NUMBER)), "metric": _list_of(_maybe(NUMBER)),
    "gradient_norm": _list_of(_maybe(NUMBER)), "validation": _list_of(_maybe(NUMBER)),
}
