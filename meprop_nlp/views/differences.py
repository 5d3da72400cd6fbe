"""`Differences`: what is wrong in each sentence of a system, and what gold has there."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import ROOT, UNSET, Word
from meprop_nlp.scoring.alignment import Aligned, Passage
from meprop_nlp.scoring.rightness import COMPARED, Right, rightness
from meprop_nlp.scoring.scores import Scores
from meprop_nlp.scoring.spans import spans_of, token_forms


class Compared(NamedTuple):
    """A sentence of a system beside gold.

    Attributes:
        sentence: the sentence of the system.
        wrong: for each word that is wrong, by its id, the gold values of the wrong columns; a gold
            head is an id in this sentence, or UNSET if it is not in it. None: a word that gold does
            not have. See `data.tree_svg.Wrong`.
        missing: the forms of the gold words here that the system does not have.
    """

    sentence: Sentence
    wrong: dict[int, dict[str, Any] | None]
    missing: list[str]


class Differences:
    """Collects the passages of an evaluation, and tells what is wrong in each sentence.

    `evaluate(gold, system, on_passage=found.add)` gives them to it.

    Wrong is what the metrics do not count as right: relations are compared without their subtypes,
    features are the universal ones. Punctuation counts, whatever the scores leave out.
    """

    def __init__(self) -> None:
        self._passages: list[Passage] = []

    def add(self, passage: Passage, counts: object = None) -> None:
        """Add the next passage."""
        self._passages.append(passage)

    def compared(self, scores: Scores) -> Iterator[Compared]:
        """Yield the system's sentences in order, each with what is wrong in it.

        Args:
            scores: of the evaluation. A column that they have no metric for is never wrong.
        """
        columns = [name for name, metric in COMPARED.items() if metric in scores.annotated]
        for passage in self._passages:
            yield from _of_passage(passage, columns)


def _of_passage(passage: Passage, columns: list[str]) -> Iterator[Compared]:
    gold_of: dict[int, tuple[Aligned, int, Right]] = {}  # by the identity of the system's word
    for aligned in passage.sentences:
        rights = rightness(aligned)
        for i, partner in enumerate(aligned.partners):
            if partner is not None:
                gold_of[id(partner)] = (aligned, i, rights[i])
    missing = _missing(passage)
    for sentence, forms in zip(passage.system, missing, strict=True):
        ids = {id(word): word.id for word in sentence.words}
        wrong: dict[int, dict[str, Any] | None] = {}
        for word in sentence.words:
            found = gold_of.get(id(word))
            if found is None:
                wrong[word.id] = None
                continue
            aligned, i, right = found
            values = {
                name: _head(aligned, i, ids) if name == "head" else getattr(aligned.gold[i], name)
                for name in columns
                if not getattr(right, name)
            }
            if values:
                wrong[word.id] = values
        yield Compared(sentence, wrong, forms)


def _head(aligned: Aligned, place: int, ids: dict[int, int]) -> int:
    """Return the head that gold gives to a word, as an id in the system's sentence."""
    head = aligned.gold.words[place].head
    if head in (ROOT, UNSET):
        return head
    partner: Word | None = aligned.partners[head - 1]
    return UNSET if partner is None else ids.get(id(partner), UNSET)


def _missing(passage: Passage) -> list[list[str]]:
    """Return the gold words without a partner, by the system's sentence in which they would be."""
    forms: list[list[str]] = [[] for _ in passage.system]
    partners = [partner for aligned in passage.sentences for partner in aligned.partners]
    if None not in partners:
        return forms
    lengths = [sum(map(len, token_forms(sentence))) for sentence in passage.system]
    starts = [0, *accumulate(lengths)][:-1]
    spans = spans_of([aligned.gold for aligned in passage.sentences])
    for span, partner in zip(spans, partners, strict=True):
        if partner is None:
            forms[bisect_right(starts, span.start) - 1].append(span.word.form)
    return forms
