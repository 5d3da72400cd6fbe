"""`Plan`: which cells experiments need, in what order, which are finished, how long the rest takes.

Every experiment gets its first seed first, then its second, so that a table of one seed is there
early; cells that experiments share are trained once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.corpus import Corpus
from meprop_nlp.reproduction.experiment import Block, Experiment, Row
from meprop_nlp.reproduction.results import Table, cell_of, table_of
from meprop_nlp.reproduction.settings import FULL_SCALE, Scale, base_cell
from meprop_nlp.reproduction.store import Result, Store
from meprop_nlp.reproduction.tasks import TASKS

__all__ = ["Outlook", "Place", "Plan"]


class Place(NamedTuple):
    """Where a cell stands in an experiment."""

    experiment: Experiment
    block: Block
    row: Row
    seed: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """How much there is to do.

    Attributes:
        finished, left: cells.
        waiting: places whose settings depend on cells that are not finished.
        seconds: for the cells left, where others like them are finished.
        unknown: cells of those left that nothing is known of.
    """

    finished: int
    left: int
    waiting: int
    seconds: float
    unknown: int

    @property
    def total(self) -> int:
        """All that is to be finished, as far as it is known."""
        return self.finished + self.left + self.waiting


@dataclass
class Plan:
    """What is to be trained.

    Attributes:
        experiments: in order.
        store: where results are.
        data: the folder of the data; None: a small built-in set.
        tasks: names; blocks of others are left out.
        seeds: 1 up to this.
        scale: how large.
        threads: to train with; 0: all there are.
    """

    experiments: Sequence[Experiment]
    store: Store
    data: Path | None
    tasks: Sequence[str] = tuple(TASKS)
    seeds: int = 3
    scale: Scale = FULL_SCALE
    threads: int = 0
    _corpora: dict[tuple[str, str], Corpus | DataError] = field(default_factory=dict)
    _bases: dict[tuple[str, str, str, int], Cell] = field(default_factory=dict)

    def missing(self, block: Block) -> str:
        """Return why a block cannot be trained here; empty where it can."""
        if block.task not in TASKS:
            return f"this version has no task {block.task}"
        if block.task not in self.tasks:
            return f"left out by --task {', '.join(self.tasks)}"
        corpus = self._corpus(block)
        return str(corpus) if isinstance(corpus, DataError) else ""

    def blocks(self, experiment: Experiment) -> list[Block]:
        """Return the tables of an experiment that can be trained here."""
        return [block for block in experiment.blocks(self.scale) if not self.missing(block)]

    def check(self) -> None:
        """Raise DataError where none of the experiments has its data."""
        blocks = [block for e in self.experiments for block in e.blocks(self.scale)]
        reasons = [
            reason
            for block in blocks
            if block.task in self.tasks
            if (reason := self.missing(block))
        ]
        if reasons and not any(self.blocks(experiment) for experiment in self.experiments):
            raise DataError(reasons[0])

    def base(self, block: Block, seed: int) -> Cell:
        """Return the cell that the block's rows change.

        Raises:
            DataError: its data are not there.
        """
        key = (block.task, block.part, block.kind, seed)
        if key not in self._bases:
            corpus = self._corpus(block)
            if isinstance(corpus, DataError):
                raise corpus
            self._bases[key] = base_cell(
                *key[:3], corpus, scale=self.scale, seed=seed, threads=self.threads
            )
        return self._bases[key]

    def table(self, block: Block) -> Table:
        """Return what is finished of a block."""
        return table_of(block, self.seeds, self.base, self.store)

    def places(self) -> Iterator[Place]:
        """Yield every place of a table: all of the first seed, then of the second."""
        blocks = [(e, block) for e in self.experiments for block in self.blocks(e)]
        for seed in range(1, self.seeds + 1):
            for experiment, block in blocks:
                for row in block.rows:
                    yield Place(experiment, block, row, seed)

    def cell(self, place: Place) -> Cell | None:
        """Return what is to be trained there; None while it depends on what is not finished."""
        return cell_of(place.row, place.block, place.seed, self.base, self.store)

    def outlook(self) -> Outlook:
        """Count cells, and estimate the seconds that are left from those that are finished."""
        cells: dict[str, Cell] = {}
        waiting = 0
        for place in self.places():
            cell = self.cell(place)
            if cell is None:
                waiting += 1
            else:
                cells[cell.name] = cell
        left = [cell for cell in cells.values() if self.store.get(cell) is None]
        known = self.store.all()
        estimates = [_estimate(cell, known) for cell in left]
        seconds = [estimate for estimate in estimates if estimate is not None]
        return Outlook(
            len(cells) - len(left), len(left), waiting, sum(seconds), len(left) - len(seconds)
        )

    def _corpus(self, block: Block) -> Corpus | DataError:
        key = (block.task, block.part)
        if key not in self._corpora:
            try:
                self._corpora[key] = TASKS[block.task].find(self.data, block.part)
            except DataError as error:
                self._corpora[key] = error
        return self._corpora[key]


def _estimate(cell: Cell, results: Sequence[Result]) -> float | None:
    """Return the seconds of a cell by the pace of the finished ones that are most like it."""
    near = [
        result
        for result in results
        if result["task"] == cell.task
        and result["corpus"]["fingerprint"] == cell.corpus.fingerprint
    ]
    wanted = cell.settings()

    def likeness(result: Result) -> tuple[bool, ...]:
        theirs = result["settings"]
        return (
            theirs["config"].get("hidden") == wanted["config"].get("hidden"),
            bool(theirs["meprop"]["k"]) == bool(wanted["meprop"]["k"]),
            theirs["training"]["batch_size"] == wanted["training"]["batch_size"],
            bool(theirs["simplify"]) == bool(wanted["simplify"]),
            theirs["meprop"] == wanted["meprop"],
        )

    if not near:
        return None
    best = max(likeness(result) for result in near)
    paces = [r["wall_seconds"] / len(r["epochs"]) for r in near if likeness(r) == best]
    return fmean(paces) * cell.training.epochs
