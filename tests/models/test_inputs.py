"""What a model takes: texts, words, Sentences, Documents, one or a stream; and what it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.document import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import space_misc
from meprop_nlp.data.word import Word
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.file import ModelFile
from meprop_nlp.models.head import Head
from meprop_nlp.models.model import Model, freeze
from meprop_nlp.training.tagger import Tagger

from .models import FORMS, random_joint, random_parser, random_tagger


class Spaces:
    """A tokenizer for tests: words end at white space, sentences at full stops."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def conllu(self, text: str) -> str:
        self.texts.append(text)
        found = re.findall(r"(\S+)(\s*)", text)
        sentences: list[list[tuple[str, str]]] = [[]]
        for word, after in found:
            sentences[-1].append((word, space_misc(after)))
            if word == ".":
                sentences.append([])
        return "".join(
            str(Sentence.from_words([w for w, _ in words], misc=[misc for _, misc in words]))
            for words in sentences
            if words
        )


@pytest.fixture(scope="module")
def model() -> Model:
    made = freeze(random_joint(1))
    made.tokenizer = Spaces()
    return made


def heads(sentence: Sentence) -> list[tuple[str, str, int]]:
    return [(word.form, word.upos, word.head) for word in sentence]


TEXT = "the old man\n. the boats  ."
LISTS = [["the", "old", "man", "."], ["the", "boats", "."]]


class TestKinds:
    def test_a_text_gives_a_document_with_its_text(self, model: Model) -> None:
        document = model(TEXT)
        assert isinstance(document, Document)
        assert document.text == TEXT
        assert [sentence.forms for sentence in document] == LISTS
        assert list(map(heads, document)) == [heads(model(words)) for words in LISTS]
        assert repr(document[1]) == "<Sentence of 3 words, <text>:7: 'the boats .'>"

    def test_lists_of_words_and_sentences_give_a_document(self, model: Model) -> None:
        expected = [heads(model(words)) for words in LISTS]
        made = [Sentence.from_words(words) for words in LISTS]
        for several in (LISTS, made, tuple(made), [LISTS[0], made[1]], Document(made)):
            document = model(several)
            assert isinstance(document, Document)
            assert list(map(heads, document)) == expected
        assert made[0][0].upos == "_"  # what was given is as it was

    def test_words_and_a_sentence_give_a_sentence(self, model: Model) -> None:
        words = LISTS[0]
        sentence = Sentence.from_words(words)
        for one in (words, tuple(words), np.array(words), iter(words), sentence):
            found = model(one)
            assert isinstance(found, Sentence)
            assert found is not sentence
            assert found.forms == words
            assert found == model(words)

    def test_a_text_in_a_list_is_a_word_and_in_a_stream_a_text(self, model: Model) -> None:
        assert model(["the old man"]).forms == ["the old man"]
        (document,) = model.pipe(["the old man"])
        assert document[0].forms == ["the", "old", "man"]

    def test_texts_without_words_give_empty_documents(self, model: Model) -> None:
        for text in ("", " \n"):
            assert model(text) == Document()
        assert list(model.pipe(["", " ", "man", ""])) == [
            Document(), Document(), model("man"), Document()
        ]  # fmt: skip
        assert model(Document()) == Document()

    def test_trained_classes_take_what_models_take(self) -> None:
        tagger = Tagger(random_tagger(1))
        tagger.tokenizer = Spaces()
        assert tagger(TEXT)[0].column("upos") == tagger(LISTS)[0].column("upos")


SENTENCES = st.lists(st.sampled_from(FORMS), min_size=1, max_size=4)
ITEMS = st.one_of(
    SENTENCES,
    st.lists(SENTENCES, min_size=1, max_size=3),
    SENTENCES.map(" ".join),
    st.just(""),
    SENTENCES.map(Sentence.from_words),
    st.lists(SENTENCES.map(Sentence.from_words), max_size=3).map(Document),
)


