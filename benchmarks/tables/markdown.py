"""A Markdown table and its cells."""

from __future__ import annotations

from statistics import mean, stdev


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    marks = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, marks, *rows])


def mean_cell(values: list[float]) -> str:
    """Return the mean with two decimals, nothing of no values."""
    return f"{mean(values):.2f}" if values else ""


def spread_cell(values: list[float]) -> str:
    """Return the mean, and after it in parentheses the standard deviation of several values."""
    deviation = f" ({stdev(values):.2f})" if len(values) > 1 else ""
    return mean_cell(values) + deviation
