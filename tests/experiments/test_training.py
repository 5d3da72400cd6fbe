"""A campaign that is stopped goes on, between cells and inside one; what fails does not stop it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.console import Display
from experiments.plan import Plan
from experiments.table import Row
from experiments.training import run
from meprop_nlp.training.records import EpochRecord, Step

from . import made

MakePlan = Callable[..., Plan]
SMALL = {"small": made.small()}


class Recorder(Display):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__(quiet=False)
        self.records: list[Any] = []
        self.lines: list[str] = []

    def __call__(self, record: Any) -> None:
        self.records.append(record)
        super().__call__(record)

    def say(self, text: str, *, always: bool = False) -> None:
        self.lines.append(text)

    def count(self, kind: type) -> int:
        return sum(isinstance(record, kind) for record in self.records)


def train(plan: Plan, recorder: Recorder, **options: Any) -> list[str]:
    return run(plan, recorder, **{"stop": lambda: False, **options})


def lines(plan: Plan) -> list[dict[str, Any]]:
    path = plan.results.path
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def work(plan: Plan) -> list[str]:
    return sorted(path.name for path in (plan.results.folder / "work").glob("*"))


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """A result without what the clock decides."""
    epochs = [{n: v for n, v in e.items() if "second" not in n} for e in result["epochs"]]
    kept = ("cell", "settings", "dev", "test", "best_epoch", "neurons", "bytes", "main")
    return {name: result[name] for name in kept} | {"epochs": epochs}


@pytest.fixture(scope="module")
def whole(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two cells give that are trained without a stop."""
    from experiments.results import Results

    folder = tmp_path_factory.mktemp("whole")
    plan = Plan(SMALL, Results(folder), tiny, seeds=1, shrink=made.SHRINK, threads=1)
    assert train(plan, Recorder()) == []
    return [comparable(result) for result in lines(plan)]


def test_cells_are_trained_scored_and_kept(make_plan: MakePlan) -> None:
    plan = make_plan({"a": made.small(), "b": made.small("parsing")}, seeds=1)
    recorder = Recorder()
    assert train(plan, recorder) == []
    told = [line.split()[0] for line in recorder.lines if not line.startswith("warning: ")]
    assert told == ["1/4", "2/4", "3/4", "4/4"]
    assert len(lines(plan)) == 4
    assert work(plan) == []
    for result in lines(plan):
        assert len(result["epochs"]) == 2
        assert result["test"].keys() == result["dev"].keys()
        assert result["main"] == ("xpos" if result["task"] == "tagging" else "las")
        assert 0 < result["test"]["xpos" if result["task"] == "tagging" else "uas"] <= 100
        steps = [epoch["n_batches"] for epoch in result["epochs"]]
        assert result["iterations_to_best"] == sum(steps[: result["best_epoch"]])
        assert result["bytes"] > 1000
        assert result["decode_words_per_second"] > 0
        assert sum(result["neurons"].values()) == 12 * len(result["neurons"])
        assert result["conditions"]["others"] >= 0
    again = Recorder()
    assert train(plan, again) == []
    assert (again.lines, again.records) == ([], [])


@pytest.mark.parametrize("share", [0.2, 0.7, 1.2, 1.7])
def test_campaign_stopped_anywhere_ends_as_one_never_stopped(
    share: float, make_plan: MakePlan, whole: list[dict[str, Any]]
) -> None:
    plan, recorder = make_plan(SMALL, seeds=1), Recorder()
    of_a_cell = sum(epoch["n_batches"] for epoch in whole[0]["epochs"])
    steps = round(share * of_a_cell)
    assert of_a_cell >= 6
    with pytest.raises(KeyboardInterrupt):
        train(plan, recorder, stop=lambda: recorder.count(Step) >= steps)
    assert len(lines(plan)) == int(share)
    assert any("checkpoint" in name for name in work(plan))
    again = Recorder()
    assert train(make_plan(SMALL, seeds=1), again) == []
    assert again.count(Step) == 2 * of_a_cell - steps
    assert [comparable(result) for result in lines(plan)] == whole
    assert work(plan) == []


def test_checkpoint_that_does_not_fit_is_begun_anew(make_plan: MakePlan) -> None:
    plan, recorder = make_plan(SMALL, seeds=1), Recorder()
    with pytest.raises(KeyboardInterrupt):
        train(plan, recorder, stop=lambda: recorder.count(Step) >= 2)
    (checkpoint,) = (plan.results.folder / "work").glob("*.checkpoint.safetensors")
    checkpoint.write_bytes(checkpoint.read_bytes()[:500])
    again = Recorder()
    assert train(plan, again) == []
    assert any("warning: " in t and "starts anew" in t and "cut short" in t for t in again.lines)
    assert again.count(EpochRecord) == 4


def test_cell_that_fails_is_told_and_the_others_go_on(make_plan: MakePlan) -> None:
    (table,) = made.small()
    bad = Row("bad", {"k": 99 * made.SHRINK})
    plan = make_plan({"x": [dataclasses.replace(table, rows=(bad, made.SPARSE))]}, seeds=1)
    recorder = Recorder()
    (failed,) = train(plan, recorder)
    assert recorder.lines[0].startswith(f"error: {failed}: ")
    assert "at most the layer's width, 12" in recorder.lines[0]
    assert recorder.lines[-1].startswith("1/2 ")
    assert plan.outlook() == (1, 1, 0)


def test_no_cell_is_started_when_the_time_is_over(make_plan: MakePlan) -> None:
    plan = make_plan(SMALL, seeds=2)
    assert train(plan, Recorder(), max_minutes=0.0) == []
    assert plan.outlook().finished == 0
    assert not plan.results.folder.exists()


def test_images_are_learnt_scored_and_kept(make_plan: MakePlan) -> None:
    rows = (Row("dense", {}), Row("k", {"k": 80}))
    plan = make_plan({"small": made.small("mnist", rows=rows)}, seeds=1, data=None, shrink=20)
    assert train(plan, Recorder()) == []
    dense, sparse = lines(plan)
    assert (dense["main"], dense["corpus"]["name"]) == ("accuracy", "made-up-images")
    assert dense["cell"].startswith("mnist-made-up-images-h25-dense-")
    for result in (dense, sparse):
        assert result["decode_words_per_second"] is None
        assert result["dev"].keys() == result["test"].keys() == {"accuracy"}
    assert dense["test"]["accuracy"] > 30  # of ten classes
