"""Pretrained word vectors: the text form of word2vec, GloVe and fastText, word2vec's binary form.

The binary form is recognised by its content: a header line as in word2vec's text form, then for
each word its bytes, a space, its values as little-endian float32, and perhaps a line break.
"""

import io
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from meprop_nlp.data.lines import decoded_lines, read_lines, visible
from meprop_nlp.data.source import opened, read_pieces, source_name
from meprop_nlp.data.vocab import nfc
from meprop_nlp.errors import DataError

WIDEST = 10_000  # values of a word
LONGEST_WORD = 1 << 14  # bytes, in the binary form
_MOST_DIGITS = 18  # of the number of words
_PEEKED = 1 << 16  # bytes; they tell the binary form from text
_PIECE = 1 << 18
_HEADER = re.compile(rb"([0-9]+) ([0-9]+) *\r?\n")
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
_REPLACED = "\ufffd"  # what bytes that are not UTF-8 are read as

Row = npt.NDArray[np.float32]


class _Entry(NamedTuple):
    """A word of a file.

    Attributes:
        form: in Unicode normal form C; empty for a word that cannot be read.
        width: D.
        row: returns the word's values, (D,); raises DataError if one is not a finite number.
    """

    form: str
    width: int
    row: Callable[[], Row]


class _Sizes(NamedTuple):
    """The header of a file: the number of words, and of the values of each."""

    words: int
    width: int

    @classmethod
    def of(cls, words: str, width: str, where: str) -> "_Sizes":
        """Check the two numbers of a header.

        Raises:
            DataError: no file has so many words, or no word so many values.
        """
        if len(width) > _MOST_DIGITS or not 1 <= int(width) <= WIDEST:
            raise DataError(
                f"{where}: the header says {visible(width)} values a word, expected 1 to {WIDEST:,}"
            )
        if len(words) > _MOST_DIGITS:
            raise DataError(f"{where}: the header says {visible(words)} words, which no file has")
        return cls(int(words), int(width))


def read_vectors(
    path: str | os.PathLike[str], wanted: Collection[str], *, first: int = 0
) -> tuple[dict[str, Row], int]:
    """Read the vectors of the wanted words, and of the first words of the file.

    In the text form each line holds a word and its values, separated by single spaces, and the
    first line may be a header of two integers: the number of words and the number of values. A text
    file may have more or fewer words than its header says, as after `head`; a binary file may not.
    The file may be compressed with gzip, xz or bzip2. Only the words to return are kept in memory.

    Words that are not UTF-8, as a few in fastText's files are, are skipped.

    Args:
        path: the file.
        wanted: forms in Unicode normal form C.
        first: how many words at the beginning of the file are returned too, whether or not they
            are wanted.

    Returns:
        A row of shape (D,) for each of these forms (the first row, if it has several), in the order
        of the file, and D.

    Raises:
        DataError: if a word has not D values, or a value of a word to return is not a finite
            number, with file and line, or byte in the binary form; if a header is impossible, or a
            binary file is cut off; or if the file has no vectors.
    """
    vectors: dict[str, Row] = {}
    width = 0
    name = source_name(path)
    with opened(path) as stream:
        for rank, (form, width, row) in enumerate(_entries(path, stream, name)):  # noqa: B007
            if form and form not in vectors and (rank < first or form in wanted):
                vectors[form] = row()
    if not width:
        raise DataError(f"{name}: no vectors in the file, expected a word and its values a line")
    return vectors, width


def demand_vectors(path: str | os.PathLike[str]) -> None:
    """Check the beginning of a file of vectors; `read_vectors` finds what is wrong later on.

    What can be read only once, such as a pipe, is not looked into.

    Raises:
        DataError: there is no such file, or it does not begin as one of vectors.
    """
    name = source_name(path)
    if os.fspath(path) == "-" or (Path(path).exists() and not Path(path).is_file()):
        return
    with opened(path) as stream:
        for entry in _entries(path, stream, name):
            entry.row()
            return
    raise DataError(f"{name}: no vectors in the file, expected a word and its values a line")


def _entries(path: str | os.PathLike[str], opened_file: Any, name: str) -> Iterator[_Entry]:
    """Yield the words of a file that is open; None for standard input that is text already."""
    if opened_file is None:
        yield from _text_entries(read_lines(path), name)
        return
    stream = io.BufferedReader(opened_file, _PEEKED)
    start = stream.peek()
    header = _HEADER.match(start)
    if header:
        sizes = _Sizes.of(header[1].decode(), header[2].decode(), f"{name}:1")
        if _is_binary(start[header.end() :], sizes.width):
            stream.read(header.end())
            yield from _binary_entries(stream, sizes, header.end(), name)
            return
    pieces = read_pieces(stream, name)
    yield from _text_entries(decoded_lines(pieces, name, encoding_errors="replace"), name)


