"""How signals end the program: `Stopped` and `ended_by_signals`; `StopOnce` for a training."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from meprop_nlp.commands import console
from meprop_nlp.errors import MePropError
from meprop_nlp.signals import ENDING

_AGAIN = 0.01  # seconds until a signal that came at a bad moment is sent again


class Stopped(KeyboardInterrupt):
    """A signal has asked the program to end.

    It is a KeyboardInterrupt, so that what cleans up after Ctrl-C does so after the others too.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def signal_of(error: KeyboardInterrupt) -> int:
    """Return the number of the signal that an exception stands for."""
    return error.number if isinstance(error, Stopped) else int(signal.SIGINT)


def name_of(number: int) -> str:
    """Return what a signal is called in a message."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within the block SIGTERM and SIGHUP raise Stopped, once, as Ctrl-C does.

    Senders like `timeout` may send them twice; the second would only disturb the cleaning up. After
    the block the program is at its end, and signals are ignored.
    """
    sent: int | None = None
    lost: int | None = None

    def end(number: int, frame: object) -> None:
        nonlocal sent, lost
        if sent is None or lost or number == signal.SIGINT:
            sent, lost = number, None
            raise Stopped(number)

    def again(unraisable: Any) -> None:
        # where an object was being removed, Python only prints what a handler raises
        nonlocal lost
        if isinstance(unraisable.exc_value, Stopped):
            lost = unraisable.exc_value.number
            threading.Timer(_AGAIN, os.kill, (os.getpid(), lost)).start()
        else:
            usual(unraisable)

    usual, sys.unraisablehook = sys.unraisablehook, again
    try:
        with _handled(end, afterwards=signal.SIG_IGN):
            yield
            if lost:
                raise Stopped(lost)
    except (KeyboardInterrupt, SystemExit) as error:
        # before a command begins nobody reports it, and Typer takes each for Ctrl-C
        if isinstance(error, KeyboardInterrupt) or error.code == 128 + signal.SIGINT:
            raise SystemExit(128 + (sent or signal.SIGINT)) from None
        raise
    finally:
        sys.unraisablehook = usual


class StopOnce:
    """The first signal lets the training save and stop; a second Ctrl-C stops it at once.

    Before the first minibatch there is nothing to save, so the first stops it at once too. Use it
    as a context, and as the hook that a training asks whether to stop. When the training stops, or
    ends before it asks again, the context raises `Stopped`.

    Args:
        quiet: say nothing of it.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._number: int | None = None  # of the first signal
        self._training = self._raised = False
        self._handling: Any = None

    def __call__(self) -> bool:
        self._training = True
        return self._number is not None

    def __enter__(self) -> StopOnce:
        self._handling = _handled(self._on_signal)
        self._handling.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._handling.__exit__(None, None, None)
        if self._number is None:
            return
        if kind is None and not self._quiet:  # the signal came after the last minibatch
            console.note(f"{name_of(self._number)}: the training was at its end, and is finished")
        # a library that was interrupted may raise an error of its own in place of `Stopped`
        replaced = kind is not None and issubclass(kind, Exception) and self._raised
        if kind in (None, KeyboardInterrupt) or (replaced and not issubclass(kind, MePropError)):
            raise Stopped(self._number) from None

    def _on_signal(self, number: int, frame: object) -> None:
        first = self._number is None
        if first:
            self._number = number
        if (first and not self._training) or (number == signal.SIGINT and not first):
            self._raised = True
            raise Stopped(number)
        if first and not self._quiet:
            again = "; Ctrl-C again stops at once" if number == signal.SIGINT else ""
            console.note(f"{name_of(number)}: stopping after this minibatch{again}")


@contextmanager
def _handled(
    handler: Callable[[int, Any], None], *, afterwards: signal.Handlers | None = None
) -> Iterator[None]:
    """Within the block, call a handler on the signals that ask a program to end.

    A signal that is ignored stays so: `nohup` and shells that start a job in the background mean
    it to survive the signal.

    Args:
        afterwards: what handles them from then on; None: what did so before.
    """
    before = {number: signal.getsignal(number) for number in ENDING}
    handled = [number for number in ENDING if before[number] not in (signal.SIG_IGN, None)]
    for number in handled:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, before[number] if afterwards is None else afterwards)
