"""Text files as streams of lines: open, decompress and decode them. Knows nothing about CoNLL.

A line ends at LF, CRLF or CR only: U+2028, U+0085 and vertical tabs may be part of a word. Memory
use does not grow with the size of the file.
"""

import codecs
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from typing import IO, cast

from meprop_nlp.data.source import Source, opened, read_pieces, source_name
from meprop_nlp.errors import ConlluError, DataError, Problem, printable

_PIECE = 1 << 16
# byte order marks and empty lines
_BEFORE_TEXT = re.compile(r"(?:\ufeff|[ \t]*\n)*")
_SURROGATE = re.compile("[\ud800-\udfff]")

LONGEST_LINE = 1 << 26  # characters; a file without line breaks must not fill the memory


def read_lines(
    source: Source,
    *,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    notes: dict[str, int] | None = None,
) -> Iterator[str]:
    """Yield the lines of a text file without their line ends.

    Args:
        source: a path, `-` for standard input, or an open text or binary file. Compressed
            files (gzip, xz, bzip2) are detected by their first bytes.
        encoding: Python's name of the encoding; a byte order mark of UTF-8 is dropped.
        encoding_errors: `strict`, or `replace` to read invalid bytes as U+FFFD.
        notes: receives the keys `byte-order-mark` and `non-unix-newline` if the file has them;
            the value is a line number, or 0 for the whole file.

    Raises:
        DataError: if the source cannot be opened or read, or is not text.
    """
    demand_encoding(encoding, encoding_errors)
    name = source_name(source)
    notes = {} if notes is None else notes
    with opened(source) as stream:
        if stream is None:
            text = sys.stdin if source == "-" else cast(IO[str], source)
            yield from _split(_without_marks(_text_pieces(text, notes), notes), name)
        else:
            pieces = read_pieces(stream, name, utf8=is_utf8(encoding))
            yield from decoded_lines(
                pieces, name, encoding=encoding, encoding_errors=encoding_errors, notes=notes
            )


def demand_encoding(encoding: str, encoding_errors: str = "strict") -> None:
    """Raise DataError unless there are such an encoding of text and such a treatment of errors."""
    try:
        "".encode(encoding)  # unlike codecs.lookup, this refuses encodings that are not for text
        codecs.lookup_error(encoding_errors)
    except (LookupError, UnicodeError) as error:
        hint = "use a name such as utf-8, utf-16 or latin-1"
        raise DataError(f"{error}; {hint}") from None


def n_line_ends(text: str) -> int:
    """Return the number of line ends: LF, CRLF or CR."""
    feeds = text.count("\n")
    if "\r" not in text:
        return feeds
    return feeds + text.count("\r") - text.count("\r\n")


def visible(line: str) -> str:
    """Return the line for display in a message: tabs as arrows, at most 60 characters."""
    shown = line if len(line) <= 60 else line[:60] + "…"
    return printable(shown.replace("\t", "→"))


def shortened(text: str) -> str:
    """Return at most 40 characters of the beginning of a text."""
    return text if len(text) <= 40 else text[:39] + "…"


def demand_text(text: str, what: str) -> None:
    """Raise DataError if there is half of a pair of surrogates in the text: it has no UTF-8.

    Args:
        what: names the text in the message.
    """
    half = _SURROGATE.search(text)
    if half is not None:
        raise DataError(
            f"{what} has half of a pair of surrogates, {half.group()!r}, at index {half.start()}, "
            'expected text; mend it with text.encode("utf-8", "replace").decode()'
        )


def is_utf8(encoding: str) -> bool:
    """Return whether this is a name of UTF-8."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _text_pieces(stream: IO[str], notes: dict[str, int]) -> Iterator[str]:
    newlines = io.IncrementalNewlineDecoder(None, translate=True)
    piece = stream.read(_PIECE)
    while piece:
        yield newlines.decode(piece)
        piece = stream.read(_PIECE)
    yield newlines.decode("", final=True)
    _note_newlines(newlines, notes)


def _without_marks(texts: Iterator[str], notes: dict[str, int]) -> Iterator[str]:
    """Remove byte order marks at the beginning; some tools write several.

    Marks after leading empty lines go too: the empty lines are not written, so the mark would be
    the start of the written file.
    """
    rest = ""
    for text in texts:
        rest += text
        end = cast(re.Match[str], _BEFORE_TEXT.match(rest)).end()
        before, rest = rest[:end], rest[end:]
        if "\ufeff" in before:
            notes["byte-order-mark"] = 1
        yield before.replace("\ufeff", "")
        # white space may turn out to be an empty line once the next piece is read
        if rest.strip(" \t") or len(rest) > _PIECE:
            break
    yield rest
    yield from texts


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
    """Yield the lines of a stream of bytes; the other arguments and errors are as in `read_lines`.

    Args:
        pieces: the bytes, split at any point.
        name: the name of the source in messages.
        offset, line: the byte and the line of the source at which the first piece begins.
    """
    notes = {} if notes is None else notes
    texts = decoded(
        pieces,
        name,
        encoding=encoding,
        encoding_errors=encoding_errors,
        notes=notes,
        offset=offset,
        line=line,
    )
    if is_utf8(encoding) and offset == 0:
        texts = _without_marks(texts, notes)
    return _split(texts, name, line)


def decoded(
    pieces: Iterable[bytes],
    name: str,
    *,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    notes: dict[str, int] | None = None,
    offset: int = 0,
    line: int = 1,
    translate: bool = True,
) -> Iterator[str]:
    """Yield the text of a stream of bytes in pieces, none of which ends within a CRLF.

    Args:
        translate: whether all line ends become LF.
        pieces, name, encoding, encoding_errors, notes, offset, line: as for `decoded_lines`.

    Raises:
        ConlluError: the bytes are not valid in the encoding; the text before them is yielded first.
        DataError: UTF-16 without a byte order mark.
    """
    notes = {} if notes is None else notes
    codec = codecs.lookup("utf-8" if is_utf8(encoding) else encoding)
    decoder = codec.incrementaldecoder(encoding_errors)
    newlines = io.IncrementalNewlineDecoder(None, translate=translate)
    has_zeros = False
    for piece in itertools.chain(pieces, [b""]):
        undecoded = len(decoder.getstate()[0])  # bytes of a character that was cut in two
        problem = None
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            hint = "give the file's `encoding`, or convert it with iconv"
            if has_zeros or b"\0" in error.object:
                hint = "this does not look like a text file"
            place = offset - undecoded + error.start
            problem = f"byte {place} is not valid {codec.name.upper()}; {hint}"
            text = decoder.decode(piece[: max(0, error.start - undecoded)])
        except UnicodeError as error:  # UTF-16 without a byte order mark
            raise DataError(f"{name}: {error}; is `encoding` right?") from None
        offset += len(piece)
        has_zeros = has_zeros or b"\0" in piece
        text = newlines.decode(text, final=not piece or problem is not None)
        line += n_line_ends(text)
        yield text
        if problem is not None:
            raise ConlluError([Problem(name, line, problem)])
    _note_newlines(newlines, notes)


def _split(texts: Iterator[str], name: str, line: int = 1) -> Iterator[str]:
    """Yield the lines of texts, of which the first has the number `line`."""
    pending = ""
    for text in texts:
        lines = (pending + text).split("\n")
        pending = lines.pop()
        line += len(lines)
        if len(pending) > LONGEST_LINE:
            raise DataError(
                f"{name}:{line}: a line of over {LONGEST_LINE:,} characters; is it text?"
            )
        yield from lines
    if pending:
        yield pending
