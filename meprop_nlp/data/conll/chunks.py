"""`Chunk`: whole sentences of a CoNLL file as bytes; the native core parses the valid ones.

    for item in read_documents("big.conllu"):
        ...  # a `Document` of some thousand words, or a `Sentence` of a chunk that is not valid

A `Document` belongs to the native core: the text and the position of every field. It is not the
public one of `data/document.py`, which is a list of Sentences. A chunk that the core refuses is
read by `Chunk.blocks`, with the same sentences and the same errors as from `read`. Memory use does
not grow with the size of the file; from a pipe, a chunk is yielded as soon as it is complete.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.conll.layout import Layout, detect_layout
from meprop_nlp.data.conll.reading import (
    check_arguments,
    good_blocks,
    group_lines,
    parse_lines,
    with_header,
)
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
from meprop_nlp.errors import ConlluError, DataError
from meprop_nlp.native import core

Document = Any  # meprop_nlp._native.Document, which is not data.document.Document

CHUNK_BYTES = 1 << 18
# a line without words, and the end of the one before it
_EMPTY_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n))[ \t]*(?:\r\n|\n|\r)")
_TAIL = 80  # bytes in which an empty line may have begun
LONGEST_BLOCK = 1 << 28  # bytes; a file without empty lines must not fill the memory

_CONTINUATION = bytes(range(0x80, 0xC0))  # bytes of UTF-8 that do not begin a character


class Chunk(NamedTuple):
    """Consecutive whole blocks of a file, as bytes.

    Attributes:
        path: the name of the file in messages.
        data: the bytes of the file.
        first_line: the 1-based number of the first line in the file.
        offset: the offset of the first byte in the file.
        layout: the layout of the whole file; None if the file has had only comments so far.
        pauses: whether the chunk was cut because reading on from the pipe would have blocked.
        input_format: the format to detect the layout by; None if an earlier chunk determined the
            layout. `blocks` detects it again, because lines that begin with # are comments until
            the layout is known, and may be words of a tab layout after that.
        needs_header: whether no sentence of an earlier chunk has the header of CoNLL-U Plus; see
            `with_headers`.
    """

    path: str
    data: bytes
    first_line: int = 1
    offset: int = 0
    layout: Layout | None = None
    pauses: bool = False
    input_format: str | None = None
    needs_header: bool = False

    @property
    def n_lines(self) -> int:
        """The number of line ends: LF, CRLF or CR."""
        # bytes.count takes longer than the core takes to parse the chunk
        feeds = int(np.count_nonzero(np.frombuffer(self.data, np.uint8) == ord("\n")))
        if b"\r" not in self.data:
            return feeds
        return feeds + self.data.count(b"\r") - self.data.count(b"\r\n")

    def text(self) -> bytes:
        """Return the bytes with LF line ends, one empty line at the end, and no byte order mark."""
        data = self.data
        if self.offset == 0:
            data = _without_mark(data)
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if not data.endswith(b"\n\n") or data.endswith(b"\n\n\n"):
            data = data.rstrip(b"\n") + b"\n\n"
        return data

    def document(self) -> Document | None:
        """Return the chunk as the native core parses it; None if it has to be read by `blocks`.

        The core releases the interpreter's lock, so threads can parse chunks in parallel.
        """
        native = core()
        if native is None or self.layout is None or self.layout.kind == "tab":
            return None
        if self.layout.columns or b"global.columns" in self.data:
            return None
        return native.read_document(self.text(), self.layout.kind, self.layout.width)

    def blocks(self, most_words: int | None = None) -> Iterator[Sentence | list[Fault]]:
        """Yield each sentence, or its faults, as `read_blocks` does.

        Args:
            most_words: a sentence of more words is a fault.

        Raises:
            ConlluError: if the bytes are not text.
        """
        blocks = parse_lines(
            self.lines(),
            path=self.path,
            layout=self.layout if self.input_format is None else None,
            input_format=self.input_format or "auto",
            first_line=self.first_line,
            most_words=most_words,
        )
        return with_header(blocks) if self.needs_header else blocks

    def lines(self) -> Iterator[str]:
        """Yield the lines without their line ends.

        Raises:
            ConlluError: if the bytes are not text.
        """
        return decoded_lines([self.data], self.path, offset=self.offset, line=self.first_line)


def comes_in_chunks(source: Source, encoding: str = "utf-8") -> bool:
    """Return whether `read_chunks` can read the source: UTF-8, and not an open text stream."""
    try:
        return is_utf8(encoding) and is_binary(source)
    except LookupError:  # `read` raises the error
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
    """Read a UTF-8 file as `read` does, but yield a chunk without faults as one `Document`.

    The report does not count the sentences of documents; `size` is as in `read_chunks`.
    """
    check_arguments(input_format, on_error, max_errors)
    blocks = _documents_and_blocks(read_chunks(source, input_format=input_format, size=size))
    return good_blocks(blocks, source_name(source), on_error, max_errors, report)


def _documents_and_blocks(
    chunks: Iterator[Chunk],
) -> Iterator[Document | Sentence | list[Fault]]:
    for chunk in with_headers(chunks):
        document = chunk.document()
        if document is None:
            yield from chunk.blocks()
        else:
            yield document


def read_chunks(
    source: Source, *, input_format: str = "auto", size: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield a UTF-8 file in chunks, each of which ends with the empty line of a block with words.

    A comment that is followed by an empty line therefore stays with the sentence it belongs to.

    Args:
        source: as in `read`, but not a text stream; see `comes_in_chunks`.
        input_format: as in `read`.
        size: the number of bytes a chunk should have. A longer block makes a larger chunk; a pipe
            that has no more data for now makes a smaller one.

    Raises:
        ConlluError: if the first word line fits no format, or the bytes before it are not text.
        DataError: if the source cannot be opened or read.
    """
    layout: Layout | None = None
    path = source_name(source)
    with opened(source) as stream:
        if stream is None:
            raise DataError(f"{path}: a text stream, expected a stream of bytes")
        for chunk in _cut(read_pieces(stream, path), path, size, lambda: would_wait(stream)):
            if layout is None:
                layout = _first_layout(chunk, input_format)
                chunk = chunk._replace(input_format=input_format)
            yield chunk._replace(layout=layout)


