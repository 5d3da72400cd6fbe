"""What `parse` leaves in DEPS: nothing, but the tree itself in a file that has empty nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands import console

if TYPE_CHECKING:
    from meprop_nlp.models.annotate import Piece

__all__ = ["fills_deps", "warned_of_empty_nodes"]

_EMPTY_NODE = re.compile(r"[0-9]+\.[0-9]+\t")


def fills_deps(path: str, encoding: str) -> bool:
    """Whether the tree is to be written into DEPS: emptiness would be invalid in this file.

    The old enhanced graph is stale beside new heads, so the parser empties DEPS. But CoNLL-U allows
    an empty node only where every word of the file stands in an enhanced graph; there the tree is
    that graph. A pipe cannot be looked through beforehand: its DEPS stay empty.
    """
    from meprop_nlp.data.conll.chunks import comes_in_chunks, read_chunks
    from meprop_nlp.data.lines import read_lines
    from meprop_nlp.errors import DataError

    if not Path(path).is_file():
        return False
    try:
        if comes_in_chunks(path, encoding):
            return any(chunk.has_empty_node() for chunk in read_chunks(path))
        return any(map(_EMPTY_NODE.match, read_lines(path, encoding=encoding)))
    except DataError:  # reading it once more, to parse it, says what is wrong
        return False


def warned_of_empty_nodes(pieces: Iterable[Piece], path: str) -> Iterator[Piece]:
    """Pass parsed sentences on, and say once where empty nodes stand beside an empty DEPS."""
    told = False
    for piece in pieces:
        if piece.has_empty_nodes and not told:
            told = True
            console.warning(
                f"{path}: has empty nodes, which are valid only beside DEPS; "
                "give a file, not a pipe, and parse writes the tree there"
            )
        yield piece
