"""Our tokenizer in a pipeline: no character is lost, and the tokens are the model's."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extras
spacy = pytest.importorskip("spacy", reason="spaCy is not installed: meprop-nlp[spacy]")

from hypothesis import example, given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from spacy.vocab import Vocab  # noqa: E402

from meprop_nlp import Tagger, TaggerConfig, TrainingConfig, load, read  # noqa: E402
from meprop_nlp.data.sample.treebank import sample_treebank  # noqa: E402
from meprop_nlp.errors import CheckpointError, ConfigError, DataError  # noqa: E402
from meprop_nlp.integrations.spacy.tokenizer import DocTokenizer  # noqa: E402

CONFIG = {"nlp": {"tokenizer": {"@tokenizers": "meprop_tokenizer.v1", "model": "en"}}}
TOKENIZER = DocTokenizer(spacy.blank("en").vocab, "en")
# white space of every kind, what ends lines, what spaCy or CoNLL-U treat in ways of their own
PIECES = st.sampled_from(
    ["Dogs", "can't", "I'm", "gonna", ".", "!", "#", "_", "|", "\\", " ", "  ", "\t", "\n", "\n\n",
     "\r\n", "\0", "\x0b", "\x1c", "\x85", "\u00a0", "\u200b", "\u2028", "\u2029", "\u3000",
     "\ufeff", "\ufffd", "é", "e\u0301", "狗", "\U0001f600", "שלום"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=40
)


@given(TEXTS)
@example("")
@example("  leading and trailing  ")
@example("a  b   c\n d")
@example("\0")
def test_any_text_comes_back_character_by_character(text: str) -> None:
    doc = TOKENIZER(text)
    assert doc.text == text
    assert all(len(token) for token in doc)
    assert not len(doc) or doc[0].is_sent_start


@given(st.lists(TEXTS, max_size=4))
def test_texts_read_together_are_read_each_for_itself(texts: list[str]) -> None:
    together = [[(t.text, t.is_sent_start) for t in doc] for doc in TOKENIZER.pipe(texts)]
    assert together == [[(t.text, t.is_sent_start) for t in TOKENIZER(text)] for text in texts]


def test_tokens_and_sentences_are_those_of_the_model() -> None:
    text = "I can't wait. He's here, isn't he?\n\nA new paragraph"
    doc = TOKENIZER(text)
    found = load("en")(text)
    assert [[t.text for t in s if not t.is_space] for s in doc.sents] == [s.forms for s in found]
    assert doc.has_annotation("SENT_START", require_complete=True)


def test_white_space_between_sentences_is_in_the_sentence_before() -> None:
    doc = TOKENIZER("\n One came.\n\nTwo went.")
    assert [s.text for s in doc.sents] == ["\n One came.\n\n", "Two went."]


class Split:
    """A tokenizer with one token, which has two words."""

    def __init__(self, form: str, words: list[str]) -> None:
        self.form, self.words = form, words

    def conllu(self, text: str, *, first: int | None = None) -> str:
        rest = "\t_" * 7
        start = text.index(self.form)
        lines = [f"1-2\t{self.form}{rest}\tTokenRange={start}:{start + len(self.form)}"]
        lines += [f"{n}\t{word}{rest}\t_" for n, word in enumerate(self.words, start=1)]
        return "\n".join([*lines, "", ""])


@pytest.mark.parametrize(
    ("form", "words", "tokens"),
    [("dámelo", ["dáme", "lo"], ["dáme", "lo"]), ("du", ["de", "le"], ["du"])],
)
def test_words_are_tokens_where_they_are_parts_of_the_text(
    form: str, words: list[str], tokens: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = DocTokenizer(Vocab(), "en")
    monkeypatch.setattr(tokenizer.loaded(), "tokenizer", Split(form, words))
    doc = tokenizer(f" {form} ")
    assert [t.text for t in doc] == [" ", *tokens]
    assert doc.text == f" {form} "


def test_half_a_character_is_refused() -> None:
    with pytest.raises(DataError, match="surrogate"):
        TOKENIZER("a\ud800b")


def test_pipeline_with_our_tokenizer_is_saved_and_read(tmp_path: Path) -> None:
    nlp = spacy.blank("en", config=CONFIG)
    assert isinstance(nlp.tokenizer, DocTokenizer)
    nlp.add_pipe("meprop", config={"model": "en"})
    text = "I can't go. It rains."
    expected = [(t.text, t.dep_, t.head.i) for t in nlp(text)]
    assert [word for word, _, _ in expected][1:3] == ["ca", "n't"]
    nlp.to_disk(tmp_path / "pipeline")
    again = spacy.load(tmp_path / "pipeline")
    assert [(t.text, t.dep_, t.head.i) for t in again(text)] == expected
    other = spacy.blank("en", config=CONFIG).from_bytes(nlp.to_bytes(exclude=["meprop"]))
    assert [t.text for t in other(text)] == [word for word, _, _ in expected]
    copy = pickle.loads(pickle.dumps(nlp))
    assert [(t.text, t.dep_, t.head.i) for t in copy(text)] == expected


def test_model_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tagger.safetensors"
    config = TaggerConfig(hidden=8, word_dim=4, feature_dim=2)
    train = list(read(sample_treebank("train")))[:10]
    Tagger.train(train, config=config, training=TrainingConfig(epochs=1)).save(path)
    nlp: Any = spacy.blank(
        "en",
        config={"nlp": {"tokenizer": {"@tokenizers": "meprop_tokenizer.v1", "model": str(path)}}},
    )
    with pytest.raises(ConfigError, match=r"tagger.safetensors has no tokenizer; .* to spaCy"):
        nlp("It rains.")
    with pytest.raises(CheckpointError, match="nowhere: no model of this name"):
        DocTokenizer(Vocab(), "nowhere")("It rains.")
