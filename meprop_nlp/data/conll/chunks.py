"""CoNLL files in chunks of whole sentences, each read by the core where it is clean.

    for item in read_documents("big.conllu"):
        ...  # a `Document` of some thousand words, or a `Sentence` from a chunk that is not clean

A `Document` is the native core's: the text and the place of every field. What the core does not
take, a chunk's `blocks` reads as `conll.read` would, to the same sentences and the same errors.
Memory stays constant, and from a pipe chunks come as soon as there is enough for one.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.conll.layout import Layout, detect_layout
from meprop_nlp.data.conll.reading import check_arguments, good_blocks, group_lines, parse_lines
from meprop_nlp.data.lines import LONGEST_LINE, decoded_lines, is_utf8
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import (
    Source,
    is_binary,
    opened,
    read_pieces,
    source_name,
    would_wait,
)
from meprop_nlp.errors import DataError
from meprop_nlp.native import core

__all__ = ["Chunk", "Document", "comes_in_chunks", "read_chunks", "read_documents"]

Document = Any  # meprop_nlp._native.Document

CHUNK_BYTES = 1 << 18

_EMPTY_NODE = re.compile(rb"(?:^|[\r\n])[0-9]+\.[0-9]+\t")
_CONTINUATION = bytes(range(0x80, 0xC0))  # bytes of UTF-8 that begin no character


class Chunk(NamedTuple):
    """Whole blocks of a file that belong together, as bytes.

    Attributes:
        path: what the file is called in messages.
        data: the bytes as they stand in the file.
        first_line: 1-based number of the first line in the file.
        offset: of the first byte in the file.
        layout: of the whole file; None where there were only comments so far.
        pauses: whether more was yet to be written into the pipe when this was cut from it.
        input_format: the format that its layout is detected by; None where an earlier chunk had
            the first word already. The layout is detected anew when the blocks are read, since
            blocks of lines with # are comments before it is known, and may be words after that.
    """

    path: str
    data: bytes
    first_line: int = 1
    offset: int = 0
    layout: Layout | None = None
    pauses: bool = False
    input_format: str | None = None

    @property
    def n_lines(self) -> int:
        """How many line ends there are: LF, CRLF or CR."""
        # bytes.count takes longer than the core does to read the chunk
        feeds = int(np.count_nonzero(np.frombuffer(self.data, np.uint8) == ord("\n")))
        if b"\r" not in self.data:
            return feeds
        return feeds + self.data.count(b"\r") - self.data.count(b"\r\n")

    def text(self) -> bytes:
        """The bytes as `write` would end them: LF, an empty line at the end, no byte order mark."""
        data = self.data
        if self.offset == 0:
            data = _without_mark(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not data.endswith(b"\n\n") or data.endswith(b"\n\n\n"):
            data = data.rstrip(b"\n") + b"\n\n"
        return data

    def document(self) -> Document | None:
        """The chunk as the core reads it; None where that is left to `blocks`.

        Nothing holds the interpreter's lock meanwhile: threads can read chunks side by side.
        """
        native = core()
        if native is None or self.layout is None or self.layout.kind == "tab":
            return None
        return native.read_document(self.text(), *self.layout)

    def blocks(self) -> Iterator[Sentence | list[Fault]]:
        """Yield each sentence, or its faults, as `read_blocks` does.

        Raises:
            ConlluError: if bytes are not text.
        """
        return parse_lines(
            self.lines(),
            path=self.path,
            layout=self.layout if self.input_format is None else None,
            input_format=self.input_format or "auto",
            first_line=self.first_line,
        )

    def lines(self) -> Iterator[str]:
        """Yield the lines without their line ends.

        Raises:
            ConlluError: if bytes are not text.
        """
        return decoded_lines([self.data], self.path, offset=self.offset, line=self.first_line)

    def has_empty_node(self) -> bool:
        """Whether a line begins with the id of an empty node, such as 3.1."""
        native = core()
        if native is None:
            return _EMPTY_NODE.search(self.data) is not None
        return bool(native.has_empty_node(self.data))


def comes_in_chunks(source: Source, encoding: str = "utf-8") -> bool:
    """Whether `read_chunks` reads that: bytes of UTF-8, and not an open text stream."""
    try:
        return is_utf8(encoding) and is_binary(source)
    except LookupError:  # `read` says what is wrong with it
        return False


def read_documents(
    source: Source,
    *,
    input_format: str = "auto",
    on_error: str = "fail",
    max_errors: int = 20,
    report: TreebankReport | None = None,
    size: int = CHUNK_BYTES,
) -> Iterator[Document | Sentence]:
    """`conll.read` of a file of UTF-8, with whole chunks as a `Document` where they are clean.

    The sentences of a document are not told to the report; `size` is as for `read_chunks`.
    """
    check_arguments(input_format, on_error, max_errors)
    items = _documents_and_blocks(read_chunks(source, input_format=input_format, size=size))
    return good_blocks(items, source_name(source), on_error, max_errors, report)


def _documents_and_blocks(
    chunks: Iterator[Chunk],
) -> Iterator[Document | Sentence | list[Fault]]:
    for chunk in chunks:
        document = chunk.document()
        if document is None:
            yield from chunk.blocks()
        else:
            yield document


def read_chunks(
    source: Source, *, input_format: str = "auto", size: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield a file of UTF-8 in chunks, cut behind the empty line of a block that has words.

    So comments with an empty line after them stay with the sentence that they go to.

    Args:
        source: as for `read`, but no text stream: `comes_in_chunks` tells.
        input_format: as for `read`.
        size: how many bytes a chunk should have; a larger block makes a larger chunk, and what
            came through a pipe is cut before waiting for more.

    Raises:
        ConlluError: if the first word line fits no format, or bytes before it are not text.
        DataError: if the source cannot be opened or read.
    """
    layout: Layout | None = None
    path = source_name(source)
    with opened(source) as stream:
        if stream is None:
            raise DataError(f"{path}: a text stream, expected one of bytes")
        for chunk in _cut(read_pieces(stream, path), path, size, lambda: would_wait(stream)):
            if layout is None:
                layout = _first_layout(chunk, input_format)
                chunk = chunk._replace(input_format=input_format)
            yield chunk._replace(layout=layout)


