"""`windows`: whole words, overlapping, each word where it is farthest from a cut."""

from __future__ import annotations

from itertools import accumulate, pairwise

from hypothesis import given
from hypothesis import strategies as st

from meprop_nlp.models.windows import Window, windows


def test_a_sentence_that_fits_is_one_window() -> None:
    assert windows([2, 0, 3], 5) == [Window(0, 3, [0, 1, 2])]


def test_words_are_taken_where_they_are_farthest_from_a_cut() -> None:
    found = windows([1] * 10, 4)
    assert [window[:2] for window in found] == [(0, 4), (2, 6), (4, 8), (6, 10)]
    assert [window.taken for window in found] == [[0, 1, 2], [3, 4], [5, 6], [7, 8, 9]]
    assert [window[:2] for window in windows([1] * 7, 4)] == [(0, 4), (2, 6), (3, 7)]


@given(sizes=st.lists(st.integers(0, 7), min_size=1, max_size=40), room=st.integers(7, 20))
def test_windows_fit_and_have_every_word_once(sizes: list[int], room: int) -> None:
    found = windows(sizes, room)
    bounds = [0, *accumulate(sizes)]
    assert sorted(word for window in found for word in window.taken) == list(range(len(sizes)))
    for start, end, taken in found:
        assert bounds[end] - bounds[start] <= room
        assert all(start <= word < end for word in taken)
    for one, two in pairwise(found):
        assert two.start <= one.end
        assert two.end > one.end


@given(sizes=st.lists(st.integers(0, 3), min_size=30, max_size=40), room=st.integers(12, 20))
def test_context_on_both_sides_is_a_fifth_of_a_window(sizes: list[int], room: int) -> None:
    bounds = [0, *accumulate(sizes)]
    for start, end, taken in windows(sizes, room):
        for word in taken:
            if start:
                assert bounds[word] - bounds[start] >= room // 5 - 3
            if end < len(sizes):
                assert bounds[end] - bounds[word + 1] >= room // 5 - 3
