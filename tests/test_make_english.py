"""tools/make_english.py: its commands exist, it goes on where it stopped, it minds the size."""

from __future__ import annotations

import importlib.util
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from meprop_nlp.cli import make_app
from meprop_nlp.models import boxed

SCRIPT = Path(__file__).parents[1] / "tools" / "make_english.py"


@pytest.fixture
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_english", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The options of a call, and the files that they name; the working folder is theirs."""
    monkeypatch.chdir(tmp_path)
    for name in ("ewt/train.conllu", "ewt/dev.conllu", "ewt/test.conllu", "glove", "masc"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    Path("minilm").mkdir()
    named = {"data": "ewt", "glove": "glove", "minilm": "minilm", "masc": "masc"}
    given = [word for name, path in named.items() for word in (f"--{name}", path)]
    return [*given, "--folder", "work", "--output", "place/english.safetensors"]


class Commands:
    """Takes the place of the command line: notes each command, and writes the model it asks for."""

    def __init__(self, size: int = 10) -> None:
        self.size, self.called = size, list[list[str]]()
        self.fails = False

    def __call__(self, words: list[str]) -> None:
        self.called.append(words)
        if words[0] == "train":
            output = Path(words[words.index("-o") + 1])
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_bytes(bytes(self.size))
            if self.fails:
                checkpoint = output.name.replace(".safetensors", ".checkpoint.safetensors")
                output.with_name(checkpoint).touch()
                raise SystemExit(130)


def printed(tool: ModuleType, options: list[str], capsys: Any) -> list[list[str]]:
    tool.main([*options, "--print-commands"])
    return [shlex.split(line) for line in capsys.readouterr().out.splitlines()]


def test_commands_are_printed_and_nothing_is_run(
    tool: ModuleType, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(Path().rglob("*"))
    teacher, student, dev, test = printed(tool, options, capsys)
    assert sorted(Path().rglob("*")) == before
    both = shlex.split(
        "meprop-nlp train --train ewt/train.conllu --dev ewt/dev.conllu --seed 1 --cache work/cache"
    )
    assert teacher == [*both, "--pretrained", "minilm", "-o", teacher[-1]]
    assert student[:10] == both
    assert " ".join(student[10:-2]) == (
        "--teacher work/teacher.safetensors --vectors glove --vectors-limit 15000 "
        "--unlabelled masc --simplify"
    )
    scored = ["meprop-nlp", "evaluate", "ewt/dev.conllu", "--model", "work/english.safetensors"]
    assert (dev, test[2]) == (scored, "ewt/test.conllu")


def test_commands_have_the_options_that_they_name(
    tool: ModuleType, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    known = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    for _, name, *words in printed(tool, options, capsys):
        taken = {option for parameter in known[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= taken


def test_names_of_a_download_are_known(
    tool: ModuleType, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for role in ("train", "dev", "test"):
        Path(f"ewt/{role}.conllu").rename(f"ewt/en_ewt-ud-{role}.conllu")
    assert "ewt/en_ewt-ud-train.conllu" in printed(tool, options, capsys)[0]
    Path("ewt/en_ewt-ud-dev.conllu").unlink()
    with pytest.raises(SystemExit, match=r"no dev\.conllu"):
        tool.main(options)


def test_model_is_made_and_put_in_its_place(
    tool: ModuleType, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands()
    monkeypatch.setattr(tool, "call", commands)
    tool.main(options)
    assert [words[0] for words in commands.called] == ["train", "train", "evaluate", "evaluate"]
    assert Path("place/english.safetensors").stat().st_size == 10
    tool.main(options)  # what is there is not trained again
    assert [words[0] for words in commands.called[4:]] == ["evaluate", "evaluate"]


def test_training_that_was_stopped_goes_on(
    tool: ModuleType, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = Commands()
    commands.fails = True
    monkeypatch.setattr(tool, "call", commands)
    with pytest.raises(SystemExit):
        tool.main(options)
    assert "--resume" not in commands.called[0]
    commands.fails = False
    tool.main(options)
    assert commands.called[1] == [*commands.called[0], "--resume"]


def test_teachers_can_be_given(
    tool: ModuleType, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("one").touch()
    Path("two").touch()
    given = [word for word in options if word not in ("--minilm", "minilm")]
    student, *_ = printed(tool, [*given, "--teacher", "one", "two"], capsys)
    assert " ".join(student).count("--teacher one --teacher two") == 1


def test_large_model_is_not_put_in_its_place(
    tool: ModuleType, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tool, "call", Commands(size=8_000_001))
    with pytest.raises(SystemExit, match="8,000,001 bytes, more than 8,000,000"):
        tool.main(options)
    assert not Path("place").exists()


@pytest.mark.parametrize("missing", ["glove", "masc", "minilm"])
def test_missing_file_is_told_before_anything_is_trained(
    missing: str, tool: ModuleType, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(missing)
    path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(SystemExit) as caught:
        tool.main(options)
    assert caught.value.code == 2
    assert f"there is no {missing}" in capsys.readouterr().err


def test_failure_of_a_command_is_the_script_s(tool: ModuleType) -> None:
    with pytest.raises(SystemExit) as caught:
        tool.call(["info", "nowhere.safetensors"])
    assert caught.value.code == 1


def test_place_is_where_the_package_looks(tool: ModuleType) -> None:
    assert tool.PLACE.name == boxed._FILES[boxed.ENGLISH]
    assert tool.PLACE.parent.samefile(Path(boxed.__file__).parent)
