"""The Transformer: its equations, its gradients with planted bugs, padding, memory, refusals.

PyTorch is asked in training/test_torch.py, where it is imported.
"""

import inspect
import tracemalloc

import numpy as np
import pytest
from support import B, T, assert_same, on_a_device, refuses, rng

from minidurnn import Chunked, Linear, Network, fit, load, save, to_numpy
from minidurnn.arrays.trees import leaves, map_leaves
from minidurnn.gradcheck import assert_cell, assert_cell_gradient, random_leaves
from minidurnn.networks import (
    MODELS,
    Attention,
    Chain,
    FeedForward,
    LayerNorm,
    Positions,
    attention,
    count_parameters,
    generate,
    normalisation,
    width_for,
)
from minidurnn.networks import transformer as make
from minidurnn.tasks import Adding

BLOCKS = inspect.getmodule(FeedForward)                       # the name `transformer` is the function's
PARTS = (
    LayerNorm(5), FeedForward(3, 4), Positions(4, 50), Attention(6, 2, block=3), Attention(4, 2, rotary=False, block=2),
    Attention(3, 1),
)
LENGTHS = np.array([4, 7, 1])


def point(body, seed=0):
    """p and x of a model in float64, off their starts."""
    leaves = random_leaves(body, rng(seed), T, B)
    return leaves["p"], leaves["x"]


def plain_attention(layer, p, x):
    """The layer as its equation reads, number by number."""
    d, y = layer.units // layer.heads, np.zeros_like(x)
    for b, h, t in np.ndindex(B, layer.heads, T):
        own = slice(h * d, (h + 1) * d)
        turn = plain_turn if layer.rotary else lambda a, t: a
        q = turn((x[t, b] @ p["W_q"])[own], t)
        scores = np.array([q @ turn((x[s, b] @ p["W_k"])[own], s) / np.sqrt(d) for s in range(t + 1)])
        weights = np.exp(scores) / np.exp(scores).sum()
        y[t, b] += sum(w * (x[s, b] @ p["W_v"])[own] for s, w in enumerate(weights)) @ p["W_o"][own]
    return y


def plain_turn(a, t):
    """Rotary positions as products of complex numbers; the last of an odd number of entries stays."""
    half, d = len(a) // 2, len(a)
    z = (a[:half] + 1j * a[half:2 * half]) * np.exp(1j * t * 10000.0 ** (-2 * np.arange(half) / d))
    return np.concatenate([z.real, z.imag, a[2 * half:]])


@pytest.mark.parametrize("part", PARTS, ids=repr)
def test_every_part_keeps_the_whole_contract(part):
    assert_cell(part, rng())


@pytest.mark.parametrize("body", [
    make(2, 4, 1, positions="learned", steps=T), make(2, 4, 1, hidden=5, positions="none"), make(2, 6, 1, heads=3)
], ids=["learned", "none", "rotary"])
def test_backward_is_the_gradient_of_forward(body):
    assert_cell_gradient(body, rng(), 5, 2)


@on_a_device
@pytest.mark.parametrize("part", PARTS, ids=repr)
def test_a_device_gives_the_numbers_of_numpy(part, xp):
    p, x = point(part)

    def answers(p, x):
        y, tape = part.forward(p, x)
        return {"y": y, "back": part.backward(y, tape)}

    assert_same(answers(*map_leaves(xp.asarray, (p, x))), answers(p, x))


@pytest.mark.parametrize("layer", [part for part in PARTS if isinstance(part, Attention)], ids=repr)
def test_attention_is_its_equation(layer):
    p, x = point(layer)
    assert_same(layer.forward(p, x)[0], plain_attention(layer, p, x))


def test_blocks_of_queries_give_what_one_block_gives():
    p, x = point(Attention(6, 2))
    answers = []
    for block in (1, 2, 5, T, 32):
        layer = Attention(6, 2, block=block)
        y, tape = layer.forward(p, x)
        answers.append({"y": y, "back": layer.backward(y, tape)})
    for other in answers[1:]:
        assert_same(other, answers[0])


def test_layer_norm_is_its_equation_and_knows_no_other_step():
    p, x = point(LayerNorm(5))
    y = LayerNorm(5).forward(p, x)[0]
    for t, b in np.ndindex(T, B):
        normal = (x[t, b] - x[t, b].mean()) / np.sqrt(x[t, b].var() + 1e-5)
        assert_same(y[t, b], normal * p["scale"] + p["shift"])


def test_scores_with_rotary_positions_hear_of_distances_alone():
    same = np.broadcast_to(rng().standard_normal((2, 1, 1, 1, 6)), (2, 1, 1, 9, 6))
    q, k = map(attention.turned, same)
    scores = (q @ k.swapaxes(-1, -2))[0, 0]
    assert np.allclose(scores[1:, 1:], scores[:-1, :-1]) and not np.allclose(scores[0], scores[0, 0])


