"""`Scores`: what `metrics.evaluate` counted, to be added, read and written as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["METRICS", "Arcs", "Count", "Scores", "distance_bucket", "length_bucket"]

METRICS = ("words", "upos", "xpos", "ufeats", "uas", "las", "clas", "ucm", "lcm")

_LENGTHS = ((10, "1-10"), (20, "11-20"), (30, "21-30"), (40, "31-40"), (50, "41-50"))


def length_bucket(words: int) -> str:
    """The name of the group of sentences of that length: tens up to 50, then `51+`."""
    return next((name for last, name in _LENGTHS if words <= last), "51+")


def distance_bucket(distance: int) -> str:
    """The name of the group of arcs that span so many words; 0 is for arcs from the root."""
    if distance <= 2:
        return ("root", "1", "2")[distance]
    return "3-6" if distance <= 6 else "7-10" if distance <= 10 else "11+"


@dataclass(frozen=True, slots=True)
class Count:
    """How many the gold file has, how many the system has, and how many of those are right.

    `aligned` is the number of gold words that have a partner among the system's.
    """

    correct: int = 0
    gold: int = 0
    system: int = 0
    aligned: int = 0

    @property
    def precision(self) -> float:
        """Correct in per cent of the system's."""
        return _percent(self.correct, self.system)

    @property
    def recall(self) -> float:
        """Correct in per cent of the gold ones."""
        return _percent(self.correct, self.gold)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in per cent."""
        return _percent(2 * self.correct, self.gold + self.system)

    @property
    def aligned_accuracy(self) -> float:
        """Correct in per cent of the aligned."""
        return _percent(self.correct, self.aligned)

    def __add__(self, other: Count) -> Count:
        return Count(
            self.correct + other.correct,
            self.gold + other.gold,
            self.system + other.system,
            self.aligned + other.aligned,
        )

    def to_json(self) -> dict[str, float]:
        """Counts and percentages."""
        return {
            "f1": self.f1,
            "precision": self.precision,
            "recall": self.recall,
            "aligned_accuracy": self.aligned_accuracy,
            "correct": self.correct,
            "gold": self.gold,
            "system": self.system,
        }


@dataclass(frozen=True, slots=True)
class Arcs:
    """One row of a table: gold words of a kind, and how many got their head and relation.

    Attributes:
        gold: gold words of the kind.
        heads: of these, with the right head.
        labels: of these, with the right head and relation.
        system: words that the system gave this kind; counted for relations only.
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

    def __add__(self, other: Arcs) -> Arcs:
        return Arcs(
            self.gold + other.gold,
            self.heads + other.heads,
            self.labels + other.labels,
            self.system + other.system,
        )


