"""`Window`: a part of a sentence that is longer than what a pretrained encoder reads at once."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Window(NamedTuple):
    """Neighbouring words of a sentence.

    Attributes:
        start, end: the first word, and the one after the last.
        taken: those of the words whose states are taken from this window, ascending.
    """

    start: int
    end: int
    taken: list[int]


def windows(sizes: Sequence[int], room: int) -> list[Window]:
    """Cut a sentence into windows of whole words, each of which overlaps the next by about half.

    The states of a word are taken from the window where it is farthest from a cut, in pieces: the
    beginning and the end of the sentence are no cuts.

    Args:
        sizes: the number of pieces of each word, at most `room` each.
        room: the most pieces of a window.
    """
    bounds = [0, *accumulate(sizes)]  # of the words, in pieces
    n = len(sizes)
    if bounds[-1] <= room:
        return [Window(0, n, list(range(n)))]
    spans = [(0, _end(bounds, 0, room))]
    while spans[-1][1] < n:
        start, end = spans[-1]
        start += 1
        while bounds[end] - bounds[start] > room // 2:
            start += 1
        spans.append((start, _end(bounds, start, room)))
    start, end = spans[-1]
    while bounds[end] - bounds[start - 1] <= room:  # the last one has room on its left
        start -= 1
    spans[-1] = start, end
    taken: list[list[int]] = [[] for _ in spans]
    for word in range(n):
        margins = [_margin(bounds, span, word) for span in spans]
        taken[margins.index(max(margins))].append(word)
    return [Window(*span, words) for span, words in zip(spans, taken, strict=True) if words]


def _end(bounds: Sequence[int], start: int, room: int) -> int:
    """Return the end of the longest window that begins at a word."""
    end = start + 1
    while end + 1 < len(bounds) and bounds[end + 1] - bounds[start] <= room:
        end += 1
    return end


def _margin(bounds: Sequence[int], span: tuple[int, int], word: int) -> int:
    """Return how many pieces there are between a word and the nearer cut; -1 if it is outside."""
    start, end = span
    if not start <= word < end:
        return -1
    left = bounds[word] - bounds[start] if start else bounds[-1]
    right = bounds[end] - bounds[word + 1] if end + 1 < len(bounds) else bounds[-1]
    return min(left, right)
