"""What the README says is true: its Python runs, its options exist, its tables were measured.

So do the options in docs/teachers.md, and the tables of all pages.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import typer.main
from typer.testing import CliRunner

from meprop_nlp.cli import make_app
from meprop_nlp.commands import train, train_parser, train_tagger
from meprop_nlp.data.conll.reading import read
from meprop_nlp.data.conll.writing import write
from meprop_nlp.data.sample.treebank import sample_treebank

ROOT = Path(__file__).parents[1]


def load_tables() -> ModuleType:
    """benchmarks/readme.py, which makes the tables."""
    spec = importlib.util.spec_from_file_location("readme", ROOT / "benchmarks" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = load_tables()
DOCUMENTS = [path.read_text(encoding="utf-8") for path in TABLES.DOCUMENTS]
README = DOCUMENTS[0]
TEACHERS = next(page for page in DOCUMENTS if page.startswith("# Learning from more than"))
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.S)
COMMANDS = [
    shlex.split(line.strip().replace("\\\n", " "))
    for block in re.findall(r"((?:^    .+\n)+)", f"{README}\n{TEACHERS}", flags=re.M)
    for line in re.findall(r"meprop-nlp (?:.*\\\n)*.*", block)
]


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_of_the_readme_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sentences = list(read(sample_treebank("dev")))[:12]
    for name in ("train", "dev", "test", "new"):
        write(sentences, tmp_path / f"{name}.conllu")
    names: dict[str, object] = {}
    exec(code, names)
    assert len(names) > 1


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_commands_of_the_pages_have_the_options_that_they_name(words: list[str]) -> None:
    assert words[0] == "meprop-nlp"
    command = typer.main.get_command(make_app()).commands[words[1]]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    named = {word for word in words[2:] if word.startswith("-")}
    assert named <= known | {"--help"}


@pytest.mark.parametrize(
    "words",
    [words for words in COMMANDS if words[1] in ("train", "train-tagger", "train-parser")],
    ids=" ".join,
)
def test_settings_of_the_pages_are_possible(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    for module in (train, train_parser, train_tagger):
        monkeypatch.setattr(module, "run_training", lambda *arguments, **_: made.append(arguments))
    result = CliRunner().invoke(make_app(), words[1:])
    assert result.exit_code == 0, result.output
    assert len(made) == 1


def block(text: str, name: str) -> str:
    """What stands between the markers of a table."""
    found = re.findall(rf"<!-- table: {name} -->\n(.*?)\n<!-- end -->", text, flags=re.S)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", TABLES.NAMES)
def test_tables_are_those_that_were_measured(name: str) -> None:
    assert block("\n".join(DOCUMENTS), name) == TABLES.tables(TABLES.measured())[name]


def test_every_table_is_made_by_the_script() -> None:
    marked = re.findall(r"<!-- table: (.*) -->", "\n".join(DOCUMENTS))
    assert sorted(marked) == sorted(TABLES.NAMES)


@pytest.mark.parametrize("text", DOCUMENTS, ids=[path.name for path in TABLES.DOCUMENTS])
def test_script_fills_in_every_table(text: str) -> None:
    marked = re.findall(r"<!-- table: (.*) -->", text)
    assert marked == re.findall(r"<!-- table: (.*) -->(?:(?!<!--)[\s\S])*<!-- end -->", text)
    emptied = re.sub(r"(<!-- table: .* -->\n)(?:(?!<!--)[\s\S])*(<!-- end -->)", r"\1\2", text)
    assert len(emptied) < len(text)
    assert TABLES.filled(emptied, TABLES.measured()) == text
