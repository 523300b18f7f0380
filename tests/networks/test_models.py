"""The table of models: every forward is its own equations, step after step, and what is no part of it is refused."""

from functools import cache

import numpy as np
import pytest
from support import B, T, assert_same, refuses, rng

from minidurnn import RNN, Chain, Chunked, Linear
from minidurnn.gradcheck import random_leaves
from minidurnn.networks import MODELS, Attention, BatchNorm, Dropout, Embedding, FeedForward, LayerNorm, Positions

LINES = [(name, sample) for name, model in MODELS.items() for sample in model.samples]


@pytest.mark.parametrize("name, body", LINES, ids=str)
def test_a_forward_is_its_equations_step_by_step(name, body):
    p, x, state = random_leaves(body, rng(), T, B).values()
    h, tape = body.forward(p, x, state)
    outputs = []
    for x_t in x:
        output, state = MODELS[name].step(body, p, x_t, state)
        outputs.append(output)
    assert_same((h, body.last_state(tape)), (np.stack(outputs), state))


@pytest.mark.parametrize("name", MODELS)
def test_a_line_of_the_table_makes_the_model_that_its_samples_show(name):
    inputs = max(3, MODELS[name].least)
    body = MODELS[name].make(inputs, 5, 20)
    assert body.inputs == inputs and {type(sample) for sample in MODELS[name].samples} <= {type(body)}
    assert MODELS[name].samples or isinstance(body, Chain)     # a deep stack, whose parts have samples of their own


BODIES = [
    *(model.samples[0] for model in MODELS.values() if model.samples), Linear(2, 3), BatchNorm(2),
    Chunked(RNN(2, 4), 3), LayerNorm(2), Attention(2), FeedForward(2, 3), Positions(2, T),
]


@cache
def tape_of(place):
    """A tape of one of BODIES."""
    body = BODIES[place]
    return body.forward(body.init(rng()), np.zeros((T, B, body.inputs), np.float32))[1]


@pytest.mark.parametrize("body", BODIES, ids=repr)
def test_the_tape_of_another_model_is_refused_in_one_sentence(body):
    tapes = [tape_of(place) for place, other in enumerate(BODIES) if type(other) is not type(body)]
    for tape in (*tapes, None, 5, np.zeros((T, B, 2), np.float32)):
        with refuses(TypeError, f"the tape is a {type(tape).__name__}", "what forward of the same kind of model gave"):
            body.backward(None, tape)


DRAWN = [body for body in BODIES if body not in (BatchNorm(2), LayerNorm(2))]


@pytest.mark.parametrize("body", [*DRAWN, Embedding(3, 2)], ids=repr)
def test_a_seed_in_place_of_a_generator_is_refused_in_one_sentence(body):
    for seed in (0, None, np.random):
        with refuses(TypeError, "rng is", "a NumPy generator", "numpy.random.default_rng(0)"):
            body.init(seed)
    with refuses(TypeError, "rng is 0", "expected a NumPy generator"):
        Dropout(2, 0.5).draw(0, B)
