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
from collections.abc import Iterable, Iterator
from typing import TypeVar

from meprop_nlp.data.conll.block import Fault, parse_block
from meprop_nlp.data.conll.layout import FORMATS, Layout, detect_layout, is_bracketed
from meprop_nlp.data.lines import read_lines
from meprop_nlp.data.penn.brackets import parse_trees
from meprop_nlp.data.penn.dependencies import to_sentences
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.errors import ConfigError, ConlluError, Problem

__all__ = [
    "check_arguments",
    "good_blocks",
    "group_lines",
    "parse_lines",
    "read",
    "read_blocks",
    "read_text",
]

Good = TypeVar("Good")


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
        return _detected_blocks(lines, path, trees, notes)
    return parse_lines(lines, path=path, input_format=input_format, trees=trees, notes=notes)


def _detected_blocks(
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


def group_lines(
    lines: Iterable[str], *, first_line: int = 1, notes: dict[str, int] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield each block, without its empty line, and before it the number of its first line.

    Args:
        first_line: number of the first of all the lines.
        notes: as for `read_blocks`.
    """
    notes = {} if notes is None else notes
    block: list[str] = []
    number = first_line - 1
    for line in lines:
        number += 1
        if line and (line[0] not in " \t" or line.strip(" \t")):
            block.append(line)
            continue
        if line:
            notes.setdefault("pseudo-empty-line", number)
        if block:
            yield number - len(block), block
            block = []
    if block:  # the last sentence has no empty line after it
        notes["missing-empty-line"] = number
        yield number + 1 - len(block), block


def parse_lines(
    lines: Iterable[str],
    *,
    path: str,
    layout: Layout | None = None,
    input_format: str = "auto",
    trees: bool = False,
    first_line: int = 1,
    notes: dict[str, int] | None = None,
) -> Iterator[Sentence | list[Fault]]:
    """Yield each sentence of the lines, or its faults.

    Args:
        path: what the file is called in messages.
        layout: where it is known; else `input_format` says what it may be.
        trees: whether the heads must make a tree.
        first_line, notes: as for `group_lines`.

    Raises:
        ConlluError: if the first word line fits no format.
    """
    carried: list[str] = []  # comments with an empty line after them: they go to the next sentence
    for number, block in group_lines(lines, first_line=first_line, notes=notes):
        if layout is None:
            layout = detect_layout(block, number, input_format=input_format, path=path)
            if layout is None:
                carried += block
                continue
        parsed = parse_block(block, number, layout, path=path, trees=trees)
        if isinstance(parsed, Sentence):
            if not parsed.words and not parsed.empty_nodes:
                carried += parsed.comments
                continue
            if not parsed.words:
                message = "an empty node and no word, expected a sentence"
                parsed = [Fault(number, "missing-words", message, parsed.sent_id)]
            else:
                parsed.comments[:0] = carried
        carried.clear()
        yield parsed
    if carried and notes is not None:  # written nowhere, as there is no sentence to go with
        notes["comments-at-end"] = 0


def check_arguments(input_format: str, on_error: str, max_errors: int) -> None:
    """Raise ConfigError where an argument of `read` is none of those it takes."""
    if input_format not in FORMATS:
        raise ConfigError(
            f"`input_format` is {input_format!r}, expected one of {', '.join(FORMATS)}"
        )
    if on_error not in ("fail", "skip"):
        raise ConfigError(f"`on_error` is {on_error!r}, expected fail or skip")
    if max_errors < 1:
        raise ConfigError(f"`max_errors` is {max_errors}, expected at least 1")


def good_blocks(
    blocks: Iterable[Good | list[Fault]],
    path: str,
    on_error: str,
    max_errors: int,
    report: TreebankReport | None,
) -> Iterator[Good]:
    """Yield what is not faulty, and do with the faults what `on_error` says; see `read`.

    Raises:
        ConlluError: one or several faults, each with file and line.
    """
    problems: list[Problem] = []
    try:
        for block in blocks:
            if not isinstance(block, list):
                if not problems:
                    if report is not None and isinstance(block, Sentence):
                        report.add(block)
                    yield block
            elif on_error == "skip":
                if report is not None:
                    report.skip([fault.problem(path) for fault in block])
            else:
                problems += [fault.problem(path) for fault in block]
                if len(problems) >= max_errors:
                    break
    except ConlluError as error:  # the file cannot be read on from here
        problems += error.problems
    if problems:
        raise ConlluError(problems[:max_errors], capped=len(problems) >= max_errors)
