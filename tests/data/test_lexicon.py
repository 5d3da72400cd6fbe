"""The lexicon: eight numbers for any form."""

from __future__ import annotations

import json
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.lexicon import FEATURES, FormTable, Lexicon, shape
from meprop_nlp.data.vocab import UNK

forms = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
TRAIN = ["The", "dog", "saw", "the", "cat", "the", "Caf\u00e9", "1984", "1985", "dog's", UNK]
LEXICON = Lexicon.build(TRAIN)


def naive_features(form: str) -> list[str]:
    """Return the seven features, written out: lower-cased form, prefixes, suffixes, shape."""
    lower = form.lower()
    digits = "".join("0" if unicodedata.category(c) == "Nd" else c for c in lower)
    return [digits, lower[:2], lower[:3], lower[-2:], lower[-3:], lower[-4:], shape(form)]


@given(st.lists(forms, max_size=8))
@example([])
@example(["\u0130", "\u1e9e", "A\u0301", "\u00b2", UNK])
def test_rows_have_eight_columns_each_within_its_own_range(words: list[str]) -> None:
    rows = LEXICON.encode(words)
    assert rows.shape == (len(words), 8)
    assert rows.dtype == np.int64
    offsets = LEXICON.feature_offsets
    assert len(offsets) == 8
    assert offsets[0] == 0
    assert ((rows[:, 0] >= 0) & (rows[:, 0] < len(LEXICON.forms))).all()
    assert (rows[:, 1:] >= offsets[:-1]).all()
    assert (rows[:, 1:] < offsets[1:]).all()


@given(st.lists(forms, min_size=1, max_size=8))
@example(TRAIN)
def test_rows_are_found_by_name_one_by_one(words: list[str]) -> None:
    lexicon = Lexicon.build(words, min_feature_count=1)
    for word, row in zip(words, lexicon.encode(words).tolist(), strict=True):
        normal = unicodedata.normalize("NFC", word)
        assert lexicon.forms[row[0]] == normal
        places = [at - offset for at, offset in zip(row[1:], lexicon.feature_offsets, strict=False)]
        found = [vocab[at] for vocab, at in zip(lexicon.features, places, strict=True)]
        assert found == [unicodedata.normalize("NFC", text) for text in naive_features(normal)]


@given(forms)
@example("Caf\u00e9")
def test_composed_and_decomposed_spelling_are_one_row(word: str) -> None:
    lexicon = Lexicon.build([*TRAIN, word], min_feature_count=1)
    spellings = [unicodedata.normalize(form, word) for form in ("NFC", "NFD")]
    rows = lexicon.encode([word, *spellings])
    assert (rows == rows[0]).all()
    assert rows[0, 0] != 0 or word == UNK


@given(forms)
def test_unknown_values_are_row_zero_of_their_table(word: str) -> None:
    lexicon = Lexicon.build(["%"])
    (row,) = lexicon.encode([word]).tolist()
    if word != "%":
        assert row[0] == 0
    # `%` occurs once, less than twice: all its features are unknown
    assert row[1:] == lexicon.feature_offsets[:-1].tolist()


def test_rare_features_are_unknown_and_forms_never() -> None:
    lexicon = Lexicon.build(["aXa", "bXa", "bXa"], min_feature_count=2)
    assert lexicon.forms.to_list() == [UNK, "bXa", "aXa"]
    prefix2 = [name for name, _ in FEATURES].index("prefix2")
    assert lexicon.features[prefix2].to_list() == [UNK, "bx"]
    shapes = [name for name, _ in FEATURES].index("shape")
    assert lexicon.features[shapes].to_list() == [UNK, "xXx"]


def test_counts_are_of_the_training_forms() -> None:
    lexicon = Lexicon.build(["Cafe\u0301", "a", "Caf\u00e9", "a", "a"], extra=["b", "a"])
    counts = dict(zip(lexicon.forms, lexicon.counts.tolist(), strict=True))
    assert counts == {UNK: 0, "a": 3, "Caf\u00e9": 2, "b": 0}
    assert LEXICON.counts[0] == 0


def test_lexicon_is_the_same_after_conversion_to_json() -> None:
    again = Lexicon.from_dict(json.loads(json.dumps(LEXICON.to_dict())))
    words = [*TRAIN, "new", "Cafe\u0301"]
    np.testing.assert_array_equal(again.encode(words), LEXICON.encode(words))
    assert again.to_dict() == LEXICON.to_dict()
    assert again.counts.tolist() == [0] * len(again.forms)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("", ""),
        ("a", "x"),
        ("Dogs", "Xxx"),
        ("NATO", "XX"),
        ("Mid-1990s", "Xxx-ddx"),
        ("...", ".."),
        ("\u00c9t\u00e9", "Xxx"),
        ("\u4e2d\u56fd\u4eba", "xx"),
        ("\u0661\u0662\u0663", "dd"),
        ("a1B", "xdX"),
        ("x@y.zz", "x@x.xx"),
    ],
)
def test_shape(form: str, expected: str) -> None:
    assert shape(form) == expected


@given(st.text(max_size=20))
def test_shape_has_no_run_longer_than_two_and_is_its_own_shape(form: str) -> None:
    found = shape(form)
    assert len(found) <= len(form)
    assert not any(a == b == c for a, b, c in zip(found, found[1:], found[2:], strict=False))
    assert shape(found.replace("d", "1")) == found


def test_feature_names_are_unique() -> None:
    names = [name for name, _ in FEATURES]
    assert len(set(names)) == len(names) == 7


@given(st.lists(st.lists(st.sampled_from("abcde"))))
def test_form_table_numbers_forms_in_the_order_they_come(groups: list[list[str]]) -> None:
    table = FormTable()
    numbered = [table.add(group) for group in groups]
    flat = [form for group in groups for form in group]
    assert table.forms() == list(dict.fromkeys(flat))
    assert len(table) == len(set(flat))
    assert [[table.forms()[i] for i in numbers] for numbers in numbered] == groups


@given(*[st.lists(st.sampled_from(["ab", "Ab", "ba", "é"]), max_size=8)] * 2)
def test_joined_lexicon_knows_what_either_knows_and_counts_as_the_first(
    forms: list[str], others: list[str]
) -> None:
    own, other = Lexicon.build(forms), Lexicon.build(others)
    joined = own.joined(other)
    for mine, theirs, both in zip(
        [own.forms, *own.features],
        [other.forms, *other.features],
        [joined.forms, *joined.features],
        strict=True,
    ):
        assert both.to_list()[: len(mine)] == mine.to_list()
        assert set(both) == {*mine, *theirs}
    counts = dict(zip(joined.forms, joined.counts.tolist(), strict=True))
    assert counts == {UNK: 0} | {form: forms.count(form) for form in joined.forms if form != UNK}
