"""`Workers`: threads that work on requests in slices, each in its turn.

A request is a generator that yields after each slice of its work. Requests take turns by slices, so
that a sentence does not wait for a book, and one that nobody waits for any more ends after its
slice.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

T = TypeVar("T")

Steps = Generator[None, None, T]


class Job(Generic[T]):
    """One request at work.

    Attributes:
        future: receives what the generator returns or raises; cancelling it ends the work.
        is_begun: whether a slice of it has been worked on.
    """

    def __init__(self, steps: Steps[T]) -> None:
        self.steps = steps
        self.future: Future[T] = Future()
        self.is_begun = False

    def step(self) -> bool:
        """Work on a slice; return whether there is more to do."""
        if self.future.cancelled():
            self.steps.close()
            return False
        self.is_begun = True
        try:
            next(self.steps)
        except StopIteration as end:
            if self.future.set_running_or_notify_cancel():
                self.future.set_result(end.value)
            return False
        except BaseException as error:
            # without this frame, which holds the future, which would hold the error: such a ring
            # keeps the request's body in memory until the garbage collector comes by
            frames = error.__traceback__
            error.__traceback__ = frames and frames.tb_next
            del frames
            if self.future.set_running_or_notify_cancel():
                self.future.set_exception(error)
            return False
        return True


class Workers:
    """Threads that work on jobs.

    Args:
        threads: how many.
    """

    def __init__(self, threads: int) -> None:
        self._jobs: deque[Job[Any]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        # daemons: a slice that hangs must not keep the process from ending
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many jobs wait for their turn."""
        return len(self._jobs)

    def submit(self, steps: Steps[T]) -> Job[T]:
        """Take on a generator; its turn comes after those that wait."""
        job = Job(steps)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify()
        # not given the job: the future would hold it, and it holds the future
        job.future.add_done_callback(self._forget)
        return job

    def close(self, seconds: float = 5.0) -> bool:
        """Drop the jobs that wait, and end the threads after their slices.

        Args:
            seconds: how long to wait for them.

        Returns:
            whether all threads have ended.
        """
        with self._changed:
            self._is_closed = True
            dropped = list(self._jobs)
            self._jobs.clear()
            self._changed.notify_all()
        for job in dropped:
            job.future.cancel()
        for thread in self._threads:
            thread.join(seconds / len(self._threads))
        return not any(thread.is_alive() for thread in self._threads)

    def _forget(self, future: Future[Any]) -> None:
        """Drop a job that has been cancelled while it waits: it must not hold its body longer."""
        if not future.cancelled():
            return
        with self._changed:
            job = next((job for job in self._jobs if job.future is future), None)
            if job is None:  # it is worked on, and ends after its slice
                return
            self._jobs.remove(job)
        job.steps.close()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            is_more = job.step()
            with self._changed:
                goes_on = is_more and not self._is_closed and not job.future.cancelled()
                if goes_on:
                    self._jobs.append(job)
                    self._changed.notify()
            if is_more and not goes_on:
                job.future.cancel()
                job.steps.close()
            del job  # its body and its answer are not held while the thread waits

    def _next(self) -> Job[Any] | None:
        with self._changed:
            while not self._jobs and not self._is_closed:
                self._changed.wait()
            if self._is_closed:
                return None
            return self._jobs.popleft()
