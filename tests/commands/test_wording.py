"""Settings that the library names in backticks are options on the command line."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

import meprop_nlp
from meprop_nlp.cli import make_app
from meprop_nlp.commands.wording import Spelling, in_options, spellings
from meprop_nlp.errors import ConfigError, DataError, MePropError

PACKAGE = Path(meprop_nlp.__file__).parent

OPTIONS = {
    "k": Spelling("--k"),
    "first_cut_epoch": Spelling("--first-cut-epoch"),
    "lazy": Spelling("--lazy", "--exact"),
    "simplify": Spelling("--simplify"),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("`k` is -1, expected 0", "--k is -1, expected 0"),
        ("`first_cut_epoch` is 2; give `k=20`", "--first-cut-epoch is 2; give --k 20"),
        ("`lazy`, `lazy=True` or `lazy=False`", "--lazy, --lazy or --exact"),
        ("`k='a b'`", "--k a b"),
        ("`simplify=False` cannot be said", "`simplify=False` cannot be said"),
        ("`meprop-nlp tag` of `width`", "`meprop-nlp tag` of `width`"),
        ("the tokens `` k `` and ``k``", "the tokens `` k `` and ``k``"),
        ("a token ``k` or `k``", "a token ``k` or `k``"),
        ("nothing", "nothing"),
    ],
)
def test_backticked_settings_become_options_and_nothing_else_does(text: str, expected: str) -> None:
    assert in_options(text, OPTIONS) == expected


def test_options_are_spelled_as_the_command_declares_them() -> None:
    command = typer.main.get_command(make_app(["train-parser"])).commands["train-parser"]  # type: ignore[attr-defined]
    found = spellings(command.params)
    assert found["k"] == Spelling("--k")
    assert found["lazy"] == Spelling("--lazy", "--exact")
    assert found["own_teacher"] == Spelling("--own-teacher", "--no-teacher")
    assert found["threads"] == Spelling("--threads")
    assert found["embedding_dim"] == Spelling("--embedding-dim")


@pytest.mark.parametrize(("error", "status"), [(ConfigError, 2), (DataError, 1), (MePropError, 1)])
def test_error_of_the_library_is_printed_with_options(
    error: type[MePropError], status: int, run: Any, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise error("`encoding` is wrong; `resume` or `own_teacher=False`, not `words`")

    monkeypatch.setattr("meprop_nlp.data.conll.reading.read", fail)
    result = run("evaluate", small, small)
    assert result.exit_code == status
    # --resume and --no-teacher are of other commands
    expected = "error: --encoding is wrong; --resume or --no-teacher, not `words`\n"
    assert result.stderr == expected


def test_error_in_one_of_several_files_is_printed_with_options(
    run: Any, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise DataError("give `encoding`")

    monkeypatch.setattr("meprop_nlp.data.conll.validate.validate", fail)
    result = run("validate", "--json", small)
    assert (result.exit_code, result.stderr) == (1, "error: give --encoding\n")
    assert json.loads(result.stdout)[0]["error"] == "give --encoding"


# options of other programs
FOREIGN = ("pip install --upgrade", "--nproc-per-node", "--error-unmatch", "--short")
OPTION = re.compile(r"(?<![\w-])--[a-z]")
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def texts_with_options(code: str) -> list[str]:
    """The texts in Python code, docstrings apart, that name an option."""
    nodes = list(ast.walk(ast.parse(code)))
    docstrings = {ast.get_docstring(n, clean=False) for n in nodes if isinstance(n, DOCUMENTED)}
    texts = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return sorted(
        text
        for text in texts - docstrings
        if OPTION.search(text) and not any(foreign in text for foreign in FOREIGN)
    )


def test_options_are_found_in_texts_and_not_in_docstrings() -> None:
    code = 'def f():\n    """--a is an option."""\n    raise E(f"give --b {1}; a--c" "-d")'
    assert texts_with_options(code) == ["; a--c-d", "give --b "][1:]


@pytest.mark.parametrize(
    "path",
    [
        p
        for p in sorted(PACKAGE.rglob("*.py"))
        if p.parent.name != "commands" and p.name != "cli.py"
    ],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_library_never_speaks_of_options(path: Path) -> None:
    assert texts_with_options(path.read_text(encoding="utf-8")) == []
