"""Lines as blocks, and blocks as sentences: what `read` does, whatever the lines come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from meprop_nlp.data.conll.block import Fault, parse_block
from meprop_nlp.data.conll.layout import FORMATS, LayoutError, detect_layout
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Layout
from meprop_nlp.errors import ConfigError, ConlluError, Problem

__all__ = ["block_layout", "check_arguments", "good_blocks", "group_lines", "parse_lines"]

Good = TypeVar("Good")


def check_arguments(input_format: str, on_error: str, max_errors: int) -> None:
    """Raise ConfigError where an argument of `read` is none of those it takes."""
    if input_format not in FORMATS:
        raise ConfigError(f"input format {input_format!r}, expected one of {', '.join(FORMATS)}")
    if on_error not in ("fail", "skip"):
        raise ConfigError(f"on_error is {on_error!r}, expected fail or skip")
    if max_errors < 1:
        raise ConfigError(f"max_errors is {max_errors}, expected at least 1")


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


def block_layout(
    block: list[str], first_line: int, *, input_format: str, path: str
) -> Layout | None:
    """The layout of a file whose first block this is; None where it holds comments only.

    Raises:
        ConlluError: if the first word line fits no format, or not the one asked for.
    """
    if input_format != "tab" and all(line.startswith("#") for line in block):
        return None
    try:
        return detect_layout(block, input_format=input_format, name=path)
    except LayoutError as error:
        raise ConlluError([Problem(path, first_line + error.line, str(error))]) from None


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
            layout = block_layout(block, number, input_format=input_format, path=path)
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
