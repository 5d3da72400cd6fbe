"""No circle of imports anywhere in the package.

Imports inside functions and those for type checkers only count too: each says which module knows
which.
"""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import meprop_nlp

PACKAGE = Path(meprop_nlp.__file__).parent


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(source: str, package: str, modules: set[str]) -> set[str]:
    """Those of `modules` that the source of a module in `package` imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: 1 - node.level or None] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:  # `from meprop_nlp.data import vocab` imports a module
                module = f"{origin}.{alias.name}"
                found.add(module if module in modules else origin)
    return found & modules


def graph_of_imports() -> dict[str, set[str]]:
    """For each module the modules of the package that it imports."""
    graph = {}
    for name, path in MODULES.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        source = path.read_text(encoding="utf-8")
        graph[name] = imports_of(source, package, set(MODULES)) - {name}
    return graph


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = graph_of_imports()
    assert "meprop_nlp.data.sentence" in graph["meprop_nlp.data.tokenlist"]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import p.a.x", {"p.a.x"}),
        ("from p.a.x import f", {"p.a.x"}),
        ("from p.a import x", {"p.a.x"}),
        ("from p.a import f", {"p.a"}),
        ("from . import x", {"p.a.x"}),
        ("from .x import f", {"p.a.x"}),
        ("from ..b import y, g", {"p.b", "p.b.y"}),
        ("def f():\n    from p.b import y", {"p.b.y"}),
        ("if TYPE_CHECKING:\n    from p.b.y import Y", {"p.b.y"}),
        ("import os, p.b.other", set()),
    ],
)
def test_every_kind_of_import_is_found(source: str, expected: set[str]) -> None:
    assert imports_of(source, "p.a", {"p", "p.a", "p.a.x", "p.b", "p.b.y"}) == expected
