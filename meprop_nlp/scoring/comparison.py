"""`compare`: two systems on one gold file, with a paired bootstrap over its sentences.

A resample draws as many sentences as there are, with replacement, the same ones for both systems,
and the scores of both are computed anew from what they have in these sentences (Efron and
Tibshirani 1993; for parsers, Berg-Kirkpatrick et al. 2012). The differences in all resamples give
the interval and the p-value. Where a system divides the text into other sentences than gold, the
fewest sentences that cover the same text in all three files are drawn together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.scoring.alignment import Passage
from meprop_nlp.scoring.metrics import evaluate
from meprop_nlp.scoring.rightness import COMPARED, Right, rightness
from meprop_nlp.scoring.scores import METRICS, Count, Scores

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
_LEVEL = 95  # per cent of the resamples lie within the interval
_AT_A_TIME = 1 << 20  # draws that are held in memory


class Difference(NamedTuple):
    """How much higher the second system is in one metric.

    Attributes:
        a, b: the F1 of both systems in per cent; of UCM and LCM, the recall.
        difference: b - a, in points.
        low, high: the bounds of its 95 % interval.
        p_value: the two-sided p-value of the bootstrap: how often a resample, or chance, has a
            difference of the other sign, or none.
    """

    a: float
    b: float
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def is_significant(self) -> bool:
        """Whether the p-value is below 0.05."""
        return self.p_value < 0.05


class WordCounts(NamedTuple):
    """The numbers of gold words for which both systems are right, one alone, or neither."""

    both: int
    only_a: int
    only_b: int
    neither: int


@dataclass(frozen=True)
class Comparison:
    """Two systems side by side.

    Attributes:
        a, b: the scores of each.
        differences: by metric, those that gold has annotation for.
        words: by column (`upos`, `xpos`, `feats`, `lemma`, `head`, `deprel`), how many gold words
            are right in which system; punctuation included.
        units: the number of sentences, or groups of them, that are drawn.
        resamples, seed: how often these were drawn, and by which random numbers.
    """

    a: Scores
    b: Scores
    differences: Mapping[str, Difference]
    words: Mapping[str, WordCounts]
    units: int
    resamples: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers; None where nothing was counted."""
        return {
            "sentences": self.a.sentences,
            "units": self.units,
            "resamples": self.resamples,
            "seed": self.seed,
            "exclude_punct": self.a.exclude_punct,
            "metrics": {
                name: {key: _or_none(value) for key, value in found._asdict().items()}
                for name, found in self.differences.items()
            },
            "words": {name: counts._asdict() for name, counts in self.words.items()},
        }


def compare(
    gold: Sequence[Sentence],
    a: Iterable[Sentence],
    b: Iterable[Sentence],
    *,
    exclude_punct: bool = False,
    resamples: int = RESAMPLES,
    seed: int = 1,
) -> Comparison:
    """Compare two systems' sentences with the gold standard, and with each other.

    All three must hold the same text, but may split it into words and sentences differently.

    Args:
        gold: the gold sentences.
        a, b: the sentences of the systems.
        exclude_punct: as for `evaluate`.
        resamples: how often to draw sentences, at least 100.
        seed: of the random numbers.

    Raises:
        ConlluError, DataError: as `evaluate`.
        ConfigError: `resamples` is below 100, or `seed` below 0.
    """
    if resamples < 100:
        raise ConfigError(f"`resamples` is {resamples}, expected a whole number of at least 100")
    if seed < 0:
        raise ConfigError(f"`seed` is {seed}, expected a whole number of at least 0")
    sides = [_Side(), _Side()]
    scores = [
        evaluate(gold, system, exclude_punct=exclude_punct, on_passage=side.add)
        for side, system in zip(sides, (a, b), strict=True)
    ]
    shared = sorted(sides[0].ends.keys() & sides[1].ends.keys())
    counts = [side.per_unit(shared) for side in sides]
    annotated = [name for name in METRICS if name in scores[0].annotated]
    drawn = _resampled(counts, resamples, seed)
    return Comparison(
        a=scores[0],
        b=scores[1],
        differences={
            name: _difference(getattr(scores[0], name), getattr(scores[1], name), drawn[:, place])
            for place, name in enumerate(METRICS)
            if name in annotated
        },
        words={
            column: _words([[right[place] for right in side.rights] for side in sides])
            for place, (column, metric) in enumerate(COMPARED.items())
            if metric in annotated
        },
        units=len(shared),
        resamples=resamples,
        seed=seed,
    )