# planted bugs

BUGS = {                                                      # what is wrong -> the sound text, the wrong one
    "no mask": ("q.dtype.type(-np.inf), scores", "scores[..., first:], scores"),
    "a mask that lets the next step through": ("bool), 1)", "bool), 2)"),
    "softmax's gradient without its sum": ("d_scores -= means[:, :, first:last]", "pass"),
    "softmax's gradient without its weights": ("d_scores *= weights", "pass"),
    "the scale missing in backward": ("d_scores *= self._scale", "pass"),
    "the scale missing": ("float(self.units // self.heads) ** -0.5", "1.0"),
    "the scale of all heads together": ("float(self.units // self.heads) ** -0.5", "float(self.units) ** -0.5"),
    "heads swapped": ("looked = self._joined(looked)", "looked = self._joined(looked[:, ::-1])"),
    "heads swapped in backward": ("d_heads, dq, dk, dv = self._cut(d_looked)",
                                  "d_heads, dq, dk, dv = self._cut(d_looked)[:, ::-1]"),
    "queries for keys in dk": ("d_scores.swapaxes(-1, -2) @ q[", "d_scores.swapaxes(-1, -2) @ k["),
    "the last block of keys only": ("dk[:, :, :last] +=", "dk[:, :, :last] ="),
    "rotary's way back forgotten": ("turned(dq, -1), turned(dk, -1)", "dq, dk"),
    "rotary's way back turned onwards": ("turned(dq, -1), turned(dk, -1)", "turned(dq), turned(dk)"),
    "values turned too": ("q, k = turned(q), turned(k)", "q, k, v = turned(q), turned(k), turned(v)"),
    "the values' way to x missing": ('("W_k", dk), ("W_v", dv)):', '("W_k", dk), ("W_v", 0 * dv)):'),
}
BLOCK_BUGS = {
    "relu's slope forgotten": ("d_inner *= inner > 0", "pass"),
    "positions' gradient a mean": ("dy.sum(1)", "dy.mean(1)"),
}
NORM_BUGS = {
    "the mean term missing": ("d_normal.mean(-1, keepdims=True) - normal * along", "normal * along"),
    "the deviation's term missing": ("- normal * along) / deviation", ") / deviation"),
    "the deviation missing": ("along) / deviation\n        return dx", "along)\n        return dx"),
    "the mean over time": ("off = x - x.mean(-1, keepdims=True)", "off = x - x.mean((0, -1), keepdims=True)"),
    "the scale missing on the way back": ('dy * p["scale"]\n        along', "dy\n        along"),
}


def with_bug(module, sound, wrong):
    """The classes of a module whose text has a bug in place of a sound piece."""
    text = inspect.getsource(module)
    assert text.count(sound) == 1
    names = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(text.replace(sound, wrong), module.__name__, "exec"), names)
    return {name: kind for name, kind in names.items() if getattr(kind, "__module__", "") == module.__name__}


def passes(names):
    """Whether parts made of these classes have their gradients and are their equations."""
    parts = [names[type(part).__name__](**vars(part)) for part in PARTS if type(part).__name__ in names]
    try:
        for part in parts:
            assert_cell_gradient(part, rng(), 5, 2)
            p, x = point(part)
            if hasattr(part, "heads"):
                assert_same(part.forward(p, x)[0], plain_attention(part, p, x))
            if part.units == 5:
                normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
                assert_same(part.forward(p, x)[0], normal * p["scale"] + p["shift"])
    except AssertionError:
        return False
    return len(parts) > 0


def test_without_a_bug_the_text_passes():
    for module, text in ((attention, "d_scores *= weights"), (BLOCKS, "dy.sum(1)"), (normalisation, "along) / dev")):
        assert passes(with_bug(module, text, text))


@pytest.mark.parametrize("module, bug", [
    *((attention, bug) for bug in BUGS.values()), *((BLOCKS, bug) for bug in BLOCK_BUGS.values()),
    *((normalisation, bug) for bug in NORM_BUGS.values())], ids=[*BUGS, *BLOCK_BUGS, *NORM_BUGS])
def test_a_planted_bug_is_caught(module, bug):
    assert not passes(with_bug(module, *bug))


def test_the_contract_alone_catches_a_missing_mask():
    with pytest.raises(AssertionError):
        assert_cell(with_bug(attention, *BUGS["no mask"])["Attention"](4, 2, block=3), rng())


# as the body of a network

