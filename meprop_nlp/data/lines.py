"""Text files as streams of lines: open, decompress, decode; nothing about CoNLL.

Lines end at LF, CRLF or CR and nowhere else: U+2028, U+0085 or a vertical tab may stand inside a
word. Memory stays constant, whatever the size of the file.
"""

from __future__ import annotations

import bz2
import codecs
import contextlib
import gzip
import io
import itertools
import lzma
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any, cast

from meprop_nlp.errors import ConlluError, DataError, Problem

__all__ = [
    "LONGEST_LINE",
    "Source",
    "decoded_lines",
    "is_binary",
    "is_utf8",
    "opened",
    "read_lines",
    "read_pieces",
    "source_name",
]

Source = str | os.PathLike[str] | IO[str] | IO[bytes]

_PIECE = 1 << 16
LONGEST_LINE = 1 << 26  # characters; a file without line breaks must not fill the memory

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FOREIGN = {  # how files begin that people give by mistake
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "a zstd file (decompress it first)",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF file",
    b"\x7fELF": "a program",
}


def source_name(source: Source) -> str:
    """What to call the source in a message."""
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return "<stdin>" if path == "-" else path
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


def read_lines(
    source: Source,
    *,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    notes: dict[str, int] | None = None,
) -> Iterator[str]:
    """Yield the lines of a text file without their line ends.

    Args:
        source: a path, `-` for standard input, or an open text or binary file. Files packed with
            gzip, xz or bzip2 are told by their first bytes.
        encoding: as Python names it; a byte order mark of UTF-8 is dropped.
        encoding_errors: `strict`, or `replace` to read bad bytes as U+FFFD.
        notes: is given a line number (0 for the whole file) for `byte-order-mark` and
            `non-unix-newline`, where the file has them.

    Raises:
        DataError: if the source cannot be opened or read, or is not text.
    """
    try:
        codecs.lookup(encoding)
        codecs.lookup_error(encoding_errors)
    except LookupError as error:
        raise DataError(f"{error}; use a name such as utf-8, utf-16 or latin-1") from None
    name = source_name(source)
    notes = {} if notes is None else notes
    with opened(source) as stream:
        if stream is None:
            text = sys.stdin if source == "-" else cast(IO[str], source)
            yield from _split(_text_pieces(text, notes), name)
        else:
            pieces = read_pieces(stream, name, utf8=is_utf8(encoding))
            yield from decoded_lines(
                pieces, name, encoding=encoding, encoding_errors=encoding_errors, notes=notes
            )


def is_utf8(encoding: str) -> bool:
    """Whether that is a name of UTF-8."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


@contextlib.contextmanager
def opened(source: Source) -> Iterator[Any]:
    """Give the source as a binary stream of unpacked bytes; None where it is a text stream.

    Raises:
        DataError: if it cannot be opened; and inside of the `with`, if it cannot be read on.
    """
    name = source_name(source)
    with contextlib.ExitStack() as stack:
        try:
            yield _open(source, stack)
        except FileNotFoundError:
            raise DataError(f"{name}: no such file") from None
        except IsADirectoryError:
            raise DataError(f"{name} is a directory, expected a file") from None
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise DataError(f"{name}: the compressed file is damaged or cut off: {error}") from None
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None


def read_pieces(stream: Any, name: str, *, utf8: bool = True) -> Iterator[bytes]:
    """Yield the bytes of a stream as they come, none of them empty.

    Raises:
        DataError: if they begin as no text does.
    """
    piece = stream.read1(_PIECE)
    _refuse_foreign(piece, name, utf8=utf8)
    while piece:
        yield piece
        piece = stream.read1(_PIECE)


class _Prefixed(io.RawIOBase):
    """A stream with the bytes in front that were taken from it to look at."""

    def __init__(self, prefix: bytes, stream: Any) -> None:
        self._prefix = prefix
        self._read = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._prefix or self._read(len(buffer)) or b""
        piece, self._prefix = piece[: len(buffer)], self._prefix[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def is_binary(source: Source) -> bool:
    """Whether the source gives bytes; an open text stream does not."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source) != "-" or hasattr(sys.stdin, "buffer")
    return not isinstance(source.read(0), str)


