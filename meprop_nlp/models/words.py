"""`Words`: the words of several sentences as columns, for heads to read."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS
from meprop_nlp.models.prediction import Indices, Prediction


class Words(Protocol):
    """N words, sentence after sentence."""

    @property
    def bounds(self) -> Indices:
        """Return the index of each sentence's first word, and N at the end: (sentences + 1,)."""

    def column(self, name: str) -> list[str]:
        """Return one text column of all words, by its name in `COLUMNS`."""

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        """Look all words up in a native row cache, by these columns joined with tabs."""


class SentenceWords:
    """The words of `Sentence`s."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._sentences = sentences
        self.bounds: Indices = np.cumsum([0, *map(len, sentences)], dtype=np.int32)

    def column(self, name: str) -> list[str]:
        return [getattr(word, name) for sentence in self._sentences for word in sentence.words]

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        return cache.find(joined(self, columns))

    def split(self, **columns: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Cut columns of all words into sentences; yield the columns of each."""
        for start, end in pairwise(self.bounds.tolist()):
            yield {name: values[start:end] for name, values in columns.items()}


class DocumentWords:
    """The words of a native document, read where they stand in the text."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.bounds: Indices = document.sentences

    def column(self, name: str) -> list[str]:
        texts: list[str] = self._document.column(COLUMNS.index(name))
        return texts

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        return cache.find_columns(self._document, [COLUMNS.index(name) for name in columns])


class PredictedWords:
    """Words with predicted text columns in place of their own."""

    def __init__(self, words: Words, prediction: Prediction) -> None:
        self._words = words
        self._texts = prediction.texts
        self.bounds = words.bounds

    def column(self, name: str) -> list[str]:
        predicted = self._texts.get(name)
        return self._words.column(name) if predicted is None else predicted.to_list()

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        predicted = [self._texts[name] for name in columns if name in self._texts]
        if not predicted:
            return self._words.find(cache, columns)
        if len(predicted) == len(columns):
            ids = np.stack([column.ids for column in predicted])
            return cache.find_joined(ids, [column.values.texts for column in predicted])
        return cache.find(joined(self, columns))


def joined(words: Words, columns: Sequence[str]) -> list[str]:
    """Return the columns of each word, joined with tabs; empty texts where there is no column."""
    if not columns:
        return [""] * int(words.bounds[-1])
    if len(columns) == 1:
        return words.column(columns[0])
    return list(map("\t".join, zip(*map(words.column, columns), strict=True)))
