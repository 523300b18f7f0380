"""Chunked: any stretches, any nesting, either way of keeping give the numbers of one run, in the memory promised."""

import tracemalloc

import numpy as np
import pytest
from support import CELLS, B, T, assert_same, rng

from minidurnn import LSTM, RNN, Chain, Chunked, DuRNN, IndRNN, Linear, Network, to, to_numpy
from minidurnn.arrays.backend import device_memory
from minidurnn.arrays.trees import map_leaves
from minidurnn.gradcheck import assert_cell, random_leaves
from minidurnn.training.storage import describe

CHAIN = Chain((DuRNN(2, 3, 4, horizon=9, gate=0.0), IndRNN(7, 5)))
keeps = pytest.mark.parametrize("keep", ["tapes", "boundaries"])


def everything(model, p, x, state, dh, dstate):
    """Outputs, last state and all gradients."""
    h, tape = model.forward(p, x, state)
    return h, model.last_state(tape), *model.backward(dh, tape, dstate)


def case(model, T, seed=0):
    """p, x, state, dh, dstate."""
    dh, dstate = rng(seed + 1).standard_normal(
        (T, B, model.outputs)
    ), rng(seed + 2).standard_normal((B, model.state_size))
    return *random_leaves(model, rng(seed), T, B).values(), dh, dstate


@keeps
@pytest.mark.parametrize("model", [*{type(cell): cell for cell in CELLS}.values(), CHAIN], ids=repr)
def test_any_stretches_equal_one_run(model, keep, xp):
    arguments = map_leaves(xp.asarray, case(model, 9))
    whole = everything(model, *arguments)
    for length in (1, 4, 8, 100) if xp is np else (4,):
        assert_same(everything(Chunked(model, length, keep), *arguments), whole, 1e-10)


@keeps
@pytest.mark.parametrize("inner, outer", [(1, 2), (2, 3), (3, 2), (4, 9), (9, 4), (50, 50)])
def test_nested_stretches_equal_one_run(inner, outer, keep):
    arguments = case(CHAIN, 17)
    whole = everything(CHAIN, *arguments)
    for inner_keep in ("tapes", "boundaries"):
        assert_same(everything(Chunked(Chunked(CHAIN, inner, inner_keep), outer, keep), *arguments), whole, 1e-10)
        parts = tuple(Chunked(part, inner, inner_keep) for part in CHAIN.parts)
        assert_same(everything(Chunked(Chain(parts), outer, keep), *arguments), whole, 1e-10)


@keeps
def test_random_lengths_equal_one_run(keep):
    draw = rng(7)
    for _ in range(30):
        steps, length = int(draw.integers(1, 40)), int(draw.integers(1, 45))
        model = (RNN(2, 4), DuRNN(2, 4, 5, horizon=9, gate=0.0, output="long"), CHAIN)[int(draw.integers(3))]
        arguments = case(model, steps, int(draw.integers(1000)))
        assert_same(everything(Chunked(model, length, keep), *arguments), everything(model, *arguments), 1e-10)


@keeps
def test_a_chunked_model_keeps_the_whole_contract_of_a_cell(keep):
    assert_cell(Chunked(DuRNN(2, 4, 5, horizon=9, gate=0.0), 3, keep), rng())


@keeps
def test_missing_gradients_count_as_zero(keep):
    p, x, state, dh, dstate = case(CHAIN, T)
    model = Chunked(CHAIN, 3, keep)
    assert_same(everything(model, p, x, state, None, dstate), everything(CHAIN, p, x, state, None, dstate), 1e-10)
    assert_same(everything(model, p, x, None, dh, None), everything(CHAIN, p, x, None, dh, None), 1e-10)


def test_the_stretches_cover_the_sequence_once():
    for steps in range(1, 30):
        for length in range(1, 33):
            pieces = Chunked(RNN(2, 4), length).chunks(steps)
            assert [t for piece in pieces for t in range(steps)[piece]] == list(range(steps))
            assert all(piece.stop - piece.start == length for piece in pieces[:-1])


def test_a_sequence_streams_through_in_stretches_with_the_state_handed_on():
    p, x, state, _, _ = case(CHAIN, 20)
    whole, tape = CHAIN.forward(p, x, state)
    outputs = []
    for piece in Chunked(CHAIN, 6).chunks(20):
        h, own = CHAIN.forward(p, x[piece], state)
        state = CHAIN.last_state(own)
        outputs.append(h)
    assert_same((np.concatenate(outputs), state), (whole, CHAIN.last_state(tape)), 1e-12)


def test_stretches_of_one_step_show_the_total_gradient_of_every_state():
    cell = RNN(2, 4)
    p, x, state, dh, dstate = case(cell, T)
    tape = Chunked(cell, 1).forward(p, x, state)[1].walk
    seen = []
    total = dstate
    for own, dh_t in zip(reversed(tape.kept), dh[::-1]):
        seen.append(total + dh_t)
        _, total, _ = cell.backward(dh_t[None], own, total)
    for t, expected in zip(range(T), reversed(seen)):         # by moving the state of that step
        def later(h_t, t=t):
            rest = cell.forward(p, x[t + 1:], h_t)[0] if t + 1 < T else np.zeros((0, B, 4))
            return (dh[t] * h_t).sum() + (dh[t + 1:] * rest).sum() + (dstate * (rest[-1] if len(rest) else h_t)).sum()

        h_t, move = cell.forward(p, x, state)[0][t], rng(t).standard_normal((B, 4))
        slope = (later(h_t + 1e-5 * move) - later(h_t - 1e-5 * move)) / 2e-5
        assert slope == pytest.approx((expected * move).sum(), rel=1e-7)


