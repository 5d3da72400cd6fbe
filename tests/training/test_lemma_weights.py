"""How much what is known of lemmas counts, as measured on dev."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.known_lemmas import Facts
from meprop_nlp.data.lemma_script import script_of
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.models.heads.lemma_evidence import KEYS, LEAST, USUAL, WEIGHTS
from meprop_nlp.models.heads.lemmas import N_BEST
from meprop_nlp.models.model import Model, load
from meprop_nlp.training.measured.lemma_weights import (
    NAMES,
    PRIOR,
    fitted_weights,
    measure_lemma_weights,
)

Train = Callable[..., Any]
Choices = tuple[np.ndarray, np.ndarray]

usual = np.array([USUAL[name] for name in NAMES])


def random_choices(n: int, seed: int) -> Choices:
    """The features of candidates, and which there are; the first one is always there."""
    rng = np.random.default_rng(seed)
    features = rng.integers(0, 2, (n, N_BEST, len(NAMES))).astype(float)
    features[..., 0] = -np.sort(rng.exponential(2, (n, N_BEST)))
    is_there = rng.random(features.shape[:2]) < 0.8
    is_there[:, 0] = True
    return features, is_there


def log_shares(choices: Choices, weights: Any) -> np.ndarray:
    features, is_there = choices
    scores = np.where(is_there, features @ np.array(weights), -np.inf)
    found: np.ndarray = scores - np.logaddexp.reduce(scores, 1)[:, None]
    return found


def drawn(choices: Choices, weights: Any, seed: int) -> np.ndarray:
    """The right candidates, drawn by the weights."""
    shares = np.exp(log_shares(choices, weights)).cumsum(1)
    rng = np.random.default_rng(seed)
    return (rng.random((len(shares), 1)) > shares).sum(1).clip(0, N_BEST - 1)


@given(
    weights=st.tuples(st.floats(0.3, 1.5), *[st.floats(-3, 3)] * len(Facts._fields)),
    seed=st.integers(0, 1000),
)
def test_the_weights_that_made_the_answers_are_found(weights: tuple[float, ...], seed: int) -> None:
    choices = random_choices(8_000, seed)
    found = fitted_weights(*choices, drawn(choices, weights, seed))
    np.testing.assert_allclose(found, weights, atol=0.4)


@given(n=st.integers(1, 40), seed=st.integers(0, 1000))
def test_a_few_answers_give_weights_that_are_likely_and_usual(n: int, seed: int) -> None:
    choices = random_choices(n, seed)
    right = np.array([np.flatnonzero(row)[seed % row.sum()] for row in choices[1]])

    def loss(weights: np.ndarray) -> float:
        likely = log_shares(choices, weights)[np.arange(n), right].sum()
        return float(0.5 * PRIOR * ((weights - usual) ** 2).sum() - likely)

    found = np.array(fitted_weights(*choices, right))
    assert found[0] >= LEAST
    if found[0] > LEAST:
        nudges = 0.01 * np.concatenate([np.eye(len(found)), -np.eye(len(found))])
        assert all(loss(found) <= loss(found + nudge) + 1e-6 for nudge in nudges)


def test_no_answers_leave_the_usual_weights() -> None:
    features, is_there = random_choices(0, 1)
    assert fitted_weights(features, is_there, np.zeros(0, np.int64)) == usual.tolist()


def test_weights_are_measured_on_dev_and_stored(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    model = train("joint", dev=treebank[:3], output=path)
    assert set(model.file.header[WEIGHTS]) == set(USUAL)
    assert model.file.header[WEIGHTS] != USUAL
    stored = load(path)
    assert stored.file.header[WEIGHTS] == model.file.header[WEIGHTS]
    again = Model(stored.file)
    assert measure_lemma_weights(again, treebank[:3]) == model.file.header[WEIGHTS]
    assert again.evaluate(treebank[:3]).lemmas == model.file.header["scores"]["lemmas"]


def test_model_without_dev_has_the_usual_weights(train: Train, treebank: list[Sentence]) -> None:
    model = train("joint")
    assert WEIGHTS not in model.file.header
    head = model.heads["lemmas"]
    assert head.evidence.score_weight == USUAL["score"]
    for sentence in treebank:
        for word in sentence.words:
            script = script_of(word.form, word.lemma)
            facts = head.evidence.known.facts(word.form, word.upos, script, word.lemma)
            assert facts.share > 0
            assert (facts.tagged, facts.known, facts.strange, facts.single) == (1, 1, 0, 0)


def test_model_without_upos_knows_lemmas_all_the_same(
    train: Train, treebank: list[Sentence]
) -> None:
    model = train("joint", dev=treebank[:3], config={"columns": ("xpos",)})
    word = treebank[0].words[0]
    script = script_of(word.form, word.lemma)
    known = model.heads["lemmas"].evidence.known
    assert known.facts(word.form, "_", script, word.lemma).tagged == 1
    assert known.facts(word.form, word.upos, script, word.lemma).tagged == 0


@pytest.mark.parametrize("heads", [("tags",), ("tree",)])
def test_model_without_lemmas_has_no_weights(
    train: Train, treebank: list[Sentence], heads: tuple[str, ...]
) -> None:
    model = train("joint", dev=treebank[:3], config={"heads": heads})
    assert WEIGHTS not in model.file.header
    assert KEYS not in model.file.arrays
    assert measure_lemma_weights(model, treebank[:3]) is None


def test_dev_without_lemmas_gives_neither_weights_nor_a_score(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    bare = [s.with_columns(lemma=["_"] * len(s)) for s in treebank[:3]]
    model = train("joint", dev=bare)
    assert measure_lemma_weights(model, bare) is None
    assert WEIGHTS not in model.file.header
    assert model.file.header["scores"]["lemmas"] is None
    assert model.file.header["scores"]["upos"] is not None


def test_words_without_a_gold_lemma_count_nothing(train: Train, treebank: list[Sentence]) -> None:
    model = train("joint", dev=treebank[:4])
    bare = [s.with_columns(lemma=["_"] * len(s)) for s in treebank[:2]]
    assert measure_lemma_weights(model, [*treebank[2:4], *bare]) == measure_lemma_weights(
        model, treebank[2:4]
    )


def test_lemmas_of_the_initial_model_stay_known(
    train: Train, treebank: list[Sentence], tmp_path: Path
) -> None:
    path = tmp_path / "initial.safetensors"
    train("joint", treebank, output=path)
    model = train("joint", treebank[:2], training={"epochs": 1}, knowledge={"init_from": path})
    known = model.heads["lemmas"].evidence.known
    for sentence in treebank:
        for word in sentence.words:
            script = script_of(word.form, word.lemma)
            assert known.facts(word.form, word.upos, script, word.lemma)[1:5] == (1, 1, 0, 0)
