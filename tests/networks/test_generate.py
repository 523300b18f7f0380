"""Writing on: what is drawn, from which scores, with which state in front."""

from dataclasses import replace

import numpy as np
import pytest
from support import refuses, rng

from minidurnn import LSTM, Chunked, Network
from minidurnn.arrays.trees import map_leaves
from minidurnn.networks import generate

NETWORK = Network(Chunked(LSTM(4, 6)), 4, "bits", "every")


@pytest.fixture
def p():
    """Parameters of NETWORK, far from zero."""
    made = NETWORK.init(rng())
    return {"body": {name: 3 * leaf for name, leaf in made["body"].items()},
            "readout": {name: 9 * leaf for name, leaf in made["readout"].items()}}


def always(shares):
    """Parameters with which NETWORK expects these shares at every step, whatever it has read."""
    p = NETWORK.init(rng())
    W, b = p["readout"]["W"], p["readout"]["b"]
    return {**p, "readout": {"W": 0 * W, "b": np.log(np.array(shares)).astype(b.dtype)}}


def test_the_likeliest_is_what_predict_expects_after_all_that_was_read_and_written(p):
    prompt = np.array([2, 0, 1])
    written = generate(NETWORK, p, prompt, 12, rng(), temperature=0)
    text = np.concatenate([prompt, written])
    scores, _ = NETWORK.predict(p, np.eye(4)[text][:, None].astype("float32"))
    assert written.dtype == np.int64 and len(set(written)) > 1
    assert (scores.argmax(-1)[2:-1, 0] == written).all()


def test_a_text_that_is_continued_in_two_parts_reads_its_own_beginning(p):
    whole = generate(NETWORK, p, np.array([3]), 20, rng(1))
    again = rng(1)
    first = generate(NETWORK, p, np.array([3]), 8, again)
    second = generate(NETWORK, p, np.array([3, *first]), 12, again)
    assert (np.concatenate([first, second]) == whole).all()


@pytest.mark.parametrize("temperature, shares", [
    (1.0, [0.1, 0.2, 0.3, 0.4]), (0.5, np.array([1, 4, 9, 16]) / 30), (1e-3, [0, 0, 0, 1]),
])
def test_classes_are_drawn_by_their_shares_which_the_temperature_sharpens(temperature, shares):
    written = generate(NETWORK, always([0.1, 0.2, 0.3, 0.4]), np.array([0]), 500, rng(), temperature)
    assert np.bincount(written, minlength=4) / 500 == pytest.approx(shares, abs=0.06)


def test_the_same_seed_writes_the_same_and_no_step_writes_nothing(p):
    assert (generate(NETWORK, p, np.array([0]), 9, rng(5)) == generate(NETWORK, p, np.array([0]), 9, rng(5))).all()
    assert generate(NETWORK, p, np.array([0]), 0, rng()).shape == (0,)


@pytest.mark.parametrize("network, changed, words", [
    (replace(NETWORK, reads="last"), {}, ["last", "inputs are its classes"]),
    (replace(NETWORK, outputs=5), {}, ["4 inputs and gives 5 outputs", "inputs are its classes"]),
    (replace(NETWORK, objective="mse"), {}, ["mse", "inputs are its classes"]),
    (NETWORK, {"prompt": np.array([4])}, ["prompt", "expected 0 to 3"]),
    (NETWORK, {"prompt": np.array([], int)}, ["prompt has shape (0,)", "(N,)"]),
    (NETWORK, {"prompt": np.array([0.5])}, ["prompt", "integer class numbers"]),
    (NETWORK, {"temperature": -1}, ["temperature is -1", "at least 0"]),
    (NETWORK, {"temperature": float("nan")}, ["temperature is nan"]),
    (NETWORK, {"steps": 2.5}, ["steps is 2.5"]),
])
def test_what_cannot_be_continued_is_refused(network, changed, words):
    options = {"prompt": np.array([0]), "steps": 3, "temperature": 1.0, **changed}
    with refuses(ValueError, *words):
        generate(network, network.init(rng()), rng=rng(), **options)


def test_parameters_of_a_run_that_diverged_write_nothing(p):
    with refuses(ValueError, "the scores of the next symbol are not all finite", "smaller rate"):
        generate(NETWORK, map_leaves(lambda a: a * np.nan, p), np.array([0]), 3, rng())


def test_the_parameters_of_the_body_alone_are_refused(p):
    with refuses(ValueError, "expected body, readout"):
        generate(NETWORK, p["body"], np.array([0]), 3, rng())
