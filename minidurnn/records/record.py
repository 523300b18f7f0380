"""Records of experiments: JSON files that are written once, and the table that they make."""

import json
import os
from math import isfinite
from pathlib import Path

BEFORE = {"stages": []}                                       # options that the first records did not have, and what they meant


def thin(history, rows=120):
    """A history with at most so many rows, evenly taken, the last one always, and numbers of six digits.

    Where there are too many rows, those with a validation metric are taken. A number that is not finite, such as the
    norm of a gradient that overflows, becomes None: JSON has no word for it.
    """
    places = list(range(len(history["update"])))
    if len(places) > rows:
        places = [row for row in places if history["validation"][row] is not None] or places
    last, rows = len(places) - 1, min(rows, len(places))
    kept = sorted({places[last - round(row * last / max(1, rows - 1))] for row in range(rows)})
    digits = {name: [_digits(entry) for entry in column] for name, column in history.items()}
    return {name: [digits[name][row] for row in kept] for name in ("update", "loss", "metric", "gradient_norm", "validation")}


def _digits(entry):
    return entry if not isinstance(entry, float) else float(f"{entry:.6g}") if isfinite(entry) else None


def write_json(path, content):
    """Write a dictionary as JSON whole or not at all, an entry to a line, and a line for each row of a list.

    Raises   ValueError for a number that is not finite, which JSON does not have.
    """
    lines = []
    for key, part in content.items():
        rows = [json.dumps(row, allow_nan=False) for row in part] if isinstance(part, list) else []
        said = "[\n  " + ",\n  ".join(rows) + "\n ]" if rows else json.dumps(part, allow_nan=False)
        lines.append(f" {json.dumps(key)}: {said}")
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    os.replace(unfinished, path)


def read_record(path):
    """One JSON file  ->  dictionary.    Raises ValueError for a damaged one."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}): expected a record; delete it, or use another copy.") from error
    if not isinstance(record, dict):
        return {}
    return {**record, "trial": {**BEFORE, **record["trial"]}} if "trial" in record else record


def read_records(folder):
    """All records in a folder, by name."""
    records = [read_record(path) for path in sorted(Path(folder).glob("*.json"), key=lambda path: path.stem)]
    return [record for record in records if "trial" in record]


def chosen_run(record):
    """The run of a record whose rate was chosen, or the longest where every one diverged."""
    return max(record["runs"], key=lambda one: (one["rate"] == record["chosen_rate"], one["updates"]))


def table(records):
    """Records as lines of text: a header with chance and baseline for every length, a line for every model, all seeds in it.

    A network that was sized by its width stands among those of equal size too, where its count is within 2 %.
    """
    lines = []
    for group in sorted({_group(record) for record in records}):
        members = [record for record in records if _belongs(record, group)]
        experiment, length, size, parameters, stages = group
        first = members[0]
        what = f"about {parameters:,} trained numbers each" if size == "equal" else f"{parameters} units a layer"
        staged = f", after T = {', '.join(map(str, stages))} (@50: ended at T = 50)" if stages else ""
        lines += [
            f"{experiment}, T = {length}, {what}{staged}: test {first['metric']}; chance {first['chance']:.4g}, {first['baseline']['name']} {first['baseline']['value']:.4g}",
            f"  {'model':<12}{'numbers':>9}  {'updates':>8}  {'rate':>11}  {'seconds':>8}  {'best validation, by seed':<34}  {'test at the end, by seed':<34}  verdict",
        ]
        for model in dict.fromkeys(record["trial"]["model"] for record in members):
            lines.append(_line(model, sorted((record for record in members if record["trial"]["model"] == model), key=lambda record: record["trial"]["seed"])))
        lines += [f"  rule: {first['rule']}", ""]
    return "\n".join(lines)


def _line(model, seeds):
    chosen = [chosen_run(record) for record in seeds]
    bests = " ".join(map(_best, seeds))
    tests = " ".join("-" if record["test"] is None else f"{record['test']:.4f}" for record in seeds)
    verdicts = [record["verdict"] for record in seeds]
    said = ", ".join(verdict if len(seeds) == 1 else f"{verdict} {verdicts.count(verdict)}/{len(seeds)}" for verdict in dict.fromkeys(verdicts))
    rates = "/".join(sorted({"-" if record["chosen_rate"] is None else f"{record['chosen_rate']:g}" for record in seeds}))
    updates, seconds = max(one["updates"] for one in chosen), sum(one["seconds"] for one in chosen)
    return f"  {model:<12}{seeds[0]['parameters']:>9,}  {updates:>8,}  {rates:>11}  {seconds:>8.0f}  {bests:<34}  {tests:<34}  {said}"


def _best(record):
    """The best look at the validation set, and at which length where a curriculum ended early."""
    run, asked = chosen_run(record), record["trial"]["length"]
    looks = [metric for metric in run["curve"]["validation"] if metric is not None]
    ended = run.get("ended_at_length") or asked
    return f"{(min if record['metric'] == 'mse' else max)(looks):.4f}{'' if ended == asked else f'@{ended}'}" if looks else "-"


def _group(record):
    trial = record["trial"]
    return trial["experiment"], trial["length"], trial["size"], trial["parameters"], tuple(trial["stages"])


def _belongs(record, group):
    """Whether a record is of this group, or of the same task and so near its count of trained numbers that it may stand beside it."""
    own = _group(record)
    near = group[2] == "equal" and own[2] == "width" and abs(record["parameters"] - group[3]) <= 0.02 * group[3]
    return own == group or (near and own[:2] + own[4:] == group[:2] + group[4:])
