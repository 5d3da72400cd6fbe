"""The experiments are what the papers' tables list, and each of their cells can be trained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from experiments.cell import CONFIGS, TASKS, Cell
from experiments.claims import verdict
from experiments.papers import EXPERIMENTS
from experiments.plan import Plan
from experiments.settings import PAPERS
from experiments.table import COLUMNS, Table
from meprop_nlp.config import ORACLES, MePropConfig, ParserConfig, TaggerConfig
from meprop_nlp.simplify.schedules import CutSchedule
from meprop_nlp.training.heads.tags import TaggerNetwork
from meprop_nlp.training.heads.tree import ParserNetwork

from . import made

MakePlan = Callable[..., Plan]
each_name = pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name != "gpu"])


def one(name: str) -> dict[str, Any]:
    return {name: EXPERIMENTS[name]}


def cells_of(plan: Plan, table: Table, seed: int = 1) -> dict[str, Cell]:
    found = {row.label: plan.cell(table, row, seed) for row in table.rows}
    return {label: cell for label, cell in found.items() if cell is not None}


def table_of(name: str, task: str, kind: str = PAPERS) -> Table:
    (table,) = [t for t in EXPERIMENTS[name] if (t.task, t.kind) == (task, kind)]
    return table


def test_experiments_are_those_of_the_papers() -> None:
    assert list(EXPERIMENTS) == [
        *("main", "k", "selection", "width", "dropout"),
        "activation",  # the papers do not say which they have
        *("layers", "gpu", "simplify", "fair", "hybrid"),
    ]


@each_name
def test_rows_are_distinct_and_settings_exist(name: str) -> None:
    assert EXPERIMENTS[name]
    for table in EXPERIMENTS[name]:
        labels = [row.label for row in table.rows]
        assert len(set(labels)) == len(labels)
        assert set(table.columns) <= set(COLUMNS)
        if table.figure is not None:
            assert set(table.figure.columns) <= set(COLUMNS)
            assert not table.figure.sweep or "dense" in labels


@each_name
@pytest.mark.parametrize("shrink", [1, 10])
def test_whole_report_can_be_made_of_results(name: str, shrink: int, make_plan: MakePlan) -> None:
    """Every row's cell is made, those that depend on others too, and every claim is decided."""
    plan = make_plan(one(name), shrink=shrink, seeds=1)
    made.fill(plan)
    for table in map(plan.filled, EXPERIMENTS[name]):
        assert all(len(results) == 1 for results in table.results.values())
        claims = [judge(table) for judge in table.claims]
        assert claims
        assert all(claim.holds is not None and claim.text for claim in claims)
        assert "provisional" in verdict(claims)


def test_papers_settings_are_the_papers(make_plan: MakePlan) -> None:
    plan = make_plan(one("main"), shrink=1)
    for task, k, rate in (("parsing", 20, 1e-3), ("tagging", 10, 1e-3)):
        table = table_of("main", task)
        cells = cells_of(plan, table)
        settings, adagrad = cells[f"Adam, meProp, k {k}"].settings(), cells["AdaGrad, dense"]
        assert settings["config"]["hidden"] == 500
        assert settings["config"]["dropout"] == settings["config"]["word_dropout"] == 0
        assert settings["meprop"] == {"k": k, "topk_mode": "example"}
        training = settings["training"]
        assert (training["learning_rate"], training["decay"], training["clip"]) == (rate, False, 0)
        assert training["batch_size"] > 0
        assert (adagrad.training.optimizer, adagrad.training.learning_rate) == ("adagrad", 0.01)
        assert table.rows[0].papers


def test_mnist_has_its_tables() -> None:
    for name in ("main", "k", "selection", "width", "dropout", "layers", "simplify"):
        assert table_of(name, "mnist")


def test_mnist_settings_are_the_papers(make_plan: MakePlan) -> None:
    names = ("main", "layers", "simplify")
    plan = make_plan({name: EXPERIMENTS[name] for name in names}, shrink=1)
    main, layers, simplify = (cells_of(plan, table_of(name, "mnist")) for name in names)
    assert main.keys() == {
        f"{o}, {k}" for o in ("Adam", "AdaGrad") for k in ("dense", "meProp, k 20", "meProp, k 80")
    }
    settings = main["Adam, meProp, k 20"].settings()
    assert settings["config"] == {
        "layers": 3,
        "hidden": 500,
        "dropout": 0.0,
        "sparse_output": True,
    }
    assert settings["meprop"] == {"k": 20, "topk_mode": "example"}
    training = main["Adam, meProp, k 20"].training
    assert (training.batch_size, training.learning_rate, training.epochs) == (10, 1e-3, 20)
    assert (training.decay, training.clip, training.patience) == (False, 0, 0)
    assert main["AdaGrad, dense"].training.learning_rate == 0.1
    # the output layer counts: 2 to 5 in Table 5
    depths = [layers[f"meProp, k 25, {n} hidden"].config.layers for n in (1, 2, 3, 4)]
    assert depths == [2, 3, 4, 5]
    cut = simplify["meSimp, k 160, prune rate 0.1"]
    assert cut.meprop.k == 160
    assert cut.simplify is not None
    assert (cut.simplify.prune_rate, cut.simplify.cycle) == (0.1, 5)


