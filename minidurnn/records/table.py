"""Records as tables: a block for every task and size, a line for every way a model was trained, all seeds in it."""

from ..networks.losses import BETTER
from .record import chosen_run, distinct, identity

PARTLY = "+: what was recorded; the curriculum's shorter lengths are not in it"
GROUP = ("experiment", "length", "size", "parameters", "stages", "source")      # the options that a block shares


def table(records):
    """Records as lines of text: a header with chance and baseline for every length, a line for every model, all seeds.

    Only records that differ in their seed alone share a line; where a model has several, each says what sets it apart.
    A network that was sized by its width stands among those of equal size too, where its count is within 2 %.
    """
    lines, records = [], distinct(records)
    for group in sorted({_group(record) for record in records}):
        members = [record for record in records if _belongs(record, group)]
        wide = max(12, *(len(record.trial["model"]) + 1 for record in members))
        lines += [*_head(group, members[0], wide), *_lines(members, wide), f"  rule: {members[0].rule}"]
        lines += [f"  {PARTLY}"] if any(not chosen_run(record).whole for record in members) else []
        lines.append("")
    return "\n".join([*lines, *_older(records)])


def _older(records):
    """A line for every older schema among the records: what those do not say."""
    for schema in sorted({record.migrated_from for record in records if record.migrated_from}):
        older = [record for record in records if record.migrated_from == schema]
        notes = dict.fromkeys(note for record in older for note in record.notes)
        yield f"{len(older)} of {len(records)} records were written under schema {schema}: {'; '.join(notes)}\n"


def _head(group, first, wide):
    """The two lines above a block: the task with its levels, and the names of the columns, the first `wide`."""
    experiment, length, size, parameters, stages, source = group
    what = f"about {parameters:,} trained numbers each" if size == "equal" else f"{parameters} units a layer"
    data = "" if source == "sample" else f", {source} data"
    staged = f", after T = {', '.join(map(str, stages))} (@50: ended at T = 50)" if stages else ""
    levels = f"chance {first.chance:.4g}, {first.baseline['name']} {first.baseline['value']:.4g}"
    return (
        f"{experiment}, T = {length}, {what}{data}{staged}: test {first.metric}; {levels}",
        f"  {'model':<{wide}}{'numbers':>9}  {'updates':>8}  {'rate':>11}  {'seconds':>8}  "
        f"{'best validation, by seed':<34}  {'test at the end, by seed':<34}  verdict",
    )


def _lines(members, wide):
    """The lines of a block, one for each model and set of options; seeds beside each other."""
    ways = {}
    for record in members:
        ways.setdefault((record.trial["model"], identity(record)), []).append(record)
    order = list(dict.fromkeys(model for model, _ in ways))
    for model in order:
        alike = [seeds for (name, _), seeds in ways.items() if name == model]
        for seeds in alike:
            apart = _apart(seeds[0].trial, [others[0].trial for others in alike])
            seeds.sort(key=lambda record: record.trial["seed"])
            yield _line(model, seeds, wide) + (f"  [{apart}]" if apart else "")


def _apart(trial, trials):
    """The options in which a trial differs from others of its model in its block, in words; "" where it is alone."""
    own = [name for name in trial if name not in (*GROUP, "model", "seed")]
    told = [name for name in own if any(other.get(name) != trial[name] for other in trials)]
    said = {name: trial[name] if isinstance(trial[name], list) else [trial[name]] for name in told}
    return ", ".join(f"{name} {'/'.join(map(str, options))}" for name, options in said.items())


def _line(model, seeds, wide):
    chosen = [chosen_run(record) for record in seeds]
    bests = " ".join(map(_best, seeds))
    tests = " ".join("-" if record.test is None else f"{record.test:.4f}" for record in seeds)
    verdicts = [record.verdict for record in seeds]
    said = dict.fromkeys(verdicts)
    if len(seeds) > 1:
        said = [f"{verdict} {verdicts.count(verdict)}/{len(seeds)}" for verdict in said]
    rates = "/".join(sorted({"-" if record.chosen_rate is None else f"{record.chosen_rate:g}" for record in seeds}))
    more = "" if all(run.whole for run in chosen) else "+"
    updates, seconds = max(run.updates for run in chosen), sum(run.seconds for run in chosen)
    costs = f"{f'{updates:,}{more}':>8}  {rates:>11}  {f'{seconds:.0f}{more}':>8}"
    return f"  {model:<{wide}}{seeds[0].parameters:>9,}  {costs}  {bests:<34}  {tests:<34}  {', '.join(said)}"


def _best(record):
    """The best look at the validation set, and at which length where a curriculum ended early."""
    run, asked = chosen_run(record), record.trial["length"]
    looks = [metric for metric in run.curve["validation"] if metric is not None]
    where = "" if run.ended_at == asked else "@?" if run.ended_at is None else f"@{run.ended_at}"
    best = min if BETTER[record.metric] == "lower" else max
    return f"{best(looks):.4f}{where}" if looks else f"-{where}"


def _group(record):
    experiment, length, size, parameters, stages, source = (record.trial[name] for name in GROUP)
    return experiment, length, size, parameters, tuple(stages), source


def _belongs(record, group):
    """Whether a record is of this group, or of its task and so near its count of numbers that it may stand there."""
    own = _group(record)
    near = group[2] == "equal" and own[2] == "width" and abs(record.parameters - group[3]) <= 0.02 * group[3]
    return own == group or (near and own[:2] + own[4:] == group[:2] + group[4:])
