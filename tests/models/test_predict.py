"""`predict` and `pipe`: plain lists out, Sentences out, the same words in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from meprop_nlp.errors import CheckpointError, MePropError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.model import freeze

from .models import random_parser, random_sentences, random_tagger


def test_tags_of_words_are_those_of_sentences() -> None:
    tagger: Any = freeze(random_tagger(1))
    sentences = random_sentences(1, [3, 1, 7])
    words = [sentence.forms for sentence in sentences]
    piped = list(tagger.pipe(words))
    assert [one.forms for one in piped] == words
    for tags, sentence in zip(tagger.predict(words), piped, strict=True):
        assert tags == {name: sentence.column(name) for name in ("upos", "xpos")}
    assert list(tagger.predict(sentences)) == list(tagger.predict(words))


def test_heads_and_labels_are_those_of_sentences() -> None:
    parser: Any = freeze(random_parser(1, tag_columns=("upos",)))
    sentences = random_sentences(2, [3, 1, 7])
    for columns, sentence in zip(parser.predict(sentences), parser.pipe(sentences), strict=True):
        assert columns == {name: sentence.column(name) for name in ("head", "deprel")}


def test_predicting_reads_no_more_than_it_needs() -> None:
    tagger: Any = freeze(random_tagger(1))
    endless = (["man"] * (1 + i % 9) for i in iter(int, 1))
    assert len(next(tagger.predict(endless))["upos"]) == 1


def test_frozen_model_does_not_follow_its_weights() -> None:
    model = random_tagger(3)
    tagger: Any = freeze(model)
    words = [sentence.forms for sentence in random_sentences(3, [9, 9])]
    before = list(tagger.predict(words[:1]))
    for array in model.arrays.values():
        array[...] = 0
    assert list(tagger.predict(words[:1])) == before
    assert list(tagger.predict(words)) == list(freeze(random_tagger(3)).predict(words))


def test_what_cannot_be_frozen_is_refused() -> None:
    with pytest.raises(CheckpointError, match="'cook', which is not known"):
        freeze(ModelFile({"task": "cook"}, {}))
    model = random_tagger(1)
    model.arrays["words.weight"][0, 0] = np.nan
    with pytest.raises(MePropError, match=r"words\.weight are not finite"):
        freeze(model)
