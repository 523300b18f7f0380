"""The ledger: verdicts follow their rules, and what is ours is never called a replication."""

from dataclasses import replace
from pathlib import Path

import pytest

from minidurnn.experiments import EXPERIMENTS
from minidurnn.experiments.claims import (
    CLAIMS,
    Beats,
    Claim,
    Fails,
    Falls,
    Foresees,
    Keeps,
    Leads,
    Ordered,
    Reads,
    Solves,
    as_markdown,
    as_text,
    ledger,
)
from minidurnn.networks import TRANSLATORS
from minidurnn.networks.models import MODELS
from minidurnn.records import chosen_run, read_record

FOLDER = Path(__file__).parents[2] / "lessons" / "results"
RECORD = read_record(FOLDER / "adding-T1000-width128-indrnn-2-seed0-u6000.json")


def records(verdicts, tests=None, **trial):
    """Records of one model that differ in seed, verdict and test result."""
    tests = tests or [0.1] * len(verdicts)
    return [
        replace(RECORD, verdict=verdict, test=test, trial={**RECORD.trial, **trial, "seed": seed})
        for seed, (verdict, test) in enumerate(zip(verdicts, tests))]


def verdict(rule, given, **claim):
    """The verdict on a claim that is judged by this rule."""
    (row,) = ledger(given, [Claim("a paper", "a sentence", "a number", rule, **claim)])
    return row.verdict


@pytest.mark.parametrize("verdicts, expected", [
    (["solved"] * 3, "replicated"), (["solved"], "trend only"), (["solved", "baseline"], "trend only"),
    (["learning"] * 2, "trend only"), (["learning", "baseline"], "not replicated"), (["diverged"], "not replicated"),
    ([], "not attempted"),
])
def test_a_task_is_solved_when_every_seed_of_several_solves_it(verdicts, expected):
    rule = Solves("adding", 1000, ("indrnn-2",))
    assert verdict(rule, records(verdicts)) == expected
    assert verdict(rule, records(verdicts), own="our task") == expected.replace("replicated", "trend only").replace(
        "not trend only", "not replicated")


@pytest.mark.parametrize("verdicts, expected", [
    (["baseline", "diverged"], "replicated"), (["baseline"], "trend only"), (["baseline", "learning"], "trend only"),
    (["baseline", "solved"], "not replicated"), ([], "not attempted"),
])
def test_a_task_is_failed_when_every_seed_of_several_stays_at_the_baseline(verdicts, expected):
    assert verdict(Fails("adding", 1000, ("indrnn-2",)), records(verdicts)) == expected


def ran(verdicts, updates):
    """Records of one model whose chosen runs had so many updates"""
    return [
        replace(record, runs=(replace(run := chosen_run(record), stages=(replace(run.stages[-1], updates=count),)),))
        for record, count in zip(records(verdicts), updates)]


@pytest.mark.parametrize("rule, verdicts, said", [
    (Solves, ["solved", "learning", "solved"], "2 of 3 runs solved it in 400 to 700 updates"),
    (Solves, ["diverged", "learning", "solved"], "1 of 3 runs solved it in 700 updates"),
    (Solves, ["baseline", "learning", "learning"], "0 of 3 runs solved it in 400 to 900 updates"),
    (Fails, ["baseline", "solved", "diverged"], "2 of 3 runs stayed at the baseline or diverged in 400 to 700 updates"),
    (Fails, ["solved", "baseline", "learning"], "1 of 3 runs stayed at the baseline or diverged in 900 updates"),
    (Fails, ["solved", "solved", "learning"],
     "0 of 3 runs stayed at the baseline or diverged in 400 to 900 updates"),
])
def test_the_updates_are_those_of_the_runs_that_the_sentence_counts_or_of_all_where_none_is(rule, verdicts, said):
    (row,) = ledger(ran(verdicts, (400, 900, 700)), [
        Claim("a paper", "a sentence", "a number", rule("adding", 1000, ("indrnn-2",)))])
    assert row.ours == said


