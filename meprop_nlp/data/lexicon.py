"""A word's form as eight integers: the word itself and seven features of its spelling.

Everything here depends on the form alone, so that what a network computes from it can be computed
once per distinct form (design: "Words that fold"). It knows no tags and no context.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.vocab import UNK, Vocab, nfc

__all__ = ["FEATURES", "FormTable", "Lexicon", "shape"]

_DIGITS = re.compile(r"\d")


def shape(form: str) -> str:
    """Return the form with letters as X, x and digits as d; a run longer than two counts as two.

    >>> shape("Mid-1990s")
    'Xxx-ddx'
    """
    kinds = (
        "d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in form
    )
    return "".join(kind * min(2, len(list(run))) for kind, run in groupby(kinds))


# The seven features of 20 units each of the papers' tagger, which they do not name.
FEATURES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("lower", lambda form: _DIGITS.sub("0", form.lower())),
    ("prefix2", lambda form: form.lower()[:2]),
    ("prefix3", lambda form: form.lower()[:3]),
    ("suffix2", lambda form: form.lower()[-2:]),
    ("suffix3", lambda form: form.lower()[-3:]),
    ("suffix4", lambda form: form.lower()[-4:]),
    ("shape", shape),
)


class Lexicon:
    """The vocabularies of word forms and of their seven features, fixed once built.

    Attributes:
        forms: vocabulary of word forms (NFC); index 0 is the unknown word.
        features: one vocabulary per entry of FEATURES; index 0 of each is unknown.
        counts: how often each form of `forms` occurred in training; not stored, zeros when loaded.
    """

    def __init__(
        self,
        forms: Vocab,
        features: Sequence[Vocab],
        counts: npt.NDArray[np.int64] | None = None,
    ) -> None:
        self.forms = forms
        self.features = tuple(features)
        self.counts = np.zeros(len(forms), np.int64) if counts is None else counts

    @classmethod
    def build(
        cls, forms: Iterable[str], *, min_feature_count: int = 2, extra: Iterable[str] = ()
    ) -> Self:
        """Build from the forms of a training file, each as often as it occurs.

        Args:
            forms: all forms of the training words.
            min_feature_count: rarer prefixes, suffixes and shapes count as unknown, so that the
                unknown entry is trained.
            extra: more forms to know, those of pretrained vectors.
        """
        counted = Counter(nfc(form) for form in forms)
        features = []
        for _, feature in FEATURES:
            values: Counter[str] = Counter()
            for form, count in counted.items():
                values[feature(form)] += count
            features.append(Vocab.build(values, specials=(UNK,), min_count=min_feature_count))
        known = Counter(counted)
        known.update({nfc(form): 0 for form in extra})
        vocab = Vocab.build(known, specials=(UNK,), min_count=0)
        counts = np.array([0, *(counted[form] for form in vocab.to_list()[1:])], np.int64)
        return cls(vocab, features, counts)

    @property
    def feature_offsets(self) -> npt.NDArray[np.int64]:
        """Return where each feature's rows start in one table that holds them all: (8,)."""
        return np.cumsum([0, *(len(vocab) for vocab in self.features)])

    def encode(self, forms: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the rows of forms: (N, 8), the word's index and, with offsets, its features'."""
        offsets = self.feature_offsets.tolist()
        rows = np.empty((len(forms), 1 + len(FEATURES)), np.int64)
        for row, form in enumerate(forms):
            normal = nfc(form)
            rows[row, 0] = self.forms.index(normal)
            for column, (_, feature) in enumerate(FEATURES):
                value = self.features[column].index(feature(normal))
                rows[row, 1 + column] = offsets[column] + value
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabularies as JSON-able lists."""
        return {
            "forms": self.forms.to_list(),
            "features": {
                name: vocab.to_list()
                for (name, _), vocab in zip(FEATURES, self.features, strict=True)
            },
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Rebuild from `to_dict`."""
        return cls(
            Vocab.from_list(stored["forms"]),
            [Vocab.from_list(stored["features"][name]) for name, _ in FEATURES],
        )


class FormTable:
    """Gives each distinct form a small number, so that its row is encoded once.

    Used for a whole treebank in training and for a batch of sentences in decoding.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, forms: Iterable[str]) -> list[int]:
        """Return the numbers of forms, in order; new forms get the next ones."""
        numbers = self._numbers
        return [numbers.setdefault(form, len(numbers)) for form in forms]

    def forms(self) -> list[str]:
        """Return the distinct forms by number."""
        return list(self._numbers)
