"""Samples of seconds as quartiles and ratios; a speed is a ratio within one run."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["BASELINE", "compared", "quartiles"]

BASELINE = "dense"


def quartiles(samples: Sequence[float]) -> list[float]:
    """Return lower quartile, median and upper quartile."""
    if len(samples) == 1:
        return [*samples] * 3
    return statistics.quantiles(samples, n=4, method="inclusive")


def compared(samples: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Return quartiles in milliseconds, and how many times as fast as `dense` each other one is.

    That is the ratio of the medians, above 1 where it is faster.
    """
    by_name = {name: quartiles(seconds) for name, seconds in samples.items()}
    return {
        "ms": {name: [round(1000 * s, 5) for s in values] for name, values in by_name.items()},
        "speedup": {
            name: round(by_name[BASELINE][1] / values[1], 4)
            for name, values in by_name.items()
            if name != BASELINE
        },
    }
