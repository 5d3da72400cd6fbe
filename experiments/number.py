"""`Number`: the mean of a figure over seeds, its standard deviation, and the number of seeds."""

from collections.abc import Collection, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple, Self


class Number(NamedTuple):
    """A figure over seeds."""

    mean: float
    sd: float | None  # sample standard deviation; None of a single value
    n: int

    @classmethod
    def of(cls, values: Collection[float]) -> Self | None:
        """Return mean and standard deviation; None if there are no values."""
        if not values:
            return None
        return cls(fmean(values), stdev(values) if len(values) > 1 else None, len(values))

    def minus(self, other: "Number") -> "Number":
        """Return the difference of the means, with its standard error as `sd`."""
        error = None
        if self.sd is not None and other.sd is not None:
            error = sqrt(self.sd**2 / self.n + other.sd**2 / other.n)
        return Number(self.mean - other.mean, error, min(self.n, other.n))

    def shown(self, digits: int = 2, *, unit: float = 1.0, sign: bool = False) -> str:
        """Return mean and deviation for people, as `86.91 ± 0.12`."""
        text = format(self.mean / unit, f"{'+' if sign else ''},.{digits}f")
        return text if self.sd is None else f"{text} ± {self.sd / unit:,.{digits}f}"


def markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """Return a Markdown table: the first `texts` columns to the left, numbers to the right."""
    marks = ["---" if place < texts else "---:" for place in range(len(heads))]
    lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in (heads, marks, *rows))
    return "\n".join(f"| {line} |" for line in lines)