@each_name
def test_papers_settings_leave_nothing_to_our_defaults(name: str, make_plan: MakePlan) -> None:
    plan = make_plan(one(name), shrink=1)
    for table in EXPERIMENTS[name]:
        if table.kind != PAPERS:
            continue
        cells = cells_of(plan, table)
        assert len(cells) == len(table.rows)
        for cell in cells.values():
            assert cell.training.learning_rate
            assert cell.config.dropout is not None
            if cell.simplify:
                assert (cell.simplify.schedule, cell.simplify.first_cut_epoch) == ("paper", 0)
                assert cell.simplify.prune_rate


def test_no_embedding_is_left_out_at_the_papers_settings(make_plan: MakePlan) -> None:
    plan = make_plan(one("main"), shrink=1)
    parser, tagger = (plan.base(table_of("main", t), 1).config for t in ("parsing", "tagging"))
    assert isinstance(parser, ParserConfig)
    assert isinstance(tagger, TaggerConfig)
    network = ParserNetwork(2, 2, 2, 2, 3, parser, MePropConfig())
    assert network.dropout == network.input_dropout == 0
    tags = TaggerNetwork(2, 2, {"upos": 2}, tagger, MePropConfig())
    assert tags.dropout == tags.input_dropout == 0


def test_every_oracle_is_compared_with_the_static_one_of_its_system() -> None:
    (table,) = EXPERIMENTS["hybrid"]
    labels = [row.label for row in table.rows]
    assert {label.split()[0] for label in labels} == set(ORACLES)
    assert all(f"static oracle, {label.split()[-1]}" in labels for label in labels)


def test_fair_networks_have_the_size_and_the_time_of_what_they_oppose(make_plan: MakePlan) -> None:
    plan = make_plan(one("fair"), shrink=1, seeds=1)
    (table,) = [table for table in EXPERIMENTS["fair"] if table.task == "tagging"]
    labels = {
        "dense": "dense, uncut",
        "meprop": "meProp, k 50, uncut",
        "cut": "meSimp (`--simplify`), k 50",
        "small": "small from scratch, same epochs",
        "small time": "small from scratch, same seconds",
        "dense time": "dense, for the seconds of meProp",
    }
    seconds = {"dense": 80.0, "meprop": 21.0, "cut": 33.0, "small": 4.0}
    cells: dict[str, Cell] = {}
    for key, label in labels.items():
        cell = cells_of(plan, table)[label]
        result = made.made_result(
            cell, training_seconds=seconds.get(key, 1.0), neurons={"ahead": 90, "back": 111}
        )
        plan.results.add(cell, result)
        cells[key] = cell
    assert cells["cut"].simplify is not None
    small, same_time = cells["small"], cells["small time"]
    assert small.config.hidden == same_time.config.hidden == 100
    assert (small.meprop.k, small.simplify) == (None, None)
    # two epochs in 4 s, so 33 s are 16.5; two in 80 s, so 21 s are 0.5; rounded up in their favour
    assert same_time.training.epochs == 17
    assert same_time.training.patience == 0
    assert cells["dense time"].training.epochs == 1
    assert small.training.epochs == 2  # as many as the cut network was trained


def test_networks_of_other_machines_have_no_same_time(make_plan: MakePlan) -> None:
    plan = make_plan(one("fair"), shrink=1, seeds=1)
    (table,) = [table for table in EXPERIMENTS["fair"] if table.task == "tagging"]
    cells = cells_of(plan, table)
    for label, cpu in (("dense, uncut", "one"), ("meProp, k 50, uncut", "other")):
        result = made.made_result(cells[label])
        result["conditions"]["cpu"] = cpu
        plan.results.add(cells[label], result)
    assert "dense, for the seconds of meProp" not in cells_of(plan, table)


@pytest.mark.parametrize(("task", "epochs"), [("parsing", 12), ("tagging", 8), ("mnist", 20)])
def test_papers_cut_has_two_stages_and_time_to_recover_from_the_last(
    task: str, epochs: int, make_plan: MakePlan
) -> None:
    plan = make_plan(one("simplify"), shrink=1)
    cells = [cell for cell in cells_of(plan, table_of("simplify", task)).values() if cell.simplify]
    assert len(cells) == 3
    for cell in cells:
        assert cell.simplify is not None
        assert cell.training.epochs == epochs
        schedule = CutSchedule(cycle=cell.simplify.cycle, first_cut_epoch=0)
        cuts = [schedule.cuts_in(epoch) for epoch in range(epochs)]
        quarter = epochs // 4
        assert cuts == [True] * quarter + [False] * quarter + [True] * quarter + [False] * quarter


def test_every_table_is_of_a_task_with_settings() -> None:
    assert set(CONFIGS) == set(TASKS)
    assert {table.task for tables in EXPERIMENTS.values() for table in tables} == set(TASKS)
