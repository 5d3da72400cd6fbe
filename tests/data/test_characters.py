"""Forms as numbers of their characters."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.characters import END, LONGEST_PART, START, Characters
from meprop_nlp.data.vocab import UNK, Vocab

forms = st.text(min_size=1, max_size=50)


@given(st.lists(forms, max_size=6), st.lists(forms, max_size=6))
def test_forms_are_spelled_between_their_ends_and_a_new_character_is_unknown(
    known: list[str], new: list[str]
) -> None:
    characters = Characters.build(known, min_count=1)
    numbers, bounds = characters.spell([*known, *new])
    assert numbers.dtype == bounds.dtype == np.int64
    assert len(bounds) == len(known) + len(new) + 1
    assert (bounds[0], bounds[-1]) == (0, len(numbers))
    for n, form in enumerate([*known, *new]):
        text = unicodedata.normalize("NFC", form)
        if len(text) > 2 * LONGEST_PART:
            text = text[:LONGEST_PART] + text[-LONGEST_PART:]
        found = [characters.vocab[i] for i in numbers[bounds[n] : bounds[n + 1]]]
        expected = [c if c in characters.vocab else UNK for c in text]
        assert found == [START, *expected, END]
        assert UNK not in found or n >= len(known)


@given(st.text(alphabet="aéñüÅ\u1e69\u0301\u0323한각", min_size=1))
def test_composed_and_decomposed_forms_are_spelled_alike(form: str) -> None:
    composed, decomposed = (unicodedata.normalize(kind, form) for kind in ("NFC", "NFD"))
    characters = Characters.build([decomposed], min_count=1)
    assert characters.spell([composed])[0].tolist() == characters.spell([decomposed])[0].tolist()


@pytest.mark.parametrize(("n", "read"), [(1, 1), (32, 32), (33, 32), (500, 32)])
def test_long_form_is_read_at_both_ends(n: int, read: int) -> None:
    form = "".join(chr(ord("一") + i) for i in range(n))
    numbers, _ = Characters.build([form], min_count=1).spell([form])
    assert len(numbers) == read + 2


def test_rare_character_is_read_as_unknown() -> None:
    characters = Characters.build(["ab", "ac", "a"])
    assert characters.vocab.to_list() == [UNK, START, END, "a"]
    assert len(characters) == 4
    again = Characters(Vocab.from_list(characters.vocab.to_list()))
    assert again.spell(["abba"])[0].tolist() == [1, 3, 0, 0, 3, 2]
    assert again.spell([])[1].tolist() == [0]


def test_joined_characters_are_those_of_both() -> None:
    joined = Characters.build(["ab", "ac"]).joined(Characters.build(["bc", "b", "c"]))
    assert joined.vocab.to_list() == [UNK, START, END, "a", "b", "c"]
