"""`uninterrupted`: a few steps that no signal may come between."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# What asks a program to end, where the system has it: Ctrl-C, what a scheduler or `kill` sends, and
# what a terminal sends that is closed.
ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within the block, let signals wait that would raise an exception; they are handled after it.

    For a file that is made and then noted, or an extension that is being loaded: an exception
    between the two would leave the file behind, or end the process. Signals that are ignored, or
    that kill, do as always. Only the main thread handles signals, so other threads have no need of
    this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        waiting.append(number)

    handlers: dict[int, Callable[..., Any]] = {}
    try:
        for number in ENDING:
            if callable(handler := signal.getsignal(number)):
                handlers[number] = handler
                signal.signal(number, wait)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number in waiting:
            signal.raise_signal(number)
