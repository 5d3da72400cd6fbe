"""Chunks of a stream: in order, lazy, bounded in words and sentences."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.models import stream
from meprop_nlp.models.stream import chunks


def sentence(n_words: int) -> Sentence:
    return Sentence([Word(i, "w") for i in range(1, n_words + 1)])


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(1, 15), st.integers(1, 6))
@example([], 1, 1)
@example([20, 20, 1, 1], 10, 5)
def test_chunks_keep_order_and_are_full_but_within_bounds(
    lengths: list[int], max_words: int, max_sentences: int
) -> None:
    sentences = [sentence(n) for n in lengths]
    found = list(chunks(iter(sentences), max_words=max_words, max_sentences=max_sentences))
    assert [id(s) for chunk in found for s in chunk] == [id(s) for s in sentences]
    sizes = [sum(map(len, chunk)) for chunk in found]
    for chunk, size in zip(found, sizes, strict=True):
        assert 1 <= len(chunk) <= max_sentences
        assert size <= max_words or len(chunk) == 1
    for chunk, size, following in zip(found, sizes, found[1:], strict=False):
        # the next sentence would not have fitted
        assert size + len(following[0]) > max_words or len(chunk) == max_sentences


def test_no_more_is_read_than_the_chunk_and_one_sentence() -> None:
    read = []

    def source() -> Iterator[Sentence]:
        for number in range(100):
            read.append(number)
            yield sentence(2)

    stream_of_chunks = chunks(source(), max_words=6, max_sentences=10)
    assert len(next(stream_of_chunks)) == 3
    assert len(read) == 4


def test_default_bounds_hold_for_many_short_and_for_long_sentences() -> None:
    short = next(chunks(sentence(1) for _ in range(10**6)))
    assert len(short) == stream.CHUNK_SENTENCES
    long = next(chunks(sentence(999) for _ in range(10**6)))
    assert 999 < sum(map(len, long)) <= stream.CHUNK_WORDS
