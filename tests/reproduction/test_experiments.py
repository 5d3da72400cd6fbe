"""The experiments are what the issue's table lists, and each of their cells can be trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.config import ORACLES, Config, MePropConfig, ParserConfig, TaggerConfig
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.columns import COLUMNS
from meprop_nlp.reproduction.experiment import Block
from meprop_nlp.reproduction.experiments import EXPERIMENTS
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.settings import FULL_SCALE, PAPERS, QUICK_SCALE, Scale
from meprop_nlp.reproduction.tasks import TASKS
from meprop_nlp.reproduction.verdict import verdict
from meprop_nlp.simplify.schedules import CutSchedule
from meprop_nlp.training.heads.tags import TaggerNetwork
from meprop_nlp.training.heads.tree import ParserNetwork

from . import made

MakePlan = Callable[..., Plan]
each_scale = pytest.mark.parametrize("scale", [FULL_SCALE, QUICK_SCALE], ids=["full", "quick"])
each_name = pytest.mark.parametrize("name", EXPERIMENTS)


def test_experiments_are_those_of_the_issue() -> None:
    assert set(EXPERIMENTS) == {
        *("main", "k", "selection", "width", "dropout", "layers"),
        *("gpu", "simplify", "fair", "hybrid"),
        # the papers do not say which they have
        "activation",
    }
    assert all(name == experiment.name for name, experiment in EXPERIMENTS.items())


@each_scale
@each_name
def test_rows_are_distinct_and_settings_exist(name: str, scale: Scale) -> None:
    blocks = EXPERIMENTS[name].blocks(scale)
    assert blocks or EXPERIMENTS[name].outside
    figures = [figure.name for block in blocks for figure in block.figures]
    assert len(set(figures)) == len(figures)
    for block in blocks:
        keys, labels = ([getattr(row, what) for row in block.rows] for what in ("key", "label"))
        assert len(set(keys)) == len(keys)
        assert len(set(labels)) == len(labels)
        assert set(block.columns) <= set(COLUMNS)
        for figure in block.figures:
            assert set(figure.columns) <= set(COLUMNS)
            assert not figure.level or figure.level in keys


@each_scale
@each_name
def test_whole_report_can_be_made_of_results(name: str, scale: Scale, make_plan: MakePlan) -> None:
    """Every row's cell is made, those that depend on others too, and every claim is decided."""
    plan = make_plan(EXPERIMENTS[name], scale=scale, seeds=1)
    plan.store.put = _in_memory(plan.store._known)  # type: ignore[method-assign]
    made.fill(plan)
    for block in plan.blocks(plan.experiments[0]):
        table = plan.table(block)
        assert all(len(results) == 1 for results in table.results.values())
        claims = block.judge(table)
        assert claims
        assert all(claim.holds is not None and claim.text for claim in claims)
        assert "provisional" in verdict(claims)


def _in_memory(known: dict[str, Any]) -> Callable[[Cell, Any], None]:
    return lambda cell, result: known.update({cell.name: result})


def blocks_of(name: str, task: str) -> list[Block]:
    return [block for block in EXPERIMENTS[name].blocks(FULL_SCALE) if block.task == task]


def test_papers_settings_are_the_papers(make_plan: MakePlan) -> None:
    plan = make_plan(EXPERIMENTS["main"], scale=FULL_SCALE)
    for task, k, rate in (("parsing", 20, 1e-3), ("tagging", 10, 1e-3)):
        block = next(block for block in blocks_of("main", task) if block.kind == PAPERS)
        cells = {
            place.row.key: plan.cell(place)
            for place in plan.places()
            if (place.block.task, place.block.kind, place.seed) == (task, PAPERS, 1)
        }
        sparse, adagrad = cells[f"adam k{k}"], cells["adagrad dense"]
        assert sparse is not None
        assert adagrad is not None
        settings = sparse.settings()
        assert settings["config"]["hidden"] == 500
        assert settings["config"]["dropout"] == settings["config"]["word_dropout"] == 0
        assert settings["meprop"] == {"k": k, "topk_mode": "example"}
        training = settings["training"]
        assert (training["learning_rate"], training["decay"], training["clip"]) == (rate, False, 0)
        assert training["batch_size"] > 0
        assert (adagrad.training.optimizer, adagrad.training.learning_rate) == ("adagrad", 0.01)
        assert block.rows[0].papers


def test_mnist_has_its_tables() -> None:
    for name in ("main", "k", "selection", "width", "dropout", "layers", "simplify"):
        assert len(blocks_of(name, "mnist")) == 1


