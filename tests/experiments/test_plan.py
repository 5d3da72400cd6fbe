"""What is to be trained: first seeds first, and shared cells once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from experiments.plan import Plan

from . import made
from .mnist.idx_files import write_mnist

MakePlan = Callable[..., Plan]


def test_every_experiment_gets_its_first_seed_first(make_plan: MakePlan) -> None:
    plan = make_plan({"a": made.small(), "b": made.small("mnist")}, seeds=2)
    cells = [(c.training.seed, c.task, bool(c.meprop.k)) for c in plan.cells() if c]
    assert cells == [
        (seed, task, sparse)
        for seed in (1, 2)
        for task in ("tagging", "mnist")
        for sparse in (False, True)
    ]


def test_experiments_share_cells(make_plan: MakePlan) -> None:
    plan = make_plan({"a": made.small(), "b": made.small()}, seeds=3)
    assert plan.outlook() == (0, 6, 0)
    assert made.fill(plan) == 6
    assert plan.outlook() == (6, 0, 0)
    table = plan.filled(plan.experiments["b"][0])
    assert {label: len(results) for label, results in table.results.items()} == {
        "dense": 3,
        "meProp, k 80": 3,
    }


def test_cell_that_depends_on_another_waits_for_it(make_plan: MakePlan) -> None:
    plan = make_plan({"small": made.small(depending=True)}, seeds=1)
    dense, _, longer = plan.cells()
    assert longer is None
    assert plan.outlook() == (0, 2, 1)
    assert dense is not None
    epochs = [made.epoch(n, best=True) for n in range(1, 6)]
    plan.results.add(dense, made.made_result(dense, epochs=epochs))
    *_, depending = plan.cells()
    assert depending is not None
    assert depending.training.epochs == 6
    assert plan.outlook() == (1, 2, 0)


def test_small_copies_are_trained_where_the_machinery_is_tried(make_plan: MakePlan) -> None:
    experiments = {"small": made.small()}
    dense, sparse = make_plan(experiments, seeds=1, shrink=1).cells()
    assert dense is not None
    assert sparse is not None
    assert (dense.config.hidden, sparse.meprop.k, dense.training.epochs) == (500, 80, 10)
    dense, sparse = make_plan(experiments, seeds=1, shrink=10).cells()
    assert dense is not None
    assert sparse is not None
    assert (dense.config.hidden, sparse.meprop.k, dense.training.epochs) == (50, 8, 2)


def test_row_that_depends_on_small_copies_is_not_shrunk_again(make_plan: MakePlan) -> None:
    plan = make_plan({"small": made.small(depending=True)}, seeds=1, shrink=10)
    made.fill(plan)
    *_, depending = plan.cells()
    assert depending is not None
    assert (depending.config.hidden, depending.training.epochs) == (50, 3)


def test_tables_whose_data_are_not_there_are_left_out_and_named(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    experiments = {"a": made.small(), "b": made.small("mnist")}
    write_mnist(tmp_path, 4, 4)
    plan = make_plan(experiments, data=tmp_path)
    reason = f"{tmp_path}: no treebank there"
    assert plan.missing(experiments["a"][0]).startswith(reason)
    assert plan.missing(experiments["b"][0]) == ""
    assert {cell.task for cell in plan.cells() if cell} == {"mnist"}
