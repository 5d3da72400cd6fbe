"""Write sentences to files, streams and standard output."""

import bz2
import contextlib
import gzip
import lzma
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from meprop_nlp.data.conll.layout import Layout
from meprop_nlp.data.document import Document, demand_sentence
from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import DataError
from meprop_nlp.files import replacing

Target = str | os.PathLike[str] | IO[str] | IO[bytes]


def write(
    sentences: Iterable[Sentence | Document] | Sentence,
    target: Target,
    *,
    layout: Layout | None = None,
) -> int:
    """Write the sentences one by one, as UTF-8 with LF line ends, and return their number.

    Args:
        sentences: a stream of them or of Documents, a Document, or a single sentence.
        target: as for `write_pieces`.
        layout: the layout to write; None: the layout of each sentence.

    Raises:
        DataError, BrokenPipeError: as `write_pieces`.
        DataError: something else is among the sentences.
    """
    if isinstance(sentences, Sentence):
        sentences = [sentences]
    return write_pieces(
        (
            sentence.to_text(layout).encode("utf-8", "surrogatepass")
            for sentence in _each(sentences)
        ),
        target,
    )


def _each(items: Iterable[Sentence | Document]) -> Iterator[Sentence]:
    """Yield the sentences, those of a document in turn."""
    for n, item in enumerate(items):
        if isinstance(item, Document):
            yield from item
        else:
            demand_sentence(item, f"sentences[{n}]")
            yield item


def write_pieces(pieces: Iterable[bytes], target: Target, *, flush: bool = False) -> int:
    """Write pieces of UTF-8 text as they come, and return their number.

    A file is written under a temporary name and then renamed, so an existing file is unchanged if
    anything fails. A pipe or a device such as `/dev/null` is written directly.

    Args:
        target: a path (compressed if it ends in .gz, .xz or .bz2), `-` for standard output, or an
            open text or binary file.
        flush: whether to flush after every piece.

    Raises:
        DataError: if the target cannot be written, for instance because the disk is full.
        BrokenPipeError: if the reader of the pipe is gone.
    """
    if not isinstance(target, str | os.PathLike):
        return _write_all(pieces, target, getattr(target, "name", "<stream>"), flush)
    name = os.fspath(target)
    if name == "-":
        stream = getattr(sys.stdout, "buffer", sys.stdout)
        return _write_all(pieces, stream, "<stdout>", flush)
    path = Path(name)
    # check before following links: /dev/stdout may link to a pipe, which has no path
    if path.exists() and not path.is_file() and not path.is_dir():
        with _writing(name), path.open("wb") as stream:
            return _write_all(pieces, stream, name, flush)
    # follow a link, so that its target is replaced and the link stays
    path = Path(os.path.realpath(name))
    with replacing(path) as temporary, _opened(temporary, path.suffix, name) as stream:
        return _write_all(pieces, stream, name, flush)


def _write_all(pieces: Iterable[bytes], stream: Any, name: object, flush: bool) -> int:
    with _writing(name):
        put = _writer(stream)
    count = 0
    for piece in pieces:  # an error of the iterator is not an error of writing
        with _writing(name):
            put(piece)
            if flush:
                stream.flush()
        count += 1
    with _writing(name):
        stream.flush()
    return count


def _writer(stream: Any) -> Callable[[bytes], object]:
    """Return a function that writes UTF-8 to a binary or text stream."""
    write: Callable[[Any], object] = stream.write
    try:
        write("")
    except TypeError:
        return write
    return lambda piece: write(piece.decode("utf-8", "surrogatepass"))


@contextlib.contextmanager
def _opened(temporary: Path, suffix: str, name: str) -> Iterator[Any]:
    with temporary.open("wb") as raw:
        stream: Any = raw
        if suffix == ".gz":  # no name or time in the header: the same text gives the same bytes
            stream = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)
        elif suffix == ".xz":
            stream = lzma.LZMAFile(raw, "wb")  # noqa: SIM115, closed below
        elif suffix == ".bz2":
            stream = bz2.BZ2File(raw, "wb")
        yield stream
        with _writing(name):
            stream.close()


@contextlib.contextmanager
def _writing(name: object) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DataError(f"{name}: cannot be written: {error.strerror or error}") from None
