"""`Experiment`, `Block`, `Row`: what is compared; a block becomes one table of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from meprop_nlp.reproduction.settings import Scale
from meprop_nlp.reproduction.store import Result, Store

if TYPE_CHECKING:
    from meprop_nlp.reproduction.results import Table
    from meprop_nlp.reproduction.verdict import Claim

__all__ = ["Block", "Changes", "Experiment", "Figure", "Found", "Outside", "Row"]

Changes = Mapping[str, Any]
# another row's result with the same seed; None where it is not finished
Found = Callable[[str], Result | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes:
        key: its name for verdicts and figures.
        label: its name for people.
        changes: settings that differ from the block's base cell; or a function of the results of
            rows above it, which returns None while one that it needs is not there.
        series, x: the line of a figure that it is a point of, and where.
        papers: what the papers report.
    """

    key: str
    label: str
    changes: Changes | Callable[[Found], Changes | None]
    series: str = ""
    x: float | None = None
    papers: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of a block: a panel for each column, a line for each series of rows.

    Attributes:
        name: of its file.
        title, x_label: for people.
        columns: what is drawn upwards, by the names of `columns.COLUMNS`.
        log: whether `x` is in powers of ten.
        level: key of a row that is drawn as a level line, such as the dense network.
        epochs: draw the neurons left after each epoch, a line for each row, instead.
    """

    name: str
    title: str
    x_label: str
    columns: tuple[str, ...] = ("test",)
    log: bool = False
    level: str = ""
    epochs: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that are compared: the same task, data and settings but for what the rows change.

    Attributes:
        task: a name in `tasks.TASKS`; the block is left out, and the report says so, where this
            version has no such task.
        part: `corpus.FULL` or `corpus.SWEEP`.
        kind: `settings.PAPERS` or `settings.DEFAULTS`.
        rows: from top to bottom; a row that depends on others stands below them.
        columns: names in `columns.COLUMNS`.
        judge: the claims that the table is held against.
        figures: pictures of it.
        note: what a reader must know of the rows.
    """

    task: str
    part: str
    kind: str
    rows: tuple[Row, ...]
    columns: tuple[str, ...]
    judge: Callable[[Table], list[Claim]]
    figures: tuple[Figure, ...] = ()
    note: str = ""


class Outside(Protocol):
    """A measurement that is not made of cells."""

    def measure(self, store: Store, *, quick: bool) -> None:
        """Measure, where that can be done here and is not done yet."""

    def report(self, store: Store) -> tuple[str, list[Claim]]:
        """Return what is to be said of it, in Markdown, and the claims."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """One question to the papers.

    Attributes:
        name: as on the command line.
        title: a heading.
        question: what is asked, and what the papers say, in a sentence or two.
        blocks: makes its tables for a scale.
        outside: what it measures that is no training.
    """

    name: str
    title: str
    question: str
    blocks: Callable[[Scale], tuple[Block, ...]]
    outside: Outside | None = None
