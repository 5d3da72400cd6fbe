"""The columns of the tables: what each takes from a result, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import fmean

from meprop_nlp.reproduction.store import Result

__all__ = ["COLUMNS", "SCORE_NAMES", "Column", "with_uas"]

SCORE_NAMES = {
    **{"uas": "UAS", "las": "LAS", "clas": "CLAS", "ucm": "UCM", "lcm": "LCM"},
    **{"upos": "UPOS", "xpos": "XPOS", "ufeats": "UFeats", "accuracy": "accuracy"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        head: `{main}` stands for the name of the main score.
        of: the figure; None where a result has none.
        digits, scale: how it is shown.
        timed: whether it depends on the machine.
    """

    head: str
    of: Callable[[Result], float | None]
    digits: int = 2
    scale: float = 1.0
    timed: bool = False


def _score(role: str, name: str = "") -> Callable[[Result], float | None]:
    def of(result: Result) -> float | None:
        score: float | None = result[role].get(name or result["main"])
        return score

    return of


def _milliseconds(part: str) -> Callable[[Result], float | None]:
    return lambda result: 1000 * float(result["step_seconds"][part])


COLUMNS: dict[str, Column] = {
    "best_epoch": Column("epochs to best dev", lambda r: float(r["best_epoch"]), 1),
    "iterations": Column("steps to best dev", lambda r: float(r["iterations_to_best"]), 0),
    "dev": Column("dev {main}", _score("dev")),
    "test": Column("test {main}", _score("test")),
    "test_uas": Column("test UAS", _score("test", "uas")),
    "backward": Column("backward, ms/step", _milliseconds("backward_seconds"), timed=True),
    "step": Column("whole step, ms", _milliseconds("seconds"), timed=True),
    "seconds": Column("training, s", lambda r: float(r["training_seconds"]), 1, timed=True),
    "neurons": Column("neurons a layer", lambda r: fmean(r["neurons"].values()), 0),
    "bytes": Column("model, MB", lambda r: float(r["bytes"]), 2, 1e6),
    "decode": Column("decoding, words/s", lambda r: r["decode_words_per_second"], 0, timed=True),
    "epochs": Column("epochs trained", lambda r: float(len(r["epochs"])), 1),
}


def with_uas(task: str, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Put UAS on test, the papers' measure, beside the main score of parsing."""
    if task != "parsing":
        return columns
    at = columns.index("test")
    return (*columns[:at], "test_uas", *columns[at:])
