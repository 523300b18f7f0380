"""Named experiments: trials, how one is run, and what its record says."""

from .run import EXPERIMENTS, MODELS, Trial, run_trial

__all__ = ["EXPERIMENTS", "MODELS", "Trial", "run_trial"]
