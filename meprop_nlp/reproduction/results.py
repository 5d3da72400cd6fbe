"""`Table`: a block's results so far, row by row and seed by seed, and the numbers made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.columns import COLUMNS, SCORE_NAMES
from meprop_nlp.reproduction.conditions import machine, was_disturbed
from meprop_nlp.reproduction.experiment import Block, Row
from meprop_nlp.reproduction.numbers import Number
from meprop_nlp.reproduction.settings import PAPERS
from meprop_nlp.reproduction.store import Result, Store

__all__ = ["MakeBase", "Table", "cell_of", "table_of"]

# the block's base cell for a seed
MakeBase = Callable[[Block, int], Cell]


def cell_of(row: Row, block: Block, seed: int, base: MakeBase, store: Store) -> Cell | None:
    """Return what a row trains with a seed; None while it depends on what is not finished."""
    changes = row.changes
    if callable(changes):

        def found(key: str) -> Result | None:
            other = next(other for other in block.rows if other.key == key)
            cell = cell_of(other, block, seed, base, store)
            return store.get(cell) if cell is not None else None

        depending = changes(found)
        if depending is None:
            return None
        changes = depending
    return base(block, seed).changed(**changes)


def table_of(block: Block, seeds: int, base: MakeBase, store: Store) -> Table:
    """Gather what is finished of a block."""
    results: dict[str, list[Result]] = {}
    for row in block.rows:
        cells = [cell_of(row, block, seed, base, store) for seed in range(1, seeds + 1)]
        found = [store.get(cell) for cell in cells if cell is not None]
        results[row.key] = [result for result in found if result is not None]
    return Table(block, seeds, results)


@dataclass(frozen=True, slots=True)
class Table:
    """A block's results.

    Attributes:
        block: what was asked for.
        seeds: how many there are to be of each row.
        results: by row key, in the order of seeds; missing ones are left out.
    """

    block: Block
    seeds: int
    results: Mapping[str, list[Result]]

    @property
    def main(self) -> str:
        """Name of the main score; empty where nothing is finished."""
        return next((str(result["main"]) for result in self.all()), "")

    @property
    def measure(self) -> str:
        """The column on test that verdicts go by: the papers' UAS at their settings, or `test`."""
        papers = self.block.task == "parsing" and self.block.kind == PAPERS
        return "test_uas" if papers else "test"

    def all(self) -> Iterator[Result]:
        """Yield all results."""
        for results in self.results.values():
            yield from results

    def row(self, key: str) -> Row:
        """Return a row by its key."""
        return next(row for row in self.block.rows if row.key == key)

    def label(self, key: str) -> str:
        """Return a row's name for people."""
        return self.row(key).label

    def head(self, column: str) -> str:
        """Return a column's heading."""
        return COLUMNS[column].head.format(main=SCORE_NAMES.get(self.main, "score"))

    def was_disturbed(self, *keys: str) -> bool:
        """Whether other processes took cores from a cell of these rows."""
        return any(
            was_disturbed(result["conditions"]) for key in keys for result in self.results[key]
        )

    def number(self, key: str, column: str) -> Number | None:
        """Return one cell of the table; None where no seed has the figure."""
        return Number.of(self._figures(key, column).values())

    def pair(self, key: str, other: str, column: str) -> tuple[Number, Number] | None:
        """Return a column of two rows over the seeds that both have; None where there is none.

        A mean over other seeds is of other trainings, and no difference of theirs.
        """
        mine, others = self._figures(key, column), self._figures(other, column)
        both = mine.keys() & others.keys()
        one, two = (Number.of(found[seed] for seed in both) for found in (mine, others))
        return None if one is None or two is None else (one, two)

    def _figures(self, key: str, column: str) -> dict[int, float]:
        """Figures by seed; those that depend on the machine, of the table's own alone."""
        described, own = COLUMNS[column], self._machine()
        return {
            result["settings"]["training"]["seed"]: figure
            for result in self.results.get(key, ())
            if not described.timed or machine(result["conditions"]) == own
            if (figure := described.of(result)) is not None
        }

    def _machine(self) -> tuple[Any, ...]:
        """Return the machine that most of the table was trained on."""
        found = Counter(machine(result["conditions"]) for result in self.all())
        return max(found, key=lambda name: (found[name], str(name)), default=())
