"""Whole files through an `Annotator`: chunk by chunk, on several threads, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from meprop_nlp.data.conll.block import Fault
from meprop_nlp.data.conll.chunks import Chunk, comes_in_chunks, read_chunks
from meprop_nlp.data.conll.reading import check_arguments, good_blocks, read
from meprop_nlp.data.report import TreebankReport
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.source import Source, source_name
from meprop_nlp.errors import ConlluError
from meprop_nlp.models.annotator import Annotator, Piece
from meprop_nlp.models.stream import UntilError, chunks

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["annotate"]


def annotate(
    source: Source,
    annotator: Annotator,
    *,
    input_format: str = "auto",
    encoding: str = "utf-8",
    on_error: str = "fail",
    max_errors: int = 20,
    report: TreebankReport | None = None,
    fill_deps: bool = False,
    threads: int = 1,
) -> Iterator[Piece]:
    """Yield a file's sentences annotated, in order; memory does not grow with the file.

    Args:
        source, input_format, encoding, on_error, max_errors, report: as for `conll.read`; the
            report is told of faulty sentences only.
        fill_deps: as for `Annotator.document`.
        threads: how many chunks of the file are worked on at a time.

    Raises:
        ConlluError, DataError, ConfigError: as `conll.read`.
        MePropError: the weights give scores that are not finite.
    """
    check_arguments(input_format, on_error, max_errors)
    if not comes_in_chunks(source, encoding):
        sentences = read(
            source,
            input_format=input_format,
            encoding=encoding,
            on_error=on_error,
            max_errors=max_errors,
            report=report,
        )
        for chunk in chunks(sentences):
            yield from annotator.sentences(chunk, fill_deps=fill_deps)
        return

    def work(chunk: Chunk) -> _Done:
        return _annotate_chunk(chunk, annotator, fill_deps)

    def items() -> Iterator[Piece | list[Fault]]:
        for done in _in_order(work, read_chunks(source, input_format=input_format), threads):
            yield from done.items
            if done.error is not None:
                raise done.error

    yield from good_blocks(items(), source_name(source), on_error, max_errors, report)


class _Done(NamedTuple):
    """A chunk's pieces and faults, in order, and the error that its text ends with."""

    items: list[Piece | list[Fault]]
    error: ConlluError | None


def _annotate_chunk(chunk: Chunk, annotator: Annotator, fill_deps: bool) -> _Done:
    document = chunk.document()
    if document is not None:
        return _Done([annotator.document(document, fill_deps=fill_deps)], None)
    items: list[Piece | list[Fault]] = []
    good: list[Sentence] = []
    error = None

    def annotate_good() -> None:
        items.extend(annotator.sentences(good, fill_deps=fill_deps))
        good.clear()

    try:
        for block in chunk.blocks():
            if isinstance(block, Sentence):
                good.append(block)
            else:
                annotate_good()
                items.append(block)
    except ConlluError as found:
        error = found
    annotate_good()
    return _Done(items, error)


def _in_order(
    work: Callable[[Chunk], _Done], chunks: Iterable[Chunk], threads: int
) -> Iterator[_Done]:
    """Like map, with up to `threads` chunks worked on at a time and few more waiting."""
    if threads == 1:
        yield from map(work, chunks)
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[_Done]] = deque()
    stream = UntilError(chunks)
    try:
        for chunk in stream:
            waiting.append(pool.submit(work, chunk))
            # before waiting for more text, hand on all that there is
            while waiting and (chunk.pauses or len(waiting) > 2 * threads):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
        stream.finish()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
