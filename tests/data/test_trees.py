"""Trees, cycles and projectivity against their slow definitions."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.trees import find_cycle, is_labelled, is_projective, is_tree, roots


def ancestors(heads: list[int], word: int) -> list[int]:
    """Return the heads of heads up to the root, or up to the first repetition."""
    trail: list[int] = []
    while word != 0 and word not in trail:
        trail.append(word)
        word = heads[word - 1]
    return [*trail, word]


def all_heads(n: int) -> list[list[int]]:
    """Return every assignment of heads to n words."""
    return [list(heads) for heads in product(range(n + 1), repeat=n)]


@pytest.mark.parametrize("n", range(1, 6))
def test_heads_are_a_tree_if_every_word_reaches_the_root(n: int) -> None:
    for heads in all_heads(n):
        expected = all(ancestors(heads, word)[-1] == 0 for word in range(1, n + 1))
        assert is_tree(heads) == expected
        assert is_tree(heads, single_root=True) == (expected and heads.count(0) == 1)
        assert (find_cycle(heads) == []) == expected


@pytest.mark.parametrize("n", range(1, 6))
def test_heads_are_projective_if_all_words_under_an_arc_descend_from_its_head(n: int) -> None:
    for heads in filter(is_tree, all_heads(n)):
        expected = all(
            head in ancestors(heads, between)
            for word, head in enumerate(heads, start=1)
            for between in range(min(word, head) + 1, max(word, head))
        )
        assert is_projective(heads) == expected


@given(st.lists(st.integers(-1, 12), min_size=1, max_size=12))
def test_cycle_follows_heads_from_its_smallest_word(heads: list[int]) -> None:
    cycle = find_cycle(heads)
    for word, following in zip(cycle, [*cycle[1:], *cycle[:1]], strict=True):
        assert heads[word - 1] == following
    assert cycle[:1] == sorted(cycle)[:1]


@pytest.mark.parametrize("heads", [[], [-1], [2], [1], [0, 3], [2, 1, 0]])
def test_heads_that_are_not_a_tree(heads: list[int]) -> None:
    assert not is_tree(heads)


def test_roots_are_listed() -> None:
    assert roots([0, 1, 0, -1]) == [1, 3]


@pytest.mark.parametrize(
    "heads", [range(100_000), [*range(2, 100_001), 0], [0, *[1] * 99_999]], ids=["l", "r", "star"]
)
def test_100000_words_need_no_recursion(heads: list[int]) -> None:
    assert is_tree(heads)
    assert is_projective(heads)


@pytest.mark.parametrize(
    ("deprels", "expected"),
    [([], False), (["_", "root"], False), (["ROOT"], False), (["root", "obj"], True)],
)
def test_labels_are_relations_other_than_root(deprels: list[str], expected: bool) -> None:
    assert is_labelled(iter(deprels)) is expected
