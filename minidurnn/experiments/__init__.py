"""Named experiments: trials, how one is run, how many are, and what a record says."""

from .catalogue import EXPERIMENTS, FIRST
from .experiment import Experiment
from .run import run_trial
from .sweep import run_trials
from .trial import Trial

__all__ = ["EXPERIMENTS", "FIRST", "Experiment", "Trial", "run_trial", "run_trials"]