class _Side:
    """What one system has in each passage.

    Attributes:
        ends: by the number of gold sentences up to the end of a passage, the counts of each metric
            up to there, as (correct, gold + system).
        rights: what is right in each gold word.
    """

    def __init__(self) -> None:
        self._n_sentences = 0
        self.ends: dict[int, list[tuple[int, int]]] = {}
        self.rights: list[Right] = []

    def add(self, passage: Passage, counts: Mapping[str, Count]) -> None:
        """Add a passage; `counts` are those up to its end."""
        self._n_sentences += len(passage.sentences)
        self.ends[self._n_sentences] = [
            (counts[name].correct, counts[name].gold + counts[name].system) for name in METRICS
        ]
        for aligned in passage.sentences:
            self.rights += rightness(aligned)

    def per_unit(self, ends: Sequence[int]) -> Floats:
        """Return the counts between these ends: (units, metrics, 2)."""
        totals = np.array([self.ends[end] for end in ends], np.float64)
        return np.diff(totals, axis=0, prepend=0.0)


def draws(n_units: int, resamples: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield which units each resample draws, as many as there are: (some resamples, units)."""
    generator = np.random.default_rng(seed)
    at_a_time = max(1, _AT_A_TIME // n_units)
    for first in range(0, resamples, at_a_time):
        yield generator.integers(n_units, size=(min(at_a_time, resamples - first), n_units))


def _resampled(counts: Sequence[Floats], resamples: int, seed: int) -> Floats:
    """Return the differences of both systems, in points: (resamples, metrics)."""
    n_units, n_metrics, _ = counts[0].shape  # (U, M, 2)
    table = np.concatenate([each.reshape(n_units, -1) for each in counts], axis=1)  # (U, 4M)
    parts = []
    for drawn in draws(n_units, resamples, seed):
        # how often each resample of the chunk has each unit, and their sums in one product
        offsets = np.arange(len(drawn))[:, None] * n_units
        times = np.bincount((drawn + offsets).ravel(), minlength=drawn.size)
        sums = times.reshape(drawn.shape).astype(np.float64) @ table  # (R, 4M)
        a, b = sums.reshape(len(drawn), 2, n_metrics, 2).swapaxes(0, 1)
        parts.append(_f1(b) - _f1(a))
    return np.concatenate(parts)


def _f1(counts: Floats) -> Floats:
    """Return F1 in per cent from (correct, gold + system); nan where nothing was counted."""
    correct, whole = counts[..., 0], counts[..., 1]
    f1: Floats = np.full(whole.shape, np.nan)
    np.divide(200 * correct, whole, out=f1, where=whole > 0)
    return f1


def _difference(a: float, b: float, drawn: Floats) -> Difference:
    drawn = drawn[~np.isnan(drawn)]
    if not drawn.size:
        return Difference(a, b, b - a, np.nan, np.nan, np.nan)
    margin = (100 - _LEVEL) / 2
    low, high = np.percentile(drawn, [margin, 100 - margin])
    # a difference of the other sign, or none; one more, so that it is never quite impossible
    rarer = min((drawn <= 0).sum(), (drawn >= 0).sum())
    p_value = min(1.0, 2 * (int(rarer) + 1) / (len(drawn) + 1))
    return Difference(a, b, b - a, float(low), float(high), p_value)


def _words(rights: Sequence[Sequence[bool]]) -> WordCounts:
    a, b = (np.array(each, np.bool_) for each in rights)
    return WordCounts(
        *(int(found.sum()) for found in (a & b, a & ~b, ~a & b, ~a & ~b)),
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
