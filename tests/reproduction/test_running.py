"""A campaign that is stopped goes on, between cells and inside one; what fails does not stop it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.errors import DataError
from meprop_nlp.reproduction.experiment import Block, Experiment, Row
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.running import CellFailed, CellFinished, CellStarted, Event, run
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import EpochRecord, Note, Step

from . import made

MakePlan = Callable[..., Plan]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def stop_after(steps: int) -> tuple[Hooks, list[Any]]:
    """Hooks that stop a training when so many minibatches are done, and what they are told."""
    told: list[Any] = []
    return Hooks(
        on_record=told.append,
        stop=lambda: sum(isinstance(record, Step) for record in told) >= steps,
    ), told


def comparable(path: Path) -> dict[str, Any]:
    """A result without what the clock decides."""
    result = json.loads(path.read_text(encoding="utf-8"))
    epochs = [{n: v for n, v in e.items() if "second" not in n} for e in result["epochs"]]
    kept = ("cell", "settings", "dev", "test", "best_epoch", "neurons", "bytes", "main")
    return {name: result[name] for name in kept} | {"epochs": epochs}


def test_cells_are_trained_scored_and_kept(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(), made.experiment("b", "parsing"), seeds=1)
    events: list[Event] = []
    assert run(plan, on_event=events.append) == []
    assert [type(event) for event in events] == [CellStarted, CellFinished] * 4
    assert [event.outlook.finished for event in events[1::2]] == [1, 2, 3, 4]  # type: ignore[union-attr]
    folder = plan.store.folder
    assert len(files(folder / "cells")) == 4
    assert files(folder / "work") == []
    for result in plan.store.all():
        assert len(result["epochs"]) == 2
        assert result["test"].keys() == result["dev"].keys()
        assert result["main"] == ("xpos" if result["task"] == "tagging" else "las")
        assert 0 < result["test"][result["main"]] <= 100
        steps = [epoch["n_batches"] for epoch in result["epochs"]]
        assert result["iterations_to_best"] == sum(steps[: result["best_epoch"]])
        assert result["bytes"] > 1000
        assert result["decode_words_per_second"] > 0
        assert sum(result["neurons"].values()) == 12 * len(result["neurons"])
    events.clear()
    run(plan, on_event=events.append)
    assert events == []


@pytest.mark.parametrize("steps", [2, 7, 12, 17])
def test_campaign_stopped_anywhere_ends_as_one_never_stopped(
    steps: int, make_plan: MakePlan, tmp_path: Path
) -> None:
    # five minibatches an epoch, two epochs a cell, two cells
    whole = make_plan(made.experiment(), seeds=1, store=tmp_path / "whole")
    run(whole)
    plan = make_plan(made.experiment(), seeds=1)
    hooks, _ = stop_after(steps)
    with pytest.raises(KeyboardInterrupt):
        run(plan, hooks=hooks)
    done = steps // 10
    assert len(list((plan.store.folder / "cells").glob("*"))) == done
    assert any("checkpoint" in name for name in files(plan.store.folder / "work"))
    told: list[Any] = []
    run(make_plan(made.experiment(), seeds=1), hooks=Hooks(on_record=told.append))
    assert sum(isinstance(record, Step) for record in told) == 20 - steps
    names = files(whole.store.folder / "cells")
    assert files(plan.store.folder / "cells") == names
    for name in names:
        expected = comparable(whole.store.folder / "cells" / name)
        assert comparable(plan.store.folder / "cells" / name) == expected
    assert files(plan.store.folder / "work") == []


def test_checkpoint_that_does_not_fit_is_begun_anew(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(), seeds=1)
    hooks, _ = stop_after(2)
    with pytest.raises(KeyboardInterrupt):
        run(plan, hooks=hooks)
    (checkpoint,) = (plan.store.folder / "work").glob("*.checkpoint.safetensors")
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    told: list[Any] = []
    assert run(plan, hooks=Hooks(on_record=told.append)) == []
    warnings = [note.text for note in told if isinstance(note, Note) and note.warning]
    assert any("begins anew" in text and "cut short" in text for text in warnings)
    assert sum(isinstance(record, EpochRecord) for record in told) == 4


def test_cell_that_fails_is_told_and_the_others_go_on(make_plan: MakePlan) -> None:
    rows = (Row("bad", "bad", {"k": 99}), Row("k2", "k 2", {"k": 2}))
    small = made.experiment()
    (block,) = small.blocks(made.TINY)
    faulty = Block(block.task, block.part, block.kind, rows, block.columns, lambda table: [])
    plan = make_plan(Experiment("x", "X", "?", lambda scale: (faulty,)), seeds=1)
    events: list[Event] = []
    failed = run(plan, on_event=events.append)
    assert [type(event) for event in events] == [CellStarted, CellFailed, CellStarted, CellFinished]
    assert "at most the layer's width, 12" in str(failed[0].error)
    assert plan.outlook().left == 1


def test_no_cell_is_started_when_the_time_is_over(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(), seeds=2)
    run(plan, max_seconds=1e-9)
    assert plan.outlook().finished == 0
    plan.store.folder.mkdir(exist_ok=True)
    assert files(plan.store.folder) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no result of reproduce"),
        ("[]", "is no result of reproduce"),
        ("{}", "is no result of reproduce"),
        ('{"format": 1}', "it lacks cell, conditions, dev, epochs, settings, test"),
        ('{"format": 99}', "format 99, this meprop_nlp reads up to 1"),
    ],
)
def test_damaged_result_is_named(text: str, message: str, make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(), seeds=1)
    made.fill(plan)
    path = next((plan.store.folder / "cells").glob("*.json"))
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message) as caught:
        make_plan(made.experiment(), seeds=1).outlook()
    assert str(path) in str(caught.value)


def test_result_of_other_defaults_is_not_taken(make_plan: MakePlan) -> None:
    plan = make_plan(made.experiment(), seeds=1)
    made.fill(plan)
    path = next((plan.store.folder / "cells").glob("*.json"))
    result = json.loads(path.read_text(encoding="utf-8"))
    result["settings"]["config"]["word_dim"] = 7
    path.write_text(json.dumps(result), encoding="utf-8")
    assert make_plan(made.experiment(), seeds=1).outlook().left == 1
