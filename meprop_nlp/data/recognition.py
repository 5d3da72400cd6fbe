"""`recognized`: tell running text from CoNLL and bracketed trees by how a file begins.

The first line that is neither empty nor a comment decides. Where it has tabs, it is of columns if
it has at least eight of them, or no spaces; all else is text. What names its columns in a comment,
as CoNLL-U Plus does, is CoNLL whatever follows.
"""

import codecs
import contextlib
import io
import itertools
import re
import sys
from collections.abc import Iterator
from typing import IO, NamedTuple, cast

from meprop_nlp.data.conll.layout import has_conll_name, is_bracketed, named_columns
from meprop_nlp.data.lines import demand_encoding, is_utf8, visible
from meprop_nlp.data.source import Prefixed, Source, opened, read_pieces, source_name
from meprop_nlp.errors import DataError

_LONGEST_START = 1 << 20  # characters
_PIECE = 1 << 16
_LINE_END = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"#\s*(?:new(?:doc|par)\b|\S+\s*=)")  # as CoNLL-U has them
# the opening bracket of a tree, and perhaps its label and an only child
_TREE = re.compile(r"\s*\(\s*(?:[^\s()a-z]*\s*(?:\(.*|$)|[^\s()a-z]+ [^\s()]+\s*\)+\s*$)")
_FEWEST_COLUMNS = 8  # of CoNLL-X and CoNLL-U
# the columns of CoNLL with spaces in place of tabs: an id, and empty columns
_SPACED = re.compile(r"1(?: +\S+)* +_(?: +\S+)* *")


def looks_like_text(start: str, path: str = "", *, is_whole: bool = False) -> bool | None:
    """Return whether a file that begins like this is running text; None: more of it must be read.

    The first line decides, comments and empty lines aside. It is of columns if it has tabs, and
    either at least eight columns or no spaces, as in FORM TAG; also if spaces stand in place of
    the tabs of CoNLL. If it does not begin a bracketed tree either, it is text. A file that is
    named as CoNLL is never text, nor is one with a comment `# global.columns = ...` above its first
    line. Comments alone are text if CoNLL-U has no such comments.

    Args:
        path: the name of the file.
        is_whole: whether this is all of the file.
    """
    if has_conll_name(path):
        return False
    lines = [line.lstrip("\ufeff") for line in _LINE_END.split(start)]
    unfinished = "" if is_whole else lines.pop()
    lines = [line for line in lines if line.strip(" \t")]
    if _names_columns(lines):
        return False
    for line in lines:
        if not line.startswith("#"):
            return _is_text(line)
    if is_whole:
        return not all(map(_COMMENT.match, lines))
    if len(start) <= _LONGEST_START:
        return None
    return unfinished.startswith("#") or _is_text(unfinished)


class Recognized(NamedTuple):
    """How a source begins.

    Attributes:
        source: all of it can still be read from here.
        beginning: of a text, the first line that would not be a comment in CoNLL, or the first line
            if all would be; empty if the source is no text, but CoNLL or bracketed trees, or
            nothing at all.
        doubt: how the source is read although it may be meant otherwise, in words; empty if there
            is no doubt.
    """

    source: Source
    beginning: str = ""
    doubt: str = ""


@contextlib.contextmanager
def recognized(source: Source, encoding: str = "utf-8") -> Iterator[Recognized]:
    """Open a source, and yield whether it is text, and a source in which all can still be read.

    Raises:
        DataError: the source cannot be opened or read, or its first bytes are not those of text.
    """
    demand_encoding(encoding)
    path = source_name(source)
    if has_conll_name(path):
        yield Recognized(source)
        return
    with opened(source) as stream:
        if stream is None:
            text = _TextStart(sys.stdin if source == "-" else cast(IO[str], source), path)
            yield Recognized(cast(IO[str], text), *_beginning(text.pieces(), path))
            return
        start: list[bytes] = []

        def pieces() -> Iterator[str]:
            decoder = codecs.getincrementaldecoder(encoding)("replace")
            for piece in read_pieces(stream, path, utf8=is_utf8(encoding)):
                start.append(piece)
                try:
                    yield decoder.decode(piece)
                except UnicodeError as error:  # such as UTF-16 without a byte order mark
                    raise DataError(f"{path}: {error}; is `encoding` right?") from None

        found = _beginning(pieces(), path)
        yield Recognized(io.BufferedReader(Prefixed(b"".join(start), stream, path)), *found)


def _names_columns(lines: list[str]) -> bool:
    """Return whether a comment above the first other line names the columns of CoNLL-U Plus."""
    comments = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return named_columns(comments) is not None


def _is_text(line: str) -> bool:
    content = line.strip(" \t")
    if "\t" in content:
        return " " in content and _n_columns(line) < _FEWEST_COLUMNS
    is_tree = is_bracketed(content) and _TREE.match(content)
    is_spaced = len(content.split(" ")) >= 8 and _SPACED.fullmatch(content)
    return not is_tree and not is_spaced


def _n_columns(line: str) -> int:
    return line.count("\t") + 1  # the last column may be a space


def _beginning(pieces: Iterator[str], path: str) -> tuple[str, str]:
    """Return how a source begins, as `Recognized` has it: the beginning of a text, and a doubt."""
    start = ""
    is_text = None
    for piece in pieces:
        start += piece
        is_text = looks_like_text(start, path)
        if is_text is not None:
            break
    if is_text is None:
        is_text = looks_like_text(start, path, is_whole=True)
    lines = [line for line in _LINE_END.split(start.lstrip("\ufeff")) if line.strip(" \t")]
    first = min(lines, key=lambda line: line.startswith("#"), default=start)
    if not is_text and _names_columns(lines):
        return "", ""
    return (first if is_text else ""), _doubt(first, is_text=bool(is_text))


def _doubt(line: str, *, is_text: bool) -> str:
    """Return how a source with this first line is read, if it may be meant otherwise."""
    if line.startswith("#") or "\t" not in line.strip(" \t"):
        return ""
    if _n_columns(line) >= _FEWEST_COLUMNS and not is_text:
        return ""
    if is_text:
        return f"read as text, although there are tabs in its first line, {visible(line)!r}"
    return f"read as columns (FORM TAG ...), since its first line is {visible(line)!r}"


class _TextStart:
    """A text stream that can be read from its start again after some pieces were looked at."""

    def __init__(self, stream: IO[str], name: str) -> None:
        self.name = name
        self._stream = stream
        self._start = ""

    def pieces(self) -> Iterator[str]:
        """Yield pieces that `read` returns again."""
        while piece := self._stream.read(_PIECE):
            self._start += piece
            yield piece

    def read(self, size: int = -1) -> str:
        """Return the text that was looked at, and then the rest in pieces."""
        if size == 0:
            return ""
        start, self._start = self._start, ""
        return start or self._stream.read(size)