@pytest.mark.parametrize("own, other, within, expected", [
    ([0.010, 0.011, 0.5], [0.2, 0.3], 0.012, "replicated"), ([0.02], [0.2], 0.012, "trend only"),
    ([0.010], [0.2], None, "trend only"), ([0.3], [0.2, 0.2], 0.4, "not replicated"), ([0.1], [], 1, "not attempted"),
])
def test_a_model_is_ahead_by_the_median_and_replicates_near_the_papers_number(own, other, within, expected):
    given = records(["learning"] * len(own), own) + records(["learning"] * len(other), other, model="lstm")
    assert verdict(Beats("adding", 1000, ("indrnn-2", "lstm"), within), given) == expected


@pytest.mark.parametrize("tests, expected", [
    (([0.1, 0.2, 0.9], [0.3], [0.4]), "trend only"), (([0.1], [0.4], [0.3]), "not replicated"),
    (([0.3], [0.2], [0.4]), "not replicated"), (([0.1], [0.1], [0.4]), "not replicated"),
    (([0.1], [], [0.4]), "not attempted"),
])
def test_models_are_in_order_where_each_is_ahead_of_the_next_by_the_median(tests, expected):
    models = "indrnn-2", "lstm", "rnn"
    given = [one for model, own in zip(models, tests) for one in records(["learning"] * len(own), own, model=model)]
    assert verdict(Ordered("adding", 1000, models), given) == expected
    higher = [replace(record, metric="accuracy", test=1 - record.test) for record in given]
    assert verdict(Ordered("adding", 1000, models), higher) == expected


def seen(*curves, logs=(-0.1, -0.3)):
    """Records whose gradients at the start were these."""
    given = records(["learning"] * len(curves))
    starts = [{"lag": list(range(1, len(curve) + 1)), "norm": list(curve), "log_kept": list(logs)} for curve in curves]
    return [replace(record, seen={"start": start}) for record, start in zip(given, starts)]


def test_a_gradient_falls_exponentially_where_its_logarithms_lie_on_a_falling_line():
    lag = range(1, 31)
    falls, rises = [0.8**k for k in lag], [1.1**k for k in lag]
    bends, rule = [1 / (k + 1) for k in lag], Falls("adding", 1000, ("indrnn-2",))
    for curves, expected in (
        ((falls, falls), "replicated"), ((falls,), "trend only"), ((falls, bends), "trend only"),
        ((falls, bends, rises), "not replicated"), ((rises, rises), "not replicated"),
    ):
        assert verdict(rule, seen(*curves)) == expected


def test_a_gate_reads_as_the_time_scale_where_its_mean_log_is_the_slope_within_a_fifth():
    rule = Reads("adding", 1000, ("indrnn-2",))
    curve = [2.718281828 ** (-0.2 * k) for k in range(1, 31)]                   # slope -0.2, the mean of the logs
    slow = [2.718281828 ** (-0.15 * k) for k in range(1, 31)]
    assert verdict(rule, seen(curve, curve)) == "replicated" and verdict(rule, seen(curve, slow)) == "trend only"
    assert verdict(rule, seen(slow, slow)) == "not replicated"
    assert verdict(rule, seen(slow, slow, logs=(-0.14, -0.15))) == "replicated"


@pytest.mark.parametrize("errors, expected", [
    ([(1, 2, 4.9), (1, 2, 5.0)], "replicated"), ([(1, 2, 4.9)], "trend only"),
    ([(1, 2, 4), (5.1, 2, 4), (1, 2, 3)], "trend only"), ([(1, 2, 6), (1, 6, 4), (1, 2, 6)], "not replicated"),
    ([(1, 2)] * 2, "not replicated"), ([None], "not replicated"), ([(1, 2, 3), (1, 2, 3), None], "trend only"),
])
def test_questions_are_answered_when_every_seed_misplaces_few_jobs(errors, expected):
    names, given = ("population", "servers", "routing"), records(["solved"] * len(errors))
    given = [
        replace(record, seen=None if one is None else {"trained": {"errors": dict(zip(names, one))}})
        for record, one in zip(given, errors)]
    assert verdict(Foresees("adding", 1000, ("indrnn-2",), 5.0), given) == expected


