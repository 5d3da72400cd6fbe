"""`counted`: the number of words so far and their speed, on the terminal."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from meprop_nlp.commands import console
from meprop_nlp.commands.options import Verbosity

Words = TypeVar("Words", bound=Sized)


def counted(
    pieces: Iterable[Words], *, verb: str, output: str, verbosity: Verbosity
) -> Iterator[Words]:
    """Pass sentences, or pieces of several, on; show words and words/s on standard error.

    Nothing is shown when the words themselves go to the terminal.

    Args:
        verb: what was done to the words, such as `tagged`.
        output: the file that the words are written to; - is standard output.
    """
    if not verbosity.shows_bar or (output == "-" and sys.stdout.isatty()):
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
    with Progress(*columns, console=console.stderr(), transient=True) as progress:
        task = progress.add_task(verb, total=None, speed="")
        for piece in pieces:
            yield piece
            words += len(piece)
            speed = words / max(time.monotonic() - start, 1e-9)
            progress.update(task, completed=words, speed=f"{speed:,.0f} words/s")
    console.note(f"{verb} {words:,} words in {time.monotonic() - start:.1f} s")
