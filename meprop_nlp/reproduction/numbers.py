"""`Number`: the mean of one figure over seeds, its standard deviation, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
from typing import Self

__all__ = ["Number"]


@dataclass(frozen=True, slots=True)
class Number:
    """A figure over seeds.

    Attributes:
        mean: over the seeds.
        sd: sample standard deviation; None of a single value.
        n: how many seeds.
    """

    mean: float
    sd: float | None
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self | None:
        """Take mean and standard deviation; None of nothing."""
        known = list(values)
        if not known:
            return None
        return cls(fmean(known), stdev(known) if len(known) > 1 else None, len(known))

    def minus(self, other: Number) -> Number:
        """Return the difference of the means, with its standard error in place of `sd`."""
        error = None
        if self.sd is not None and other.sd is not None:
            error = sqrt(self.sd**2 / self.n + other.sd**2 / other.n)
        return Number(self.mean - other.mean, error, min(self.n, other.n))

    def shown(self, digits: int = 2, *, scale: float = 1.0, sign: bool = False) -> str:
        """Return mean and deviation for people, as `86.91 ± 0.12`."""
        form = f"{'+' if sign else ''},.{digits}f"
        text = format(self.mean / scale, form)
        return text if self.sd is None else f"{text} ± {self.sd / scale:,.{digits}f}"
