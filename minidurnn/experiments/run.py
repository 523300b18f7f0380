"""Named experiments: from a configuration to a record, from records to a table with a verdict."""

import json
from dataclasses import asdict, dataclass, replace
from itertools import count as count_from
from pathlib import Path

import numpy as np

from .. import tasks
from ..cells import RNN, DuRNN, IndRNN, ShortTermRNN
from ..networks.chunked import Chunked
from ..networks.network import Network, count_parameters, width_for
from ..networks.stacks import Chain
from ..optim import Adam, Constant, Steps
from ..records.machine import surroundings
from ..records.record import read_record, thin, write_json
from ..training.looking import evaluate, reached
from ..training.loop import fit
from ..training.storage import describe, read

SCHEMA = 1

MODELS = {                                                    # name -> (task, units) -> body
    "rnn": lambda task, H: RNN(task.inputs, H),
    "irnn": lambda task, H: RNN(task.inputs, H, "relu", "identity"),
    "short-term": lambda task, H: ShortTermRNN(task.inputs, H),
    "indrnn-1": lambda task, H: IndRNN(task.inputs, H, task.length, memory="long"),
    "indrnn-2": lambda task, H: Chain([IndRNN(task.inputs, H, task.length), IndRNN(H, H, task.length, memory="long")]),
    "durnn": lambda task, H: DuRNN(task.inputs, H, H, task.length),
}


@dataclass(frozen=True)
class Trial:
    """One model on one task with one seed: everything that decides its numbers.

    size       "equal": the width with which the network comes closest to `parameters` trained numbers; "width": `parameters`
               counts the units of every layer (a DuRNN has as many of each kind)
    rates      Adam's rates; each is trained, the validation set chooses one, and the test set is read once, for that one.
               A rate gets no more updates than one before it needed to reach `stop`
    patience   a run that has not left the baseline after so many updates ends there (None: it goes on)
    stop       a run ends at the first validation metric at least as good as this
    decay      the rate is divided by 10 after every so many updates (None: constant)
    stages     shorter lengths on which the same network is trained first: a curriculum. A stage goes on with the parameters
               of the one before; its rate falls with the square root of its length, for what one update of u changes over
               T steps grows with T. A stage that does not reach `stop` in `updates` ends the run
    """

    experiment: str
    length: int
    model: str
    size: str
    parameters: int
    seed: int
    rates: tuple
    updates: int
    batch: int = 50
    patience: int | None = None
    stop: float | None = None
    decay: int | None = None
    stages: tuple = ()
    source: str = "sample"
    backend: str = "numpy"

    @property
    def task(self):
        """The task of this trial."""
        return EXPERIMENTS[self.experiment].task(self.length, self.source)

    @property
    def network(self):
        """The network of this trial, run in chunks of 16 steps."""
        task, body = self.task, MODELS[self.model]
        units = self.parameters if self.size == "width" else width_for(lambda H: body(task, H), task.outputs, self.parameters)
        return Network(Chunked(body(task, units), 16), task.outputs, task.loss, task.reads)

    @property
    def name(self):
        """A file name that tells the trials of one experiment apart."""
        staged = f"-from{self.stages[0]}in{len(self.stages)}" if self.stages else ""
        return f"{self.experiment}-T{self.length}{staged}-{self.size}{self.parameters}-{self.model}-seed{self.seed}-u{self.updates}"


@dataclass(frozen=True)
class Experiment:
    """A question put to several models on one task.

    task       (length, source) -> task
    quick      options of the trials of `replicate --quick`; full: those of the papers' lengths, a list of such
    solved     the metric from which on a run counts as solved
    rule       the verdicts in words
    """

    question: str
    task: object
    quick: dict
    full: tuple
    solved: float
    rule: str

    def trials(self, quick=True, models=None, seeds=None, lengths=None, backend="numpy"):
        """The trials that were asked for: those of the experiment's models and lengths that are named, all unless named."""
        found = []
        for options in (self.quick,) if quick else self.full:
            options = dict(options)
            names, own_seeds = options.pop("models"), options.pop("seeds")
            found += [Trial(model=name, seed=seed, backend=backend, **options) for seed in seeds or own_seeds for name in names]
        return [trial for trial in found if (not lengths or trial.length in lengths) and (not models or trial.model in models)]

    def verdict(self, metric, task):
        """"solved", "learning" or "baseline", by the rule."""
        better = metric <= self.solved if task.metric == "mse" else metric >= self.solved
        left = metric < 0.9 * task.chance if task.metric == "mse" else metric > task.baseline()[1] + 0.05
        return "solved" if better else "learning" if left else "baseline"


