"""Trees of arrays: paths, maps, sums."""

from collections import namedtuple

import numpy as np
from support import refuses

from minidurnn.arrays.trees import add, count, leaves, map_leaves, merge, trained

Pair = namedtuple("Pair", "a b")
TREE = {"body": {"0": {"W": np.ones((2, 3))}, "1": [np.zeros(4), None]}, "pair": Pair(np.ones(1), (np.ones(2),))}


def test_leaves_have_paths_and_none_is_no_leaf():
    assert {path: leaf.shape for path, leaf in leaves(TREE).items()} == {
        "body/0/W": (2, 3), "body/1/0": (4,), "pair/0": (1,), "pair/1/0": (2,)}
    assert leaves(None) == {} and leaves(5.0) == {"": 5.0}


def test_a_map_keeps_the_form_of_the_tree():
    doubled = map_leaves(lambda a, b: a + b, TREE, TREE)
    assert type(doubled["pair"]) is Pair and type(doubled["pair"].b) is tuple and type(doubled["body"]["1"]) is list
    assert doubled["body"]["1"][1] is None
    assert all((leaf == 2 * leaves(TREE)[path]).all() for path, leaf in leaves(doubled).items())


def test_a_map_pairs_leaves_by_key_and_not_by_order():
    assert map_leaves(lambda a, b: a - b, {"x": 5, "y": 7}, {"y": 1, "x": 2}) == {"x": 3, "y": 6}


def test_a_sum_takes_a_missing_key_as_zero_and_writes_nothing():
    total = {"a": np.ones(2), "b": {"c": np.ones(3)}}
    part = {"b": {"c": 2 * np.ones(3), "d": np.ones(1)}, "e": np.ones(1)}
    both = add(total, part)
    assert {path: leaf.tolist() for path, leaf in leaves(both).items()} == {
        "a": [1, 1], "b/c": [3, 3, 3], "b/d": [1], "e": [1]}
    assert total["b"].keys() == {"c"} and total["b"]["c"].tolist() == [1, 1, 1] and part["b"]["c"].tolist() == [2, 2, 2]
    assert add(None, part) is part


def test_a_merge_exchanges_the_leaves_that_the_part_holds():
    tree, part = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 4}}
    assert merge(tree, part) == {"a": 1, "b": {"c": 2, "d": 4}} and tree["b"]["d"] == 3


def test_what_is_trained_is_decided_by_paths_and_by_no_name():
    tree = {"a": 1, "b": {"mean": 2, "running_mean": 3}, "c": {"b": {"mean": 4}}}
    assert trained(tree, ("b/mean",)) == {"a": 1, "b": {"running_mean": 3}, "c": {"b": {"mean": 4}}}
    assert trained(tree, ()) == tree


def test_the_count_is_the_number_of_numbers():
    assert count(TREE) == 6 + 4 + 1 + 2


def test_trees_of_other_lengths_are_refused_and_not_cut():
    for one, other in (([1, 2], [1]), ((1,), (1, 2)), ({"a": [1, 2, 3]}, {"a": [1, 2]})):
        with refuses(ValueError, "branches stand side by side", "expected trees of one form"):
            map_leaves(lambda a, b: a + b, one, other)
