"""`annotate_each`: a result for each of many files, with the models loaded once.

What is faulty is reported at the end, and what is finished is not made again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from meprop_nlp.commands import console
from meprop_nlp.commands.counting import Meter, counting
from meprop_nlp.commands.options import Verbosity
from meprop_nlp.commands.outputs import Job
from meprop_nlp.errors import DataError, number_of

if TYPE_CHECKING:
    from concurrent.futures import Future

    from meprop_nlp.data.source import Source
    from meprop_nlp.models.annotate import Piece

_SMALL = 1 << 18  # bytes; smaller files are annotated one a thread

Annotate = Callable[[str, "Source", int], "Iterator[Piece]"]


def annotate_each(
    jobs: Sequence[Job],
    annotate: Annotate,
    verbosity: Verbosity,
    *,
    verb: str,
    header: str = "",
    force: bool = False,
    threads: int = 1,
) -> None:
    """Annotate files, and write each result when it is whole.

    Args:
        annotate: yields the pieces of a file, given its path, what to read it from, and a number
            of threads; several threads may call it.
        verb: what is done to the words, such as `tagged`.
        header: what stands at the beginning of each result.
        force: whether to make results again that are there.

    Raises:
        DataError: some files could not be read or are faulty; all others are done. Or a result
            cannot be written.
    """
    from meprop_nlp.data.conll.writing import write_pieces

    left = [job for job in jobs if force or not Path(job.output).is_file()]
    if len(left) < len(jobs) and not verbosity.quiet:
        n_done = number_of(len(jobs) - len(left), "file")
        console.note(f"{n_done} of {len(jobs):,} skipped: their results are there; see --force")
    meter = Meter([job.source for job in left] if verbosity.shows_bar else ["-"])
    faults: list[DataError] = []

    def watched(pieces: Iterator[Piece]) -> Iterator[Piece]:
        try:
            yield from pieces
        except DataError as error:  # of reading; an error of writing is raised elsewhere
            faults.append(error)
            raise

    with counting(verb, "", verbosity, meter) as count:
        for job, pieces in _begun(left, annotate, meter, threads):
            try:
                texts = (piece.text for piece in count(watched(pieces)))
                write_pieces(headed(texts, header), job.output)
            except DataError as error:
                if not faults or faults[-1] is not error:
                    raise
    if faults:
        n_files = number_of(len(jobs), "file")
        raise DataError(
            "\n".join([f"{len(faults):,} of {n_files} could not be {verb}:", *map(str, faults)])
        )


def headed(texts: Iterator[bytes], header: str) -> Iterator[bytes]:
    """Put a header before texts, unless there is an error before the first of them."""
    first = next(texts, b"")
    yield header.encode() + first
    yield from texts


class _Read(NamedTuple):
    """The pieces of a small file, and the error that it ends with."""

    pieces: list[Piece]
    error: DataError | None


def _begun(
    jobs: Sequence[Job], annotate: Annotate, meter: Meter, threads: int
) -> Iterator[tuple[Job, Iterator[Piece]]]:
    """Yield the files in order and the pieces of each; small files come from several threads."""
    from concurrent.futures import ThreadPoolExecutor

    def read(path: str) -> _Read:
        pieces: list[Piece] = []
        try:
            pieces += annotate(path, path, 1)
        except DataError as error:
            return _Read(pieces, error)
        return _Read(pieces, None)

    pool = ThreadPoolExecutor(threads)
    waiting: deque[tuple[Job, Future[_Read] | None]] = deque()
    ahead = iter(jobs)
    try:
        while True:
            while len(waiting) <= 2 * threads and (job := next(ahead, None)) is not None:
                apart = threads > 1 and _is_small(job.source)
                waiting.append((job, pool.submit(read, job.source) if apart else None))
            if not waiting:
                return
            job, future = waiting.popleft()
            if future is None:
                with meter.reading(job.source) as source:
                    yield job, annotate(job.source, source, threads)
            else:
                yield job, _pieces_of(future)
                meter.passed(job.source)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _pieces_of(future: Future[_Read]) -> Iterator[Piece]:
    pieces, error = future.result()
    yield from pieces
    if error is not None:
        raise error


def _is_small(path: str) -> bool:
    """Return whether all of a file may be in memory; a packed file may be any size, a pipe too."""
    from meprop_nlp.data.source import is_packed

    try:
        found = Path(path).stat()
        return S_ISREG(found.st_mode) and found.st_size <= _SMALL and not is_packed(path)
    except OSError:  # reading it reports the error
        return True
