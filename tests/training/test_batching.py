"""Minibatches of about the same number of words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.config import JointConfig
from meprop_nlp.training.batching import by_words, packed_rows
from meprop_nlp.training.joint import JointTask, fitting_words
from meprop_nlp.training.layout import Layout

many_lengths = st.lists(st.integers(1, 40) | st.integers(1, 1000), min_size=1, max_size=80)


@given(many_lengths, st.integers(1, 100), st.integers(1, 5), st.integers(0, 9))
def test_every_sentence_comes_once_in_batches_of_words_near_the_target(
    lengths: list[int], n_batches: int, pool: int, seed: int
) -> None:
    sizes = np.array(lengths, np.int64)
    batches = by_words(sizes, n_batches, np.random.default_rng(seed), pool=pool)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert 1 <= len(batches) <= n_batches
    target = sum(lengths) / n_batches
    for batch in batches:
        assert (np.diff(sizes[batch]) <= 0).all()  # longest first
        # a batch ends with the sentence that reaches its last word
        assert abs(sizes[batch].sum() - target) < max(lengths)
    again = by_words(sizes, n_batches, np.random.default_rng(seed), pool=pool)
    assert [batch.tolist() for batch in again] == [batch.tolist() for batch in batches]


def test_sentences_of_a_batch_are_of_similar_length() -> None:
    sizes = np.random.default_rng(1).integers(1, 50, 300)
    batches = by_words(sizes, 20, np.random.default_rng(2), pool=20)
    assert len(batches) == 20
    ranges = sorted((sizes[batch].max(), sizes[batch].min()) for batch in batches)
    assert all(shorter <= longer for (shorter, _), (_, longer) in pairwise(ranges))


def test_order_of_batches_and_their_members_vary_with_the_epoch() -> None:
    sizes = np.random.default_rng(1).integers(1, 50, 300)
    rng = np.random.default_rng(2)
    first, second = (by_words(sizes, 40, rng, pool=5) for _ in range(2))
    assert {tuple(sorted(batch)) for batch in first} != {tuple(sorted(batch)) for batch in second}
    longest = [sizes[batch].max() for batch in first]
    assert longest != sorted(longest, reverse=True)


def test_sentence_that_is_longer_than_a_batch_is_one() -> None:
    sizes = np.array([1, 1, 1, 1, 1000, 1, 1], np.int64)
    batches = by_words(sizes, 10, np.random.default_rng(3))
    assert len(batches) <= 2
    assert sorted(np.concatenate(batches).tolist()) == list(range(7))


@pytest.mark.parametrize(
    ("n_words", "expected"), [(1, 200), (80_000, 200), (100_000, 250), (10**6, 500)]
)
def test_minibatch_fits_the_treebank_within_bounds(n_words: int, expected: int) -> None:
    assert fitting_words(n_words) == expected


@pytest.mark.parametrize(
    ("n_words", "expected"), [(1, 60), (40_000, 40), (80_000, 19), (205_000, 17), (10**6, 10)]
)
def test_epochs_make_a_number_of_steps_within_bounds(n_words: int, expected: int) -> None:
    assert JointTask.fitting_epochs(n_words) == expected


@pytest.mark.parametrize(
    ("n_words", "dropout", "word_dropout"),
    [(1, 0.45, 0.4), (50_000, 0.45, 0.4), (100_000, 0.39, 0.325), (10**6, 0.33, 0.25)],
)
def test_more_is_dropped_of_a_small_treebank(
    n_words: int, dropout: float, word_dropout: float
) -> None:
    fitted = JointConfig().fitted(n_words)
    assert (fitted.dropout, fitted.word_dropout) == (dropout, word_dropout)
    given = JointConfig(dropout=0.1, word_dropout=0.0)
    assert given.fitted(n_words) == given


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 50)), min_size=1, max_size=9))
def test_packed_rows_are_all_first_rows_then_all_second_ones(
    sequences: list[tuple[int, int]],
) -> None:
    sequences.sort(reverse=True)
    lengths, firsts = (np.array(part, np.int64) for part in zip(*sequences, strict=True))
    rows, batch_sizes = packed_rows(firsts, lengths)
    expected = [
        first + step for step in range(lengths[0]) for length, first in sequences if step < length
    ]
    assert rows.tolist() == expected
    assert batch_sizes.tolist() == [(lengths > step).sum() for step in range(lengths[0])]


@given(st.lists(st.integers(1, 12), min_size=1, max_size=9))
def test_layout_is_the_one_counted_by_hand(lengths: list[int]) -> None:
    lengths.sort(reverse=True)
    # all first words, longest sentence first, then all second words, ...
    packed = [
        (sentence, position)
        for position in range(lengths[0])
        for sentence, length in enumerate(lengths)
        if position < length
    ]
    sizes = [sum(length > position for length in lengths) for position in range(lengths[0])]
    layout = Layout.of(torch.tensor(sizes), torch.device("cpu"))
    assert list(zip(layout.sentences.tolist(), layout.positions.tolist(), strict=True)) == packed
    assert layout.places.shape == layout.is_word.shape == (len(lengths), lengths[0])
    for sentence, length in enumerate(lengths):
        for position in range(lengths[0]):
            is_word = position < length
            place = packed.index((sentence, position)) if is_word else 0
            assert bool(layout.is_word[sentence, position]) == is_word
            assert int(layout.places[sentence, position]) == place
