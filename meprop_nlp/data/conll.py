"""Read and write CoNLL-U, CoNLL-X and tab-separated words, as streams of `Sentence`.

    for sentence in read("dev.conllu", trees=True):
        ...
    write(sentences, "out.conllu.gz")

Memory stays constant, whatever the size of the file. Nothing of a file is lost on the way but
the kind of its line ends, a byte order mark and superfluous empty lines.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from meprop_nlp.data.block import Fault, parse_block
from meprop_nlp.data.layout import FORMATS, LayoutError, detect_layout
from meprop_nlp.data.lines import Source, read_lines, source_name
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
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
from meprop_nlp.data.writing import write
from meprop_nlp.errors import ConfigError, ConlluError, Problem

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
            DEPREL), or `auto`: told by the first sentence.
        trees: demand a full tree of every sentence: all heads set, a root, no circle. Without it
            HEAD may be `_`, and circles are not looked for. Several roots are always allowed.
        on_error: `fail`: from the first faulty sentence on yield no more, but go on reading to
            collect up to `max_errors` faults. `skip`: leave faulty sentences out.
        max_errors: how many faults to collect.
        encoding, encoding_errors: as for `open`.
        report: is told of every sentence that is yielded or skipped.

    Raises:
        ConlluError: one or several faults, each with file and line.
        DataError: if the file cannot be opened or read at all.
        ConfigError: if an argument is none of those named above.
    """
    if input_format not in FORMATS:
        raise ConfigError(f"input format {input_format!r}, expected one of {', '.join(FORMATS)}")
    if on_error not in ("fail", "skip"):
        raise ConfigError(f"on_error is {on_error!r}, expected fail or skip")
    if max_errors < 1:
        raise ConfigError(f"max_errors is {max_errors}, expected at least 1")
    blocks = read_blocks(
        source,
        input_format=input_format,
        trees=trees,
        encoding=encoding,
        encoding_errors=encoding_errors,
    )
    return _yield_good(blocks, source_name(source), on_error, max_errors, report)


def read_text(text: str, *, input_format: str = "auto", trees: bool = False) -> Iterator[Sentence]:
    """`read`, from a string."""
    return read(io.StringIO(text, newline=""), input_format=input_format, trees=trees)


def _yield_good(
    blocks: Iterator[Sentence | list[Fault]],
    path: str,
    on_error: str,
    max_errors: int,
    report: TreebankReport | None,
) -> Iterator[Sentence]:
    problems: list[Problem] = []
    try:
        for block in blocks:
            if isinstance(block, Sentence):
                if not problems:
                    if report is not None:
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
    path = source_name(source)
    notes = {} if notes is None else notes
    layout: Layout | None = None
    lines: list[str] = []
    carried: list[str] = []  # comments with an empty line after them: they go to the next sentence
    number = 0

    def parse() -> Sentence | list[Fault] | None:
        nonlocal layout
        first_line = number - len(lines)
        if layout is None:
            if input_format != "tab" and all(line.startswith("#") for line in lines):
                carried.extend(lines)
                return None
            try:
                layout = detect_layout(lines, input_format=input_format, name=path)
            except LayoutError as error:
                raise ConlluError([Problem(path, first_line + error.line, str(error))]) from None
        block = parse_block(lines, first_line, layout, path=path, trees=trees)
        if isinstance(block, Sentence):
            if not block.words:
                carried.extend(block.comments)
                return None
            block.comments[:0] = carried
        carried.clear()
        return block

    for line in read_lines(source, encoding=encoding, encoding_errors=encoding_errors, notes=notes):
        number += 1
        if line and (line[0] not in " \t" or line.strip(" \t")):
            lines.append(line)
            continue
        if line:
            notes.setdefault("pseudo-empty-line", number)
        if lines:
            block = parse()
            lines.clear()
            if block is not None:
                yield block
    if lines:  # the last sentence has no empty line after it
        number += 1
        notes["missing-empty-line"] = number - 1
        block = parse()
        if block is not None:
            yield block
