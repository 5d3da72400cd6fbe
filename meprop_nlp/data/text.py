"""`read_texts`: running text in pieces that end at paragraphs, in bounded memory.

    for chunk in read_texts("novel.txt"):
        ...  # chunk.text: some paragraphs, with all their white space

Put together, the pieces are the whole text, without a byte order mark. Nothing is changed in them:
line ends stay LF, CRLF or CR.
"""

import io
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, cast

from meprop_nlp.data.lines import (
    LONGEST_LINE,
    decoded,
    demand_encoding,
    is_utf8,
    n_line_ends,
    visible,
)
from meprop_nlp.data.source import Source, opened, read_pieces, source_name, would_wait
from meprop_nlp.errors import DataError

CHUNK_CHARACTERS = 1 << 16  # about 12,000 words
LONGEST_PARAGRAPH = 250_000  # characters
LONGEST_SPACE = 1 << 22  # characters of white space in a row; all of it is in memory at once

_LINE_END = r"(?:\r\n|\n|\r(?!\n))"
# what ends a unit of text, with all the white space that belongs to it
PARAGRAPH_ENDS = re.compile(rf"{_LINE_END}[^\S\r\n]*{_LINE_END}\s*")
LINE_ENDS = re.compile(rf"{_LINE_END}\s*")
# of vertical text, in which other white space than spaces and tabs is a word
EMPTY_LINES = re.compile(rf"{_LINE_END}[ \t]*{_LINE_END}[ \t\r\n]*")
_SPACES = re.compile(r"\s+")

_NO_SPACE = re.compile(r"\S")
_PIECE = 1 << 16
_WINDOW = 1 << 12  # characters in which the end of a unit is looked for first
_TAIL = 80  # characters; the spaces of an empty line are seldom more
_JOINER = "\u200d"  # of emoji


class TextChunk(NamedTuple):
    """Some whole paragraphs, or other units, of a text.

    Attributes:
        path: the name of the file in messages.
        text: the text with all white space; after the last unit, up to the next one.
        first_line: the 1-based number of the first line in the file.
        first_character: how many characters of the file precede it, a byte order mark excepted.
        continues: whether the chunk begins within a unit, which was too long for one chunk.
        pauses: whether the chunk was cut because reading on from the pipe would have blocked.
    """

    path: str
    text: str
    first_line: int = 1
    first_character: int = 0
    continues: bool = False
    pauses: bool = False


def read_texts(
    source: Source,
    *,
    encoding: str = "utf-8",
    ends: re.Pattern[str] = PARAGRAPH_ENDS,
    longest: int | None = LONGEST_PARAGRAPH,
    size: int = CHUNK_CHARACTERS,
) -> Iterator[TextChunk]:
    """Yield a text in pieces that end at paragraphs, where an empty line is.

    Only the last piece may be of white space alone, and only of a file that has nothing else, or of
    a pipe that paused before it.

    Args:
        source: a path (plain, gzip, xz or bzip2), `-` for standard input, or an open file.
        encoding: Python's name of the encoding; a byte order mark is dropped.
        ends: matches what separates units, if not paragraphs; with all white space there.
        longest: a longer unit is cut as late before this character, white space before the unit
            not counted, as there is a line break, or else other white space, or else right there.
            None: it is never cut.
        size: the number of characters a piece should have. A longer unit makes a larger piece; a
            pipe that has no more text for now makes a smaller one.

    Raises:
        DataError: the source cannot be opened or read, or is not text; the paragraphs that are
            whole before the fault are yielded first.
    """
    demand_encoding(encoding)
    path = source_name(source)
    with opened(source) as stream:
        if stream is None:
            texts = _pieces_of(sys.stdin if source == "-" else cast(IO[str], source))
        else:
            pieces = read_pieces(stream, path, utf8=is_utf8(encoding))
            texts = decoded(pieces, path, encoding=encoding, translate=False)
        waits = (lambda: False) if stream is None else (lambda: would_wait(stream))
        yield from _cut(_checked(_without_mark(texts), path), path, ends, longest, size, waits)


def _pieces_of(stream: IO[str]) -> Iterator[str]:
    """Yield the text of a stream in pieces, none of which ends within a CRLF."""
    newlines = io.IncrementalNewlineDecoder(None, translate=False)
    while piece := stream.read(_PIECE):
        yield newlines.decode(piece)
    yield newlines.decode("", final=True)


def _without_mark(texts: Iterator[str]) -> Iterator[str]:
    """Remove byte order marks at the beginning; some tools write several."""
    for text in texts:
        if rest := text.lstrip("\ufeff"):
            yield rest
            break
    yield from texts


