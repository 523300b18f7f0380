"""Words: lower case, a vocabulary counted on the training part alone, and one symbol for all other words."""

from math import log2

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import Words, words
from minidurnn.tasks.words import PATTERN, UNKNOWN, load, split, vocabulary


def test_a_text_is_cut_into_words_marks_and_ends_of_lines():
    assert split("Before we proceed,\nhear 'Tis-me: o'er!") == [
        "before", "we", "proceed", ",", "\n", "hear", "'", "tis-me", ":", "o'er", "!"]
    assert sum(map(len, words._parts("sample").values())) == words.WORDS["sample"]


def test_the_target_is_the_next_word_and_inputs_are_one_hot():
    x, target, lengths = Words(20, 100).batch(rng(), 7)
    assert x.shape == (20, 7, 100) and set(np.unique(x)) == {0.0, 1.0} and (x.sum(2) == 1).all() and lengths is None
    assert (x.argmax(2)[1:] == target[:-1]).all() and x.dtype == np.float32 and target.dtype == np.int64


def test_the_vocabulary_is_the_training_texts_most_frequent_words_and_one_for_the_rest():
    known, train = vocabulary("sample", 50), words._parts("sample")["train"]
    counts = {}
    for word in train:
        counts[word] = counts.get(word, 0) + 1
    assert len(known) == 50 and known[-1] == UNKNOWN and not PATTERN.fullmatch(UNKNOWN)
    assert min(counts[word] for word in known[:-1]) >= max(n for word, n in counts.items() if word not in known)
    codes = load("sample", 50)["train"]
    assert all(known[code] == (word if word in known else UNKNOWN) for code, word in zip(codes[:2000], train))


def test_validation_and_test_follow_the_training_text_one_stretch_after_the_other():
    task, parts = Words(20, 100), load("sample", 100)
    for (x, target, _), part in ((task.validation(), parts["validation"]), (task.test(), parts["test"])):
        stretches = (len(part) - 1) // 20
        assert x.shape[1] == stretches and (x.argmax(2).T.ravel() == part[:20 * stretches]).all()
        assert (target.T.ravel() == part[1:20 * stretches + 1]).all()
    assert list(map(len, parts.values())) == [23_725, 1_318, 1_319]


def test_the_baseline_is_the_entropy_of_single_words():
    task = Words(20, 100)
    train, (_, target, _) = load("sample", 100)["train"], task.test()
    share = (np.bincount(train, minlength=100) + 1) / (len(train) + 100)
    assert abs(task.baseline()[1] - -np.log2(share[target]).mean()) < 1e-9
    assert 4 < task.baseline()[1] < task.chance == log2(100)


def test_wrong_options_are_refused_in_one_sentence():
    for make, said in (
        (lambda: Words(0), ["length is 0", "at least 1"]), (lambda: Words(50, 1), ["words is 1", "at least 2"]),
        (lambda: Words(source="web"), ["source is 'web'", "'sample', 'full'"]),
        (lambda: Words(2000), ["length is 2000", "at most 1317"]),
        (lambda: Words(50, 9000).test(), ["words is 9000", "at most 2900", "2899 different words"]),
    ):
        with refuses(ValueError, *said):
            make()


def test_what_is_kept_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        load("sample", 100)["train"][0] = 1
