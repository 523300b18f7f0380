"""One configuration: everything that decides the numbers of an experiment's run."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256

from ..arrays.checks import at_least, check_options, each, flag, number, one_of, optional
from ..networks.chunked import Chunked
from ..networks.direct import Direct
from ..networks.layers import Embedding
from ..networks.models import MODELS
from ..networks.network import Network
from ..networks.sizes import width_for
from ..networks.stacks import Chain
from ..networks.translator import TRANSLATORS, translator_for
from ..records.record import BEFORE


def real(expected, fits=lambda value: True):
    """`number`, as a float: a rate of 1 is one of 1.0, in a file's name too."""
    return lambda name, given: float(number(expected, fits)(name, given))


CHECKS = {
    "length": at_least(1), "size": one_of(("equal", "width")), "parameters": at_least(1), "seed": at_least(0),
    "rates": each(real("a finite number above 0", lambda rate: rate > 0)), "updates": at_least(1),
    "batch": at_least(1), "patience": optional(at_least(1)), "stop": optional(real("a finite number, or None")),
    "decay": optional(at_least(1)), "stages": each(at_least(1)), "source": one_of(("sample", "full")),
    "backend": one_of(("numpy", "cupy")), "pilot": optional(at_least(1)), "window": optional(at_least(1)),
    "embedding": optional(at_least(1)), "boundaries": optional(at_least(1)),
    "steady": optional(flag),
}


@dataclass(frozen=True)
class Trial:
    """One model on one task with one seed: everything that decides its numbers.

    size       "equal": the width with which the network comes closest to `parameters` trained numbers; "width":
               `parameters` counts the units of every layer (a DuRNN has as many of each kind)
    rates      Adam's rates; each is trained, the validation set chooses one, and the test set is read once, for that
               one. A rate gets no more updates than one before it needed to reach `stop`
    pilot      updates after which validation chooses one rate, the only one that is trained on (None: every rate is
               trained to its end, and then one is chosen)
    window     truncated backpropagation through so many steps, each window one update, with the state handed on
    embedding  x holds symbols, and the body begins with a row of so many numbers for each (None: x holds numbers)
    boundaries in memory stands one state every so many steps, and the stretch behind it is run again for its gradient
               (None: every step's tape); for sequences that would not fit otherwise
    patience   a run that has not left the baseline after so many updates ends there (None: it goes on)
    stop       a run ends at the first validation metric at least as good as this
    decay      the rate is divided by 10 after every so many updates (None: constant)
    stages     shorter lengths on which the same network is trained first: a curriculum. A stage goes on with the
               parameters of the one before; its rate falls with the square root of its length, for what one update
               of u changes over T steps grows with T. A stage that does not reach `stop` in `updates` ends the run
    steady     True: through all stages the rate stays the same. So for gates, which act through a sigmoid: what one
               update of a bias changes over T steps does not grow with T
    source     "sample" or "full" data, where the experiment's task has both
    backend    "numpy" or "cupy"
    Raises     ValueError for an option that is none
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
    pilot: int | None = None
    window: int | None = None
    embedding: int | None = None
    boundaries: int | None = None
    steady: bool | None = None

    def __post_init__(self):
        check_options(self, model=one_of((*MODELS, *TRANSLATORS)), **CHECKS)
        if not self.rates or len(set(self.rates)) < len(self.rates):
            raise ValueError(f"rates is {self.rates}: expected at least one, each once.")
        if list(self.stages) != sorted({*self.stages} - {self.length}) or max(self.stages, default=0) > self.length:
            raise ValueError(f"stages is {self.stages}: expected lengths that grow, all shorter than {self.length}.")
        if self.pilot is not None and (self.stages or self.pilot > self.updates):
            raise ValueError(
                f"pilot is {self.pilot} with {self.updates} updates and stages {self.stages}: expected no more than "
                f"the updates, and no stages.")

    def fits(self, task):
        """Whether the model is of the task's kind: translators write sentences, and no other model does."""
        return (self.model in TRANSLATORS) == getattr(task, "sentences", False)

    def check_fits(self, task):
        """Raise ValueError unless the model is of the task's kind."""
        if not self.fits(task):
            fitting = f"one of {', '.join(TRANSLATORS)}" if self.model not in TRANSLATORS else "a model of sequences"
            raise ValueError(
                f"model is {self.model!r} for {self.experiment}: expected {fitting}, for translators write sentences "
                "and no other model does; name other experiments, or other models.")

    def network(self, task):
        """The network of this trial on its task, run in the chunks that its body likes, or whole where it must be."""
        self.check_fits(task)
        if self.model in TRANSLATORS:
            return translator_for(self.model, task.inputs, task.outputs, self.parameters)
        model = MODELS[self.model]

        def body(units):
            if self.embedding is None:
                return model.make(task.inputs, units, self.length)
            rows = Embedding(task.inputs, self.embedding)
            return Chain((rows, model.make(self.embedding, units, self.length)))

        if model.direct:                                      # its size is the task's
            return Direct(Chunked(body(None)), task.outputs, task.loss, task.reads)
        units = self.parameters if self.size == "width" else width_for(body, task.outputs, self.parameters)
        made = body(units)
        made = made if made.whole else Chunked(made)
        made = made if self.boundaries is None else Chunked(made, self.boundaries, "boundaries")
        return Network(made, task.outputs, task.loss, task.reads)

    @property
    def plain(self):
        """Every option as JSON gives it back."""
        return json.loads(json.dumps(asdict(self)))

    @property
    def name(self):
        """A file name: what a reader asks for first, and a hash of every option, so that no two trials share one.

        An option that older records lack counts only where it is not None: older names do not have it.
        """
        staged = f"-from{self.stages[0]}in{len(self.stages)}" if self.stages else ""
        said = f"{self.experiment}-T{self.length}{staged}-{self.size}{self.parameters}-{self.model}"
        said += f"-seed{self.seed}-u{self.updates}"
        every = {option: given for option, given in asdict(self).items() if option not in BEFORE or given is not None}
        every = json.dumps(every, sort_keys=True)
        return f"{said[:120]}-{sha256(every.encode()).hexdigest()[:8]}"
