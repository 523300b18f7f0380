"""A chain is its parts one after the other, with their states side by side."""

from dataclasses import dataclass

import numpy as np
import pytest
from support import STACKS, B, T, assert_same, on_a_device, refuses, rng

from minidurnn import RNN, Chain, Chunked, DuRNN, IndRNN, Linear
from minidurnn.arrays.trees import map_leaves
from minidurnn.gradcheck import assert_cell, assert_cell_gradient, random_leaves
from minidurnn.networks import BatchNorm, Dense, Dropout, Embedding, Residual

CHAIN = Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0, output="long"), Linear(4, 5), RNN(5, 3)))


@pytest.mark.parametrize("model", STACKS, ids=repr)
def test_the_stack_keeps_the_whole_contract_of_a_cell(model):
    assert_cell(model, rng())


@on_a_device
def test_backward_is_the_gradient_of_forward_there_too(xp):   # of all others: the numbers are those of NumPy, below
    assert_cell_gradient(Chunked(CHAIN, 3, "boundaries"), rng(1), T, B, like=xp.zeros(1))


@pytest.mark.parametrize("model", STACKS, ids=repr)
@on_a_device
def test_both_libraries_give_the_same_numbers(model, xp):
    leaves = random_leaves(model, rng(2), T, B)
    dh, dstate = rng(3).standard_normal((T, B, model.outputs)), rng(4).standard_normal((B, model.state_size))

    def run(leaves, dh, dstate):
        h, tape = model.forward(*leaves.values())
        return h, model.last_state(tape), model.backward(dh, tape, dstate), model.project(leaves["p"])

    assert_same(run(map_leaves(xp.asarray, leaves), xp.asarray(dh), xp.asarray(dstate)), run(leaves, dh, dstate))


def test_a_chain_is_its_parts_one_after_the_other():
    p, x, state = random_leaves(CHAIN, rng(), T, B).values()
    dual, linear, vanilla = CHAIN.parts
    h, tape = CHAIN.forward(p, x, state)
    l, dual_tape = dual.forward(p["0"], x, state[:, :7])
    y, linear_tape = linear.forward(p["1"], l)
    top, top_tape = vanilla.forward(p["2"], y, state[:, 7:])
    assert (h == top).all()
    assert (CHAIN.last_state(tape) == np.hstack([dual.last_state(dual_tape), vanilla.last_state(top_tape)])).all()
    dh, dstate = rng(1).standard_normal(h.shape), rng(2).standard_normal(state.shape)
    dy, dtop0, dp_2 = vanilla.backward(dh, top_tape, dstate[:, 7:])
    dl, _, dp_1 = linear.backward(dy, linear_tape)
    dx, ddual0, dp_0 = dual.backward(dl, dual_tape, dstate[:, :7])
    assert_same(
        CHAIN.backward(dh, tape, dstate), (dx, np.hstack([ddual0, dtop0]), {"0": dp_0, "1": dp_1, "2": dp_2}), 0
    )


def test_the_sizes_of_a_chain_are_those_of_its_ends():
    assert (CHAIN.inputs, CHAIN.outputs, CHAIN.state_size) == (2, 3, 3 + 4 + 3)


def test_parameters_and_gradients_stand_in_the_same_order():
    p, x, state = random_leaves(CHAIN, rng(), T, B).values()
    dp = CHAIN.backward(None, CHAIN.forward(p, x, state)[1], np.ones((B, 10)))[2]
    assert list(dp) == list(p) == ["0", "1", "2"]


def test_parts_draw_their_starts_one_after_the_other():
    generator = rng(5)
    alone = {str(place): part.init(generator) for place, part in enumerate(CHAIN.parts)}
    assert_same(CHAIN.init(rng(5)), alone, 0)


def test_a_list_of_parts_makes_the_same_chain():
    assert Chain(list(CHAIN.parts)) == CHAIN and hash(Chain(list(CHAIN.parts))) == hash(CHAIN)


def test_a_residual_model_adds_to_what_it_was_given():
    model, inner = Residual(Chain((RNN(2, 4), Linear(4, 2)))), Chain((RNN(2, 4), Linear(4, 2)))
    p, x, state = random_leaves(inner, rng(), T, B).values()
    (y, tape), (h, own) = model.forward(p, x, state), inner.forward(p, x, state)
    assert (y == x + h).all() and (model.last_state(tape) == inner.last_state(own)).all()
    dy, dstate = rng(1).standard_normal(y.shape), rng(2).standard_normal(state.shape)
    (dx, dstate0, dp), (
        inner_dx, inner_dstate0, inner_dp
    ) = model.backward(dy, tape, dstate), inner.backward(dy, own, dstate)
    assert_same((dx, dstate0, dp), (dy + inner_dx, inner_dstate0, inner_dp), 0)


