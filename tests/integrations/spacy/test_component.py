"""The components in pipelines: what they write into Docs, and what a stream of Docs gets."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.extras
spacy = pytest.importorskip("spacy", reason="spaCy is not installed: meprop-nlp[spacy]")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from spacy import displacy  # noqa: E402
from spacy.tokens import Doc, Span  # noqa: E402
from spacy.training import Example  # noqa: E402
from thinc.api import ConfigValidationError  # noqa: E402

import meprop_nlp.integrations.spacy  # noqa: E402, F401  # registers the factories
from meprop_nlp import DependencyParser, Model, ParserConfig, TrainingConfig, load, read  # noqa: E402
from meprop_nlp.data.sample.treebank import sample_treebank  # noqa: E402
from meprop_nlp.errors import CheckpointError, ConfigError, DataError  # noqa: E402

TEXT = "She can't come today. The old dog barked at him!"


@pytest.fixture(scope="module")
def model() -> Model:
    """The English model."""
    return load("en")


@pytest.fixture(scope="module")
def nlp() -> Any:
    """spaCy's tokens, and all heads."""
    nlp = spacy.blank("en")
    nlp.add_pipe("meprop", config={"model": "en"})
    return nlp


@pytest.fixture(scope="module")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small parser that reads UPOS, as `train-parser` makes one."""
    path = tmp_path_factory.mktemp("models") / "parser.safetensors"
    train = list(read(sample_treebank("train")))[:20]
    config = ParserConfig(hidden=8, embedding_dim=4, tag_columns=("upos",))
    DependencyParser.train(train, config=config, training=TrainingConfig(epochs=1)).save(path)
    return path


def pipeline(*factories: str, model: str = "en") -> Any:
    nlp = spacy.blank("en")
    for factory in factories:
        nlp.add_pipe(factory, config={"model": model})
    return nlp


def rows(doc: Doc) -> list[tuple[Any, ...]]:
    """All that is written for each token."""
    return [
        (t.text, t.pos_, t.tag_, str(t.morph), t.lemma_, t.head.i, t.dep_, t.is_sent_start)
        for t in doc
    ]


def test_docs_have_the_columns_that_the_model_predicts_for_their_tokens(
    nlp: Any, model: Model
) -> None:
    doc = nlp(TEXT)
    sentences = [[t.text for t in sentence] for sentence in doc.sents]
    assert len(sentences) == 2
    start = 0
    for expected in model(sentences):
        for word, token in zip(expected, doc[start : start + len(expected)], strict=True):
            assert token.pos_ == word.upos
            assert token.tag_ == word.xpos
            assert sorted(str(token.morph).split("|")) == sorted(word.feats.strip("_").split("|"))
            assert token.lemma_ == word.lemma
            assert token.head.i == (start + word.head - 1 if word.head else token.i)
            assert token.dep_ == ("ROOT" if word.head == 0 else word.deprel)
        start += len(expected)
    assert [t.dep_ for t in doc].count("ROOT") == 2
    for attribute in ("POS", "TAG", "MORPH", "LEMMA", "DEP", "HEAD", "SENT_START"):
        assert doc.has_annotation(attribute, require_complete=True)


def test_tagger_and_parser_write_their_own_attributes_only(nlp: Any) -> None:
    tagged = pipeline("meprop_tagger")(TEXT)
    assert not tagged.has_annotation("DEP")
    assert not tagged.has_annotation("SENT_START")
    parsed = pipeline("meprop_parser")(TEXT)
    assert not parsed.has_annotation("TAG")
    assert not parsed.has_annotation("LEMMA")
    both = nlp(TEXT)
    assert [row[1:5] for row in rows(tagged)] == [row[1:5] for row in rows(both)]
    assert [row[5:] for row in rows(parsed)] == [row[5:] for row in rows(both)]
    one_after_the_other = pipeline("meprop_tagger", "meprop_parser")(TEXT)
    assert [row[1:5] for row in rows(one_after_the_other)] == [row[1:5] for row in rows(both)]


def test_parser_reads_the_tags_of_the_doc() -> None:
    nlp = pipeline("meprop_parser")
    words = ["Time", "flies", "."]
    as_verb = nlp(Doc(nlp.vocab, words=words, pos=["NOUN", "VERB", "PUNCT"]))
    as_noun = nlp(Doc(nlp.vocab, words=words, pos=["NOUN", "NOUN", "PUNCT"]))
    assert as_verb[1].dep_ == "ROOT"
    assert as_verb[0].dep_ == "nsubj"
    assert rows(as_verb) != rows(as_noun)


def test_parser_that_needs_tags_says_which_component_gives_them(parser: Path) -> None:
    with pytest.raises(DataError) as caught:
        pipeline("meprop_parser", model=str(parser))("It rains.")
    message = str(caught.value)
    assert message.startswith("`meprop_parser`: the sentence 'It rains .' has no token.pos")
    assert message.endswith("put a tagger before it, such as `meprop_tagger`")
    nlp = pipeline("meprop_tagger")
    nlp.add_pipe("meprop_parser", config={"model": str(parser)})
    assert nlp("It rains.").has_annotation("DEP")


def test_component_without_its_heads_is_refused(parser: Path) -> None:
    nlp = pipeline("meprop_tagger", model=str(parser))
    with pytest.raises(ConfigError, match=r"`meprop_tagger` needs a model that predicts tags, and"):
        nlp("It rains.")
    doc = pipeline("meprop_tagger", "meprop", model="en")("It rains.")
    assert doc[1].dep_ == "ROOT"


def test_white_space_is_no_word(nlp: Any) -> None:
    doc = nlp("  She\n  came  home .\n")
    words = [t for t in doc if not t.is_space]
    plain = nlp(Doc(nlp.vocab, words=[t.text for t in words]))
    assert [(t.pos_, t.tag_, t.lemma_, t.dep_) for t in words] == [
        (t.pos_, t.tag_, t.lemma_, t.dep_) for t in plain
    ]
    assert [words.index(t.head) for t in words] == [t.head.i for t in plain]
    spaces = [t for t in doc if t.is_space]
    assert len(spaces) == 4
    assert {(t.pos_, t.tag_, t.dep_) for t in spaces} == {("SPACE", "_SP", "dep")}
    assert [t.lemma_ for t in spaces] == [t.text for t in spaces]
    assert [t.head.text for t in spaces] == ["She", "She", "came", "."]
    assert len(list(doc.sents)) == 1


@pytest.mark.parametrize("text", ["", " ", "\n\n \t", "\u3000"])
def test_docs_without_words(text: str, nlp: Any) -> None:
    doc = nlp(text)
    assert doc.text == text
    assert len(list(doc.sents)) == min(1, len(doc))
    assert [t.dep_ for t in doc] == ["ROOT", "dep"][: len(doc)]
    assert all(t.pos_ == "SPACE" for t in doc)


def test_sentences_that_are_set_are_kept(nlp: Any) -> None:
    words = ["She", "came", "\n", "He", "went", ".", " ", " ", "No"]
    starts = [True, False, False, False, True, False, True, False, True]
    doc = nlp(Doc(nlp.vocab, words=words, sent_starts=starts))
    assert [t.is_sent_start for t in doc] == starts
    for sentence in doc.sents:
        assert all(t.head in sentence for t in sentence)
        assert [t.dep_ for t in sentence].count("ROOT") == 1
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"punct_chars": ["came"]})
    nlp.add_pipe("meprop_parser", config={"model": "en"})
    assert [s.text for s in nlp("She came he went. Then").sents] == ["She came", "he went. Then"]


def test_sentences_of_a_doc_that_has_none_are_found_in_its_text(nlp: Any) -> None:
    doc = nlp(Doc(nlp.vocab, words=["She", "came", ".", "He", "went", "."]))
    assert [s.text for s in doc.sents] == ["She came .", "He went ."]
    # a boundary within a token is none
    words = ["She", "came.He", "went", "."]
    assert len(list(nlp(Doc(nlp.vocab, words=words)).sents)) == 1


def test_without_a_tokenizer_a_doc_is_a_sentence(parser: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("meprop_parser", config={"model": str(parser)})
    words = ["She", "came", ".", "He", "went", "."]
    doc = nlp(Doc(nlp.vocab, words=words, pos=["PRON", "VERB", "PUNCT"] * 2))
    assert len(list(doc.sents)) == 1


@cache
def shared_pipeline() -> Any:
    """A pipeline for a property, which takes no fixtures."""
    return pipeline("meprop")


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
        min_size=1,
        max_size=12,
    )
)
def test_any_tokens_are_annotated(words: list[str]) -> None:
    nlp = shared_pipeline()
    doc = nlp(Doc(nlp.vocab, words=words))
    assert [t.text for t in doc] == words
    for sentence in doc.sents:
        assert [t.dep_ for t in sentence].count("ROOT") == 1
        assert all(t.head in sentence for t in sentence)


def test_merged_tokens_with_line_breaks_are_words(nlp: Any) -> None:
    plain = spacy.blank("en")
    doc = plain("New\nYork sleeps")
    with doc.retokenize() as retokenizer:
        retokenizer.merge(Span(doc, 0, 3))
    assert [t.text for t in doc] == ["New\nYork", "sleeps"]
    assert nlp.get_pipe("meprop")(doc)[0].head.text in ("sleeps", "New\nYork")


def test_underscore_is_its_own_lemma(nlp: Any) -> None:
    doc = nlp(Doc(nlp.vocab, words=["_", "x"]))
    assert doc[0].lemma_ == "_"


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_stream_is_annotated_as_single_texts_are_in_order(nlp: Any, batch_size: int) -> None:
    texts = [TEXT, "", "One.", " ", "Two dogs barked. A cat slept."] * 2
    docs = list(nlp.pipe(texts, batch_size=batch_size))
    assert [doc.text for doc in docs] == texts
    assert [rows(doc) for doc in docs] == [rows(nlp(text)) for text in texts]


def test_stream_is_lazy_and_takes_tuples_and_docs(nlp: Any) -> None:
    read_so_far: list[int] = []

    def texts() -> Any:
        for n in range(100):
            read_so_far.append(n)
            yield f"Dog {n} barked.", {"number": n}

    pairs = nlp.pipe(texts(), as_tuples=True, batch_size=5)
    doc, context = next(pairs)
    assert (doc.text, context) == ("Dog 0 barked.", {"number": 0})
    assert len(read_so_far) < 20
    (doc,) = nlp.pipe([Doc(nlp.vocab, words=["It", "rains"])])
    assert doc[1].dep_ == "ROOT"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_two_processes_give_what_one_gives(nlp: Any) -> None:
    texts = [TEXT, "", "One.", "Two dogs barked."] * 4
    expected = [rows(doc) for doc in nlp.pipe(texts)]
    assert [rows(doc) for doc in nlp.pipe(texts, n_process=2, batch_size=3)] == expected


def test_error_handler_gets_the_faulty_doc_alone(parser: Path) -> None:
    nlp = pipeline("meprop_parser", model=str(parser))
    failed: list[str] = []
    nlp.set_error_handler(lambda name, proc, docs, error: failed.extend(d.text for d in docs))
    good = [Doc(nlp.vocab, words=[w, "."], pos=["NOUN", "PUNCT"]) for w in ("One", "Two")]
    docs = [good[0], Doc(nlp.vocab, words=["Untagged"]), good[1]]
    assert list(nlp.pipe(docs)) == good
    assert failed == ["Untagged "]
    with pytest.raises(DataError, match=r"no token\.pos"):
        list(pipeline("meprop_parser", model=str(parser)).pipe([docs[1]]))


def test_evaluation_scores_what_is_written(nlp: Any) -> None:
    gold = nlp(TEXT)
    examples = [Example(nlp.make_doc(TEXT), gold)]
    scores = nlp.evaluate(examples)
    for name in ("tag_acc", "pos_acc", "morph_acc", "lemma_acc", "dep_uas", "dep_las", "sents_f"):
        assert scores[name] == 1
    assert scores["speed"] > 0
    assert {"nsubj", "det"} <= scores["dep_las_per_type"].keys()
    assert "Number" in scores["morph_per_feat"]
    wrong = nlp(TEXT)
    wrong[0].tag_ = "FW"
    scores = nlp.evaluate([Example(nlp.make_doc(TEXT), wrong)])
    assert scores["tag_acc"] == pytest.approx(1 - 1 / len(wrong))
    tags = pipeline("meprop_tagger").evaluate([Example(nlp.make_doc(TEXT), gold)])
    assert tags["tag_acc"] == 1
    assert tags.get("dep_uas") is None


def test_trees_can_be_drawn_and_walked(nlp: Any) -> None:
    doc = nlp("The old dog barked at him.")
    drawn = displacy.render(doc, style="dep", jupyter=False)
    assert drawn.count("<text") >= 6
    assert ">nsubj<" in drawn
    assert [chunk.text for chunk in doc.noun_chunks] == ["The old dog"]
    assert [t.text for t in doc[3].lefts] == ["dog"]


def test_pipeline_can_be_analysed_and_named(nlp: Any) -> None:
    two = pipeline("meprop_tagger", "meprop_parser")
    analysis = two.analyze_pipes(pretty=False)
    assert "doc.sents" in analysis["summary"]["meprop_parser"]["assigns"]
    assert "token.lemma" in analysis["summary"]["meprop_tagger"]["assigns"]
    assert not any(analysis["problems"].values())
    assert analysis["summary"]["meprop_tagger"]["scores"][0] == "tag_acc"
    assert two.pipe_labels == {"meprop_tagger": [], "meprop_parser": []}  # no model read so far
    two("It rains.")
    assert {"NN", "VBZ"} <= {*two.pipe_labels["meprop_tagger"]}
    assert {"ROOT", "nsubj"} <= {*two.pipe_labels["meprop_parser"]}
    assert not any(label.startswith(("<", "_")) for label in two.pipe_labels["meprop_tagger"])
    named = spacy.blank("de")
    named.add_pipe("meprop", name="all", config={"model": "en"})
    assert named.pipe_names == ["all"]
    assert named("It rains.")[1].dep_ == "ROOT"


def test_components_that_name_one_file_share_the_model() -> None:
    nlp = pipeline("meprop_tagger", "meprop_parser")
    tagger, parser = (nlp.get_pipe(name) for name in nlp.pipe_names)
    assert tagger.loaded() is parser.loaded()


def test_components_can_be_disabled_and_moved(nlp: Any) -> None:
    with nlp.select_pipes(disable=["meprop"]):
        assert not nlp("It rains.").has_annotation("DEP")
    assert nlp("It rains.").has_annotation("DEP")
    two = pipeline("meprop_parser")
    two.add_pipe("meprop_tagger", first=True)
    two.rename_pipe("meprop_tagger", "tags")
    assert two.pipe_names == ["tags", "meprop_parser"]
    two.remove_pipe("meprop_parser")
    assert not two("It rains.").has_annotation("DEP")


@pytest.mark.parametrize("factory", ["meprop", "meprop_tagger", "meprop_parser"])
def test_wrong_configuration_is_refused(factory: str) -> None:
    nlp = spacy.blank("en")
    for config in ({"modle": "en"}, {"model": ["en"]}, {"model": None}):
        with pytest.raises(ConfigValidationError, match=f"{factory} -> mod"):
            nlp.add_pipe(factory, config=config)


def test_file_that_is_no_model_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(CheckpointError, match="looks like a zip file"):
        pipeline("meprop", model=str(path))


@pytest.mark.parametrize("factory", ["meprop", "meprop_tagger", "meprop_parser"])
def test_attributes_are_asked_for_without_reading_the_model(factory: str) -> None:
    # spaCy does so with `hasattr`, in an order that differs from process to process
    component = pipeline(factory, model="english").get_pipe(factory)
    found = [name for name in dir(component) if hasattr(component, name)]
    assert {"labels", "loaded", "annotator"} < {*found}
    assert component.labels == ()


def test_missing_model_is_told_on_first_use(tmp_path: Path) -> None:
    nlp = pipeline("meprop", model="english")
    uses: list[Callable[[], Any]] = [
        lambda: nlp("It rains."),
        lambda: list(nlp.pipe(["It rains."])),
        lambda: nlp.to_bytes(),
        lambda: nlp.to_disk(tmp_path / "pipeline"),
        lambda: nlp.initialize(),
    ]
    for use in uses:
        with pytest.raises(CheckpointError, match="english: no model of this name comes with"):
            use()
