"""Sentences in bounded chunks, so that decoding batches them and memory does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meprop_nlp.data.sentence import Sentence

__all__ = ["chunks"]

CHUNK_WORDS = 4000
CHUNK_SENTENCES = 256


def chunks(
    sentences: Iterable[Sentence],
    *,
    max_words: int = CHUNK_WORDS,
    max_sentences: int = CHUNK_SENTENCES,
) -> Iterator[list[Sentence]]:
    """Group a stream of sentences, in order; a longer sentence is a chunk of its own."""
    chunk: list[Sentence] = []
    words = 0
    for sentence in sentences:
        if chunk and (words + len(sentence) > max_words or len(chunk) == max_sentences):
            yield chunk
            chunk, words = [], 0
        chunk.append(sentence)
        words += len(sentence)
    if chunk:
        yield chunk
