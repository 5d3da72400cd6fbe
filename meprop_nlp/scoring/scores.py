"""`Scores`: the counts of `metrics.evaluate`, which can be added, read and written as JSON."""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Self

from meprop_nlp.errors import number_of
from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.scoring.table import table

# in the order of the official program, which has no "ucm" and "lcm"
METRICS = (
    "tokens", "sentence_spans", "words", "upos", "xpos", "ufeats", "alltags", "lemmas", "uas",
    "las", "clas", "mlas", "blex", "ucm", "lcm",
)  # fmt: skip

SEGMENTATION = ("tokens", "sentence_spans", "words")
_OF_SENTENCES = ("ucm", "lcm")

# Metrics of several columns at once, and the metrics of these columns. One is scored where gold has
# annotation for the first of them and for another.
COMBINED = {
    "alltags": ("upos", "xpos", "ufeats"),
    "mlas": ("las", "upos", "ufeats"),
    "blex": ("las", "lemmas"),
}

# The columns whose values are confused, and the metric that scores each.
CONFUSED = {"upos": "upos", "xpos": "xpos", "feats": "ufeats", "deprel": "las"}

_LENGTHS = ((10, "1-10"), (20, "11-20"), (30, "21-30"), (40, "31-40"), (50, "41-50"))


def length_bucket(words: int) -> str:
    """Return the name of the group of sentences of this length: tens up to 50, then `51+`."""
    return next((name for last, name in _LENGTHS if words <= last), "51+")


def distance_bucket(distance: int) -> str:
    """Return the name of the group of arcs of this length in words; 0 is for arcs from the root."""
    if distance <= 2:
        return ("root", "1", "2")[distance]
    return "3-6" if distance <= 6 else "7-10" if distance <= 10 else "11+"


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Base of dataclasses of numbers, which are added one by one."""

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(operator.add, astuple(self), astuple(other)))


@dataclass(frozen=True, slots=True)
class Count(_Numbers):
    """The numbers of correct words (or sentences), gold words, and words of the system.

    A share of nothing is no number (`math.nan`), and None in JSON. `aligned` is the number of gold
    words that are aligned with a word of the system.
    """

    correct: int = 0
    gold: int = 0
    system: int = 0
    aligned: int = 0

    @property
    def precision(self) -> float:
        """Correct words in per cent of the words of the system."""
        return _percent(self.correct, self.system)

    @property
    def recall(self) -> float:
        """Correct words in per cent of the gold words."""
        return _percent(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in per cent."""
        return _percent(2 * self.correct, self.gold + self.system)

    @property
    def aligned_accuracy(self) -> float:
        """Correct words in per cent of the aligned words."""
        return _percent(self.correct, self.aligned)

    def to_dict(self) -> dict[str, float | None]:
        """Return the counts and percentages."""
        names = ("f1", "precision", "recall", "aligned_accuracy", "correct", "gold", "system")
        return {name: _or_none(getattr(self, name)) for name in names}


@dataclass(frozen=True, slots=True)
class Arcs(_Numbers):
    """One row of a table: the arcs of a kind, and how many of them are right.

    Attributes:
        gold: the number of gold words of this kind.
        heads: how many of them have the right head.
        labels: how many of them have the right head and relation.
        system: the number of words of this kind in the system's file; for relations only.
    """

    gold: int = 0
    heads: int = 0
    labels: int = 0
    system: int = 0

    @property
    def uas(self) -> float:
        """Right heads in per cent of the gold words."""
        return _percent(self.heads, self.gold)

    @property
    def las(self) -> float:
        """Right heads and relations in per cent of the gold words (the recall)."""
        return _percent(self.labels, self.gold)

    @property
    def precision(self) -> float:
        """Right heads and relations in per cent of the system's words of this relation."""
        return _percent(self.labels, self.system)

    @property
    def f1(self) -> float:
        """Harmonic mean of `las` and `precision`."""
        return _percent(2 * self.labels, self.gold + self.system)


