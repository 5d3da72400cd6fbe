"""Projective order, single roots, and lifting crossing arcs and lowering them again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.trees import is_projective, is_tree
from meprop_nlp.errors import DataError
from meprop_nlp.parsing.projectivity import (
    LIFTED,
    deprojectivize,
    projective_order,
    projectivize,
    single_rooted,
)

# word:      1  2  3  4  5  6  7  8  9   "A hearing is scheduled on the issue today ."
HEARING = [2, 3, 0, 3, 2, 7, 5, 4, 3]
HEARING_DEPRELS = ["det", "nsubj", "root", "vg", "nmod", "det", "pc", "adv", "p"]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_the_projective_order_uncrosses_every_small_tree(
    n: int,
    all_trees: dict[int, list[list[int]]],
    naive_is_projective: Callable[[Sequence[int]], bool],
) -> None:
    for heads in all_trees[n]:
        rank = projective_order(heads)
        assert rank[0] == 0
        assert sorted(rank) == list(range(n + 1))
        reordered = [0] * n
        for word, head in enumerate(heads, start=1):
            reordered[rank[word] - 1] = rank[head]
        assert naive_is_projective(reordered), heads
        assert (rank == list(range(n + 1))) == naive_is_projective(heads), heads


def test_the_projective_order_of_a_sentence_by_hand() -> None:
    # Read in order: A hearing on the issue | is | scheduled today | .
    assert projective_order(HEARING) == [0, 1, 2, 6, 7, 3, 4, 5, 8, 9]


def test_the_projective_order_of_a_deep_chain_needs_no_recursion() -> None:
    n = 5000
    assert projective_order(list(range(n))) == list(range(n + 1))


def test_a_tree_with_one_root_is_unchanged_by_single_rooted() -> None:
    assert single_rooted([2, 0], ["det", "root"]) == ([2, 0], ["det", "root"])


def test_single_rooted_attaches_later_roots_to_the_first_and_keeps_their_labels() -> None:
    actual = single_rooted([2, 0, 0, 3, 0], ["a", "r", "s", "b", "t"])
    assert actual == ([2, 0, 2, 3, 2], ["a", "r", "s", "b", "t"])


def test_single_rooted_gives_later_roots_the_given_label() -> None:
    actual = single_rooted([0, 0], ["root", "root"], deprel="parataxis")
    assert actual == ([0, 1], ["root", "parataxis"])


@pytest.mark.parametrize("n", [2, 3, 4])
def test_single_rooted_keeps_projective_trees_projective(
    n: int, naive_is_projective: Callable[[Sequence[int]], bool]
) -> None:
    checked = 0
    for heads in itertools.product(range(n + 1), repeat=n):
        if is_tree(heads) and naive_is_projective(heads):
            new_heads, _ = single_rooted(heads, [0] * n)
            assert is_tree(new_heads, single_root=True)
            assert naive_is_projective(new_heads), heads
            checked += heads.count(0) > 1
    assert checked > 0


def test_a_projective_tree_is_not_lifted() -> None:
    heads, deprels = [2, 0, 4, 2], ["nsubj", "root", "amod", "obj"]
    assert projectivize(heads, deprels) == (heads, deprels)


def test_lifting_by_hand_marks_the_lost_heads_label() -> None:
    # hearing -> on covers "is", so "on" goes up to "is"; then scheduled -> today covers "on".
    heads, deprels = projectivize(HEARING, HEARING_DEPRELS)
    assert heads == [2, 3, 0, 3, 3, 7, 5, 3, 3]
    assert deprels == ["det", "nsubj", "root", "vg", "nmod↑nsubj", "det", "pc", "adv↑vg", "p"]
    assert deprojectivize(heads, deprels) == (HEARING, HEARING_DEPRELS)


def test_the_shortest_crossing_arc_is_lifted_first() -> None:
    # 1 -> 3 (length 2) and 2 -> 5 (length 3) cross; lifting 3 alone is enough.
    heads, deprels = projectivize([2, 0, 1, 2, 2], ["a", "root", "c", "d", "e"])
    assert heads == [2, 0, 2, 2, 2]
    assert deprels == ["a", "root", "c↑a", "d", "e"]


def test_of_two_crossing_arcs_of_one_length_the_left_word_is_lifted_first() -> None:
    # 5 -> 2 and 1 -> 4 are both three long. Were 4 lifted first, it would stop at 5.
    heads, _ = projectivize([2, 5, 0, 1, 3], ["a", "b", "root", "d", "e"])
    assert heads == [2, 3, 0, 3, 3]


@pytest.mark.parametrize("n", [3, 4, 5])
def test_every_small_tree_becomes_projective_and_comes_back_when_labels_are_distinct(
    n: int,
    all_trees: dict[int, list[list[int]]],
    naive_is_projective: Callable[[Sequence[int]], bool],
) -> None:
    deprels = [f"d{word}" for word in range(1, n + 1)]
    for heads in all_trees[n]:
        lifted, marked = projectivize(heads, deprels)
        assert is_tree(lifted, single_root=True)
        assert naive_is_projective(lifted), heads
        moved = [old != new for old, new in zip(heads, lifted, strict=True)]
        assert [LIFTED in deprel for deprel in marked] == moved
        assert deprojectivize(lifted, marked) == (heads, deprels)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
@given(labels=st.data())
def test_deprojectivize_gives_a_tree_and_plain_labels_whatever_the_labels(
    n: int, all_trees: dict[int, list[list[int]]], labels: st.DataObject
) -> None:
    words = st.sampled_from(["a", "b", "a↑b", "b↑a", "a↑a", "b↑", "↑b", "↑", "a↑b↑a", "root"])
    heads = labels.draw(st.sampled_from(all_trees[n]))
    deprels = labels.draw(st.lists(words, min_size=n, max_size=n))
    new_heads, plain = deprojectivize(heads, deprels)
    assert is_tree(new_heads, single_root=True)
    assert plain == [deprel.split(LIFTED)[0] for deprel in deprels]
    assert new_heads.index(0) == heads.index(0)


def test_deprojectivize_prefers_a_head_whose_arc_would_cross() -> None:
    # 1 and 4 are labelled x and are below 3; 4 -> 5 crosses no arc, so 5 was lifted from 1
    heads, deprels = deprojectivize([3, 3, 0, 3, 3], ["x", "y", "root", "x", "z↑x"])
    assert heads == [3, 3, 0, 3, 1]
    assert deprels == ["x", "y", "root", "x", "z"]


def test_deprojectivize_waits_for_a_head_that_is_lifted_too() -> None:
    # the head of 3 was 5, and that of 5 was 1; 5 must be lowered before 3 can be
    heads, _ = deprojectivize([4, 1, 1, 0, 4], ["a", "b", "c↑e", "root", "e↑a"])
    assert heads == [4, 1, 5, 0, 1]


def test_deprojectivize_makes_one_root_of_several() -> None:
    assert deprojectivize([0, 0], ["root", "root"]) == ([0, 1], ["root", "root"])


def test_lifting_makes_one_root_of_several_first() -> None:
    heads, _ = projectivize([0, 4, 1, 0], ["root", "a", "b", "root"])
    assert heads.count(0) == 1
    assert is_projective(heads)


def test_a_label_with_the_mark_of_lifted_arcs_is_refused() -> None:
    with pytest.raises(DataError, match="label 'a↑b' holds '↑'"):
        projectivize([0, 1], ["root", "a↑b"])


def test_lifting_refuses_a_circle() -> None:
    with pytest.raises(DataError, match=r"words \[2, 3\] form a circle"):
        projectivize([0, 3, 2], ["root", "a", "b"])


def test_undoing_refuses_a_circle() -> None:
    with pytest.raises(DataError, match=r"words \[2, 3\] form a circle"):
        deprojectivize([0, 3, 2], ["root", "a", "b↑a"])


@pytest.mark.parametrize(
    ("treebank", "floor"), [("ud-english-ewt", 0.95), ("ud-turkish-imst", 0.88)]
)
def test_most_crossing_trees_of_a_treebank_are_rebuilt_exactly(
    treebank: str,
    floor: float,
    shared_data: Path,
    read_trees: Callable[[Path], list[tuple[list[int], list[str]]]],
) -> None:
    dev = read_trees(shared_data / treebank / "dev.conllu")
    crossing = [tree for tree in dev if not is_projective(tree[0])]
    assert len(crossing) > 30
    rebuilt = [deprojectivize(*projectivize(*tree)) == tree for tree in crossing]
    assert sum(rebuilt) / len(rebuilt) >= floor
