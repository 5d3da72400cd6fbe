"""The number of threads to compute with."""

import os

from meprop_nlp.errors import ConfigError

MAX_THREADS = 16  # unless the user asks for more, which slows small matrix products down
MOST_THREADS = 256  # that a user may ask for; with far too many the process crashes


def usable_threads(threads: int = 0) -> int:
    """Return the number of threads to compute with.

    Args:
        threads: the user's choice; 0: OMP_NUM_THREADS if it is set, else as many as this process
            may use CPUs, up to 16.

    Raises:
        ConfigError: `threads` is out of range.
    """
    if not 0 <= threads <= MOST_THREADS:
        raise ConfigError(
            f"`threads` is {threads}, expected a whole number from 0 to {MOST_THREADS}"
        )
    if threads:
        return threads
    openmp = os.environ.get("OMP_NUM_THREADS", "")
    if openmp.isdigit() and int(openmp):
        return int(openmp)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(MAX_THREADS, usable or 1)
