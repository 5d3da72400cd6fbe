"""`Plan`: the cells that experiments need, in order, and which of them are finished.

All experiments are trained with the first seed before any is with the second, so that there are
tables with one seed early.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from experiments.cell import Cell
from experiments.data import find_corpus
from experiments.results import Result, Results
from experiments.settings import base_cell
from experiments.table import Row, Table
from meprop_nlp.errors import DataError


class Outlook(NamedTuple):
    """How much there is to do."""

    finished: int  # cells
    left: int
    waiting: int  # rows that depend on unfinished cells


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be trained."""

    experiments: Mapping[str, Sequence[Table]]
    results: Results
    data: Path | None  # the folder of the data; None: the sample treebank and made-up images
    seeds: int = 3  # 1 up to this
    shrink: int = 1  # above 1 for a try-out, see `Cell.shrunk`
    threads: int = 0  # to train with; 0: all there are

    def missing(self, table: Table) -> str:
        """Return why the data of a table are missing; empty if they are not."""
        try:
            find_corpus(table.task, self.data, table.part)
        except DataError as error:
            return str(error)
        return ""

    def base(self, table: Table, seed: int) -> Cell:
        """Return the cell that a table's rows change."""
        corpus, threads = find_corpus(table.task, self.data, table.part), self.threads
        return base_cell(table.task, table.part, table.kind, corpus, seed=seed, threads=threads)

    def cell(self, table: Table, row: Row, seed: int) -> Cell | None:
        """Return the cell of a row and a seed; None while it depends on unfinished cells."""
        base, changes = self.base(table, seed), row.changes
        if not callable(changes):
            return base.changed(**changes).shrunk(self.shrink)

        def find(label: str) -> Result | None:
            other = next(other for other in table.rows if other.label == label)
            cell = self.cell(table, other, seed)
            return None if cell is None else self.results.get(cell)

        made = changes(find)
        return None if made is None else base.shrunk(self.shrink).changed(**made)

    def cells(self) -> Iterator[Cell | None]:
        """Yield the cells of the first seed, then of the second; None for one that must wait."""
        tables = [table for tables in self.experiments.values() for table in tables]
        for seed in range(1, self.seeds + 1):
            for table in tables:
                if not self.missing(table):
                    yield from (self.cell(table, row, seed) for row in table.rows)

    def filled(self, table: Table) -> Table:
        """Return a table with the results of its finished cells."""
        results = {}
        for row in table.rows:
            cells = (self.cell(table, row, seed) for seed in range(1, self.seeds + 1))
            found = (self.results.get(cell) for cell in cells if cell)
            results[row.label] = [result for result in found if result]
        return replace(table, seeds=self.seeds, results=results)

    def outlook(self) -> Outlook:
        """Count the cells; a cell that several rows share counts once."""
        found = list(self.cells())
        cells = {cell.key: cell for cell in found if cell}
        finished = sum(self.results.get(cell) is not None for cell in cells.values())
        return Outlook(finished, len(cells) - finished, found.count(None))
