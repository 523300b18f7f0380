"""How often an update asks a GPU for something: a few times, however long the sequence is.

The stand-in for CuPy counts by its own rules. Where real CuPy runs without a GPU on a driver that counts (a module
cupy_on_cpu), its counts are held to the same limits; a GPU itself does not count.
"""

import fake_cupy
import pytest
from support import on_a_device, rng

from minidurnn import Chunked, Network, to
from minidurnn.kernels import emulated, loading
from minidurnn.networks import MODELS
from minidurnn.optim import Adam, Constant
from minidurnn.training.run import begin
from minidurnn.training.update import Batch, update

T, B, H = 1000, 2, 4
LIMITS = {"indrnn": 40, "rnn": 60, "durnn": 80, "lstm": 80, "gru": 80}      # of forward, loss and backward
UPDATE = 200                                                  # of a whole update
SYNCS = {"indrnn": 1, "rnn": 0, "durnn": 1, "lstm": 0, "gru": 0}            # of a whole update: the projection's


def counter(xp):
    """A function that says what was asked of the device since its last call  ->  launches, uploads, syncs."""
    if "stand-in" not in xp.__version__:
        device = pytest.importorskip("cupy_on_cpu", reason="a GPU does not count")

        def count():
            found = device.counters()
            device.reset()
            return found["launches"], found["h2d"], found["syncs"]
        return count
    if loading.module(xp, "float32") is None:
        pytest.skip("no g++: the stand-in for CuPy compiles its kernels with it")

    def count():
        ours = fake_cupy.ndarray
        found = ours.launches + len(emulated.RawModule.launched), ours.uploads, ours.syncs
        ours.launches = ours.uploads = ours.syncs = 0
        emulated.RawModule.launched.clear()
        return found
    return count


def case(name, T=T):
    """A network in chunks, as experiments have it, on the device, with a run and a batch."""
    network = Network(Chunked(MODELS[name].make(2, H, T)), 1)
    run = begin(network, Adam(), Constant(), backend="cupy")
    x, target = (rng().standard_normal(shape).astype("float32") for shape in ((T, B, 2), (B, 1)))
    return network, run, Batch(to("cupy", x), to("cupy", target))


@on_a_device
@pytest.mark.parametrize("name", LIMITS)
def test_forward_loss_and_backward_take_a_few_launches(xp, name):
    network, run, batch = case(name)
    count = counter(xp)
    for _ in range(2):                                        # the first one compiles
        count()
        network.gradient(network.loss(run.p, batch.x, batch.target)[2])
        launches, uploads, syncs = count()
    assert launches <= LIMITS[name] and (uploads, syncs) == (0, 0)


@on_a_device
@pytest.mark.parametrize("name", LIMITS)
def test_an_update_takes_few_launches_uploads_nothing_but_the_batch_and_waits_for_the_projection_alone(xp, name):
    network, run, batch = case(name)
    count = counter(xp)
    for _ in range(2):
        run, _ = update(network, Adam(), run, batch)
        launches, uploads, syncs = count()
    assert launches <= UPDATE and uploads == 0 and syncs <= SYNCS[name]


@on_a_device
@pytest.mark.parametrize("name", LIMITS)
def test_a_longer_sequence_takes_no_more_launches(xp, name):
    found = []
    for steps in (1000, 2000):
        network, run, batch = case(name, steps)
        count = counter(xp)
        network.gradient(network.loss(run.p, batch.x, batch.target)[2])
        found.append(count()[0])
    assert found[0] == found[1]
