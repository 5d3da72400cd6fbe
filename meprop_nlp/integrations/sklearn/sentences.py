"""What goes into the estimators and comes out: sentences, and arrays of objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.document import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.models.inputs import read_sentence

Objects = npt.NDArray[np.object_]


def read_sentences(X: Iterable[Any]) -> list[Sentence]:  # noqa: N803
    """Return the sentences that an estimator is given.

    Args:
        X: a list, or a one-dimensional array of objects, of Sentences, lists of words, or lists of
            (word, UPOS) pairs.

    Raises:
        DataError: it is anything else, or empty.
    """
    kind = type(X).__name__
    if isinstance(X, str | bytes | Sentence | Mapping) or not isinstance(X, Iterable):
        raise DataError(f"`X` is of type {kind}, expected a list of sentences")
    if not isinstance(X, list | tuple | Document) and getattr(X, "ndim", 1) != 1:
        raise DataError(
            f"`X` is of type {kind} with {X.ndim} dimensions, "  # type: ignore[attr-defined]
            "expected a list of sentences: Reshape your data, words are no numbers"
        )
    items = list(X)
    if not items:
        raise DataError("`X` is empty, expected at least one sentence (minimum of 1 is required)")
    return [_sentence(item, f"X[{i}]") for i, item in enumerate(items)]


def _sentence(item: Any, name: str) -> Sentence:
    pairs = isinstance(item, list | tuple) and item and isinstance(item[0], tuple | list)
    if not pairs:
        return read_sentence(item, name)
    if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in item):
        raise DataError(f"`{name}` is not a list of (word, UPOS) pairs")
    sentence = read_sentence([word for word, _ in item], name)
    return with_columns(sentence, name, upos=[tag for _, tag in item])


def with_columns(sentence: Sentence, name: str, **columns: Sequence[Any]) -> Sentence:
    """Return the sentence with other columns.

    Raises:
        DataError: they do not go with it; the message begins with the name.
    """
    try:
        return sentence.with_columns(**columns)
    except DataError as error:
        raise DataError(f"`{name}`: {error}") from None


def list_of(gold: Any, name: str, expected: str) -> list[Any]:
    """Return what is to be learnt for a sentence as a list.

    Args:
        gold: an item of y.
        name: what messages call it.
        expected: what they say it should be.

    Raises:
        DataError: it is no list.
    """
    if isinstance(gold, Sentence | str | bytes) or not isinstance(gold, Iterable):
        raise DataError(f"`{name}` is of type {type(gold).__name__}, expected {expected}")
    return list(gold)


def objects(items: Sequence[Any]) -> Objects:
    """Return a one-dimensional array, which `cross_val_predict` can join with others."""
    array = np.empty(len(items), object)
    for i, item in enumerate(items):  # a slice would make two dimensions of lists of one length
        array[i] = item
    return array
