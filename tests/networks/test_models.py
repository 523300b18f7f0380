"""The table of models: every forward is its own equations, one step after the other."""

import numpy as np
import pytest
from support import B, T, assert_same, rng

from minidurnn.gradcheck import random_leaves
from minidurnn.networks import MODELS

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
    body = MODELS[name].make(3, 5, 20)
    assert body.inputs == 3 and {type(sample) for sample in MODELS[name].samples} == {type(body)}
