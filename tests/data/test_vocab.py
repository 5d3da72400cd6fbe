"""Vocabularies: order, unknown strings, normal forms."""

from __future__ import annotations

import pickle
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meprop_nlp.data import vocab as vocab_module
from meprop_nlp.data.vocab import UNK, Vocab, nfc
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


@pytest.fixture(params=["unpacked", "packed"])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stored vocabulary is read in both ways."""
    if request.param == "packed":
        monkeypatch.setattr(vocab_module, "LARGEST_UNPACKED", 0)
        monkeypatch.setattr(vocab_module, "_PIECE", 7)


strings = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(strings.map(nfc), min_size=1, unique=True), st.lists(strings | st.text()))
def test_stored_vocabulary_is_as_it_was(
    packing: None, entries: list[str], others: list[str]
) -> None:
    known = Vocab([UNK, *(entry for entry in entries if entry != UNK)])
    vocab = Vocab.from_lines("\n".join(known).encode())
    assert vocab == known
    assert list(vocab) == vocab.to_list() == known.to_list()
    assert hash(vocab) == hash(known)
    assert (len(vocab), vocab.unk_id) == (len(known), 0)
    asked = [*entries, *others, *(entry * 2 for entry in entries), "e\u0301", "\u00e9"]
    assert vocab.indices(asked) == known.indices(asked) == [vocab.index(each) for each in asked]
    assert [each in vocab for each in asked] == [each in known for each in asked]
    assert [vocab[n] for n in range(-len(vocab), len(vocab))] == 2 * known.to_list()
    more = dict.fromkeys(map(nfc, others))
    assert vocab.joined(more) == known.joined(more)
    assert pickle.loads(pickle.dumps(vocab)) == known


def test_stored_vocabulary_without_unk_knows_no_other_string(packing: None) -> None:
    vocab = Vocab.from_lines(b"a\nb")
    assert vocab.unk_id is None
    assert vocab.indices([]) == []
    with pytest.raises(KeyError, match="c"):
        vocab.indices(["a", "c"])
    with pytest.raises(IndexError):
        vocab[2]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b"", "has an empty entry"),
        (b"a\n", "has an empty entry"),
        (b"\na", "has an empty entry"),
        (b"a\n\nb", "has an empty entry"),
        (b"a\nb\na", "lists 'a' twice"),
        (b"a\n\xff", "is not UTF-8"),
    ],
)
def test_stored_vocabulary_that_is_none_is_refused(
    packing: None, lines: bytes, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        Vocab.from_lines(lines)


def test_packed_vocabulary_is_in_normal_form_and_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(vocab_module, "LARGEST_UNPACKED", 0)
    with pytest.raises(DataError, match="not in Unicode normal form C"):
        Vocab.from_lines("a\ne\u0301".encode())
    with pytest.raises(DataError, match="all but the same"):
        Vocab.from_lines(b"a" * 5000 + b"\n" + b"a" * 4999 + b"b")