# the text form


def _text_entries(lines: Iterable[str], name: str) -> Iterator[_Entry]:
    width = 0
    for number, line in enumerate(lines, start=1):
        line = line.rstrip(" ")
        if not line:
            continue
        n_spaces = line.count(" ")
        if number == 1 and n_spaces == 1:
            words, _, values = line.partition(" ")
            if all(field.isascii() and field.isdigit() for field in (words, values)):
                width = _Sizes.of(words, values, f"{name}:1").width
                continue
        if not width:
            width = n_spaces
            if width < 1:
                raise DataError(
                    f"{name}:{number}: found {line[:40]!r}, expected a word and its values"
                )
            if width > WIDEST:
                raise DataError(
                    f"{name}:{number}: found {width:,} values, expected 1 to {WIDEST:,}"
                )
        form = line[: line.find(" ")]
        if n_spaces != width:
            # in some GloVe files, words contain spaces
            form = line.rsplit(" ", width)[0]
            if n_spaces < width or _is_number(form.rpartition(" ")[2]):
                raise DataError(f"{name}:{number}: found {n_spaces} values, expected {width}")
        form = "" if _REPLACED in form else nfc(form)
        yield _Entry(form, width, partial(_text_row, line, width, name, number))


def _text_row(line: str, width: int, name: str, number: int) -> Row:
    fields = line.rsplit(" ", width)[1:]
    try:
        with np.errstate(over="ignore"):  # values too large become infinite, and are refused below
            row = np.array([float(field) for field in fields], dtype=np.float32)
    except (ValueError, OverflowError):
        wrong = next(field for field in fields if not _is_number(field))
        raise DataError(f"{name}:{number}: {wrong!r} is not a number") from None
    finite = np.isfinite(row)
    if not finite.all():
        wrong = fields[int(np.argmin(finite))]
        raise DataError(f"{name}:{number}: {wrong!r} is not a finite number") from None
    return row


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


# the binary form


def _is_binary(start: bytes, width: int) -> bool:
    """Return whether what follows a header is in the binary form.

    It is text if the first line is a word and its values, or if what would be the values of the
    first word in the binary form are characters, without control characters. Values that are so by
    chance would have to be very few.
    """
    fields = start.partition(b"\n")[0].decode(errors="replace").rstrip(" \r").rsplit(" ", width)
    if len(fields) == width + 1 and all(map(_is_number, fields[1:])):
        return False
    values = start.partition(b" ")[2][: 4 * width]
    try:
        text = values.decode()
    except UnicodeDecodeError as error:
        if error.end < len(values):
            return True
        text = values[: error.start].decode()  # a character may be cut in two at the end
    return _CONTROL.search(text) is not None


def _binary_entries(
    stream: io.BufferedReader, sizes: _Sizes, place: int, name: str
) -> Iterator[_Entry]:
    """Yield the words of a stream that begins with the first of them, at a byte of the file."""
    n_bytes = 4 * sizes.width
    buffer, at = b"", 0  # `at`: of the next word in the buffer
    for n in range(sizes.words):
        space = buffer.find(b" ", at)
        while space < 0 or len(buffer) < space + 1 + n_bytes:
            if len(buffer) - at > LONGEST_WORD + n_bytes:
                break
            piece = stream.read(_PIECE)
            if not piece:
                raise DataError(
                    f"{name}: the file is cut off at byte {place + len(buffer) - at:,}, in word "
                    f"{n + 1:,} of {sizes.words:,}; copy it again"
                )
            buffer, at = buffer[at:] + piece, 0
            space = buffer.find(b" ")
        if not 0 <= space - at <= LONGEST_WORD:
            raise DataError(
                f"{name}: byte {place:,}: word {n + 1:,} has over {LONGEST_WORD:,} bytes; is this "
                "word2vec's binary form?"
            )
        try:
            form = nfc(buffer[at:space].removeprefix(b"\n").decode())
        except UnicodeDecodeError:
            form = ""
        where = f"{name}: byte {place + space + 1 - at:,}"
        yield _Entry(form, sizes.width, partial(_binary_row, buffer, space + 1, sizes.width, where))
        place += space + 1 + n_bytes - at
        at = space + 1 + n_bytes
    rest = buffer[at:] + stream.read(2)
    if rest.removeprefix(b"\n"):
        raise DataError(
            f"{name}: byte {place:,}: more follows the {sizes.words:,} words that the header says"
        )


def _binary_row(buffer: bytes, at: int, width: int, where: str) -> Row:
    row = np.frombuffer(buffer, "<f4", width, at).astype(np.float32)
    finite = np.isfinite(row)
    if not finite.all():
        n = int(np.argmin(finite))
        raise DataError(f"{where}: value {n + 1} of the word is {row[n]}, expected a finite number")
    return row
