"""What `parse` leaves in DEPS: nothing, but the tree itself in a file that has empty nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.commands import console

if TYPE_CHECKING:
    from meprop_nlp.data.sentence import Sentence

__all__ = ["with_fitting_deps"]

_EMPTY_NODE = re.compile(r"\d+\.\d+\t")


def with_fitting_deps(sentences: Iterable[Sentence], encoding: str) -> Iterator[Sentence]:
    """Pass parsed sentences on, with the tree written into DEPS where emptiness would be invalid.

    The old enhanced graph is stale beside new heads, so the parser empties DEPS. But CoNLL-U allows
    an empty node only where every word of the file stands in an enhanced graph; there the tree is
    that graph. A pipe cannot be looked through beforehand: its DEPS stay empty, and it is told.
    """
    path, fill, told = "", False, False
    for sentence in sentences:
        if sentence.path != path:
            path = sentence.path
            fill = _has_empty_nodes(path, encoding)
        if fill:
            heads, deprels = sentence.column("head"), sentence.column("deprel")
            arcs = [f"{head}:{deprel}" for head, deprel in zip(heads, deprels, strict=True)]
            sentence = sentence.with_columns(deps=arcs)
        elif sentence.empty_nodes and not told:
            told = True
            console.warning(
                f"{path}: has empty nodes, which are valid only beside DEPS; "
                "give a file, not a pipe, and parse writes the tree there"
            )
        yield sentence


def _has_empty_nodes(path: str, encoding: str) -> bool:
    from meprop_nlp.data.lines import read_lines

    if not Path(path).is_file():
        return False
    lines = read_lines(path, encoding=encoding, encoding_errors="replace")
    return any(_EMPTY_NODE.match(line) for line in lines)
