"""The report is made of whatever is finished, says what is not, and is the same each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from meprop_nlp.errors import DataError
from meprop_nlp.reproduction import report as module
from meprop_nlp.reproduction.experiments import EXPERIMENTS
from meprop_nlp.reproduction.figures import _lines
from meprop_nlp.reproduction.plan import Plan
from meprop_nlp.reproduction.report import write_report
from meprop_nlp.reproduction.verdict import faster

from . import made

MakePlan = Callable[..., Plan]


def written(plan: Plan, path: Path, *, quick: bool = False) -> str:
    write_report(plan, path, command="meprop-nlp reproduce --seeds 3", quick=quick)
    return path.read_text(encoding="utf-8")


def seeded(plan: Plan, *, seeds: int) -> None:
    """Dense scores 90.0, 90.1, ...; k 2 half a point less."""
    made.fill(
        plan,
        lambda cell: 90.0 + 0.1 * (cell.training.seed - 1) - 0.5 * bool(cell.meprop.k),
        seeds=seeds,
    )


def test_partial_results_give_a_table_that_says_how_many(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    plan = make_plan(made.experiment(), seeds=3)
    seeded(plan, seeds=2)
    text = written(plan, tmp_path / "report.md")
    assert "| dense | 2 of 3 | 91.05 ± 0.07 | 90.05 ± 0.07 | 200.00 ± 0.00 |" in text
    assert "| meProp, k 2 | 2 of 3 | 90.55 ± 0.07 | 89.55 ± 0.07 |" in text
    assert "| 97.1 |" in text
    assert "**Verdict: does not hold: 0 of 1 claims (provisional: 2 of 3 seeds).**" in text
    assert "- no: test UPOS: meProp, k 2 is at most 0.1 below dense: -0.50 ± 0.07" in text
    assert "A note." in text
    assert "4 cells: Made-up, 2 cores, 1 thread; Python 3, torch 2, " in text
    assert "kernels: none; commit abc (4)\n" in text
    assert "learning rate 0.001, constant" in text
    assert "try-out" not in text


def test_unlabelled_trees_have_one_column_of_uas(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(EXPERIMENTS["main"], seeds=1, tasks=("parsing",))
    made.fill(plan)
    assert "test_uas" in plan.blocks(EXPERIMENTS["main"])[0].columns
    text = written(plan, tmp_path / "report.md")
    heads = [line for line in text.splitlines() if line.startswith("|  | seeds")]
    assert len(heads) == 2
    assert all(line.count("test UAS") == 1 for line in heads)
    assert "hidden 12; tanh; dropout 0; word dropout 0; Adam; learning rate 0.001" in text
    # what our defaults leave to the width is said as the number it comes to
    assert "hidden 12; relu; dropout by width: 0.0096; word dropout 0.25" in text


def test_nothing_finished_is_a_report_too(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(*EXPERIMENTS.values())
    text = written(plan, tmp_path / "report.md")
    assert "No cell is finished yet." in text
    assert text.count("not decided yet") >= len(EXPERIMENTS)
    for experiment in EXPERIMENTS.values():
        assert f"## {experiment.title} (`{experiment.name}`)" in text
    assert "## On a GPU (`gpu`)" in text
    assert "Not measured: PyTorch found no CUDA device" in text


def test_one_row_alone_leaves_the_verdict_open(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(made.experiment(), seeds=1)
    cell = plan.cell(next(plan.places()))
    assert cell is not None
    plan.store.put(cell, made.made_result(cell))
    text = written(plan, tmp_path / "report.md")
    assert "| dense | 1 of 1 | 91.00 | 90.00 |" in text
    assert "| meProp, k 2 | 0 of 1 |  |  |" in text
    assert "not decided yet: numbers for 0 of 1 claims" in text


def test_seconds_beside_other_work_are_marked(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(made.experiment(), seeds=1)
    for place in plan.places():
        cell = plan.cell(place)
        assert cell is not None
        result = made.made_result(cell)
        result["conditions"]["others"] = {"dense": 1.2, "k2": 1.1}[place.row.key]
        plan.store.put(cell, result)
    text = written(plan, tmp_path / "report.md")
    assert "| dense † | 1 of 1 |" in text
    assert "| meProp, k 2 | 1 of 1 |" in text
    assert "for 1 of them cores were lacking" in text
    (block,) = plan.blocks(plan.experiments[0])
    table = plan.table(block)
    assert faster(table, "k2", "dense", column="backward").text.endswith(", cores lacking (†)")
    assert "†" not in faster(table, "k2", "k2", column="backward").text


def test_a_machine_has_one_line_with_its_commits(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(made.experiment(), seeds=2)
    seeded(plan, seeds=2)
    for place in plan.places():
        cell = plan.cell(place)
        assert cell is not None
        result = made.made_result(cell)
        changed = {(1, "k2"): {"commit": "def"}, (2, "k2"): {"cpu": "Other", "commit": ""}}
        result["conditions"].update(changed.get((place.seed, place.row.key), {}))
        plan.store.put(cell, result)
    text = written(plan, tmp_path / "report.md")
    assert [line for line in text.splitlines() if " cores, " in line] == [
        "- 3 cells: Made-up, 2 cores, 1 thread; Python 3, torch 2, numpy 2; kernels: none; "
        "commits abc (2), def (1)",
        "- 1 cell: Other, 2 cores, 1 thread; Python 3, torch 2, numpy 2; kernels: none; "
        "commit unknown (1)",
    ]


def test_numbers_for_machines_are_those_of_the_tables(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(made.experiment(), seeds=2)
    seeded(plan, seeds=2)
    written(plan, tmp_path / "report.md", quick=True)
    (table,) = json.loads((plan.store.folder / "results.json").read_text())["tables"]
    assert table["rows"]["dense"]["test"] == {
        "mean": pytest.approx(90.05),
        "sd": pytest.approx(0.0707, abs=1e-4),
        "n": 2,
    }
    assert table["claims"][0]["holds"] is False
    assert len(table["cells"]) == 4


def test_without_matplotlib_there_are_no_figures_and_it_says_so(
    make_plan: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "can_draw", lambda: False)
    plan = make_plan(made.experiment(), seeds=1)
    made.fill(plan)
    text = written(plan, tmp_path / "report.md", quick=True)
    assert "There are no figures: matplotlib is not installed" in text
    assert "![" not in text
    assert "try-out" in text
    assert not (tmp_path / "report").exists()


def test_figures_are_drawn_and_everything_is_the_same_each_time(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    plan = make_plan(made.experiment(), seeds=2)
    seeded(plan, seeds=2)
    contents = []
    for _ in range(2):
        text = written(plan, tmp_path / "report.md")
        assert "![A figure](report/small-tagging.png)" in text
        names = sorted(path.name for path in (tmp_path / "report").iterdir())
        assert names == ["small-tagging.png", "small-tagging.svg"]
        contents.append([text, *((tmp_path / "report" / name).read_bytes() for name in names)])
    assert contents[0] == contents[1]


def test_neurons_over_epochs_are_drawn_of_cut_networks_alone(
    make_plan: MakePlan, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    simplify = EXPERIMENTS["simplify"]
    plan = make_plan(simplify, seeds=1, tasks=("tagging",))
    made.fill(plan)
    text = written(plan, tmp_path / "report.md")
    assert "](report/simplify-tagging-papers.png)" in text
    block = plan.blocks(simplify)[0]
    lines = _lines(block.figures[0], plan.table(block), "neurons")
    assert lines.keys() == {row.label for row in block.rows if row.key.startswith("cut")}
    assert [x for x, _ in next(iter(lines.values()))] == [0.0, 1.0, 2.0]


def test_gpu_results_are_read_where_they_are(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(EXPERIMENTS["gpu"])
    row = {"precision": "float32", "launch": "graph", "h": 64, "k": 8}
    quartiles = {name: [ms, ms, ms] for name, ms in (("dense", 3.0), ("full", 1.0), ("rows", 0.5))}
    results = {
        "conditions": {"gpu": "Made-up", "cuda": "1", "torch": "2", "batch": 4, "n": 5},
        "rows": [
            row | {"ms": quartiles, "speedup": {"full": 3.0, "rows": 6.0}},
            row | {"h": 32, "ms": quartiles, "speedup": {"full": 0.5, "rows": 6.0}},
        ],
    }
    plan.store.folder.mkdir()
    (plan.store.folder / "gpu.json").write_text(json.dumps(results))
    text = written(plan, tmp_path / "report.md")
    assert "| float32 | 8 | 3.000 | 1.000 | 3.0x | 0.500 | 6.0x | 36.8x |" in text
    assert "**Verdict: holds: 1 of 1 claims.**" in text
    (plan.store.folder / "gpu.json").write_text("{}")
    with pytest.raises(DataError, match="is no result of the GPU timing"):
        written(plan, tmp_path / "report.md")


def test_what_is_left_out_is_named(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(made.experiment(), made.experiment("x", "no-such-task"), seeds=1)
    text = written(plan, tmp_path / "report.md")
    assert "Not run: no-such-task; this version has no task no-such-task." in text