def _checked(texts: Iterator[str], path: str) -> Iterator[str]:
    """Pass text on, up to a character that no text has."""
    line = 1
    for text in texts:
        fault = _first_fault(text)
        if fault is not None:
            yield text[:fault]
            line += n_line_ends(text[:fault])
            if text[fault] == "\0":
                # not the whole line: in a file of other data it may be long
                around = visible(text[max(0, fault - 20) : fault + 20])
                raise DataError(
                    f"{path}:{line}: a NUL byte in {around!r}; is the file UTF-16 or not text?"
                )
            raise DataError(f"{path}:{line}: half of a character (a lone surrogate), expected text")
        line += n_line_ends(text)
        yield text


def _first_fault(text: str) -> int | None:
    """Return the index of the first NUL or lone surrogate; None if there is none."""
    zero = text.find("\0")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start if zero < 0 else min(zero, error.start)
    return None if zero < 0 else zero


def _cut(
    texts: Iterator[str],
    path: str,
    ends: re.Pattern[str],
    longest: int | None,
    size: int,
    would_wait: Callable[[], bool],
) -> Iterator[TextChunk]:
    """Join pieces to chunks; whole units before an error are yielded before it is raised."""
    held: list[str] = []
    length, wanted = 0, size  # characters held, and characters to hold before cutting
    start = TextChunk(path, "")  # where the next chunk begins
    tail, whole = "", False  # the last characters held, and whether a unit ends within all of them
    while True:
        failure: Exception | None = None
        try:
            piece = next(texts, None)
        except Exception as error:  # raised again below
            failure, piece = error, None
        if piece is not None:
            held.append(piece)
            length += len(piece)
            whole = whole or ends.search(tail + piece) is not None
            tail = (tail + piece)[-_TAIL:]
        pauses = whole and piece is not None and would_wait()
        if piece is not None and length < wanted and not pauses:
            continue
        text = "".join(held)
        begin = 0
        while begin < len(text):
            rest = text[begin:]
            end = len(rest)
            is_rest = piece is None and failure is None
            if not is_rest or (longest is not None and end > longest):
                end = _end(rest, ends, longest, is_last=pauses or failure is not None)
            if not end and is_rest:
                end = len(rest)
            if not end:
                break
            chunk = start._replace(text=rest[:end], pauses=pauses)
            yield chunk
            line = chunk.first_line + n_line_ends(chunk.text)
            place = chunk.first_character + len(chunk.text)
            after = chunk.text[len(chunk.text.rstrip()) :]
            within = longest is not None and ends.search(after) is None
            start = TextChunk(path, "", line, place, continues=within)
            begin += end
        if failure is not None:
            raise failure
        if piece is None:
            return
        held, length, whole = [text[begin:]], len(text) - begin, False
        tail = held[0][-_TAIL:]
        _demand_bounded(held[0], start, longest)
        # if there was no place to cut, wait for twice as much: the time stays linear
        wanted = size if begin else max(size, 2 * length)
        if longest is not None and length <= longest:
            wanted = min(wanted, max(size, longest + 1))


def _demand_bounded(held: str, start: TextChunk, longest: int | None) -> None:
    """Raise DataError if text that could not be cut grows too long to be held in memory."""
    what, most = "a line or a sentence", LONGEST_LINE
    if longest is not None:  # a unit would have been cut, but not the white space around it
        what, most = "white space", LONGEST_SPACE
    if len(held) > most + (longest or 0):
        raise DataError(
            f"{start.path}:{start.first_line}: {what} of over {most:,} characters; is it text?"
        )


def _end(text: str, ends: re.Pattern[str], longest: int | None, *, is_last: bool) -> int:
    """Return where to cut a text; 0 if nowhere yet.

    Args:
        is_last: whether to cut at an end after which nothing is known to follow.
    """
    content = _NO_SPACE.search(text)
    if content is None:
        return 0
    limit = len(text) if longest is None else content.start() + longest
    first = ends.search(text, content.start())
    if len(text) <= limit or (first is not None and first.start() <= limit):
        return _last_end(text, ends, len(text), is_last=is_last)
    if len(text.rstrip()) <= limit:
        return 0  # white space stays with what precedes it: perhaps nothing follows
    for pattern in (LINE_ENDS, _SPACES):
        end = _last_end(text, pattern, limit, is_last=False)
        if end:
            return end
    # marks stay with their letter, and the parts of an emoji together
    for end in range(limit, max(limit - 100, content.start() + 1), -1):
        around = text[end - 1 : end + 1]
        is_mark = unicodedata.category(around[-1])[0] == "M"
        if not is_mark and _JOINER not in around and around != "\r\n":
            return end
    return limit


def _last_end(text: str, ends: re.Pattern[str], limit: int, *, is_last: bool) -> int:
    """Return the end of the last match that begins before `limit`; 0 if there is none.

    Before it and, unless `is_last`, after it must be more than white space.
    """
    window = _WINDOW
    while True:
        start = max(0, limit - window)
        end = 0
        for match in ends.finditer(text, start):
            if match.start() >= limit:
                break
            if is_last or match.end() < len(text):
                end = match.end()
        if end and _NO_SPACE.search(text, 0, end):
            return end
        if start == 0:
            return 0
        window *= 4
