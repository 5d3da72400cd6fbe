"""How many threads to compute with."""

from __future__ import annotations

import os

from meprop_nlp.errors import ConfigError

__all__ = ["MAX_THREADS", "MOST_THREADS", "demand_threads", "usable_threads"]

MAX_THREADS = 16  # more slows small matrix products down
MOST_THREADS = 256  # that may be asked for; far too many bring the process down


def demand_threads(threads: int) -> None:
    """Raise ConfigError for a negative number, or more than any machine is good for."""
    if not 0 <= threads <= MOST_THREADS:
        raise ConfigError(
            f"`threads` is {threads}, expected a whole number from 0 to {MOST_THREADS}"
        )


def usable_threads(threads: int = 0) -> int:
    """Return how many threads to compute with: as asked for, else OMP_NUM_THREADS, else all CPUs
    this process may use, up to 16.

    Raises:
        ConfigError: as `demand_threads`.
    """
    demand_threads(threads)
    if threads:
        return threads
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MAX_THREADS, usable or 1)
