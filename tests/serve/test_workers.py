"""Requests are worked on in slices, in turn; nobody's work goes on when nobody waits for it."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Generator, Iterator

import pytest

from meprop_nlp.serve.workers import Workers

Steps = Generator[None, None, str]


@pytest.fixture
def one() -> Iterator[Workers]:
    """A single thread."""
    workers = Workers(1)
    yield workers
    workers.close()


def test_job_returns_what_its_generator_returns(one: Workers) -> None:
    def steps() -> Steps:
        yield
        return "done"

    assert one.submit(steps()).future.result(5) == "done"
    assert one.waiting == 0


def test_error_of_a_slice_reaches_the_one_that_waits(one: Workers) -> None:
    def steps() -> Steps:
        yield
        raise ValueError("second slice")

    with pytest.raises(ValueError, match="second slice"):
        one.submit(steps()).future.result(5)


def test_error_keeps_nothing_of_its_request_alive(one: Workers) -> None:
    class Body:
        pass

    def begin() -> tuple[Steps, weakref.ref[Body]]:
        body = Body()

        def steps(body: Body) -> Steps:
            yield
            raise ValueError(id(body))

        return steps(body), weakref.ref(body)

    gc.disable()
    try:
        steps, body = begin()
        job = one.submit(steps)
        error = job.future.exception(5)
        assert isinstance(error, ValueError)
        del steps, job, error
        deadline = time.monotonic() + 5  # the worker lets go of it in a moment
        while body() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert body() is None
    finally:
        gc.enable()


def test_jobs_take_turns_by_slices(one: Workers) -> None:
    order: list[str] = []
    ready = threading.Event()

    def blocking() -> Steps:
        ready.wait(5)
        return "free"
        yield

    def steps(name: str, n_slices: int) -> Steps:
        for _ in range(n_slices):
            order.append(name)
            yield
        return name

    first = one.submit(blocking())
    book, sentence = one.submit(steps("book", 4)), one.submit(steps("sentence", 1))
    ready.set()
    assert [job.future.result(5) for job in (first, book, sentence)] == ["free", "book", "sentence"]
    assert order == ["book", "sentence", "book", "book", "book"]


def test_cancelled_job_ends_after_its_slice(one: Workers) -> None:
    closed, begun = threading.Event(), threading.Event()

    def steps() -> Steps:
        try:
            while True:
                begun.set()
                time.sleep(0.001)
                yield
        finally:
            closed.set()

    job = one.submit(steps())
    assert begun.wait(5)
    assert job.future.cancel()
    assert closed.wait(5)


def test_cancelled_job_that_waits_is_never_begun(one: Workers) -> None:
    ready = threading.Event()

    def blocking() -> Steps:
        ready.wait(5)
        return ""
        yield

    def never() -> Steps:
        raise AssertionError
        yield

    first, second = one.submit(blocking()), one.submit(never())
    assert one.waiting >= 1
    second.future.cancel()
    assert one.waiting == 0 or not first.is_begun  # its body is not held until its turn
    assert second not in one._jobs
    assert second.steps.gi_frame is None
    ready.set()
    first.future.result(5)
    one.submit(blocking()).future.result(5)  # the thread has gone past the second
    assert not second.is_begun


def test_closing_drops_what_waits_and_ends_the_threads() -> None:
    workers = Workers(2)
    ready, begun = threading.Event(), threading.Semaphore(0)

    def blocking() -> Steps:
        begun.release()
        ready.wait(5)
        yield
        return "never"

    jobs = [workers.submit(blocking()) for _ in range(5)]
    for _ in range(2):
        assert begun.acquire(timeout=5)
    threading.Timer(0.05, ready.set).start()
    assert workers.close()
    assert all(job.future.cancelled() for job in jobs)
