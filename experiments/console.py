"""What both commands share: how they end on an error, and how they show a training."""

import functools
import inspect
import re
import sys
import time
from collections.abc import Callable, Container
from typing import Any

import typer

from meprop_nlp.commands.stopping import name_of, signal_of
from meprop_nlp.errors import ConfigError, MePropError


def in_options(text: str, settings: Container[str]) -> str:
    """Replace settings as the library names them, such as `k`, by options, such as --k."""

    def option(match: re.Match[str]) -> str:
        return "--" + match[1].replace("_", "-") if match[1] in settings else match[0]

    return re.sub(r"`(\w+)`", option, text)


def make_app(command: Callable[..., None], example: str) -> typer.Typer:
    """Return an app with one command; it exits with 2 on wrong usage and with 1 on other errors."""
    settings = inspect.signature(command).parameters

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        try:
            command(*arguments, **options)
        except MePropError as error:
            sys.stderr.write(f"error: {in_options(str(error), settings)}\n")
            raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None
        except KeyboardInterrupt as error:
            number = signal_of(error)
            sys.stderr.write(f"error: stopped by {name_of(number)}\n")
            raise typer.Exit(128 + number) from None

    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command(epilog=f"\b\nExample:\n  {example}")(run)
    return app


class Display:
    """Shows a training on standard error; on a terminal also its current minibatch.

    Call it with the records of the training. If there are several trainings, set `title` to the
    name of the current one; their epochs are not shown then.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._progress = sys.stderr.isatty() and not quiet
        self._warned: set[str] = set()
        self._shown = 0.0  # when a minibatch was shown last
        self.title = ""

    def say(self, text: str, *, always: bool = False) -> None:
        """Write a line, unless `quiet` is set and it is not `always` to be written."""
        if always or not self._quiet:
            sys.stderr.write("\r\x1b[K" * self._progress + text + "\n")

    def warn(self, text: str) -> None:
        """Write a warning, unless it was written before."""
        if text not in self._warned:
            self._warned.add(text)
            self.say(f"warning: {text}", always=True)

    def __call__(self, record: Any) -> None:
        """Show a record."""
        from meprop_nlp.training.records import EpochRecord, Note, Step

        if isinstance(record, Note) and record.warning:
            self.warn(record.text)
        elif isinstance(record, EpochRecord) and not self.title:
            neurons = " ".join(map(str, record.neurons.values()))
            scores = "".join(
                f"dev {name} {score:.2f}  "
                for name, score in record.scores.items()
                if score is not None
            )
            self.say(
                f"epoch {record.epoch:>2}  loss {record.loss:.4f}  {scores}neurons {neurons}  "
                f"{record.seconds:.1f} s{'  best' * record.best}"
            )
        elif isinstance(record, Step) and self._progress and time.monotonic() > self._shown + 0.1:
            self._shown = time.monotonic()
            batch = f"minibatch {record.batch:,}/{record.n_batches:,}, loss {record.loss:.4f}"
            text = f"\r\x1b[K{self.title}epoch {record.epoch}/{record.n_epochs}, {batch}"
            print(text, end="", file=sys.stderr, flush=True)
