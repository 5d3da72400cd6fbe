"""Lines of words: pieces end where sentences end."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.formats.vertical import vertical_to_conllu
from meprop_nlp.data.spaces import text_of
from meprop_nlp.data.text import EMPTY_LINES, read_texts
from meprop_nlp.data.text_input import TextInput
from meprop_nlp.models.tokenizer import Tokenizer

from ..models.models import random_tokenizer

PARTS = ["a", " ", "\t\n", "\n", "\r\n", "\r", "\n\n", "\u00a0", "\u2028", "\x0b", "\x85"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)


@given(text=TEXTS)
def test_pieces_of_vertical_text_are_whole_sentences(text: str) -> None:
    chunks = read_texts(io.BytesIO(text.encode()), ends=EMPTY_LINES, longest=None, size=1)
    pieces = [chunk.text for chunk in chunks]
    assert "".join(pieces) == text
    assert "".join(map(vertical_to_conllu, pieces)) == vertical_to_conllu(text)


@given(
    lines=st.lists(st.sampled_from(["He left. She", "b", "", "\r", " "]), max_size=12),
    end=st.sampled_from(["\n", "\r\n"]),
    size=st.integers(1, 60),
)
def test_presegmented_lines_are_sentences_however_the_text_is_cut(
    lines: list[str], end: str, size: int
) -> None:
    text = end.join(lines)
    tokenizer = Tokenizer(random_tokenizer(1))
    given = TextInput("presegmented", tokenizer.conllu)
    chunks = list(given.read(io.BytesIO(text.encode()), size=size))
    assert "".join(chunk.text for chunk in chunks) == text
    found = "".join(given.in_conllu(chunk).conllu for chunk in chunks)
    assert found == tokenizer.conllu(text, presegmented=True)
    sentences = list(read_text(found, input_format="conllu"))
    assert [sentence.text for sentence in sentences] == [line for line in lines if line.strip()]
    assert text_of(sentences).strip() == text.strip()


@pytest.mark.parametrize("word", ["\u00a0", "\u2028", "\x0b"])
def test_white_space_that_is_a_word_ends_no_sentence(word: str) -> None:
    words = TextInput("vertical", None)
    text = f"a\n{word}\nb\n\n" * 20_000
    chunks = list(words.read(io.BytesIO(text.encode())))
    assert len(chunks) > 1
    assert all(chunk.text.endswith("b\n\n") for chunk in chunks)
    [sentence, *_] = read_text(vertical_to_conllu(chunks[0].text), input_format="conllu")
    assert sentence.forms == ["a", word, "b"]
