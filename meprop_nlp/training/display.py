"""`TrainingDisplay`: a training on the terminal or in a notebook, given to it as a hook.

It writes to standard error, in a notebook to the cell's output; nothing else of the library writes
to a terminal.

On a terminal, long notes are wrapped to its width and warnings are yellow. In a file each note is
one line, however long, so that a log can be searched line by line.
"""

from __future__ import annotations

import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

from meprop_nlp.training.output.epoch_table import BEST, EpochTable
from meprop_nlp.training.records import EpochRecord, Note, Step

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_WARNING = "warning:"
_SECONDS = 0.25  # between two states of the line in a notebook


class TrainingDisplay:
    """Shows a training: notes on the data, a bar over all minibatches, a table of the epochs.

    >>> with TrainingDisplay() as display:  # doctest: +SKIP
    ...     tagger = Tagger.train("train.conllu", hooks=Hooks(on_record=display))

    Args:
        progress: whether to show the bar on a terminal that can draw over a line, or in a notebook
            the line that takes its place.
        quiet: whether to keep to warnings.
    """

    def __init__(self, *, progress: bool = True, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console: Console | None = None
        self._bar: Progress | None = None
        self._task: Any = None
        self._table = EpochTable()
        self._n_epochs: int | None = None
        self._notebook = _is_notebook()
        self._shows_line = self._notebook and progress and not quiet
        self._line, self._shown_at = "", 0.0
        if self._notebook or not sys.stderr.isatty():
            return
        from rich.console import Console

        self._console = Console(stderr=True)
        # a dumb terminal cannot draw over a line
        if progress and not quiet and not self._console.is_dumb_terminal:
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
                console=self._console,
                transient=True,
            )

    @staticmethod
    def is_seen() -> bool:
        """Whether a person sees it: standard error is a terminal, or this is a notebook."""
        return _is_notebook() or sys.stderr.isatty()

    def __enter__(self) -> TrainingDisplay:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar:
            self._bar.stop()
        self._show_line("")

    def __call__(self, record: Note | Step | EpochRecord) -> None:
        """Show a record of the training."""
        if isinstance(record, Step):
            self._advance(record)
        elif isinstance(record, Note):
            if record.warning or not self._quiet:
                self._print(record.text, warning=record.warning)
        elif not self._quiet:
            for line in self._table.lines(record, self._n_epochs):
                self._print(line, "bold green" if line.endswith(BEST) else "")

    def _advance(self, step: Step) -> None:
        self._n_epochs = step.n_epochs
        epoch = f"{step.epoch}/{step.n_epochs}"
        if self._shows_line and time.monotonic() - self._shown_at >= _SECONDS:
            self._shown_at = time.monotonic()
            self._show_line(
                f"epoch {epoch}  {step.batch}/{step.n_batches}  loss {step.loss:.4f}  "
                f"{step.words_per_second:,.0f} words/s"
            )
        if not self._bar:
            return
        # one bar over all epochs, so that the time left is that of the whole training
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

    def _show_line(self, text: str) -> None:
        """Show a line of a notebook in place of the one before."""
        if text != self._line:
            sys.stdout.write(f"\r{text.ljust(len(self._line))}" + "\r" * (not text))
            sys.stdout.flush()
            self._line = text

    def _print(self, text: str, style: str = "", *, warning: bool = False) -> None:
        if warning:
            text = f"{_WARNING} {text}"
        if self._notebook:
            self._show_line("")
            sys.stdout.write(text + "\n")
        elif self._console:
            from rich.text import Text

            shown = Text(_wrapped(text, self._console.width), style)
            if warning:
                shown.stylize("yellow", 0, len(_WARNING))
            self._console.print(shown, soft_wrap=True)
        else:
            sys.stderr.write(text + "\n")


def _wrapped(text: str, width: int) -> str:
    """Break a line at spaces where it is wider than a terminal, and indent what follows."""
    return textwrap.fill(
        text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _is_notebook() -> bool:
    """Whether the program is the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
