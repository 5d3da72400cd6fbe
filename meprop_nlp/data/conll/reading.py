"""Read and write CoNLL-U, CoNLL-X and tab-separated words, as streams of `Sentence`.

Bracketed trees (.mrg) are read too, as the dependency trees that `dependencies.py` makes of them.

    for sentence in read("dev.conllu", trees=True):
        ...
    write(sentences, "out.conllu.gz")

Memory stays constant, whatever the size of the file. Nothing of a file is lost on the way but
the kind of its line ends, a byte order mark, superfluous empty lines, and comments after the last
sentence (`validate` warns of those).
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.conll.blocks import check_arguments, good_blocks, parse_lines
from meprop_nlp.data.conll.layout import FORMATS, is_bracketed
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.lines import read_lines
from meprop_nlp.data.penn.brackets import parse_trees
from meprop_nlp.data.penn.dependencies import to_sentences
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.data.word import (
    COLUMNS,
    CONLLU,
    ROOT,
    UNSET,
    EmptyNode,
    Layout,
    MultiwordToken,
    Word,
)

__all__ = [
    "COLUMNS",
    "CONLLU",
    "FORMATS",
    "ROOT",
    "UNSET",
    "EmptyNode",
    "Layout",
    "MultiwordToken",
    "Sentence",
    "Word",
    "read",
    "read_blocks",
    "read_text",
    "write",
]


def read(
    source: Source,
    *,
    input_format: str = "auto",
    trees: bool = False,
    on_error: str = "fail",
    max_errors: int = 20,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    report: TreebankReport | None = None,
) -> Iterator[Sentence]:
    """Yield the sentences of a file, one at a time.

    Args:
        source: a path (plain, gzip, xz or bzip2), `-` for standard input, or an open file.
        input_format: `conllu`, `conllx`, `tab` (FORM, FORM TAG, FORM TAG HEAD, FORM TAG HEAD
            DEPREL), or `auto`: told by the first sentence, bracketed trees too.
        trees: demand a full tree of every sentence: all heads set, a root, no circle. Without it
            HEAD may be `_`, and circles are not looked for. Several roots are always allowed.
        on_error: `fail`: from the first faulty sentence on yield no more, but go on reading to
            collect up to `max_errors` faults. `skip`: leave faulty sentences out. After a fault in
            bracketed trees nothing can be read: nobody knows where the next tree begins.
        max_errors: how many faults to collect.
        encoding, encoding_errors: as for `open`.
        report: is told of every sentence that is yielded or skipped.

    Raises:
        ConlluError: one or several faults, each with file and line.
        DataError: if the file cannot be opened or read at all.
        ConfigError: if an argument is none of those named above.
    """
    check_arguments(input_format, on_error, max_errors)
    blocks = read_blocks(
        source,
        input_format=input_format,
        trees=trees,
        encoding=encoding,
        encoding_errors=encoding_errors,
    )
    return good_blocks(blocks, source_name(source), on_error, max_errors, report)


def read_text(text: str, *, input_format: str = "auto", trees: bool = False) -> Iterator[Sentence]:
    """`read`, from a string."""
    return read(io.StringIO(text, newline=""), input_format=input_format, trees=trees)


def read_blocks(
    source: Source,
    *,
    input_format: str = "auto",
    trees: bool = False,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    notes: dict[str, int] | None = None,
) -> Iterator[Sentence | list[Fault]]:
    """Yield each sentence, or the faults for which it cannot be read; arguments as for `read`.

    Args:
        notes: is given a line number (0 for the whole file) under each of the codes in
            `validate.NOTES` that holds for the file.

    Raises:
        ConlluError: if the first word line fits no format, or bytes are not text.
        DataError: if the file cannot be opened or read at all.
    """
    notes = {} if notes is None else notes
    lines = read_lines(source, encoding=encoding, encoding_errors=encoding_errors, notes=notes)
    path = source_name(source)
    if input_format == "auto":
        return _told_blocks(lines, path, trees, notes)
    return parse_lines(lines, path=path, input_format=input_format, trees=trees, notes=notes)


def _told_blocks(
    lines: Iterator[str], path: str, trees: bool, notes: dict[str, int]
) -> Iterator[Sentence | list[Fault]]:
    looked_at: list[str] = []
    bracketed = False
    for line in lines:
        looked_at.append(line)
        if line.strip(" \t"):
            bracketed = is_bracketed(line)
            break
    lines = itertools.chain(looked_at, lines)
    if bracketed:
        yield from to_sentences(parse_trees(lines, path=path))
    else:
        yield from parse_lines(lines, path=path, trees=trees, notes=notes)
