"""The one table of experiments: a new one is its file and a line here."""

from . import (
    ablations,
    adding,
    characters,
    compact,
    copy_memory,
    delayed_xor,
    depth,
    first_vector,
    gradients,
    pixels,
    queues,
    skeletons,
    time_scales,
    translation,
    words,
)

EVERY = (
    adding.EXPERIMENT, delayed_xor.EXPERIMENT, pixels.EXPERIMENT, pixels.PERMUTED, copy_memory.EXPERIMENT,
    characters.EXPERIMENT, *skeletons.EXPERIMENTS, gradients.EXPERIMENT, depth.EXPERIMENT, *ablations.EXPERIMENTS,
    *time_scales.EXPERIMENTS, first_vector.EXPERIMENT, words.EXPERIMENT, *queues.EXPERIMENTS,
    *compact.EXPERIMENTS, *translation.EXPERIMENTS,
)
EXPERIMENTS = {experiment.name: experiment for experiment in EVERY}
FIRST = ("adding", "delayed-xor", "pixels")                   # what `replicate --quick` runs unless told which
