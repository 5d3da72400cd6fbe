"""What the manual's pages show is true: their Python runs, and commands print what stands there."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from textwrap import dedent

import pytest

import meprop_nlp
from meprop_nlp.data.sample.treebank import sample_treebank

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {path.stem: path for path in sorted(DOCS.glob("*.md"))}


def run_python(page: Path) -> dict[str, object]:
    """Run the Python blocks of a page in order, as one program; return its names."""
    names: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S):
        exec(code, names)
    return names


def test_layers_train_and_shrink_as_the_page_says() -> None:
    names = run_python(PAGES["layers"])
    assert names["loss"] < 0.5 * names["first_loss"]  # type: ignore[operator]
    assert all(16 <= width < 200 for width in names["widths"])  # type: ignore[attr-defined]
    assert [names["network"][n].out_features for n in (0, 2)] == [24, 24]  # type: ignore[index]
    for record in names["records"]:  # type: ignore[attr-defined]
        assert record.after < record.before == 100
    assert names["dense_again"].weight.equal(names["dense"].weight)  # type: ignore[attr-defined]


def test_training_in_python_goes_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for role in ("train", "dev"):
        shutil.copy(sample_treebank(role), tmp_path / f"{role}.conllu")
    monkeypatch.chdir(tmp_path)
    names = run_python(PAGES["training"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "2", "3"]
    assert names["scores"].upos > 50  # type: ignore[attr-defined]
    assert names["same"].upos == 100  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", [DOCS.parent / "README.md", *PAGES.values()], ids=str)
def test_names_in_the_manual_are_public(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    names = {name for line in re.findall(r"^from meprop_nlp import (.*)$", text, flags=re.M)
             for name in re.findall(r"\w+", line)}  # fmt: skip
    names |= set(re.findall(r"\bmeprop_nlp\.([A-Z]\w*)", text))
    # classes of settings and functions in code, wherever they come from
    for code in re.findall(r"```python\n(.*?)```", text, flags=re.S):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "meprop_nlp":
                names.add(node.attr)
    submodules = {path.stem for path in Path(meprop_nlp.__file__).parent.iterdir()}
    assert names <= {*meprop_nlp.__all__, *submodules}


def test_commands_print_what_the_page_on_trees_shows(tmp_path: Path) -> None:
    copyfile(sample_treebank("dev"), tmp_path / "gold.conllu")
    program = f"{sys.executable} -m meprop_nlp.cli"
    environment = os.environ | {"PYTHONPATH": str(DOCS.parent), "OMP_NUM_THREADS": "1"}
    shown = re.findall(r"^    \$ (.+)\n((?:^(?:    (?!\$ ).*)?\n)*)", page_text("view"), flags=re.M)
    assert len(shown) == 4
    for command, output in shown:
        done = subprocess.run(
            ["bash", "-c", command.replace("meprop-nlp", program)],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        assert done.stdout.strip() == dedent(output).strip()


def page_text(name: str) -> str:
    return PAGES[name].read_text(encoding="utf-8")


def test_each_promise_names_tests_that_there_are() -> None:
    page = PAGES["reliability"].read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \|.*\|(.*)\|$", page, flags=re.M)
    assert len(rows) >= 15
    for row in rows:
        file = None
        for path, name in re.findall(r"`(?:tests/([\w/]+(?:\.py)?))?(?:::)?(test_\w+)?`", row):
            file = DOCS.parent / "tests" / path if path else file
            assert file is not None, row
            assert file.exists(), row
            assert not name or f"def {name}(" in file.read_text(encoding="utf-8"), name
        assert file is not None, row
