"""Lemmas are chosen by the scores of their scripts and by what the treebank says about them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.known_lemmas import Facts, KnownLemmas
from meprop_nlp.data.lemma_script import apply_script, script_of
from meprop_nlp.errors import CheckpointError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.heads.lemma_evidence import KEYS, SHARES, USUAL, WEIGHTS, Evidence
from meprop_nlp.models.heads.lemmas import N_BEST, LemmasHead
from meprop_nlp.models.model import Model
from meprop_nlp.models.words import SentenceWords

from .models import FORMS, random_joint, random_sentences, with_scripts
from .test_native_joint import assert_same, model_on, per_core, seeds

weights = st.fixed_dictionaries(
    {name: st.floats(-6, 6) for name in Facts._fields} | {"score": st.floats(0.1, 2)}
)


def knowing(file: ModelFile, seed: int, weights: dict[str, float] | None = None) -> ModelFile:
    """The model, with facts drawn from `seed`."""
    rng = np.random.default_rng(seed)
    tags, scripts = file.header["tags"]["upos"], file.header["scripts"]
    drawn = zip(rng.choice(FORMS, 30), rng.choice(tags, 30), rng.choice(scripts, 30), strict=True)
    made = [(form, tag, apply_script(script, form)) for form, tag, script in drawn]
    known = KnownLemmas.build((form, tag, lemma) for form, tag, lemma in made if lemma)
    header = dict(file.header) | ({WEIGHTS: weights} if weights else {})
    return ModelFile(header, {**file.arrays, **Evidence.arrays(known)})


def head_of(model: Model) -> LemmasHead:
    head = model.heads["lemmas"]
    assert isinstance(head, LemmasHead)
    return head


@per_core
@given(
    seed=seeds,
    sizes=st.lists(st.integers(1, 20), max_size=6),
    scripts=st.integers(1, 40),
    weights=weights,
)
def test_lemma_is_the_best_of_the_best_scripts(
    core: Any, seed: int, sizes: list[int], scripts: int, weights: dict[str, float]
) -> None:
    file = knowing(random_joint(seed, scripts=scripts), seed, weights)
    model = model_on(core, file)
    words = SentenceWords(random_sentences(seed, sizes))
    found = model.annotate(words).texts["lemma"].to_list()
    head, forms = head_of(model), words.column("form")
    assert head.evidence is not None
    states = model.encoder(words)
    model.heads["tags"].annotate(words, states)
    best, tags = head.candidates(forms, states), head.tag_texts(states)
    assert best.scripts.shape == (len(forms), min(N_BEST, scripts))
    assert tags == model.annotate(words).texts["upos"].to_list()
    for n, form in enumerate(forms):
        totals: dict[str, float] = {}
        for script, score in zip(best.scripts[n].tolist(), best.scores[n].tolist(), strict=True):
            lemma = apply_script(head.scripts[script], form)
            if lemma is not None:
                facts = head.evidence.known.facts(form, tags[n], head.scripts[script], lemma)
                parts = (weights[name] * fact for name, fact in facts._asdict().items())
                total = score + sum(parts) / weights["score"]
                totals[lemma] = max(total, totals.get(lemma, -np.inf))
        if totals:
            assert totals[found[n]] > max(totals.values()) - 1e-3


@per_core
@given(seed=seeds, sizes=st.lists(st.integers(1, 20), max_size=6), weights=weights)
def test_core_and_numpy_choose_the_same(
    core: Any, seed: int, sizes: list[int], weights: dict[str, float]
) -> None:
    file = knowing(random_joint(seed, scripts=20), seed, weights)
    words = SentenceWords(random_sentences(seed, sizes))
    in_numpy, native = model_on(None, file), model_on(core, file)
    in_numpy.encoder = native.encoder
    expected = in_numpy.annotate(words, confidence=True)
    actual = native.annotate(words, confidence=True)
    # of two lemmas that are nearly as good, either may be chosen, and be as sure
    sure = expected.confidence["LemmaConf"] > 0.501
    chosen = [np.array(each.texts["lemma"].to_list()) for each in (actual, expected)]
    assert np.count_nonzero((chosen[0] != chosen[1])[sure]) <= 0.02 * np.count_nonzero(sure)
    for prediction in (actual, expected):
        del prediction.texts["lemma"], prediction.confidence["LemmaConf"]
    assert_same(actual, expected)


def test_best_scripts_are_those_of_the_probabilities(core: Any) -> None:
    words = SentenceWords(random_sentences(3, [9, 1, 30]))
    model = model_on(core, knowing(random_joint(3, scripts=50), 3))
    head, forms, states = head_of(model), words.column("form"), model.encoder(words)
    model.heads["tags"].annotate(words, states)
    rows = np.array([39, 0, 7, 7], np.int32)
    scripts, scores = head.candidates(forms, states, rows)
    expected = head.probabilities(states)[rows]
    order = np.argsort(-expected, 1, kind="stable")[:, :N_BEST]
    likely = np.log(np.take_along_axis(expected, order, 1))
    np.testing.assert_allclose(np.diff(scores), np.diff(likely), atol=1e-3)
    np.testing.assert_array_equal(scripts[:, 0], order[:, 0])
    assert all(len(set(row)) == N_BEST for row in scripts.tolist())


def test_known_lemma_is_chosen_before_a_likelier_one(core: Any) -> None:
    scripts = {'["lower",0,"",0,""]': 3, '["lower",0,"",1,""]': 2.7, '"be"': 1, '"x"': 0}
    file = with_scripts(random_joint(1), scripts)
    treebank = [("boat", "upos0", "boat"), ("cats", "upos0", "cat"), ("dogs", "upos0", "dog")]
    known = KnownLemmas.build(treebank)
    file.arrays.update(Evidence.arrays(known))
    words = SentenceWords(random_sentences(1, [200]))
    for native in (core, None):
        model = model_on(native, file)
        plain = dict.fromkeys(USUAL, 0.0) | {"score": 1.0}
        silent = model_on(native, ModelFile({**file.header, WEIGHTS: plain}, file.arrays))
        lemmas = [each.annotate(words).texts["lemma"].to_list() for each in (model, silent)]
        found = dict(zip(words.column("form"), zip(*lemmas, strict=True), strict=True))
        assert found["boats"] == ("boat", "boats")
        assert found["old"] == ("old", "old")


def test_confidence_does_not_change_the_lemma(core: Any) -> None:
    model = model_on(core, knowing(random_joint(6, scripts=30), 6))
    words = SentenceWords(random_sentences(6, [9, 4, 25]))
    sure = model.annotate(words, confidence=True)
    assert sure.columns() == model.annotate(words).columns()
    assert ((sure.confidence["LemmaConf"] > 0) & (sure.confidence["LemmaConf"] <= 1)).all()


def test_two_treebanks_may_each_have_a_lemma_of_their_own() -> None:
    """What is promised of all other lemmas holds of each, with facts of one treebank or two."""
    own, other = (KnownLemmas.build([("saw", "VERB", lemma)]) for lemma in ("see", "saw"))
    see, saw = (("saw", "VERB", script_of("saw", lemma), lemma) for lemma in ("see", "saw"))
    for known in (own, own.joined(other)):
        evidence = Evidence(known, USUAL)
        for lemma, another in ((see, saw), (saw, see)):
            found, lead = evidence.weigh(*lemma)
            assert evidence.weigh(*another)[0] <= found + lead


def test_lemma_that_none_of_the_likely_scripts_makes_is_not_sure(core: Any) -> None:
    # all scripts but the last remove more characters than any form has
    long = {f'["lower",0,"",{n},""]': 9.0 - n / 10 for n in range(60, 70)}
    file = with_scripts(random_joint(1, scripts=11), {**long, '["lower",0,"",0,""]': -9.0})
    known = KnownLemmas.build([("boat", "upos0", "boat")])
    file.arrays.update(Evidence.arrays(known))
    words = SentenceWords(random_sentences(1, [20]))
    for native in (core, None):
        found = model_on(native, file).annotate(words, confidence=True)
        assert found.texts["lemma"].to_list() == [form.lower() for form in words.column("form")]
        assert (found.confidence["LemmaConf"] == 0).all()


def test_model_without_upos_knows_lemmas_by_no_tag(core: Any) -> None:
    file = random_joint(4, heads=("lemmas",))
    known = KnownLemmas.build([("boats", "_", "boat")])
    model = model_on(core, ModelFile(file.header, {**file.arrays, **Evidence.arrays(known)}))
    words = SentenceWords(random_sentences(4, [5]))
    assert head_of(model).tag_texts(model.encoder(words)) == ["_"] * 5
    assert len(model.annotate(words).texts["lemma"].to_list()) == 5


@pytest.mark.parametrize(
    ("header", "arrays", "complaint"),
    [
        ({WEIGHTS: [1]}, {}, "are not for score, share"),
        ({WEIGHTS: {"score": 1}}, {}, "are not for score, share"),
        ({WEIGHTS: {**USUAL, "known": "1"}}, {}, "not finite"),
        ({WEIGHTS: {**USUAL, "known": np.inf}}, {}, "not finite"),
        ({WEIGHTS: {**USUAL, "score": 0.0}}, {}, "or the score's weight is below 0.01"),
        ({}, {KEYS: np.zeros(3, np.int64)}, "expected uint32"),
        ({}, {SHARES: np.zeros(3, np.uint8)}, "the weights lemmas.known.shares"),
    ],
)
def test_damaged_evidence_is_refused(
    header: dict[str, Any], arrays: dict[str, np.ndarray], complaint: str
) -> None:
    file = knowing(random_joint(2), 2)
    with pytest.raises(CheckpointError, match=complaint):
        Model(ModelFile({**file.header, **header}, {**file.arrays, **arrays}))


def test_file_with_too_many_facts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    file = knowing(random_joint(2), 2)
    n = len(file.arrays[KEYS])
    monkeypatch.setattr("meprop_nlp.models.heads.lemma_evidence.MOST_FACTS", n - 1)
    with pytest.raises(CheckpointError, match=f"has {n} facts about lemmas, expected at most"):
        Model(file)


def test_core_refuses_scripts_and_words_that_there_are_not(core: Any) -> None:
    words = SentenceWords(random_sentences(2, [5]))
    model = model_on(core, random_joint(2))
    states = model.encoder(words)
    model.heads["tags"].annotate(words, states)
    scorer = head_of(model)._native._scorer  # type: ignore[union-attr]

    def rank(rows: list[int], ids: tuple[int, int], scores: tuple[int, int]) -> None:
        scorer.rank(
            states.rows,
            states.columns["lemmas"],
            np.array(rows, np.int32),
            states.context[: len(rows)],
            states.tags[: len(rows)],
            np.empty(ids, np.int32),
            np.empty(scores, np.float32),
        )

    rank([4, 0], (2, 4), (2, 4))
    rank([], (0, 1), (0, 1))
    for rows in ([5, 0], [-1, 0]):
        with pytest.raises(ValueError, match="no such word"):
            rank(rows, (2, 1), (2, 1))
    for n_best in (0, 5):
        with pytest.raises(ValueError, match="not so many scripts"):
            rank([1, 0], (2, n_best), (2, n_best))
    for ids, scores in (((1, 2), (2, 2)), ((2, 2), (2, 3))):
        with pytest.raises(ValueError, match="results must"):
            rank([1, 0], ids, scores)
    lead = np.empty(4, np.float32)
    one = np.empty(5, np.int32)
    with pytest.raises(ValueError, match="value for each word"):
        scorer.choose(
            states.rows, states.columns["lemmas"], states.context, states.tags, one, None, lead
        )
