"""The experiments import each other without a circle."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "experiments").rglob("*.py"))
}


def imported(path: Path) -> set[str]:
    """The modules of the experiments that a file imports, wherever in the file."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)} & set(FILES)


def test_no_circle_in_the_imports() -> None:
    order = TopologicalSorter({name: imported(path) for name, path in FILES.items()})
    assert set(order.static_order()) == set(FILES)


def test_mnist_stands_on_its_own() -> None:
    used = {name for n, path in FILES.items() if ".mnist" in n for name in imported(path)}
    assert {name for name in used if ".mnist" not in name} == {"experiments.console"}
