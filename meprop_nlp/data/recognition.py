"""`recognized`: tell running text from CoNLL and bracketed trees by how a file begins.

The first line that is no comment decides: columns are separated by tabs, and text has none there.
"""

import codecs
import contextlib
import io
import re
import sys
from collections.abc import Iterator
from typing import IO, cast

from meprop_nlp.data.conll.layout import has_conll_name, is_bracketed
from meprop_nlp.data.lines import demand_encoding, is_utf8
from meprop_nlp.data.source import Prefixed, Source, opened, read_pieces, source_name
from meprop_nlp.errors import DataError

_LONGEST_START = 1 << 20  # characters
_PIECE = 1 << 16
_LINE_END = re.compile(r"\r\n|\n|\r")
_COMMENT = re.compile(r"#\s*(?:new(?:doc|par)\b|\S+\s*=)")  # as CoNLL-U has them
# the opening bracket of a tree, and perhaps its label and an only child
_TREE = re.compile(r"\s*\(\s*(?:[^\s()a-z]*\s*(?:\(.*|$)|[^\s()a-z]+ [^\s()]+\s*\)+\s*$)")
# the columns of CoNLL with spaces in place of tabs: an id, and empty columns
_SPACED = re.compile(r"1(?: +\S+)* +_(?: +\S+)* *")


def looks_like_text(start: str, path: str = "", *, is_whole: bool = False) -> bool | None:
    """Return whether a file that begins like this is running text; None: more of it must be read.

    Text is what has no tab in its first line, comments and empty lines aside, unless that line
    begins a bracketed tree or has the columns of CoNLL with spaces between them. A file that is
    named as CoNLL is never text. Comments alone are text if CoNLL-U has no such comments.

    Args:
        path: the name of the file.
        is_whole: whether this is all of the file.
    """
    if has_conll_name(path):
        return False
    lines = [line.lstrip("\ufeff") for line in _LINE_END.split(start)]
    unfinished = "" if is_whole else lines.pop()
    lines = [line for line in lines if line.strip(" \t")]
    for line in lines:
        if not line.startswith("#"):
            return _is_text(line)
    if is_whole:
        return not all(map(_COMMENT.match, lines))
    if "\t" in unfinished.strip() and not unfinished.startswith("#"):
        return False
    return True if len(start) > _LONGEST_START else None


@contextlib.contextmanager
def recognized(source: Source, encoding: str = "utf-8") -> Iterator[tuple[Source, str]]:
    """Open a source, and yield one in which all can still be read, and how its text begins.

    That is the first line that would not be a comment in CoNLL, or the first line if all would be;
    it is empty if the source is no text, but CoNLL or bracketed trees, or nothing at all.

    Raises:
        DataError: the source cannot be opened or read, or its first bytes are not those of text.
    """
    demand_encoding(encoding)
    path = source_name(source)
    if has_conll_name(path):
        yield source, ""
        return
    with opened(source) as stream:
        if stream is None:
            text = _TextStart(sys.stdin if source == "-" else cast(IO[str], source), path)
            yield cast(IO[str], text), _beginning(text.pieces(), path)
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

        beginning = _beginning(pieces(), path)
        yield io.BufferedReader(Prefixed(b"".join(start), stream, path)), beginning


def _is_text(line: str) -> bool:
    content = line.strip(" \t")
    is_tree = is_bracketed(content) and _TREE.match(content)
    is_spaced = len(content.split(" ")) >= 8 and _SPACED.fullmatch(content)
    return "\t" not in content and not is_tree and not is_spaced


def _beginning(pieces: Iterator[str], path: str) -> str:
    """Return the first line of a text, a comment only if there is no other; empty if no text."""
    start = ""
    is_text = None
    for piece in pieces:
        start += piece
        is_text = looks_like_text(start, path)
        if is_text is not None:
            break
    if is_text is None:
        is_text = looks_like_text(start, path, is_whole=True)
    if not is_text:
        return ""
    lines = [line for line in _LINE_END.split(start.lstrip("\ufeff")) if line.strip(" \t")]
    return min(lines, key=lambda line: line.startswith("#"), default=start)


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