class _Metric:
    """A property of `Scores`: the `f1` or `recall` of the metric of this name, in per cent."""

    def __init__(self, meaning: str, *, share: str = "f1") -> None:
        self.__doc__ = meaning
        self._share = share

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, scores: Scores, owner: type) -> float:
        share: float = getattr(scores.counts[self._name], self._share)
        return share


@dataclass(frozen=True, repr=False)
class Scores:
    """The counts of one or several evaluations. The properties are F1 in per cent.

    Where no word is left to count, they are no numbers (`math.nan`).

    `print(scores)` shows a table of those that gold has annotation for.

    Attributes:
        counts: the count of each of `METRICS`: of tokens, of sentences (`sentence_spans`, `ucm` and
            `lcm`), or of words.
        sentences: the number of gold sentences.
        annotated: the metrics for which the gold file has annotation.
        by_deprel: arcs by gold relation (`system`: by the relation of the system).
        by_length: arcs by the number of words in the gold sentence.
        by_distance: arcs by the distance from the word to its gold head; `root` for roots.
        confusions: counts of wrong tags as (gold, system): UPOS, or XPOS if gold has no UPOS.
        pairs: for each of `CONFUSED` that gold has annotation for, how often a gold value met a
            value of the system, as (gold, system), right ones too. Of FEATS, the universal features
            one by one; `Case=_` stands for a word without one. Of DEPREL, whatever the heads are.
            Empty unless `evaluate` was told to count them.
        exclude_punct: whether the parsing metrics exclude punctuation.
        strip_subtypes: whether relations were compared without their subtypes.
    """

    counts: Mapping[str, Count]
    sentences: int = 0
    annotated: frozenset[str] = frozenset()
    by_deprel: Mapping[str, Arcs] = field(default_factory=dict)
    by_length: Mapping[str, Arcs] = field(default_factory=dict)
    by_distance: Mapping[str, Arcs] = field(default_factory=dict)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)
    pairs: Mapping[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    exclude_punct: bool = False
    strip_subtypes: bool = True

    tokens = _Metric("Tokens of the system that are tokens of the gold file.")
    sentence_spans = _Metric("Sentences of the system that are sentences of the gold file.")
    words = _Metric("Words of the system that are words of the gold file.")
    upos = _Metric("Words with the gold UPOS.")
    xpos = _Metric("Words with the gold XPOS.")
    ufeats = _Metric("Words with the gold universal features.")
    alltags = _Metric("Words with the gold UPOS, XPOS and universal features.")
    lemmas = _Metric("Words with the gold lemma.")
    uas = _Metric("Words with the gold head.")
    las = _Metric("Words with the gold head and relation.")
    clas = _Metric("Content words with the gold head and relation.")
    mlas = _Metric("Content words that are right with their tags and their function words.")
    blex = _Metric("Content words with the gold head, relation and lemma.")
    ucm = _Metric("Gold sentences with all heads right.", share="recall")
    lcm = _Metric("Gold sentences with all heads and relations right.", share="recall")

    def top_confusions(self, n: int = 10, column: str | None = None) -> list[tuple[str, str, int]]:
        """Return the most frequent wrong values as (gold, system, count).

        Args:
            n: how many at most.
            column: one of `CONFUSED`; None: the tags of `confusions`.
        """
        pairs = self.confusions if column is None else self.pairs.get(column, Counter())
        wrong = [(pair, count) for pair, count in pairs.items() if pair[0] != pair[1]]
        ordered = sorted(wrong, key=lambda item: (-item[1], item[0]))
        return [(gold, system, count) for (gold, system), count in ordered[:n]]

    def only(self, metrics: Iterable[str]) -> Scores:
        """Return the scores without all metrics except these and `words`.

        This is for a model that predicts only some columns and copies the others. A metric of
        several columns is kept if the metrics of all its columns are that gold has annotation for.
        """
        kept = self.annotated & {"words", *metrics}
        kept |= {
            name
            for name in self.annotated & COMBINED.keys()
            if self.annotated & set(COMBINED[name]) <= kept
        }
        return replace(
            self,
            annotated=kept,
            by_deprel=self.by_deprel if "uas" in kept else {},
            by_length=self.by_length if "uas" in kept else {},
            by_distance=self.by_distance if "uas" in kept else {},
            confusions=self.confusions if kept & {"upos", "xpos"} else Counter(),
            pairs={name: found for name, found in self.pairs.items() if CONFUSED[name] in kept},
        )

    def __str__(self) -> str:
        """Return a table of the metrics that gold has annotation for."""
        rows = []
        for name, count in self.counts.items():
            if name in self.annotated:
                shares = [count.precision, count.recall, count.f1]
                if name not in (*SEGMENTATION, *_OF_SENTENCES):
                    shares.append(count.aligned_accuracy)
                cells = [shown(share) for share in shares]
                rows.append([SCORE_NAMES[name], *cells, *[""] * (4 - len(cells))])
        return table(["Metric", "Precision", "Recall", "F1", "Aligned"], rows)

    def __repr__(self) -> str:
        listed = ", ".join(
            f"{SCORE_NAMES[name]} {shown(getattr(self, name))}"
            for name in METRICS
            if name in self.annotated and name not in SEGMENTATION
        )
        return f"<Scores of {number_of(self.sentences, 'sentence')}: {listed or 'none'}>"

    def __add__(self, other: Scores) -> Scores:
        """Return the scores of both evaluations together.

        Raises:
            ValueError: if they differ in `exclude_punct` or `strip_subtypes`.
        """
        options = (self.exclude_punct, self.strip_subtypes)
        if options != (other.exclude_punct, other.strip_subtypes):
            raise ValueError("scores add only when punctuation and subtypes were treated alike")
        return Scores(
            {name: self.counts[name] + other.counts[name] for name in METRICS},
            sentences=self.sentences + other.sentences,
            annotated=self.annotated | other.annotated,
            by_deprel=_merge(self.by_deprel, other.by_deprel),
            by_length=_merge(self.by_length, other.by_length),
            by_distance=_merge(self.by_distance, other.by_distance),
            confusions=self.confusions + other.confusions,
            pairs={
                name: self.pairs.get(name, Counter()) + other.pairs.get(name, Counter())
                for name in CONFUSED
                if name in self.pairs or name in other.pairs
            },
            exclude_punct=self.exclude_punct,
            strip_subtypes=self.strip_subtypes,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers; None: nothing was counted, or gold lacks it."""
        return {
            "sentences": self.sentences,
            "exclude_punct": self.exclude_punct,
            "strip_subtypes": self.strip_subtypes,
            "metrics": {
                name: self.counts[name].to_dict() if name in self.annotated else None
                for name in METRICS
            },
            "by_deprel": _rows(self.by_deprel, with_system=True),
            "by_length": _rows(self.by_length),
            "by_distance": _rows(self.by_distance),
            "confusions": [list(row) for row in self.top_confusions(50)],
            "confusions_by": {
                name: [list(row) for row in self.top_confusions(50, name)] for name in self.pairs
            },
        }


def shown(share: float) -> str:
    """Return a percentage with two decimals; a dash if nothing was counted."""
    return "-" if math.isnan(share) else f"{share:.2f}"


def _or_none(share: float) -> float | None:
    return None if math.isnan(share) else share


def _rows(
    table: Mapping[str, Arcs], *, with_system: bool = False
) -> dict[str, dict[str, float | None]]:
    names = ["gold", "uas", "las"]
    if with_system:
        names += ["system", "precision", "f1"]
    return {
        row: {name: _or_none(getattr(arcs, name)) for name in names} for row, arcs in table.items()
    }


def _merge(left: Mapping[str, Arcs], right: Mapping[str, Arcs]) -> dict[str, Arcs]:
    zero = Arcs()
    names = [*left, *(name for name in right if name not in left)]
    return {name: left.get(name, zero) + right.get(name, zero) for name in names}


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else math.nan
