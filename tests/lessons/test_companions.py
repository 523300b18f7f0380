"""What lessons 12, 17 and 19 to 21 assert with from beside their checkers, each on a case worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from support import rng

from minidurnn import fit
from minidurnn.arrays import toeplitz
from minidurnn.cells import FSMN, GRU, LSTM, DuRNN
from minidurnn.exercises import lesson_12
from minidurnn.exercises.companions import (
    character_costs,
    compact_records,
    compact_runs,
    followed_facts,
    gate_time_scales,
    memory_cases,
    translation_measures,
)
from minidurnn.networks import Network
from minidurnn.optim import Adam
from minidurnn.tasks import Adding
from minidurnn.tasks.characters import encode

# Lesson 12.

@pytest.mark.parametrize("begin, product", [(1, 1 / 4 * 3 / 4 * 1 / 2 * 1 / 3), (0.5, 1 / 6 * 5 / 6 * 1 / 2 * 1 / 4)])
def test_triples_cost_by_the_shares_after_the_two_characters_before(begin, product):
    train = np.array([0, 0, 1, 1, 0, 0, 1, 0])                # 001 twice; 011, 110, 100 and 010 once
    test = np.array([0, 0, 0, 1, 1, 1])                       # 000, 001, 011, 111
    assert np.isclose(character_costs.triple_bits(train, test, 2, begin), -np.log2(product) / 4)


def test_settings_that_differ_between_two_models_are_named_once_and_runs_of_other_seeds_are_not_compared(monkeypatch):
    def run(model, seed, rate, memories, length=500):
        return SimpleNamespace(
            trial={"experiment": "characters", "length": length, "model": model, "seed": seed, "rates": [rate]},
            network={"options": {"parts": [{"memory": one, "units": 3} for one in memories]}})

    runs = [
        run("a", 0, 0.1, ["long", "long"]), run("b", 0, 0.1, ["any", "any"]), run("a", 1, 0.1, ["long", "long"]),
        run("b", 2, 9.0, ["any"]), run("b", 0, 9.0, ["any"], length=50), run("c", 0, 9.0, []),
    ]
    monkeypatch.setattr(character_costs, "read_records", lambda folder: runs)
    assert character_costs.differing_settings("", "a", "b") == ["memory", "model"]
    runs[1].trial["rates"].append(0.2)
    assert character_costs.differing_settings("", "a", "b") == [1, "memory", "model"]


def test_without_a_reset_a_character_costs_what_all_before_it_foretell():
    """Of a network that knows that the next place follows: after n characters the next one costs 1 / n bits."""
    def predict(p, x):
        read = 1 + np.arange(len(x))[:, None]
        share = np.broadcast_to(p["base"] ** (-1 / read), x.shape[:2])
        scores = np.zeros(x.shape)
        np.put_along_axis(scores, (x.argmax(2)[..., None] + 1) % 65, np.log(64 * share / (1 - share))[..., None], 2)
        return scores, None

    cost = character_costs.bits_never_reset(SimpleNamespace(predict=predict), {"base": 2.0}, np.arange(101) % 65, 20)
    assert np.isclose(cost, (1 / np.arange(20, 101)).mean())  # 20 to 100 are read


def test_names_stand_between_a_blank_line_and_a_colon():
    string = "First: no.\n\nROMEO:\nyes: so\n\nNurse:\nI.\n\nno end"
    assert [string[first:colon] for first, colon in followed_facts.names_in(string)] == ["ROMEO", "Nurse"]


def test_a_correlation_is_of_each_unit_and_of_a_still_one_zero():
    h = np.array([[7, 5, 0, -3.0], [5, 5, 0, 3], [5, 5, 0, 3], [7, 5, 4, -3]])
    found = followed_facts.correlations_with(h, np.array([1.0, 0, 0, 1]))
    assert np.allclose(found, [1, 0, 3**-0.5, -1])            # the third: 2 / sqrt(12)


def test_the_rows_over_a_name_are_those_of_the_units_that_were_chosen():
    codes = encode("He was well.\nLet it all be so.\n\nCORIOLANUS:\nYou")
    units = [{("vowel", "short"): 0, ("name", "long"): 2}, {("vowel", "short"): 1, ("name", "long"): 0}]
    string, labels, rows = followed_facts.rows_over_name(
        lambda p, codes: p * np.arange(3) + 10 * np.arange(len(codes))[:, None], [1, 2], units, codes)
    assert string == "all be so.\n\nCORIOLANUS:\nYo"
    assert labels == ["seed 0, short", "seed 0, long", "seed 1, short", "seed 1, long"]
    assert np.allclose(rows - rows[0], [[0], [2], [2], [0]]) and rows.shape == (4, 26)
    assert rows[0, 0] == 10 * "He was well.\nLet it all".index("all")


def test_pushes_stand_below_their_characters(capsys):
    pytest.importorskip("matplotlib", reason="the module draws too")
    from minidurnn.exercises.companions import character_drawings

    character_drawings.print_pushes("text 1", ".\n R", np.array([2.34, -1, 0.5, 10]), np.array([2.34, 0, 0.5, 3]))
    assert capsys.readouterr().out == (
        "text 1      .     ↵     ␣     R\n   push  2.34 -1.00  0.50 10.00\n  state  2.34  0.00  0.50  3.00\n")


@pytest.mark.parametrize("network, words", [
    (Network(DuRNN(65, 32, 32, horizon=50), 65, "bits", "every"), "memory is 'long', expected 'any': change"),
    (Network(DuRNN(65, 32, 32, horizon=500, memory="any"), 65, "bits", "every"), "horizon is 500, expected 50: change"),
    (Network(DuRNN(65, 32, 32, horizon=50, memory="any"), 65, "bits"), "reads is 'last', expected 'every': change"),
    (Network(GRU(65, 32), 65, "bits", "every"), "got a GRU, expected a DuRNN"),
    (DuRNN(65, 32, 32, horizon=50, memory="any"), "got a DuRNN, expected a Network"),
])
def test_another_network_than_that_of_section_4_with_another_start_is_refused_by_what_is_different(network, words):
    with pytest.raises(AssertionError, match=words):
        lesson_12.check_6(lambda: network)


# Lesson 17.

def lstm_by_hand():
    """Weights of LSTM(3, 2), all different and none 0: columns i i f f z z o o."""
    return {"W": 1.0 + np.arange(24).reshape(3, 8), "U": 50.0 + np.arange(16).reshape(2, 8), "b": 90.0 + np.arange(8)}


@pytest.mark.parametrize("second_way", [0, 1])
def test_forget_gates_are_made_constant_and_the_second_way_stays_or_is_cut(second_way):
    p, cell = lstm_by_hand(), LSTM(3, 2)
    found = gate_time_scales.constant_forget(np.array([0.2, 0.75]), second_way)(p)
    assert np.array_equal(found["W"], [[1, 2, 0, 0, 5, 6, 7, 8], [9, 10, 0, 0, 13, 14, 15, 16],
                                       [17, 18, 0, 0, 21, 22, 23, 24]])
    U = np.array([[50, 51, 0, 0, 54, 55, 56, 57], [58, 59, 0, 0, 62, 63, 64, 65]])
    assert np.array_equal(found["U"], second_way * U)
    assert np.allclose(found["b"], [90, 91, -np.log(4), np.log(3), 94, 95, 96, 97])
    tape = cell.forward(found, rng().normal(size=(4, 5, 3)))[1]
    assert np.allclose(cell.kept(tape), [0.2, 0.75])          # at every step, of every sequence
    assert all(np.array_equal(p[name], leaf) for name, leaf in lstm_by_hand().items())


@pytest.mark.parametrize("long, shut, b", [
    (0, 0, [0, 0, 1, 1]), (1, 0, [0, 0, 92, 93]), (0, 1, [90, 91, 1, 1]), (1, 1, [90, 91, 92, 93]),
])
def test_a_corner_of_the_chrono_start_has_the_biases_of_its_two_switches(long, shut, b):
    p = lstm_by_hand()
    found = gate_time_scales.corner_start(p, long, shut)
    assert found["b"].tolist() == [*b, 94, 95, 96, 97] and p["b"].tolist() == [*range(90, 98)]
    assert np.array_equal(found["W"], p["W"]) and np.array_equal(found["U"], p["U"])


@pytest.mark.parametrize("kind, block, blocks", [(LSTM, 0, 4), (LSTM, 1, 4), (GRU, 1, 3)])
def test_a_frozen_gate_hears_nothing_after_every_update_and_its_bias_is_trained(kind, block, blocks):
    cell = gate_time_scales.frozen(kind, block, units=3, horizon=9)
    assert isinstance(cell, kind) and (cell.inputs, cell.units, cell.horizon) == (2, 3, 9)
    network = Network(cell, 1)
    start = network.init(rng())
    p, _ = fit(network, Adding(4), 3, optimizer=Adam(0.1), start=start, validate_every=None, progress=False)
    frozen = np.repeat(np.arange(blocks) == block, 3)
    for name in ("W", "U"):
        assert not p["body"][name][:, frozen].any() and p["body"][name][:, ~frozen].all()
        assert start["body"][name][:, frozen].any()
    assert (p["body"]["b"] != start["body"]["b"])[frozen].all()


# Lesson 19.

def test_slopes_on_both_are_on_h_and_on_m():
    layer = FSMN(3, 2, past=1, activation="identity")
    p, h, direct, dm, dx, dp = memory_cases.slopes_on_both(layer, rng())
    assert h.shape == direct.shape == dm.shape == (9, 2, 2) and not np.allclose(direct, dm)
    assert all(leaf.dtype == float for leaf in p.values())
    assert np.allclose(dp["alpha"], [(dm * h).sum((0, 1)), (dm[1:] * h[:-1]).sum((0, 1))])
    dh = direct + p["alpha"][0] * dm
    dh[:-1] += p["alpha"][1] * dm[1:]
    assert np.allclose(dx, dh @ p["W"].T) and np.allclose(dp["b"], dh.sum((0, 1)))


# Lesson 20.

RESULTS = {
    ("hybrid", 2): np.array([1.0, 2, 3]), ("hybrid", 4): np.array([2.2, 2, 6]), ("hybrid", 10): np.array([4.0, 1, 4]),
    ("fewer units", 1): np.array([2, 2.5, 4.0]), ("fewer units", 2): np.array([1.5, 2, 3.5]),
    ("fewer units", 4): np.array([3, 2.5, 7]), ("fewer units", 10): np.array([3.0, 2, 3]),
}


def test_ahead_counts_the_seeds_that_cost_less_than_the_same_seed_of_the_other():
    assert compact_records.ahead(RESULTS, "hybrid", "fewer units") == [2, 3, 1]
    assert compact_records.ahead(RESULTS, "fewer units", "hybrid") == [0, 0, 2]   # a tie is nobody's


def test_a_quarter_of_the_numbers_costs_more_than_all_in_percent_seed_by_seed():
    assert np.allclose(compact_records.losses(RESULTS, "hybrid"), [10, -20, 50])


def toeplitz_like(g, s):
    """(20.5)  ->  M (n, n)."""
    return toeplitz.as_defined(g[None], s[None])


def slopes(dM, g, s):
    """M is linear in g and in s, so the slope on each number is what M is with 1 in its place  ->  dg, ds."""
    ones = np.eye(len(g))[:, None]
    return tuple(np.array([[(dM * toeplitz_like(*pair)).sum() for pair in pairs] for pairs in (
        [(one, s[None]) for one in ones], [(g[None], one) for one in ones])]))


def test_gradients_of_a_toeplitz_like_matrix_fit_its_moves():
    assert compact_runs.fits_moves(slopes, toeplitz_like, rng())


@pytest.mark.parametrize("planted", [
    lambda dM, g, s: (-slopes(dM, g, s)[0], slopes(dM, g, s)[1]),
    lambda dM, g, s: (slopes(dM, g, s)[0], -slopes(dM, g, s)[1]),
    lambda dM, g, s: slopes(dM.T, g, s),
    lambda dM, g, s: slopes(dM, g, s)[::-1],
    lambda dM, g, s: slopes(dM, s, g),
    lambda dM, g, s: (slopes(dM, g, s)[0], slopes(dM, g, s)[1][::-1]),
    lambda dM, g, s: (np.zeros(6), np.zeros(6)),
], ids=["sign of dg", "sign of ds", "transpose", "dg for ds", "g for s", "ds turned", "zero"])
def test_planted_gradients_of_a_toeplitz_like_matrix_do_not_fit_its_moves(planted):
    assert not compact_runs.fits_moves(planted, toeplitz_like, rng())


# Lesson 21.

@pytest.mark.parametrize("one, other, both", [
    ([3, 1], [4, 2], True), ([9, 1, 5], [4, 3], True), ([2, 1], [3, 2], True), ([2, 1], [4, 3], False),
    ([1, 5, 3], [5.5, 7, 6], False),
])
def test_ranges_overlap_where_a_number_lies_in_both(one, other, both):
    one, other = np.array(one), np.array(other)
    assert translation_measures.overlap(one, other) == translation_measures.overlap(other, one) == both
