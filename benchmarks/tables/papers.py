"""The tables of docs/papers.md: the papers' tagger and parser on treebanks."""

from __future__ import annotations

from typing import Any

from tables.markdown import markdown


def cells(result: dict[str, Any], scores: list[str], *, tagged: bool) -> list[str]:
    """Return the cells of a model's row, without its name.

    Args:
        tagged: whether the table has columns for LAS with predicted tags; a model that was not
            scored with such tags has empty cells there.
    """
    las = [f"{found['las']:.2f}" for found in result.get("tagged", {}).values()]
    return [
        " + ".join(str(width) for width in result["neurons"]),
        f"{result['bytes'] / 1e6:.1f} MB",
        *(f"{result[part][name]:.2f}" for part in ("dev", "test") for name in scores),
        *(las or ["", ""] if tagged else []),
        # a run that was stopped and went on has no time of its own
        "" if result["seconds"] is None else f"{result['seconds']:.0f}",
        f"{result['backward_seconds']:.0f}",
    ]


def table(results: dict[str, Any], prefix: str, scores: dict[str, str]) -> str:
    """Return the table of the runs whose name begins with `prefix`."""
    heads = [f"{part} {shown}" for part in ("dev", "test") for shown in scores.values()]
    chosen = {name: result for name, result in results.items() if name.startswith(prefix)}
    tagged = any("tagged" in result for result in chosen.values())
    if tagged:
        heads += ["dev LAS, predicted tags", "test LAS, predicted tags"]
    rows = [
        [name.removeprefix(prefix).lstrip(", "), *cells(result, list(scores), tagged=tagged)]
        for name, result in chosen.items()
    ]
    return markdown(["", "neurons", "file", *heads, "seconds", "of which backward"], rows)


def conditions(results: dict[str, Any]) -> str:
    """Return what the figures were measured on: each machine, with the commits of its variants."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    for name, result in results.items():
        c = result["conditions"]
        line = (
            f"{c['cpu']}, {c['cores']} cores, threads: {c['threads']}; Python "
            f"{c['python']}, torch {c['torch']}, numpy {c['numpy']}; one run each, seed 1"
        )
        commits = found.setdefault(line, {})
        commits.setdefault(c["commit"], {})[name.split(", ")[1]] = None
    lines = []
    for line, commits in found.items():
        of = [f"{commit} ({', '.join(variants)})" for commit, variants in commits.items()]
        lines.append(f"{line}; commit {', '.join(of)}.")
    return "Measured on " + " ".join(lines)
