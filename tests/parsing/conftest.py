"""Fixtures of the parsing tests: every small tree, and projectivity by its definition."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Tree = tuple[list[int], list[str]]


def _reaches_root(heads: Sequence[int], word: int) -> bool:
    for _ in heads:
        if word == 0:
            break
        word = heads[word - 1]
    return word == 0


@pytest.fixture(scope="session")
def all_trees() -> dict[int, list[list[int]]]:
    """All trees with one root of 1 to 5 words, as lists of heads."""
    trees = {}
    for n in range(1, 6):
        trees[n] = [
            list(heads)
            for heads in itertools.product(range(n + 1), repeat=n)
            if heads.count(0) == 1 and all(_reaches_root(heads, word) for word in range(1, n + 1))
        ]
    # Cayley: n ** (n - 2) trees, times n for the choice of the root
    assert [len(trees[n]) for n in trees] == [n ** (n - 1) for n in trees]
    return trees


@pytest.fixture(scope="session")
def naive_is_projective() -> Callable[[Sequence[int]], bool]:
    """The definition, word by word: all words under an arc descend from its head."""

    def descends(heads: Sequence[int], word: int, ancestor: int) -> bool:
        while word not in (0, ancestor):
            word = heads[word - 1]
        return word == ancestor

    def is_projective(heads: Sequence[int]) -> bool:
        return all(
            descends(heads, between, head)
            for word, head in enumerate(heads, start=1)
            for between in range(min(word, head) + 1, max(word, head))
        )

    return is_projective


@pytest.fixture(scope="session")
def read_trees() -> Callable[[Path], list[Tree]]:
    """A reader of heads and labels that is independent of `meprop_nlp.data`."""

    def read(path: Path) -> list[Tree]:
        trees = []
        for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
            rows = [line.split("\t") for line in block.split("\n") if not line.startswith("#")]
            words = [row for row in rows if row[0].isdigit()]
            trees.append(([int(row[6]) for row in words], [row[7] for row in words]))
        return trees

    return read