@dataclass(frozen=True)
class Scores:
    """The counts of one evaluation, or of several added up. Properties are F1 in per cent.

    Attributes:
        counts: by the names in `METRICS`; `ucm` and `lcm` count sentences, the others words.
        sentences: gold sentences.
        annotated: the metrics for which the gold file says anything at all.
        by_deprel: rows by gold relation (`system` by the system's).
        by_length: rows by number of words in the gold sentence.
        by_distance: rows by number of places between gold head and word; `root` for roots.
        confusions: (gold tag, system tag) of wrong tags: UPOS, or XPOS where gold has no UPOS.
        exclude_punct: whether punctuation was left out of the parsing metrics.
        strip_subtypes: whether relations were compared without what follows the colon.
    """

    counts: Mapping[str, Count]
    sentences: int = 0
    annotated: frozenset[str] = frozenset()
    by_deprel: Mapping[str, Arcs] = field(default_factory=dict)
    by_length: Mapping[str, Arcs] = field(default_factory=dict)
    by_distance: Mapping[str, Arcs] = field(default_factory=dict)
    confusions: Counter[tuple[str, str]] = field(default_factory=Counter)
    exclude_punct: bool = False
    strip_subtypes: bool = True

    @property
    def words(self) -> float:
        """Words of the system that are words of the gold file."""
        return self.counts["words"].f1

    @property
    def upos(self) -> float:
        """Words with the gold UPOS."""
        return self.counts["upos"].f1

    @property
    def xpos(self) -> float:
        """Words with the gold XPOS."""
        return self.counts["xpos"].f1

    @property
    def ufeats(self) -> float:
        """Words with the gold universal features."""
        return self.counts["ufeats"].f1

    @property
    def uas(self) -> float:
        """Words with the gold head."""
        return self.counts["uas"].f1

    @property
    def las(self) -> float:
        """Words with the gold head and relation."""
        return self.counts["las"].f1

    @property
    def clas(self) -> float:
        """Content words with the gold head and relation."""
        return self.counts["clas"].f1

    @property
    def ucm(self) -> float:
        """Gold sentences with all heads right."""
        return self.counts["ucm"].recall

    @property
    def lcm(self) -> float:
        """Gold sentences with all heads and relations right."""
        return self.counts["lcm"].recall

    def top_confusions(self, n: int = 10) -> list[tuple[str, str, int]]:
        """The most frequent wrong tags: (gold, system, count)."""
        ordered = sorted(self.confusions.items(), key=lambda item: (-item[1], item[0]))
        return [(gold, system, count) for (gold, system), count in ordered[:n]]

    def only(self, metrics: Iterable[str]) -> Scores:
        """The scores without those of metrics that are not named: what was copied, not predicted.

        `words` always stays.
        """
        kept = self.annotated & {"words", *metrics}
        empty: dict[str, Arcs] = {}
        return replace(
            self,
            annotated=kept,
            by_deprel=self.by_deprel if "uas" in kept else empty,
            by_length=self.by_length if "uas" in kept else empty,
            by_distance=self.by_distance if "uas" in kept else empty,
            confusions=self.confusions if kept & {"upos", "xpos"} else Counter(),
        )

    def __add__(self, other: Scores) -> Scores:
        """The scores of both evaluations together.

        Raises:
            ValueError: if they were not counted in the same way.
        """
        mine = (self.exclude_punct, self.strip_subtypes)
        if mine != (other.exclude_punct, other.strip_subtypes):
            raise ValueError("scores add only when punctuation and subtypes were treated alike")
        return Scores(
            {name: self.counts[name] + other.counts[name] for name in METRICS},
            sentences=self.sentences + other.sentences,
            annotated=self.annotated | other.annotated,
            by_deprel=_merge(self.by_deprel, other.by_deprel),
            by_length=_merge(self.by_length, other.by_length),
            by_distance=_merge(self.by_distance, other.by_distance),
            confusions=self.confusions + other.confusions,
            exclude_punct=self.exclude_punct,
            strip_subtypes=self.strip_subtypes,
        )

    def to_json(self) -> dict[str, Any]:
        """Everything as plain numbers; a metric the gold file is not annotated for is None."""
        return {
            "sentences": self.sentences,
            "exclude_punct": self.exclude_punct,
            "strip_subtypes": self.strip_subtypes,
            "metrics": {
                name: self.counts[name].to_json() if name in self.annotated else None
                for name in METRICS
            },
            "by_deprel": _rows(self.by_deprel, with_system=True),
            "by_length": _rows(self.by_length),
            "by_distance": _rows(self.by_distance),
            "confusions": [list(row) for row in self.top_confusions(50)],
        }


def _rows(table: Mapping[str, Arcs], *, with_system: bool = False) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for name, arcs in table.items():
        rows[name] = {"gold": arcs.gold, "uas": arcs.uas, "las": arcs.las}
        if with_system:
            rows[name] |= {"system": arcs.system, "precision": arcs.precision, "f1": arcs.f1}
    return rows


def _merge(left: Mapping[str, Arcs], right: Mapping[str, Arcs]) -> dict[str, Arcs]:
    zero = Arcs()
    names = [*left, *(name for name in right if name not in left)]
    return {name: left.get(name, zero) + right.get(name, zero) for name in names}


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
