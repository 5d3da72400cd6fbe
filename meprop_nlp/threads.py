"""The number of threads to compute with, and `Workers`: threads that share the parts of a stream.

with closing(Workers(2)) as workers:
    for answer in workers.in_order(work, parts):
        ...
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from meprop_nlp.errors import ConfigError

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

MAX_THREADS = 16  # unless the user asks for more, which slows small matrix products down
MOST_THREADS = 256  # that a user may ask for; with far too many the process crashes

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


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


class Workers:
    """Threads for the parts of a stream, several at a time; with one thread, the caller's own."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        if threads > 1:
            from concurrent import futures

            self._pool = futures.ThreadPoolExecutor(threads)

    def in_order(
        self,
        work: Callable[[_Given], _Made],
        parts: Iterable[_Given],
        pauses: Callable[[_Given], bool] = lambda part: False,
    ) -> Iterator[_Made]:
        """Map parts in order, with a few more in work or waiting than there are threads.

        An error of the stream is raised after what the parts before it became.

        Args:
            pauses: whether the stream paused after a part: what is at hand is finished then,
                before more is waited for.
        """
        if self._pool is None:
            yield from map(work, parts)
            return
        waiting: deque[Future[_Made]] = deque()
        errors: list[Exception] = []
        for part in _until_error(parts, errors):
            waiting.append(self._pool.submit(work, part))
            while waiting and (pauses(part) or len(waiting) > 2 * self._threads):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        for error in errors:
            raise error

    def close(self) -> None:
        """Let parts that nobody waits for go."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _until_error(parts: Iterable[_Given], errors: list[Exception]) -> Iterator[_Given]:
    """Yield the parts of a stream; if it ends with an error, add the error to `errors`."""
    try:
        yield from parts
    except Exception as error:
        errors.append(error)