class TestStreams:
    @given(items=st.lists(ITEMS, max_size=12))
    def test_each_item_of_a_stream_gets_the_answer_it_gets_alone(
        self, model: Model, items: list[Any]
    ) -> None:
        found = list(model.pipe(items))
        assert found == [model(item) for item in items]
        assert list(map(type, found)) == [type(model(item)) for item in items]

    def test_small_items_are_predicted_together(
        self, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes: list[int] = []
        annotate = model.annotate

        def counted(words: Any, **options: Any) -> Any:
            sizes.append(len(words.bounds) - 1)
            return annotate(words, **options)

        monkeypatch.setattr(model, "annotate", counted)
        assert len(list(model.pipe(["man .", ["man"], [["man"], ["boats"]]] * 10))) == 30
        assert sizes == [40]

    def test_a_stream_reads_no_more_than_a_batch_ahead(self, model: Model) -> None:
        taken = 0

        def endless() -> Iterator[str]:
            nonlocal taken
            while True:
                taken += 1
                yield "the old man ."

        documents = model.pipe(endless())
        assert next(documents)[0].forms == LISTS[0]
        assert taken < 300

    def test_a_document_larger_than_a_batch_comes_whole(self, model: Model) -> None:
        first, second = model.pipe([[["man"]] * 700, "boats"])
        assert len(first) == 700
        assert second[0].forms == ["boats"]

    def test_items_before_a_faulty_one_are_answered(self, model: Model) -> None:
        answers = model.pipe(["man", ["boats"], []])
        assert [len(next(answers)), len(next(answers))] == [1, 1]
        with pytest.raises(DataError, match=r"`items\[2\]` is empty, expected at least one word"):
            next(answers)

    def test_sentences_of_a_text_are_numbered(self, model: Model) -> None:
        assert [sentence.sent_id for sentence in model(TEXT)] == ["1", "2"]

    def test_columns_of_a_text_cannot_be_kept(self, model: Model) -> None:
        with pytest.raises(DataError, match=r"`items\[1\]` is a text, which has no upos to keep"):
            list(model.pipe([model(TEXT), TEXT], keep=["upos"]))

    def test_keeping_and_confidence_reach_documents(self, model: Model) -> None:
        tagged = Document([Sentence.from_words(["man"], upos=["upos1"])])
        for upos in ("upos0", "upos1"):
            tagged[0][0].upos = upos
            (document,) = model.pipe([tagged], keep=["upos"], confidence=True)
            assert document[0][0].upos == upos
            assert "ArcConf=" in document[0][0].misc

    def test_a_document_is_a_stream_of_its_sentences(self, model: Model) -> None:
        document = model(TEXT)
        assert list(model.pipe(document)) == document.sentences
        assert [columns["head"] for columns in model.predict(document)] == [
            sentence.column("head") for sentence in document
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ([], "`given` is empty, expected at least one word; leave it out"),
            ([["man"], []], "`given[1]` is empty, expected at least one word; leave it out"),
            (["man", ""], "`given`: the form of word 2 is '', expected text of at least one"),
            ([["man"], ["a", "b\tc"]], r"`given[1]`: the form of word 2 is 'b\tc', expected text"),
            (["man", " "], "`given`: the form of word 2 is ' ', expected a word, not spaces alone"),
            (["man", 3], "`given[1]` is of type int, expected a word: text"),
            ([["man"], ["a", None]], "`given[1][1]` is of type NoneType, expected a word: text"),
            ([["man"], "boats"], "`given[1]` is a text, expected one sentence: a list of its word"),
            ([["man"], Document()], "`given[1]` is a Document, expected one sentence: a list of"),
            ([["man"], 7], "`given[1]` is of type int, expected a text, a list of words, a Sent"),
            (None, "`given` is of type NoneType, expected a text, a list of words, a Sentence or"),
            (b"man", "`given` is bytes, expected text; decode them: given.decode()"),
            ("man \ud83d", r"`given` has half of a pair of surrogates, '\ud83d', at index 4, exp"),
            ("man\0 b", "`given` has a NUL character at index 3, expected text; leave it out: te"),
            ([["a"], ["b", "\ud83d"]], "`given[1]`: the form of word 2 has half of a pair of surr"),
        ],
    )
    def test_faults_are_named_where_they_are(self, model: Model, wrong: Any, message: str) -> None:
        with pytest.raises(DataError) as caught:
            model(wrong)
        assert str(caught.value).startswith(message)
        with pytest.raises(DataError) as caught:
            list(model.pipe(["man", wrong]))
        assert str(caught.value).startswith(message.replace("given", "items[1]"))

    def test_a_text_is_no_stream(self, model: Model) -> None:
        for single, kind in (("man", "text"), (b"man", "text"), (model(["man"]), "sentence")):
            expected = re.escape(
                f"is a single {kind}, expected several; give it in a list: [{kind}]"
            )
            with pytest.raises(DataError, match=f"`items` {expected}"):
                model.pipe(single)
            with pytest.raises(DataError, match=f"`sentences` {expected}"):
                model.predict(single)

    def test_columns_are_predicted_of_words_only(self, model: Model) -> None:
        with pytest.raises(DataError, match=r"`sentences\[1\]` is a text, expected one sentence"):
            list(model.predict([["man"], "man"]))

    @pytest.mark.parametrize("text", ["It rains.", ""])
    def test_a_model_without_a_tokenizer_refuses_texts_and_says_what_helps(self, text: str) -> None:
        model = freeze(random_tagger(1))
        assert model.tokenizer is None
        for answer in (lambda: model(text), lambda: next(model.pipe([text]))):
            with pytest.raises(ConfigError) as caught:
                answer()
            message = str(caught.value)
            assert "is a text, and this model has no tokenizer" in message
            assert 'model(["Time", "flies"])' in message
            assert "meprop-nlp train, with tokens among its heads" in message
        assert model(["It", "rains."]).forms == ["It", "rains."]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a", "b\ud83d"], "the form of word 2 has half of a pair of surrogates"),
        (["a", ""], "the form of word 2 is ''"),
        (["a\nb"], r"the form of word 1 is 'a\\nb'"),
        (["a", 3], r"\[1\]` is of type int, expected a word"),
    ],
)
def test_sentences_made_by_hand_are_checked_on_the_way_in(words: list[Any], message: str) -> None:
    model = freeze(random_tagger(1))
    good = Sentence.from_words(["a"])
    bad = Sentence([Word(i, form) for i, form in enumerate(words, start=1)])
    for given_name, call in (
        ("given", lambda: model(bad)),
        ("given[1]", lambda: model(Document([good, bad]))),
        ("items[1]", lambda: list(model.pipe([good, bad]))),
        ("items[0][1]", lambda: list(model.pipe([[good, bad]]))),
        ("sentences[1]", lambda: list(model.predict([good, bad]))),
    ):
        with pytest.raises(DataError, match=re.escape(f"`{given_name}") + ".*" + message):
            call()