@each_name
def test_papers_settings_leave_nothing_to_our_defaults(name: str, make_plan: MakePlan) -> None:
    plan = make_plan(EXPERIMENTS[name], scale=FULL_SCALE, seeds=1)
    for place in plan.places():
        cell = plan.cell(place)
        if place.block.kind == PAPERS:
            assert cell is not None
            assert cell.training.learning_rate
            assert cell.config.to_dict()["dropout"] is not None
            if cell.simplify:
                assert (cell.simplify.schedule, cell.simplify.first_cut_epoch) == ("paper", 0)
                assert cell.simplify.prune_rate


def test_no_embedding_is_left_out_at_the_papers_settings(make_plan: MakePlan) -> None:
    plan = make_plan(EXPERIMENTS["main"], scale=FULL_SCALE)
    parser, tagger = _papers_config(plan, "parsing"), _papers_config(plan, "tagging")
    assert isinstance(parser, ParserConfig)
    assert isinstance(tagger, TaggerConfig)
    network = ParserNetwork(2, 2, 2, 2, 3, parser, MePropConfig())
    assert network.dropout == network.input_dropout == 0
    tags = TaggerNetwork(2, 2, {"upos": 2}, tagger, MePropConfig())
    assert tags.dropout == tags.input_dropout == 0


def _papers_config(plan: Plan, task: str) -> Config:
    blocks = plan.blocks(plan.experiments[0])
    block = next(block for block in blocks if (block.task, block.kind) == (task, PAPERS))
    return plan.base(block, 1).config


def test_every_oracle_is_compared_with_the_static_one_of_its_system() -> None:
    (block,) = blocks_of("hybrid", "parsing")
    keys = [row.key for row in block.rows]
    assert {key.split()[0] for key in keys} == set(ORACLES)
    assert all(f"static {key.split()[1]}" in keys for key in keys)


def test_fair_networks_have_the_size_and_the_time_of_what_they_oppose(make_plan: MakePlan) -> None:
    plan = make_plan(EXPERIMENTS["fair"], scale=FULL_SCALE, seeds=1, tasks=("tagging",))
    seconds = {"dense": 80.0, "meprop": 21.0, "cut": 33.0, "small": 4.0}
    cells: dict[str, Cell] = {}
    for place in plan.places():
        cell = plan.cell(place)
        assert cell is not None
        key = place.row.key
        result = made.made_result(
            cell, training_seconds=seconds.get(key, 1.0), neurons={"ahead": 90, "back": 111}
        )
        plan.store.put(cell, result)
        cells[key] = cell
    assert cells["cut"].simplify is not None
    small, same_time = cells["small"], cells["small time"]
    assert small.config.to_dict()["hidden"] == same_time.config.to_dict()["hidden"] == 100
    assert (small.meprop.k, small.simplify) == (None, None)
    # two epochs in 4 s, so 33 s are 16.5; two in 80 s, so 21 s are 0.5; rounded up in their favour
    assert same_time.training.epochs == 17
    assert same_time.training.patience == 0
    assert cells["dense time"].training.epochs == 1
    assert small.training.epochs == cells["cut"].training.epochs


@pytest.mark.parametrize(("task", "epochs"), [("parsing", 12), ("tagging", 8), ("mnist", 20)])
def test_papers_cut_has_two_stages_and_time_to_recover_from_the_last(
    task: str, epochs: int, make_plan: MakePlan
) -> None:
    plan = make_plan(EXPERIMENTS["simplify"], scale=FULL_SCALE, seeds=1, tasks=(task,))
    cells = [
        cell
        for place in plan.places()
        if place.block.kind == PAPERS and (cell := plan.cell(place)) and cell.simplify
    ]
    assert len(cells) == 3
    for cell in cells:
        assert cell.simplify is not None
        assert cell.training.epochs == epochs
        schedule = CutSchedule(cycle=cell.simplify.cycle, first_cut_epoch=0)
        cuts = [schedule.cuts_in(epoch) for epoch in range(epochs)]
        quarter = epochs // 4
        assert cuts == [True] * quarter + [False] * quarter + [True] * quarter + [False] * quarter


def test_tasks_have_a_name_for_the_default_k(tiny: Path) -> None:
    from meprop_nlp.config import KEPT_SHARES

    assert {task.kind for task in TASKS.values()} <= set(KEPT_SHARES)
    for name, task in TASKS.items():
        built_in, folder = ("made-up-digits", "mnist") if name == "mnist" else ("sample", tiny.name)
        assert task.find(None, "full").name == built_in
        assert task.find(tiny, "sweep").name == folder
