"""Sources of chunks: compressed files, pipes, and files that are not UTF-8."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.data import lines as reading_lines
from meprop_nlp.data.conll import chunks
from meprop_nlp.data.conll.chunks import comes_in_chunks, read_chunks, read_documents
from meprop_nlp.data.conll.reading import read
from meprop_nlp.errors import ConfigError, ConlluError, DataError

LINE = "1\ta\t_\t_\t_\t_\t0\t_\t_\t_\n"


class TestSources:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress])
    def test_compressed_files(self, pack: Any, tmp_path: Path) -> None:
        path = tmp_path / "a.conllu"
        path.write_bytes(pack(LINE.encode()))
        [chunk] = read_chunks(path)
        assert chunk[:4] == (str(path), LINE.encode(), 1, 0)

    def test_standard_input(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINE.encode())))
        assert comes_in_chunks("-")
        [chunk] = read_chunks("-")
        assert (chunk.path, chunk.data) == ("<stdin>", LINE.encode())

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "no such file"),
            (b"PK\x03\x04 and more", "is a zip archive, expected a text file"),
            ("1\ta".encode("utf-16"), "the file is UTF-16"),
            (b"\x1f\x8b\x08\x00", "the compressed file is damaged"),
        ],
    )
    def test_unreadable_source(self, content: bytes | None, message: str, tmp_path: Path) -> None:
        path = tmp_path / "a.conllu"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            list(read_chunks(path))
        with pytest.raises(DataError, match="is a directory"):
            list(read_chunks(tmp_path))

    @pytest.mark.parametrize("head", ["0", "9"])
    def test_bytes_that_are_not_text(self, head: str) -> None:
        line = LINE.replace("0", head)
        text = (LINE + "\n").encode() * 10 + f"# é\r{line}\n".encode() + b"1\t\xff\n"
        with pytest.raises(ConlluError) as expected:
            list(read(io.BytesIO(text)))
        with pytest.raises(ConlluError) as actual:
            list(read_documents(io.BytesIO(text)))
        assert str(actual.value) == str(expected.value)
        assert f"byte {len(text) - 2} is not valid UTF-8" in str(actual.value)
        assert actual.value.problems[-1].line == 24

    def test_line_that_does_not_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chunks, "LONGEST_LINE", 100_000)
        text = (LINE + "\n").encode()
        assert len(list(read_chunks(io.BytesIO(text + "é".encode() * 100_000)))) == 1
        with pytest.raises(DataError, match="<stream>:3: a line of over 100,000 characters"):
            list(read_chunks(io.BytesIO(text + "é".encode() * 200_000)))
        parts = read_chunks(io.BytesIO(text + "é".encode() * 200_000))
        assert next(parts).data == text
        monkeypatch.setattr(reading_lines, "LONGEST_LINE", 100_000)
        with pytest.raises(DataError, match="<stream>:3: a line of over 100,000 characters"):
            list(read(io.BytesIO(text + "é".encode() * 200_000)))

    def test_block_that_does_not_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chunks, "LONGEST_BLOCK", 1 << 20)
        line = LINE.partition("\n")[0].encode() + b"\n"
        parts = read_chunks(io.BytesIO(line + b"\n" + line * 100_000), size=100)
        assert next(parts).data == line + b"\n"
        with pytest.raises(DataError, match="<stream>:3: a sentence of over 1 MB, expected an emp"):
            next(parts)

    @pytest.mark.parametrize("input_format", ["auto", "tab"])
    def test_lines_with_a_hash_are_comments_before_words_and_tabs_only(
        self, input_format: str
    ) -> None:
        text = b"# first\tline\n\nthe\tDT\n\n# \tSYM\n\n"
        expected = [str(s) for s in read(io.BytesIO(text), input_format=input_format)]
        actual = [str(s) for s in read_documents(io.BytesIO(text), input_format=input_format)]
        assert actual == expected
        assert len(actual) == (2 if input_format == "auto" else 3)

    @pytest.mark.parametrize("empty", ["\n", " \n", "\t \r\n"])
    def test_sentence_does_not_wait_for_the_rest_of_the_next_one(
        self, empty: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        block = f"{LINE}{empty}".encode()

        class Pieces(io.BytesIO):
            sizes = iter([len(block) - 10, 3, 3])  # ten bytes are read to detect compression

            def read1(self, size: int | None = -1) -> bytes:
                return super().read1(next(self.sizes))

        # more bytes follow at once but end no block, and then nothing comes for long
        waits = iter([False, False, True])
        monkeypatch.setattr(chunks, "would_wait", lambda stream: next(waits))
        chunk = next(read_chunks(Pieces(block + b"# half")))
        assert (chunk.data, chunk.pauses) == (block, True)

    def test_other_encodings_and_text_streams_cannot_be_read_in_chunks(self) -> None:
        assert comes_in_chunks("a.conllu")
        assert comes_in_chunks(io.BytesIO(), "UTF8")
        assert not comes_in_chunks("a.conllu", "latin-1")
        assert not comes_in_chunks("a.conllu", "no such")
        assert not comes_in_chunks(io.StringIO())
        with pytest.raises(DataError, match="a text stream"):
            list(read_chunks(io.StringIO()))

    @pytest.mark.parametrize(
        "options", [{"input_format": "xml"}, {"on_error": "stop"}, {"max_errors": 0}]
    )
    def test_wrong_arguments(self, options: Any) -> None:
        with pytest.raises(ConfigError):
            read_documents(os.devnull, **options)
