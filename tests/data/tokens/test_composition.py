"""Which tokens are several words: told by their stems and endings, where most forms are new."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.tokens.composition import LONGEST_FORM, ROWS, Composition


@pytest.fixture(scope="module")
def composition(suffixed: list[Sentence]) -> Composition:
    found = Composition.build(suffixed)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("form", "is_multiword"),
    [
        ("tetedi", True), ("Tetedi", True), ("kididi", True), ("pabodi", False), ("KOTODI", False),
        ("rotokadi", True), ("deseridi", False),  # of stems that are unknown
        ("tete", False), ("di", False), ("", False), (".", False), ("12", False),
    ],
)  # fmt: skip
def test_new_forms_are_judged_by_their_stems(
    composition: Composition, form: str, is_multiword: bool
) -> None:
    assert composition.is_multiword(form) is is_multiword


def test_what_is_stored_judges_alike(composition: Composition, suffixed: list[Sentence]) -> None:
    stored = json.loads(json.dumps(composition.to_dict()))
    again = Composition.from_dict(stored, composition.weight, composition.bias)
    forms = {form for sentence in suffixed for form, _ in sentence.tokens()}
    for form in [*forms, "tetedi", "pabodi", "xyzdi"]:
        assert again.is_multiword(form) == composition.is_multiword(form)
        assert again.knows(form) == composition.knows(form)
    assert composition.knows("Tete")
    assert not composition.knows("xyz")


@given(st.text())
def test_any_text_is_judged(composition: Composition, text: str) -> None:
    assert composition.is_multiword(text) in (False, True)
    assert not composition.is_multiword(f"{text}{'a' * LONGEST_FORM}tetedi")


def test_little_is_learnt_from_few_multiword_tokens_or_from_the_same_ones(
    suffixed: list[Sentence],
) -> None:
    with_some = [sentence for sentence in suffixed if sentence.multiword_tokens]
    without = [sentence for sentence in suffixed if not sentence.multiword_tokens]
    assert Composition.build([*without, *with_some[:50]]) is None
    assert Composition.build([*without, *with_some[:50] * 4]) is None
    assert Composition.build(without) is None
    assert Composition.build([]) is None


STORED: dict[str, Any] = {"kinds": ["X|_"], "forms": {"a": [1, 0, 0, 1]}, "endings": {"b": 1}}


@pytest.mark.parametrize(
    "stored",
    [
        5,
        {**STORED, "more": 1},
        {**STORED, "kinds": "X"},
        {**STORED, "kinds": [1]},
        {**STORED, "forms": ["a"]},
        {**STORED, "forms": {"a": 1}},
        {**STORED, "forms": {"a": [1]}},
        {**STORED, "forms": {"a": [1, 0, 0]}},
        {**STORED, "forms": {"a": [1, 0, 1, 1]}},
        {**STORED, "forms": {"a": [1, 0, -1, 1]}},
        {**STORED, "forms": {"a": [1, True, 0, 1]}},
        {**STORED, "forms": {"a": [1, 0.5, 0, 1]}},
        {**STORED, "endings": ["b"]},
        {**STORED, "endings": {"b": "1"}},
    ],
)
def test_what_is_no_table_of_forms_is_refused(stored: object) -> None:
    weight = np.zeros(ROWS, np.float32)
    assert not Composition.from_dict(STORED, weight, 0.0).is_multiword("ab")
    with pytest.raises(ValueError, match="multiword tokens"):
        Composition.from_dict(stored, weight, 0.0)
