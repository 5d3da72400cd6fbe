"""The English model of the package on the command line: by its name, and where none is named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from meprop_nlp.commands import console, processes
from meprop_nlp.models import boxed

NOTE = "no --model and no models/{}.safetensors: using the English model of the package (en)\n"
USUAL = {"annotate": "model", "tag": "tagger", "parse": "parser"}


@pytest.fixture
def box(joint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The boxed model; the working folder is empty."""
    folder, working = tmp_path / "box", tmp_path / "working"
    folder.mkdir()
    working.mkdir()
    shutil.copy(joint, folder / "english.safetensors")
    monkeypatch.setattr(boxed, "FOLDER", folder)
    monkeypatch.chdir(working)
    return folder / "english.safetensors"


@pytest.mark.parametrize("command", USUAL)
def test_boxed_model_is_used_where_none_was_trained_and_it_is_said(
    command: str, run: Any, box: Path, joint: Path, small: Path
) -> None:
    expected = run(command, "--model", joint, small).stdout
    result = run(command, small)
    assert result.exit_code == 0
    assert (result.stdout, result.stderr) == (expected, NOTE.format(USUAL[command]))
    assert run(command, "-q", small).stderr == ""
    named = run(command, "--model", "en", small)
    assert (named.stdout, named.stderr) == (expected, "")


@pytest.mark.parametrize("command", USUAL)
def test_model_that_was_trained_comes_first(
    command: str, run: Any, box: Path, tagger: Path, parser: Path, joint: Path, small: Path
) -> None:
    trained = {"annotate": joint, "tag": tagger, "parse": parser}[command]
    Path("models").mkdir()
    shutil.copy(trained, f"models/{USUAL[command]}.safetensors")
    result = run(command, small)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == run(command, "-m", trained, small).stdout


def test_trained_model_that_is_used_unasked_is_said_on_a_terminal(
    run: Any, box: Path, joint: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("models").mkdir()
    shutil.copy(joint, "models/model.safetensors")
    monkeypatch.setattr(console, "is_seen", lambda: True)
    note = "using models/model.safetensors"
    boxed_too = f"{note}; the English model of the package is --model en\n"
    assert run("annotate", "--no-progress", small).stderr == boxed_too
    assert run("annotate", "--no-progress", "-q", small).stderr == ""
    assert run("annotate", "--no-progress", "-m", "en", small).stderr == ""
    box.unlink()
    assert run("annotate", "--no-progress", small).stderr == f"{note}\n"


@pytest.mark.parametrize("command", ["tag", "parse"])
def test_model_of_train_is_pointed_to_before_the_boxed_one(
    command: str, run: Any, box: Path, joint: Path, small: Path
) -> None:
    Path("models").mkdir()
    shutil.copy(joint, "models/model.safetensors")
    result = run(command, small)
    assert result.exit_code == 1
    assert "or give --model models/model.safetensors" in result.stderr


def test_model_that_was_named_is_never_replaced(run: Any, box: Path, small: Path) -> None:
    result = run("annotate", "-m", "models/model.safetensors", small)
    assert result.exit_code == 1
    assert result.stderr == (
        "error: there is no model models/model.safetensors; train one with: meprop-nlp train; "
        "models that come with this installation: en\n"
    )


def test_file_of_that_name_is_meant_by_its_path(
    run: Any, box: Path, tagger: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(tagger, "en")
    assert json.loads(run("info", "en", "--json").stdout)["task"] == "joint"
    assert json.loads(run("info", "./en", "--json").stdout)["task"] == "tagger"
    assert run("tag", "-m", "./en", small).stdout == run("tag", "-m", tagger, small).stdout
    timed: list[Any] = []
    monkeypatch.setattr(processes, "seconds", lambda words: timed.append(words) or 1.0)
    speeds = run("benchmark", "./en", small, "--rounds", 1, "--json")
    assert json.loads(speeds.stdout)["model_bytes"] == {"tagger": tagger.stat().st_size}
    assert timed[0][:3] == ["tag", "--model", Path("en").absolute()]


def test_other_commands_take_the_name_too(run: Any, box: Path, parser: Path, small: Path) -> None:
    assert json.loads(run("info", "en", "--json").stdout)["file"] == str(box)
    scores = run("evaluate", small, "--model", "en")
    assert scores.stdout == run("evaluate", small, "--model", box).stdout
    tagged = run("parse", "-m", parser, "--tagger", "en", small)
    assert tagged.stdout == run("parse", "-m", parser, "--tagger", box, small).stdout
    assert run("evaluate", small, "-m", parser, "--tagger", "en").exit_code == 0
    speeds = run("benchmark", "en", small, "--rounds", 1, "--json")
    assert json.loads(speeds.stdout)["model_bytes"] == {"joint": box.stat().st_size}


def test_output_never_replaces_the_boxed_model(run: Any, box: Path, small: Path) -> None:
    before = box.read_bytes()
    result = run("annotate", small, "-o", box)
    assert result.exit_code == 2
    assert "is an input file too" in result.stderr
    assert box.read_bytes() == before


def test_info_lists_the_boxed_models(run: Any, box: Path) -> None:
    assert json.loads(run("info", "--json").stdout)["models"] == "en"
    box.unlink()
    assert json.loads(run("info", "--json").stdout)["models"] == "none"


def test_a_text_in_another_language_is_noticed_once_a_run(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boxed, "FOLDER", Path(boxed.__file__).parent)
    text = " ".join(f"Köpek evi{n} görüyor ve kuş{n} uçuyor." for n in range(20))
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = tmp_path / "a.txt", tmp_path / "b.txt"
    for output in ((), ("-o", tmp_path / "results/")):
        result = run("annotate", "--model", "en", "-q", *files, *output)
        assert result.exit_code == 0
        assert result.stderr.count("another language") == 1
        assert result.stderr.startswith("warning: the model knows ")
