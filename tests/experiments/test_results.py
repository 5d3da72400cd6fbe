"""Results survive a kill in the middle of a line, and several processes that add them at once."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from experiments.cell import Cell
from experiments.plan import Plan
from experiments.results import Results
from meprop_nlp.errors import DataError

from . import made


@pytest.fixture
def cells(make_plan: Callable[..., Plan]) -> list[Cell]:
    """Six cells of a small table."""
    return [cell for cell in make_plan({"small": made.small()}).cells() if cell is not None]


def test_a_result_is_a_line_that_is_found_again(cells: list[Cell], tmp_path: Path) -> None:
    results = Results(tmp_path / "out")
    assert results.get(cells[0]) is None
    for cell in cells[:2]:
        results.add(cell, made.made_result(cell))
    lines = (tmp_path / "out" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["cell"] for line in lines] == [cell.name for cell in cells[:2]]
    for found in (results, Results(tmp_path / "out")):
        assert [found.get(cell) is not None for cell in cells[:3]] == [True, True, False]
        assert found.get(cells[0]) == {"cell": cells[0].name, **made.made_result(cells[0])}


def test_what_another_process_adds_is_seen_and_the_last_of_two_counts(
    cells: list[Cell], tmp_path: Path
) -> None:
    one, other = Results(tmp_path), Results(tmp_path)
    one.add(cells[0], made.made_result(cells[0], 80.0))
    assert other.get(cells[1]) is None
    one.add(cells[1], made.made_result(cells[1]))
    other.add(cells[0], made.made_result(cells[0], 70.0))
    assert other.get(cells[1]) is not None
    for results in (one, other, Results(tmp_path)):
        result = results.get(cells[0])
        assert result is not None
        assert result["test"] == {"upos": 70.0}


@pytest.mark.parametrize("cut", [1, 2, 100, -1])
def test_half_a_line_is_not_read_and_goes_when_the_next_is_added(
    cut: int, cells: list[Cell], tmp_path: Path
) -> None:
    path = tmp_path / "results.jsonl"
    results = Results(tmp_path)
    results.add(cells[0], made.made_result(cells[0]))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:cut])
    again = Results(tmp_path)
    assert again.get(cells[0]) is not None
    assert again.get(cells[1]) is None
    assert path.read_bytes() == whole + whole[:cut]  # another process may be writing it
    for writer, cell in ((results, cells[1]), (again, cells[2])):
        writer.add(cell, made.made_result(cell))
    lines = path.read_bytes().splitlines(keepends=True)
    assert lines[0] == whole
    assert [json.loads(line)["cell"] for line in lines] == [cell.name for cell in cells[:3]]
    for found in (results, again, Results(tmp_path)):
        assert all(found.get(cell) is not None for cell in cells[:3])


def add_many(folder: Path, cell: Cell, n: int) -> None:
    results = Results(folder)
    for number in range(n):
        # far longer than what one write to a pipe keeps together
        results.add(cell, made.made_result(cell, float(number), padding="x" * 100_000))


def test_processes_that_add_at_once_lose_nothing(cells: list[Cell], tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=add_many, args=(tmp_path, c, 20)) for c in cells[:4]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    lines = (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()
    found = [(json.loads(line)["cell"], json.loads(line)["test"]["upos"]) for line in lines]
    for cell in cells[:4]:
        assert [score for name, score in found if name == cell.name] == list(range(20))
    assert len(found) == 80


def test_result_of_other_defaults_is_not_taken(cells: list[Cell], tmp_path: Path) -> None:
    result = made.made_result(cells[0])
    Results(tmp_path).add(cells[0], result)
    assert Results(tmp_path).get(cells[0]) is not None
    result["settings"]["config"]["word_dim"] = 7
    (tmp_path / "results.jsonl").write_text(json.dumps(result) + "\n", encoding="utf-8")
    assert Results(tmp_path).get(cells[0]) is None


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"task": "mnist"}', "\u00e9"])
def test_damaged_line_is_named(line: str, cells: list[Cell], tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Results(tmp_path).add(cells[0], made.made_result(cells[0]))
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole + line + "\n" + whole, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        Results(tmp_path).get(cells[0])
    assert str(caught.value).startswith(f"{path}:2: is no result of the experiments (")


def test_place_that_cannot_be_written_is_told(cells: list[Cell], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DataError, match=r"out/results.jsonl: cannot be written: "):
        Results(tmp_path / "out").add(cells[0], made.made_result(cells[0]))


def test_what_training_left_is_removed_with_its_result(cells: list[Cell], tmp_path: Path) -> None:
    results = Results(tmp_path)
    model = results.work(cells[0])
    model.parent.mkdir()
    for ending in (".safetensors", ".jsonl", ".checkpoint.safetensors"):
        (model.parent / f"{cells[0].name}{ending}").touch()
    other = results.work(cells[1])
    other.touch()
    results.add(cells[0], made.made_result(cells[0]))
    assert list(model.parent.iterdir()) == [other]
