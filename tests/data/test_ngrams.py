"""Character n-grams: the same for the same text, at least one and at most sixty of them."""

from __future__ import annotations

import unicodedata
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.ngrams import MOST, hashed_ngrams, ngram_bags

ROWS = 997
forms = st.text(min_size=1, max_size=30)  # surrogates and characters beyond the BMP among them


def naive(text: str) -> list[str]:
    """The n-grams of a text with its ends marked, the shorter ones first."""
    return [
        text[start:end]
        for size in (2, 3, 4, 5)
        for start in range(len(text))
        for end in [start + size]
        if end <= len(text)
    ]


@given(forms)
def test_rows_are_the_checksums_of_the_n_grams(form: str) -> None:
    grams = naive(f"<{unicodedata.normalize('NFC', form).lower()}>")[:60]
    expected = [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % ROWS for gram in grams]
    rows = hashed_ngrams(form, ROWS)
    assert rows == expected
    assert 1 <= len(rows) <= MOST == 60
    assert all(0 <= row < ROWS for row in rows)


@given(st.text(alphabet="aeéñüÅ\u1e69\u0301\u0323한각", min_size=1))
def test_composed_and_decomposed_forms_have_the_same_n_grams(form: str) -> None:
    composed, decomposed = (unicodedata.normalize(kind, form) for kind in ("NFC", "NFD"))
    assert hashed_ngrams(composed, ROWS) == hashed_ngrams(decomposed, ROWS)


@pytest.mark.parametrize("character", ["a", "A", "é", "😀", "\U00010400", "\ud800"])
def test_one_character_has_two_bigrams_and_a_trigram(character: str) -> None:
    expected = [f"<{character.lower()}", f"{character.lower()}>", f"<{character.lower()}>"]
    rows = [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % 1000 for gram in expected]
    assert hashed_ngrams(character, 1000) == rows


def test_case_makes_no_difference() -> None:
    assert hashed_ngrams("ÉTÉ", ROWS) == hashed_ngrams("été", ROWS)


@given(st.lists(forms, max_size=8))
def test_bags_hold_the_rows_of_each_form_in_turn(several: list[str]) -> None:
    rows, bounds = ngram_bags(several, ROWS)
    assert rows.dtype == bounds.dtype == np.int64
    assert len(bounds) == len(several) + 1
    assert (bounds[0], bounds[-1]) == (0, len(rows))
    for n, form in enumerate(several):
        assert rows[bounds[n] : bounds[n + 1]].tolist() == hashed_ngrams(form, ROWS)
