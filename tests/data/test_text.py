"""Running text in pieces: nothing is lost, pieces end at paragraphs, what is no text is refused."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import re
import tracemalloc
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meprop_nlp.data import source as opening
from meprop_nlp.data import text as reading
from meprop_nlp.data.text import LINE_ENDS, LONGEST_PARAGRAPH, TextChunk, read_texts
from meprop_nlp.errors import DataError

# line ends and spaces more often than in any text
LETTERS = st.sampled_from(["a", "é", "你", "😀", "\u0301", "\u200d", ".", "\u2028", "\x0b"])
SPACES = st.sampled_from([" ", "\t", "\n", "\n\n", "\r\n", "\r\n\r\n", "\r", "\r\r", "\u00a0"])
TEXTS = st.lists(LETTERS | SPACES, max_size=60).map("".join)


class Cut(io.RawIOBase):
    """A stream that gives its bytes in pieces of these sizes, over and over."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes = data, sizes
        self.n_reads = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(self.sizes[self.n_reads % len(self.sizes)], len(buffer))
        self.n_reads += 1
        piece, self.data = self.data[:size], self.data[size:]
        buffer[: len(piece)] = piece
        return len(piece)


def chunks_of(text: str, **options: Any) -> list[TextChunk]:
    return list(read_texts(io.BytesIO(text.encode()), **options))