def peak(model, T, H):
    """The most memory that forward and backward of a network hold at once, beside x, in arrays of (T, B, H)."""
    network = Network(model, 1)
    p, x, target = network.init(rng()), np.ones((T, B, 2), np.float32), np.zeros((B, 1), np.float32)
    tracemalloc.start()
    _, _, tape = network.loss(p, x, target)
    network.gradient(tape)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / (4 * T * B * H)


def test_boundaries_take_a_small_part_of_the_memory_of_tapes():
    steps, units = 2000, 32
    cell = RNN(2, units)
    whole, tapes, boundaries, nested = (peak(model, steps, units) for model in (
        cell, Chunked(cell, 20), Chunked(cell, 20, "boundaries"), Chunked(Chunked(cell, 20), 200, "boundaries")))
    assert tapes > 0.9                                        # h of every step is kept
    assert boundaries < 0.25  # a state in twenty, and one stretch: no array over all steps
    assert nested < 0.4
    assert whole > 1.9 and boundaries < tapes / 4


def test_a_sequence_ten_times_as_long_takes_ten_times_the_boundaries_only():
    cell = RNN(2, 32)
    short, long = (peak(Chunked(Chunked(cell, 10), 100, "boundaries"), steps, 32) * steps for steps in (200, 2000))
    assert long < 3 * short  # in bytes: the stretch of 100 steps weighs, not the sequence


def test_with_boundaries_one_tape_stands_in_memory_at_a_time():
    steps, cell = 500, LSTM(2, 32)
    network = Network(Chunked(cell, steps, "boundaries"), 1)
    p, target = network.init(rng()), np.zeros((B, 1), np.float32)
    tape = 10 * 4 * steps * B * 32                            # bytes of a stretch's: its gates, states, pre-activations
    most = []
    for stretches in (1, 1, 3):                               # the first run prepares things
        x = np.ones((stretches * steps, B, 2), np.float32)
        for call in (lambda x=x: network.loss(p, x, target), lambda x=x: network.predict(p, x)):
            tracemalloc.start()
            call()
            most.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert most[2] > 0.5 * tape                               # there is a tape in this peak
    for one, three in zip(most[2:4], most[4:]):
        assert three < one + 0.1 * tape


def test_tapes_run_every_stretch_once_and_boundaries_twice():
    runs = []

    class Counting(RNN):
        def forward(self, p, x, state=None):
            runs.append(len(x))
            return super().forward(p, x, state)

    for keep, expected in (("tapes", [3, 3, 1]), ("boundaries", [3, 3, 1, 1, 3, 3])):
        model = Chunked(Counting(2, 4), 3, keep)
        p, x, state, dh, dstate = case(model, T)
        runs.clear()
        everything(model, p, x, state, dh, dstate)
        assert runs == expected


def test_everything_stays_on_the_device(cupy):
    arguments = map_leaves(cupy.asarray, case(CHAIN, T))
    type(arguments[1]).syncs = 0
    results = everything(Chunked(CHAIN, 3, "boundaries"), *arguments)
    assert type(results[0]) is cupy.ndarray and cupy.ndarray.syncs == 0
    assert to_numpy(results[0]).shape == (T, B, 5)


@pytest.mark.parametrize("model", [RNN(2, 4), DuRNN(2, 3, 4, horizon=9), Linear(2, 3), Chunked(RNN(2, 4), 3)], ids=repr)
def test_a_chunk_is_as_long_as_the_model_likes_unless_told(model):
    assert Chunked(model) == Chunked(model, model.chunk) and hash(Chunked(model)) == hash(Chunked(model, model.chunk))
    assert Chunked(model).length == model.chunk and describe(Chunked(model))["options"]["length"] == model.chunk


def test_on_a_gpu_a_chunk_with_tapes_is_as_long_as_memory_allows_and_one_with_boundaries_as_asked(cupy):
    x = cupy.zeros((5000, 2, 3), "float32")
    assert len(Chunked(RNN(3, 4), 16).chunks(5000, x)) == 1 and len(Chunked(RNN(3, 4), 16).chunks(5000)) == 313
    assert len(Chunked(RNN(3, 4), 16, keep="boundaries").chunks(5000, x)) == 313
    numbers = 3 + 32 * 4                                      # of one step of one sequence, at most
    cupy.cuda.Device().mem_info = 0, 2 * 8 * numbers * 2 * 1000
    device_memory.cache_clear()
    assert [len(range(5000)[piece]) for piece in Chunked(RNN(3, 4), 16).chunks(5000, x)] == 5 * [1000]
    device_memory.cache_clear()


@pytest.mark.parametrize(
    "keep, advice", [("tapes", r"put Chunked\(..., 10, "), ("boundaries", "give Chunked the length 10,")])
@pytest.mark.parametrize("fails", ["forward", "backward"])
def test_where_a_gpus_memory_ends_the_message_says_what_would_fit(cupy, monkeypatch, fails, keep, advice):
    def full(*arguments, **options):
        raise MemoryError("Out of memory allocating 1,024 bytes")
    network = Network(Chunked(RNN(2, 4), 40, keep), 1)
    p = to("cupy", network.init(rng()))
    x, y = to("cupy", (np.zeros((40, 3, 2), "float32"), np.zeros((3, 1), "float32")))
    tape = network.loss(p, x, y)[2]
    monkeypatch.setattr(RNN, fails, full)
    with pytest.raises(MemoryError, match=f"40 steps at once.*81,920 MiB are free.*1,024 bytes.*{advice}"):
        network.loss(p, x, y)
        network.gradient(tape)