def by_hand(words: int = 1, comments: list[Any] | None = None, **columns: Any) -> Sentence:
    """A Sentence with these values in its first word, unchecked."""
    sentence = Sentence.from_words(["a"] * words)
    for name, value in columns.items():
        setattr(sentence[0], name, value)
    sentence.comments = comments or []
    return sentence


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (by_hand(misc="a\tb\nc"), r"the misc of word 1 is 'a\tb\nc', expected text without tab"),
        (by_hand(misc="\ud800"), r"the misc of word 1 is '\ud800', expected text without tab"),
        (by_hand(xpos="a\rb"), r"the xpos of word 1 is 'a\rb', expected text without tab"),
        (by_hand(lemma=None), "the lemma of word 1 is None, expected text without tab"),
        (by_hand(form=" "), "the form of word 1 is ' ', expected a word, not spaces alone"),
        (by_hand(id=3), "the id of word 1 is 3, expected 1"),
        (by_hand(head=9), "the head of word 1 is 9, expected an integer from 0 to 1, or -1 for n"),
        (by_hand(head="0"), "the head of word 1 is '0', expected an integer from 0 to 1, or -1"),
        (by_hand(comments=["# text = a\nb"]), r"a comment is '# text = a\nb', expected one line"),
        (by_hand(comments=["# \ud800"]), r"a comment is '# \ud800', expected one line that beg"),
        (by_hand(comments=["text"]), "a comment is 'text', expected one line that begins with #"),
        (by_hand(comments=[None]), "a comment is None, expected one line that begins with #"),
        (Sentence([]), "a sentence needs at least one word, found none"),
    ],
)
def test_every_part_of_a_sentence_made_by_hand_is_checked(bad: Sentence, message: str) -> None:
    model = freeze(random_tagger(1))
    for call in (
        model,
        lambda bad: list(model.pipe([["a"], bad])),
        lambda bad: list(model.predict([["a"], bad])),
    ):
        with pytest.raises(DataError, match=r"`(given|\w+\[1\])`: " + re.escape(message)):
            call(bad)


