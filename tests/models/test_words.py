"""`Words`: the same columns and the same rows from sentences, documents and predictions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from meprop_nlp.models.prediction import Prediction, TextColumn, Values
from meprop_nlp.models.words import DocumentWords, PredictedWords, SentenceWords, Words, joined

from .models import random_sentences

SENTENCES = random_sentences(1, [3, 1, 5])
N = 9
UPOS = TextColumn(Values(["X", "Y"]), np.arange(N, dtype=np.int32) % 2)
FEATS = TextColumn(Values(["a=b"]), np.zeros(N, np.int32))


def from_sentences(core: Any) -> Words:
    return SentenceWords(SENTENCES)


def from_document(core: Any) -> Words:
    return DocumentWords(core.read_document("".join(map(str, SENTENCES)).encode(), "conllu", 10))


each_source = pytest.mark.parametrize("make", [from_sentences, from_document])


def keys_found(core: Any, words: Words, columns: list[str]) -> list[str]:
    """The distinct keys by which a cache is asked for these words."""
    width = core.lanes()
    ones = np.ones((1, width), np.float32)
    return list(words.find(core.RowCache(ones, ones[0], 100), columns).missing)


@each_source
def test_columns_and_bounds_are_those_of_the_sentences(
    core: Any, make: Callable[[Any], Words]
) -> None:
    words = make(core)
    assert np.asarray(words.bounds).tolist() == [0, 3, 4, 9]
    for name in ("form", "upos", "misc"):
        assert words.column(name) == [value for s in SENTENCES for value in s.column(name)]


@each_source
@pytest.mark.parametrize("columns", [["form"], ["upos", "xpos"], ["xpos", "form"]])
def test_rows_are_found_by_the_joined_columns(
    core: Any, make: Callable[[Any], Words], columns: list[str]
) -> None:
    words = make(core)
    expected = list(dict.fromkeys(joined(SentenceWords(SENTENCES), columns)))
    assert keys_found(core, words, columns) == expected


@each_source
@pytest.mark.parametrize(
    "columns", [["upos"], ["feats", "upos"], ["upos", "xpos"], ["form", "xpos"]]
)
def test_predicted_columns_take_the_place_of_the_words_own(
    core: Any, make: Callable[[Any], Words], columns: list[str]
) -> None:
    own = make(core)
    words = PredictedWords(own, Prediction({"upos": UPOS, "feats": FEATS}))
    assert words.bounds.tolist() == own.bounds.tolist()
    assert words.column("upos") == ["X", "Y"] * 4 + ["X"]
    assert words.column("xpos") == own.column("xpos")
    assert keys_found(core, words, columns) == list(dict.fromkeys(joined(words, columns)))


def test_columns_are_split_by_sentence() -> None:
    parts = list(SentenceWords(SENTENCES).split(a=list(range(N)), b="abcdefghi"))
    assert parts == [
        {"a": [0, 1, 2], "b": "abc"},
        {"a": [3], "b": "d"},
        {"a": [4, 5, 6, 7, 8], "b": "efghi"},
    ]
