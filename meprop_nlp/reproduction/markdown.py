"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["table"]


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> str:
    """Return a Markdown table: the first `texts` columns to the left, numbers to the right."""
    marks = ["---" if place < texts else "---:" for place in range(len(columns))]
    lines = [columns, marks, *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in r) + " |" for r in lines
    )
