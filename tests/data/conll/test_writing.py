"""Writing: a file is written completely or not at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from meprop_nlp.data.conll.layout import CONLLU
from meprop_nlp.data.conll.reading import read, read_text
from meprop_nlp.data.conll.writing import write, write_pieces
from meprop_nlp.data.document import Document
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError

SENTENCES = [Sentence.from_words(["Él", "llegó"], head=[2, 0]), Sentence.from_words(["."])]
TEXT = "".join(str(sentence) for sentence in SENTENCES)


def failing() -> Iterator[Sentence]:
    """Yield one sentence, then raise an error."""
    yield SENTENCES[0]
    raise KeyError("stop")


@pytest.mark.parametrize(
    ("name", "unpack"),
    [("a", bytes), ("a.gz", gzip.decompress), ("a.xz", lzma.decompress), ("a.bz2", bz2.decompress)],
)
def test_file_is_compressed_as_its_name_says(name: str, unpack: object, tmp_path: Path) -> None:
    assert write(SENTENCES, tmp_path / name) == 2
    assert unpack((tmp_path / name).read_bytes()) == TEXT.encode()  # type: ignore[operator]
    assert list(read(tmp_path / name)) == SENTENCES
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_compressed_bytes_depend_on_the_text_only(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz"):
        write(SENTENCES, tmp_path / name)
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("name", ["a.conllu", "a.conllu.gz"])
def test_failure_leaves_the_existing_file_unchanged(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("before", encoding="utf-8")
    with pytest.raises(KeyError, match="stop"):
        write(failing(), path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_input_can_be_the_output(tmp_path: Path) -> None:
    path = tmp_path / "a.conllu"
    path.write_text(TEXT * 5000, encoding="utf-8")
    assert write((s.with_columns(upos=["X"] * len(s)) for s in read(path)), path) == 10_000
    assert next(read(path)).column("upos") == ["X", "X"]


def test_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("before", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(SENTENCES, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text(encoding="utf-8") == TEXT


def test_streams_of_text_and_of_bytes() -> None:
    text, raw = io.StringIO(), io.BytesIO()
    write(SENTENCES, text)
    write(SENTENCES, raw)
    assert text.getvalue() == TEXT
    assert raw.getvalue() == TEXT.encode()


def test_standard_output_is_utf8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii", newline="\r\n"))
    write(SENTENCES, "-")
    assert raw.getvalue() == TEXT.encode()


def test_a_document_and_a_single_sentence_can_be_written() -> None:
    sentence = Sentence.from_words(["It", "rains"])
    for given, count in ((sentence, 1), (Document([sentence] * 2), 2)):
        stream = io.StringIO()
        assert write(given, stream) == count
        assert stream.getvalue() == str(sentence) * count


def test_layout_can_be_chosen() -> None:
    stream = io.StringIO()
    write(read_text("a\tN\n"), stream, layout=CONLLU)
    assert stream.getvalue() == "1\ta\t_\t_\tN\t_\t_\t_\t_\t_\n\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_disk_is_reported_in_one_sentence() -> None:
    with pytest.raises(DataError, match="/dev/full: cannot be written: No space left on device"):
        write(SENTENCES * 10_000, "/dev/full")


def test_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert write(SENTENCES, pipe) == 2
    assert pipe.is_fifo()
    assert os.read(reader, 10_000).count(b"\n\n") == 2
    os.close(reader)


def test_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="folder"):
        write(SENTENCES, tmp_path)


def test_broken_pipe_error_is_raised_unchanged() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            if text:
                raise BrokenPipeError
            return 0

    with pytest.raises(BrokenPipeError):
        write(SENTENCES, Gone())


def test_unnamed_pipe_behind_a_link_is_written_to(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    link = tmp_path / "out"
    link.symlink_to(f"/proc/self/fd/{writer}")
    assert write_pieces([b"a", b"b"], link) == 2
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        assert stream.read() == b"ab"


def test_circular_link_is_replaced(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / name).symlink_to(tmp_path / other)
    assert write_pieces([b"a"], tmp_path / "a") == 1
    assert (tmp_path / "a").read_bytes() == b"a"


def test_documents_are_written_sentence_by_sentence() -> None:
    target = io.StringIO()
    assert write([Document(SENTENCES), SENTENCES[0], Document()], target) == 3
    assert target.getvalue() == TEXT + str(SENTENCES[0])
    with pytest.raises(DataError, match=r"`sentences\[1\]` is of type str, expected a Sentence"):
        write([SENTENCES[0], "x"], io.StringIO())  # type: ignore[list-item]


@pytest.mark.parametrize("words", ["It rains.", ["It", "rains"]])
def test_a_sentence_of_texts_is_refused(words: list[str]) -> None:
    with pytest.raises(DataError, match=r"`words\[0\]` is of type str, expected a Word; make"):
        Sentence(words)  # type: ignore[arg-type]
