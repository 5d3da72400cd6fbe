"""Two systems side by side: the bootstrap against a slow loop, and what it says."""

from __future__ import annotations

import math
import random
from itertools import chain
from typing import Any

import numpy as np
import pytest

from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.sample.treebank import sample_treebank
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError, ConlluError
from meprop_nlp.scoring.comparison import Comparison, compare, draws
from meprop_nlp.scoring.metrics import evaluate


@pytest.fixture(scope="module")
def gold() -> list[Sentence]:
    return list(read(sample_treebank("dev")))[:40]


def spoilt(sentences: list[Sentence], share: float, seed: int) -> list[Sentence]:
    """The sentences with some wrong tags, relations and heads, which all become the root's."""
    rng = random.Random(seed)
    made = []
    for sentence in sentences:
        root = sentence.column("head").index(0) + 1
        columns: dict[str, list[Any]] = {n: sentence.column(n) for n in ("upos", "head", "deprel")}
        for i in range(len(sentence)):
            if rng.random() < share:
                columns["upos"][i] = "X"
            if rng.random() < share and i + 1 != root:
                columns["head"][i] = root
                columns["deprel"][i] = "dep"
        made.append(sentence.with_columns(**columns))
    return made


def naive(
    gold: list[Sentence], a: list[Sentence], b: list[Sentence], metric: str, found: Comparison
) -> list[float]:
    """The difference in each resample, by evaluating the sentences that were drawn."""
    differences = []
    for drawn in chain.from_iterable(draws(len(gold), found.resamples, found.seed)):
        scores = [
            evaluate([gold[i] for i in drawn], [system[i] for i in drawn]) for system in (a, b)
        ]
        differences.append(getattr(scores[1], metric) - getattr(scores[0], metric))
    return differences


@pytest.mark.parametrize("metric", ["las", "upos", "mlas", "lcm"])
def test_interval_and_p_are_those_of_a_slow_loop(gold: list[Sentence], metric: str) -> None:
    gold = gold[:8]
    a, b = spoilt(gold, 0.2, 1), spoilt(gold, 0.15, 2)
    found = compare(gold, a, b, resamples=100, seed=7)
    expected = np.array(naive(gold, a, b, metric, found))
    actual = found.differences[metric]
    assert actual.low == pytest.approx(np.percentile(expected, 2.5))
    assert actual.high == pytest.approx(np.percentile(expected, 97.5))
    rarer = min(sum(expected <= 1e-9), sum(expected >= -1e-9))
    assert actual.p_value == pytest.approx(min(1, 2 * (rarer + 1) / 101))
    scores = [getattr(evaluate(gold, system), metric) for system in (a, b)]
    assert (actual.a, actual.b) == tuple(scores)
    assert actual.difference == scores[1] - scores[0]


def test_a_clear_difference_is_significant_and_the_same_system_is_not(
    gold: list[Sentence],
) -> None:
    bad = spoilt(gold, 0.5, 1)
    found = compare(gold, bad, gold)
    assert found.differences["las"].is_significant
    assert found.differences["las"].low > 0
    assert compare(gold, gold, bad).differences["las"].high < 0
    same = compare(gold, bad, bad).differences["las"]
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_two_systems_that_are_as_good_seldom_differ_by_more_than_chance(
    gold: list[Sentence],
) -> None:
    # at p < 0.05, one of twenty does: of 15, six or more have a probability below 1e-4
    found = [
        compare(gold, spoilt(gold, 0.2, 2 * i), spoilt(gold, 0.2, 2 * i + 1), resamples=200)
        for i in range(15)
    ]
    assert sum(each.differences["upos"].is_significant for each in found) < 6


def test_words_are_counted_by_who_is_right(gold: list[Sentence]) -> None:
    a, b = spoilt(gold, 0.3, 1), spoilt(gold, 0.3, 2)
    found = compare(gold, a, b, resamples=100)
    for name in ("upos", "head"):
        rows = [
            tuple(getattr(word, name) == getattr(right, name) for word in words)
            for right, *words in zip(chain(*gold), chain(*a), chain(*b), strict=True)
        ]
        expected = [
            rows.count(pair)
            for pair in ((True, True), (True, False), (False, True), (False, False))
        ]
        assert list(found.words[name]) == expected
        assert min(expected) > 0
    assert set(found.words) == {"upos", "xpos", "feats", "lemma", "head", "deprel"}


def test_what_gold_does_not_have_is_not_compared(gold: list[Sentence]) -> None:
    bare = [Sentence.from_words(s.forms, upos=s.column("upos")) for s in gold]
    found = compare(bare, bare, spoilt(gold, 0.2, 1), resamples=100)
    assert set(found.words) == {"upos"}
    assert "las" not in found.differences
    assert found.differences["upos"].difference < 0


def text(*lines: str) -> list[Sentence]:
    """A sentence of each line, in which the first word is the root, and the others depend on it."""
    sentences = []
    for line in lines:
        first, *others = line.split()
        heads, deprels = [0, *(1 for _ in others)], ["root", *("dep" for _ in others)]
        sentences.append(Sentence.from_words([first, *others], head=heads, deprel=deprels))
    return sentences


def test_sentences_that_are_divided_otherwise_are_drawn_together() -> None:
    gold = text("a b", "c d", "e f", "g h")
    one = text("a b c d", "e f", "g h")
    other = text("a b", "c d", "e f g", "h")
    assert compare(gold, gold, gold, resamples=100).units == 4
    assert compare(gold, one, gold, resamples=100).units == 3
    found = compare(gold, one, other, resamples=100)
    assert found.units == 2
    assert found.a.counts["las"].correct == 6  # "c" is no root
    assert found.differences["las"].a == evaluate(gold, one).las


def test_a_metric_of_which_nothing_is_counted_has_no_numbers() -> None:
    gold = [Sentence.from_words(["."], upos=["PUNCT"], head=[0], deprel=["punct"])]
    found = compare(gold, gold, gold, exclude_punct=True, resamples=100)
    assert math.isnan(found.differences["las"].p_value)
    assert found.to_dict()["metrics"]["las"] == dict.fromkeys(
        ("a", "b", "difference", "low", "high", "p_value")
    )


def test_faults_are_told() -> None:
    gold = text("a b")
    with pytest.raises(ConfigError, match=r"`resamples` is 99, expected .* at least 100"):
        compare(gold, gold, gold, resamples=99)
    with pytest.raises(ConfigError, match="`seed` is -1"):
        compare(gold, gold, gold, seed=-1)
    other = list(read_text("1\ta\t_\t_\t_\t_\t0\troot\t_\t_\n2\tc\t_\t_\t_\t_\t1\tdep\t_\t_\n"))
    with pytest.raises(ConlluError, match=r":2: .*found 'c', expected 'b'"):
        compare(gold, gold, other)
