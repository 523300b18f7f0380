"""Sentences: vocabularies, the pairs of two languages, and a made-up language of copies."""

import numpy as np
import pytest
from support import refuses, rng

from minidurnn.tasks import Copies, Pairs, Vocabulary, pairs
from minidurnn.tasks.copies import fertility
from minidurnn.tasks.vocabulary import words_of


def test_a_sentence_is_cut_into_words_and_marks():
    assert words_of("Don’t go, Ärlig-Tom!") == ["don't", "go", ",", "ärlig-tom", "!"]


def test_a_vocabulary_numbers_frequent_words_first_and_reads_back_what_it_wrote():
    known = Vocabulary.of([["b", "a"], ["a", "c"], ["c", "a"]], least=2)
    assert known.words == ("<end>", "<unk>", "a", "c") and len(known) == 4
    codes, lengths = known.encode(["a b c", ["c"]])
    assert codes.T.tolist() == [[2, 1, 3], [3, 0, 0]] and lengths.tolist() == [3, 1]
    codes, lengths = known.encode([["a"], []], end=True)
    assert codes.T.tolist() == [[2, 0], [0, 0]] and lengths.tolist() == [2, 1]
    assert known.decode(np.array([[2, 0], [3, 2], [0, 2]])) == [["a", "c"], []]
    assert known.decode(np.array([[2], [3]])) == [["a", "c"]]


@pytest.mark.parametrize("call, words", [
    (lambda known: known.encode(["a", ""]), ["sentence 1 is empty", "at least one word"]),
    (lambda known: known.encode([]), ["sentences is []", "at least one sentence"]),
    (lambda known: known.encode("a b"), ["sentences is 'a b'", "a list"]),
    (lambda known: known.encode(["a a a"], longest=2), ["sentence 0 has 3 words", "at most 2", "cut it"]),
    (lambda known: known.encode(["a"], longest=0), ["longest is 0", "at least 1"]),
    (lambda known: known.encode(["a", "a dog"], unknown=False), ["sentence 1 has the word 'dog'", "<unk>"]),
    (lambda known: Vocabulary(("a", "b")), ["words begin with ('a', 'b')", "<end>, <unk>"]),
])
def test_what_is_no_sentence_of_the_vocabulary_is_refused(call, words):
    with refuses(ValueError, *words):
        call(Vocabulary.of([["a"]]))


@pytest.mark.parametrize("task", [Copies(5), Copies(4, window=0), Pairs(8), Pairs(5, least=3)], ids=repr)
def test_a_batch_is_sentences_with_lengths_and_ends(task):
    again = task.validation()
    for x, target, lengths in (task.batch(rng(), 7), task.validation(), task.test()):
        assert x.shape[1:] == target.shape[1:] == lengths.shape and x.dtype == target.dtype == np.int64
        inside = np.arange(len(x))[:, None] < lengths
        assert (x[inside] > 0).all() and (x[~inside] == 0).all() and len(x) == lengths.max() <= task.length
        ends = target.argmin(0)                               # the first 0
        assert (target.min(0) == 0).all() and len(target) == ends.max() + 1
        assert (target[np.arange(len(target))[:, None] > ends] == 0).all()
        assert x.max() < task.inputs and target.max() < task.outputs
    assert all((one == other).all() for one, other in zip(task.validation(), again))
    x, lengths, references = task.questions()
    assert x.shape[1] == len(lengths) == len(references) and all(references)
    x[...] = 7
    assert (task.test()[0] != 7).any() and task.baseline()[1] < task.chance


def test_no_sentence_of_pairs_stands_in_two_parts():
    for side in range(2):
        parts = [{pair[side] for pair in pairs.load()[part]} for part in pairs.PARTS]
        assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert [len(pairs.load()[part]) for part in pairs.PARTS] == [5374, 678, 739]
    known, other = pairs.vocabularies(2)
    train = {word for pair in pairs.load()["train"] for word in pair[0]}
    assert set(known.words[2:]) <= train and (len(known), len(other)) == (554, 685)


def test_pairs_read_back_are_the_sentences_of_the_file():
    task, (_, target, _) = Pairs(6, least=1), Pairs(6, least=1).validation()
    assert list(map(tuple, task.read(target[:, :9]))) == [
        tuple(word if word in pairs.vocabularies(1)[1].symbols else "<unk>" for word in pair[1])
        for pair in task.pairs("validation")[:9]]
    x, _, references = task.questions("validation")
    assert sum(map(len, references)) == len(task.pairs("validation")) and len(references) == x.shape[1]


def test_copies_are_written_as_often_and_where_they_are_said_to_be():
    x = np.array([[2, 12, 4, 5, 7]]).T                        # fertility 1, 3, 3, 0, 2; shift -2, 2, -2, 0, 0
    target, source = Copies(5).answer(x, np.array([5]))
    assert target[:, 0].tolist() == [2, 4, 4, 4, 12, 12, 12, 7, 7, 0]
    assert source[:, 0].tolist() == [0, 2, 2, 2, 1, 1, 1, 4, 4, -1]
    assert Copies(5, window=0).answer(x, np.array([5]))[1][:, 0].tolist() == [0, 1, 1, 1, 2, 2, 2, 4, 4, -1]
    x, target, lengths = Copies(8).batch(rng(), 40)
    _, source = Copies(8).answer(x, lengths)
    for b in range(40):
        places, counts = np.unique(source[source[:, b] >= 0, b], return_counts=True)
        assert (counts == fertility(x[places, b])).all()
        assert len(counts) == (fertility(x[:lengths[b], b]) > 0).sum()
        order = source[:np.count_nonzero(target[:, b]), b]
        moved = order + 2 * ((x[order, b] - 1) // 4 - 1)
        assert (np.diff(moved) >= 0).all()


@pytest.mark.parametrize("make, words", [
    (lambda: Pairs(9), ["length is 9", "2 to 8"]), (lambda: Pairs(1), ["length is 1", "at least 2"]),
    (lambda: Pairs(8, least=0), ["least is 0"]), (lambda: Copies(1), ["length is 1"]),
    (lambda: Copies(8, window=-1), ["window is -1"]),
])
def test_a_wrong_option_is_refused(make, words):
    with refuses(ValueError, *words):
        make()


def test_a_vocabulary_reads_texts_and_refuses_what_is_no_list_of_sentences():
    assert Vocabulary.of(["a b", "c"]).words == ("<end>", "<unk>", "a", "b", "c")
    for given in ("abc", None, [], [["a"], 5], [["a", "<end>"]]):
        with refuses(ValueError, "sentence"):
            Vocabulary.of(given)
    with refuses(ValueError, "least is 0"):
        Vocabulary.of([["a"]], least=0)


@pytest.mark.parametrize("codes", [[[-1]], [[3]], [[2.0]], [2, 0]])
def test_symbols_that_no_word_has_are_refused(codes):
    with refuses(ValueError, "codes is", "integers (T, B) from 0 to 2"):
        Vocabulary(("<end>", "<unk>", "a")).decode(codes)


@pytest.mark.parametrize("task", [Copies(), Pairs()])
def test_a_part_that_a_task_does_not_have_is_refused_with_those_it_has(task):
    with refuses(ValueError, "part is 'x'", "'validation', 'test'"):
        task.questions("x")
