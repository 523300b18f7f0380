"""Records of schema 1 as records of schema 2. What the first records did not say is None here, not guessed."""

FACTS = ("date", "hardware", "blas", "gpu", "versions")
LAST_ONLY = "of the shorter lengths trained first, neither updates nor seconds nor curves were recorded"
NOWHERE = "at which length a run diverged was not recorded"
UNSAID = "the threads that computed and the commit were not recorded"


def from_schema_1(content):
    """The content of a record of schema 1, checked  ->  that of schema 2, with notes on what is not known."""
    trial = content["trial"]
    runs = [_run(run, trial) for run in content["runs"]]
    notes = [UNSAID]
    if any(len(run["stages"]) > 1 for run in runs):
        notes.append(LAST_ONLY)
    if any(run["stages"][-1]["length"] is None for run in runs):
        notes.append(NOWHERE)
    kept = {name: part for name, part in content.items() if name not in (*FACTS, "threads", "schema")}
    machine = {name: content[name] for name in FACTS if name in content}
    machine |= {"threads": None, "commit": None, "clean": None}
    return {**kept, "runs": runs, "machine": machine, "migrated_from": 1, "notes": notes}


def _run(run, trial):
    """A run with its stages: where it ended what was recorded, before that lengths alone."""
    ended = run.get("ended_at_length") if trial["stages"] else trial["length"]
    passed = [length for length in trial["stages"] if ended is not None and length < ended]
    stages = [{"length": length, "updates": None, "seconds": None, "curve": None} for length in passed]
    stages.append({"length": ended, **{name: run[name] for name in ("updates", "seconds", "curve")}})
    return {"rate": run["rate"], "stages": stages, **{name: run[name] for name in ("validation_loss", "validation")}}
