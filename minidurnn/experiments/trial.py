"""One configuration: everything that decides the numbers of an experiment's run."""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from operator import index

from ..arrays.checks import check_choice, is_number
from ..networks.chunked import Chunked
from ..networks.models import MODELS
from ..networks.network import Network, width_for

LEAST = {
    "length": 1, "parameters": 1, "seed": 0, "updates": 1, "batch": 1, "patience": 1, "decay": 1, "pilot": 1,
    "window": 1,
}
LATER = ("pilot", "window")                         # no part of a name where they are None: older names lack them


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
    patience   a run that has not left the baseline after so many updates ends there (None: it goes on)
    stop       a run ends at the first validation metric at least as good as this
    decay      the rate is divided by 10 after every so many updates (None: constant)
    stages     shorter lengths on which the same network is trained first: a curriculum. A stage goes on with the
               parameters of the one before; its rate falls with the square root of its length, for what one update
               of u changes over T steps grows with T. A stage that does not reach `stop` in `updates` ends the run
    Raises     ValueError, TypeError for an option that is none
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

    def __post_init__(self):
        check_choice("model", self.model, tuple(MODELS))
        check_choice("size", self.size, ("equal", "width"))
        for name, least in LEAST.items():
            if getattr(self, name) is not None or name not in ("patience", "decay", *LATER):
                self._become(name, _whole(name, getattr(self, name), least))
        self._become("stages", tuple(_whole("a stage", length, 1) for length in self.stages))
        self._become("rates", tuple(_number("a rate", rate) for rate in self.rates))
        if self.stop is not None:
            self._become("stop", _number("stop", self.stop))
        if not self.rates or len(set(self.rates)) < len(self.rates):
            raise ValueError(f"rates is {self.rates}: expected at least one, each once.")
        if list(self.stages) != sorted({*self.stages} - {self.length}) or max(self.stages, default=0) > self.length:
            raise ValueError(f"stages is {self.stages}: expected lengths that grow, all shorter than {self.length}.")

        if self.pilot is not None and (self.stages or self.pilot > self.updates):
            raise ValueError(
                f"pilot is {self.pilot} with {self.updates} updates and stages {self.stages}: expected no more than "
                f"the updates, and no stages.")

    def _become(self, name, value):
        """An option in plain Python, so that equal trials are equal in a file too."""
        object.__setattr__(self, name, value)

    def network(self, task):
        """The network of this trial on its task, run in the chunks that its body likes, or whole where it must be."""
        model = MODELS[self.model]

        def body(units):
            return model.make(task.inputs, units, task.length)

        units = self.parameters if self.size == "width" else width_for(body, task.outputs, self.parameters)
        made = body(units)
        return Network(made if made.whole else Chunked(made, made.chunk), task.outputs, task.loss, task.reads)

    @property
    def plain(self):
        """Every option as JSON gives it back."""
        return json.loads(json.dumps(asdict(self)))

    @property
    def name(self):
        """A file name: what a reader asks for first, and a hash of every option, so that no two trials share one."""
        staged = f"-from{self.stages[0]}in{len(self.stages)}" if self.stages else ""
        said = f"{self.experiment}-T{self.length}{staged}-{self.size}{self.parameters}-{self.model}"
        said += f"-seed{self.seed}-u{self.updates}"
        every = {option: given for option, given in asdict(self).items() if option not in LATER or given is not None}
        every = json.dumps(every, sort_keys=True)
        return f"{said[:120]}-{sha256(every.encode()).hexdigest()[:8]}"


def _whole(name, value, least):
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise ValueError(f"{name} is {value!r}: expected a whole number of at least {least}.")
    return number


def _number(name, value):
    if not is_number(value) or not abs(value) < float("inf"):
        raise ValueError(f"{name} is {value!r}: expected a finite number.")
    return float(value)
