"""Read CoNLL-U, CoNLL-X and tab-separated words as a stream of `Sentence`.

Bracketed trees (.mrg) are read too: `penn/dependencies.py` converts them to dependency trees.

    for sentence in read("dev.conllu", trees=True):
        ...

Memory use does not grow with the size of the file. When the sentences are written again, the file
is the same except for its line ends, a byte order mark, extra empty lines, and comments after the
last sentence; `validate` warns about each of these.
"""

import io
import itertools
from collections.abc import Iterable, Iterator
from typing import TypeVar

from meprop_nlp.data.conll.block import Fault, parse_block
from meprop_nlp.data.conll.layout import (
    FORMATS,
    Layout,
    detect_layout,
    is_bracketed,
    named_columns,
)
from meprop_nlp.data.lines import read_lines
from meprop_nlp.data.penn.brackets import parse_trees
from meprop_nlp.data.penn.dependencies import to_sentences
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.errors import ConfigError, ConlluError, Problem

Good = TypeVar("Good")


def read(
    source: Source,
    *,
    input_format: str = "auto",
    trees: bool | None = False,
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
            DEPREL), or `auto`, which detects these and bracketed trees from the first sentence.
        trees: whether every sentence must have a full tree: all heads set, a root, no cycle. If
            False, HEAD may be `_` and cycles are not checked. None: HEAD may be `_`, and the heads
            that are set must not make a cycle. Several roots are always allowed.
        on_error: `fail`: yield no sentences after the first faulty one, but continue reading to
            collect up to `max_errors` faults. `skip`: leave faulty sentences out. Bracketed trees
            cannot be read past a fault, since the start of the next tree is unknown.
        max_errors: how many faults to collect.
        encoding, encoding_errors: as for `open`.
        report: counts every sentence that is yielded or skipped.

    Raises:
        ConlluError: one or several faults, each with file and line.
        DataError: if the file cannot be opened or read at all.
        ConfigError: if an argument is none of the values above.
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


def read_text(
    text: str, *, input_format: str = "auto", trees: bool | None = False
) -> Iterator[Sentence]:
    """Yield the sentences of a string, as `read` does."""
    return read(io.StringIO(text, newline=""), input_format=input_format, trees=trees)


def read_blocks(
    source: Source,
    *,
    input_format: str = "auto",
    trees: bool | None = False,
    encoding: str = "utf-8",
    encoding_errors: str = "strict",
    notes: dict[str, int] | None = None,
) -> Iterator[Sentence | list[Fault]]:
    """Yield each sentence, or the list of its faults; the other arguments are as in `read`.

    Args:
        notes: receives those codes of `validate.NOTES` that apply to the file; the value is a line
            number, or 0 for the whole file.

    Raises:
        ConlluError: if the first word line fits no format, or the file is not text.
        DataError: if the file cannot be opened or read at all.
    """
    notes = {} if notes is None else notes
    lines = read_lines(source, encoding=encoding, encoding_errors=encoding_errors, notes=notes)
    path = source_name(source)
    if input_format == "auto":
        blocks = _detected_blocks(lines, path, trees, notes)
    else:
        blocks = parse_lines(lines, path=path, input_format=input_format, trees=trees, notes=notes)
    return with_header(blocks)


def with_header(
    blocks: Iterable[Sentence | list[Fault]],
) -> Iterator[Sentence | list[Fault]]:
    """Pass blocks on; the first sentence of CoNLL-U Plus gets the header if it has none.

    The header may stand above a faulty sentence. What is written without that one must have it too,
    or it could not be read.
    """
    blocks = iter(blocks)
    for block in blocks:
        if isinstance(block, Sentence):
            if block.layout.columns and named_columns(block.comments) is None:
                block.comments.insert(0, block.layout.header)
            yield block
            break
        yield block
    yield from blocks


def _detected_blocks(
    lines: Iterator[str], path: str, trees: bool | None, notes: dict[str, int]
) -> Iterator[Sentence | list[Fault]]:
    """Yield the sentences or faults of bracketed trees, or else of CoNLL in any layout."""
    start: list[str] = []
    bracketed = False
    for line in lines:
        start.append(line)
        if line.strip(" \t"):
            bracketed = is_bracketed(line)
            break
    lines = itertools.chain(start, lines)
    if bracketed:
        yield from to_sentences(parse_trees(lines, path=path))
    else:
        yield from parse_lines(lines, path=path, trees=trees, notes=notes)


def group_lines(
    lines: Iterable[str], *, first_line: int = 1, notes: dict[str, int] | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line of each block, and its lines without the empty line.

    Args:
        lines: the lines of a file.
        first_line: the number of the first of these lines.
        notes: as in `read_blocks`.
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
        else:
            notes.setdefault("empty-sentence", number)
    if block:  # the last sentence has no empty line after it
        notes["missing-empty-line"] = number
        yield number + 1 - len(block), block


def parse_lines(
    lines: Iterable[str],
    *,
    path: str,
    layout: Layout | None = None,
    input_format: str = "auto",
    trees: bool | None = False,
    first_line: int = 1,
    notes: dict[str, int] | None = None,
    most_words: int | None = None,
) -> Iterator[Sentence | list[Fault]]:
    """Yield each sentence of the lines, or its faults.

    Args:
        path: the name of the file in messages.
        layout: the layout of the file; None: detect it, within the choice of `input_format`.
        trees: what is demanded of the heads, see `read`.
        first_line, notes: as in `group_lines`.
        most_words: a sentence of more words is a fault.

    Raises:
        ConlluError: if the first word line fits no format.
    """
    carried: list[str] = []  # comments followed by an empty line belong to the next sentence
    for number, block in group_lines(lines, first_line=first_line, notes=notes):
        if layout is None:
            layout = detect_layout(
                block, number, input_format=input_format, path=path, above=carried
            )
            if layout is None:
                carried += block
                continue
        if most_words is not None and (n_words := _n_words(block, layout)) > most_words:
            carried.clear()
            yield [Fault(number, "long-sentence", too_long(n_words, most_words))]
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
                if carried and notes is not None:
                    notes.setdefault("empty-sentence", number - 1)
        carried.clear()
        yield parsed
    if carried and notes is not None:  # there is no sentence to write them with
        notes["comments-at-end"] = 0


def too_long(n_words: int, most: int) -> str:
    """Return the message on a sentence of more than `most` words."""
    return (
        f"a sentence of {n_words:,} words, expected at most {most:,}; is there an empty line "
        "after each sentence?"
    )


def _n_words(block: list[str], layout: Layout) -> int:
    ids = layout.place("id")
    if layout.kind == "tab" or ids is None:
        return len(block)
    rows = (line.split("\t", ids + 1) for line in block if not line.startswith("#"))
    return sum(len(row) > ids and row[ids].isdecimal() for row in rows)


def check_arguments(input_format: str, on_error: str, max_errors: int) -> None:
    """Raise ConfigError if an argument of `read` has an invalid value."""
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
    """Yield the blocks without faults; skip or collect the others as `on_error` says, see `read`.

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
    except ConlluError as error:  # the rest of the file cannot be read
        problems += error.problems
    if problems:
        raise ConlluError(problems[:max_errors], capped=len(problems) >= max_errors)