def _settings(experiment, **options):
    return {"experiment": experiment, "models": tuple(name for name in MODELS if name != "irnn"), "size": "equal", "parameters": 5000, "seeds": (0,), "rates": (1e-3, 3e-3), **options}


PAPERS = {"size": "width", "parameters": 128}                 # of Li et al. 2018 and 2019, adding
ADDING = (                                                    # beside the two rates of all, those papers' own: 2e-4 for IndRNN, 1e-5 for IRNN
    {"models": ("rnn", "short-term", "durnn")},
    {"models": ("indrnn-1", "indrnn-2"), "rates": (2e-4, 1e-3, 3e-3)},
    {"models": ("irnn",), "rates": (1e-5, 1e-4), "patience": None},
    {"models": ("durnn",), "size": "equal", "parameters": 17000},
)
EXPERIMENTS = {
    "adding": Experiment(
        question="Who can add two numbers that stand up to T steps back?",
        task=lambda length, source: tasks.Adding(length),
        quick=_settings("adding", length=100, updates=800, stop=0.002),
        full=(
            *(_settings("adding", length=T, seeds=(0, 1, 2), updates=6000, stop=0.002, **{**PAPERS, "patience": 2000, **one}) for T in (100, 500, 1000) for one in ADDING),
            _settings("adding", length=5000, models=("durnn",), parameters=17000, rates=(1e-3,), updates=4000, decay=2000),
            _settings("adding", length=5000, models=("indrnn-2",), rates=(1e-3,), updates=8000, decay=4000, **PAPERS),
            _settings("adding", length=5000, models=("rnn", "short-term", "indrnn-1"), rates=(1e-3,), updates=1000, **PAPERS),
            _settings("adding", length=5000, models=("irnn",), rates=(1e-5,), updates=1000, **PAPERS),
        ),
        solved=0.01,
        rule="solved: test MSE at most 0.01; learning: below 0.15, nine tenths of 1/6, the error of always answering 1; else baseline",
    ),
    "delayed-xor": Experiment(
        question="Who can combine two neighbouring bits and keep the result for T steps?",
        task=lambda length, source: tasks.DelayedXOR(length),
        quick=_settings("delayed-xor", length=100, updates=800, stop=0.999),
        full=(
            *(_settings("delayed-xor", length=T, seeds=tuple(range(seeds)), updates=3000, stop=0.999, patience=1500) for T, seeds in ((30, 5), (100, 5), (500, 3), (1000, 3))),
            *(_settings("delayed-xor", length=T, models=models, seeds=(0, 1, 2), updates=1000, stop=0.999, rates=(3e-3,), stages=tuple(round(50 * factor**k) for k in range(14) if 50 * factor**k < T))
              for T, factor, models in ((1000, 2, ("indrnn-2", "durnn")), (5000, 2, ("indrnn-2", "durnn")), (5000, 1.4, ("durnn",)))),
        ),
        solved=0.99,
        rule="solved: test accuracy at least 99 %; learning: more than 5 points above the count ceiling, some three standard errors of 1,000 answers; else baseline",
    ),
    "pixels": Experiment(
        question="Who can read a digit pixel by pixel?",
        task=lambda length, source: tasks.Pixels(round(length**0.5), source=source),
        quick=_settings("pixels", length=196, updates=600),
        full=(_settings("pixels", length=196, source="full", parameters=17000, seeds=(0, 1, 2), updates=3000),),
        solved=0.9,
        rule="solved: test accuracy at least 90 %; learning: more than 5 points above the most frequent class; else baseline",
    ),
}


