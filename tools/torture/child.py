"""`Child`: a command in a process of its own, forked, so that nothing is imported again.

What strikes it is chosen beforehand (`Blow`): a signal at its n-th operation on a file, or after a
time; or a limit on the size of its files.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# what Python tells its audit hooks before it does it
EVENTS = {"open", "os.rename", "os.remove", "os.chmod", "os.mkdir", "os.rmdir", "os.truncate"}
_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
PATIENCE = 600  # seconds until a command counts as hanging


@dataclass(frozen=True, slots=True)
class Blow:
    """A signal that a process gets.

    Attributes:
        number: of the signal.
        event: before its so many-th operation on a file of its folder, from 1.
        seconds: or after so long.
    """

    number: int
    event: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        when = f"file operation {self.event}" if self.event else f"{self.seconds:.2f} s"
        return f"{signal.Signals(self.number).name} at {when}"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        status: its exit status; negative: the signal that killed it.
        said: what it wrote to standard error.
        seconds: it took.
        n_events: its operations on files of its folder; 0 if it was killed.
        has_begun: whether it came as far as the program.
    """

    status: int
    said: str
    seconds: float
    n_events: int
    has_begun: bool


class Child:
    """A running command.

    Args:
        words: the command and its arguments.
        folder: whose files count as events.
        notes: folder for what it says.
        stdin, stdout: descriptors; None: the null device.
        blow: what strikes it.
        limit: the largest size of a file that it may write, in bytes.
    """

    def __init__(
        self,
        words: Sequence[object],
        folder: Path,
        notes: Path,
        *,
        stdin: int | None = None,
        stdout: int | None = None,
        blow: Blow | None = None,
        limit: int | None = None,
    ) -> None:
        self.words = [str(word) for word in words]
        self._notes = notes / f"{time.monotonic_ns()}"
        self._started = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until it is ready for them
        self.pid = os.fork()
        if self.pid == 0:
            status = 70
            try:
                status = self._run(folder, stdin, stdout, blow, limit)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        self._timer: threading.Timer | None = None
        if blow is not None and blow.seconds is not None:
            self._timer = threading.Timer(blow.seconds, self.send, [blow.number])
            self._timer.start()

    def send(self, number: int) -> None:
        """Send a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> Ended:
        """Wait until it ends."""
        late = threading.Timer(PATIENCE, self.send, [signal.SIGKILL])
        late.start()
        # not reaped before the timers are gone, so that its number is not another's
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        for timer in (late, self._timer):
            if timer is not None:
                timer.cancel()
                timer.join()
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        said = self._notes.with_suffix(".said").read_text(errors="replace")
        counted = self._notes.with_suffix(".events")
        n_events = int(counted.read_text()) if counted.exists() else 0
        has_begun = self._notes.with_suffix(".begun").exists()
        return Ended(status, said, time.monotonic() - self._started, n_events, has_begun)

    def _run(
        self, folder: Path, stdin: int | None, stdout: int | None, blow: Blow | None,
        limit: int | None,
    ) -> int:  # fmt: skip
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        said = os.open(self._notes.with_suffix(".said"), os.O_WRONLY | os.O_CREAT, 0o666)
        for target, own in enumerate((stdin, stdout, said)):
            os.dup2(own if own is not None else os.open(os.devnull, os.O_RDWR), target)
        os.closerange(3, 64)
        sys.stdin = os.fdopen(0, closefd=False, encoding="utf-8")
        sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False, encoding="utf-8")  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = os.fdopen(2, "w", closefd=False, encoding="utf-8")  # type: ignore[misc]
        events = _Events(str(folder), blow)
        sys.addaudithook(events)
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        status = _status_of(self.words, self._notes.with_suffix(".begun"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        self._notes.with_suffix(".events").write_text(str(events.count))
        return status


class _Events:
    """Counts operations on the files of a folder, and strikes at one of them."""

    def __init__(self, folder: str, blow: Blow | None) -> None:
        self._folder, self._blow, self.count = folder, blow, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in EVENTS or not str(arguments[0]).startswith(self._folder):
            return
        self.count += 1
        if self._blow is not None and self._blow.event == self.count:
            os.kill(os.getpid(), self._blow.number)


def _status_of(words: list[str], begun: Path) -> int:
    """Run the command line as if it had just been started; return its exit status.

    Args:
        begun: this file is made when signals can come. One that was sent before, as it may be where
            the machine is busy, has its usual effect.
    """
    import atexit

    from meprop_nlp import cli

    sys.argv = ["meprop-nlp", *words]
    status: object = 0
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        begun.touch()
        cli.main()
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:  # it had not begun
        status = 128 + signal.SIGINT
    except BaseException:
        traceback.print_exc()
        status = 70
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    atexit._run_exitfuncs()
    return status if isinstance(status, int) else 0 if status is None else 1
