"""The tables of README.md and docs/ are those that were measured."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


def load_tables() -> ModuleType:
    """benchmarks/readme.py, which makes the tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        return import_module("readme")


TABLES = load_tables()
DOCUMENTS = [path.read_text(encoding="utf-8") for path in TABLES.DOCUMENTS]


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
