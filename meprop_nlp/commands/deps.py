"""What `parse` writes to DEPS: nothing, except for the tree in a file that has empty nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands import console

if TYPE_CHECKING:
    from meprop_nlp.models.annotate import Piece

_EMPTY_NODE = re.compile(r"[0-9]+\.[0-9]+\t")


def fills_deps(path: str, input_format: str, encoding: str) -> bool:
    """Whether the tree must be written to DEPS, as an empty DEPS would be invalid in this file.

    The old enhanced graph does not fit the new heads, so the parser empties DEPS. But CoNLL-U
    allows empty nodes only where every word of the file is in an enhanced graph; there the tree
    serves as that graph. A pipe cannot be searched beforehand: its DEPS stay empty. Text has no
    empty nodes.
    """
    from meprop_nlp.data.conll.chunks import comes_in_chunks, read_chunks
    from meprop_nlp.data.lines import read_lines
    from meprop_nlp.data.recognition import recognized
    from meprop_nlp.data.text_input import TEXT_FORMATS
    from meprop_nlp.errors import DataError

    if input_format in TEXT_FORMATS or not Path(path).is_file():
        return False
    try:
        with recognized(path, encoding) as found:
            if found.beginning and input_format == "auto":
                return False
        if comes_in_chunks(path, encoding):
            return any(chunk.has_empty_node() for chunk in read_chunks(path))
        return any(map(_EMPTY_NODE.match, read_lines(path, encoding=encoding)))
    except DataError:  # the parser will read it again, and report the fault
        return False


def warned_of_empty_nodes(pieces: Iterable[Piece], path: str) -> Iterator[Piece]:
    """Pass parsed sentences on; warn once of empty nodes beside an empty DEPS."""
    warned = False
    for piece in pieces:
        if piece.has_empty_nodes and not warned:
            warned = True
            console.warning(
                f"{path}: has empty nodes, which are valid only beside DEPS; "
                "give a file, not a pipe, and parse writes the tree there"
            )
        yield piece
