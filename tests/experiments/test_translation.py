"""The experiment of translators: its scores, what a record keeps, and the rule of the ledger."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.experiments import EXPERIMENTS, Trial, run_trial, translation
from minidurnn.experiments.rules import Scores
from minidurnn.networks import Translator
from minidurnn.records import read_record
from minidurnn.records.fields import CURVES
from minidurnn.tasks import Copies, Pairs

RECORD = read_record(next((Path(__file__).parents[2] / "lessons" / "results").glob("queues-T100*.json")))


def test_words_too_often_and_too_rarely_are_counted_against_the_nearest_reference():
    assert translation.miscounts(["a", "b", "b", "b", "c"], [["a", "b", "d", "d"]]) == (2, 2, 4)
    assert translation.miscounts(["a", "a"], [["b", "d"], ["a", "c"]]) == (1, 1, 2)
    assert translation.miscounts([], [["b"]]) == (0, 1, 1)
    assert translation.miscounts(["b", "a"], [("a", "b")]) == (0, 0, 2)


def test_a_perfect_translator_scores_perfectly(monkeypatch):
    task = Copies(4)
    x, lengths, references = task.questions()
    _, target, _ = task.test()

    def perfect(network, p, x, lengths, width, longest, per_word):
        found = task.answer(x, lengths)[0]
        return type("Found", (), {"words": found})

    monkeypatch.setattr(translation, "translate", perfect)
    scores = translation.scored(None, None, task, x, lengths, references, 1, 9)
    assert (scores["exact 1"], scores["repeated 1"], scores["dropped 1"]) == (100, 0, 0)
    assert scores.get("BLEU 1", 100) == pytest.approx(100) and scores.get("chrF 1", 100) == pytest.approx(100)


def test_bleu_is_that_of_sacrebleu_with_every_translation_as_a_reference():
    pytest.importorskip("sacrebleu", reason="the extra 'translate'")
    written = [["jag", "är", "ung", "."], ["hon", "kom", "hem", "ute", "."]]
    references = [[["han", "är", "ung", "."], ["jag", "är", "ung", "."]], [["hon", "kom", "hem", "i", "går", "."]]]
    scores = translation.by_sacrebleu(written, references)
    assert 50 < scores["BLEU"] < 100 and 50 < scores["chrF"] < 100
    assert translation.by_sacrebleu(written[:1], references[:1])["BLEU"] == pytest.approx(100)


def test_without_sacrebleu_there_is_no_bleu(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sacrebleu", None)
    assert translation.by_sacrebleu([["a"]], [[["a"]]]) == {}


def test_attention_is_judged_by_where_each_word_comes_from(monkeypatch):
    task = Copies(4)
    x, target, lengths = task.test()
    source = task.answer(x, lengths)[1]
    right = (np.arange(len(x))[None, :, None] == source[:, None]).astype(float)

    class Looks:
        def attention_on(self, p, x, target, lengths):
            return self.weights, None

    looks = Looks()
    looks.weights = right
    assert translation.of_attention(looks, None, task) == {"misaligned": 0.0, "fertility off": 0.0}
    looks.weights = right[:, ::-1]
    wrong = translation.of_attention(looks, None, task)
    assert wrong["misaligned"] > 50 and wrong["fertility off"] > 0.5


@pytest.mark.parametrize("memory", [0, 2])
def test_what_a_record_keeps_is_scores_and_one_sentence(memory, monkeypatch):
    monkeypatch.setattr(Copies, "questions", lambda task: (
        *(array[..., :3] for array in (Copies.test(task)[0], Copies.test(task)[2])), [[("1",)]] * 3))
    network = Translator(13, 13, 3, 3, 4, memory)
    found = translation.look(network, network.init(rng()), Copies(4))
    assert CURVES[0]({"start": found, "trained": found}) and not CURVES[0]({"start": {"scores": {"BLEU 1": "high"}}})
    N, T = len(found["target"]), len(found["source"])
    assert np.shape(found["weights"]) == (N, T) and found["target"][-1] == 0 and 0 not in found["source"]
    assert (found["memory"] is None) if not memory else np.shape(found["memory"]) == (N, memory)
    assert {"exact 1", "exact 5", "exact long 1", "misaligned"} <= found["scores"].keys()


def test_the_trials_have_equal_counts_and_translators_are_for_sentences_alone():
    for name, task in (("translation", Pairs()), ("translation-copies", Copies())):
        trials = EXPERIMENTS[name].trials(quick=False)
        assert len(trials) == 6 and {type(EXPERIMENTS[name].task_of(trial)) for trial in trials} == {type(task)}
        networks = [trial.network(task) for trial in trials]
        assert {bool(network.memory) for network in networks} == {True, False}
    with refuses(ValueError, "model is 'lstm' for translation", "attention-memory"):
        replace(trials[0], model="lstm", experiment="translation").network(task)
    with refuses(ValueError, "model is 'attention' for adding", "a model of sequences"):
        EXPERIMENTS["adding"].trials(models=["attention"])[0].network(EXPERIMENTS["adding"].task(10, "sample"))


def test_a_trial_is_run_recorded_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(translation, "look", None)
    experiment = replace(EXPERIMENTS["translation-copies"], look=lambda *given: {"scores": {"exact 1": 4.0}})
    monkeypatch.setitem(EXPERIMENTS, "translation-copies", experiment)
    trial = Trial("translation-copies", 2, "attention-memory", "equal", 3000, 0, (0.01,), updates=20, batch=5)
    record = run_trial(trial, tmp_path, progress=False)
    assert record.metric == "bits" and record.network["class"] == "Translator"
    assert record.seen["trained"]["scores"] == {"exact 1": 4.0}
    assert "attention-memory" in translation.as_text([record]) and "exact 1 4" in translation.as_text([record])


def scored(model, *numbers, name="BLEU 5"):
    """Records of a model with these scores, one for each seed."""
    return [
        replace(RECORD, trial={**RECORD.trial, "model": model, "seed": seed}, seen={"trained": {"scores": {name: n}}})
        for seed, n in enumerate(numbers)]


@pytest.mark.parametrize("own, other, verdict", [
    ((3, 4, 5), (1, 2, 2), "replicated"), ((3,), (1,), "trend only"), ((3, 4, 1), (1, 2, 2), "trend only"),
    ((1, 2, 3), (2, 2, 2), "not replicated"), ((1, 1, 1), (2, 3, 4), "not replicated"), ((), (1,), "not attempted"),
])
def test_a_claim_about_scores_needs_every_seed_to_be_ahead(own, other, verdict):
    records = [*scored("attention-memory", *own), *scored("attention", *other)]
    models = ("attention-memory", "attention")
    assert Scores("translation", 8, models, higher=("BLEU 5",)).judge(records)[1] == verdict
    flipped = [*scored("attention-memory", *(-n for n in own)), *scored("attention", *(-n for n in other))]
    assert Scores("translation", 8, models, lower=("BLEU 5",)).judge(flipped)[1] == verdict
    assert Scores("translation", 8, models, higher=("chrF 5",)).judge(records)[1] == "not attempted"


def test_a_seed_that_diverged_is_not_ahead():
    gone = replace(RECORD, trial={**RECORD.trial, "model": "attention-memory", "seed": 3}, seen=None)
    records = [*scored("attention-memory", 3, 4, 5), gone, *scored("attention", 1, 2, 2)]
    rule = Scores("translation", 8, ("attention-memory", "attention"), higher=("BLEU 5",))
    assert rule.judge(records)[1] == "trend only"
