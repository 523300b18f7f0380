"""Training that a test kills, writing that kills itself or waits for it: functions for processes of their own."""

import os
import signal
import struct
from dataclasses import dataclass
from time import sleep

import numpy as np
import tqdm

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Network, fit
from minidurnn.optim import SGD, Adam, Plateau
from minidurnn.tasks import Adding
from minidurnn.training import storage
from minidurnn.training.files import owner, whole


@dataclass(frozen=True)
class Echo:
    """Repeat what was heard `lag` steps ago, at every step: for truncated backpropagation, in a few long stretches."""

    length: int
    lag: int = 3

    inputs, outputs, loss, metric, reads, chance = 1, 1, "mse", "mse", "every", 1 / 12

    def batch(self, rng, B):
        """x (T, B, 1), target (T, B, 1), None (no lengths)."""
        x = rng.random((self.length, B, 1), np.float32)
        return x, np.concatenate([np.full_like(x[:self.lag], 0.5), x[:-self.lag]]), None

    def validation(self):
        """20 sequences, always the same."""
        return self.batch(np.random.default_rng(1), 20)


EVERY = 8                                                     # updates between two rows, and between two checkpoints
UPDATES = 128
CASES = {                                                     # name -> arguments of fit
    "whole sequences": {
        "network": Network(Chunked(Chain((IndRNN(2, 6, horizon=20), DuRNN(6, 5, 4, horizon=20))), 8), 1),
        "task": Adding(10), "batch": 8,
        "optimizer": Adam(0.02), "schedule": Plateau(patience=1, factor=0.8), "seed": 6,
    },
    "windows": {                                              # 46 = 6 · 7 + 4: most checkpoints fall inside a batch
        "network": Network(Chain((IndRNN(1, 6, horizon=20), RNN(6, 5))), 1, reads="every"),
        "task": Echo(46), "batch": 4, "window": 7,
        "optimizer": SGD(0.05, momentum=0.9), "schedule": Plateau(patience=1, factor=0.8), "seed": 4,
    },
}


def train(case, checkpoint, updates=UPDATES):
    """The run of a case, from its checkpoint where there is one  ->  p, history."""
    return fit(
        **CASES[case], updates=updates, log_every=EVERY, validate_every=2 * EVERY, checkpoint=checkpoint,
        checkpoint_every=EVERY, resume=True, progress=False)


def counting(path):
    """A stand-in for the progress bar that keeps (first update, updates done) in a file, which outlives the process."""
    class Bar(tqdm.tqdm):
        def __init__(self, initial=0, **options):
            super().__init__(initial=initial, **options)
            self.first = self.done = initial
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT)
            self.update(0)

        def update(self, step=1):
            self.done += step
            os.pwrite(self.file, struct.pack("qq", self.first, self.done), 0)
            sleep(0.001)                                      # else most kills fall on a checkpoint
    return Bar


def train_counting(case, checkpoint, counter):
    """Train with a count of the updates in a file."""
    tqdm.tqdm = counting(counter)
    train(case, checkpoint)


def die():
    """As kill -9 would have it."""
    os.kill(os.getpid(), signal.SIGKILL)


def write_and_die(step, path):
    """Overwrite a file of parameters and be killed at a step of storage.write."""
    savez, replace = np.savez, os.replace

    def half(file, **entries):
        savez(file, **entries)
        file.truncate(file.tell() // 2)
        die()

    def replaced(old, new):
        replace(old, new)
        die()
    room, name, substitute = {
        "before savez": (np, "savez", lambda *_, **__: die()), "in savez": (np, "savez", half),
        "after savez": (os, "fsync", lambda _: die()),
        "before replace": (os, "replace", lambda *_: die()), "after replace": (os, "replace", replaced),
    }[step]
    setattr(room, name, substitute)
    storage.save(path, *new_model())


def new_model():
    """What `write_and_die` writes over what was there."""
    model = RNN(3, 4)
    return model, model.init(np.random.default_rng(2))


def hold(path):
    """Own a file, and be half through with writing it."""
    with owner(path), whole(path, "thing") as file:
        file.write(b"half")
        file.flush()
        sleep(60)
