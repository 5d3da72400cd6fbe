"""Messages to the user on standard error: notes, warnings and errors."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from typing_extensions import Buffer


def is_seen() -> bool:
    """Return whether a person reads the messages: standard error is a terminal."""
    return sys.stderr.isatty()


def note(text: str) -> None:
    """Print a note."""
    sys.stderr.write(f"{text}\n")


def warning(text: str) -> None:
    """Print a warning: something is allowed, but is seldom intended."""
    note(f"{_coloured('warning:', _YELLOW)} {text}")


def error(text: str) -> None:
    """Print an error."""
    note(f"{_coloured('error:', _RED)} {text}")


_RED, _YELLOW = "\x1b[1;31m", "\x1b[33m"


def _coloured(word: str, colour: str) -> str:
    """Return a word in a colour, where a terminal shows it and the user has no objection."""
    if not is_seen() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return word
    return f"{colour}{word}\x1b[0m"


@contextmanager
def library_warnings() -> Iterator[None]:
    """Within the block, show what the library logs as warnings, each kind once."""
    import logging

    shown: set[str] = set()

    class Warnings(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # a second model has other numbers in the same warning
            if str(record.msg) not in shown:
                shown.add(str(record.msg))
                warning(record.getMessage())

    logger, handler = logging.getLogger("meprop_nlp"), Warnings(logging.WARNING)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


def stderr() -> Console:
    """Return rich's console on standard error."""
    from rich.console import Console

    return Console(stderr=True)


def open_stderr() -> None:
    """Let the work go on where standard error is closed, full or no longer read.

    What cannot be written there is lost, since nobody could be told.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    elif isinstance(sys.stderr, io.TextIOWrapper) and sys.stderr is sys.__stderr__:
        sys.stderr = io.TextIOWrapper(
            _Losing(sys.stderr.fileno(), "wb", closefd=False),
            encoding=sys.stderr.encoding,
            errors="backslashreplace",
            write_through=True,
        )


class _Losing(io.FileIO):
    """A stream that loses what cannot be written.

    It has no buffer, so that a signal's handler may write while the program does.
    """

    def write(self, data: Buffer, /) -> int:
        left = memoryview(data).cast("B")
        n_bytes = len(left)
        while left:
            try:
                left = left[super().write(left) or len(left) :]
            except OSError:
                break
        return n_bytes
