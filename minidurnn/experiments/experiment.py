"""An experiment: a question, the trials that answer it, and the rule of the verdict."""

from dataclasses import dataclass

from ..networks.losses import BETTER
from .trial import Trial

COMPARED = ("rnn", "short-term", "indrnn-1", "indrnn-2", "durnn")


@dataclass(frozen=True)
class Experiment:
    """A question put to several models on one task.

    task       (length, source) -> task
    quick      the options of `replicate --quick`, as `setting` gives them
    full       those of the papers' lengths, several such
    solved     the metric from which on a run counts as solved
    rule       the verdicts in words
    relative   an accuracy counts by its share of the way from the task's baseline to 1: a baseline may be near 1
    look       (network, p, task) -> plain data that the record keeps, of the parameters before and after training
    seeded     every seed is a problem of its own: (length, source, seed) -> task
    report     records -> what was looked at, as text (None: neither)
    """

    name: str
    question: str
    task: object
    quick: dict
    full: tuple
    solved: float
    rule: str
    relative: bool = False
    look: object = None
    report: object = None
    seeded: bool = False

    def task_of(self, trial, length=None):
        """The task of a trial, at its own length or another."""
        seed = (trial.seed,) if self.seeded else ()
        return self.task(trial.length if length is None else length, trial.source, *seed)

    def trials(self, quick=True, models=None, seeds=None, lengths=None, backend="numpy"):
        """The trials that were asked for: of the experiment's models, seeds and lengths, or of those that are named.

        A model that the experiment does not have there is given each length's first setting.
        """
        asked = (models, seeds, lengths)
        models, seeds, lengths = (None if given is None or len(given) == 0 else tuple(given) for given in asked)
        settings = (self.quick,) if quick else self.full
        settings = [one for one in settings if lengths is None or one["length"] in lengths]
        known = {name for one in settings for name in one["models"]}
        found, new = [], {one["length"]: [name for name in models or () if name not in known] for one in settings}
        for one in settings:
            options = {"experiment": self.name, "backend": backend, **one}
            names, own = [*options.pop("models"), *new.pop(one["length"], [])], options.pop("seeds")
            names = [name for name in names if models is None or name in models]
            found += [Trial(model=name, seed=seed, **options) for seed in seeds or own for name in names]
        return found

    def verdict(self, metric, task):
        """"solved", "learning" or "baseline", by the rule."""
        none = task.chance if task.metric == "mse" else task.baseline()[1]
        if BETTER[task.metric] == "lower":
            better, left = metric <= self.solved, metric < 0.9 * none
        else:
            start, way = (none, 1 - none) if self.relative else (0.0, 1.0)
            better, left = metric >= start + self.solved * way, metric > none + 0.05 * way
        return "solved" if better else "learning" if left else "baseline"


def setting(**options):
    """Options of a Trial but experiment, model, seed and backend, with the models and seeds that are trained so."""
    return {"models": COMPARED, "seeds": (0,), "size": "equal", "parameters": 5000, "rates": (1e-3, 3e-3), **options}
