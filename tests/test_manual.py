"""The manual's reference is made of the code, and the site is built without a warning."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

import meprop_nlp
from meprop_nlp.cli import make_app

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def hook() -> Any:
    """tools/manual/hook.py, which MkDocs calls."""
    spec = importlib.util.spec_from_file_location("hook", ROOT / "tools" / "manual" / "hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_public_name_is_in_the_reference(hook: Any) -> None:
    names = [name for names in hook.API.values() for name in names]
    assert sorted(names) == sorted(meprop_nlp.__all__)
    lines = hook.pages()["reference/api.md"].splitlines()
    for name in names:
        assert f"::: meprop_nlp.{meprop_nlp._HOMES[name]}.{name}" in lines


def test_every_command_has_a_page_with_every_option(hook: Any) -> None:
    pages = hook.pages()
    commands = typer.main.get_command(make_app()).commands  # type: ignore[attr-defined]
    assert len(commands) >= 12
    for name, command in commands.items():
        page = pages[f"reference/{name}.md"]
        assert f"({name}.md)" in pages["reference/commands.md"]
        for parameter in command.params:
            shown = parameter.opts[0] if parameter.opts[0].startswith("-") else ""
            assert getattr(parameter, "hidden", False) or shown in page, (name, parameter.name)


def test_links_to_what_the_site_lacks_are_names(hook: Any) -> None:
    known = {"index.md", "speed.md", "contributing.md", "reference/api.md"}
    text = "[a](speed.md#b) [c](../README.md#d) [e](../LICENSE) [f](https://g) ![h](no.svg)"
    assert hook.relinked(text, "view.md", known) == (
        "[a](speed.md#b) [c](index.md#d) e [f](https://g) h"
    )
    assert hook.relinked("[a](../speed.md)", "reference/api.md", known) == "[a](../speed.md)"


def test_every_page_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").glob("*.md"):
        assert f"- {page.name}\n" in listed, page.name


@pytest.mark.extras
def test_site_is_built_without_a_warning_and_loads_nothing(tmp_path: Path) -> None:
    for name in ("material", "mkdocstrings"):
        pytest.importorskip(name, reason="needs meprop-nlp[docs]")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for page in tmp_path.rglob("*.html"):
        assert 'src="http' not in page.read_text(encoding="utf-8"), page.name
    reference = (tmp_path / "reference" / "api.html").read_text(encoding="utf-8")
    for name, home in meprop_nlp._HOMES.items():
        assert f'id="meprop_nlp.{home}.{name}"' in reference, name
    assert 'id="meprop_nlp.training.joint_model.JointModel.train"' in reference
