"""Aligned tables in plain text: that of scores, and names with values."""

from collections.abc import Mapping
from typing import Any

from meprop_nlp.scoring.table import table as table


def name_lines(values: Mapping[str, Any]) -> str:
    """Return a line for each name and value, with the values aligned."""
    width = max(map(len, values)) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in values.items())
