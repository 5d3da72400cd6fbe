"""Made-up results and small experiments: what the tests of the reproduction share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.corpus import SWEEP
from meprop_nlp.reproduction.experiment import Block, Changes, Experiment, Figure, Found, Row
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.results import Table
from meprop_nlp.reproduction.settings import PAPERS, Scale
from meprop_nlp.reproduction.store import Result
from meprop_nlp.reproduction.verdict import Claim, no_worse

TINY = Scale(hidden=12, epochs=2, batch_size=8)


def epoch(number: int, *, best: bool, neurons: int = 12) -> dict[str, Any]:
    """One epoch's record of ten minibatches."""
    return {
        **{"epoch": number, "best": best, "n_batches": 10, "neurons": {"layer": neurons}},
        **{"forward_seconds": 1.0, "backward_seconds": 2.0, "update_seconds": 0.5},
        **{"seconds": 4.0, "evaluate_seconds": 0.5, "scores": {"uas": 50.0}},
    }


def made_result(cell: Cell, score: float = 90.0, **changes: Any) -> Result:
    """What training a cell might have given."""
    main = {"parsing": "uas", "tagging": "upos", "mnist": "accuracy"}[cell.task]
    return {
        "task": cell.task,
        "corpus": {
            "name": cell.corpus.name,
            "fingerprint": cell.corpus.fingerprint,
            "exclude_punct": False,
        },
        "settings": cell.settings(),
        "main": main,
        "dev": {main: score + 1},
        "test": {main: score},
        "best_epoch": 2,
        "iterations_to_best": 20,
        "neurons": {"layer": 12},
        "bytes": 2_000_000,
        "step_seconds": {
            **{"forward_seconds": 0.1, "backward_seconds": 0.2},
            **{"update_seconds": 0.05, "seconds": 0.4},
        },
        "training_seconds": 8.0,
        "evaluate_seconds": 1.0,
        "wall_seconds": 10.0,
        "decode_words_per_second": 1234.0,
        "conditions": {
            **{"cpu": "Made-up", "cores": 2, "threads": 1, "python": "3", "torch": "2"},
            **{"numpy": "2", "commit": "abc", "kernels": "none", "others": 0.0},
        },
        "epochs": [epoch(1, best=True), epoch(2, best=True)],
    } | changes


def judge(table: Table) -> list[Claim]:
    """k 2 is no worse than dense."""
    return [no_worse(table, "k2", "dense")]


def longer(found: Found) -> Changes | None:
    """One epoch more than the dense network was trained."""
    dense = found("dense")
    return None if dense is None else {"epochs": len(dense["epochs"]) + 1}


def experiment(
    name: str = "small",
    task: str = "tagging",
    *,
    depending: bool = False,
    rows: tuple[Row, ...] = (),
) -> Experiment:
    """Two rows, and a third that depends on the first; or others."""
    rows = rows or (
        Row("dense", "dense", {}, "dense", 1),
        Row("k2", "meProp, k 2", {"k": 2}, "meProp", 2, papers="97.1"),
        *([Row("longer", "dense, longer", longer)] if depending else []),
    )
    figure = Figure(f"{name}-{task}", "A figure", "k", columns=("test", "backward"), level="dense")
    columns = ("dev", "test", "backward", "seconds", "neurons")
    block = Block(task, SWEEP, PAPERS, rows, columns, judge, (figure,), note="A note.")
    return Experiment(name, f"Title of {name}", "A question?", lambda scale: (block,))


def fill(plan: Plan, score: Callable[[Cell], float] = lambda cell: 90.0, seeds: int = 9) -> int:
    """Put made-up results for the first seeds of a plan; return how many."""
    n = 0
    for place in plan.places():
        cell = plan.cell(place)
        if cell is not None and place.seed <= seeds and plan.store.get(cell) is None:
            plan.store.put(cell, made_result(cell, score(cell)))
            n += 1
    return n
