"""`Source`: a file, stream or pipe to read from.

It is opened, decompressed and read as pieces of bytes; files that are clearly not text are refused.
"""

import bz2
import codecs
import contextlib
import gzip
import io
import lzma
import os
import select
import stat
import sys
import zlib
from collections.abc import Iterator
from typing import IO, Any

from meprop_nlp.errors import DataError

Source = str | os.PathLike[str] | IO[str] | IO[bytes]

_PIECE = 1 << 16

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
# A text may begin with BZh and a digit too, so the mark of the first block is compared as well, or
# that of the end where there is no block.
_BZIP2 = tuple(
    b"BZh%d%b" % (size, mark) for size in range(1, 10) for mark in (b"1AY&SY", b"\x17rE8P\x90")
)
_MARKS = {  # of UTF-32 first: a mark of UTF-16 begins one of them
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_FOREIGN = {  # the first bytes of files that users pass by mistake
    b"PK\x03\x04": "a zip archive",
    b"\x28\xb5\x2f\xfd": "a zstd file (decompress it first)",
    b"\x89PNG": "a PNG image",
    b"%PDF": "a PDF file",
    b"\x7fELF": "a program",
}


def source_name(source: Source) -> str:
    """Return the name of the source for messages."""
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return "<stdin>" if path == "-" else path
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


@contextlib.contextmanager
def opened(source: Source) -> Iterator[Any]:
    """Open the source as a binary stream of decompressed bytes; None if it is a text stream.

    Raises:
        DataError: if it cannot be opened, or if reading fails inside the `with` block.
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
        except BrokenPipeError:  # of what is written inside the block; reading raises none
            raise
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None


def read_pieces(stream: Any, name: str, *, utf8: bool = True) -> Iterator[bytes]:
    """Yield the bytes of a stream in pieces as they arrive; no piece is empty.

    Args:
        stream: a binary stream.
        name: the name of the source in messages.
        utf8: whether UTF-8 is expected, so that UTF-16 is refused.

    Raises:
        DataError: if the first bytes are not those of a text file.
    """
    piece = stream.read1(_PIECE)
    _refuse_foreign(piece, name, utf8=utf8)
    while piece:
        yield piece
        piece = stream.read1(_PIECE)


def would_wait(stream: Any) -> bool:
    """Return whether the next read would block until the other end of a pipe writes more."""
    try:
        number = stream.fileno()
        if stat.S_ISREG(os.fstat(number).st_mode):
            return False
        return not select.select([number], [], [], 0)[0]
    except (OSError, ValueError):  # not a file of the operating system, or select refuses it
        return False


class Prefixed(io.RawIOBase):
    """A stream, preceded by the bytes that were already read from it."""

    def __init__(self, prefix: bytes, stream: Any, name: str = "<stream>") -> None:
        self.name = name
        self._prefix = prefix
        self._stream = stream
        self._read = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return int(self._stream.fileno())

    def readinto(self, buffer: Any) -> int:
        piece = self._prefix or self._read(len(buffer)) or b""
        piece, self._prefix = piece[: len(buffer)], self._prefix[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def is_packed(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is decompressed when it is read; OSError if it cannot be opened."""
    with open(path, "rb") as stream:  # noqa: PTH123
        return _first_bytes(stream).startswith((_GZIP, _XZ, *_BZIP2))


def is_binary(source: Source) -> bool:
    """Return whether the source yields bytes, as everything but an open text stream does."""
    if isinstance(source, str | os.PathLike):
        return os.fspath(source) != "-" or hasattr(sys.stdin, "buffer")
    return not isinstance(source.read(0), str)


def _open(source: Source, stack: contextlib.ExitStack) -> Any:
    if not is_binary(source):
        return None
    stream: Any = source
    if isinstance(source, str | os.PathLike):
        if os.fspath(source) == "-":
            stream = sys.stdin.buffer
        else:
            stream = stack.enter_context(open(source, "rb"))  # noqa: SIM115, PTH123
    start = _first_bytes(stream)
    stream = io.BufferedReader(Prefixed(start, stream))
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=stream)
    if start.startswith(_XZ):
        return lzma.LZMAFile(stream)
    if start.startswith(_BZIP2):
        return bz2.BZ2File(stream)
    return stream


def _first_bytes(stream: Any) -> bytes:
    """Return enough of a stream to know what it is; do not wait for more, as a pipe may pause."""
    known = (_GZIP, _XZ, *_BZIP2, *_MARKS, *_FOREIGN)
    longest = max(map(len, known))
    peek = getattr(stream, "peek", None)
    start = b""
    while any(magic.startswith(start) and magic != start for magic in known):
        wanted = longest - len(start)
        if peek is not None:
            wanted = min(wanted, len(peek(1)) or 1)
        piece = stream.read(wanted)
        if not piece:
            break
        start += piece
    return start


def _refuse_foreign(start: bytes, name: str, *, utf8: bool) -> None:
    for magic, kind in _FOREIGN.items():
        if start.startswith(magic):
            raise DataError(f"{name} is {kind}, expected a text file")
    found = next((found for mark, found in _MARKS.items() if start.startswith(mark)), None)
    if utf8 and found is not None:
        raise DataError(
            f"{name}: the file is {found}, expected UTF-8; give `encoding` {found.lower()}, "
            f"or convert it with iconv -f {found} -t UTF-8"
        )
    if utf8 and 3 * start[:64].count(0) > len(start[:64]):
        # most letters have their zero byte second in UTF-16-LE; Python's utf-16 demands a mark
        order = "le" if start[1:64:2].count(0) > start[:64:2].count(0) else "be"
        raise DataError(
            f"{name}: many zero bytes, expected UTF-8 text; if the file is UTF-16, "
            f"give `encoding` utf-16-{order}"
        )
