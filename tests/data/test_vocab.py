"""Vocabularies: order, unknown strings, normal forms."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.vocab import UNK, Vocab
from meprop_nlp.errors import DataError


def test_order_is_specials_then_frequency_then_alphabet() -> None:
    vocab = Vocab.build(list("baccddd"), specials=(UNK, "<root>"))
    assert vocab.to_list() == [UNK, "<root>", "d", "c", "a", "b"]
    assert [vocab.index(string) for string in vocab] == list(range(6))


@given(st.lists(st.text(max_size=3)), st.integers(1, 3))
def test_counts_and_strings_build_the_same_in_any_order(strings: list[str], least: int) -> None:
    expected = Vocab.build(Counter(strings), min_count=least)
    actual = Vocab.build(reversed(strings), min_count=least)
    assert actual == expected
    assert Vocab.from_list(actual.to_list()) == actual
    assert hash(actual) == hash(expected)


def test_rare_strings_are_left_out() -> None:
    assert Vocab.build({"a": 2, "b": 1}, min_count=2).to_list() == ["a"]


def test_unknown_string_has_the_id_of_unk() -> None:
    vocab = Vocab.build(["a"], specials=("<pad>", UNK))
    assert vocab.index("b") == vocab.unk_id == 1
    assert "b" not in vocab
    assert 3 not in vocab


def test_unknown_string_without_unk_is_an_error() -> None:
    with pytest.raises(KeyError, match="b"):
        Vocab.build(["a"]).index("b")


def test_composed_and_decomposed_spellings_are_one_entry() -> None:
    vocab = Vocab.build(["e\u0301", "\u00e9", "a"])
    assert vocab.to_list() == ["\u00e9", "a"]
    assert vocab.index("e\u0301") == 0
    assert "e\u0301" in vocab


def test_special_is_not_listed_twice() -> None:
    assert len(Vocab.build([UNK, "a"], specials=(UNK,))) == 2


def test_entry_given_twice_is_refused() -> None:
    with pytest.raises(DataError, match="lists 'a' twice"):
        Vocab.from_list(["a", "b", "a"])
