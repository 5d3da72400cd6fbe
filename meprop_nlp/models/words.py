"""The words of several sentences as columns: from `Sentence`s, from a native document, tagged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.attributes import with_shares
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import COLUMNS

__all__ = [
    "DocumentWords",
    "Exploration",
    "Indices",
    "SentenceWords",
    "TaggedWords",
    "Tags",
    "Trees",
    "Words",
]

Indices = npt.NDArray[np.int32]


class Words(Protocol):
    """What a tagger and a parser read: sentences one after the other, N words in all."""

    @property
    def bounds(self) -> Indices:
        """Return the first word of each sentence, and N at the end: (sentences + 1)."""

    def column(self, name: str) -> list[str]:
        """Return one text column of all words, by the names of `COLUMNS`."""

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        """Look the words up in a native row cache, by these columns joined with tabs."""


class SentenceWords:
    """The words of `Sentence`s."""

    def __init__(self, sentences: Sequence[Sentence]) -> None:
        self._sentences = sentences
        self.bounds: Indices = np.cumsum([0, *map(len, sentences)], dtype=np.int32)

    def column(self, name: str) -> list[str]:
        return [getattr(word, name) for sentence in self._sentences for word in sentence.words]

    def split(self, **columns: Sequence[Any]) -> Iterator[dict[str, Any]]:
        """Yield the part of these columns of all words that belongs to each sentence."""
        for start, end in pairwise(self.bounds.tolist()):
            yield {name: values[start:end] for name, values in columns.items()}

    def misc_with(self, shares: Mapping[str, Any]) -> list[str]:
        """Return MISC with attributes, given as arrays (N) by their names."""
        rows = zip(*(values.tolist() for values in shares.values()), strict=True)
        return [
            with_shares(misc, dict(zip(shares, row, strict=True)))
            for misc, row in zip(self.column("misc"), rows, strict=True)
        ]

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        return cache.find(joined(self, columns))


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


class Tags(NamedTuple):
    """What a tagger says of N words.

    Attributes:
        values: the values of each predicted column, by column name.
        ids: (columns, N) the place of each word's value in `values`.
        confidence: (columns, N) the softmax of the chosen value; None where it was not asked for.
    """

    values: dict[str, list[str]]
    ids: Indices
    confidence: npt.NDArray[np.float32] | None

    @property
    def shares(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the confidence of each column, by its attribute in MISC; empty without."""
        if self.confidence is None:
            return {}
        return {
            f"{name.upper()}Conf": row
            for name, row in zip(self.values, self.confidence, strict=True)
        }

    def column(self, name: str) -> list[str]:
        """Return the predicted column of all words."""
        row = list(self.values).index(name)
        values = self.values[name]
        return [values[i] for i in self.ids[row].tolist()]


class Trees(NamedTuple):
    """What a parser says of N words.

    Attributes:
        heads: (N) id of each word's head in its sentence, 0 is ROOT.
        labels: (N) label ids.
        confidence: (N) the softmax, among the moves that were allowed, of the one that attached
            the word; None where it was not asked for.
    """

    heads: Indices
    labels: Indices
    confidence: npt.NDArray[np.float32] | None

    @property
    def shares(self) -> dict[str, npt.NDArray[np.float32]]:
        """Return the confidence by its attribute in MISC; empty without."""
        return {} if self.confidence is None else {"ArcConf": self.confidence}


class Exploration(NamedTuple):
    """How a parser went through sentences with the dynamic oracle beside it; N words, 2 N moves.

    Attributes:
        followed: (2 N,) int32, the parser's own best transition in each state, which it made.
        targets: (2 N,) int32, the best by its scores of those that the oracle calls right.
    """

    followed: Indices
    targets: Indices


class TaggedWords:
    """Words with predicted tags in place of their own."""

    def __init__(self, words: Words, tags: Tags) -> None:
        self._words = words
        self._tags = tags
        self.bounds = words.bounds

    def column(self, name: str) -> list[str]:
        if name in self._tags.values:
            return self._tags.column(name)
        return self._words.column(name)

    def find(self, cache: Any, columns: Sequence[str]) -> Any:
        predicted = list(self._tags.values)
        if not set(columns) & set(predicted):
            return self._words.find(cache, columns)
        if set(columns) <= set(predicted):
            rows = [predicted.index(name) for name in columns]
            return cache.find_joined(
                self._tags.ids[rows], [self._tags.values[name] for name in columns]
            )
        return cache.find(joined(self, columns))


def joined(words: Words, columns: Sequence[str]) -> list[str]:
    """Return the columns of each word, joined with tabs."""
    if len(columns) == 1:
        return words.column(columns[0])
    return list(map("\t".join, zip(*map(words.column, columns), strict=True)))
