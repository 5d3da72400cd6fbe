"""`StopOnce`: how a training reacts to Ctrl-C."""

from __future__ import annotations

import signal
from typing import Any

from meprop_nlp.commands import console


class StopOnce:
    """The first Ctrl-C lets the training save and stop; the second stops it at once.

    Before the first minibatch there is nothing to save, so the first stops it at once too. Use it
    as a context, and as the hook that a training asks whether to stop.
    """

    def __init__(self) -> None:
        self._requested = self._training = False
        self._previous: Any = None

    def __call__(self) -> bool:
        self._training = True
        return self._requested

    def __enter__(self) -> StopOnce:
        self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _on_signal(self, number: int, frame: object) -> None:
        if self._requested or not self._training:
            raise KeyboardInterrupt
        self._requested = True
        console.note("stopping after this minibatch; Ctrl-C again stops at once")