def test_what_a_file_may_have_is_taken() -> None:
    text = "# a\tb\0\n1\t\u00a0\t\t_\t\u200b\t_\t_\t_\t_\ta b\n2\tb\t_\t_\t_\t_\t1\t_\t_\t_\n\n"
    (sentence,) = read_text(text)
    assert freeze(random_tagger(1))(sentence).forms == ["\u00a0", "b"]


def test_sentence_that_is_too_long_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Head, "most_words", 2)
    model = freeze(random_tagger(1))
    model.tokenizer = Spaces()
    long, short = ["the", "old", "man"], ["man"]
    for name, call in (
        ("given", lambda: model(long)),
        ("given", lambda: model(Sentence.from_words(long))),
        ("given[1]", lambda: model([short, long])),
        ("given[1]", lambda: model("man . the old man")),
        ("items[1]", lambda: list(model.pipe([short, long]))),
        ("items[0][1]", lambda: list(model.pipe([[short, long]]))),
        ("sentences[1]", lambda: list(model.predict([short, long]))),
        ("gold[1]", lambda: model.evaluate(map(Sentence.from_words, (short, long)))),
    ):
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value) == (
            f"`{name}` is a sentence of 3 words, expected at most 2; cut it into several"
        )


def test_parser_that_needs_tags_refuses_sentences_without_any() -> None:
    file = random_parser(1, tag_columns=("upos", "xpos"))
    parser = freeze(file)
    tagged = Sentence.from_words(["the", "man"], upos=["DET", "_"], xpos=["_", "NN"])
    bare = Sentence.from_words(["the", "man"])
    assert len(parser(tagged)) == 2
    lack = "has no UPOS and no XPOS, which the parser reads; give it what a tagger returns"
    for name, call in (
        ("given", lambda: parser(["the", "man"])),
        ("given", lambda: parser(bare)),
        ("given[1]", lambda: parser([tagged, bare])),
        ("items[2]", lambda: list(parser.pipe([tagged, tagged, bare]))),
        ("sentences[1]", lambda: list(parser.predict([tagged, ["a"]]))),
        ("gold[0]", lambda: parser.evaluate([bare.with_columns(head=[0, 1])])),
    ):
        with pytest.raises(DataError, match=re.escape(f"`{name}` {lack}")):
            call()
    for column, other in (("upos", "XPOS"), ("xpos", "UPOS")):
        half = Sentence.from_words(["the", "man"], **{column: ["X", "X"]})
        with pytest.raises(DataError, match=rf"`items\[1\]` has no {other}, which the parser"):
            list(parser.pipe([tagged, half]))
    tags = {name: [*values[:-1], "_"] for name, values in file.header["tags"].items()}
    used_to = freeze(ModelFile(file.header | {"tags": tags}, file.arrays))
    assert used_to.needs == ()
    assert len(used_to(["the", "man"])) == 2


def test_a_list_of_texts_is_not_taken_for_words(model: Model) -> None:
    with pytest.raises(DataError, match=r"`given\[0\]` is 'It rains\.', expected a word.*`pipe`"):
        model(["It rains.", "Dogs bark."])
    assert len(model(["10 000", "dogs"])) == 2