def _open(source: Source, stack: contextlib.ExitStack) -> Any:
    """The source as a binary stream of decompressed bytes; None where it is a text stream."""
    if not is_binary(source):
        return None
    stream: Any = source
    if isinstance(source, str | os.PathLike):
        if os.fspath(source) == "-":
            stream = sys.stdin.buffer
        else:
            stream = stack.enter_context(open(source, "rb"))  # noqa: SIM115, PTH123
    start = stream.read(6)
    stream = io.BufferedReader(_Prefixed(start, stream))
    if start[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=stream)
    if start == b"\xfd7zXZ\x00":
        return lzma.LZMAFile(stream)
    if start[:3] == b"BZh":
        return bz2.BZ2File(stream)
    return stream


def _text_pieces(stream: IO[str], notes: dict[str, int]) -> Iterator[str]:
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    piece = stream.read(_PIECE)
    if piece.startswith("\ufeff"):
        notes["byte-order-mark"] = 1
        piece = piece[1:] or stream.read(_PIECE)
    while piece:
        yield newlines.decode(piece)
        piece = stream.read(_PIECE)
    yield newlines.decode("", final=True)
    _note_newlines(newlines, notes)


def _note_newlines(newlines: io.IncrementalNewlineDecoder, notes: dict[str, int]) -> None:
    if newlines.newlines not in (None, "\n"):
        notes["non-unix-newline"] = 0


def decoded_lines(
    pieces: Iterable[bytes],
    name: str,
    *,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    notes: dict[str, int] | None = None,
    offset: int = 0,
    line: int = 1,
) -> Iterator[str]:
    """Yield the lines of bytes that may be cut anywhere; arguments and errors as of `read_lines`.

    Args:
        pieces: the bytes.
        name: what to call the source in a message.
        offset, line: where in the source the first piece begins.
    """
    notes = {} if notes is None else notes
    texts = _decode(pieces, name, encoding, encoding_errors, notes, offset, line)
    return _split(texts, name)


def _decode(
    pieces: Iterable[bytes],
    name: str,
    encoding: str,
    errors: str,
    notes: dict[str, int],
    offset: int,
    line: int,
) -> Iterator[str]:
    utf8 = is_utf8(encoding)
    codec = codecs.lookup("utf-8" if utf8 else encoding)
    decoder = codec.incrementaldecoder(errors)
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    at_start = utf8 and offset == 0  # where a byte order mark may stand
    zeros = False  # a zero byte has been seen
    for piece in itertools.chain(pieces, [b""]):
        held = len(decoder.getstate()[0])
        problem = None
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            hint = "give the file's encoding (--encoding), or convert it with iconv"
            if zeros or b"\0" in error.object:
                hint = "this does not look like a text file"
            place = offset - held + error.start
            problem = f"byte {place} is not valid {codec.name.upper()}; {hint}"
            text = decoder.decode(piece[: max(0, error.start - held)])
        except UnicodeError as error:  # UTF-16 without a byte order mark
            raise DataError(f"{name}: {error}; is --encoding right?") from None
        offset += len(piece)
        zeros = zeros or b"\0" in piece
        if at_start and text:
            at_start = False
            if text[0] == "\ufeff":
                notes["byte-order-mark"] = 1
                text = text[1:]
        text = newlines.decode(text, final=not piece or problem is not None)
        line += text.count("\n")
        yield text
        if problem is not None:
            raise ConlluError([Problem(name, line, problem)])
    _note_newlines(newlines, notes)


def _refuse_foreign(start: bytes, name: str, *, utf8: bool) -> None:
    if utf8 and start.startswith(_UTF16):
        raise DataError(
            f"{name}: the file is UTF-16, expected UTF-8; give --encoding utf-16, "
            "or convert it with iconv -f UTF-16 -t UTF-8"
        )
    if utf8 and 3 * start[:64].count(0) > len(start[:64]):
        raise DataError(
            f"{name}: many zero bytes, expected UTF-8 text; if the file is UTF-16, "
            "give --encoding utf-16"
        )
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic):
            raise DataError(f"{name} is {kind}, expected a text file")


def _split(texts: Iterator[str], name: str) -> Iterator[str]:
    pending = ""
    for text in texts:
        lines = (pending + text).split("\n")
        pending = lines.pop()
        if len(pending) > LONGEST_LINE:
            raise DataError(f"{name}: a line of over {LONGEST_LINE:,} characters; is it text?")
        yield from lines
    if pending:
        yield pending
