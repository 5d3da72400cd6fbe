"""Sentences with words swapped, for teachers to annotate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.config import Knowledge
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import ConfigError
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.knowledge.swapped import swapped_sentences
from meprop_nlp.training.knowledge.unlabelled import LONGEST
from meprop_nlp.training.simplification.swaps import SWAPPED

COPIES = 50


@pytest.fixture
def sentences() -> list[Sentence]:
    """Nouns and verbs to swap, a full stop, and a word without tags."""
    return [
        Sentence.from_words(["dogs", "run", "."], upos=["NOUN", "VERB", "PUNCT"]),
        Sentence.from_words(["cats", "sleep", "!"], upos=["NOUN", "VERB", "PUNCT"]),
        Sentence.from_words(["x", "mice", "eat"], upos=["_", "NOUN", "VERB"]),
    ]


def test_words_are_swapped_for_others_of_the_same_tags(sentences: list[Sentence]) -> None:
    records: list[Any] = []
    found = swapped_sentences(sentences, COPIES, 1, Hooks(on_record=records.append))
    assert len(found) == COPIES * len(sentences)
    assert records[0].text == "swapped: 150 sentences, 450 words for the teachers to annotate"
    tag_of = {w.form: w.upos for sentence in sentences for w in sentence.words}
    n_changed = n_nouns = 0
    for n, words in enumerate(found):
        before = sentences[n % len(sentences)]
        assert [tag_of[form] for form in words] == before.column("upos")
        for form, old in zip(words, before.forms, strict=True):
            if tag_of[old] in ("PUNCT", "_"):
                assert form == old
            if tag_of[old] == "NOUN":
                n_nouns, n_changed = n_nouns + 1, n_changed + (form != old)
    # of three nouns, two are others
    assert n_changed / n_nouns == pytest.approx(SWAPPED * 2 / 3, abs=0.1)


def test_the_seed_alone_decides(sentences: list[Sentence]) -> None:
    one, same, other = (swapped_sentences(sentences, 2, seed, Hooks()) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_nothing_is_swapped_without_tags_and_long_sentences_are_left_out(
    sentences: list[Sentence],
) -> None:
    bare = [Sentence.from_words(sentence.forms) for sentence in sentences]
    assert swapped_sentences(bare, 2, 1, Hooks()) == []
    assert swapped_sentences(sentences, 0, 1, Hooks()) == []
    n = LONGEST + 1
    long = Sentence.from_words(["w"] * n, upos=["X"] * n)
    assert len(swapped_sentences([*sentences, long], 2, 1, Hooks())) == 2 * len(sentences)


@pytest.mark.parametrize(
    ("given", "swapped"),
    [({}, 4), ({"swapped_copies": 1}, 1), ({"swapped_copies": 0}, 0)],
)
def test_teachers_without_text_annotate_swapped_sentences(
    given: dict[str, int],
    swapped: int,
    train: Callable[..., Any],
    treebank: list[Sentence],
    tmp_path: Path,
) -> None:
    teacher = train("joint", training={"epochs": 1}, output=tmp_path / "t.safetensors")
    assert teacher
    records: list[Any] = []
    train(
        "joint",
        treebank,
        knowledge=Knowledge(teacher=[str(tmp_path / "t.safetensors")], **given),
        training={"epochs": 1},
        hooks=Hooks(on_record=records.append),
    )
    texts = [getattr(record, "text", "") for record in records]
    notes = [text for text in texts if text.startswith("swapped")]
    n_words = (1 + swapped) * sum(map(len, treebank))
    assert [text.split(",")[0] for text in notes] == (
        [f"swapped: {swapped * len(treebank)} sentences"] if swapped else []
    )
    assert any(f"is asked about {n_words:,} words" in text for text in texts)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"swapped_copies": 2}, "`swapped_copies` goes with `teacher` or `teachers`"),
        ({"unlabelled_share": 0.2}, "`unlabelled_share` goes with `teacher` or `teachers`"),
        (
            {"teachers": 2, "unlabelled": ["a"], "swapped_copies": 2},
            "`swapped_copies` and `unlabelled` exclude each other",
        ),
        (
            {"teacher": ["a"], "pretrained": "b", "swapped_copies": 2},
            "`swapped_copies` and `pretrained` exclude each other",
        ),
        (
            {"teacher": ["a"], "unlabelled_share": 0.9, "swapped_copies": 0},
            "`unlabelled_share` goes with `unlabelled` or `swapped_copies`",
        ),
    ],
)
def test_settings_without_effect_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Knowledge(**given)
