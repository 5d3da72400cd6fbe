"""`Document`, `Sentence` and `Word` as people use them: loops, indices, dicts, notebooks."""

from __future__ import annotations

import json

import pytest

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.document import Document
from meprop_nlp.data.formats import json_lines
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.errors import DataError

TEXT = """\
# sent_id = 1
1\tIt\tit\tPRON\tPRP\tCase=Nom|Number=Sing\t2\tnsubj\t_\t_
2\trains\train\tVERB\tVBZ\t_\t0\troot\t_\tSpaceAfter=No
3\t.\t.\tPUNCT\t.\t_\t2\tpunct\t_\tSpacesAfter=\\s\\n

# sent_id = 2
1\tWe\twe\tPRON\t_\t_\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\tdo\tAUX\t_\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\t_\t_\t2\tadvmod\t_\t_
3.1\tgo\t_\t_\t_\t_\t_\t_\t2:conj\t_
4\t.\t.\tPUNCT\t_\t_\t2\tpunct\t_\tSpaceAfter=No

"""


@pytest.fixture
def document() -> Document:
    return Document(read_text(TEXT))


class TestWord:
    def test_its_columns_are_a_dict_without_those_that_are_not_set(self) -> None:
        assert Word(1, "a").to_dict() == {"id": 1, "form": "a"}
        word = Word(2, "_", "_", "X", "Y", "A=b", 0, "root", "0:root", "Gloss=c")
        assert word.to_dict() == {
            "id": 2, "form": "_", "upos": "X", "xpos": "Y", "feats": "A=b", "head": 0,
            "deprel": "root", "deps": "0:root", "misc": "Gloss=c",
        }  # fmt: skip

    def test_its_repr_shows_what_is_set_and_makes_it_again(self, document: Document) -> None:
        assert repr(Word(1, "a")) == "Word(1, 'a')"
        for sentence in document:
            assert [eval(repr(word)) for word in sentence] == sentence.words


class TestSentence:
    def test_it_is_a_sequence_of_its_words(self, document: Document) -> None:
        sentence = document[0]
        assert [word.upos for word in sentence] == ["PRON", "VERB", "PUNCT"]
        assert sentence[0].lemma == "it"
        assert sentence[-1] is sentence.words[2]
        assert sentence[:2] == sentence.words[:2]
        assert len(sentence) == 3
        with pytest.raises(IndexError):
            sentence[3]

    def test_a_multiword_token_stands_before_its_words(self, document: Document) -> None:
        given = document[1].to_dict()["tokens"]
        assert [word["id"] for word in given] == [1, [2, 3], 2, 3, 4]
        assert given[1] == {"id": [2, 3], "form": "don't", "misc": "SpaceAfter=No"}
        assert given[2] == {
            "id": 2, "form": "do", "lemma": "do", "upos": "AUX", "head": 0, "deprel": "root"
        }  # fmt: skip

    def test_its_json_is_that_of_the_command(self, document: Document) -> None:
        given = document[1].to_dict()
        assert (given["id"], given["text"]) == ("2", document[1].text)
        assert json.loads(document[1].to_json()) == given
        assert json_lines.to_json(document[1]) == document[1].to_json() + "\n"

    def test_its_repr_is_short_however_long_it_is(self) -> None:
        assert repr(Sentence.from_words(["It", "rains"])) == (
            "<Sentence of 2 words, <words>:1: 'It rains'>"
        )
        assert len(repr(Sentence.from_words(["a" * 90] * 9000))) < 100

    def test_half_a_character_is_refused_with_its_place(self) -> None:
        with pytest.raises(DataError, match=r"form of word 2 has half of .* '\\ud83d', at index 1"):
            Sentence.from_words(["a", "é\ud83d"])


class TestDocument:
    def test_it_is_a_sequence_of_its_sentences(self, document: Document) -> None:
        assert [sentence.sent_id for sentence in document] == ["1", "2"]
        assert document[-1] is document.sentences[1]
        assert isinstance(document[1:], Document)
        assert document[1:].sentences == document.sentences[1:]
        assert len(document) == 2
        assert not Document()

    def test_its_text_is_that_of_the_tokens_with_all_white_space(self, document: Document) -> None:
        assert document.text == "It rains. \nWe don't."
        assert document[1:].text == "We don't."
        assert Document().text == ""

    def test_its_lines_are_those_that_were_read(self, document: Document) -> None:
        assert document.to_conllu() == str(document) == TEXT
        assert str(Document()) == ""

    def test_it_is_lists_of_dicts_and_json(self, document: Document) -> None:
        assert document.to_dict() == [sentence.to_dict() for sentence in document]
        assert json.loads(document.to_json()) == document.to_dict()
        assert "\n" not in document.to_json()
        assert Document().to_json() == "[]"

    def test_it_equals_one_of_the_same_sentences(self, document: Document) -> None:
        assert document == Document(read_text(TEXT))
        assert document != document[:1]
        assert document != document.sentences

    def test_its_repr_is_short_and_says_how_much_it_is(self, document: Document) -> None:
        assert repr(document) == '<Document of 2 sentences, 7 words: "It rains. \\nWe don\'t.">'
        assert len(repr(Document([Sentence.from_words(["a"] * 1000)] * 1000))) < 100

    def test_only_sentences_are_taken(self, document: Document) -> None:
        with pytest.raises(DataError, match=r"`sentences\[1\]` is of type list, expected a Sent"):
            Document([document[0], ["It"]])  # type: ignore[list-item]

    def test_a_notebook_shows_its_first_trees(self, document: Document) -> None:
        assert document._repr_html_().count("<svg") == 2
        many = Document([document[0]] * 30)._repr_html_()
        assert many.count("<svg") == 20
        assert many.endswith("<p>and 10 sentences more</p>")
        assert Document()._repr_html_() == "<p>no sentences</p>"
