"""`TrainingDisplay` shows notes, epochs and a bar, and takes no part in the training."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from meprop_nlp.training.display import TrainingDisplay
from meprop_nlp.training.hooks import Hooks
from meprop_nlp.training.records import EpochRecord, Note, Step

EPOCH = EpochRecord(
    epoch=3,
    loss=0.25,
    scores={"uas": 91.25, "las": 90.0},
    score=90.625,
    neurons={"layers.0": 20, "layers.1": 8},
    best=True,
    kept=True,
    learning_rate=0.001,
    forward_seconds=1.0,
    backward_seconds=2.0,
    update_seconds=0.5,
    seconds=4.0,
    evaluate_seconds=1.0,
    words_per_second=12345.6,
    main_scores=["uas", "las"],
    n_batches=7,
)
STEP = Step(epoch=2, n_epochs=5, batch=1, n_batches=4, loss=0.5, words_per_second=100.0)
RECORDS = (Note("40 sentences"), Note("no tags", warning=True), STEP, EPOCH)


def shown(capsys: pytest.CaptureFixture[str], **options: Any) -> list[str]:
    with TrainingDisplay(**options) as display:
        for record in RECORDS:
            display(record)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_notes_and_epochs_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == [
        "40 sentences",
        "warning: no tags",
        " epoch    loss    UAS    LAS   mean   time    left",
        "   3/5  0.2500  91.25  90.00  90.62  5.0 s    10 s *",
    ]


def test_best_epochs_and_warnings_are_coloured_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for no_color in ("", "1"):
        terminal = io.StringIO()
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.setenv("NO_COLOR", no_color)
        with TrainingDisplay() as display:
            for record in RECORDS:
                display(record)
        assert ("\x1b[33mwarning:\x1b[0m no tags" in terminal.getvalue()) == (not no_color)
        assert ("\x1b[1;32m   3/5  0.2500" in terminal.getvalue()) == (not no_color)


LONG = "features in dev but not in train: " + " ".join(
    f"Case=Non-{i:02}|Person=2," for i in range(4)
)


@pytest.mark.parametrize("options", [{}, {"progress": False}, {"quiet": True}])
def test_long_warnings_are_wrapped_and_indented_on_a_terminal(
    options: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with TrainingDisplay(**options) as display:
        display(Note(LONG, warning=True))
    actual = terminal.getvalue()
    assert "\x1b[33mwarning:\x1b[0m features in dev but not in train:" in actual
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", actual).split("\n")
    first = next(i for i, line in enumerate(lines) if line.startswith("warning: "))
    assert lines[first + 1].startswith("  Case=Non-")
    assert " ".join(line.strip() for line in lines[first : first + 3]).startswith(
        f"warning: {LONG}"
    )
    assert max(map(len, lines[first : first + 3])) <= 60


def test_long_notes_are_single_lines_in_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingDisplay() as display:
        display(Note(LONG))
    assert capsys.readouterr().err == f"{LONG}\n"


def test_quiet_keeps_to_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, quiet=True) == ["warning: no tags"]


def test_bar_is_shown_on_a_terminal_unless_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for progress in (True, False):
        terminal = io.StringIO()
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with TrainingDisplay(progress=progress) as display:
            display(STEP)
            display(EPOCH)
        assert ("epoch 2/5" in terminal.getvalue()) == progress
        assert "  0.2500  91.25  90.00  90.62" in terminal.getvalue()


def test_dumb_terminal_shows_lines_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "dumb")
    with TrainingDisplay() as display:
        for record in RECORDS:
            display(record)
    lines = terminal.getvalue().splitlines()
    assert lines[:2] == ["40 sentences", "warning: no tags"]
    assert len(lines) == len(RECORDS)


def test_display_is_a_hook_of_a_training(
    train: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with TrainingDisplay() as display:
        train("tagger", training={"epochs": 1}, hooks=Hooks(on_record=display))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("train: ")
    assert lines[-2] == " epoch    loss   time    left"
    assert lines[-1].startswith("   1/1  ")