def test_a_dense_model_stands_beside_what_it_was_given():
    model, inner = Dense(RNN(2, 4)), RNN(2, 4)
    p, x, state = random_leaves(inner, rng(), T, B).values()
    (y, tape), (h, own) = model.forward(p, x, state), inner.forward(p, x, state)
    assert model.outputs == 6
    assert (y == np.concatenate([x, h], -1)).all()
    assert (model.last_state(tape) == inner.last_state(own)).all()
    dy = rng(1).standard_normal(y.shape)
    assert_same(
        model.backward(dy, tape)[0], dy[..., :2] + inner.backward(np.ascontiguousarray(dy[..., 2:]), own)[0], 1e-14
    )


@pytest.mark.parametrize("kind", [Residual, Dense])
def test_symbols_are_not_spread_over_the_rows_that_they_name(kind):
    model, x = kind(Embedding(3, 3)), rng().integers(0, 3, (3, 3))           # (3, 3) + (3, 3, 3) has a sum
    with refuses(TypeError, "x holds symbols", "expected floats (T, B, 3)", kind.__name__, "Chain((Embedding"):
        model.forward(model.init(rng()), x)
    other = kind(RNN(3, 3))
    for wrong in (np.zeros((T, 1), np.float32), np.zeros((T, B, 1), np.float32), np.zeros((T, B, 3), int)):
        with refuses((TypeError, ValueError), "x has ", "expected"):
            other.forward(other.init(rng()), wrong)


def test_lengths_for_another_number_of_sequences_are_refused_by_a_chain():
    chain, x = Chain((Linear(2, 3), Linear(3, 2))), np.ones((T, B, 2), np.float32)
    for wrong in (np.array([2]), np.full((B, B), 2), [2] * B):
        with refuses(ValueError, "lengths is ", f"expected NumPy integers of shape ({B},)"):
            chain.forward(chain.init(rng()), x, lengths=wrong)


@pytest.mark.parametrize("ask", ["project", "updated"])
def test_a_chain_names_the_part_that_its_parameters_lack(ask):
    for model in (Chain((RNN(2, 3), BatchNorm(3))), Residual(Chain((IndRNN(2, 3), BatchNorm(3), Linear(3, 2))))):
        p = model.init(rng())
        tape = model.forward(p, np.ones((T, B, 2), np.float32), noise=model.draw(rng(), B))[1]
        call = model.project if ask == "project" else lambda p: model.updated(p, tape)      # noqa: B023
        with refuses(ValueError, "the parameters are 0", "expected 0, 1", "(missing: 1)"):
            call({name: part for name, part in p.items() if name != "1"})
        if ask == "updated":
            with refuses(ValueError, "the parameters are scale, shift", "(missing: running_mean, running_variance)"):
                call({**p, "1": {name: p["1"][name] for name in ("scale", "shift")}})


def test_a_residual_branch_of_unequal_widths_is_refused():
    with refuses(ValueError, "takes 2 inputs and gives 4 outputs", "expected equal widths", "Linear(..., 2)"):
        Residual(RNN(2, 4))


def test_parts_of_unequal_widths_are_refused():
    with refuses(
        ValueError, "RNN(inputs=2, units=4", "gives 4 outputs", "IndRNN(inputs=3", "takes 3 inputs",
        "expected equal numbers",
    ):
        Chain((RNN(2, 4), IndRNN(3, 5)))


@pytest.mark.parametrize("parts", [(), [], RNN(2, 4), None])
def test_no_parts_are_refused(parts):
    with refuses(ValueError, f"parts is {parts!r}", "expected a tuple of at least one model"):
        Chain(parts)


def test_the_tape_of_another_chain_is_refused_and_not_cut():
    x = np.zeros((T, B, 2), np.float32)
    short, long = Chain((RNN(2, 2),)), Chain((RNN(2, 2), RNN(2, 2)))
    for own, other in ((short, long), (long, short)):
        tape = other.forward(other.init(rng()), x)[1]
        for call in (lambda own, tape: own.backward(None, tape), lambda own, tape: own.last_state(tape)):
            with refuses(TypeError, f"a chain of {len(other.parts)} parts", f"of {len(own.parts)}"):
                call(own, tape)
    with refuses(TypeError, "the tape is a list of builtins"):
        short.backward(None, [None])


def test_noise_that_draw_does_not_give_is_refused_by_a_chain():
    chain, x = Chain((Linear(2, 4), Dropout(4, 0.5))), np.zeros((T, B, 2), np.float32)
    for noise, words in ((True, "the noise is a bool"), ({"0": None}, "the noise is 0"), ({}, "the noise is empty")):
        with refuses(ValueError, words, "expected 0, 1", "draw(rng, B)"):
            chain.forward(chain.init(rng()), x, noise=noise)


@pytest.mark.parametrize("state", [None, 1.0])
def test_the_states_of_a_chain_are_split_in_a_time_that_grows_as_its_parts(state):
    asked = []

    @dataclass(frozen=True)
    class Asked(Linear):
        state_size = property(lambda self: asked.append(1) or 0)

    parts = 50
    chain = Chain([Asked(2, 2)] * parts)
    chain._split(None if state is None else np.ones((B, 0)), "state")
    assert len(asked) <= 4 * parts                            # its square would be 2,500
