"""The exceptions of meprop_nlp, and what their messages share.

A message is written for the person who made the error. It says what is wrong and where
(file:line), what was found, what was expected, and what to do. Settings and arguments are in
backticks, by their Python names; the command line prints its options instead, without a traceback,
and exits with status 1, or 2 for a ConfigError.
"""

from collections.abc import Sequence
from dataclasses import dataclass


class MePropError(Exception):
    """Base of all errors of this package."""


class ConfigError(MePropError, ValueError):
    """A setting is out of range, or two settings cannot work together."""


class DataError(MePropError, ValueError):
    """A data file cannot be used: it is unreadable, empty, or lacks what the task needs."""


class CheckpointError(MePropError, ValueError):
    """A model or checkpoint file is damaged, has another format, or is from a newer version."""


class TransitionError(MePropError, ValueError):
    """A transition is not valid in its state, or none leads to the gold tree."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in a data file.

    Attributes:
        path: the file as the user named it; `<stdin>` for standard input.
        line: the number of the faulty line, from 1; 0 for the file as a whole.
        message: what was found and what was expected.
        sent_id: the `sent_id` of the sentence, if it has one.
    """

    path: str
    line: int
    message: str
    sent_id: str | None = None

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        sentence = f"sentence {printable(self.sent_id)}: " if self.sent_id else ""
        return f"{where}: {sentence}{self.message}"


def printable(text: str) -> str:
    """Return a text without characters that a terminal would obey: they are shown as `\\x1b`."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


class ConlluError(DataError):
    """One or several faults in a CoNLL file, or the first one in a file of bracketed trees.

    Attributes:
        problems: the faults, in the order of the file.
        capped: whether reading stopped after so many faults; there may be more.
    """

    def __init__(self, problems: Sequence[Problem], *, capped: bool = False) -> None:
        self.problems = tuple(problems)
        self.capped = capped
        lines = [str(problem) for problem in self.problems]
        if capped:
            lines.append(f"stopped after {len(lines)} errors; there may be more")
        super().__init__("\n".join(lines))


def missing_extra(what: str, extra: str, purpose: str = "") -> str:
    """Return the message for a library that is not installed.

    Args:
        what: the library, as its makers write it.
        extra: the extra of this package that brings it.
        purpose: what needs it, where that is not clear.
    """
    needed = f"{purpose}: " if purpose else ""
    return f"{needed}{what} is not installed; install it with: pip install 'meprop-nlp[{extra}]'"


def is_lack_of(error: ModuleNotFoundError, *packages: str) -> bool:
    """Return whether an import failed because one of these packages is not installed.

    If not, they are installed and lack something themselves, which is an error to be seen.
    """
    return (error.name or "").partition(".")[0] in packages


def number_of(number: int, noun: str) -> str:
    """Return a number and its noun, as in `1 word` and `2,000 words`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
