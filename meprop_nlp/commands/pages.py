"""`write_page`: write a page of sentences where the user wants it, or to a temporary file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from meprop_nlp.errors import DataError

if TYPE_CHECKING:
    from meprop_nlp.scoring.scores import Scores
    from meprop_nlp.views.differences import Compared


def write_page(
    sentences: Iterable[Compared], output: Path | None, *, title: str, scores: Scores | None
) -> Path | None:
    """Write the page and return its file, None for standard output.

    Without `output` it goes to a new temporary file, and the name of that is printed.

    Raises:
        DataError: there are no sentences, or the file cannot be written.
    """
    from meprop_nlp.data.conll.writing import write_pieces
    from meprop_nlp.files import discard
    from meprop_nlp.views.page import page

    parts = page(some(sentences, title), title=title, scores=scores)
    # a file's name may be no UTF-8
    pieces = (part.encode("utf-8", "replace") for part in parts)
    if output is not None:
        write_pieces(pieces, output)
        return None if str(output) == "-" else output
    handle, name = tempfile.mkstemp(prefix="meprop-nlp-", suffix=".html")
    os.close(handle)
    path = Path(name)
    try:
        write_pieces(pieces, path)
    except BaseException:
        discard(path)
        raise
    print(path)
    return path


def some(sentences: Iterable[Compared], title: str) -> Iterator[Compared]:
    """Yield the sentences.

    Raises:
        DataError: there are none.
    """
    n = 0
    for n, each in enumerate(sentences, start=1):  # noqa: B007, the last number is read below
        yield each
    if not n:
        raise DataError(f"{title}: no sentences in it, nothing to show")
