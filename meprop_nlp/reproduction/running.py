"""Training what a plan still lacks, cell by cell; each is kept as soon as it is finished."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from meprop_nlp.errors import MePropError
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.plan import Outlook, Plan
from meprop_nlp.reproduction.store import Result
from meprop_nlp.reproduction.training import train_cell
from meprop_nlp.training.hooks import Hooks

__all__ = ["CellFailed", "CellFinished", "CellStarted", "Event", "run"]


@dataclass(frozen=True, slots=True)
class CellStarted:
    """A cell is about to be trained; `outlook` is from before it."""

    cell: Cell
    experiment: str
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class CellFinished:
    """A cell is trained and kept; `outlook` is from after it."""

    cell: Cell
    result: Result
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class CellFailed:
    """A cell could not be trained; the others go on."""

    cell: Cell
    error: MePropError


Event = CellStarted | CellFinished | CellFailed


def run(
    plan: Plan,
    *,
    on_event: Callable[[Event], None] = lambda event: None,
    hooks: Hooks | None = None,
    max_seconds: float | None = None,
    quick: bool = False,
) -> list[CellFailed]:
    """Train every cell of a plan that is not finished.

    Args:
        plan: what to train.
        on_event: is told of each cell.
        hooks: to follow and stop the training within a cell.
        max_seconds: no cell is started after so long.
        quick: whether what is no training is measured in its small form.

    Returns:
        what could not be trained; it is tried again the next time.

    Raises:
        KeyboardInterrupt: `hooks.stop` said so; the cell at hand goes on from there the next time.
    """
    hooks = hooks or Hooks()
    started = time.monotonic()
    failed: dict[str, CellFailed] = {}
    for experiment in plan.experiments:
        if experiment.outside is not None:
            experiment.outside.measure(plan.store, quick=quick)
    for place in plan.places():
        cell = plan.cell(place)
        if cell is None or cell.name in failed or plan.store.get(cell) is not None:
            continue
        if max_seconds is not None and time.monotonic() - started >= max_seconds:
            break
        on_event(CellStarted(cell, place.experiment.name, plan.outlook()))
        try:
            result = train_cell(cell, plan.store, hooks)
        except MePropError as error:
            failed[cell.name] = CellFailed(cell, error)
            on_event(failed[cell.name])
            continue
        on_event(CellFinished(cell, result, plan.outlook()))
    return list(failed.values())