@pytest.mark.parametrize("positions", ["rotary", "learned"])
def test_the_padding_changes_neither_answers_nor_gradients(positions):
    network = Network(make(2, 4, 2, positions=positions, steps=9 if positions == "learned" else None), 1)
    p = map_leaves(lambda a: a.astype(np.float64), network.init(rng()))
    x, target, answers = rng(1).standard_normal((T, B, 2)), rng(2).standard_normal((B, 1)), []
    for padding in (0.0, 1e6, np.nan):
        x[np.arange(T)[:, None] >= LENGTHS] = padding
        value, _, tape = network.loss(p, x, target, lengths=LENGTHS)
        answers.append({
            "value": value, "dp": network.gradient(tape)[0], "y": network.predict(p, x, lengths=LENGTHS)[0],
        })
    alone = [network.predict(p, x[:n, row:row + 1])[0] for row, n in enumerate(LENGTHS)]
    assert_same(answers[0]["y"], np.concatenate(alone))
    for other in answers[1:]:
        assert_same(other, answers[0], 0)


def test_memory_grows_with_the_length_and_not_with_its_square():
    steps, layer = 2000, Attention(4, 2)
    p, x = layer.init(rng()), rng().standard_normal((steps, 1, 4)).astype(np.float32)
    tracemalloc.start()
    try:
        y, tape = layer.forward(p, x)
        layer.backward(y, tape)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < layer.heads * steps * steps * 4 / 4         # one array of all weights would be four times as much


def test_it_trains_repeats_itself_and_is_saved(tmp_path):
    network = Network(MODELS["transformer"].make(2, 16, 10), 1)
    runs = [fit(network, Adding(10), 10, batch=5, progress=False, log_every=5, validate_every=10) for _ in range(2)]
    (p, history), (q, again) = runs
    assert history["loss"] == again["loss"] and np.isfinite(history["validation"][-1])
    assert_same(p, q, 0)
    assert {leaf.dtype for leaf in leaves(p).values()} == {np.dtype("float32")}
    save(tmp_path / "p.npz", network, p)
    model, back = load(tmp_path / "p.npz")
    assert model == network
    assert_same(back, p, 0)


def test_a_text_is_written_on_with_all_of_it_in_view():
    network = Network(make(3, 4, 1), 3, "cross_entropy", "every")
    p = map_leaves(lambda a: a + rng(1).standard_normal(a.shape).astype(a.dtype), network.init(rng()))
    text = [0, 2, 1, 1]
    for new in generate(network, p, np.array(text), 5, rng(), temperature=0):
        x = np.eye(3, dtype=np.float32)[text][:, None]
        assert new == to_numpy(network.predict(p, x)[0])[-1, 0].argmax()
        text.append(int(new))


@pytest.mark.parametrize("parameters", [3000, 17_000, 50_000])
def test_a_count_is_met_within_two_percent_although_heads_divide_the_width(parameters):
    for inputs, outputs in ((2, 1), (65, 65), (1, 10)):
        def body(units, inputs=inputs):
            return MODELS["transformer"].make(inputs, units, 100)
        network = Network(body(width_for(body, outputs, parameters)), outputs)
        assert abs(count_parameters(network) / parameters - 1) < 0.02


# refusals

def test_a_width_that_the_heads_do_not_divide_is_refused_with_one_that_they_do():
    for wrong in (lambda: Attention(7, 2), lambda: make(2, 7, heads=2)):
        with refuses(ValueError, "units is 7 with 2 heads", "units that the heads divide, 8 units, or 1 head."):
            wrong()
    with refuses(ValueError, "units is 8 with 3 heads", "9 units, or 2 heads."):
        Attention(8, 3)
    for heads in (0, 1.5, True, "2"):
        with refuses(ValueError, "heads is", "expected an int of at least 1"):
            Attention(8, heads)


def test_more_steps_than_learned_positions_are_refused():
    body = make(2, 4, 1, positions="learned", steps=5)
    with refuses(ValueError, "x has 6 steps", "expected at most 5", "rotary positions"):
        body.forward(body.init(rng()), np.zeros((6, 1, 2), np.float32))


def test_positions_without_their_number_or_of_another_name_are_refused():
    with refuses(ValueError, "positions is 'learned' with steps=None", "expected steps"):
        make(2, 4, positions="learned")
    with refuses(ValueError, "positions is 'rotary' with steps=9", "only there"):
        make(2, 4, steps=9)
    with refuses(ValueError, "positions is 'sine'", "expected one of 'rotary', 'learned', 'none'"):
        make(2, 4, positions="sine")


def test_a_stretch_of_the_sequence_is_not_enough():
    for body in (make(2, 4), Positions(4, 9), Chain([Linear(2, 4), Attention(4)])):
        with refuses(ValueError, "needs the whole sequence", "to look back over it", "attentions"):
            Chunked(body, 3)
    assert LayerNorm(4) == Chunked(LayerNorm(4), 3).model
