"""Lines of words: pieces end where sentences end."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.data.conll.reading import read_text
from meprop_nlp.data.formats.vertical import vertical_to_conllu
from meprop_nlp.data.text import EMPTY_LINES, read_texts
from meprop_nlp.data.text_input import TextInput

PARTS = ["a", " ", "\t\n", "\n", "\r\n", "\r", "\n\n", "\u00a0", "\u2028", "\x0b", "\x85"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=40).map("".join)


@given(text=TEXTS)
def test_pieces_of_vertical_text_are_whole_sentences(text: str) -> None:
    chunks = read_texts(io.BytesIO(text.encode()), ends=EMPTY_LINES, longest=None, size=1)
    pieces = [chunk.text for chunk in chunks]
    assert "".join(pieces) == text
    assert "".join(map(vertical_to_conllu, pieces)) == vertical_to_conllu(text)


@pytest.mark.parametrize("word", ["\u00a0", "\u2028", "\x0b"])
def test_white_space_that_is_a_word_ends_no_sentence(word: str) -> None:
    words = TextInput("vertical", None)
    text = f"a\n{word}\nb\n\n" * 20_000
    chunks = list(words.read(io.BytesIO(text.encode())))
    assert len(chunks) > 1
    assert all(chunk.text.endswith("b\n\n") for chunk in chunks)
    [sentence, *_] = read_text(vertical_to_conllu(chunks[0].text), input_format="conllu")
    assert sentence.forms == ["a", word, "b"]
