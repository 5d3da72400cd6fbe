"""Write the README's tables from benchmarks/results/treebanks.json; `--check` only compares.

The tables stand between `<!-- table: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "treebanks.json"
README = ROOT / "README.md"


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    marks = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, marks, *rows])


def cells(result: dict[str, Any], scores: list[str]) -> list[str]:
    """Return one model's row, but for its name."""
    return [
        " + ".join(str(width) for width in result["neurons"]),
        f"{result['bytes'] / 1e6:.1f} MB",
        *(f"{result[part][name]:.2f}" for part in ("dev", "test") for name in scores),
        f"{result['seconds']:.0f}",
        f"{result['backward_seconds']:.0f}",
    ]


def table(results: dict[str, Any], prefix: str, scores: dict[str, str]) -> str:
    """Return the table of the runs whose name begins with `prefix`."""
    heads = [f"{part} {shown}" for part in ("dev", "test") for shown in scores.values()]
    rows = [
        [name.removeprefix(prefix).lstrip(", "), *cells(result, list(scores))]
        for name, result in results.items()
        if name.startswith(prefix)
    ]
    return markdown(["", "neurons", "file", *heads, "seconds", "of which backward"], rows)


def conditions(results: dict[str, Any]) -> str:
    """Return what the figures were measured on, in one line for each distinct set."""
    lines = {
        f"{c['cpu']}, {c['cores']} cores; Python {c['python']}, torch {c['torch']}, numpy "
        f"{c['numpy']}; one run each, seed 1; commit {c['commit']}."
        for c in (result["conditions"] for result in results.values())
    }
    return "Measured on " + " ".join(sorted(lines)) if lines else "Not measured yet."


def tables(results: dict[str, Any]) -> dict[str, str]:
    """Return all tables by the name they have in the README."""
    tags = {"upos": "UPOS", "xpos": "XPOS", "ufeats": "UFeats"}
    return {
        "tagger": table(results, "EWT tagger", tags),
        "parser": table(results, "EWT parser", {"uas": "UAS", "las": "LAS"}),
        "conditions": conditions(results),
        "ptb": table(results, "PTB sample parser", {"uas": "UAS"}),
    }


def filled(text: str, results: dict[str, Any]) -> str:
    """Return the README with its tables made of `results`."""
    for name, made in tables(results).items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        text = re.sub(pattern, lambda m, made=made: f"{m[1]}{made}\n{m[2]}", text, flags=re.S)
    return text


def main() -> None:
    """Write or check."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    new = filled(text, results)
    if "--check" in sys.argv:
        raise SystemExit(0 if text == new else "README.md: tables differ; run benchmarks/readme.py")
    README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
