"""Messages to the user on standard error: notes, warnings and errors."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def is_seen() -> bool:
    """Return whether a person reads the messages: standard error is a terminal."""
    return sys.stderr.isatty()


def note(text: str) -> None:
    """Print a note."""
    sys.stderr.write(f"{text}\n")


def warning(text: str) -> None:
    """Print a warning: something is allowed, but is seldom intended."""
    note(f"warning: {text}")


def error(text: str) -> None:
    """Print an error."""
    note(f"error: {text}")


def stderr() -> Console:
    """Return rich's console on standard error."""
    from rich.console import Console

    return Console(stderr=True)