def sized(model, parameters, *tests):
    """Records of a model that asked for so many numbers."""
    return records(["learning"] * len(tests), list(tests), model=model, parameters=parameters)


@pytest.mark.parametrize("few, whole, expected", [
    ([2.03, 1.0, 9.0], [2.0], "replicated"), ([2.05], [2.0, 2.0, 1.0], "not replicated"), ([], [2.0], "not attempted"),
    ([2.0], [], "not attempted"), ([1.9], [2.0], "replicated"),
])
def test_a_share_of_the_numbers_keeps_up_where_its_median_is_within_a_factor_of_that_of_all(few, whole, expected):
    rule = Keeps("adding", 1000, ("gru", "lstm"), 0.25, 1.02)
    others = sized("lstm", 500, 0.1) + sized("gru", 501, 9.0)           # a half of them is another matter
    assert verdict(rule, sized("gru", 250, *few) + sized("lstm", 1001, *whole) + others) == expected


@pytest.mark.parametrize("at_a_half, at_a_tenth, expected", [
    ((0.1, 0.2), (0.3, 0.4), "replicated"), ((0.1, 0.2), (0.4, 0.4), "not replicated"),
    ((0.3, 0.2), (0.3, 0.4), "not replicated"), ((0.1, 0.2), (0.3, None), "not attempted"),
])
def test_a_structure_leads_where_it_is_ahead_at_every_share_of_the_numbers(at_a_half, at_a_tenth, expected):
    rule, given = Leads("adding", 1000, ("gru", "rnn", "lstm"), (0.5, 0.1)), sized("lstm", 1000, 0.2)
    for numbers, results in ((500, at_a_half), (100, at_a_tenth)):
        for model, result in zip(("gru", "rnn"), results):
            given += [] if result is None else sized(model, numbers, result)
    assert verdict(rule, given) == expected
    assert verdict(rule, given[1:]) == "not attempted"


def test_of_accuracies_the_higher_is_ahead():
    given = records(["learning"], [0.9]) + records(["learning"], [0.8], model="lstm")
    given = [replace(record, metric="accuracy") for record in given]
    assert verdict(Beats("adding", 1000, ("indrnn-2", "lstm"), 0.85), given) == "replicated"
    assert verdict(Beats("adding", 1000, ("lstm", "indrnn-2"), 0.1), given) == "not replicated"


def test_other_lengths_models_and_curricula_do_not_count():
    for other in ({"length": 500}, {"model": "durnn"}, {"experiment": "copy"}, {"stages": [50]}):
        assert verdict(Solves("adding", 1000, ("indrnn-2",)), records(["solved"] * 2, **other)) == "not attempted"
    staged = Solves("adding", 1000, ("indrnn-2",), staged=True)
    assert verdict(staged, records(["solved"] * 2, stages=[50])) == "replicated"


def test_every_claim_names_an_experiment_a_length_and_models_that_can_be_run():
    for claim in CLAIMS:
        if claim.by is None:
            assert claim.note
            continue
        assert set(claim.by.models) <= {*MODELS, *TRANSLATORS}
        lengths = {options["length"] for options in EXPERIMENTS[claim.by.experiment].full}
        assert claim.by.length in lengths, claim.says


def test_a_row_says_sizes_updates_and_hardware_in_both_forms():
    claim = Claim("a paper", "a sentence", "a number", Solves("adding", 1000, ("indrnn-2",)))
    rows = ledger(records(["solved"] * 2), [claim])
    for said in (as_markdown(rows), as_text(rows)):
        for part in ("a paper", "a sentence", "a number", "2 of 2 runs", "17,281", "AMD EPYC", "replicated", "updates"):
            assert part in said
