"""Batches of a stream: in order, lazy, bounded in words and sentences."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.data.word import Word
from meprop_nlp.models.batches import BATCH_SENTENCES, BATCH_WORDS, in_batches


def sentence(n_words: int) -> Sentence:
    return Sentence([Word(i, "w") for i in range(1, n_words + 1)])


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(1, 15), st.integers(1, 6))
@example([], 1, 1)
@example([20, 20, 1, 1], 10, 5)
def test_batches_keep_order_and_are_full_but_within_bounds(
    lengths: list[int], max_words: int, max_sentences: int
) -> None:
    sentences = [sentence(n) for n in lengths]
    found = list(in_batches(iter(sentences), max_words=max_words, max_sentences=max_sentences))
    assert [id(s) for batch in found for s in batch] == [id(s) for s in sentences]
    sizes = [sum(map(len, batch)) for batch in found]
    for batch, size in zip(found, sizes, strict=True):
        assert 1 <= len(batch) <= max_sentences
        assert size <= max_words or len(batch) == 1
    for batch, size, following in zip(found, sizes, found[1:], strict=False):
        # the next sentence would not have fitted
        assert size + len(following[0]) > max_words or len(batch) == max_sentences


def test_no_more_is_read_than_the_batch_and_one_sentence() -> None:
    read = []

    def source() -> Iterator[Sentence]:
        for number in range(100):
            read.append(number)
            yield sentence(2)

    batches = in_batches(source(), max_words=6, max_sentences=10)
    assert len(next(batches)) == 3
    assert len(read) == 4


def test_default_bounds_hold_for_many_short_and_for_long_sentences() -> None:
    short = next(in_batches(sentence(1) for _ in range(10**6)))
    assert len(short) == BATCH_SENTENCES
    long = next(in_batches(sentence(999) for _ in range(10**6)))
    assert 999 < sum(map(len, long)) <= BATCH_WORDS


def test_sentences_before_an_error_come_before_the_error() -> None:
    def broken() -> Iterator[Sentence]:
        yield from map(sentence, [2, 3, 2])
        raise OSError("cut off")

    batches = in_batches(broken(), max_words=5)
    assert [len(batch) for batch in (next(batches), next(batches))] == [2, 1]
    with pytest.raises(OSError, match="cut off"):
        next(batches)
