"""`RowSource`: each distinct word is computed once, and its row is that of the layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from meprop_nlp.data.sentence import Sentence
from meprop_nlp.errors import MePropError
from meprop_nlp.models.rows import RowSource, padded
from meprop_nlp.models.words import SentenceWords


class Vectors:
    """One number a form, its length; remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, forms: Sequence[str]) -> np.ndarray:
        self.asked += forms
        return np.array([[len(form)] for form in forms], np.float64)


def words(*forms: str) -> SentenceWords:
    return SentenceWords([Sentence.from_words(forms)])


def source(core: Any, vectors: Any, *, n_bytes: int = 1 << 20) -> RowSource:
    weight, bias = np.ones((2, core.lanes()), np.float32)
    return RowSource(core, ["form"], vectors, weight[None], bias, n_bytes=n_bytes)


def test_each_form_is_asked_for_once(core: Any) -> None:
    vectors = Vectors()
    rows = source(core, vectors)
    assert len(rows.find(words("a", "bb", "a"))) == 3
    assert len(rows.find(words("bb", "ccc"))) == 2
    assert vectors.asked == ["a", "bb", "ccc"]


def test_memory_is_bounded(core: Any) -> None:
    vectors = Vectors()
    rows = source(core, vectors, n_bytes=4 * core.lanes())  # one row
    for form in ("a", "b", "a"):
        rows.find(words(form))
    assert vectors.asked == ["a", "b", "a"]
    assert len(source(core, vectors, n_bytes=0).find(words("a", "b"))) == 2


def test_row_that_is_not_finite_is_an_error_each_time(core: Any) -> None:
    rows = source(core, lambda forms: np.full((len(forms), 1), np.inf))
    for _ in range(2):
        with pytest.raises(MePropError, match="the model cannot be used: a row is not finite"):
            rows.find(words("a"))


@pytest.mark.parametrize(("width", "expected"), [(1, 4), (4, 4), (5, 8)])
def test_padding_adds_zeros_to_the_last_axis(width: int, expected: int) -> None:
    array = np.arange(6 * width, dtype=np.float64).reshape(width, 6).T.reshape(2, 3, width)
    found = padded(array, 4)
    assert found.shape == (2, 3, expected)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found[..., :width], array)
    assert not found[..., width:].any()