def run_trial(trial, out, resume=False, progress=True):
    """Train one trial and write its record, `out`/NAME.json  ->  record (a dictionary, as the file gives it back).

    A finished record of the same trial is returned as it is; with `resume` an unfinished one goes on from its
    checkpoints in `out`/runs. A record of another trial is never overwritten: the new one gets a number.
    A rate with which the run diverges is out of the choice, and its curve ends at the last finite row. Where every rate
    does, no rate is chosen and no test set read (None), and the verdict is "diverged", as it is for a test loss that is not finite.
    Raises   FileExistsError for an unfinished trial without `resume`.
    """
    folder = Path(out)
    path = folder / f"{trial.name}.json"
    for number in count_from(2):
        if not path.exists():
            break
        record = read_record(path)
        if record.get("schema") == SCHEMA and record.get("trial") == json.loads(json.dumps(asdict(trial))):
            return record
        path = folder / f"{trial.name}-{number}.json"
    checkpoints = [folder / "runs" / f"{path.stem}-rate{rate:g}.npz" for rate in trial.rates]
    for checkpoint in checkpoints:
        if checkpoint.exists() and not resume:
            raise FileExistsError(f"{checkpoint} holds this trial unfinished: continue it with --resume (resume=True), or delete the file to begin again.")
    task, network = trial.task, trial.network
    runs, candidates, most = [], [], trial.updates
    for rate, checkpoint in zip(trial.rates, checkpoints):
        try:
            p, history, length = _train(replace(trial, updates=most), network, task, rate, checkpoint, progress)
            loss, metric = evaluate(network, p, task.validation())
            candidates.append((loss, len(runs), p))
        except FloatingPointError:                            # its checkpoint holds the last finite row
            written = [path for path in (*(_of_stage(checkpoint, length) for length in trial.stages), checkpoint) if path.exists()]
            loss, metric, length, history = None, None, None, read(written[-1], "checkpoint")[1]["run"]["history"]
        updates, seconds = ((history[name] or [0])[-1] for name in ("update", "seconds"))
        if reached(metric, trial.stop, network.better) and not trial.stages:
            most = updates
        staged = {"ended_at_length": length} if trial.stages else {}
        runs.append({"rate": rate, **staged, "updates": updates, "seconds": round(seconds, 1), "validation_loss": loss, "validation": metric, "curve": thin(history)})
    baseline, value = task.baseline()
    experiment = EXPERIMENTS[trial.experiment]
    rate, test, verdict = None, None, "diverged"
    if candidates:
        _, chosen, p = min(candidates, key=lambda candidate: candidate[:2])
        rate, (loss, metric) = trial.rates[chosen], evaluate(network, p, task.test())     # read once, for the one that validation chose
        if np.isfinite([loss, metric]).all():
            test, verdict = metric, experiment.verdict(metric, task)
    record = {
        "schema": SCHEMA, "trial": asdict(trial), "network": describe(network), "parameters": count_parameters(network),
        "metric": task.metric, "chance": task.chance, "baseline": {"name": baseline, "value": value},
        "runs": runs, "chosen_rate": rate, "split": "the validation set chose the rate; the test set was read once", "test": test,
        "verdict": verdict, "rule": experiment.rule, **surroundings(trial.backend),
    }
    write_json(path, record)
    return read_record(path)


def _train(trial, network, task, rate, checkpoint, progress):
    """One run of a trial, through its stages, from its checkpoints if there are any  ->  p, history, the length of the last stage."""
    p = None
    for length in trial.stages:
        stage, own = EXPERIMENTS[trial.experiment].task(length, trial.source), _of_stage(checkpoint, length)
        p, history = fit(network, stage, trial.updates, start=p, **_options(trial, rate * (trial.stages[0] / length) ** 0.5, own, progress))
        if EXPERIMENTS[trial.experiment].verdict(history["validation"][-1], stage) != "solved":
            return p, history, length
    options = {"start": p, **_options(trial, rate * (trial.stages[0] / trial.length if trial.stages else 1) ** 0.5, checkpoint, progress)}
    updates = trial.updates if trial.patience is None else min(trial.patience, trial.updates)
    p, history = fit(network, task, updates, **options)
    rows = zip(history["update"], history["validation"])      # a resumed run may be past `updates` already
    seen = [metric for update, metric in rows if metric is not None and update <= updates][-3:]
    left = any(EXPERIMENTS[trial.experiment].verdict(metric, task) != "baseline" for metric in seen)
    if updates <= history["update"][-1] < trial.updates and left:
        p, history = fit(network, task, trial.updates, **options)
    return p, history, trial.length


def _of_stage(checkpoint, length):
    return checkpoint.with_name(f"{checkpoint.stem}-T{length}.npz")


def _options(trial, rate, checkpoint, progress):
    every = 20 if trial.stages else 100
    return {
        "optimizer": Adam(rate), "batch": trial.batch, "seed": trial.seed, "backend": trial.backend, "stop": trial.stop, "checkpoint": checkpoint, "resume": True, "progress": progress,
        "schedule": Constant() if trial.decay is None else Steps(trial.decay), "log_every": 20, "validate_every": every, "checkpoint_every": every,
    }
