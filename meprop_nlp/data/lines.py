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
import lzma
import os
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Any, cast

from meprop_nlp.errors import ConlluError, DataError, Problem

__all__ = ["Source", "read_lines", "source_name"]

Source = str | os.PathLike[str] | IO[str] | IO[bytes]

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 26  # characters; a file without line breaks must not fill the memory

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
        codec = codecs.lookup(encoding)
        codecs.lookup_error(encoding_errors)
    except LookupError as error:
        raise DataError(f"{error}; use a name such as utf-8, utf-16 or latin-1") from None
    name = source_name(source)
    notes = {} if notes is None else notes
    with contextlib.ExitStack() as stack:
        try:
            stream = _open(source, stack)
            if stream is None:
                yield from _split(_text_chunks(cast(IO[str], source), notes), name)
            else:
                yield from _split(_decode(stream, name, codec, encoding_errors, notes), name)
        except FileNotFoundError:
            raise DataError(f"{name}: no such file") from None
        except IsADirectoryError:
            raise DataError(f"{name} is a directory, expected a file") from None
        except (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile) as error:
            raise DataError(f"{name}: the compressed file is damaged or cut off: {error}") from None
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None


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


def _open(source: Source, stack: contextlib.ExitStack) -> Any:
    """The source as a binary stream of decompressed bytes; None where it is a text stream."""
    stream: Any
    if isinstance(source, str | os.PathLike):
        if os.fspath(source) == "-":
            stream = getattr(sys.stdin, "buffer", sys.stdin)
        else:
            stream = stack.enter_context(open(source, "rb"))  # noqa: SIM115, PTH123
    else:
        stream = source
    start = stream.read(0)
    if isinstance(start, str):
        return None
    start = stream.read(6)
    stream = io.BufferedReader(_Prefixed(start, stream))
    if start[:2] == b"\x1f\x8b":
        return gzip.GzipFile(fileobj=stream)
    if start == b"\xfd7zXZ\x00":
        return lzma.LZMAFile(stream)
    if start[:3] == b"BZh":
        return bz2.BZ2File(stream)
    return stream


def _text_chunks(stream: IO[str], notes: dict[str, int]) -> Iterator[str]:
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    chunk = stream.read(_CHUNK)
    if chunk.startswith("\ufeff"):
        notes["byte-order-mark"] = 1
        chunk = chunk[1:] or stream.read(_CHUNK)
    while chunk:
        yield newlines.decode(chunk)
        chunk = stream.read(_CHUNK)
    yield newlines.decode("", final=True)
    _note_newlines(newlines, notes)


def _note_newlines(newlines: io.IncrementalNewlineDecoder, notes: dict[str, int]) -> None:
    if newlines.newlines not in (None, "\n"):
        notes["non-unix-newline"] = 0


def _decode(
    stream: Any, name: str, codec: codecs.CodecInfo, errors: str, notes: dict[str, int]
) -> Iterator[str]:
    decoder = codec.incrementaldecoder(errors)
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    utf8 = codec.name in ("utf-8", "utf-8-sig")
    if utf8:
        decoder = codecs.getincrementaldecoder("utf-8")(errors)
    offset = 0  # bytes given to the decoder
    line = 1
    first = True
    zeros = False  # a zero byte has been seen
    while True:
        chunk = stream.read1(_CHUNK)
        if first:
            _refuse_foreign(chunk, name, utf8=utf8)
            if utf8 and chunk.startswith(codecs.BOM_UTF8):
                chunk = chunk[3:]
                offset = 3
                notes["byte-order-mark"] = 1
                if not chunk:
                    chunk = stream.read1(_CHUNK)
            first = False
        held = len(decoder.getstate()[0])
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            place = offset - held + error.start
            before = error.object[: error.start].decode(codec.name, "ignore")
            line += before.replace("\r\n", "\n").replace("\r", "\n").count("\n")
            hint = "give the file's encoding (--encoding), or convert it with iconv"
            if zeros or b"\0" in error.object:
                hint = "this does not look like a text file"
            message = f"byte {place} is not valid {codec.name.upper()}; {hint}"
            raise ConlluError([Problem(name, line, message)]) from None
        except UnicodeError as error:  # UTF-16 without a byte order mark
            raise DataError(f"{name}: {error}; is --encoding right?") from None
        offset += len(chunk)
        zeros = zeros or b"\0" in chunk
        text = newlines.decode(text, final=not chunk)
        line += text.count("\n")
        yield text
        if not chunk:
            _note_newlines(newlines, notes)
            return


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


def _split(chunks: Iterator[str], name: str) -> Iterator[str]:
    pending = ""
    for chunk in chunks:
        lines = (pending + chunk).split("\n")
        pending = lines.pop()
        if len(pending) > _LONGEST_LINE:
            raise DataError(f"{name}: a line of over {_LONGEST_LINE:,} characters; is it text?")
        yield from lines
    if pending:
        yield pending
