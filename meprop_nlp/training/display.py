"""`TrainingDisplay`: a training on the terminal, given to it as a hook.

It writes to standard error; nothing else of the library writes to a terminal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from meprop_nlp.scoring.names import SCORE_NAMES
from meprop_nlp.training.records import EpochRecord, Note, Step

if TYPE_CHECKING:
    from rich.progress import Progress


class TrainingDisplay:
    """Shows a training: notes on the data, a bar over all minibatches, one line per epoch.

    >>> with TrainingDisplay() as display:  # doctest: +SKIP
    ...     tagger = Tagger.train("train.conllu", hooks=Hooks(on_record=display))

    Args:
        progress: whether to show the bar when standard error is a terminal.
        quiet: whether to keep to warnings.
        unit: what the training loop counts.
    """

    def __init__(self, *, progress: bool = True, quiet: bool = False, unit: str = "words") -> None:
        self._quiet = quiet
        self._unit = unit
        self._bar: Progress | None = None
        self._task: Any = None
        if progress and not quiet and sys.stderr.isatty():
            from rich.console import Console
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
                TextColumn(f"loss {{task.fields[loss]:.4f}}  {{task.fields[speed]:,.0f}} {unit}/s"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
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
        """Show a record of the training."""
        if isinstance(record, Step):
            self._advance(record)
        elif isinstance(record, Note):
            if record.warning or not self._quiet:
                self._print(("warning: " if record.warning else "") + record.text)
        elif not self._quiet:
            self._print(self._epoch_line(record))

    def _advance(self, step: Step) -> None:
        if not self._bar:
            return
        # one bar over all epochs, so that the time left is that of the whole training
        epoch = f"{step.epoch}/{step.n_epochs}"
        if self._task is None:
            total = step.n_epochs * step.n_batches
            self._task = self._bar.add_task("", total=total, epoch=epoch, loss=0.0, speed=0.0)
        self._bar.update(
            self._task,
            completed=(step.epoch - 1) * step.n_batches + step.batch,
            epoch=epoch,
            loss=step.loss,
            speed=step.words_per_second,
        )

    def _print(self, text: str) -> None:
        if self._bar:
            self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            sys.stderr.write(text + "\n")

    def _epoch_line(self, record: EpochRecord) -> str:
        """Return one epoch's record as one line."""
        scores = "".join(
            f"{SCORE_NAMES[name]} {'-' if value is None else f'{value:.2f}'}  "
            for name, value in record.scores.items()
        )
        if record.score is not None and record.score not in record.scores.values():
            scores += f"mean {record.score:.2f}  "
        neurons = " ".join(str(width) for width in record.neurons.values())
        return (
            f"epoch {record.epoch:>2}  loss {record.loss:.4f}  {scores}neurons {neurons}  "
            f"{record.seconds:.1f} s (forward {record.forward_seconds:.1f}, "
            f"backward {record.backward_seconds:.1f}, update {record.update_seconds:.1f})  "
            f"{record.words_per_second:,.0f} {self._unit}/s{'  best' if record.best else ''}"
        )
