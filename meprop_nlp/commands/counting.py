"""`counting`: the number of words so far, their speed and the share of the files, on the terminal.

with counting("tagged", output, verbosity, meter) as count:
    for piece in count(pieces):
        ...
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

from meprop_nlp.commands import console
from meprop_nlp.commands.options import Verbosity

Words = TypeVar("Words", bound=Sized)


class Meter:
    """How much of some files has been read.

    Args:
        paths: the files; the share is known only if all are on a disk.

    Attributes:
        total: their size in bytes, as they are packed; None if it is not known.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        are_files = all(path != "-" and Path(path).is_file() for path in paths)
        self._sizes = {path: Path(path).stat().st_size for path in paths} if are_files else {}
        self.total = sum(map(self._sizes.__getitem__, paths)) if are_files else None
        self._before = 0
        self._stream: IO[bytes] | None = None

    @contextmanager
    def reading(self, path: str) -> Iterator[str | IO[bytes]]:
        """Yield what to read a file from, so that its progress is seen."""
        with ExitStack() as stack:
            with suppress(OSError):  # reading the file reports the error
                if self.total is not None:
                    self._stream = stack.enter_context(Path(path).open("rb"))
            try:
                yield path if self._stream is None else self._stream
            finally:
                self._stream = None
                self.passed(path)

    def passed(self, path: str) -> None:
        """Count a file that was read elsewhere."""
        self._before += self._sizes.get(path, 0)

    @property
    def done(self) -> int:
        """The number of bytes that were read."""
        return self._before + (0 if self._stream is None else self._stream.tell())


@contextmanager
def counting(
    verb: str, output: str, verbosity: Verbosity, meter: Meter | None = None
) -> Iterator[Callable[[Iterable[Any]], Iterator[Any]]]:
    """Yield a function that passes pieces of words on, and shows on standard error how many.

    Nothing is shown when the words themselves go to the terminal.

    Args:
        verb: what was done to the words, such as `tagged`.
        output: the file that the words are written to; - is standard output.
        meter: knows how much of the files has been read.
    """
    if not verbosity.shows_bar or (output == "-" and sys.stdout.isatty()):
        yield iter
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    total = None if meter is None else meter.total
    columns = (
        SpinnerColumn(),
        TextColumn(f"{verb} {{task.fields[words]:,}} words"),
        *([TextColumn("{task.percentage:.0f} %")] if total else []),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
    )
    words, start = 0, time.monotonic()
    with Progress(*columns, console=console.stderr(), transient=True) as progress:
        task = progress.add_task(verb, total=total, words=0, speed="")

        def count(pieces: Iterable[Words]) -> Iterator[Words]:
            nonlocal words
            for piece in pieces:
                yield piece
                words += len(piece)
                speed = words / max(time.monotonic() - start, 1e-9)
                done = words if meter is None else meter.done
                progress.update(task, completed=done, words=words, speed=f"{speed:,.0f} words/s")

        yield count
    console.note(f"{verb} {words:,} words in {time.monotonic() - start:.1f} s")
