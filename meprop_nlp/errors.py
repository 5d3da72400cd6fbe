"""Every exception that meprop_nlp raises on purpose.

Messages are written for the person who made the error: what, where (file:line), what was found,
what was expected, what to do. The command line prints them without a traceback and exits with 1,
for a ConfigError with 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "CheckpointError",
    "ConfigError",
    "ConlluError",
    "DataError",
    "MePropError",
    "Problem",
    "TransitionError",
]


class MePropError(Exception):
    """Base of all errors of this package."""


class ConfigError(MePropError, ValueError):
    """A setting is out of range, or two settings cannot work together."""


class DataError(MePropError, ValueError):
    """A data file cannot be used: unreadable, empty, or not what the task needs."""


class CheckpointError(MePropError, ValueError):
    """A model or checkpoint file is damaged, foreign, or from a newer version."""


class TransitionError(MePropError, ValueError):
    """A transition was applied where it is not valid, or no transition leads to the gold tree."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a data file.

    Attributes:
        path: the file as the user named it; `<stdin>` for standard input.
        line: 1-based number of the line at fault; 0 when the file as a whole is meant.
        message: what was found and what was expected.
        sent_id: the sentence's `sent_id`, where it has one.
    """

    path: str
    line: int
    message: str
    sent_id: str | None = None

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        sentence = f"sentence {self.sent_id}: " if self.sent_id else ""
        return f"{where}: {sentence}{self.message}"


class ConlluError(DataError):
    """One or several faults in a CoNLL file, or the first in a file of bracketed trees.

    Attributes:
        problems: the faults, in the order of the file.
        capped: whether reading stopped at the cap, so that more may follow.
    """

    def __init__(self, problems: Sequence[Problem], *, capped: bool = False) -> None:
        self.problems = tuple(problems)
        self.capped = capped
        lines = [str(problem) for problem in self.problems]
        if capped:
            lines.append(f"stopped after {len(lines)} errors; there may be more")
        super().__init__("\n".join(lines))
