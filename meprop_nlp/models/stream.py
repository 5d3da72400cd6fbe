"""Sentences in bounded chunks, so that decoding batches them and memory does not grow.

What came before an error of the input comes out before the error: `UntilError` keeps it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from meprop_nlp.data.sentence import Sentence

__all__ = ["UntilError", "chunks"]

Item = TypeVar("Item")

CHUNK_WORDS = 4000
CHUNK_SENTENCES = 256


class UntilError(Generic[Item]):
    """A stream that ends where it fails; `finish` raises what it failed with."""

    def __init__(self, stream: Iterable[Item]) -> None:
        self._stream = stream
        self._error: Exception | None = None

    def __iter__(self) -> Iterator[Item]:
        try:
            yield from self._stream
        except Exception as error:
            self._error = error

    def finish(self) -> None:
        """Raise the error of the stream, if it had one."""
        if self._error is not None:
            raise self._error


def chunks(
    sentences: Iterable[Sentence],
    *,
    max_words: int = CHUNK_WORDS,
    max_sentences: int = CHUNK_SENTENCES,
) -> Iterator[list[Sentence]]:
    """Group a stream of sentences, in order; a longer sentence is a chunk of its own."""
    chunk: list[Sentence] = []
    words = 0
    stream = UntilError(sentences)
    for sentence in stream:
        if chunk and (words + len(sentence) > max_words or len(chunk) == max_sentences):
            yield chunk
            chunk, words = [], 0
        chunk.append(sentence)
        words += len(sentence)
    if chunk:
        yield chunk
    stream.finish()
