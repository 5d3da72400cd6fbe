"""Characters as numbers: known ones, categories, white space."""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.tokens.alphabet import (
    CATEGORIES,
    PARAGRAPH,
    SPACE,
    Alphabet,
    code_points,
    white_space,
)


def test_frequent_characters_have_numbers_of_their_own() -> None:
    alphabet = Alphabet.build("banana bread", min_count=2)
    assert alphabet.characters == [SPACE, PARAGRAPH, "a", "b", "n"]
    assert alphabet.number("a") >= len(CATEGORIES)
    assert alphabet.number("r") == CATEGORIES.index("Ll")
    assert len(alphabet) == len(CATEGORIES) + 5


@given(st.text())
def test_every_character_has_the_category_that_unicode_gives_it(text: str) -> None:
    alphabet = Alphabet("ab\u0130\u4e00")
    numbers = alphabet.numbers(code_points(text))
    found = [CATEGORIES[place] for place in alphabet.category_of[numbers]]
    assert found == [unicodedata.category(character) for character in text]


def test_numbers_do_not_depend_on_what_was_looked_up_before() -> None:
    fresh, used = Alphabet("ab"), Alphabet("ab")
    used.numbers(code_points("\u4e00\U0001f600xyz"))
    text = code_points("ab xyz\u4e01\U0001f600")
    np.testing.assert_array_equal(used.numbers(text), fresh.numbers(text))


def test_white_space_is_what_python_takes_for_it() -> None:
    codes = np.arange(sys.maxunicode + 1, dtype=np.uint32)
    expected = [code for code in range(sys.maxunicode + 1) if chr(code).isspace()]
    assert np.flatnonzero(white_space(codes)).tolist() == expected
    assert not white_space(np.array([], np.uint32)).any()
