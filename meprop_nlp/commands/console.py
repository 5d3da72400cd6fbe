"""Messages beside the results: notes, warnings and errors, which go to standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["error", "note", "stderr", "warning"]


def note(text: str) -> None:
    """Print a message beside the results."""
    sys.stderr.write(f"{text}\n")


def warning(text: str) -> None:
    """Print a message on something that is allowed, but seldom meant."""
    note(f"warning: {text}")


def error(text: str) -> None:
    """Print what went wrong."""
    note(f"error: {text}")


def stderr() -> Console:
    """Return rich's console on standard error."""
    from rich.console import Console

    return Console(stderr=True)