def with_headers(
    chunks: Iterable[Chunk], most_words: Callable[[], int | None] = lambda: None
) -> Iterator[Chunk]:
    """Pass chunks on; those of CoNLL-U Plus need the header up to the first sentence without fault.

    Each chunk is read on its own, and the header may stand above a faulty sentence of another one.

    Args:
        most_words: returns what `Chunk.blocks` will be given.
    """
    needed = True
    for chunk in chunks:
        if needed and chunk.layout is not None and chunk.layout.columns:
            chunk = chunk._replace(needs_header=True)
            with suppress(ConlluError):  # it is raised again when the chunk is read
                needed = all(isinstance(block, list) for block in chunk.blocks(most_words()))
        yield chunk


def _first_layout(chunk: Chunk, input_format: str) -> Layout | None:
    """Return the layout detected from the first word of the chunk; None if it has no words."""
    comments: list[str] = []
    for number, block in group_lines(chunk.lines(), first_line=chunk.first_line):
        layout = detect_layout(
            block, number, input_format=input_format, path=chunk.path, above=comments
        )
        if layout is not None:
            return layout
        comments += block
    return None


def _cut(
    pieces: Iterator[bytes], path: str, size: int, would_wait: Callable[[], bool]
) -> Iterator[Chunk]:
    """Join pieces to chunks; complete blocks before an error are yielded before it is raised."""
    held: list[bytes] = []
    length, wanted = 0, size  # bytes held, and bytes to hold before cutting
    start = Chunk(path, b"")  # where the next chunk begins
    open_line = 0  # characters since the last line end
    whole = False  # whether a block ends within the bytes held
    tail = b""  # the last of them, until one does
    while True:
        failure: Exception | None = None
        try:
            piece = next(pieces, b"")
            open_line = _open_line(open_line, piece)
            if open_line > LONGEST_LINE:
                before = start._replace(data=b"".join([*held, piece]))
                raise DataError(
                    f"{path}:{before.first_line + before.n_lines}: a line of over "
                    f"{LONGEST_LINE:,} characters; is it text?"
                )
        except Exception as error:  # raised again below
            failure, piece = error, b""
        if not whole:
            seen = tail + piece
            whole, tail = _EMPTY_LINE.search(seen) is not None, seen[-_TAIL:]
        pauses = whole and would_wait()
        held.append(piece)
        length += len(piece)
        if piece and length < wanted and not pauses:
            continue
        text = b"".join(held)
        ended = not piece and failure is None
        end = length if ended else _last_cut(text)
        if end:
            chunk = start._replace(data=text[:end], pauses=pauses)
            yield chunk
            start = Chunk(path, b"", chunk.first_line + chunk.n_lines, chunk.offset + end)
        if failure is not None:
            raise failure
        if ended:
            return
        held, length, whole = [text[end:]], length - end, False
        tail = held[0][-_TAIL:]
        if length > LONGEST_BLOCK:
            raise DataError(
                f"{path}:{start.first_line}: a sentence of over {LONGEST_BLOCK >> 20} MB, expected "
                "an empty line after each sentence"
            )
        # if there was no place to cut, wait for twice as much: the time stays linear
        wanted = size if end else min(2 * length, LONGEST_BLOCK + 1)


def _open_line(characters: int, piece: bytes) -> int:
    """Return the length, in characters, of the unfinished last line after this piece."""
    last_line = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
    if last_line:
        characters, piece = 0, piece[last_line:]
    return characters + len(piece.translate(None, _CONTINUATION))


def _last_cut(text: bytes) -> int:
    """Return the end of the last block with words, including its empty line; 0 if there is none."""
    if b"\r" not in text:
        end = text.rfind(b"\n\n")
        if end > 0 and _makes_sentence(text[text.rfind(b"\n", 0, end) + 1 : end]):
            return end + 2
    cut = place = 0
    words = False
    for line in text.splitlines(keepends=True):
        place += len(line)
        if not line.endswith(b"\n") and place == len(text):
            break  # the line is not finished, or its CR may be half of a CRLF
        content = line.rstrip(b"\r\n")
        if content.strip(b" \t"):
            words = words or _makes_sentence(content)
        elif words:
            cut, words = place, False
    return cut


def _makes_sentence(line: bytes) -> bool:
    """Return whether a block with this line is a sentence or faulty, not just comments.

    A comment, an empty node before the first word, or a byte order mark does not make a sentence.
    """
    content = _without_mark(line).strip(b" \t")
    return bool(content) and not content.startswith((b"#", b"0."))


def _without_mark(data: bytes) -> bytes:
    """Remove byte order marks at the beginning; some tools write several."""
    size, end = len(codecs.BOM_UTF8), 0
    while data.startswith(codecs.BOM_UTF8, end):
        end += size
    return data[end:]