def _first_layout(chunk: Chunk, input_format: str) -> Layout | None:
    for number, block in group_lines(chunk.lines(), first_line=chunk.first_line):
        layout = detect_layout(block, number, input_format=input_format, path=chunk.path)
        if layout is not None:
            return layout
    return None


def _cut(
    pieces: Iterator[bytes], path: str, size: int, would_wait: Callable[[], bool]
) -> Iterator[Chunk]:
    """Put pieces together to chunks; what was whole before an error comes before the error."""
    held: list[bytes] = []
    length, wanted = 0, size  # of what is held
    place = Chunk(path, b"")
    open_line = 0  # characters since the last line feed
    whole = False  # whether a block ends in what is held
    while True:
        failure: Exception | None = None
        try:
            piece = next(pieces, b"")
            open_line = _open_line(open_line, piece, path)
        except Exception as error:  # handed on below
            failure, piece = error, b""
        whole = whole or _ends_block(held, piece)
        pauses = whole and would_wait()
        held.append(piece)
        length += len(piece)
        if piece and length < wanted and not pauses:
            continue
        text = b"".join(held)
        ended = not piece and failure is None
        end = length if ended else _last_cut(text)
        if end:
            chunk = place._replace(data=text[:end], pauses=pauses)
            yield chunk
            place = Chunk(path, b"", chunk.first_line + chunk.n_lines, chunk.offset + end)
        if failure is not None:
            raise failure
        if ended:
            return
        held, length, whole = [text[end:]], length - end, False
        # where there was no place to cut, looking again at every piece would take the square
        wanted = size if end else 2 * length


def _ends_block(held: list[bytes], piece: bytes) -> bool:
    """Whether an empty line ends in the piece."""
    new = (held[-1][-3:] if held and piece else b"") + piece
    return b"\n\n" in new or b"\r\n\r\n" in new or b"\r\r" in new


def _open_line(characters: int, piece: bytes, path: str) -> int:
    """How long the last line, which may go on, is after the piece."""
    begun = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
    if begun:
        characters, piece = 0, piece[begun:]
    characters += len(piece.translate(None, _CONTINUATION))
    if characters > LONGEST_LINE:
        raise DataError(f"{path}: a line of over {LONGEST_LINE:,} characters; is it text?")
    return characters


def _last_cut(text: bytes) -> int:
    """Where the last block that has words, and the empty line after it, end; 0 if none does."""
    if b"\r" not in text:
        end = text.rfind(b"\n\n")
        if end > 0 and _makes_sentence(text[text.rfind(b"\n", 0, end) + 1 : end]):
            return end + 2
    cut = place = 0
    words = False
    for line in text.splitlines(keepends=True):
        place += len(line)
        if not line.endswith(b"\n") and place == len(text):
            break  # the line goes on, or its CR may be half of a CRLF
        content = line.rstrip(b"\r\n")
        if content.strip(b" \t"):
            words = words or _makes_sentence(content)
        elif words:
            cut, words = place, False
    return cut


def _makes_sentence(line: bytes) -> bool:
    """Whether a block with this line is a sentence or faulty, so that no comments are carried on.

    An empty node before the first word is all that could stand in a block without words; and a
    byte order mark before the first line.
    """
    content = _without_mark(line).strip(b" \t")
    return bool(content) and not content.startswith((b"#", b"0."))


def _without_mark(data: bytes) -> bytes:
    """Take byte order marks off the beginning; some tools put one before another."""
    size, end = len(codecs.BOM_UTF8), 0
    while data.startswith(codecs.BOM_UTF8, end):
        end += size
    return data[end:]
