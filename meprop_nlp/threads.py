"""How many threads to compute with."""

from __future__ import annotations

import os

__all__ = ["usable_threads"]

MAX_THREADS = 16  # more slows small matrix products down


def usable_threads(threads: int = 0) -> int:
    """Return how many threads to compute with: as asked for, else OMP_NUM_THREADS, else all CPUs
    this process may use, up to 16."""
    if threads:
        return threads
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked):
        return int(asked)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MAX_THREADS, usable or 1)
