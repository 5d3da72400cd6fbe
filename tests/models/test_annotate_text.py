"""`annotate` on running text and on lines of words; other forms of output."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp.data import text as reading
from meprop_nlp.data import text_input
from meprop_nlp.data.conll.chunks import Chunk
from meprop_nlp.data.conll.layout import CONLLU
from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.formats.json_lines import to_json
from meprop_nlp.data.formats.tsv import to_tsv
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.spaces import text_of
from meprop_nlp.errors import ConfigError, DataError
from meprop_nlp.models.annotate import _rewritten, annotate, tokenizer_of
from meprop_nlp.models.model import Model, freeze

from .models import random_parser, random_tagger

TEXT = "The old man.\nThe boats. \n \nÜber x2.\r\n\r\n\r\nthe man"


@pytest.fixture(scope="module")
def models() -> list[Model]:
    parser = random_parser(3, tag_columns=("upos",), exact=False)
    return [freeze(random_tagger(1, columns=("upos",))), freeze(parser)]


def annotated(source: Any, models: Any, **options: Any) -> str:
    if isinstance(source, str):
        source = io.BytesIO(source.encode())
    return b"".join(piece.text for piece in annotate(source, models, **options)).decode()


def sentences_of(*arguments: Any, **options: Any) -> list[Sentence]:
    return list(read_text(annotated(*arguments, **options), input_format="conllu"))


def test_text_is_annotated_as_its_words_are(models: list[Model], tokenizer: Any) -> None:
    found = sentences_of(TEXT, models, tokenizer=tokenizer)
    assert [s.forms for s in found][:2] == [["The", "old", "man", "."], ["The", "boats", "."]]
    for sentence in found:
        expected = models[1](models[0](sentence.forms))
        for column in ("upos", "head", "deprel"):
            assert sentence.column(column) == expected.column(column)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("slow", [False, True])
def test_text_comes_back_byte_for_byte(
    threads: int, slow: bool, models: list[Model], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if slow:
        monkeypatch.setattr(Chunk, "document", lambda chunk: None)
    text = "\n " + TEXT * 3000
    assert text_of(sentences_of(text, models, tokenizer=tokenizer, threads=threads)) == text


@settings(max_examples=25)
@given(
    text=st.lists(st.sampled_from(["a", "The ", ".", " ", "\n", "\n\n", "\r\n", "é"])).map("".join),
    size=st.integers(1, 30),
    threads=st.sampled_from([1, 3]),
)
def test_size_of_the_pieces_does_not_show(
    text: str, size: int, threads: int, models: list[Model], tokenizer: Any
) -> None:
    options: dict[str, Any] = {"tokenizer": tokenizer, "input_format": "text"}
    expected = annotated(text, models, **options)

    def in_bits(source: Any, **more: Any) -> Iterator[reading.TextChunk]:
        return reading.read_texts(source, **more | {"size": size})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_input, "read_texts", in_bits)
        assert annotated(text, models, threads=threads, **options) == expected


def test_documents_and_paragraphs_are_marked(models: list[Model], tokenizer: Any) -> None:
    found = sentences_of(TEXT, models, tokenizer=tokenizer)
    marks = [["# newdoc", "# newpar"], [], ["# newpar"], ["# newpar"]]
    assert [s.comments[:-1] for s in found] == marks

    class Marks:
        def conllu(self, text: str) -> str:
            return f"# newdoc id = 1\n{tokenizer.conllu(text)}"

    comments = sentences_of("It.", models, tokenizer=Marks())[0].comments
    assert comments == ["# newdoc id = 1", "# newpar", "# sent_id = 1"]


@pytest.mark.parametrize("input_format", ["text", "horizontal"])
@pytest.mark.parametrize("threads", [1, 3])
def test_sentences_are_numbered_in_order(
    threads: int, input_format: str, models: list[Model], tokenizer: Any
) -> None:
    text = TEXT.replace(" \n \n", "\n\n") * 1600
    options: dict[str, Any] = {"input_format": input_format, "threads": threads}
    found = sentences_of(text, models, tokenizer=tokenizer, **options)
    assert [s.sent_id for s in found] == [str(n) for n in range(1, len(found) + 1)]
    written = annotated(text, models, tokenizer=tokenizer, write_sentence=to_json, **options)
    ids = [json.loads(line)["id"] for line in written.splitlines()]
    assert ids == [s.sent_id for s in found]


@pytest.mark.parametrize("longest", [7, 12, 20])
def test_paragraph_that_is_cut_begins_once(
    longest: int, models: list[Model], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(source: Any, **more: Any) -> Iterator[reading.TextChunk]:
        return reading.read_texts(source, **more | {"longest": longest, "size": 5})

    monkeypatch.setattr(text_input, "read_texts", cut)
    text = "The old man\nhas old boats\n\n\nand men\tand men and"
    found = sentences_of(text, models, tokenizer=tokenizer, input_format="text")
    begins = [s.forms[0] for s in found if "# newpar" in s.comments]
    assert begins == ["The", "and"]
    assert len(found) > 2
    assert text_of(found) == text


@pytest.mark.parametrize("text", ["", " \n\n\r\n", "\ufeff"])
def test_text_without_words_gives_nothing(text: str, models: list[Model], tokenizer: Any) -> None:
    for input_format in ("auto", "text", "horizontal", "vertical"):
        assert annotated(text, models, tokenizer=tokenizer, input_format=input_format) == ""


def test_conll_is_still_conll(models: list[Model], tokenizer: Any) -> None:
    words = Sentence.from_words(["The", "man"]).to_text()
    for text in (words, f"# text = The man\n{words}", "The\tDT\nman\tNN\n\n", f"\ufeff\n{words}"):
        assert annotated(text, models, tokenizer=tokenizer) == annotated(text, models)
    as_text = sentences_of(words, models, tokenizer=tokenizer, input_format="text")
    assert as_text[0].forms == ["1", "The", *"________", "2", "man", *"________"]


def test_file_named_as_conll_needs_tabs(
    models: list[Model], tokenizer: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.conllu"
    path.write_text("It rains.\n")
    with pytest.raises(DataError, match=r"a\.conllu:1: found 1 column in 'It rains\.'"):
        annotated(path, models, tokenizer=tokenizer)
    assert len(sentences_of(path, models, tokenizer=tokenizer, input_format="text")) == 1


def test_bracketed_trees_are_refused(models: list[Model], tokenizer: Any) -> None:
    with pytest.raises(DataError, match="bracketed trees become CoNLL-X with: meprop-nlp convert"):
        annotated("( (S (NN tea)))\n", models, tokenizer=tokenizer)


def test_text_without_a_tokenizer_is_refused_with_advice(models: list[Model]) -> None:
    with pytest.raises(DataError) as error:
        annotated("# A title\n\nIt rains.\n", models)
    message = str(error.value)
    assert message.startswith("<stream>: looks like text, with no tab in 'It rains.', but the mod")
    for advice in ("no tokenizer", "`heads` tokens,", "`input_format=horizontal`", "=vertical`"):
        assert advice in message
    with pytest.raises(ConfigError, match="`input_format` is text, but the model has no tokenizer"):
        annotated("It rains.\n", models, input_format="text")
    with pytest.raises(ConfigError, match="`input_format` is 'xml', expected one of auto, conllu"):
        annotated("It rains.\n", models, input_format="xml")


def test_first_tokenizer_of_the_models_is_used(
    models: list[Model], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tokenizer_of(models) is None
    monkeypatch.setattr(models[1], "tokenizer", tokenizer)
    assert tokenizer_of(models) is tokenizer
    assert len(sentences_of("It rains.", models)) == 1


def test_models_are_chosen_by_the_words_of_a_text(models: list[Model], tokenizer: Any) -> None:
    seen: list[list[str]] = []

    def choose(words: Any) -> list[Model]:
        seen.append(words.column("form"))
        return models

    text = TEXT * 3000
    for threads in (1, 3):
        seen.clear()
        found = annotated(text, choose, tokenizer=tokenizer, threads=threads)
        assert found == annotated(text, models, tokenizer=tokenizer)
        assert len(seen) == 1
        assert seen[0][:2] == ["The", "old"]


@pytest.mark.parametrize(
    ("input_format", "text"),
    [
        ("horizontal", "The old man .\n\n The  boats .\nNew\u00a0York\n"),
        ("vertical", "The\nold\nman\n.\n\nThe\nboats\n.\n\nNew\u00a0York"),
    ],
)
@pytest.mark.parametrize("threads", [1, 3])
def test_words_on_lines_need_no_tokenizer(
    input_format: str, text: str, threads: int, models: list[Model]
) -> None:
    found = sentences_of(text, models, input_format=input_format, threads=threads)
    words = [["The", "old", "man", "."], ["The", "boats", "."], ["New\u00a0York"]]
    assert [sentence.forms for sentence in found] == words
    assert found[1].column("head") == models[1](models[0](words[1])).column("head")
    assert [sentence.comments for sentence in found] == [
        ["# newdoc", "# sent_id = 1"],
        ["# sent_id = 2"],
        ["# sent_id = 3"],
    ]


def test_fault_in_words_on_lines_has_its_line(models: list[Model]) -> None:
    text = "The\nman\n\n" * 30_000 + "a\tb\n"
    for threads in (1, 3):
        pieces = annotate(
            io.BytesIO(text.encode()), models, input_format="vertical", threads=threads
        )
        sizes: list[int] = []
        with pytest.raises(DataError, match="<stream>:90001: a tab in 'a→b', expected one word"):
            list(map(sizes.append, map(len, pieces)))
        assert 0 < sum(sizes) <= 60_000


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_text_of_other_encodings_and_text_streams(
    encoding: str, models: list[Model], tokenizer: Any
) -> None:
    expected = annotated(TEXT, models, tokenizer=tokenizer)
    source = io.BytesIO(TEXT.encode(encoding))
    assert annotated(source, models, tokenizer=tokenizer, encoding=encoding) == expected
    source_of_text = io.StringIO(TEXT, newline="")
    assert annotated(source_of_text, models, tokenizer=tokenizer) == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_paragraphs_of_a_pipe_come_out_as_soon_as_they_are_whole(
    threads: int, models: list[Model], tokenizer: Any
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", 0) as sink:
        sink.write(b"It rains.\n\nIt")
        pieces = annotate(source, models, tokenizer=tokenizer, threads=threads)
        assert next(pieces).text.startswith(b"# newdoc\n# newpar\n# sent_id = 1\n1\tIt\t")
        sink.write(b" snows.\n\n")
        assert b"\tsnows\t" in next(pieces).text
        sink.close()
        assert next(pieces, None) is None


@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_whole_before_a_fault_comes_out(
    threads: int, models: list[Model], tokenizer: Any
) -> None:
    source = io.BytesIO(b"It rains.\n\nIt \xff")
    pieces = annotate(source, models, tokenizer=tokenizer, threads=threads)
    assert b"\trains\t" in next(pieces).text
    with pytest.raises(DataError, match="<stream>:3: byte 14 is not valid UTF-8"):
        next(pieces)


@pytest.mark.parametrize("threads", [1, 3])
def test_white_space_of_any_length_comes_back(
    threads: int, models: list[Model], tokenizer: Any
) -> None:
    spaces = " \n\t" * 100_000
    text = f"{spaces}It rains.{spaces}It rains{spaces}"
    pieces = annotate(
        io.BytesIO(text.encode()), models, tokenizer=tokenizer, threads=threads, input_format="text"
    )
    found = list(read_text(b"".join(piece.text for piece in pieces).decode()))
    assert text_of(found) == text
    assert len(found) == 2


# other forms of output


@pytest.mark.parametrize("slow", [False, True])
def test_sentences_are_written_in_another_form(
    slow: bool, models: list[Model], tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = sentences_of(TEXT, models, tokenizer=tokenizer)
    if slow:
        monkeypatch.setattr(Chunk, "document", lambda chunk: None)
    options: dict[str, Any] = {"tokenizer": tokenizer, "threads": 2}
    found = annotated(TEXT, models, write_sentence=to_json, **options)
    assert found == "".join(map(to_json, expected))
    heads = [t["head"] for line in found.splitlines() for t in json.loads(line)["tokens"]]
    assert heads == [head for sentence in expected for head in sentence.column("head")]
    found = annotated(TEXT, models, write_sentence=to_tsv, **options)
    assert found == "".join(map(to_tsv, expected))


@pytest.mark.parametrize("layout", ["conllx", "tab"])
def test_layouts_without_misc_are_written_in_another_form(layout: str, models: list[Model]) -> None:
    columns = {"conllx": "1\tThe\t_\tX\tX\t_\t_\t_\t_\t_\n", "tab": "The\tX\n"}
    text = f"{columns[layout]}\n"
    found = json.loads(annotated(text, models, write_sentence=to_json, input_format=layout))
    token = found["tokens"][0]
    assert (token["form"], token["head"], "misc" in token) == ("The", 0, False)


def test_annotated_text_is_valid_conllu(models: list[Model], tokenizer: Any) -> None:
    found = annotated(TEXT, models, tokenizer=tokenizer)
    assert re.fullmatch(r"(?:(?:#.*\n)*(?:[0-9]+(?:\t[^\t\n]+){9}\n)+\n)+", found)
    assert len(list(read(io.BytesIO(found.encode()), trees=True))) == 4


def test_faulty_sentence_of_the_core_is_not_dropped() -> None:
    with pytest.raises(AssertionError, match="faulty"):
        _rewritten(b"1\tfaulty\n\n", CONLLU, to_json)
