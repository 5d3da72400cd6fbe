"""`python -m experiments`: what it is given, what it shows, how it is stopped and goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments import __main__ as command
from experiments import console, training
from experiments.papers import EXPERIMENTS
from meprop_nlp.errors import MePropError
from meprop_nlp.training.records import Step

ROOT = Path(__file__).parents[2]
Call = Callable[..., Any]


@pytest.fixture
def smallest(monkeypatch: pytest.MonkeyPatch, short_look: None) -> None:
    """What --quick does, smaller still."""
    monkeypatch.setattr(command, "SHRINK", 25)


@pytest.fixture
def run(invoke: Call) -> Call:
    """Runs the command."""
    return lambda *arguments: invoke(command.app, *arguments)


@pytest.fixture
def call(run: Call, tiny: Path, tmp_path: Path) -> Call:
    """Runs it with --quick on the tiny treebank."""
    where = ("--data", tiny, "--out", tmp_path / "out", "-t", 1)
    return lambda *arguments: run(*arguments, "--quick", *where)


def names(tmp_path: Path) -> list[str]:
    """The names of finished cells."""
    path = tmp_path / "out" / "results.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line)["cell"] for line in text.splitlines()]


# wrong usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nonsense", "EXPERIMENT is 'nonsense', expected one of main, k, selection, width"),
        ("main nonsense", "EXPERIMENT is 'nonsense'"),
        ("--task nonsense", "--task is 'nonsense', expected one of parsing, tagging"),
        ("--seeds 0", "Invalid value for '--seeds'"),
        ("--seeds x", "Invalid value for '--seeds'"),
        ("--max-minutes -1", "Invalid value for '--max-minutes'"),
        ("--threads -1", "Invalid value for '--threads'"),
        ("--report x.txt", "--report is x.txt, expected the name of a file ending in .md"),
        ("--nonsense", "No such option"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: str, message: str, run: Call, tmp_path: Path) -> None:
    result = run(*arguments.split(), "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_data_that_are_not_there_are_named(run: Call, tmp_path: Path) -> None:
    result = run("main", "--data", tmp_path, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"error: {tmp_path}: no" in result.stderr
    assert "expected" in result.stderr
    result = run("hybrid", "--data", tmp_path, "--out", tmp_path / "out")
    assert f"error: {tmp_path}: no treebank there; expected files named" in result.stderr
    assert "--quick" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_place_that_cannot_be_written_is_told_before_training(call: Call, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    result = call("main", "--task", "tagging")
    assert result.exit_code == 1
    assert re.fullmatch(r"error: .*out.* cannot be written: .*\n", result.stderr)


def test_help_names_every_experiment_and_task(run: Call) -> None:
    words = " ".join(run("--help").stdout.split())
    assert f"{', '.join(EXPERIMENTS)}; none: all" in words
    assert "parsing, tagging, mnist" in words
    assert "The numbers mean nothing" in words


COMMANDS = [
    line.split()
    for name in ("docs/papers.md", "experiments/mnist/README.md")
    for line in re.findall(r"^    (python -m experiments.*)$", (ROOT / name).read_text(), re.M)
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_of_the_documents_have_the_options_that_they_name(
    words: list[str], run: Call, invoke: Call
) -> None:
    from experiments.mnist.__main__ import app

    known = run("--help") if words[2] == "experiments" else invoke(app, "--help")
    options = set(re.findall(r"--[\w-]+", known.stdout))
    assert {word for word in words[3:] if word.startswith("-")} <= options


# what it does


def test_data_are_looked_for_in_the_current_folder(
    run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MEPROP_NLP_DATA", raising=False)
    result = run("--plan")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: data: no treebank there")
    assert "--data or MEPROP_NLP_DATA" in result.stderr


def test_plan_counts_and_trains_nothing(call: Call, tmp_path: Path) -> None:
    result = call("main", "fair", "--task", "tagging", "--seeds", 2, "--plan")
    assert result.exit_code == 0, result.stderr
    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert rows["main"] == ["0", "12", "0"]
    # dense and meProp are those of main; what is small, and dense for the same time, wait
    assert rows["fair"] == ["0", "20", "6"]
    assert rows["together"] == ["0", "28", "6"]
    assert not (tmp_path / "out").exists()


def test_cells_are_told_one_by_one_and_the_report_is_written(
    call: Call, smallest: None, tmp_path: Path
) -> None:
    result = call("main", "--task", "tagging")
    assert result.exit_code == 0, result.stderr
    told = re.findall(
        r"^(\d)/6 tagging-tiny\d-h20-\S+: dev \w+ [\d.]+, \d+ s; ", result.stderr, re.M
    )
    assert told == list("123456")
    assert "; 0 of the requested cells are left to train" in result.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "try-out" in text
    assert "| Adam, dense" in text
    again = call("main", "--task", "tagging", "--report", tmp_path / "docs" / "other.md", "-q")
    assert again.exit_code == 0
    assert (tmp_path / "docs" / "other.md").read_text(encoding="utf-8") == text


def test_try_out_says_that_its_numbers_mean_nothing_and_has_no_verdicts(
    call: Call, tmp_path: Path
) -> None:
    for quiet in ((), ("-q",)):
        result = call("--report-only", *quiet)
        assert result.exit_code == 0
        assert result.stderr.startswith("warning: --quick only shows that everything runs; its num")
        assert result.stdout == ""
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Its numbers mean nothing" in text
    assert "## Verdicts" not in text
    assert "**Verdict" not in text
    assert "--quick --seeds 1`" in text


def test_report_has_its_verdicts_printed(run: Call, tiny: Path, tmp_path: Path) -> None:
    where = ("--data", tiny, "--out", tmp_path / "out")
    result = run("--report-only", *where)
    assert result.exit_code == 0
    name = tiny.name
    assert f"main: Tagging, {name}, our defaults: not decided yet: " in result.stdout
    assert f"k: Parsing, {name}, the papers' settings: not decided yet" in result.stdout
    assert "mean nothing" not in result.stderr
    assert names(tmp_path) == []
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "No cell is finished yet." in text
    assert "`python -m experiments --seeds 3`" in text


def test_cell_that_fails_makes_the_status_1_after_the_report(
    call: Call, smallest: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = training._train

    def fail(cell: Any, *arguments: Any, **options: Any) -> Any:
        if cell.training.optimizer == "adagrad":
            raise MePropError("the loss is nan in epoch 2; try a smaller `learning_rate`")
        return train(cell, *arguments, **options)

    monkeypatch.setattr(training, "_train", fail)
    result = call("main", "--task", "tagging")
    assert result.exit_code == 1
    assert re.search(r"error: tagging-\S+-dense-adagrad-\S+: the loss is nan", result.stderr)
    assert re.search(
        r"error: could not be trained: tagging-\S+-adagrad-\S+, tagging-\S+-adagrad-", result.stderr
    )
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "| Adam, dense | 1 of 1 |" in text.replace(" †", "")
    assert "| AdaGrad, dense | 0 of 1 |" in text


@pytest.mark.parametrize("finished", [0, 1])
def test_ctrl_c_says_how_to_go_on(
    finished: int, call: Call, smallest: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = console.Display.__call__

    def press(self: console.Display, record: Any) -> None:
        show(self, record)
        if isinstance(record, Step) and len(names(tmp_path)) == finished:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(console.Display, "__call__", press)
        result = call("main", "--task", "tagging")
    assert result.exit_code == 130
    kept = f"finished trainings are in {tmp_path / 'out' / 'results.jsonl'}; to go on, give"
    assert kept in result.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert len(names(tmp_path)) == finished
    result = call("main", "--task", "tagging")
    assert result.exit_code == 0, result.stderr
    assert "; 0 of the requested cells are left" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_process_that_was_stopped_goes_on_with_what_it_lacks(
    number: signal.Signals, tiny: Path, tmp_path: Path
) -> None:
    options = ["main", "--task", "tagging", "--quick", "--data", tiny, "--out", tmp_path / "out"]
    command = [sys.executable, "-m", "experiments", *map(str, options), "-t", "1"]
    settings: dict[str, Any] = {"cwd": ROOT, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **settings)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("2/6"):
            process.send_signal(number)
            break
    told = process.communicate(timeout=60)[1]
    assert process.returncode == {signal.SIGINT: 130, signal.SIGKILL: -9}[number], told
    assert "Traceback" not in told
    finished = names(tmp_path)
    assert len(finished) >= 2
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **settings)
    assert done.returncode == 0, done.stderr
    assert "; 0 of the requested cells are left" in done.stderr
    assert names(tmp_path)[: len(finished)] == finished
    assert len(names(tmp_path)) == 6


@pytest.mark.slow
def test_two_processes_may_work_side_by_side(tiny: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"cwd": ROOT, "env": os.environ | {"PYTHONPATH": str(ROOT)}}
    command = [sys.executable, "-m", "experiments", "main", "--quick", "-t", "1"]
    command += ["--data", str(tiny), "--out", str(tmp_path / "out"), "-q", "--task"]
    pair = [subprocess.Popen([*command, task], **settings) for task in ("mnist", "tagging")]
    assert [process.wait(timeout=120) for process in pair] == [0, 0]
    assert sorted(name.partition("-")[0] for name in names(tmp_path)) == (
        ["mnist"] * 6 + ["tagging"] * 6
    )


# what it shows


def test_minibatches_are_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = Step(epoch=1, n_epochs=2, batch=3, n_batches=4, loss=0.5, words_per_second=1.0)
    for terminal, quiet, shown in ((True, False, True), (True, True, False), (False, False, False)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda terminal=terminal: terminal)
        display = console.Display(quiet=quiet)
        display.title = "a cell: "
        display(step)
        text = capsys.readouterr().err
        assert ("a cell: epoch 1/2, minibatch 3/4, loss 0.5000" in text) == shown
        assert (text == "") != shown


def test_messages_name_options(invoke: Call) -> None:
    def fail(max_minutes: int = 3) -> None:
        raise MePropError("`max_minutes` is 3, `other` is not")

    result = invoke(console.make_app(fail, "an example"))
    assert (result.exit_code, result.stderr) == (1, "error: --max-minutes is 3, `other` is not\n")


def test_help_loads_no_torch() -> None:
    code = "import sys; from experiments.__main__ import app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# all of it


def test_every_experiment_in_its_smallest_form(call: Call, smallest: None, tmp_path: Path) -> None:
    result = call("--seeds", 1)
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Nothing of this table is finished yet." not in text
    assert " 0 of 1 |" not in text
    assert list((tmp_path / "out" / "work").iterdir()) == []


@pytest.mark.slow
def test_quick_takes_less_than_five_minutes(run: Call, tmp_path: Path) -> None:
    start = time.monotonic()
    result = run("--quick", "--out", tmp_path / "out")
    seconds = time.monotonic() - start
    assert result.exit_code == 0, result.stderr
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "Nothing of this table is finished yet." not in text
    assert seconds < 300
