"""What the commands say beside their results: progress bars, notes, errors; rich on demand.

Results go to stdout; progress, notes and errors to stderr, progress only when it is a terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Any, TypeVar

from meprop_nlp.commands.tables import NAMES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from meprop_nlp.training.records import EpochRecord, Note, Step

__all__ = ["TrainingDisplay", "counted", "error", "note", "stderr", "warning"]


def note(text: str) -> None:
    """Say something beside the results."""
    sys.stderr.write(text + "\n")


def warning(text: str) -> None:
    """Say what is allowed, but seldom meant."""
    note(f"warning: {text}")


def error(text: str) -> None:
    """Say what went wrong."""
    sys.stderr.write(f"error: {text}\n")


Words = TypeVar("Words", bound=Sized)


def counted(pieces: Iterable[Words], *, verb: str, show: bool) -> Iterator[Words]:
    """Pass sentences, or pieces of several, on, with a count of words and words/s on stderr."""
    if not show:
        yield from pieces
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn(f"{verb} {{task.completed:,}} words"),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
    )
    words, start = 0, time.monotonic()
    with Progress(*columns, console=stderr(), transient=True) as progress:
        task = progress.add_task(verb, total=None, speed="")
        for piece in pieces:
            yield piece
            words += len(piece)
            speed = words / max(time.monotonic() - start, 1e-9)
            progress.update(task, completed=words, speed=f"{speed:,.0f} words/s")
    note(f"{verb} {words:,} words in {time.monotonic() - start:.1f} s")


class TrainingDisplay:
    """Shows a training: notes on the data, a bar within the epoch, one line per epoch.

    Use as a context; call it with each record.

    Args:
        progress, quiet: whether to show the bar; whether to keep to warnings.
    """

    def __init__(self, *, progress: bool, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Progress | None = None
        self._task: Any = None
        if progress and not quiet:
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]:.4f}  {task.fields[speed]:,.0f} words/s"),
                TimeRemainingColumn(),
                console=stderr(),
                transient=True,
            )

    def __enter__(self) -> TrainingDisplay:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, record: Note | Step | EpochRecord) -> None:
        from meprop_nlp.training.records import EpochRecord, Note, Step

        if isinstance(record, Step):
            self._advance(record)
        elif isinstance(record, Note):
            if record.warning or not self._quiet:
                self._say(("warning: " if record.warning else "") + record.text)
        elif isinstance(record, EpochRecord) and not self._quiet:
            self._say(epoch_line(record))

    def _advance(self, step: Step) -> None:
        if not self._bar:
            return
        # one bar over all epochs, so that the time left is that of the whole training
        done = (step.epoch - 1) * step.n_batches + step.batch
        bar, epoch = self._bar, f"{step.epoch}/{step.n_epochs}"
        if self._task is None:
            total = step.n_epochs * step.n_batches
            self._task = bar.add_task("", total=total, epoch=epoch, loss=0.0, speed=0.0)
        bar.update(
            self._task,
            completed=done,
            epoch=epoch,
            loss=step.loss,
            speed=step.words_per_second,
        )

    def _say(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            note(text)


def epoch_line(record: EpochRecord) -> str:
    """Return one epoch's record as one line."""
    scores = "".join(f"{NAMES[name]} {value:.2f}  " for name, value in record.scores.items())
    neurons = " ".join(str(width) for width in record.neurons.values())
    return (
        f"epoch {record.epoch:>2}  loss {record.loss:.4f}  {scores}neurons {neurons}  "
        f"{record.seconds:.1f} s (forward {record.forward_seconds:.1f}, "
        f"backward {record.backward_seconds:.1f}, update {record.update_seconds:.1f})  "
        f"{record.words_per_second:,.0f} words/s{'  best' if record.best else ''}"
    )


def stderr() -> Console:
    """Return rich's console on standard error."""
    from rich.console import Console

    return Console(stderr=True)
