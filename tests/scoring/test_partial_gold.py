"""Gold sentences that are partly annotated: a metric is over the words that are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.annotation import Annotation
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConlluError
from meprop_nlp.scoring.metrics import evaluate

FORMS = ["a", "b", "c", "d"]
VALUES = st.lists(st.sampled_from(["_", "x", "y"]), min_size=4, max_size=4)
HEADS = st.sampled_from(
    [[-1] * 4, [0, 1, 1, 3], [2, 0, 2, 2], [2, 3, 0, 3], [-1, 0, 2, 2], [-1, -1, 0, 3]]
)


def made(columns: tuple[list[str], ...], heads: list[int]) -> Sentence:
    upos, xpos, feats, deprel = columns
    feats = [value if value == "_" else f"Case={value}" for value in feats]
    return Sentence.from_words(
        FORMS, upos=upos, xpos=xpos, feats=feats, head=heads, deprel=deprel, lemma=FORMS
    )


@st.composite
def pairs(draw: st.DrawFn) -> list[tuple[Sentence, Sentence]]:
    columns = st.tuples(VALUES, VALUES, VALUES, VALUES)
    found = st.lists(st.tuples(columns, HEADS, columns), min_size=1, max_size=3)
    return [(made(gold, heads), made(system, [0, 1, 1, 1])) for gold, heads, system in draw(found)]


@given(pairs())
def test_scores_are_shares_of_the_annotated_words(pairs: list[tuple[Sentence, Sentence]]) -> None:
    gold, system = ([*side] for side in zip(*pairs, strict=True))
    annotation = Annotation(gold)
    scores = evaluate(gold, system, annotation=annotation)

    def column(sentences: list[Sentence], name: str) -> np.ndarray:
        return np.array([value for sentence in sentences for value in sentence.column(name)])

    right = {
        name: column(gold, of) == column(system, of)
        for name, of in (("upos", "upos"), ("xpos", "xpos"), ("ufeats", "feats"), ("uas", "head"))
    }
    right["las"] = right["uas"] & (column(gold, "deprel") == column(system, "deprel"))
    of = {"ufeats": "feats", "uas": "head", "las": "deprel"}
    partial = annotation.partial()
    for metric in scores.annotated & right.keys():
        known = annotation.known(of.get(metric, metric))
        count = scores.counts[metric]
        assert (count.gold, count.system) == (known.sum(), known.sum())
        assert count.correct == (right[metric] & known).sum()
    assert ("uas" in scores.annotated) == ("head" in partial or gold[0].words[0].head >= 0)
    if partial.keys() - {"lemma"}:
        assert scores.annotated.isdisjoint({"clas", "mlas", "blex", "alltags"})
        trees = [s for s in gold if max(s.column("head")) >= 0]
        if "uas" in scores.annotated:
            assert scores.counts["ucm"].gold == len(trees)


def test_full_gold_is_scored_as_ever_with_an_annotation() -> None:
    gold = made((["x"] * 4, ["x", "_", "y", "_"], ["_"] * 4, ["x", "y", "x", "y"]), [0, 1, 1, 1])
    system = made((["x", "y"] * 2, ["x"] * 4, ["_"] * 4, ["x"] * 4), [2, 0, 2, 2])
    both = [evaluate([gold], [system], annotation=a) for a in (None, Annotation([gold]))]
    assert both[0] == both[1]
    assert "mlas" in both[0].annotated


def test_words_without_a_head_are_refused_without_an_annotation_and_circles_always() -> None:
    values = ["x"] * 4
    system = made((values,) * 4, [0, 1, 1, 1])
    partial = made((values,) * 4, [0, -1, 1, 1])
    with pytest.raises(ConlluError, match="HEAD is '_'"):
        evaluate([partial], [system])
    circle = made((values,) * 4, [-1, 3, 2, -1])
    with pytest.raises(ConlluError, match="the heads go round in a circle"):
        evaluate([circle], [system], annotation=Annotation([circle]))


def test_head_that_the_system_lacks_is_wrong_even_for_a_root() -> None:
    gold = Sentence.from_words(FORMS, head=[-1, 0, 2, 2])
    for heads in ([[-1, -1, 2, 2]], [[-1, -1], [-1, -1]]):  # with the same sentences, and others
        system, n_words = [], 0
        for each in heads:
            forms = FORMS[n_words : n_words + len(each)]
            system.append(Sentence.from_words(forms, head=each))
            n_words += len(each)
        scores = evaluate([gold], system, annotation=Annotation([gold]))
        assert scores.counts["uas"].gold == 3
        assert scores.counts["uas"].correct == (2 if len(heads) == 1 else 0)
