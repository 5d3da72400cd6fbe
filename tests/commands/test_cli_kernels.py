"""`info` says what training computes with: the native core, or PyTorch alone."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import meprop_nlp
from meprop_nlp import native


@pytest.fixture(autouse=True)
def fresh_core() -> Any:
    """The core is chosen once in a process; here it is chosen anew, and again afterwards."""
    core = native.core()
    before = core.instruction_set() if core else ""
    native.core.cache_clear()
    yield
    native.core.cache_clear()
    if core:
        core.use_instruction_set(before)


def kernels_line(text: str) -> str:
    (line,) = [line for line in text.split("\n") if line.startswith("kernels ")]
    return " ".join(line.split())


def test_info_names_the_kernels_in_use(run: Any, parser: Path) -> None:
    in_use = native.kernels_in_use()
    actual = kernels_line(run("info", parser).stdout)
    assert actual == f"kernels {in_use} (what training runs on here)"
    assert json.loads(run("info", parser, "--json").stdout)["kernels"] == in_use


def test_info_without_a_model_says_what_is_installed(run: Any) -> None:
    lines = run("info").stdout.splitlines()
    names = ["meprop-nlp", "python", "torch", "numpy", "threads", "models", "kernels"]
    assert [line.split()[0] for line in lines] == names
    assert [line.split()[1] for line in lines[:3]] == [
        meprop_nlp.__version__,
        platform.python_version(),
        version("torch"),
    ]
    assert kernels_line("\n".join(lines)) == f"kernels {native.kernels_in_use()}"
    assert list(json.loads(run("info", "--json").stdout)) == names


def test_info_follows_the_choice_of_kernels(
    run: Any, parser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(native.CHOICE, "reference")
    actual = kernels_line(run("info", parser).stdout)
    assert actual.startswith("kernels reference (PyTorch): MEPROP_NLP_KERNELS asks for")
    described = json.loads(run("info", parser, "--json").stdout)
    assert described["kernels"].startswith("reference (PyTorch)")


@pytest.mark.skipif(native.core() is None, reason=native.why_missing())
def test_info_of_unknown_kernels_is_wrong_usage_that_names_the_choices(
    run: Any, parser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(native.CHOICE, "sse9")
    result = run("info", parser)
    assert result.exit_code == 2
    assert "MEPROP_NLP_KERNELS is 'sse9', expected one of " in result.stderr
    assert result.stdout == ""


@pytest.mark.skipif(native.core() is None, reason=native.why_missing())
@pytest.mark.parametrize("command", ["tag", "annotate", "benchmark", "info"])
def test_unknown_kernels_are_never_the_fault_of_a_model(
    command: str, run: Any, tagger: Path, treebank: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(native.CHOICE, "nonsense")
    arguments = {
        "tag": ("--model", tagger, treebank),
        "annotate": ("--model", tagger, treebank),
        "benchmark": (tagger, treebank),
        "info": (tagger,),
    }
    result = run(command, *arguments[command])
    assert result.exit_code == 2
    assert result.stderr.startswith("error: MEPROP_NLP_KERNELS is 'nonsense', expected one of ")
