"""Horizontal and vertical text: sentences are written so, and words are read so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.formats.horizontal import MOST_WORDS, horizontal_to_conllu, to_horizontal
from meprop_nlp.data.formats.vertical import to_vertical, vertical_to_conllu
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError

MULTIWORD = (
    "# text = Il va au bal.\n"
    + "".join(
        f"{n}\t{form}" + "\t_" * 8 + "\n"
        for n, form in [
            ("1", "Il"),
            ("2", "va"),
            ("3-4", "au"),
            ("3", "à"),
            ("4", "le"),
            ("5", "bal"),
        ]
    )
    + "\n"
)
WORD = st.text(st.sampled_from("ab\u00a0é#_1\u2028\x0b"), min_size=1)
SENTENCES = st.lists(st.lists(WORD, min_size=1), max_size=5)


def forms_of(conllu: str) -> list[list[str]]:
    return [sentence.forms for sentence in read_text(conllu, input_format="conllu")]


@given(sentences=SENTENCES)
def test_horizontal_comes_back_as_it_was_written(sentences: list[list[str]]) -> None:
    text = "".join(to_horizontal(Sentence.from_words(forms)) for forms in sentences)
    assert text.count("\n") == len(sentences)
    assert forms_of(horizontal_to_conllu(text)) == sentences


@given(sentences=SENTENCES)
def test_vertical_comes_back_as_it_was_written(sentences: list[list[str]]) -> None:
    text = "".join(to_vertical(Sentence.from_words(forms)) for forms in sentences)
    assert forms_of(vertical_to_conllu(text)) == sentences


def test_space_within_a_form_is_no_break_in_horizontal_and_stays_in_vertical() -> None:
    sentence = Sentence.from_words(["New York", "10 000"])
    assert to_horizontal(sentence) == "New\u00a0York 10\u00a0000\n"
    assert to_vertical(sentence) == "New York\n10 000\n\n"
    assert forms_of(vertical_to_conllu("New York\n")) == [["New York"]]


def test_surface_tokens_are_written() -> None:
    [sentence] = read_text(MULTIWORD)
    assert to_horizontal(sentence) == "Il va au bal\n"
    assert to_vertical(sentence) == "Il\nva\nau\nbal\n\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_spaces_that_separate(end: str) -> None:
    lines = ["", " It  rains\t. ", " ", "#1 wins", ""]
    assert forms_of(horizontal_to_conllu(end.join(lines))) == [["It", "rains", "."], ["#1", "wins"]]
    lines = ["", " It ", "rains", "", " \t", "", "# wins", ""]
    assert forms_of(vertical_to_conllu(end.join(lines))) == [["It", "rains"], ["# wins"]]


def test_nothing_gives_no_sentences() -> None:
    for text in ("", "\n", " \n\n"):
        assert horizontal_to_conllu(text) == vertical_to_conllu(text) == ""


def test_columns_are_no_vertical_text() -> None:
    with pytest.raises(DataError) as error:
        vertical_to_conllu("It\nrains\n\nIt\tPRON\n", path="a.txt", first_line=7)
    assert str(error.value).startswith("a.txt:10: a tab in 'It→PRON', expected one word")


def test_sentence_without_an_end_is_refused() -> None:
    most, line = (
        ["a"] * MOST_WORDS,
        r"<text>:2: a sentence of 10,001 words, expected at most 10,000",
    )
    assert forms_of(horizontal_to_conllu("b\n" + " ".join(most))) == [["b"], most]
    with pytest.raises(DataError, match=line):
        horizontal_to_conllu("b\n" + " ".join([*most, "a"]) + "\nb")
    assert forms_of(vertical_to_conllu("\n" + "\n".join(most))) == [most]
    with pytest.raises(DataError, match=line):
        vertical_to_conllu("\n" + "\n".join([*most, "a"]) + "\n\nb")
