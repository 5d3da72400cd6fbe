"""What is to be trained: first seeds first, shared cells once, and how long it will take."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.experiment import Experiment, Row
from meprop_nlp.reproduction.plan import Plan

from . import made

MakePlan = Callable[..., Plan]


def test_every_experiment_gets_its_first_seed_first(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment("a"), made.experiment("b"), seeds=2)
    places = [(p.seed, p.experiment.name, p.row.key) for p in plan.places()]
    assert places == [
        (seed, name, key) for seed in (1, 2) for name in "ab" for key in ("dense", "k2")
    ]


def test_experiments_share_cells(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment("a"), made.experiment("b"), seeds=3)
    assert plan.outlook().left == 6
    assert made.fill(plan) == 6
    assert plan.outlook().left == 0
    (table,) = [plan.table(block) for block in plan.blocks(plan.experiments[1])]
    assert {key: len(results) for key, results in table.results.items()} == {"dense": 3, "k2": 3}


def test_cell_that_depends_on_another_waits_for_it(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(depending=True), seeds=1)
    dense, _, longer = plan.places()
    assert plan.cell(longer) is None
    assert (plan.outlook().left, plan.outlook().waiting, plan.outlook().total) == (2, 1, 3)
    cell = plan.cell(dense)
    assert cell is not None
    epochs = [made.epoch(n, best=True) for n in range(1, 6)]
    plan.store.put(cell, made.made_result(cell, epochs=epochs))
    depending = plan.cell(longer)
    assert depending is not None
    assert depending.training.epochs == 6
    assert (plan.outlook().left, plan.outlook().waiting) == (2, 0)


def test_minutes_are_estimated_from_cells_that_are_most_alike(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(), seeds=3)
    assert (plan.outlook().seconds, plan.outlook().unknown) == (0, 6)
    seconds = {"dense": 40.0, "k2": 6.0}
    for place in list(plan.places())[:2]:
        cell = plan.cell(place)
        assert cell is not None
        plan.store.put(cell, made.made_result(cell, wall_seconds=seconds[place.row.key]))
    assert plan.outlook().seconds == pytest.approx(2 * 40 + 2 * 6)
    assert plan.outlook().unknown == 0


def test_same_settings_come_before_the_same_kind_in_an_estimate(make_plan: MakePlan) -> None:
    (block,) = made.experiment().blocks(made.TINY)
    rows = tuple(Row(str(k), f"k {k}", {"k": k}) for k in (0, 2, 4, 6))
    more = dataclasses.replace(block, rows=rows)
    plan = make_plan(Experiment("x", "X", "?", lambda scale: (more,)), seeds=2)
    seconds = {"0": 100.0, "2": 6.0, "4": 8.0}
    places = list(plan.places())
    for place in (*places[:3], places[6]):
        cell = plan.cell(place)
        assert cell is not None
        plan.store.put(cell, made.made_result(cell, wall_seconds=seconds[place.row.key]))
    # k 6 is like k 2 and twice k 4, in both seeds; the others have their own first seed
    assert plan.outlook().seconds == pytest.approx(22 / 3 + 100 + 6 + 22 / 3)


def test_tasks_and_data_that_are_not_there_are_left_out_and_named(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    plan = make_plan(made.experiment("a"), made.experiment("b", "parsing"), tasks=("parsing",))
    a, b = plan.experiments
    assert plan.blocks(a) == []
    assert plan.missing(*a.blocks(plan.scale)) == "left out by --task parsing"
    assert len(plan.blocks(b)) == 1
    plan.check()
    (made_up,) = made.experiment("c", "no-such-task").blocks(plan.scale)
    assert plan.missing(made_up) == "this version has no task no-such-task"
    empty = make_plan(made.experiment(), data=tmp_path)
    assert empty.outlook().total == 0
    with pytest.raises(DataError, match="no treebank there"):
        empty.check()
