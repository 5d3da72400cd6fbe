"""`Prediction`: the columns that heads predict for the words of several sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.word import COLUMNS

Indices = npt.NDArray[np.int32]
Scores = npt.NDArray[np.float32]


class Values:
    """The values that a text column can have, numbered.

    Attributes:
        texts: the values.
        encoded: the values in UTF-8, as the native writer takes them.
    """

    __slots__ = ("encoded", "texts")

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = list(texts)
        self.encoded = [text.encode() for text in self.texts]


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A text column of N words.

    Attributes:
        values: the values that the column can have.
        ids: (N,) the index of each word's value in `values`, contiguous.
    """

    values: Values
    ids: Indices

    def to_list(self) -> list[str]:
        """Return the value of each word."""
        return [self.values.texts[i] for i in self.ids.tolist()]


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predicted columns of N words.

    Attributes:
        texts: text columns by name, DEPREL among them.
        heads: (N,) the id of each word's head in its sentence, 0 for ROOT; None if not predicted.
        confidence: (N,) numbers from 0 to 1 by the name of their attribute in MISC; empty unless
            they were asked for. All arrays are contiguous.
    """

    texts: Mapping[str, TextColumn] = field(default_factory=dict)
    heads: Indices | None = None
    confidence: Mapping[str, Scores] = field(default_factory=dict)

    def __or__(self, later: Prediction) -> Prediction:
        """Return both predictions as one; where both have a column, the later one counts."""
        return Prediction(
            {**self.texts, **later.texts},
            self.heads if later.heads is None else later.heads,
            {**self.confidence, **later.confidence},
        )

    def columns(self) -> dict[str, list[Any]]:
        """Return the predicted columns of all words, in the order in which CoNLL-U has them."""
        lists: dict[str, list[Any]] = {name: text.to_list() for name, text in self.texts.items()}
        if self.heads is not None:
            lists["head"] = self.heads.tolist()
        return {name: lists[name] for name in COLUMNS if name in lists}

    def misc(self, misc: Sequence[str]) -> list[str]:
        """Return a MISC column with the confidence added to it.

        An attribute replaces the one of the same name, as `ArcConf=0.9731` in
        `SpaceAfter=No|ArcConf=0.5`.
        """
        rows = zip(*(values.tolist() for values in self.confidence.values()), strict=True)
        return [
            _with_attributes(old, dict(zip(self.confidence, row, strict=True)))
            for old, row in zip(misc, rows, strict=True)
        ]


def _with_attributes(misc: str, attributes: Mapping[str, float]) -> str:
    """Return the MISC of one word with numeric attributes in place of those of the same names."""
    old = [] if misc == "_" else misc.split("|")
    kept = [text for text in old if text and text.partition("=")[0] not in attributes]
    return "|".join([*kept, *(f"{name}={value:.4f}" for name, value in attributes.items())])
