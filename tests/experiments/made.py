"""Made-up results and small experiments: what the tests of the experiments share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from experiments.cell import Cell
from experiments.claims import no_worse
from experiments.data import SWEEP
from experiments.plan import Plan
from experiments.results import Result
from experiments.settings import PAPERS
from experiments.table import Changes, Figure, Find, Row, Table

SHRINK = 40  # hidden 500 to 12

DENSE = Row("dense", {}, "", "dense", 1)
SPARSE = Row("meProp, k 80", {"k": 80}, "97.1", "meProp", 2)


def epoch(number: int, *, best: bool, neurons: int = 12) -> dict[str, Any]:
    """One epoch's record of ten minibatches."""
    return {
        "epoch": number,
        "best": best,
        "n_batches": 10,
        "neurons": {"layer": neurons},
        "forward_seconds": 1.0,
        "backward_seconds": 2.0,
        "update_seconds": 0.5,
        "seconds": 4.0,
        "evaluate_seconds": 0.5,
        "scores": {"uas": 50.0},
    }


def made_result(cell: Cell, score: float = 90.0, **changes: Any) -> Result:
    """What training a cell might have given."""
    main = {"parsing": "uas", "tagging": "upos", "mnist": "accuracy"}[cell.task]
    return {
        "task": cell.task,
        "corpus": {"name": cell.corpus.name, "fingerprint": cell.corpus.fingerprint},
        "settings": cell.settings(),
        "main": main,
        "dev": {main: score + 1},
        "test": {main: score},
        "best_epoch": 2,
        "iterations_to_best": 20,
        "neurons": {"layer": 12},
        "bytes": 2_000_000,
        "step_seconds": {
            "forward_seconds": 0.1,
            "backward_seconds": 0.2,
            "update_seconds": 0.05,
            "seconds": 0.4,
        },
        "training_seconds": 8.0,
        "wall_seconds": 10.0,
        "decode_words_per_second": 1234.0,
        "conditions": {
            "cpu": "Made-up",
            "cores": 2,
            "threads": 1,
            "python": "3",
            "torch": "2",
            "numpy": "2",
            "commit": "abc",
            "kernels": "none",
            "others": 0.0,
        },
        "epochs": [epoch(1, best=True), epoch(2, best=True)],
    } | changes


def longer(find: Find) -> Changes | None:
    """One epoch more than the dense network was trained."""
    dense = find("dense")
    return None if dense is None else {"epochs": len(dense["epochs"]) + 1}


def small(
    task: str = "tagging", *, depending: bool = False, rows: Sequence[Row] = ()
) -> tuple[Table, ...]:
    """A table of two rows, and a third that depends on the first; or of others."""
    rows = rows or (DENSE, SPARSE, *([Row("dense, longer", longer)] if depending else []))
    figure = Figure("A figure", "k", columns=("test", "backward"), sweep=True)
    columns = ("dev", "test", "backward", "seconds", "neurons")
    claims = (no_worse("meProp, k 80", "dense"),)
    return (Table(task, SWEEP, PAPERS, rows, columns, claims, figure, note="A note."),)


def fill(plan: Plan, score: Callable[[Cell], float] = lambda cell: 90.0, seeds: int = 9) -> int:
    """Put made-up results for the first seeds of a plan; return how many."""
    n = 0
    for cell in plan.cells():
        if cell is not None and cell.training.seed <= seeds and plan.results.get(cell) is None:
            plan.results.add(cell, made_result(cell, score(cell)))
            n += 1
    return n
