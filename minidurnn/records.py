"""Records of experiments: JSON files that are written once, and the table that they make."""

import json
import os
from pathlib import Path


def thin(history, rows=120):
    """A history with at most so many rows, evenly taken, the last one always, and numbers of six digits.

    Where there are too many rows, those with a validation metric are taken.
    """
    places = list(range(len(history["update"])))
    if len(places) > rows:
        places = [row for row in places if history["validation"][row] is not None] or places
    last, rows = len(places) - 1, min(rows, len(places))
    kept = sorted({places[last - round(row * last / max(1, rows - 1))] for row in range(rows)})
    digits = {name: [float(f"{entry:.6g}") if isinstance(entry, float) else entry for entry in column] for name, column in history.items()}
    return {name: [digits[name][row] for row in kept] for name in ("update", "loss", "metric", "gradient_norm", "validation")}


def write_json(path, content):
    """Write JSON whole or not at all.    Raises ValueError for a number that is not finite, which JSON does not have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


def read_record(path):
    """One JSON file  ->  dictionary.    Raises ValueError for a damaged one."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON ({error}): expected a record; delete it, or use another copy.") from error
    return record if isinstance(record, dict) else {}


def read_records(folder):
    """All records in a folder, by name."""
    records = [read_record(path) for path in sorted(Path(folder).glob("*.json"), key=lambda path: path.stem)]
    return [record for record in records if "trial" in record]


def table(records):
    """Records as lines of text: a header with chance and baseline for every length, a line for every model, all seeds in it."""
    lines = []
    for experiment, length, size, parameters, stages in sorted({_group(record) for record in records}):
        group = [record for record in records if _group(record) == (experiment, length, size, parameters, stages)]
        first = group[0]
        what = f"about {parameters:,} trained numbers each" if size == "equal" else f"{parameters} units a layer"
        staged = f", after T = {', '.join(map(str, stages))}" if stages else ""
        lines += [
            f"{experiment}, T = {length}, {what}{staged}: test {first['metric']}; chance {first['chance']:.4g}, {first['baseline']['name']} {first['baseline']['value']:.4g}",
            f"  {'model':<12}{'numbers':>9}  {'updates':>8}  {'rate':>7}  {'seconds':>8}  {'test, by seed':<28}  verdict",
        ]
        for model in dict.fromkeys(record["trial"]["model"] for record in group):
            seeds = sorted((record for record in group if record["trial"]["model"] == model), key=lambda record: record["trial"]["seed"])
            if seeds:
                chosen = [next(one for one in record["runs"] if one["rate"] == record["chosen_rate"]) for record in seeds]
                tests = " ".join(f"{record['test']:.4f}" for record in seeds)
                verdicts = [record["verdict"] for record in seeds]
                said = ", ".join(f"{verdict}" if len(seeds) == 1 else f"{verdict} {verdicts.count(verdict)}/{len(seeds)}" for verdict in sorted(set(verdicts), key=verdicts.index))
                rates = "/".join(sorted({f"{one['rate']:g}" for one in chosen}))
                lines.append(f"  {model:<12}{seeds[0]['parameters']:>9,}  {max(one['updates'] for one in chosen):>8,}  {rates:>7}  {sum(one['seconds'] for one in chosen):>8.0f}  {tests:<28}  {said}")
        lines += [f"  rule: {first['rule']}", ""]
    return "\n".join(lines)


def _group(record):
    trial = record["trial"]
    return trial["experiment"], trial["length"], trial["size"], trial["parameters"], tuple(trial.get("stages", ()))
