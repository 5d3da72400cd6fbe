"""`StopOnce`: what Ctrl-C means to a training."""

from __future__ import annotations

import signal
from typing import Any

from meprop_nlp.commands import console

__all__ = ["StopOnce"]


class StopOnce:
    """The first Ctrl-C asks training to save and stop; the second stops at once.

    Before the first minibatch there is nothing to save, so there the first stops at once too.
    """

    def __init__(self) -> None:
        self._asked = self._training = False
        self._previous: Any = None

    def __call__(self) -> bool:
        self._training = True
        return self._asked

    def __enter__(self) -> StopOnce:
        self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: object) -> None:
        if self._asked or not self._training:
            raise KeyboardInterrupt
        self._asked = True
        console.note("stopping after this minibatch; Ctrl-C again stops at once")
