"""`Lexicon`: a word form as eight integers, for the form and seven features of its spelling.

They depend on the form only, not on tags or context, so a network can compute its part of the first
layer once for each distinct form.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.vocab import UNK, Vocab, nfc

_DIGITS = re.compile(r"\d")


def shape(form: str) -> str:
    """Return the form with letters as X or x and digits as d, and runs cut to two characters.

    >>> shape("Mid-1990s")
    'Xxx-ddx'
    """
    kinds = (
        "d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in form
    )
    return "".join(kind * min(2, len(list(run))) for kind, run in groupby(kinds))


# The papers' tagger has seven features of 20 units each, but the papers do not name them.
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
    """The vocabularies of word forms and of their seven features; immutable.

    Attributes:
        forms: the vocabulary of word forms (NFC); index 0 is the unknown word.
        features: one vocabulary for each of FEATURES; index 0 of each is the unknown value.
        counts: how often each form occurred in training; not saved, so zeros in a loaded lexicon.
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
        """Build a lexicon from the word forms of a training file.

        Args:
            forms: the forms of all words, repeated as often as they occur.
            min_feature_count: rarer feature values are treated as unknown, so that the unknown
                entry is trained.
            extra: additional forms, such as those with pretrained vectors.
        """
        counted = Counter(nfc(form) for form in forms)
        features = []
        for _, feature in FEATURES:
            values: Counter[str] = Counter()
            for form, count in counted.items():
                values[feature(form)] += count
            features.append(Vocab.build(values, specials=(UNK,), min_count=min_feature_count))
        with_extra = Counter(counted)
        with_extra.update({nfc(form): 0 for form in extra})
        vocab = Vocab.build(with_extra, specials=(UNK,), min_count=0)
        counts = np.array([0, *(counted[form] for form in vocab.to_list()[1:])], np.int64)
        return cls(vocab, features, counts)

    def joined(self, other: "Lexicon") -> "Lexicon":
        """Return a lexicon of the forms and feature values of both, with the counts of this one."""
        forms = self.forms.joined(other.forms)
        pairs = zip(self.features, other.features, strict=True)
        counts = np.zeros(len(forms), np.int64)
        counts[: len(self.counts)] = self.counts
        return Lexicon(forms, [own.joined(others) for own, others in pairs], counts)

    @property
    def feature_offsets(self) -> npt.NDArray[np.int64]:
        """The first row of each feature in one table of all features, and its size: (8,)."""
        return np.cumsum([0, *(len(vocab) for vocab in self.features)])

    def encode(self, forms: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the rows of the forms, (N, 8): the index of the form, and the offset features."""
        normal = list(map(nfc, forms))
        rows = np.empty((len(forms), 1 + len(FEATURES)), np.int64)
        rows[:, 0] = self.forms.indices(normal)
        columns = zip(FEATURES, self.features, self.feature_offsets.tolist(), strict=False)
        for column, ((_, feature), vocab, offset) in enumerate(columns, start=1):
            rows[:, column] = vocab.indices(list(map(feature, normal)))
            rows[:, column] += offset
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabularies as lists, for JSON."""
        return {
            "forms": self.forms.to_list(),
            "features": {
                name: vocab.to_list()
                for (name, _), vocab in zip(FEATURES, self.features, strict=True)
            },
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Rebuild a lexicon from `to_dict`."""
        return cls(
            Vocab.from_list(stored["forms"]),
            [Vocab.from_list(stored["features"][name]) for name, _ in FEATURES],
        )


class FormTable:
    """Numbers the distinct forms, so that each is encoded once.

    Used for a whole treebank in training, and for a batch of sentences in decoding.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, forms: Iterable[str]) -> list[int]:
        """Return the numbers of the forms; a new form gets the next number."""
        numbers = self._numbers
        return [numbers.setdefault(form, len(numbers)) for form in forms]

    def forms(self) -> list[str]:
        """Return the distinct forms, in the order of their numbers."""
        return list(self._numbers)
