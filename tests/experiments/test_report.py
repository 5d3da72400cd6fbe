"""The report is made of whatever is finished, says what is not, and is the same each time."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from experiments import report as module
from experiments.cell import Cell
from experiments.claims import faster
from experiments.figures import _lines
from experiments.gpu import gpu_section
from experiments.papers import EXPERIMENTS
from experiments.plan import Plan
from experiments.report import Report
from experiments.results import Results
from experiments.table import Claim, Table

from . import made

MakePlan = Callable[..., Plan]
ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "data"
DENSE, SPARSE = "dense", "meProp, k 80"


def all_of(**tables: Sequence[Table]) -> dict[str, Sequence[Table]]:
    """All experiments, without tables but for some."""
    return {name: tables.get(name, ()) for name in EXPERIMENTS}


@pytest.fixture
def make_small(make_plan: MakePlan) -> MakePlan:
    """Makes a plan at full width with one small table, in `main`."""
    return lambda **settings: make_plan(all_of(main=made.small()), **({"shrink": 1} | settings))


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was measured on a GPU may be measured again."""
    monkeypatch.setattr(module, "gpu_section", lambda: ("A text.", [Claim("A claim", True, 3)]))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say that figures are drawn, and draw none."""
    monkeypatch.setattr(module, "can_draw", lambda: True)
    monkeypatch.setattr(module, "draw", lambda *arguments: True)


def written(plan: Plan, path: Path) -> str:
    Report(plan, path).write("python -m experiments --seeds 3")
    return path.read_text(encoding="utf-8")


def seeded(plan: Plan, *, seeds: int) -> None:
    """Dense scores 90.0, 90.1, ...; k 80 half a point less."""
    made.fill(
        plan,
        lambda cell: 90.0 + 0.1 * (cell.training.seed - 1) - 0.5 * bool(cell.meprop.k),
        seeds=seeds,
    )


def drawn_score(cell: Cell) -> float:
    """A score that looks as if it had been measured."""
    return 80 + zlib.crc32(cell.name[:-9].encode()) % 1000 / 100


# the same text each time


def test_quick_report_is_the_one_that_is_kept(tmp_path: Path, undrawn: None) -> None:
    """All tables, on the built-in data; to keep another one, write it there."""
    plan = Plan(EXPERIMENTS, Results(tmp_path), None, seeds=1, shrink=10)
    made.fill(plan, drawn_score)
    report = Report(plan, tmp_path / "report.md")
    report.write("python -m experiments --quick --seeds 1")
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert text == (GOLDEN / "quick.md").read_text(encoding="utf-8")
    assert report.verdicts == []
    for word in ("**Verdict", "## Verdicts", " claims", "\n- yes", "\n- no"):
        assert word not in text
    assert text.count("mean nothing") == 1


def test_report_with_verdicts_is_the_one_that_is_kept(tmp_path: Path, undrawn: None) -> None:
    plan = Plan(all_of(main=made.small(depending=True)), Results(tmp_path), None)
    seeded(plan, seeds=2)
    text = written(plan, tmp_path / "report.md")
    assert text == (GOLDEN / "small.md").read_text(encoding="utf-8")


def test_our_report_is_made_of_our_results(
    shared_data: Path, tmp_path: Path, undrawn: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the data of the report; figures need matplotlib, and are left out here."""
    if not (shared_data / "mnist").is_dir() or not (shared_data / "ptb-sample").is_dir():
        pytest.skip(f"not all of the report's data are in {shared_data}")
    monkeypatch.setattr(module, "gpu_section", gpu_section)
    plan = Plan(EXPERIMENTS, Results(ROOT / "experiments"), shared_data)
    path = tmp_path / "reproduction.md"
    text = written(plan, path)
    assert text == (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("!["):
            assert (ROOT / "docs" / line.partition("(")[2].rstrip(")")).is_file()


def test_template_has_a_section_for_each_experiment() -> None:
    text = module.TEMPLATE.read_text(encoding="utf-8")
    parts = text.split("\n## ")
    for name in EXPERIMENTS:
        (section,) = [part for part in parts if f"(`{name}`)\n" in part]
        assert section.rstrip().endswith(f"\n\n${name}")


# what it says


def test_partial_results_give_a_table_that_says_how_many(
    make_small: MakePlan, tmp_path: Path
) -> None:
    plan = make_small()
    seeded(plan, seeds=2)
    text = written(plan, tmp_path / "report.md")
    assert "| dense | 2 of 3 | 91.05 ± 0.07 | 90.05 ± 0.07 | 200.00 ± 0.00 |" in text
    assert "| meProp, k 80 | 2 of 3 | 90.55 ± 0.07 | 89.55 ± 0.07 |" in text
    assert "| 97.1 |" in text
    assert "**Verdict: does not hold: 0 of 1 claims (provisional: 2 of 3 seeds).**" in text
    assert "- no: test UPOS: meProp, k 80 is at most 0.1 below dense: -0.50 ± 0.07" in text
    assert "A note." in text
    assert "4 cells: Made-up, 2 cores, 1 thread; Python 3, torch 2, " in text
    assert "kernels: none; commit abc (4)\n" in text
    assert "learning rate 0.001, constant" in text
    assert "try-out" not in text


def test_unlabelled_trees_have_one_column_of_uas(make_plan: MakePlan, tmp_path: Path) -> None:
    tables = [table for table in EXPERIMENTS["main"] if table.task == "parsing"]
    plan = make_plan(all_of(main=tables), seeds=1, shrink=1)
    made.fill(plan)
    assert "test_uas" in EXPERIMENTS["main"][0].columns
    text = written(plan, tmp_path / "report.md")
    heads = [line for line in text.splitlines() if line.startswith("|  | seeds")]
    assert len(heads) == 2
    assert all(line.count("test UAS") == 1 for line in heads)
    assert "hidden 500; tanh; dropout 0; word dropout 0; Adam; learning rate 0.001" in text
    # what our defaults leave to the width is said as the number it comes to
    assert "hidden 500; relu; dropout by width: 0.4; word dropout 0.25" in text


def test_table_of_mnist_is_headed_by_its_images(make_plan: MakePlan, tmp_path: Path) -> None:
    tables = [table for table in EXPERIMENTS["main"] if table.task == "mnist"]
    plan = make_plan(all_of(main=tables), shrink=1)
    made.fill(plan)
    text = written(plan, tmp_path / "report.md")
    assert "\n### MNIST, the papers' settings\n" in text
    assert "\n30 images to train on, 10 for dev, 20 for test. Unless a row says" in text
    assert "hidden 500; 3 layers including the output layer; dropout 0; Adam" in text
    assert "minibatch 10;" in text


def test_nothing_finished_is_a_report_too(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(EXPERIMENTS, shrink=1)
    text = written(plan, tmp_path / "report.md")
    assert "No cell is finished yet." in text
    assert text.count("not decided yet") == sum(map(len, EXPERIMENTS.values()))
    assert text.count("Nothing of this table is finished yet.") == text.count("not decided yet")


def test_one_row_alone_leaves_the_verdict_open(make_small: MakePlan, tmp_path: Path) -> None:
    plan = make_small(seeds=1)
    cell = next(plan.cells())
    assert cell is not None
    plan.results.add(cell, made.made_result(cell))
    text = written(plan, tmp_path / "report.md")
    assert "| dense | 1 of 1 | 91.00 | 90.00 |" in text
    assert "| meProp, k 80 | 0 of 1 |  |  |" in text
    assert "not decided yet: numbers for 0 of 1 claims" in text


def test_seconds_beside_other_work_are_marked(make_small: MakePlan, tmp_path: Path) -> None:
    plan = make_small(seeds=1)
    for cell, others in zip(plan.cells(), (1.2, 1.1), strict=True):
        assert cell is not None
        result = made.made_result(cell)
        result["conditions"]["others"] = others
        plan.results.add(cell, result)
    text = written(plan, tmp_path / "report.md")
    assert "| dense † | 1 of 1 |" in text
    assert "| meProp, k 80 | 1 of 1 |" in text
    assert "for 1 of them there were too few cores" in text
    table = plan.filled(plan.experiments["main"][0])
    claim = faster(SPARSE, DENSE, column="backward")(table)
    assert claim.text.endswith(", too few cores (†)")
    assert "†" not in faster(SPARSE, SPARSE, column="backward")(table).text


def test_a_machine_has_one_line_with_its_commits(make_small: MakePlan, tmp_path: Path) -> None:
    plan = make_small(seeds=2)
    for cell in plan.cells():
        assert cell is not None
        result = made.made_result(cell)
        changed: dict[tuple[int, bool], dict[str, Any]] = {
            (1, True): {"commit": "def"},
            (2, True): {"cpu": "Other", "commit": ""},
        }
        about = changed.get((cell.training.seed, bool(cell.meprop.k)), {})
        result["conditions"].update(about)
        plan.results.add(cell, result)
    text = written(plan, tmp_path / "report.md")
    assert [line for line in text.splitlines() if " cores, " in line] == [
        "- 3 cells: Made-up, 2 cores, 1 thread; Python 3, torch 2, numpy 2; kernels: none; "
        "commits abc (2), def (1)",
        "- 1 cell: Other, 2 cores, 1 thread; Python 3, torch 2, numpy 2; kernels: none; "
        "commit unknown (1)",
    ]


def test_what_is_left_out_is_named(make_plan: MakePlan, tmp_path: Path) -> None:
    plan = make_plan(all_of(main=made.small("mnist")), data=tmp_path / "nowhere", shrink=1)
    text = written(plan, tmp_path / "report.md")
    assert f"Not run: mnist; {tmp_path / 'nowhere'}: no train_images, expected" in text


# figures


def test_without_matplotlib_there_are_no_figures_and_it_says_so(
    make_small: MakePlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "can_draw", lambda: False)
    plan = make_small(seeds=1)
    made.fill(plan)
    text = written(plan, tmp_path / "report.md")
    assert "There are no figures: matplotlib is not installed" in text
    assert "![" not in text
    assert not (tmp_path / "report").exists()


def test_figures_are_drawn_and_everything_is_the_same_each_time(
    make_small: MakePlan, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    plan = make_small(seeds=2)
    seeded(plan, seeds=2)
    contents = []
    for _ in range(2):
        text = written(plan, tmp_path / "report.md")
        assert "![A figure](report/main-tagging.png)" in text
        (picture,) = (tmp_path / "report").iterdir()
        contents.append([text, picture.read_bytes()])
    assert contents[0] == contents[1]


def test_neurons_over_epochs_are_drawn_of_cut_networks_alone(
    make_plan: MakePlan, tmp_path: Path, undrawn: None
) -> None:
    tables = [table for table in EXPERIMENTS["simplify"] if table.task == "tagging"]
    plan = make_plan(all_of(simplify=tables), seeds=1)
    made.fill(plan)
    text = written(plan, tmp_path / "report.md")
    assert "](report/simplify-tagging-papers.png)" in text
    (table,) = [t for t in EXPERIMENTS["simplify"] if (t.task, t.kind) == ("tagging", "papers")]
    assert table.figure is not None
    lines = _lines(table.figure, plan.filled(table), "neurons")
    assert lines.keys() == {row.label for row in table.rows if row.label.startswith("meSimp")}
    # 12 neurons on 500 at the start
    assert [x for x, _ in next(iter(lines.values()))] == [0.0, 1.0, 2.0]


# a GPU


def test_gpu_results_are_read_where_they_are(tmp_path: Path) -> None:
    row = {"precision": "float32", "launch": "graph", "h": 64, "k": 8}
    quartiles = {name: [ms, ms, ms] for name, ms in (("dense", 3.0), ("full", 1.0), ("rows", 0.5))}
    results = {
        "conditions": {"gpu": "Made-up", "cuda": "1", "torch": "2", "batch": 4, "n": 5},
        "rows": [
            row | {"ms": quartiles, "speedup": {"full": 3.0, "rows": 6.0}},
            row | {"h": 32, "ms": quartiles, "speedup": {"full": 0.5, "rows": 6.0}},
        ],
    }
    path = tmp_path / "gpu.json"
    text, (claim,) = gpu_section(path)
    assert text.startswith("Not measured: `python benchmarks/bench_gpu.py`")
    assert claim.holds is None
    path.write_text(json.dumps(results))
    text, (claim,) = gpu_section(path)
    assert text.endswith("| float32 | 8 | 3.000 | 1.000 | 3.0x | 0.500 | 6.0x | 36.8x |")
    assert claim == (
        "float32, k 8: unified meProp is faster than dense: 3.00 times as fast",
        True,
        3,
    )