def texts_of(text: str, n_bytes: int = 4, **options: Any) -> list[str]:
    """The pieces of a text that is read in bits of a few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_PIECE", n_bytes)
        return [chunk.text for chunk in chunks_of(text, **options)]


@settings(max_examples=400)
@given(
    text=TEXTS,
    sizes=st.lists(st.integers(1, 9), min_size=1),
    size=st.integers(1, 20),
    longest=st.sampled_from([None, 5, 20, 1000]),
    ends=st.sampled_from([reading.PARAGRAPH_ENDS, LINE_ENDS]),
    waits=st.booleans(),
)
def test_pieces_in_a_row_are_the_text(
    text: str, sizes: list[int], size: int, longest: int | None, ends: Any, waits: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_PIECE", 7)
        patch.setattr(reading, "would_wait", lambda stream: waits)
        source: Any = io.BufferedReader(Cut(text.encode(), sizes), 16)
        chunks = list(read_texts(source, size=size, longest=longest, ends=ends))
    assert "".join(chunk.text for chunk in chunks) == text
    assert all(chunk.text for chunk in chunks)
    for chunk, following in pairwise(chunks):
        rest = chunk.text[len(chunk.text.rstrip()) :]
        assert following.continues == (longest is not None and not ends.search(rest))
    assert not any(chunk.continues for chunk in chunks[:1])
    if text.strip() and not waits:
        assert all(chunk.text.strip() for chunk in chunks)
    before = ""
    for chunk in chunks:
        if not (before.endswith("\r") and chunk.text.startswith("\n")):
            assert chunk.first_line == 1 + len(re.findall("\r\n|\n|\r", before))
        before += chunk.text


@given(text=TEXTS, size=st.integers(1, 20))
def test_pieces_end_where_an_empty_line_is(text: str, size: int) -> None:
    chunks = texts_of(text, size=size)
    for chunk, following in pairwise(chunks):
        assert re.search(r"(\r\n|\n|\r(?!\n))[^\S\r\n]*(\r\n|\n|\r(?!\n))\s*$", chunk)
        assert chunk.strip()
        assert following.lstrip() == following != ""


def test_text_comes_in_pieces_of_whole_paragraphs() -> None:
    paragraphs = [f"One {n}.\nTwo.\n \t\n" for n in range(9)]
    assert texts_of("".join(paragraphs), size=40) == [
        "".join(paragraphs[n : n + 2]) for n in (0, 2, 4, 6, 8)
    ]
    assert texts_of("".join(paragraphs)) == ["".join(paragraphs)]


def test_line_ends_stay_as_they_are() -> None:
    paragraphs = ["a\r\nb\r\n\r\n", "c\rd\r\r", "e\n\n", "f"]
    text = "".join(paragraphs)
    cuts: set[int] = set()  # where a text is cut depends on where its bits end
    for n_bytes in range(1, 9):
        pieces = texts_of(text, n_bytes, size=1)
        assert "".join(pieces) == text
        cuts.update(accumulate(map(len, pieces)))
    assert cuts == {*accumulate(map(len, paragraphs))}
    [chunk] = read_texts(io.StringIO(text, newline=""))
    assert chunk.text == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        # the last line break, else the last space, else anywhere
        ("a b\nc d\ne f g h", ["a b\nc d\n", "e f g h"]),
        ("a b c d e f g h", ["a b c d e ", "f g h"]),
        ("abcdefghijklmno", ["abcdefghij", "klmno"]),
        ("a bcdefghijklmno", ["a ", "bcdefghijk", "lmno"]),
        # an accent stays with its letter, an emoji is not taken apart
        ("abcdefghij\u0301kl", ["abcdefghi", "j\u0301kl"]),
        ("abcdefgh👩\u200d👩kl", ["abcdefgh", "👩\u200d👩kl"]),
        # paragraphs come first
        ("a\n\nb c\nd e f g h i j k", ["a\n\n", "b c\n", "d e f g h ", "i j k"]),
    ],
)
@pytest.mark.parametrize("size", [1, 11])
def test_long_paragraph_is_cut_as_late_as_possible(text: str, pieces: list[str], size: int) -> None:
    assert texts_of(text, longest=10, size=size) == pieces


def test_last_paragraph_is_not_lost_where_its_white_space_is_long() -> None:
    assert texts_of("aa\n\n   ", longest=5, size=1) == ["aa\n\n   "]


def test_long_white_space_stays_with_the_text_around_it() -> None:
    spaces = " \n" * 15
    text = f"{spaces}ab{spaces}cd{spaces}"
    pieces = [f"{spaces}ab{spaces}", f"cd{spaces}"]
    assert texts_of(text, longest=10, size=1) == texts_of(text, size=1) == pieces
    assert texts_of("ab" + " " * 50, longest=10, size=1) == ["ab" + " " * 50]
    assert texts_of(" " * 50, longest=10, size=1) == [" " * 50]


def test_white_space_without_an_end_is_refused() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "LONGEST_SPACE", 20)
        assert texts_of("a\n" + " " * 18 + "b", longest=10, size=1) == ["a\n" + " " * 18, "b"]
        for before in ("", "\na\n\n"):
            with pytest.raises(DataError, match="<stream>:1: white space of over 20 char"):
                texts_of(before + " " * 99, longest=10, size=1)


def test_units_without_a_longest_are_never_cut() -> None:
    text = "a b c d e f\ng h i j k l\n"
    assert texts_of(text, longest=None, size=1, ends=LINE_ENDS) == [
        "a b c d e f\n",
        "g h i j k l\n",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "LONGEST_LINE", 10)
        with pytest.raises(DataError, match="<stream>:2: a line or a sentence of over 10 charact"):
            texts_of("a\n" + "b c " * 9, longest=None, size=1, ends=LINE_ENDS)


def test_memory_does_not_grow_with_a_text_without_breaks(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 20_000_000)
    tracemalloc.start()
    try:
        lengths = [len(chunk.text) for chunk in read_texts(path)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lengths == [LONGEST_PARAGRAPH] * (20_000_000 // LONGEST_PARAGRAPH)
    assert peak < 10_000_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
def test_packed_files_are_read(pack: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(pack("Über.\n\nÄh.\n".encode()))
    [chunk] = read_texts(path)
    assert chunk == (str(path), "Über.\n\nÄh.\n", 1, 0, False, False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_byte_order_mark_is_dropped_in_any_encoding(encoding: str) -> None:
    [chunk] = read_texts(io.BytesIO("\ufeffé\ufeff".encode(encoding)), encoding=encoding)
    assert chunk.text == "é\ufeff"


@pytest.mark.parametrize("text", ["", "\ufeff", "\ufeff\ufeff"])
def test_empty_file_gives_nothing(text: str) -> None:
    assert texts_of(text) == []


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"a\nb\n\nc\r\nd\0e", "utf-8", "x:5: a NUL byte in "),
        (b"a\n\nb\xff", "utf-8", "x:3: byte 4 is not valid UTF-8; give the file's `encoding`"),
        (b"\x00\xff\x00\x00", "utf-8", "x: many zero bytes, expected UTF-8 text"),
        ("Über".encode("utf-16"), "utf-8", "x: the file is UTF-16, expected UTF-8; give `enco"),
        ("Text.\n".encode("utf-16-le"), "utf-8", "the file is UTF-16, give `encoding` utf-16-le"),
        ("Text.\n".encode("utf-16-be"), "utf-8", "the file is UTF-16, give `encoding` utf-16-be"),
        ("Über".encode("utf-32"), "utf-8", "x: the file is UTF-32, expected UTF-8; give `encodin"),
        (codecs.BOM_UTF32_BE, "utf-8", "x: the file is UTF-32, expected UTF-8; give `encodin"),
        ("中文文本。".encode("utf-16-le"), "utf-8", "x:1: byte 2 is not valid UTF-8"),
        (b"%PDF-1.7", "utf-8", "x is a PDF file, expected a text file"),
        (b"a\n\nb\0", "latin-1", "x:3: a NUL byte in "),
        (b"abc", "utf-16", "x: UTF-16 stream does not start with BOM; is `encoding` right"),
        (b"abc", "klingon", "unknown encoding: klingon; use a name such as utf-8"),
        (b"abc", "base64", "use a name such as utf-8"),
        (
            gzip.compress(bytes(range(32, 127)) * 99, mtime=0)[:60],
            "utf-8",
            "x: the compressed file is dam",
        ),
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused_in_one_line(
    data: bytes, encoding: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x").write_bytes(data)
    with pytest.raises(DataError) as error:
        list(read_texts("x", encoding=encoding))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_lone_surrogate_of_a_text_stream_is_refused() -> None:
    with pytest.raises(DataError, match="<stream>:2: half of a character"):
        list(read_texts(io.StringIO("a\n\ud800")))


def test_whole_paragraphs_before_a_fault_come_first() -> None:
    chunks = read_texts(io.BytesIO(b"a.\n\nb.\0 c"))
    assert next(chunks).text == "a.\n\n"
    with pytest.raises(DataError, match=":3: a NUL byte"):
        next(chunks)


def test_pipe_that_pauses_gives_what_is_whole() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", 0) as sink:
        sink.write(b"\n\none two three\n")
        sink.write(b"four\n\n")
        chunks = read_texts(source)
        assert next(chunks) == ("<stream>", "\n\none two three\nfour\n\n", 1, 0, False, True)
        sink.write(b"five\r\n\r\nsix")
        assert next(chunks) == ("<stream>", "five\r\n\r\n", 6, 22, False, True)
        sink.close()
        assert next(chunks) == ("<stream>", "six", 8, 30, False, False)
        assert next(chunks, None) is None
