"""`Table`: trainings that are compared, one in each row, with the results so far."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from experiments.conditions import machine, was_disturbed
from experiments.number import Number
from experiments.results import Result
from experiments.settings import PAPERS

# settings that differ from those of the table's base cell
Changes = Mapping[str, Any]
# returns the result of another row with the same seed, by its label; None if it is not finished
Find = Callable[[str], Result | None]
SCORE_NAMES = {"ufeats": "UFeats", "accuracy": "accuracy", "": "score"}  # others in capitals


class Column(NamedTuple):
    """A column of tables."""

    head: str  # {main} stands for the name of the main score
    of: Callable[[Result], float | None]
    digits: int = 2
    unit: float = 1.0
    timed: bool = False  # whether it depends on the machine


COLUMNS = {
    "best_epoch": Column("epochs to best dev", lambda r: r["best_epoch"], 1),
    "iterations": Column("steps to best dev", lambda r: r["iterations_to_best"], 0),
    "dev": Column("dev {main}", lambda r: r["dev"].get(r["main"])),
    "test": Column("test {main}", lambda r: r["test"].get(r["main"])),
    "test_uas": Column("test UAS", lambda r: r["test"].get("uas")),
    "backward": Column(
        "backward, ms/step", lambda r: 1000 * r["step_seconds"]["backward_seconds"], timed=True
    ),
    "step": Column("whole step, ms", lambda r: 1000 * r["step_seconds"]["seconds"], timed=True),
    "seconds": Column("training, s", lambda r: r["training_seconds"], 1, timed=True),
    "neurons": Column("neurons a layer", lambda r: fmean(r["neurons"].values()), 0),
    "bytes": Column("model, MB", lambda r: r["bytes"], 2, 1e6),
    "decode": Column("decoding, words/s", lambda r: r["decode_words_per_second"], 0, timed=True),
    "epochs": Column("epochs trained", lambda r: len(r["epochs"]), 1),
}


class Claim(NamedTuple):
    """A statement about a table that its numbers confirm or refute."""

    text: str  # with its criterion and the numbers
    holds: bool | None  # None if numbers are missing
    n: int = 0  # how many seeds the numbers are from


class Row(NamedTuple):
    """One line of a table."""

    label: str
    # or a function of the results of rows above; it returns None while one of them is missing
    changes: Changes | Callable[[Find], Changes | None]
    papers: str = ""  # what the papers report
    series: str = ""  # the line of the figure to which the row adds a point
    x: float | None = None  # where it adds it


class Figure(NamedTuple):
    """A picture of a table: a panel for each column, a line for each series of rows."""

    title: str
    x_label: str
    columns: Sequence[str] = ("test",)
    sweep: bool = False  # with a logarithmic x, and a level line for the dense network
    epochs: bool = False  # the neurons left after each epoch, with a line for each row


@dataclass(frozen=True, slots=True)
class Table:
    """Trainings with the same task, data and settings, except for what the rows change."""

    task: str
    part: str  # data.FULL or data.SWEEP
    kind: str  # settings.PAPERS or settings.DEFAULTS
    rows: Sequence[Row]
    columns: Sequence[str]  # names in COLUMNS
    claims: Sequence[Callable[["Table"], Claim]]
    figure: Figure | None = None
    note: str = ""
    seeds: int = 0  # how many results each row is to have
    # of the finished cells of each row, by its label
    results: Mapping[str, list[Result]] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """Name of the main score; empty if nothing is finished."""
        return next((str(result["main"]) for result in self.all()), "")

    @property
    def measure(self) -> str:
        """The column that claims are about: the main score, or UAS at the papers' settings."""
        return "test_uas" if (self.task, self.kind) == ("parsing", PAPERS) else "test"

    def all(self) -> Iterator[Result]:
        """Yield all results."""
        for results in self.results.values():
            yield from results

    def head(self, column: str) -> str:
        """Return a column's heading."""
        main = SCORE_NAMES.get(self.main, self.main.upper())
        return COLUMNS[column].head.format(main=main)

    def was_disturbed(self, *labels: str) -> bool:
        """Whether other processes took cores from a cell of these rows."""
        return any(was_disturbed(r["conditions"]) for n in labels for r in self.results[n])

    def number(self, label: str, column: str) -> Number | None:
        """Return a row's figure; None if no seed has it."""
        return Number.of(self._figures(label, column).values())

    def pair(self, label: str, other: str, column: str) -> tuple[Number, Number] | None:
        """Return the figures of two rows over the seeds that both have; None if there are none.

        Means over different seeds are of different trainings, and cannot be subtracted.
        """
        mine, others = self._figures(label, column), self._figures(other, column)
        both = mine.keys() & others.keys()
        one, two = (Number.of([found[seed] for seed in both]) for found in (mine, others))
        return None if one is None or two is None else (one, two)

    def _figures(self, label: str, column: str) -> dict[int, float]:
        """Return figures by seed; timed ones only from the machine of most cells."""
        machines = Counter(machine(result["conditions"]) for result in self.all())
        own = max(machines, key=lambda name: (machines[name], str(name)), default=())
        return {
            result["settings"]["training"]["seed"]: float(figure)
            for result in self.results.get(label, ())
            if not COLUMNS[column].timed or machine(result["conditions"]) == own
            if (figure := COLUMNS[column].of(result)) is not None
        }
