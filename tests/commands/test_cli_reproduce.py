"""`reproduce`: what it is told, what it shows, how it is stopped and goes on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands import cells, reproduce
from meprop_nlp.errors import MePropError
from meprop_nlp.reproduction import settings, tasks
from meprop_nlp.reproduction.cell import Cell
from meprop_nlp.reproduction.experiments import EXPERIMENTS
from meprop_nlp.reproduction.settings import Scale

from ..idx_files import write_mnist

TINY = Scale(hidden=18, epochs=2, batch_size=64)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """What --quick does, smaller still, with a shorter look at the pace of decoding."""
    monkeypatch.setattr(settings, "QUICK_SCALE", TINY)
    monkeypatch.setattr(tasks, "ROUNDS", 1)
    monkeypatch.setattr(tasks, "SECONDS", 0.001)


@pytest.fixture
def folder(treebank: Path, small: Path, tmp_path: Path) -> Path:
    """A treebank with all its parts, and images."""
    place = tmp_path / "made"
    place.mkdir()
    for role, path in (("train", treebank), ("dev", small), ("test", small)):
        (place / f"{role}.conllu").write_bytes(path.read_bytes())
    (place / "mnist").mkdir()
    write_mnist(place / "mnist", 40, 20)
    return place


@pytest.fixture
def call(run: Any, folder: Path, tmp_path: Path) -> Any:
    """Runs `reproduce --quick` on the small treebank."""

    def reproduced(*arguments: object) -> Any:
        where = ("--data", folder, "--out", tmp_path / "out", "-t", 1)
        return run("reproduce", *arguments, "--quick", *where)

    return reproduced


# wrong usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nonsense", "experiment is 'nonsense', expected one of main, k, selection, width"),
        ("main nonsense", "experiment is 'nonsense'"),
        ("--task nonsense", "--task is 'nonsense', expected one of parsing, tagging"),
        ("--seeds 0", "--seeds is 0, expected a whole number of at least 1"),
        ("--seeds x", "Invalid value for '--seeds'"),
        ("--max-minutes 0", "--max-minutes is 0, expected more than 0"),
        ("--max-minutes nan", "--max-minutes is nan"),
        ("--threads -1", "--threads is -1"),
        ("--report x.txt", "--report is x.txt, expected the name of a file ending in .md"),
        ("--plan --report-only", "give it without --report-only"),
        ("--nonsense", "No such option"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: str, message: str, run: Any, tmp_path: Path) -> None:
    result = run("reproduce", *arguments.split(), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_data_that_are_not_there_are_named(run: Any, tmp_path: Path) -> None:
    result = run("reproduce", "main", "--data", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"error: {tmp_path}: no treebank there; expected files named" in result.stderr
    assert "--quick" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_be_written_is_told_before_training(call: Any, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    result = call("main", "--task", "tagging")
    assert result.exit_code == 1
    assert re.fullmatch(r"error: .*out.* cannot be written: .*\n", result.stderr)


def test_help_names_every_experiment_and_task(run: Any) -> None:
    words = " ".join(run("reproduce", "--help").stdout.split())
    named = re.search(r"(main, k, .*?) or (\w+); none: all of them", words)
    assert named is not None
    assert [*named[1].split(", "), named[2]] == list(EXPERIMENTS)
    assert "parsing, tagging or mnist" in words


# what it does


def test_plan_counts_and_trains_nothing(call: Any, tmp_path: Path) -> None:
    result = call("main", "fair", "--task", "tagging", "--seeds", 2, "--plan")
    assert result.exit_code == 0, result.stderr
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert rows["main"] == ["12", "0", "0", "12"]
    # dense and meProp are those of main; what is small, and dense for the same time, wait
    assert rows["fair"][:3] == ["26", "0", "6"]
    assert rows["together"][:3] == ["34", "0", "6"]
    assert "not run: parsing: left out by --task tagging" in result.stdout
    assert not (tmp_path / "out").exists()


def test_cells_are_told_one_by_one_and_the_report_is_written(
    call: Any, tiny: None, tmp_path: Path
) -> None:
    result = call("main", "--task", "tagging")
    assert result.exit_code == 0, result.stderr
    told = re.findall(r"^(\d)/6 tagging-made-h18-\S+: dev \w+ [\d.]+, \d+ s; ", result.stderr, re.M)
    assert told == list("123456")
    assert "nothing left of what was asked for" in result.stderr
    assert "main: Tagging, made, our defaults: " in result.stdout
    assert "k: Parsing, made, the papers' settings: not decided yet" in result.stdout
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "try-out" in text
    assert "| Adam, dense" in text
    again = call("main", "--task", "tagging", "--report", tmp_path / "docs" / "other.md", "-q")
    assert again.exit_code == 0
    assert again.stderr == ""
    assert (tmp_path / "docs" / "other.md").read_text(encoding="utf-8") == text


def test_report_only_trains_nothing(call: Any, tiny: None, tmp_path: Path) -> None:
    result = call("--report-only")
    assert result.exit_code == 0
    assert not (tmp_path / "out" / "cells").exists()
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "No cell is finished yet." in text


def test_cell_that_fails_makes_the_status_1_after_the_report(
    call: Any, tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = tasks.TreebankTask.train

    def fail(self: Any, cell: Cell, *arguments: Any, **options: Any) -> None:
        if cell.training.optimizer == "adagrad":
            raise MePropError("the loss is nan in epoch 2")
        train(self, cell, *arguments, **options)

    monkeypatch.setattr(tasks.TreebankTask, "train", fail)
    result = call("main", "--task", "tagging")
    assert result.exit_code == 1
    assert re.search(r"error: tagging-made-h18-dense-adagrad-\S+: the loss is nan", result.stderr)
    assert "error: 2 cells could not be trained: tagging-made-h18-dense-adagrad-" in result.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "| Adam, dense | 1 of 1 |" in text.replace(" †", "")
    assert "| AdaGrad, dense | 0 of 1 |" in text


@pytest.mark.parametrize("steps", [1, 3])
def test_ctrl_c_says_how_to_go_on(
    steps: int,
    call: Any,
    tiny: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    interrupt_after: Any,
) -> None:
    # two minibatches are an epoch, which is a cell
    monkeypatch.setattr(settings, "QUICK_SCALE", Scale(hidden=18, epochs=1, batch_size=20))
    with monkeypatch.context() as patch:
        interrupt_after(patch, cells.CellsDisplay, "on_record", steps=steps)
        result = call("main", "--task", "tagging")
    assert result.exit_code == 130
    assert f"what is finished is kept in {tmp_path / 'out'}; to go on, give" in result.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(list((tmp_path / "out").glob("cells/*.json"))) == steps // 2
    result = call("main", "--task", "tagging")
    assert result.exit_code == 0, result.stderr
    assert "nothing left" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_process_that_was_stopped_goes_on_with_what_it_lacks(
    number: signal.Signals, folder: Path, tmp_path: Path
) -> None:
    options = ["main", "--task", "tagging", "--quick", "--data", folder, "--out", tmp_path / "out"]
    command = [sys.executable, "-m", "meprop_nlp.cli", "reproduce", *map(str, options), "-t", "1"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("2/6"):
            process.send_signal(number)
            break
    told = process.communicate(timeout=60)[1]
    assert process.returncode == {signal.SIGINT: 130, signal.SIGKILL: -9}[number], told
    assert "Traceback" not in told
    finished = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "cells").iterdir()}
    assert len(finished) >= 2
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "nothing left" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in finished} == finished
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) == 6


def test_time_left_says_what_is_not_known() -> None:
    from meprop_nlp.reproduction.plan import Outlook

    assert cells.time_left(Outlook(3, 0, 0, 0.0, 0)) == "nothing left"
    assert cells.time_left(Outlook(0, 3, 0, 0.0, 3)) == "time left unknown"
    assert cells.time_left(Outlook(1, 3, 0, 600.0, 0)) == "about 10 min left"
    assert cells.time_left(Outlook(1, 3, 2, 600.0, 0)) == "at least 10 min left"
    assert cells.time_left(Outlook(1, 3, 0, 600.0, 1)) == "at least 10 min left"


def test_bars_are_shown_on_a_terminal_only(
    call: Any, tiny: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    start = cells.CellsDisplay.__init__

    def init(self: cells.CellsDisplay, *, progress: bool, quiet: bool) -> None:
        made.append(progress)
        start(self, progress=progress, quiet=quiet)

    monkeypatch.setattr(reproduce.CellsDisplay, "__init__", init)
    call("gpu")
    assert made == [False]
    with cells.CellsDisplay(progress=True, quiet=False) as display:
        assert display._bar is not None
    with cells.CellsDisplay(progress=True, quiet=True) as display:
        assert display._bar is None


# all of it


def test_every_experiment_in_its_smallest_form(call: Any, tiny: None, tmp_path: Path) -> None:
    result = call("--seeds", 1)
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Nothing of this table is finished yet." not in text
    assert text.count("not decided yet") == text.count("open: unified") * 2
    assert " 0 of 1 |" not in text
    assert list((tmp_path / "out" / "work").iterdir()) == []


@pytest.mark.slow
def test_quick_takes_less_than_five_minutes(run: Any, tmp_path: Path) -> None:
    start = time.monotonic()
    result = run("reproduce", "--quick", "--out", tmp_path / "out")
    seconds = time.monotonic() - start
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Nothing of this table is finished yet." not in text
    assert seconds < 300
